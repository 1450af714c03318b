"""A simulated station: machine and link of the product, with a simulated EVSE, memory and counters around them."""

from __future__ import annotations

import asyncio
import random
import re
import ssl
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, ClassVar

from chargebyte_fw.contracts.types.authorization import AuthorizationStatus, ProvidedIdToken, ValidationResult
from chargebyte_fw.contracts.types.energy import ExternalLimits
from chargebyte_fw.contracts.types.evse_manager import (
    Connector,
    EnableDisableSource,
    EnableDisableSourceEnableState,
    Evse,
    StopTransactionRequest,
)
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.effects import Call, Publish
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.ocpp.charge_point import ChargePoint, FrameReceived, MessagesLoaded, Written
from chargebyte_fw.modules.ocpp.connection import effects as socket
from chargebyte_fw.modules.ocpp.connection import events as connection_events
from chargebyte_fw.modules.ocpp.connection.configured import Options as NetworkOptions
from chargebyte_fw.modules.ocpp.connection.configured import connection_settings, queue_settings
from chargebyte_fw.modules.ocpp.connection.link import Link
from chargebyte_fw.modules.ocpp.connection.machine import S, connection
from chargebyte_fw.modules.ocpp.connection.settings import TlsSettings
from chargebyte_fw.modules.ocpp.connection.tls_link import Certificates, TlsFiles
from chargebyte_fw.modules.ocpp.dispatcher import Dispatcher, Note
from chargebyte_fw.modules.ocpp.queue.effects import KeepTransactionId, Persist, Remove
from chargebyte_fw.modules.ocpp.queue.message_queue import ACCEPTED
from chargebyte_fw.modules.ocpp.rpc.endpoint import Transmit
from chargebyte_fw.modules.ocpp.station import Block, Station, effects, events
from chargebyte_fw.modules.ocpp.station.layout import Layout
from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.variables.standard import communication as comm
from chargebyte_fw.modules.ocpp.variables.standard import internal, metering
from chargebyte_fw.sim.fleet.evse import SimulatedEvse
from chargebyte_fw.sim.fleet.memory import Memory
from chargebyte_fw.sim.fleet.options import Options
from chargebyte_fw.sim.fleet.tally import Latencies, Tally

RESET_S = 3.0
"""How long a station is away that was reset."""
_REQUEST = re.compile(r'\[2,"([^"]*)","(\w+)"')
_ANSWER = re.compile(r'\s*\[\s*([234])\s*,\s*"([^"]*)"\s*,\s*"?(\w*)')


class Files(Certificates):
    """The files of the command line. Stations with the same ones share a TLS context: roots are read once."""

    shared: ClassVar[dict[tuple[TlsSettings, TlsFiles, bool], ssl.SSLContext]] = {}

    def __init__(self, options: Options, number: int) -> None:
        chain, key = (options.named(name, number) for name in (options.certificate, options.key))
        self._files = TlsFiles(str(Path(options.root)) if options.root else "", chain, key)

    async def files(self) -> TlsFiles:
        """Return them."""
        return self._files

    def context(self, settings: TlsSettings, files: TlsFiles, *, with_client_certificate: bool) -> ssl.SSLContext:
        """Return the context that all stations with these files have."""
        key = (settings, files, with_client_certificate)
        if key not in self.shared:
            self.shared[key] = super().context(settings, files, with_client_certificate=with_client_certificate)
        return self.shared[key]


class SimulatedStation:
    """Connects, boots, and charges one car after the other."""

    def __init__(
        self,
        options: Options,
        number: int,
        blocks: tuple[type[Block], ...],
        tally: Tally,
        wires: Wires | None = None,
    ) -> None:
        self._options = options
        self._number = number
        self._blocks = blocks
        self._wires = wires or Wires()
        self._tally = tally
        self._latencies = Latencies(tally.latencies)
        self._random = random.Random(f"{options.seed}/{number}/ids")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._files = Files(options, number)
        self._memory = Memory()
        self._outstanding: tuple[str, str, float] | None = None
        """Id, action and time of the request that is not answered yet."""
        self._cut = False
        self.was_connected = self.was_booted = self.has_charged = False
        self._make()

    def _make(self) -> None:
        options = self._options
        version = options.version
        variables = Variables(declared((1,), connectors={1: 1}, legacy_keys=not version.is_2))
        self._configure(variables)
        layout = Layout([Evse(id=1, connectors=[Connector(id=1)])])
        self.station = Station(version, list(self._blocks), self._new_id, variables, layout)
        known = NetworkOptions()
        settings = connection_settings(variables, version, known)
        dispatcher = Dispatcher(version, queue_settings(variables, version, known, None), self._new_id)
        self.machine = ChargePoint(connection(settings, None, 0, self._random), dispatcher, self.station)
        self._pump = Pump(self.machine, self._act, self._guard)
        self._link = Link(self._wires, self._pump.feed, self._received, self._spawn, self._files)
        self._began = False
        self.evse = SimulatedEvse(options, self._number, self._tally, self._pump.feed)

    def _configure(self, variables: Variables) -> None:
        options = self._options
        variables.set(comm.NETWORK_URL.at(slot=1), options.url)
        variables.set(comm.NETWORK_IDENTITY.at(slot=1), options.identity.format(n=self._number))
        variables.set(comm.NETWORK_SECURITY_PROFILE.at(slot=1), options.security_profile)
        if options.password:
            password = options.named(options.password, self._number)
            variables.set(comm.NETWORK_BASIC_AUTH_PASSWORD.at(slot=1), password)
        variables.set(comm.NETWORK_CONFIGURATION_PRIORITY, ("1",))
        variables.set(internal.ALLOW_SECURITY_LEVEL_ZERO_CONNECTIONS, True)
        variables.set(internal.USE_SSL_DEFAULT_VERIFY_PATHS, not options.root)
        variables.set(metering.SAMPLED_DATA_TX_UPDATED_INTERVAL, options.sample_s)
        if options.version.is_2:
            variables.set(internal.SUPPORTED_OCPP_VERSIONS, (options.version.value,))

    def _new_id(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    # Life.

    async def start(self) -> None:
        """Begin to connect."""
        now = asyncio.get_running_loop().time()
        files = await self._files.files()
        for event in (
            events.WallClockSet(utc_now().timestamp() - now),
            MessagesLoaded(self._memory.entries(), self._memory.transaction_ids),
            events.Loaded(self._memory.documents),
            events.Started(),
            connection_events.CredentialsChanged(files.credentials),
            connection_events.Start(),
        ):
            self._pump.feed(event)

    def network(self, up: bool) -> None:
        """Take the network away from the station, or give it back."""
        self._cut = not up
        self._pump.feed(connection_events.Start() if up else connection_events.Stop("no network"))

    async def stop(self) -> None:
        """Close the connection."""
        self._cut = True
        self._pump.feed(connection_events.Stop("the fleet stops"))
        await self._link.stop()
        self._pump.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _reset(self) -> None:
        self.has_charged |= self.evse.has_charged
        self.evse.halt()
        self._pump.feed(connection_events.Stop("reset"))
        await self._link.stop()
        self._pump.close()
        await asyncio.sleep(RESET_S)
        self._outstanding = None
        self._make()
        await self.start()

    # How it stands.

    @property
    def connected(self) -> bool:
        """Whether its WebSocket is open."""
        return self.machine.connection.state is S.OPEN

    @property
    def booted(self) -> bool:
        """Whether the CSMS has accepted it."""
        return self.machine.dispatcher.queue.registration == ACCEPTED

    # Effects and frames.

    def _received(self, attempt: int, text: str | bytes) -> None:
        if self._cut:
            return  # it came in before the connection was aborted
        shown = text if isinstance(text, str) else text.decode(errors="replace")
        self._tally.received += 1
        found = _ANSWER.match(shown)
        if found is not None:
            self._count(found[1], found[2], found[3])
        self._pump.feed(FrameReceived(attempt, text))
        if not self._began and self.booted:
            self._began = self.was_booted = True
            self.evse.begin()

    def _count(self, kind: str, message_id: str, code: str) -> None:
        if kind == "2":
            self._tally.commands += 1
        elif self._outstanding is not None and self._outstanding[0] == message_id:
            _, action, sent_s = self._outstanding
            self._outstanding = None
            self._tally.requests += 1
            self._latencies.add(asyncio.get_running_loop().time() - sent_s)
            if kind == "4":
                self._tally.error(f"{action} is refused: {code}")

    def _sent(self, text: str) -> None:
        self._tally.sent += 1
        found = _REQUEST.match(text)
        if found is not None:
            self._unanswered()
            self._outstanding = (found[1], found[2], asyncio.get_running_loop().time())

    def _unanswered(self) -> None:
        if self._outstanding is not None:
            self._tally.error(f"no answer to {self._outstanding[1]}")
            self._outstanding = None

    def _act(self, effect: Any) -> None:
        match effect:
            case Transmit(text):
                self._sent(text)
                self._link.send(text)
            case Persist() | Remove() | KeepTransactionId() | effects.Save():
                ticket = self._memory.keep(effect)
                if ticket is not None:
                    self._pump.feed(Written(ticket))
            case socket.OpenSocket() | socket.CloseSocket() | socket.SendPing():
                self._socket(effect)
            case socket.Established() | socket.Lost() | socket.Unreachable() | Note() | effects.RowFailed():
                self._note(effect)
            case effects.Command():
                self._command(effect)
            case Publish(_, _, ProvidedIdToken() as token):
                self.evse.remote_start(token)
            case effects.Reply(session, ValidationResult() as result):
                self.evse.validated(session, result.authorization_status)
            case effects.ReplyError(session, _):
                self.evse.validated(session, AuthorizationStatus.Unknown)

    def _socket(self, effect: Any) -> None:
        match effect:
            case socket.OpenSocket():
                self._link.open(effect)
            case socket.CloseSocket() if self._cut:
                self._spawn(self._link.stop(), "cut")
            case socket.CloseSocket():
                self._link.close(effect)
            case socket.SendPing():
                self._link.ping(effect)

    def _note(self, effect: Any) -> None:
        match effect:
            case socket.Established():
                self.was_connected = True
                self._tally.connections += 1
            case socket.Lost(_, reason):
                self._outstanding = None if self._cut else self._outstanding
                if not self._cut:
                    self._unanswered()
                    self._tally.error(f"the connection is lost: {reason[:80]}")
            case socket.Unreachable(_, reason):
                self._tally.error(f"no connection: {reason[:160]}")
            case Note(text) if not text.startswith("the CSMS refused"):
                self._tally.error(text.partition(":")[0][:100])
            case effects.RowFailed(error):
                self._guard(error)

    def _guard(self, error: BaseException) -> None:
        self._tally.error(f"a fault of this program: {type(error).__name__}: {str(error)[:80]}")

    def _command(self, command: effects.Command) -> None:
        done = True
        match command.call:
            case Call(command="stop_transaction", args=(StopTransactionRequest(reason=reason), *_)):
                self.evse.stop(reason)
            case Call(command="pause_charging" | "resume_charging" as name):
                self.evse.pause(name == "pause_charging")
            case Call(command="set_external_limits", args=(ExternalLimits() as limits,)):
                self.evse.limit(command.evse_id or 0, limits)
            case Call(command="enable_disable", args=(_, EnableDisableSource(enable_state=state))):
                self.evse.enable(state is not EnableDisableSourceEnableState.Disable)
            case Call(command="reset"):
                self._spawn(self._reset(), "reset")
            case Call(command="force_unlock" | "is_reset_allowed" | "set_system_time" | "set_connection_timeout"):
                pass
            case _:
                done = False
        outcome: Any = events.CommandDone(command.command_id, True)
        if not done:
            outcome = events.CommandFailed(command.command_id, f"{command.call.command} is not simulated")
        self._pump.feed(outcome)

    def _spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._guard(error)

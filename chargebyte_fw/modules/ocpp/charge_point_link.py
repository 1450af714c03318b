"""The shell of a charging station: socket, file and clock around the pure `ChargePoint`, driven by one pump."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import in_words
from chargebyte_fw.kernel.lasting_condition import LastingCondition
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.kernel.trace import Trace
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.ocpp.charge_point import ChargePoint, FileBegunAnew, FrameReceived, MessagesLoaded, Written
from chargebyte_fw.modules.ocpp.connection import effects as socket
from chargebyte_fw.modules.ocpp.connection import events as connection_events
from chargebyte_fw.modules.ocpp.connection.link import Link
from chargebyte_fw.modules.ocpp.connection.tls_link import Certificates, discard
from chargebyte_fw.modules.ocpp.dispatcher import Note
from chargebyte_fw.modules.ocpp.queue.effects import KeepTransactionId, Persist, Remove
from chargebyte_fw.modules.ocpp.queue.store_link import Store
from chargebyte_fw.modules.ocpp.rpc.endpoint import Transmit
from chargebyte_fw.modules.ocpp.station.effects import Command, DiscardCertificate, Save
from chargebyte_fw.modules.ocpp.station.events import CommandDone, CommandFailed, Loaded, WallClockSet


class ChargePointRunner:
    """Runs a `ChargePoint`: `load`, then `feed(Start())`; `close` at the end.

    `name` is that of the module in the trace. `act` carries out the effects that are the module's: commands, replies,
    variables, PrepareNetwork. `trouble` is that of the store. `seen(text, from_csms)` is called with each frame.
    """

    def __init__(
        self,
        machine: ChargePoint,
        *,
        name: str,
        path: Path,
        wires: Wires,
        trace: Trace,
        log: ModuleLog,
        certificates: Certificates,
        spawn: Callable[[Coroutine[Any, Any, Any], str], asyncio.Task[Any]],
        guard: Callable[[BaseException], None],
        act: Callable[[Any], None],
        trouble: Callable[[str, str], None] = lambda kind, text: None,
        seen: Callable[[str, bool], None] = lambda text, from_csms: None,
    ) -> None:
        self.machine = machine
        self._seen = seen
        self.log = log
        self._outward = act
        self._certificates = certificates
        self._spawn = spawn
        self._installing: set[int] = set()
        """Commands to EvseSecurity after which other certificates may be there."""
        self._looking = False
        self._pump = Pump(machine, self._act, guard)
        self._link = Link(wires, self.feed, self._received, spawn, certificates)
        self._store = Store(path, log, spawn, self._written, lambda: self.feed(FileBegunAnew()), trouble)
        self._from_csms = trace.channel("ocpp", f"{name}.csms")
        self._from_station = trace.channel("ocpp", f"{name}.station")
        self._complaints = RateLimitedLog(log, "%d more messages of the CSMS were refused or ignored within %g s")
        self._offline = LastingCondition(log)

    async def load(self) -> None:
        """Read what the last run left, and what EvseSecurity has installed."""
        contents = await self._store.load()
        self.clock_set()
        self.feed(MessagesLoaded(contents.entries, contents.transaction_ids))
        self.feed(Loaded(contents.documents))
        await self.look_at_certificates()

    async def look_at_certificates(self) -> None:
        """Ask EvseSecurity again: certificates were installed or deleted."""
        files = await self._certificates.files()
        self.feed(connection_events.CredentialsChanged(files.credentials))

    def clock_set(self) -> None:
        """The wall clock was set."""
        offset_s = utc_now().timestamp() - asyncio.get_running_loop().time()
        self.feed(WallClockSet(offset_s))

    def feed(self, event: Any) -> None:
        """Give the machine an event."""
        self._pump.feed(event)
        if isinstance(event, CommandDone | CommandFailed) and event.command_id in self._installing:
            self._installing.discard(event.command_id)
            self._look_again()

    def _look_again(self) -> None:
        if not self._looking:
            self._looking = True
            self._spawn(self._look(), "certificates")

    async def _look(self) -> None:
        try:
            await self.look_at_certificates()
        finally:
            self._looking = False

    async def _discard(self, order: DiscardCertificate) -> None:
        try:
            discard(order.discarded, order.kept)
        except OSError as error:
            self.log.warning("the client certificate that is not used cannot be deleted: %s", in_words(error))
            self.feed(CommandFailed(order.command_id, in_words(error)))
            return
        self.feed(CommandDone(order.command_id, True))
        self._look_again()

    async def close(self, reason: str = "the station stops") -> None:
        """Close the connection and the file."""
        self.feed(connection_events.Stop(reason))
        await self._link.stop()
        self._pump.close()
        await self._store.close()
        for line in (self._complaints, self._offline):
            line.close()

    def _received(self, attempt: int, text: str | bytes) -> None:
        shown = text if isinstance(text, str) else text.decode(errors="replace")
        self._from_csms(shown)
        self._seen(shown, True)
        self.feed(FrameReceived(attempt, text))

    def _written(self, ticket: int) -> None:
        self.feed(Written(ticket))

    def _act(self, effect: Any) -> None:
        match effect:
            case Transmit(text):
                self._from_station(text)
                self._seen(text, False)
                self._link.send(text)
            case Persist() | Remove() | KeepTransactionId() | Save():
                self._store.keep(effect)
            case socket.OpenSocket():
                self._link.open(effect)
            case socket.CloseSocket():
                self._link.close(effect)
            case socket.SendPing():
                self._link.ping(effect)
            case DiscardCertificate():
                self._spawn(self._discard(effect), "certificates")
            case Note() | socket.Unreachable() | socket.Established() | socket.Lost() | socket.CertificateProven():
                self._report(effect)
            case _:
                if isinstance(effect, Command) and effect.call.interface == EvseSecurity.interface:
                    self._installing.add(effect.command_id)
                self._outward(effect)

    def _report(self, effect: Any) -> None:
        """Log what the CSMS sent, and what became of the connection."""
        match effect:
            case Note(text):
                self._complaints.write("%s", text)
            case socket.Unreachable(profile, reason, _):
                if profile is not None and profile.security_profile >= 2:
                    self._look_again()  # what is missing may have been installed
                slot = f"slot {profile.slot}, {profile.url}" if profile is not None else "no slot"
                self._offline.begin(f"no connection to the CSMS ({slot}): {reason}")
            case socket.Established(profile, version):
                text = f"connected to {profile.url} as {profile.identity}, {version.value}, slot {profile.slot}"
                if not self._offline.end(text):
                    self.log.info("%s", text)
            case socket.CertificateProven(former=True):
                self.log.warning("the former client certificate is used: the new one did not connect to any CSMS")
            case socket.Lost(profile, reason):
                self.log.info("the connection to %s is closed: %s", profile.url, reason)

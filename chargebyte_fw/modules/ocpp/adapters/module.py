"""What every OCPP module does: puts a station together, starts it in EVerest's order (ocpp.md 1.7), and runs it."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from chargebyte_fw.contracts.interfaces.charger_information import ChargerInformation
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.contracts.types.evse_manager import Evse
from chargebyte_fw.contracts.types.system import BootReason
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.kernel.errors import CommandError, ConfigError, Finding
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.module import ConfigIssue, End, Module
from chargebyte_fw.modules.ocpp.adapters.commands import Commands
from chargebyte_fw.modules.ocpp.adapters.facts import Facts
from chargebyte_fw.modules.ocpp.adapters.message_log import MessageLog
from chargebyte_fw.modules.ocpp.adapters.operator import OperatorRequests
from chargebyte_fw.modules.ocpp.adapters.other_modules import OtherModules
from chargebyte_fw.modules.ocpp.adapters.requests import Requests
from chargebyte_fw.modules.ocpp.charge_point import ChargePoint
from chargebyte_fw.modules.ocpp.charge_point_link import ChargePointRunner
from chargebyte_fw.modules.ocpp.connection.configured import Options, queue_settings
from chargebyte_fw.modules.ocpp.connection.events import Start, Stop
from chargebyte_fw.modules.ocpp.connection.machine import connection
from chargebyte_fw.modules.ocpp.connection.network import Network
from chargebyte_fw.modules.ocpp.connection.tls_link import InstalledCertificates
from chargebyte_fw.modules.ocpp.dispatcher import Dispatcher
from chargebyte_fw.modules.ocpp.monitoring.technical_codes import read_codes
from chargebyte_fw.modules.ocpp.station import Block, Station, effects, events
from chargebyte_fw.modules.ocpp.station.layout import Layout
from chargebyte_fw.modules.ocpp.variables.files.json_file import Findings
from chargebyte_fw.modules.ocpp.variables.files.loading import Model, Sources, load
from chargebyte_fw.modules.ocpp.variables.files.overlay_link import OverlayFile
from chargebyte_fw.modules.ocpp.variables.model import Variables
from chargebyte_fw.modules.ocpp.variables.standard.internal import LOG_MESSAGES, LOG_MESSAGES_FORMAT
from chargebyte_fw.modules.ocpp.variables.storage import WriteOverlay
from chargebyte_fw.modules.ocpp.version import Version

EVSE_LIMIT_S = 60.0
"""How long an EVSE may take to be ready before the station starts without it."""
FILE_FAULT = "generic/VendorWarning"
LOG_NAMES = {False: "libocpp_1.6", True: "libocpp_201"}
"""Names of the message logs, by whether it is 2.x: those of EVerest."""
CALLBACK = "callback"
"""In `LogMessagesFormat`: frames are published."""
CONNECT, DISCONNECT = "everest_api/ocpp/cmd/connect", "everest_api/ocpp/cmd/disconnect"


class OcppModule(Module):
    """Base of the modules of each version: a subclass declares what it requires, its keys, and its blocks."""

    packages = ("websockets",)
    group = "cloud"
    enable_external_mqtt = True
    enable_global_errors = True
    share: ClassVar[str] = ""
    """The module's share folder; relative paths of the configuration begin there."""
    uses_configure_network: ClassVar[bool] = False
    """Whether the system is asked for the network of a slot before each attempt."""

    ocpp_generic: Ocpp
    evse_manager: list[EvseManager]
    system: System
    security: EvseSecurity
    charger_information: ChargerInformation | None = None
    auth_validator: Any
    """What it provides to Auth; its faults are those of the module's file, too: no interface of OCPP has any."""

    @classmethod
    def config_issues(cls, config: Any, ends: Mapping[str, Sequence[End]]) -> Iterable[ConfigIssue]:
        """A sink of limits has to have its EVSE, or 0 for the station."""
        for end in ends.get("evse_energy_sink", ()):
            if end.mapping is None:
                what = f"{end.module_id} is mapped to no EVSE, so OCPP cannot limit it"
                hint = f"give {end.module_id} a mapping; evse: 0 is the station"
                yield ConfigIssue("evse_energy_sink", what, hint, number="C111")

    # What a module has of its own.

    @abstractmethod
    def versions(self) -> tuple[Version, ...]:
        """Return what is offered to the CSMS, the preferred one first."""

    @abstractmethod
    def blocks(self) -> Sequence[type[Block]]:
        """Return the blocks of the station."""

    @abstractmethod
    def sources(self) -> Sources:
        """Return where the configuration is."""

    @abstractmethod
    def database(self, variables: Variables) -> Path:
        """Return the file of the queue and of what blocks keep."""

    @abstractmethod
    def network(self, station: Station) -> Network:
        """Return the block that has the settings of the connection."""

    @property
    def slot_16(self) -> int:
        """The slot of NetworkConfiguration that the keys of OCPP 1.6 are a view of."""
        return 1

    @property
    def offers_others(self) -> bool:
        """Whether versions of the other generation are offered to the CSMS as well."""
        return False

    @property
    def prefers_others(self) -> bool:
        """Whether they are preferred."""
        return False

    def settle(self, station: Station) -> None:
        """Give the blocks what the configuration of the module has for them."""

    # Life of the module.

    async def init(self) -> None:
        """Take down what the stack publishes from now on."""
        self._evse_ids: dict[int, int] = {}
        self._runner: ChargePointRunner | None = None
        self._others: OtherModules | None = None
        self._overlay: OverlayFile | None = None
        self._messages: MessageLog | None = None
        self._external_control = False
        self._listen()
        self._provided = {
            implementation.interface: implementation
            for implementation in (getattr(self, name) for name in self.provisions)
            if isinstance(implementation, Contract)
        }

    def _listen(self) -> None:
        self.requests = Requests()
        self.commands = Commands(self, self._feed, self._evse_ids)
        self.facts = Facts(self, self.commands.evse_of)

    async def ready(self) -> None:
        """Read the configuration; what takes time follows by the side."""
        evses = [await self._evse(manager) for manager in self.evse_manager]
        try:
            self._layout = Layout(evses)
        except ValueError as error:
            hint = "number the EVSEs by `connector_id` of EvseManager"
            raise ConfigError([Finding(f"{self.id}.evse_manager", str(error), hint, number="C220")]) from None
        self._connectors = {evse.id: max(1, len(evse.connectors)) for evse in evses}
        self._open(self._loaded())
        self.on_wall_set(self._clock_set)

    def _clock_set(self) -> None:
        if self._runner is not None:
            self._runner.clock_set()

    def _loaded(self) -> Model:
        """Return the configuration; raises ConfigError."""
        return load(self.sources(), self._connectors)

    def _open(self, model: Model) -> None:
        sources = self.sources()
        self._others = OtherModules(self, self._feed)
        self._others.add_to(model.variables)
        for warning in model.warnings:
            self.log.warning("%s", warning)
        self._overlay = None
        if sources.overlay is not None:
            self._overlay = OverlayFile(sources.overlay, self.log, self.spawn)
        self._messages = MessageLog(
            model.variables,
            self.written(self.config.MessageLogPath),
            LOG_NAMES[self.versions()[0].is_2],
            self.log,
            self.runtime.root.write,
        )
        self._messages.follow(self.evse_manager)
        self._runner = self._made(model.variables, self._layout)
        loop = asyncio.get_running_loop()
        operator = OperatorRequests(self._runner.machine, self.requests, loop.time)
        self.runtime.operator["ocpp"] = operator.answer
        self.spawn(self._begin(self._runner), "start")

    async def stop(self) -> None:
        """Close the connection and the file."""
        await self._close()

    async def renew(self, model: Model) -> None:
        """Begin anew with another configuration, as after a start."""
        await self._close()
        self._listen()
        self._open(model)

    async def _close(self) -> None:
        self.runtime.operator.pop("ocpp", None)
        self.requests.end()
        self.facts.close()
        self.commands.close()
        if self._runner is not None:
            await self._runner.close()
        if self._overlay is not None:
            await self._overlay.close()
        if self._messages is not None:
            self._messages.close()

    async def _evse(self, manager: EvseManager) -> Evse:
        evse = await manager.get_evse()
        self._evse_ids[id(manager)] = evse.id
        return evse

    def _made(self, variables: Variables, layout: Layout) -> ChargePointRunner:
        versions = self.versions()
        station = Station(versions[0], list(self.blocks()), self.runtime.new_uuid, variables, layout)
        self.settle(station)
        network = self.network(station)
        network.options = Options(
            float(self.config.MessageQueueResumeDelay),
            self.uses_configure_network,
            self.slot_16,
            self.offers_others,
            self.prefers_others,
        )
        queue = queue_settings(variables, versions[0], network.options, None)
        machine = ChargePoint(
            connection(network.settings(), None, 0, self.runtime.random),
            Dispatcher(versions[0], queue, self.runtime.new_uuid),
            station,
        )
        return ChargePointRunner(
            machine,
            name=self.id,
            path=self.database(variables),
            wires=self.runtime.wires,
            trace=self.runtime.trace,
            log=self.log,
            certificates=InstalledCertificates(self.security),
            spawn=self.spawn,
            guard=self.crash,
            act=self._act,
            trouble=self._trouble,
            seen=partial(self._seen, variables),
        )

    def _trouble(self, kind: str, text: str) -> None:
        """Raise what is wrong with the file as a fault that blocks nothing, or clear it (`queue/store_link.py`)."""
        if text:
            self.auth_validator.faults.raise_fault(FILE_FAULT, text, sub_type=kind, severity=Severity.Low)
        else:
            self.auth_validator.faults.clear(FILE_FAULT, kind)

    # The start.

    async def _begin(self, runner: ChargePointRunner) -> None:
        await asyncio.gather(*(self._wait_for(manager) for manager in self.evse_manager))
        await runner.load()
        if self.charger_information is not None:
            await self._take_information(self.charger_information)
        await self.commands.idle()
        for manager in self.evse_manager:
            await self._release(manager)
            # One that is started again while this module goes on waits again.
            manager.waiting_for_external_ready.subscribe(partial(self._waits, manager), replay=False)
        await asyncio.sleep(self.config.DelayOcppStart / 1000)
        runner.feed(self.facts.started(await self._boot_reason()))
        self.requests.begin(self._feed)
        self.facts.begin(self._feed)
        runner.feed(Start())
        if self.config.EnableExternalWebsocketControl and not self._external_control:
            self._external_control = True
            self.runtime.mqtt.subscribe(CONNECT, lambda topic, payload: self._feed(Start()))
            stop = Stop(f"by {DISCONNECT}")
            self.runtime.mqtt.subscribe(DISCONNECT, lambda topic, payload: self._feed(stop))

    async def _wait_for(self, manager: EvseManager) -> None:
        """Wait until an EVSE is ready, or waits for this module alone."""
        up = asyncio.Event()
        stops = [
            manager.waiting_for_external_ready.subscribe(lambda _: up.set()),
            manager.ready.subscribe(lambda ready: up.set() if ready else None),
        ]
        try:
            async with asyncio.timeout(EVSE_LIMIT_S):
                await up.wait()
        except TimeoutError:
            self.log.warning(
                "%s is not ready after %g s: the station starts without it", manager.module_id, EVSE_LIMIT_S
            )
        finally:
            for stop in stops:
                stop()

    def _waits(self, manager: EvseManager, waits: bool) -> None:
        if waits:
            self.spawn(self._release(manager), "release")

    async def _release(self, manager: EvseManager) -> None:
        if manager.waiting_for_external_ready.value is not True:
            return
        try:
            await manager.external_ready_to_start_charging()
        except CommandError as error:
            self.log.warning("%s does not begin: %s", manager.module_id, error)

    async def _take_information(self, source: ChargerInformation) -> None:
        try:
            information = await source.get_charger_information()
        except CommandError as error:
            self.log.warning("BootNotification has what the configuration says: %s", error)
            return
        self._feed(events.FactReceived("charger_information", "charger_information", information))

    async def _boot_reason(self) -> BootReason:
        try:
            return await self.system.get_boot_reason()
        except CommandError as error:
            self.log.warning("the reason of the start is not known: %s", error)
            return BootReason.Unknown

    # Effects.

    def _feed(self, event: Any) -> None:
        if self._runner is not None:
            self._runner.feed(event)

    def _act(self, effect: Any) -> None:
        match effect:
            case effects.Command():
                self.commands.send(effect)
            case Publish(interface, variable, value):
                provided = self._provided.get(interface)
                if variable == Ocpp.security_event.name and self._messages is not None:
                    self._messages.security(value)
                if provided is not None:
                    getattr(provided, variable).publish(value)
            case effects.Reply() | effects.ReplyError():
                self.requests.reply(effect)
            case effects.RowFailed(error):
                self.log.error("a message of the CSMS could not be handled", exc_info=error)
            case effects.KeepElsewhere() if self._others is not None:
                self._others.keep(effect)
            case WriteOverlay(content) if self._overlay is not None:
                self._overlay.keep(content)
            case _:
                self.act(effect)

    def _seen(self, variables: Variables, text: str, from_csms: bool) -> None:
        """Log a frame, and publish it where `LogMessagesFormat` has `callback`."""
        if self._messages is not None:
            self._messages.frame(text, from_csms)
        if CALLBACK in variables.get(LOG_MESSAGES_FORMAT) and variables.get(LOG_MESSAGES):
            directions = ocpp.MessageDirection
            direction = directions.CSMSToChargingStation if from_csms else directions.ChargingStationToCSMS
            self.ocpp_generic.ocpp_message.publish(ocpp.Message(message=text, direction=direction))

    def act(self, effect: Any) -> None:
        """Carry out an effect that only this module has."""

    # Files.

    def technical_codes(self, path: str) -> dict[str, str]:
        """Return the technical code of each error type of a file, none without a file; raises ConfigError."""
        findings = Findings()
        codes = read_codes(self.shared(path), findings) if path else {}
        if findings.errors:
            raise ConfigError(findings.found)
        return codes

    def shared(self, path: str, find: Callable[[str], Path] | None = None) -> Path:
        """Return a file of the configuration; a relative path begins at the share folder."""
        whole = path if path.startswith("/") else f"{self.share}/{path}"
        return (find or self.runtime.root.read)(whole)

    def written(self, path: str) -> Path:
        """Return a file that is written."""
        return self.shared(path, partial(self.runtime.root.write))

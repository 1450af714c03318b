"""API: EVerest's simple MQTT interface, `everest_api/...`: facts out once a second and on change, wishes in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.interfaces.charger_information import ChargerInformation
from chargebyte_fw.contracts.interfaces.error_history import ErrorHistory
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.external_energy_limits import ExternalEnergyLimits
from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.interfaces.uk_random_delay import UkRandomDelay
from chargebyte_fw.contracts.types.error_history import FilterArguments, State
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.contracts.types.ocpp import ChargingSchedules, ConnectionStatus
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.decoding import SIZE_LIMIT_BYTES, decode_yaml
from chargebyte_fw.kernel.errors import CommandError, in_words
from chargebyte_fw.kernel.files import read_regular
from chargebyte_fw.kernel.lasting_condition import LastingConditions
from chargebyte_fw.kernel.module import (
    ConfigIssue,
    End,
    Module,
    ModuleConfig,
    requires_many,
    requires_optional,
)
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.modules.api.api_commands import BadPayload, Commands
from chargebyte_fw.modules.api.api_payloads import QUANTITIES, Payloads
from chargebyte_fw.modules.api.evse_view import EvseView, sink_of

PREFIX = "everest_api"
PERIOD_S = 1.0
WAITING_LIMIT = 100
"""Commands that may be under way at a time."""
_PERMANENT_FAULT = "evse_manager/Inoperative"
_NAMES = {"hw_capabilities": "hardware_capabilities"}
_NEED_TRANSACTION = ("pause_charging", "resume_charging", "stop_charging")
_ON_CHANGE = frozenset(("powermeter", "limits", "telemetry", "ev_info", "logging_path", "hardware_capabilities"))


def _rounding_keys() -> list[tuple[str, Any, Any]]:
    keys: list[tuple[str, Any, Any]] = []
    for name in QUANTITIES:
        decimals = Annotated[int, Meta(ge=0, le=15, description=f"Decimal places of {name}.")]
        step = Annotated[float, Meta(ge=0, description=f"Round {name} to a multiple of this; 0 for none.")]
        keys += [(f"{name}_decimal_places", decimals, 2), (f"{name}_round_to", step, 0.0)]
    return keys


class _ApiConfig(ModuleConfig):
    """Configuration of API."""

    charger_information_file: Annotated[
        str, Meta(description="YAML or JSON file with the charger information; empty: ask the connected module.")
    ] = ""


if TYPE_CHECKING:
    ApiConfig = _ApiConfig
else:
    ApiConfig = msgspec.defstruct("ApiConfig", _rounding_keys(), bases=(_ApiConfig,), kw_only=True)


class API(Module):
    """Publishes the state of every EVSE on MQTT for integrators and takes their commands."""

    Config = ApiConfig
    enable_external_mqtt = True
    group = "cloud"

    config: _ApiConfig
    evse_manager = requires_many(EvseManager, 1)
    evse_energy_sink = requires_many(ExternalEnergyLimits)
    charger_information = requires_optional(ChargerInformation)
    ocpp = requires_optional(Ocpp)
    random_delay = requires_many(UkRandomDelay)
    error_history = requires_optional(ErrorHistory)

    @classmethod
    def config_issues(cls, config: Any, ends: Mapping[str, Sequence[End]]) -> Iterable[ConfigIssue]:
        """A sink of limits has the EVSE that it limits in its mapping."""
        for sink in ends.get("evse_energy_sink", []):
            if sink.mapping is None:
                hint = f"add `mapping: {{module: {{evse: 1}}}}` to module {sink.module_id}"
                what = f"evse_energy_sink {sink.module_id} has no mapping to an EVSE"
                yield ConfigIssue("evse_energy_sink", what, hint, number="C111")

    async def init(self) -> None:
        """Follow every EVSE."""
        self._payloads = Payloads(self.config)
        self._all_ready = asyncio.Event()
        self._delays: dict[int, UkRandomDelay] = {}
        self._countdowns: dict[int, Any] = {}
        self._complaints = RateLimitedLog(self.log, "%d more commands were refused within %g s")
        self._carried_out = 0
        self._troubles = LastingConditions(self.log)
        self._known_information: Any = None
        self._connection_status = "unknown"
        self.views = [
            EvseView(manager, position, partial(self._on_fact, position - 1), self.kept)
            for position, manager in enumerate(self.evse_manager, 1)
        ]
        for position, delay in enumerate(self.random_delay, 1):
            index = delay.mapping.evse if delay.mapping is not None else position
            self._delays[index] = delay
            delay.countdown.subscribe(partial(self._countdowns.__setitem__, index))
        if self.ocpp is not None:
            self.ocpp.connection_status.subscribe(self._on_connection_status)
            self.ocpp.charging_schedules.subscribe(self._on_schedules)

    async def ready(self) -> None:
        """Take commands and begin to publish."""
        for view in self.views:
            self._listen(view)
        self.spawn(self._publish_information(), "information")
        self.spawn(self._publish_periodically(), "periodic")

    async def stop(self) -> None:
        """Log the counts of what was not logged."""
        self._complaints.close()
        self._troubles.close()

    def _listen(self, view: EvseView) -> None:
        sink = sink_of(view, self.evse_energy_sink)
        commands = Commands(view.manager, sink, self._delays.get(view.index), utc_now, view.kept)
        if sink is not None:
            sink.capabilities.subscribe(partial(self._on_node, commands, sink.module_id), replay=False)
        evse = view.manager.module_id
        for name in commands.names:
            self.runtime.mqtt.subscribe(
                f"{PREFIX}/{evse}/cmd/{name}",
                partial(self._on_command, commands, name),
            )

    def _on_node(self, commands: Commands, node: str, _capabilities: object) -> None:
        async def restore() -> None:
            try:
                await commands.restore()
            except CommandError as error:
                self._complain("the limit was not sent to %s again: %s", node, error)

        self.spawn(restore(), "limit")

    def _on_command(self, commands: Commands, name: str, topic: str, payload: str) -> None:
        async def carry_out() -> None:
            try:
                await self._all_ready.wait()
                if await commands.parse(name, payload) is False and name in _NEED_TRANSACTION:
                    self.log.info("%s had no effect: no transaction runs", topic)
            except BadPayload as error:
                self._complain("%s: %s", topic, error)
            except CommandError as error:
                self._complain("%s was not carried out: %s", topic, error)
            except Exception as error:
                # A defect of ours that anybody on the broker could use must not end a session.
                self.log.error("%s failed", topic, exc_info=error)
            finally:
                self._carried_out -= 1

        if self._carried_out >= WAITING_LIMIT:
            self._complain("%s was not carried out: %s", topic, f"{WAITING_LIMIT} commands wait already")
            return
        self._carried_out += 1
        self.spawn(carry_out(), name)

    def _complain(self, text: str, topic: str, error: object) -> None:
        self._complaints.write(text, topic, error)

    def _publish(self, topic: str, value: Any) -> None:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        self.runtime.mqtt.publish(f"{PREFIX}/{topic}", text)

    def _on_fact(self, at: int, name: str) -> None:
        view = self.views[at]
        if name == "ready" and all(each.manager.ready.value for each in self.views):
            self._all_ready.set()
        if name == "session_event" and view.last_event is SessionEventEnum.TransactionFinished:
            # At once: a second later the EV may be gone and with it the energy of its session.
            self._publish_session_info(view, utc_now())
        name = _NAMES.get(name, name)
        if name not in _ON_CHANGE:
            return
        if name == "logging_path":
            value: Any = view.logging_path
        elif name == "ev_info":
            value = view.ev_info
        else:
            value = getattr(self._payloads, name)(view)
        self._publish(f"{view.manager.module_id}/var/{name}", value)

    def _on_connection_status(self, status: ConnectionStatus) -> None:
        self._connection_status = "connected" if status.connected else "disconnected"
        self._publish("ocpp/var/connection_status", self._connection_status)

    def _on_schedules(self, schedules: ChargingSchedules) -> None:
        self._publish("ocpp/var/charging_schedules", schedules)

    async def _publish_information(self) -> None:
        while True:
            information = await self._information()
            if information is not None:
                self._publish("info/var/info", information)
            await asyncio.sleep(PERIOD_S)

    async def _information(self) -> Any:
        """Return the charger information, read once it can be read; None until then, or without a source."""
        if self._known_information is not None:
            return self._known_information
        if self.config.charger_information_file:
            path = self.runtime.root.read(self.config.charger_information_file)
            try:
                self._known_information = decode_yaml(read_regular(path, SIZE_LIMIT_BYTES))
            except (OSError, ValueError) as error:
                why = in_words(error, of_file=False)
                self._troubles.set("file", True, f"charger_information_file {path} cannot be read: {why}")
            else:
                self._troubles.set("file", False, f"charger_information_file {path} is read")
        elif self.charger_information is not None:
            try:
                self._known_information = await self.charger_information.get_charger_information()
            except CommandError as error:
                self._troubles.set("information", True, f"no charger information: {error}")
            else:
                self._troubles.set("information", False, "the charger information is there")
        return self._known_information

    async def _publish_periodically(self) -> None:
        while True:
            at = utc_now()
            self._publish("connectors", [view.manager.module_id for view in self.views])
            self._publish("ocpp/var/connection_status", self._connection_status)
            for view in self.views:
                self._publish_view(view, at)
            await self._publish_errors()
            await asyncio.sleep(PERIOD_S)

    def _publish_view(self, view: EvseView, at: Any) -> None:
        evse = view.manager.module_id
        self._publish(f"{evse}/var/datetime", rfc3339(at))
        self._publish_session_info(view, at)
        self._publish(f"{evse}/var/selected_protocol", view.manager.selected_protocol.value or "")
        known = view.capabilities is not None
        self._publish(f"{evse}/var/hardware_capabilities", self._payloads.hardware_capabilities(view) if known else "")
        if view.ev_info is not None:
            # Repeated for clients that join late; EVerest publishes changes only.
            self._publish(f"{evse}/var/ev_info", view.ev_info)

    def _publish_session_info(self, view: EvseView, at: Any) -> None:
        permanent_fault = view.manager.faults.is_active(_PERMANENT_FAULT)
        info = self._payloads.session_info(view, self._countdowns.get(view.index), permanent_fault, at)
        self._publish(f"{view.manager.module_id}/var/session_info", info)

    async def _publish_errors(self) -> None:
        if self.error_history is None:
            return
        try:
            active = await self.error_history.get_errors(FilterArguments(state_filter=State.Active))
        except CommandError as error:
            self._troubles.set("errors", True, f"the error history does not answer: {error}")
            return
        self._troubles.set("errors", False, "the error history answers again")
        # EVerest's list has a sub-type also where it is empty.
        errors = [{"sub_type": "", **msgspec.to_builtins(error)} for error in active]
        self._publish("errors/var/active_errors", errors)

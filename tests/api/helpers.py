"""A charger small enough for the APIs: one EVSE, one energy node, one identity, and MQTT in a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargebyte_fw.contracts.interfaces import charger_information as identity
from chargebyte_fw.contracts.interfaces import error_history, external_energy_limits
from chargebyte_fw.contracts.interfaces import evse_manager as contract
from chargebyte_fw.contracts.types import charger_information, energy, evse_board_support, evse_manager, iso15118
from chargebyte_fw.contracts.types import error_history as error_types
from chargebyte_fw.contracts.types.evse_manager import SessionEvent, SessionEventEnum
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.contracts.types.units import Current, Energy, Power, Voltage
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.faults import Mapping
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.plan import Connection, ModulePlan

AT = "2026-01-01T00:00:00.000Z"


def meter(energy_Wh: float, power_W: float = 0.0, current_A: float = 0.0) -> Powermeter:
    return Powermeter(
        timestamp=AT,
        meter_id="DC_POWERMETER",
        energy_Wh_import=Energy(total=energy_Wh),
        energy_Wh_export=Energy(total=0.0),
        power_W=Power(total=power_W),
        voltage_V=Voltage(DC=400.0),
        current_A=Current(DC=current_A),
    )


def event(kind: SessionEventEnum, **payload: Any) -> SessionEvent:
    return SessionEvent(uuid="session", timestamp=AT, event=kind, **payload)


CAPABILITIES = evse_board_support.HardwareCapabilities(
    max_current_A_import=32.0,
    min_current_A_import=6.0,
    max_phase_count_import=3,
    min_phase_count_import=1,
    max_current_A_export=16.126,
    min_current_A_export=0.0,
    max_phase_count_export=3,
    min_phase_count_export=1,
    supports_changing_phases_during_charging=True,
    supports_cp_state_E=True,
    connector_type=evse_board_support.HardwareCapabilitiesConnectorType.IEC62196Type2Cable,
)


class Evse(contract.EvseManager):
    """Notes every command; `answers` overrides what a command returns."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.answers: dict[str, Any] = {}

    def _note(self, name: str, *arguments: Any) -> Any:
        self.calls.append((name, *arguments))
        answer = self.answers.get(name, True)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def get_evse(self) -> evse_manager.Evse:
        return evse_manager.Evse(id=1, connectors=[evse_manager.Connector(id=1)])

    async def enable_disable(self, connector_id: int, cmd_source: Any) -> bool:
        return bool(self._note("enable_disable", connector_id, cmd_source))

    async def authorize_response(self, provided_token: Any, validation_result: Any) -> None: ...

    async def withdraw_authorization(self) -> None: ...

    async def reserve(self, reservation_id: int) -> bool:
        return True

    async def cancel_reservation(self) -> None: ...

    async def pause_charging(self) -> bool:
        return bool(self._note("pause_charging"))

    async def resume_charging(self) -> bool:
        return bool(self._note("resume_charging"))

    async def stop_transaction(self, request: Any) -> bool:
        return bool(self._note("stop_transaction", request))

    async def force_unlock(self, connector_id: int) -> bool:
        return bool(self._note("force_unlock", connector_id))

    async def external_ready_to_start_charging(self) -> bool:
        return True

    async def set_plug_and_charge_configuration(self, plug_and_charge_configuration: Any) -> None: ...

    async def update_allowed_energy_transfer_modes(self, allowed_energy_transfer_modes: Any) -> Any: ...

    async def set_der_available(self, available: bool) -> Any: ...


class EvseModule(Module):
    evse = provides(Evse)


class Sink(external_energy_limits.ExternalEnergyLimits):
    """Keeps what was set; `refuses` as many commands as it says."""

    def __init__(self) -> None:
        self.limits: list[energy.ExternalLimits] = []
        self.refuses = 0

    async def set_external_limits(self, value: energy.ExternalLimits) -> None:
        if self.refuses:
            self.refuses -= 1
            raise CommandError("HandlerException", "the node refuses")
        self.limits.append(value)

    def in_force(self) -> tuple[float | None, float | None, int | None]:
        """Amperes, watts and phases of the last import limit."""
        limits = self.limits[-1].schedule_import[0].limits_to_root
        numbers = (limits.ac_max_current_A, limits.total_power_W, limits.ac_max_phase_count)
        return tuple(None if number is None else number.value for number in numbers)  # type: ignore[return-value]


class SinkModule(Module):
    external_limits = provides(Sink)


class Identity(identity.ChargerInformation):
    async def get_charger_information(self) -> charger_information.ChargerInformation:
        return charger_information.ChargerInformation(
            vendor="ACME", model="DC1", chargepoint_serial="1234", firmware_version="1.0.0"
        )


class IdentityModule(Module):
    main = provides(Identity)


class History(error_history.ErrorHistory):
    async def get_errors(self, filters: error_types.FilterArguments) -> list[error_types.ErrorObject]:
        assert filters.state_filter is error_types.State.Active
        return []


class HistoryModule(Module):
    error_history = provides(History)


class Mqtt:
    """External MQTT in memory."""

    def __init__(self) -> None:
        self.published: list[tuple[str, str]] = []
        self._subscribers: dict[str, Callable[[str, str], None]] = {}

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        self.published.append((topic, payload))

    def subscribe(self, topic: str, callback: Callable[[str, str], None]) -> Callable[[], None]:
        self._subscribers[topic] = callback
        return lambda: None

    def receive(self, topic: str, payload: str = "") -> None:
        self._subscribers[topic](topic, payload)

    def last(self, topic: str) -> str | None:
        return next((payload for name, payload in reversed(self.published) if name == topic), None)


def charger(runtime: Any, module: type[Module], connections: dict[str, str], mapped: bool = True, **config: Any) -> Any:
    """Build `module` beside the small charger; `mapped` gives the energy node its EVSE."""
    here = Mapping(1)
    plans = [
        ModulePlan("connector", EvseModule, EvseModule.Config(), mapping=here),
        ModulePlan("grid", SinkModule, SinkModule.Config(), mapping=here if mapped else None),
        ModulePlan("identity", IdentityModule, IdentityModule.Config()),
        ModulePlan("history", HistoryModule, HistoryModule.Config()),
        ModulePlan(
            "api",
            module,
            module.Config(**config),
            connections={name: [Connection(*end.split("."))] for name, end in connections.items()},
        ),
    ]
    assembly = Assembly(runtime)
    assembly.build(plans)
    return assembly


def publish_first_facts(evse: Any) -> None:
    """Tell what an EvseManager tells when it is ready."""
    evse.evse_id.publish("DE*PNX*E12345*1")
    evse.supported_energy_transfer_modes.publish([iso15118.EnergyTransferMode.DC_extended])
    evse.hw_capabilities.publish(CAPABILITIES)
    evse.selected_protocol.publish("Unknown")
    evse.powermeter.publish(meter(0.0))
    evse.session_event.publish(event(SessionEventEnum.Enabled))
    evse.ready.publish(True)


def enforced(current_A: float) -> energy.EnforcedLimits:
    limit = energy.NumberWithSource(value=current_A, source="test")
    return energy.EnforcedLimits(
        uuid="connector", valid_for=10, limits_root_side=energy.LimitsRes(ac_max_current_A=limit), schedule=[]
    )


__all__ = ["AT", "Evse", "Mqtt", "charger", "enforced", "event", "meter", "publish_first_facts"]

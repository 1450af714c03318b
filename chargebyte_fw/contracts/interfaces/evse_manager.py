"""EVerest interface `evse_manager`."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.types import authorization, energy, evse_board_support, evse_manager, iso15118, powermeter
from chargebyte_fw.kernel.contract import Contract, Var


class EvseManager(Contract, interface="evse_manager", errors=("evse_manager",)):
    """Charging state machine of one EVSE."""

    session_event: Var[evse_manager.SessionEvent]
    """Main event stream."""
    hlc_session_failed: Var[evse_manager.HlcSessionFailedEvent]
    """Can repeat within one session."""
    limits: Var[evse_manager.Limits]
    """On change."""
    ev_info: Var[evse_manager.EVInfo]
    """EV details when known."""
    car_manufacturer: Var[evse_manager.CarManufacturer]
    telemetry: Var[evse_board_support.Telemetry]
    powermeter: Var[powermeter.Powermeter]
    """Forwarded billing meter."""
    powermeter_public_key_ocmf: Var[str]
    evse_id: Var[str]
    """ISO 15118 EVSE id string."""
    hw_capabilities: Var[evse_board_support.HardwareCapabilities]
    """Copy of board capabilities."""
    enforced_limits: Var[energy.EnforcedLimits]
    """Last limits from energy management."""
    waiting_for_external_ready: Var[bool]
    """True while gated."""
    ready: Var[bool]
    """True once operational."""
    selected_protocol: Var[str]
    """Informative text."""
    supported_energy_transfer_modes: Var[Annotated[list[iso15118.EnergyTransferMode], Meta(min_length=1)]]

    @abstractmethod
    async def get_evse(self) -> evse_manager.Evse:
        """Ids and connectors of this EVSE."""

    @abstractmethod
    async def enable_disable(self, connector_id: int, cmd_source: evse_manager.EnableDisableSource) -> bool:
        """connector_id 0 = whole EVSE; result = resulting state, which can differ from the request because the
        highest-priority source wins.
        """

    @abstractmethod
    async def authorize_response(
        self, provided_token: authorization.ProvidedIdToken, validation_result: authorization.ValidationResult
    ) -> None:
        """Delivers token + validation result."""

    @abstractmethod
    async def withdraw_authorization(self) -> None:
        """Authorization no longer valid (e.g. connection timeout)."""

    @abstractmethod
    async def reserve(self, reservation_id: int) -> bool:
        """Result false = refused; negative id = blocked for a station-wide reservation."""

    @abstractmethod
    async def cancel_reservation(self) -> None:
        """EVerest command `cancel_reservation`."""

    @abstractmethod
    async def pause_charging(self) -> bool:
        """True when paused (also if already)."""

    @abstractmethod
    async def resume_charging(self) -> bool:
        """False when not possible (e.g. EV pause)."""

    @abstractmethod
    async def stop_transaction(self, request: evse_manager.StopTransactionRequest) -> bool:
        """Irrevocable until re-plug."""

    @abstractmethod
    async def force_unlock(self, connector_id: int) -> bool:
        """The result is only whether the command was accepted; failures appear as connector_lock errors."""

    @abstractmethod
    async def external_ready_to_start_charging(self) -> bool:
        """Releases the ready gate when EvseManager is configured to wait."""

    @abstractmethod
    async def set_plug_and_charge_configuration(
        self, plug_and_charge_configuration: evse_manager.PlugAndChargeConfiguration
    ) -> None:
        """EVerest command `set_plug_and_charge_configuration`."""

    @abstractmethod
    async def update_allowed_energy_transfer_modes(
        self, allowed_energy_transfer_modes: Annotated[list[iso15118.EnergyTransferMode], Meta(min_length=1)]
    ) -> evse_manager.UpdateAllowedEnergyTransferModesResult:
        """May trigger renegotiation; without HLC accepted as no-op (NoHlc)."""

    @abstractmethod
    async def set_der_available(self, available: bool) -> evse_manager.SetDerAvailableResult:
        """Boot-time wiring fact, enables AC_DER_IEC offer."""

"""EVerest interface `ISO15118_charger`."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.types import authorization, evse_manager, iso15118, power_supply_DC, powermeter, units
from chargebyte_fw.kernel.contract import Contract, Var


class Iso15118Charger(Contract, interface="ISO15118_charger", one_user="warning", errors=("generic",)):
    """SECC side of DIN 70121 / ISO 15118-2 / -20."""

    supported_app_protocols_secc: Var[iso15118.SupportedAppProtocols]
    """Full list regardless of restriction."""
    require_auth_eim: Var[None]
    """Needs external identification."""
    require_auth_pnc: Var[authorization.ProvidedIdToken]
    """Contract data from EV."""
    ac_close_contactor: Var[None]
    ac_open_contactor: Var[None]
    start_cable_check: Var[None]
    start_pre_charge: Var[None]
    dc_open_contactor: Var[None]
    v2g_setup_finished: Var[None]
    """EV sent PowerDelivery start/stop."""
    current_demand_started: Var[None]
    """Energy transfer loop began."""
    current_demand_finished: Var[None]
    sae_bidi_mode_active: Var[None]
    evcc_id: Var[Annotated[str, Meta(pattern=r"^[A-F0-9]{2}(:[A-F0-9]{2}){5}$")]]
    """EV MAC upper-case."""
    selected_payment_option: Var[iso15118.PaymentOption]
    requested_energy_transfer_mode: Var[iso15118.EnergyTransferMode]
    departure_time: Var[str]
    """RFC 3339 UTC."""
    ac_eamount: Var[Annotated[float, Meta(ge=0, le=200000)]]
    """Wh."""
    ac_ev_max_voltage: Var[Annotated[float, Meta(ge=0, le=1000)]]
    """V."""
    ac_ev_max_current: Var[Annotated[float, Meta(ge=0, le=400)]]
    """A."""
    ac_ev_min_current: Var[Annotated[float, Meta(ge=0, le=400)]]
    """A."""
    ac_ev_power_limits: Var[iso15118.AcEvPowerLimits]
    ac_ev_present_powers: Var[iso15118.AcEvPresentPowerValues]
    ac_ev_dynamic_control_mode: Var[iso15118.AcEvDynamicModeValues]
    dc_ev_energy_capacity: Var[Annotated[float, Meta(ge=0, le=200000)]]
    """Wh."""
    dc_ev_energy_request: Var[Annotated[float, Meta(ge=0, le=200000)]]
    """Wh."""
    dc_full_soc: Var[Annotated[float, Meta(ge=0, le=100)]]
    """%."""
    dc_bulk_soc: Var[Annotated[float, Meta(ge=0, le=100)]]
    """%."""
    dc_ev_status: Var[iso15118.DcEvStatus]
    dc_bulk_charging_complete: Var[bool]
    dc_charging_complete: Var[bool]
    dc_ev_target_voltage_current: Var[iso15118.DcEvTargetValues]
    dc_ev_maximum_limits: Var[iso15118.DcEvMaximumLimits]
    dc_ev_remaining_time: Var[iso15118.DcEvRemainingTime]
    hlc_session_failed: Var[evse_manager.HlcSessionFailedReasonEnum]
    dlink_terminate: Var[None]
    """→ SLAC unmatched."""
    dlink_error: Var[None]
    """→ SLAC restart matching."""
    dlink_pause: Var[None]
    """→ SLAC power saving."""
    ev_app_protocol: Var[iso15118.AppProtocols]
    """Protocols offered by EV."""
    v2g_messages: Var[iso15118.V2gMessages]
    """Debug."""
    selected_protocol: Var[str]
    """Debug text."""
    display_parameters: Var[iso15118.DisplayParameters]
    d20_dc_dynamic_charge_mode: Var[iso15118.DcChargeDynamicModeValues]
    dc_ev_present_voltage: Var[float]
    """V."""
    meter_info_requested: Var[None]
    """EV wants meter info."""
    selected_service_parameters: Var[iso15118.SelectedServiceParameters]
    ev_termination: Var[iso15118.EvTermination]

    @abstractmethod
    async def setup(
        self, evse_id: iso15118.EVSEID, sae_j2847_mode: iso15118.SaeJ2847BidiMode, debug_mode: bool
    ) -> None:
        """Once at start-up."""

    @abstractmethod
    async def set_charging_parameters(self, physical_values: iso15118.SetupPhysicalValues) -> None:
        """At least once at start-up."""

    @abstractmethod
    async def session_setup(
        self,
        payment_options: Annotated[list[iso15118.PaymentOption], Meta(min_length=1, max_length=2)],
        supported_certificate_service: bool,
        central_contract_validation_allowed: bool,
    ) -> None:
        """At each session start."""

    @abstractmethod
    async def bpt_setup(self, bpt_config: iso15118.BptSetup) -> None:
        """ISO 15118-20 bidirectional; at least once."""

    @abstractmethod
    async def set_powersupply_capabilities(self, capabilities: power_supply_DC.Capabilities) -> None:
        """DC supply limits; at least once."""

    @abstractmethod
    async def authorization_response(
        self,
        authorization_status: authorization.AuthorizationStatus,
        certificate_status: authorization.CertificateStatus,
    ) -> None:
        """Answer to require_auth_eim / require_auth_pnc."""

    @abstractmethod
    async def ac_contactor_closed(self, status: bool) -> None:
        """Answer to ac_close_contactor / ac_open_contactor."""

    @abstractmethod
    async def dlink_ready(self, value: bool) -> None:
        """From SLAC."""

    @abstractmethod
    async def cable_check_finished(self, status: bool) -> None:
        """True = passed."""

    @abstractmethod
    async def receipt_is_required(self, receipt_required: bool) -> None:
        """Ask EV for MeteringReceiptReq."""

    @abstractmethod
    async def stop_charging(self, stop: bool) -> None:
        """True = stop."""

    @abstractmethod
    async def pause_charging(self, pause: bool) -> None:
        """ISO 15118-20 only."""

    @abstractmethod
    async def no_energy_pause_charging(self, mode: iso15118.NoEnergyPauseMode) -> None:
        """Behaviour when no power is available."""

    @abstractmethod
    async def update_supported_app_protocols(self, supported_app_protocols: iso15118.SupportedAppProtocols) -> bool:
        """Restrict offered protocols."""

    @abstractmethod
    async def update_energy_transfer_modes(
        self,
        supported_energy_transfer_modes: Annotated[
            list[iso15118.EnergyTransferMode], Meta(min_length=1, max_length=18)
        ],
    ) -> None:
        """At least once at start-up."""

    @abstractmethod
    async def update_ac_max_current(self, max_current: Annotated[float, Meta(ge=0, le=400)]) -> None:
        """A per phase; at least once."""

    @abstractmethod
    async def update_ac_parameters(self, ac_parameters: iso15118.AcParameters) -> None:
        """ISO 15118-20 AC; at least once."""

    @abstractmethod
    async def update_ac_maximum_limits(self, maximum_limits: iso15118.AcEvseMaximumPower) -> None:
        """At least once."""

    @abstractmethod
    async def update_ac_minimum_limits(self, minimum_limits: iso15118.AcEvseMinimumPower) -> None:
        """At least once."""

    @abstractmethod
    async def update_ac_target_values(self, target_values: iso15118.AcTargetValues) -> None:
        """Before charging."""

    @abstractmethod
    async def update_ac_present_power(self, present_power: units.Power) -> None:
        """Before charging, then periodically."""

    @abstractmethod
    async def update_dc_maximum_limits(self, maximum_limits: iso15118.DcEvseMaximumLimits) -> None:
        """At least once."""

    @abstractmethod
    async def update_dc_minimum_limits(self, minimum_limits: iso15118.DcEvseMinimumLimits) -> None:
        """At least once."""

    @abstractmethod
    async def update_isolation_status(self, isolation_status: iso15118.IsolationStatus) -> None:
        """EVerest command `update_isolation_status`."""

    @abstractmethod
    async def update_dc_present_values(self, present_voltage_current: iso15118.DcEvsePresentVoltageCurrent) -> None:
        """EVerest command `update_dc_present_values`."""

    @abstractmethod
    async def update_meter_info(self, powermeter: powermeter.Powermeter) -> None:
        """EVerest command `update_meter_info`."""

    @abstractmethod
    async def send_error(self, error: iso15118.EvseError) -> None:
        """Notify the EV of an EVSE error."""

    @abstractmethod
    async def reset_error(self) -> None:
        """Clear all such errors."""

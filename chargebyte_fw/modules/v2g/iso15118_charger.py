"""The commands of `ISO15118_charger` and `iso15118_extensions`: each writes facts, the sessions answer with them."""

from __future__ import annotations

import base64
from typing import Protocol

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.types import authorization, iso15118, power_supply_DC, powermeter, units
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.modules.v2g.secc.facts import CertificateResponse, ChargerFacts
from chargebyte_fw.modules.v2g.secc.iso2.evse_id import NO_EVSE_ID, is_evse_id

MOST_SIGNED_OCTETS = 64
"""The length of SigMeterReading (ISO 15118-2 clause 8.5.2.27)."""


class Engine(Protocol):
    """What the commands need of the engine."""

    facts: ChargerFacts
    debug: bool

    @property
    def served(self) -> list[str]:
        """EVerest's names of the protocols that are served."""

    def compile_codecs(self) -> None:
        """Begin to compile what cars may need with the present facts."""

    def facts_changed(self) -> None:
        """Let a response go out that waits for a fact."""

    def data_link(self, ready: bool) -> None:
        """Open for a car with the data link, close without."""

    def is_connected(self) -> bool:
        """Return whether a car is connected."""


class Owner(Protocol):
    """What the commands need of their module."""

    log: ModuleLog

    @property
    def engine(self) -> Engine:
        """The engine that the module has configured."""


class Iso15118ChargerImpl(Iso15118Charger):
    """The charger's side of DIN SPEC 70121, ISO 15118-2 and ISO 15118-20."""

    module: Owner
    multiplexed = False
    """A multiplexer of this process has the link, and gives the cars to the engine."""

    @property
    def engine(self) -> Engine:
        """The engine whose facts the commands write."""
        return self.module.engine

    @property
    def facts(self) -> ChargerFacts:
        """The facts that the sessions answer with."""
        return self.module.engine.facts

    # -- set-up

    async def setup(
        self, evse_id: iso15118.EVSEID, sae_j2847_mode: iso15118.SaeJ2847BidiMode, debug_mode: bool
    ) -> None:
        """Take the EVSE's identity; debug mode publishes each message."""
        self.facts.evse_id = evse_id.evse_id
        if not is_evse_id(evse_id.evse_id):
            what = f"{evse_id.evse_id!r} has {len(evse_id.evse_id)} characters where ISO 15118-2 has 7 to 37"
            self.module.log.warning("evse_id %s: cars get %s, which stands for none", what, NO_EVSE_ID)
        self.facts.evse_id_din = evse_id.evse_id_din or ""
        self.facts.bidirectional_mode = sae_j2847_mode
        self.engine.debug = debug_mode

    async def set_charging_parameters(self, physical_values: iso15118.SetupPhysicalValues) -> None:
        """Take the properties of the power stage; what is not given stays."""
        facts, values = self.facts, physical_values
        if values.ac_nominal_voltage is not None:
            facts.ac_nominal_voltage_V = values.ac_nominal_voltage
        if values.dc_current_regulation_tolerance is not None:
            facts.current_regulation_tolerance_A = values.dc_current_regulation_tolerance
        if values.dc_peak_current_ripple is not None:
            facts.peak_current_ripple_A = values.dc_peak_current_ripple
        if values.dc_energy_to_be_delivered is not None:
            facts.energy_to_be_delivered_Wh = values.dc_energy_to_be_delivered

    async def session_setup(
        self,
        payment_options: list[iso15118.PaymentOption],
        supported_certificate_service: bool,
        central_contract_validation_allowed: bool,
    ) -> None:
        """Take the payment options for the next session; a contract is offered to cars with TLS only.

        A no-energy pause that was ordered for an EV that never began a session ends here, and so does a paused session:
        EvseManager sets up at the begin and at the end of a plug-in, not within its pauses.
        """
        self.facts.payment_options = [str(option) for option in payment_options]
        self.facts.certificate_service = supported_certificate_service
        self.facts.central_contract_validation = central_contract_validation_allowed
        self.facts.session.no_energy_pause = ""
        if not self.engine.is_connected():
            self.facts.forget_paused()

    async def bpt_setup(self, bpt_config: iso15118.BptSetup) -> None:
        """Take how power flows back (ISO 15118-20)."""
        self.facts.iso20.bpt = bpt_config

    async def set_powersupply_capabilities(self, capabilities: power_supply_DC.Capabilities) -> None:
        """Take what the power supply is made for."""
        self.facts.dc_supply_max_power_W = capabilities.max_export_power_W
        self.facts.iso20.dc_supply = capabilities

    async def update_supported_app_protocols(self, supported_app_protocols: iso15118.SupportedAppProtocols) -> bool:
        """Restrict what is negotiated; return false, and change nothing, where none of it is served here."""
        wanted = [str(name) for name in supported_app_protocols.app_protocols]
        chosen = [name for name in self.engine.served if name in wanted]
        if not chosen:
            return False
        self.facts.app_protocols = chosen
        return True

    async def update_energy_transfer_modes(
        self, supported_energy_transfer_modes: list[iso15118.EnergyTransferMode]
    ) -> None:
        """Take the energy transfer modes; those of ISO 15118-20 are not offered in other protocols."""
        self.facts.energy_transfer_modes = [str(mode) for mode in supported_energy_transfer_modes]
        self.engine.compile_codecs()

    # -- the session's course

    async def authorization_response(
        self,
        authorization_status: authorization.AuthorizationStatus,
        certificate_status: authorization.CertificateStatus,
    ) -> None:
        """Take the answer to require_auth_eim or require_auth_pnc; without a car it is dropped."""
        if not self.engine.is_connected():
            self.module.log.debug("an authorization without a car is dropped")
            return
        self.facts.session.certificate_status = certificate_status
        self.facts.session.authorized = authorization_status is authorization.AuthorizationStatus.Accepted
        self.engine.facts_changed()

    async def ac_contactor_closed(self, status: bool) -> None:
        """Take the contactor's state; PowerDelivery of an AC session waits for it."""
        self.facts.contactor_closed = status
        self.engine.facts_changed()

    async def dlink_ready(self, value: bool) -> None:
        """Open for a car with the data link, close without."""
        self.engine.data_link(value)

    async def cable_check_finished(self, status: bool) -> None:
        """Take the result of the cable check: a false one after a wish to stop is no result, the check was aborted."""
        self.facts.session.cable_check_aborted = not status and self.facts.stop_requested
        self.facts.session.cable_check = None if self.facts.session.cable_check_aborted else status
        self.engine.facts_changed()

    async def receipt_is_required(self, receipt_required: bool) -> None:
        """Have cars with a contract sign the meter's values, or not."""
        self.facts.receipt_required = receipt_required

    async def stop_charging(self, stop: bool) -> None:
        """Ask the car to end the session, or take that back."""
        self.facts.stop_requested = stop
        self.engine.facts_changed()

    async def pause_charging(self, pause: bool) -> None:
        """Ask the car to pause, or take that back (ISO 15118-20); in other protocols a charger cannot."""
        self.facts.session.pause_requested = pause
        self.engine.facts_changed()

    async def no_energy_pause_charging(self, mode: iso15118.NoEnergyPauseMode) -> None:
        """Ask the car to pause because there is no energy (IEC 61851-23)."""
        self.facts.session.no_energy_pause = mode
        self.engine.facts_changed()

    # -- values

    async def update_ac_max_current(self, max_current: float) -> None:
        """Take the current per phase that a car may draw, in A."""
        self.facts.ac_max_current_A = max_current
        self.facts.ac_greatest_current_A = max(self.facts.ac_greatest_current_A, max_current)

    async def update_ac_parameters(self, ac_parameters: iso15118.AcParameters) -> None:
        """Take frequency, voltage and connectors (ISO 15118-20)."""
        self.facts.iso20.ac_parameters = ac_parameters

    async def update_ac_maximum_limits(self, maximum_limits: iso15118.AcEvseMaximumPower) -> None:
        """Take the greatest power in both directions (ISO 15118-20), and the nominal current from it (ISO 15118-2)."""
        facts, power = self.facts, maximum_limits.charge_power
        facts.iso20.ac_maximum = maximum_limits
        phases = [phase_W for phase_W in (power.L1, power.L2, power.L3) if phase_W is not None]
        if not phases:
            three = iso15118.EnergyTransferMode.AC_three_phase_core in facts.energy_transfer_modes
            phases = [power.total / 3] if three else [power.total]
        facts.ac_rated_current_A = max(0.0, round(max(phases) / facts.ac_nominal_voltage_V, 1))

    async def update_ac_minimum_limits(self, minimum_limits: iso15118.AcEvseMinimumPower) -> None:
        """Take the least power in both directions (ISO 15118-20)."""
        self.facts.iso20.ac_minimum = minimum_limits

    async def update_ac_target_values(self, target_values: iso15118.AcTargetValues) -> None:
        """Take what the car should draw, or deliver (ISO 15118-20)."""
        self.facts.iso20.ac_target = target_values

    async def update_ac_present_power(self, present_power: units.Power) -> None:
        """Take the measured power (ISO 15118-20)."""
        self.facts.iso20.ac_present = present_power

    async def update_dc_maximum_limits(self, maximum_limits: iso15118.DcEvseMaximumLimits) -> None:
        """Take what may be delivered now."""
        self.facts.dc_max_current_A = maximum_limits.evse_maximum_current_limit
        self.facts.dc_max_power_W = maximum_limits.evse_maximum_power_limit
        self.facts.dc_max_voltage_V = maximum_limits.evse_maximum_voltage_limit
        self.facts.iso20.dc_max_discharge_current_A = maximum_limits.evse_maximum_discharge_current_limit
        self.facts.iso20.dc_max_discharge_power_W = maximum_limits.evse_maximum_discharge_power_limit

    async def update_dc_minimum_limits(self, minimum_limits: iso15118.DcEvseMinimumLimits) -> None:
        """Take the least that can be delivered."""
        self.facts.dc_min_current_A = minimum_limits.evse_minimum_current_limit
        self.facts.dc_min_voltage_V = minimum_limits.evse_minimum_voltage_limit
        self.facts.iso20.dc_min_power_W = minimum_limits.evse_minimum_power_limit
        self.facts.iso20.dc_min_discharge_current_A = minimum_limits.evse_minimum_discharge_current_limit or 0.0
        self.facts.iso20.dc_min_discharge_power_W = minimum_limits.evse_minimum_discharge_power_limit or 0.0

    async def update_isolation_status(self, isolation_status: iso15118.IsolationStatus) -> None:
        """Take the status of the insulation monitor."""
        self.facts.session.isolation = isolation_status

    async def update_dc_present_values(self, present_voltage_current: iso15118.DcEvsePresentVoltageCurrent) -> None:
        """Take what is measured now."""
        self.facts.present_voltage_V = present_voltage_current.evse_present_voltage
        self.facts.present_current_A = present_voltage_current.evse_present_current or 0.0

    async def update_meter_info(self, powermeter: powermeter.Powermeter) -> None:
        """Take the meter's reading; the next response that can carries it."""
        self.facts.meter_id = powermeter.meter_id or "METER"
        self.facts.meter_Wh = powermeter.energy_Wh_import.total
        export = powermeter.energy_Wh_export
        self.facts.iso20.meter_export_Wh = None if export is None else export.total
        self.facts.iso20.meter_at = powermeter.timestamp
        signed = powermeter.signed_meter_value
        octets = b"" if signed is None else signed.signed_meter_data.encode()
        # Cut off it would be no signature.
        self.facts.meter_signature = octets if len(octets) <= MOST_SIGNED_OCTETS else b""
        self.facts.meter_is_new = True

    # -- errors

    async def send_error(self, error: iso15118.EvseError) -> None:
        """Report an error to the car; an emergency is not replaced by another one."""
        if self.facts.error != iso15118.EvseError.Error_EmergencyShutdown:
            self.facts.error = error
        self.engine.facts_changed()

    async def reset_error(self) -> None:
        """Clear every error."""
        self.facts.error = ""


class Iso15118ExtensionsImpl(Iso15118Extensions):
    """The bridge to OCPP."""

    module: Owner

    async def set_get_certificate_response(self, certificate_response: iso15118.ResponseExiStreamStatus) -> None:
        """Take the back end's answer to a certificate request; one that no car waits for any more is dropped."""
        answer, log = certificate_response, self.module.log
        session = self.module.engine.facts.session
        if session.certificate_request != answer.certificate_action:
            log.warning("a certificate came from the back end (%s), but no car waits for it", answer.certificate_action)
            return
        exi = b""
        if answer.status is iso15118.ResponseExiStreamStatusStatus.Accepted:
            try:
                exi = base64.b64decode(answer.exi_response or "", validate=True)
            except ValueError as error:
                log.warning("the certificate response of the back end is no base64: %s", error)
        session.certificate_response = CertificateResponse(exi)
        self.module.engine.facts_changed()

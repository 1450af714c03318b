"""The AC energy service of a car in ISO 15118-2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chargebyte_fw.modules.v2g.evcc.common.energy import CarEnergyService
from chargebyte_fw.modules.v2g.evcc.effects import SetPilot, Step
from chargebyte_fw.modules.v2g.evcc.protocol import Failed
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.physical import number

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.evcc.iso2.session import Iso2CarSession


class AcCarService(CarEnergyService):
    """Alternating current: the stages that only an AC session has."""

    session: Iso2CarSession

    def stop_wanted(self, now: float) -> None:
        """Take the power off where it may flow."""
        session = self.session
        if session.stage == "ChargingStatus":
            session.report(Step.STOPPING, session.why())
            session.power(False)
            session.stage = "PowerOff"
        elif session.stage == "PowerOn":
            session.wind_down("SessionStop")

    def renegotiation_wanted(self, now: float) -> None:
        """Leave the charge loop."""
        if self.session.stage == "ChargingStatus":
            self.session.stage = "Renegotiate"

    def power_parameter(self) -> None:
        """Return what PowerDeliveryReq has of the battery: nothing."""
        return

    def before_power_on(self) -> None:
        """Set the control pilot to state C."""
        self.session.effect(SetPilot("C"))

    def build_ChargeParameterDiscovery(self, now: float) -> iso2.ChargeParameterDiscoveryReq:
        """Send what the on-board charger can take."""
        settings, quantity = self.settings, self.session.quantity
        return iso2.ChargeParameterDiscoveryReq(
            RequestedEnergyTransferMode=self.session.mode,
            EVChargeParameter=iso2.AC_EVChargeParameterType(
                DepartureTime=settings.departure_time_s,
                EAmount=quantity(settings.energy_request_Wh or settings.energy_capacity_Wh or 0.0, "Wh"),
                EVMaxVoltage=quantity(settings.max_voltage_V, "V"),
                EVMaxCurrent=quantity(settings.max_current_A, "A"),
                EVMinCurrent=quantity(settings.min_current_A, "A"),
            ),
        )

    def take_ChargeParameterDiscovery(self, body: iso2.ChargeParameterDiscoveryRes, now: float) -> float:
        """Take what the charger can deliver."""
        session, parameters = self.session, body.EVSEChargeParameter
        if not isinstance(parameters, iso2.AC_EVSEChargeParameterType):
            raise Failed(f"the charger answers with {type(parameters).__name__}")
        session.take_status(parameters.AC_EVSEStatus)
        self.facts.charger.ac_nominal_voltage_V = number(parameters.EVSENominalVoltage)
        self.facts.charger.ac_max_current_A = number(parameters.EVSEMaxCurrent)
        if session.ongoing(body, "charge parameters", now):
            return self.settings.ongoing_pause_s
        session.take_schedule(body.SASchedules)
        session.report(Step.PARAMETERS)
        session.stage = "PowerOn"
        return 0.0

    def take_PowerOn(self, body: iso2.PowerDeliveryRes, now: float) -> float:
        """Begin to draw."""
        session = self.session
        session.take_status(body.EVSEStatus)
        session.charged = True
        session.power(True)
        session.stage = "ChargingStatus"
        session.report(Step.CHARGING)
        return 0.0

    def build_ChargingStatus(self, now: float) -> iso2.ChargingStatusReq:
        """Ask for the status."""
        return iso2.ChargingStatusReq()

    def take_ChargingStatus(self, body: iso2.ChargingStatusRes, now: float) -> float:
        """Note the current that may be drawn and the meter."""
        self.session.take_status(body.AC_EVSEStatus)
        charger = self.facts.charger
        if body.EVSEMaxCurrent is not None:
            charger.ac_max_current_A = number(body.EVSEMaxCurrent)
        if body.MeterInfo is not None and body.MeterInfo.MeterReading is not None:
            charger.meter_Wh = float(body.MeterInfo.MeterReading)
        if body.AC_EVSEStatus.RCD:
            raise Failed("the charger's residual current device has tripped")
        self.session.payment.receipt_due(body.MeterInfo, body.ReceiptRequired)
        return self.settings.status_pause_s

    def take_PowerOff(self, body: iso2.PowerDeliveryRes, now: float) -> float:
        """Go to state B."""
        session = self.session
        session.take_status(body.EVSEStatus)
        session.effect(SetPilot("B"))
        session.stage = "SessionStop"
        return 0.0

"""AC_DER_IEC of ISO 15118-20 amendment 1: a car that gives energy back under the grid's rules (IEC countries)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chargebyte_fw.contracts.interfaces.grid_support import GridSupport
from chargebyte_fw.contracts.types import grid_support, iso15118
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.v2g.messages import iso20_ac_der_iec as m
from chargebyte_fw.modules.v2g.messages.iso20_types import processingType
from chargebyte_fw.modules.v2g.rational import maximum, number_or_none
from chargebyte_fw.modules.v2g.secc.iso20.ac import AcService
from chargebyte_fw.modules.v2g.secc.iso20.ac_limits import AcLimits
from chargebyte_fw.modules.v2g.secc.iso20.der_capability import capability
from chargebyte_fw.modules.v2g.secc.iso20.energy import Selection
from chargebyte_fw.modules.v2g.secc.iso20.grid_codes import control, set_points, supported_by_car
from chargebyte_fw.modules.v2g.secc.protocol import Answer

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.secc.iso20.session import Iso20Session


class DerIecService(AcService):
    """Alternating current with the grid's rules."""

    messages: Any = m

    def __init__(self, session: Iso20Session, selection: Selection) -> None:
        super().__init__(session, selection)
        self.negotiated = selection.parameters["DERControlFunctions"]
        self._grid_event = 0
        """The condition of the grid that the car has reported last; 0: none."""
        self._inverter: m.DER_AC_CPDReqEnergyTransferModeType | None = None
        """What the car has reported of it last."""

    @property
    def kind(self) -> str:
        """The beginning of the names of the types that the service uses."""
        return "DER_"

    def on_AC_ChargeParameterDiscoveryReq(self, request: Any, now: float) -> Answer:
        """Take the car's limits; the car may ask again while it works on the grid's rules."""
        mode, state = request.AC_CPDReqEnergyTransferMode, self.session.state
        answer = super().on_AC_ChargeParameterDiscoveryReq(request, now)
        if not answer.code.startswith("OK"):
            return answer
        self._inverter = mode
        if mode.EVProcessing is not processingType.Finished:
            self.session.state = state
            return answer
        self._publish_capability()
        return answer

    def parameters(self, limits: AcLimits) -> dict[str, Any]:
        """Return the fields of the charge parameters, the grid's rules among them."""
        most = maximum(limits.max_discharge_power_W)
        return limits.parameters() | {
            "EVSENominalChargePower": maximum(limits.max_power_W),
            "EVSENominalDischargePower": most,
            "EVSEMaximumDischargePower": most,
            "EVOperatingMode": m.evOperatingModeType.GridFollowing,
            "GridConnectionMode": m.gridConnectionModeType.GridConnected,
            "DERControl": control(self.facts, self.negotiated),
        }

    def _publish_capability(self) -> None:
        self.session.publish(GridSupport.capability, capability(self.facts, self.connector, self._limits()))

    def charging_needs(self, mode: Any) -> dict[str, Any]:
        """Return the car's needs as OCPP has them, what its inverter can do among them (R02.FR.01)."""
        reactive = getattr(self._inverter, "EVReactivePowerLimits", None)
        energy_Wh = getattr(self._inverter, "EVSessionTotalDischargeEnergyAvailable", None)
        limits: dict[str, Any] = {
            f"{least}_{direction}_reactive_power{phase.lower()}": number_or_none(
                getattr(reactive, f"EV{least.title()}imum{direction.title()}ReactivePower{phase}", None)
            )
            for least in ("max", "min")
            for direction in ("charge", "discharge")
            for phase in ("", "_L2", "_L3")
        }
        inverter = iso15118.DERChargingParameters(
            ev_supported_dercontrol=supported_by_car(self.negotiated),
            nominal_voltage=self.facts.ac_nominal_voltage_V,
            ev_session_total_discharge_energy_available=number_or_none(energy_Wh),
            **limits,
        )
        return super().charging_needs(mode) | {"der_charging_parameters": inverter}

    def on_AC_ChargeLoopReq(self, request: Any, now: float) -> Answer:
        """Answer as AC does; an event of the grid that the car has noticed is an alarm."""
        answer = super().on_AC_ChargeLoopReq(request, now)
        if not answer.code.startswith("FAILED"):
            self._take_grid_event(request.CLReqControlMode.GridEventCondition)
        return answer

    def _take_grid_event(self, condition: int) -> None:
        """Publish that an event has begun or ended; the code table of the conditions is not public."""
        before, self._grid_event = self._grid_event, condition
        if bool(before) is bool(condition):
            return
        self.session.log(f"grid event {condition or before} of the car {'begins' if condition else 'is over'}")
        alarm = grid_support.GridAlarm(
            fault=grid_support.GridEventFault.LocalEmergency,
            alarm_ended=not condition,
            timestamp=rfc3339(self.session.environment.utc_now()),
            extra_info=f"GridEventCondition {condition or before}",
        )
        self.session.publish(GridSupport.alarm, alarm)

    def power_off(self) -> None:
        """End the energy transfer; with the car its alarm is over."""
        super().power_off()
        self._take_grid_event(0)

    def in_loop(self) -> dict[str, Any]:
        """Return the control mode's fields of a response of the charge loop."""
        limits = self._limits()
        return (
            super().in_loop()
            | {
                "EVSEMaximumChargePower": maximum(limits.max_power_W),
                "EVSEMaximumDischargePower": maximum(limits.max_discharge_power_W),
            }
            | set_points(self.facts, self.negotiated)
        )

"""What every energy service of ISO 15118-20 has on the side of the car: power delivery, the loop, and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chargebyte_fw.modules.v2g.evcc.effects import SetPilot, Step
from chargebyte_fw.modules.v2g.evcc.iso20 import services
from chargebyte_fw.modules.v2g.messages import iso20_common as common
from chargebyte_fw.modules.v2g.messages import iso20_types as types
from chargebyte_fw.modules.v2g.rational import rational

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.evcc.iso20.session import Iso20CarSession

Finished, Ongoing = types.processingType.Finished, types.processingType.Ongoing


class Iso20EnergyService:
    """How the car gets its energy: stages from the charge parameters to the end of the power."""

    first_stage = ""
    """The stage after the selection of the service."""
    loop_stage = ""

    def __init__(self, session: Iso20CarSession) -> None:
        self.session = session
        self.settings = session.settings
        self.facts = session.facts
        self.standing_by = False
        """The car asked for standby, and the charger granted it."""
        self._standby_refused = False
        self._charged = False

    # -- what the kinds of current differ in

    def after_schedule(self) -> str:
        """Return the stage after ScheduleExchange."""
        raise NotImplementedError

    def after_power_off(self) -> str:
        """Return the stage after PowerDelivery Stop."""
        return "SessionStop"

    def may_leave(self, now: float) -> bool:
        """Return whether the current is low enough to end the power now."""
        return True

    @property
    def most_W(self) -> float:
        """The most that the car draws."""
        raise NotImplementedError

    def before_power_on(self) -> None:
        """Do what is due before PowerDelivery Start."""

    # -- wishes

    def begin_anew(self) -> None:
        """Forget the power: the services are selected again."""
        self._charged = self.standing_by = self._standby_refused = False

    def stop_wanted(self, now: float) -> None:
        """Take the power off where it may flow."""
        session = self.session
        if session.stage == self.loop_stage:
            if self.standing_by or self.may_leave(now):
                session.stage = "PowerOff"
        elif session.stage in ("PowerOn", "PowerStandby", "PowerRenegotiated") or (
            self._charged and session.stage == "ScheduleExchange"
        ):
            session.stage = "PowerOff"

    def renegotiation_wanted(self, now: float) -> None:
        """Leave the charge loop for what goes in the main stream: standby, or a schedule where nothing else can."""
        session, wants = self.session, self.facts.standby
        if session.stage != self.loop_stage:
            return
        if wants and not self.standing_by and not self._standby_refused:
            session.stage = "PowerStandby"
        elif self.standing_by and (not wants or session.notification == "ExitStandby"):
            self.facts.standby = False
            session.stage = "PowerOn"
        elif session.schedule.renegotiates and not self.settings.multiplexed_renegotiation:
            session.stage = "PowerRenegotiated"

    # -- energy needs

    def take_needs(self, mode: Any) -> None:
        """Note departure and states of charge that the charger sets, where the car has left that to it."""
        if self.session.service.value("MobilityNeedsMode", services.BY_EVCC) != services.BY_SECC:
            return
        charger = self.facts.charger
        charger.departure_s, charger.target_soc_percent = mode.DepartureTime, mode.TargetSOC
        charger.minimum_soc_percent = mode.MinimumSOC

    @property
    def target_soc_percent(self) -> int:
        """The state of charge to reach: the charger's where it sets one."""
        given = self.facts.charger.target_soc_percent
        return self.settings.target_soc_percent if given is None else given

    @property
    def min_soc_percent(self) -> int:
        """The state of charge that is always kept."""
        given = self.facts.charger.minimum_soc_percent
        return self.settings.min_soc_percent if given is None else given

    def energy_requests(self) -> dict[str, Any]:
        """Return the energy that the battery needs to its target, takes at most, and needs at least."""
        settings, soc = self.settings, self.facts.soc_percent
        capacity_Wh = settings.energy_capacity_Wh or 0.0
        target_Wh = settings.energy_request_Wh or (self.target_soc_percent - soc) / 100 * capacity_Wh
        return {
            "EVTargetEnergyRequest": rational(round(max(0.0, target_Wh))),
            "EVMaximumEnergyRequest": rational(round(max(0.0, (100.0 - soc) / 100 * capacity_Wh))),
            "EVMinimumEnergyRequest": rational(round((self.min_soc_percent - soc) / 100 * capacity_Wh)),
        }

    def v2x_requests(self) -> dict[str, Any]:
        """Return how far the battery may be cycled while the driver's least charge is kept (bidirectional, Dynamic)."""
        if not self.session.service.bidirectional:
            return {}
        capacity_Wh, soc = self.settings.energy_capacity_Wh or 0.0, self.facts.soc_percent
        return {
            "EVMaximumV2XEnergyRequest": rational(round((90.0 - soc) / 100 * capacity_Wh)),
            "EVMinimumV2XEnergyRequest": rational(round((self.min_soc_percent - soc) / 100 * capacity_Wh)),
        }

    def display(self) -> types.DisplayParametersType:
        """Return what a screen shows of the battery."""
        facts, settings = self.facts, self.settings
        capacity = settings.energy_capacity_Wh
        return types.DisplayParametersType(
            PresentSOC=max(0, min(100, int(facts.soc_percent))),
            MinimumSOC=self.min_soc_percent,
            TargetSOC=self.target_soc_percent,
            MaximumSOC=settings.full_soc_percent,
            RemainingTimeToTargetSOC=_seconds(facts.remaining_time_bulk_s),
            RemainingTimeToMaximumSOC=_seconds(facts.remaining_time_full_s),
            ChargingComplete=facts.charging_complete,
            BatteryEnergyCapacity=None if capacity is None else rational(capacity),
        )

    # -- power

    def power_delivery(self, progress: str) -> common.PowerDeliveryReq:
        """Return a PowerDeliveryReq; one that starts has the power profile of the Scheduled mode."""
        separated = self.session.service.value("BPTChannel") == services.SEPARATED
        channel = None
        if self.session.service.bidirectional and separated:
            kind = common.channelSelectionType
            channel = kind.Discharge if self.discharges else kind.Charge
        return common.PowerDeliveryReq(
            Header=self.session.header(),
            EVProcessing=Finished,
            ChargeProgress=common.chargeProgressType(progress),
            EVPowerProfile=self.session.schedule.profile() if progress == "Start" else None,
            BPT_ChannelSelection=channel,
        )

    @property
    def discharges(self) -> bool:
        """Whether the car wants to give energy."""
        return self.facts.target_current_A < 0

    def build_PowerOn(self, now: float) -> common.PowerDeliveryReq:
        """Ask for the power."""
        self.before_power_on()
        return self.power_delivery("Start")

    def take_PowerOn(self, body: common.PowerDeliveryRes, now: float) -> float:
        """Begin the charge loop."""
        session = self.session
        session.take_status(body.EVSEStatus)
        self._charged, self.standing_by = True, False
        session.power(True)
        session.schedule.begun(now)
        session.stage = self.loop_stage
        session.report(Step.CHARGING, session.service.text)
        return 0.0

    def build_PowerStandby(self, now: float) -> common.PowerDeliveryReq:
        """Ask for standby."""
        return self.power_delivery("Standby")

    def take_PowerStandby(self, body: common.PowerDeliveryRes, now: float) -> float:
        """Stand by, or go on with the power where the charger does not allow it (clause 8.3.4.3)."""
        session = self.session
        session.take_status(body.EVSEStatus)
        self._standby_refused = str(body.ResponseCode) == "WARNING_StandbyNotAllowed"
        self.standing_by = not self._standby_refused
        session.report(Step.CHARGING, "no standby" if self._standby_refused else "standby")
        session.stage = self.loop_stage
        return 0.0

    def build_PowerRenegotiated(self, now: float) -> common.PowerDeliveryReq:
        """Ask for another schedule in the main stream."""
        self.session.report(Step.RENEGOTIATING, "schedule")
        return self.power_delivery("ScheduleRenegotiation")

    def take_PowerRenegotiated(self, body: common.PowerDeliveryRes, now: float) -> float:
        """Exchange schedules."""
        self.session.take_status(body.EVSEStatus)
        self.session.schedule.begun(now)
        self.session.stage = "ScheduleExchange"
        return 0.0

    def build_PowerOff(self, now: float) -> common.PowerDeliveryReq:
        """Take the power off."""
        return self.power_delivery("Stop")

    def take_PowerOff(self, body: common.PowerDeliveryRes, now: float) -> float:
        """Open the contactors and go to state B."""
        session, charger = self.session, self.facts.charger
        notified = charger.notification
        session.take_status(body.EVSEStatus)
        if charger.notification == "None":
            charger.notification = notified
        session.power(False)
        session.effect(SetPilot("B"))
        session.stage = self.after_power_off()
        return 0.0

    def loop_taken(self, body: types.ChargeLoopResType) -> None:
        """Note what every response of a charge loop has."""
        self.session.take_status(body.EVSEStatus)
        self.session.metering.take(body.MeterInfo, body.Receipt)
        self.session.schedule.note_price()

    def loop_fields(self) -> dict[str, Any]:
        """Return the fields that every request of a charge loop has."""
        return {"Header": self.session.header(), "DisplayParameters": self.display(), "MeterInfoRequested": True}


def _seconds(value: float | None) -> int | None:
    return None if value is None else max(0, int(value))

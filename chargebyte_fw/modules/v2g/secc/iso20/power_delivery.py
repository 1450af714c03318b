"""ISO 15118-20, PowerDelivery (clause 8.3.4.3): start, stop, new schedule; and the EVSE status of the responses."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.messages.iso20_types import EVSEStatusType, evseNotificationType, processingType
from chargebyte_fw.modules.v2g.secc.iso20.energy import BOTH_WAYS
from chargebyte_fw.modules.v2g.secc.iso20.parameter_sets import offered_services, services_of_modes
from chargebyte_fw.modules.v2g.secc.iso20.schedule import Schedules
from chargebyte_fw.modules.v2g.secc.iso20.sequence import SideState, State
from chargebyte_fw.modules.v2g.secc.iso20.timing import ONGOING_S, PAUSE_DELAY_S
from chargebyte_fw.modules.v2g.secc.protocol import Answer, Deferred, SessionContext

_NAME = "PowerDeliveryReq"
_Progress = m.chargeProgressType


class PowerDelivery(Schedules):
    """Start and stop of the energy transfer."""

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context)
        self.allowed = services_of_modes(self.facts)
        """The energy services that were allowed when the car last asked for them, or took its session up."""
        self.confirm_meter = False
        """The car shall confirm the last meter reading."""
        self._profile_published: Any = None
        self._setup_finished = False
        self._profile_since: float | None = None
        """Since when the car works on its power profile."""

    # -- what the charger wants of the car

    def evse_status(self) -> EVSEStatusType | None:
        """Return EVSEStatus, which is there only where the charger wants something."""
        notification = self._notification()
        if notification is None:
            return None
        kind, delay_s = notification
        return EVSEStatusType(NotificationMaxDelay=delay_s, EVSENotification=kind)

    def _notification(self) -> tuple[evseNotificationType, int] | None:
        kinds = evseNotificationType
        if self.wants_end:
            return kinds.Terminate, 0
        if self.facts.session.pause_requested or self.facts.session.without_energy:
            return kinds.Pause, PAUSE_DELAY_S
        if self.confirm_meter:
            return kinds.MeteringConfirmation, 0
        if self._services_have_changed():
            return kinds.ServiceRenegotiation, 0
        if self.energy is not None and self.energy.standing_by:
            wanted = self.energy.selection.dynamic and self.energy.energy_is_wanted_back()
            return (kinds.ExitStandby, 0) if wanted else None
        if self._schedule_is_too_high() or (self.energy is not None and self.energy.limits_have_changed()):
            return kinds.ScheduleRenegotiation, 0
        return None

    def _services_have_changed(self) -> bool:
        """Return whether the selected service is no longer offered, or its bidirectional one is allowed by now.

        The latter once, for a car that cannot: ServiceDiscoveryRes has had it then (OCPP 2.1 Q02.FR.06).
        """
        energy = self.energy
        if energy is None or not self.options.service_renegotiation:
            return False
        offered, both_ways = offered_services(self.facts), BOTH_WAYS.get(energy.selection.service)
        if energy.selection.service not in offered:
            return True
        return both_ways in offered and both_ways not in self.allowed

    def _schedule_is_too_high(self) -> bool:
        if self.energy is None or self.energy.schedule is None or not self.options.schedule_renegotiation:
            return False
        now_s = self.environment.utc_now().timestamp()
        return self.energy.power_now_W() < self.energy.schedule.power_W(now_s) * 0.99 - 1.0

    # -- PowerDelivery

    def on_PowerDeliveryReq(self, request: m.PowerDeliveryReq, now: float) -> Answer | Deferred:
        """Start, stop, interrupt or renegotiate the energy transfer."""
        match request.ChargeProgress:
            case _Progress.Stop:
                return self._stop()
            case _Progress.Standby:
                return self._stand_by()
            case _Progress.ScheduleRenegotiation:
                return self._renegotiate()
        return self._start(request, now)

    def _stand_by(self) -> Answer:
        """Let the charge loop go on without power, where that is configured; the contactors stay as they are."""
        assert self.energy is not None
        if not self.options.standby or self.state is not State.CHARGING or self.request.stream != "main":
            return self.ok(m.PowerDeliveryRes, "WARNING_StandbyNotAllowed", EVSEStatus=self.evse_status())
        self.energy.standing_by = True
        self.log("the car stands by")
        return self.ok(m.PowerDeliveryRes, EVSEStatus=self.evse_status())

    def _stop(self) -> Answer:
        assert self.energy is not None
        if self.request.stream == "schedule":
            return self.failed(_NAME, "FAILED_SequenceError", "power is stopped in the main stream")
        self.energy.stop_power()
        self._profile_since = None
        self.in_loop = False
        self.side = SideState.IDLE
        self.enter(State.STOPPED)
        return self.ok(m.PowerDeliveryRes, EVSEStatus=self.evse_status())

    def _renegotiate(self) -> Answer:
        if self.request.stream == "schedule":
            self.side = SideState.EXCHANGE
        elif self.state is State.CHARGING:
            self.enter(State.SCHEDULE_RENEGOTIATION)
        else:
            return self.failed(_NAME, "FAILED_ScheduleRenegotiation", "a new schedule before charging")
        self.log("the car asks for a new schedule")
        return self.ok(m.PowerDeliveryRes, EVSEStatus=self.evse_status())

    def _start(self, request: m.PowerDeliveryReq, now: float) -> Answer | Deferred:
        assert self.energy is not None
        if self.request.stream == "schedule" and self.side is not SideState.START:
            return self.failed(_NAME, "FAILED_SequenceError", "started in the stream of schedules")
        standing_by = self.energy.standing_by and self.request.stream == "main"
        if self.state is State.CHARGING and self.request.stream == "main" and not standing_by:
            return self.failed(_NAME, "FAILED", "started while charging")
        if request.EVProcessing is not processingType.Finished:
            return self._works_on_profile(now)
        self._profile_since = None
        profile, schedule = request.EVPowerProfile, self.energy.schedule
        if profile is not None and schedule is not None:
            code, why = schedule.refusal_of(profile)
            if code:
                return self.failed(_NAME, code, why)
        granted = "OK" if schedule is None else schedule.code_of(profile)
        self.energy.profile = profile if granted == "OK_PowerToleranceConfirmed" else None
        if (profile, schedule) != self._profile_published:
            self._profile_published = (profile, schedule)
            self.publish_profile(profile)
        if self.request.stream == "schedule":
            self.side = SideState.IDLE
            return self.ok(m.PowerDeliveryRes, granted, EVSEStatus=self.evse_status())
        if self.state is State.NEW_SCHEDULE:
            self.energy.standing_by = False
            self.enter(State.CHARGING)
            return self.ok(m.PowerDeliveryRes, granted, EVSEStatus=self.evse_status())
        if standing_by and self.state is State.CHARGING:
            self.energy.standing_by = False
            self.log("the car goes on")
            return self.ok(m.PowerDeliveryRes, granted, EVSEStatus=self.evse_status())
        return self._begin(granted, now)

    def _works_on_profile(self, now: float) -> Answer:
        if self._profile_since is None:
            self._profile_since = now
        if now - self._profile_since >= ONGOING_S:
            return self.failed(_NAME, "FAILED", f"no power profile within {ONGOING_S:g} s")
        return self.ok(m.PowerDeliveryRes, EVSEStatus=self.evse_status())

    def _begin(self, granted: str, now: float) -> Answer | Deferred:
        assert self.energy is not None
        if self.facts.stop_requested:
            return self._not_begun("FAILED_PowerDeliveryNotApplied", "the charger wants to stop")
        if self.facts.error == iso15118.EvseError.Error_Contactor:
            return self._not_begun("FAILED_ContactorError", "the contactor has a fault")
        if self.facts.error:
            return self._not_begun("FAILED_PowerDeliveryNotApplied", self.facts.error)
        if not self._setup_finished:
            self._setup_finished = True
            self.publish(Iso15118Charger.v2g_setup_finished, None)
        refused = self.energy.start_power(now)
        if refused is not None:
            return refused
        self.enter(State.CHARGING)
        return self.ok(m.PowerDeliveryRes, granted, EVSEStatus=self.evse_status())

    def _not_begun(self, code: str, why: str) -> Answer:
        assert self.energy is not None
        self.energy.power_off()
        return self.failed(_NAME, code, why)

"""What an energy service is in ISO 15118-20: the car selects one with a set of parameters."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.secc.back_end import Limit, Span, differ, spans
from chargebyte_fw.modules.v2g.secc.energy_transfer import EnergyTransfer
from chargebyte_fw.modules.v2g.secc.iso20.sequence import NO_EARLY_STOP, Sequence
from chargebyte_fw.modules.v2g.secc.iso20.timing import PROFILE_GRACE_S
from chargebyte_fw.modules.v2g.secc.protocol import Answer, Deferred

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.secc.iso20.schedule import Schedule
    from chargebyte_fw.modules.v2g.secc.iso20.session import Iso20Session

SCHEDULED, DYNAMIC = 1, 2
"""ControlMode."""
BY_CAR, BY_CHARGER = 1, 2
"""MobilityNeedsMode."""


class Service(IntEnum):
    """Service ids."""

    AC = 1
    DC = 2
    WPT = 3
    DC_ACDP = 4
    AC_BPT = 5
    DC_BPT = 6
    DC_ACDP_BPT = 7
    MCS = 8
    MCS_BPT = 9
    AC_DER_IEC = 10
    AC_DER_SAE = 11
    Internet = 65
    ParkingStatus = 66


BOTH_WAYS = {Service.AC: Service.AC_BPT, Service.DC: Service.DC_BPT, Service.MCS: Service.MCS_BPT}
"""The service of the same name space in which power may also flow from the car, by the one that only charges."""
BIDIRECTIONAL = frozenset({Service.AC_BPT, Service.DC_BPT, Service.MCS_BPT, Service.AC_DER_IEC})


class Selection(msgspec.Struct, frozen=True):
    """An energy service with the parameters that the car has selected."""

    service: Service
    set_id: int
    parameters: dict[str, int]

    @property
    def dynamic(self) -> bool:
        """Whether the charger decides on the power."""
        return self.parameters["ControlMode"] == DYNAMIC

    @property
    def needs_by_charger(self) -> bool:
        """Whether the charger may set departure and state of charge."""
        return self.parameters["MobilityNeedsMode"] == BY_CHARGER

    @property
    def bidirectional(self) -> bool:
        """Whether power may flow from the car."""
        return self.service in BIDIRECTIONAL

    @property
    def mode(self) -> str:
        """The beginning of the names of the control modes in messages."""
        return "Dynamic" if self.dynamic else "Scheduled"


class Iso20EnergyService(EnergyTransfer):
    """An energy service that the car has selected; its requests are answered by `on_<Request>`."""

    sequence: ClassVar[Sequence]
    early_stop: ClassVar[Sequence] = NO_EARLY_STOP

    def __init__(self, session: Iso20Session, selection: Selection) -> None:
        super().__init__(session)
        self.session = session
        self.facts = session.facts
        self.selection = selection
        self.schedule: Schedule | None = None
        """None: none was given, or the control is Dynamic."""
        self.offered_limits: tuple[Limit, ...] = ()
        """The limits of the back end that the schedule has."""
        self.profile: Any = None
        """The car's power profile (EVPowerProfileType), where it has confirmed to keep to it within the tolerance."""
        self._beyond_since: float | None = None
        """Since when the car is beyond it."""
        self._warned = False
        self.standing_by = False
        """The car was granted standby: the charge loop goes on without power."""

    def transfer_mode(self) -> iso15118.EnergyTransferMode:
        """Return EVerest's name of the service."""
        name = self.selection.service.name
        if name == "AC":
            name = "AC_single_phase_core" if self.selection.parameters["Connector"] == 1 else "AC_three_phase_core"
        return iso15118.EnergyTransferMode(name)

    def charging_needs(self, mode: Any) -> dict[str, Any]:
        """Return the fields of `iso15118.ChargingNeeds` that the charge parameters and ScheduleExchangeReq fill."""
        raise NotImplementedError

    def schedule_power_W(self) -> float:
        """Return the greatest power to the car that the schedule promises."""
        raise NotImplementedError

    def limited_W(self, limit: Limit) -> float | None:
        """Return the power of a limit of the back end, None where it does not limit."""
        return limit.power_W

    def spans(self, begin_s: float, duration_s: int) -> tuple[Span, ...]:
        """Return the powers of a schedule that begins at `begin_s`, within the limits of the back end."""
        return spans(self.facts.back_end.limits, begin_s, duration_s, self.schedule_power_W(), self.limited_W)

    def limits_have_changed(self) -> bool:
        """Return whether the back end allows another power than the schedule has (OCPP 2.x K18)."""
        limits, given = self.facts.back_end.limits, self.schedule
        if given is None or limits is self.offered_limits:
            return False
        now_s = self.session.environment.utc_now().timestamp()
        rest_s = round(given.anchor_s + given.duration_s - now_s)
        if rest_s > 0 and differ(given.entries, given.anchor_s, self.spans(now_s, rest_s), now_s):
            return True
        self.offered_limits = limits
        return False

    def schedule_discharge_power_W(self) -> float:
        """Return the greatest power from the car that the schedule promises."""
        raise NotImplementedError

    def energy_is_wanted_back(self) -> bool:
        """Return whether the charger, which decides on the power (Dynamic), wants it from the car now."""
        return False

    def power_now_W(self) -> float:
        """Return the power that may flow to the car now."""
        raise NotImplementedError

    def after_schedule(self) -> None:
        """Enter the state that follows the schedule."""
        raise NotImplementedError

    def start_power(self, now: float) -> Answer | Deferred | None:
        """Begin the energy transfer; return a refusal, Deferred, or None when it has begun."""
        raise NotImplementedError

    def stop_power(self) -> None:
        """End the energy transfer."""
        self.stopping = True
        self.session.log("the car takes the power off")
        self.power_off()

    def loop_code(self, power_W: float, now: float) -> str:
        """Return the response code of the charge loop: a car that confirmed its profile and leaves it is warned."""
        schedule, profile = self.schedule, self.profile
        allowed_W = None
        if schedule is not None and profile is not None:
            allowed_W = schedule.profile_W(profile, self.session.environment.utc_now().timestamp())
        if schedule is None or allowed_W is None or power_W <= allowed_W + schedule.tolerance_W:
            self._beyond_since, self._warned = None, False
            return "OK"
        if self._beyond_since is None:
            self._beyond_since = now
        if now - self._beyond_since < PROFILE_GRACE_S:
            return "OK"
        if not self._warned:
            self._warned = True
            self.session.log(f"the car draws {power_W:.0f} W where its power profile has {allowed_W:.0f} W")
        return "WARNING_EVPowerProfileViolation"

    def begin_loop(self, text: str) -> None:
        """Publish once that the charge loop has begun."""
        if not self.charging:
            self.charging = True
            self.session.publish(Iso15118Charger.current_demand_started, None)
            self.session.log(text)

"""A car's session of DIN SPEC 70121 or ISO 15118-2: which request comes next, and what its response means.

A stage is named like the request it sends, but PowerDelivery, which is three: `PowerOn`, `PowerOff`, `Renegotiate`.
`build_<stage>` makes the request, `take_<stage>` takes its response: methods of the session or of its energy service.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from chargebyte_fw.modules.v2g import timing
from chargebyte_fw.modules.v2g.evcc.common.energy import CarEnergyService
from chargebyte_fw.modules.v2g.evcc.effects import Power, Report, SetPilot, Step
from chargebyte_fw.modules.v2g.evcc.facts import CarFacts, CarSettings
from chargebyte_fw.modules.v2g.evcc.protocol import Failed, Timers
from chargebyte_fw.modules.v2g.messages import common
from chargebyte_fw.modules.v2g.physical import number, physical

GRAVE = ("EVSE_EmergencyShutdown", "EVSE_Malfunction", "EVSE_UtilityInterruptEvent")
"""Status codes at which a car takes the power off at once."""
_POWER_DELIVERY = ("PowerOn", "PowerOff", "Renegotiate")


class V2gCarSession:
    """One session. Subclasses set `messages`, choose the energy service and have the stages."""

    messages: ModuleType
    before_power: tuple[str, ...] = ("SessionSetup",)
    """The stages in which a wish to stop leads straight to SessionStop."""

    def __init__(self, settings: CarSettings, facts: CarFacts, timers: Timers) -> None:
        self.settings = settings
        self.facts = facts
        self.timers = timers
        self.stage = "SessionSetup"
        self.session_id = settings.session_id
        self.limited = ""
        self.outcome = "terminated"
        self.over = False
        self.power_on = False
        self.schedule_id = 1
        self.schedule_W: float | None = None
        self._effects: list[Any] = []

    @property
    def energy(self) -> CarEnergyService:
        """The energy service of the session."""
        raise NotImplementedError

    @property
    def may_renegotiate(self) -> bool:
        """Whether car or charger want to renegotiate and the protocol can."""
        return False

    # -- what the machine calls

    def next(self, now: float) -> Any:
        """Return the next request's body."""
        if self.wants_to_end:
            self.energy.stop_wanted(now)
            if self.stage in self.before_power:
                self.wind_down("SessionStop")
        elif self.may_renegotiate:
            self.energy.renegotiation_wanted(now)
        return self._stage("build")(now)

    def take(self, body: Any, now: float) -> float:
        """Take the response to the last request; return how long to wait before the next one. Raises Failed."""
        self.facts.charger.response_code = code = str(body.ResponseCode)
        if not code.startswith("OK"):
            raise Failed(f"{type(body).__name__} {code}")
        pause_s: float = self._stage("take")(body, now) or 0.0
        return pause_s

    def _stage(self, what: str) -> Callable[..., Any]:
        name = f"{what}_{self.stage}"
        found: Callable[..., Any] = getattr(self, name, None) or getattr(self.energy, name)
        return found

    def expected(self) -> str:
        """Return the name of the response that the last request must get."""
        return f"{'PowerDelivery' if self.stage in _POWER_DELIVERY else self.stage}Res"

    def message(self, body: Any) -> Any:
        """Return the whole message with the session's header."""
        m = self.messages
        return m.V2G_Message(Header=m.MessageHeaderType(SessionID=self.session_id), Body=body)

    def take_effects(self) -> list[Any]:
        """Return the effects collected since the last call."""
        effects, self._effects = self._effects, []
        return effects

    # -- wishes

    @property
    def charger_wants_to_stop(self) -> bool:
        """Whether the charger wants the session to end."""
        charger = self.facts.charger
        return charger.notification == "StopCharging" or charger.status_code in ("EVSE_Shutdown", *GRAVE)

    @property
    def wants_to_end(self) -> bool:
        """Whether the car, its error or the charger wants the session to end."""
        facts = self.facts
        return facts.stop or facts.pause or facts.error_code != "NO_ERROR" or self.charger_wants_to_stop

    def wind_down(self, stage: str) -> None:
        """Leave the way to the charge loop for `stage`."""
        self.unlimit(self.limited)
        self.timers.stop("ready to charge")
        self.stage = stage
        self.power(False)
        self.report(Step.STOPPING, self.why())
        self.effect(SetPilot("B"))

    def why(self) -> str:
        """Return who wants the session to end."""
        facts = self.facts
        if facts.error_code != "NO_ERROR":
            return facts.error_code
        if facts.pause:
            return "the car pauses"
        return "the car wants to" if facts.stop else f"the charger wants to ({facts.charger.status_code or 'notified'})"

    # -- time limits

    def limit(self, what: str, limit_s: float, now: float) -> bool:
        """Let `what` take `limit_s` from now on; return false where that time runs already."""
        if self.limited == what:
            return False
        self.limited = what
        self.timers.start("limit", now + limit_s)
        return True

    def unlimit(self, what: str) -> None:
        """End the time of `what`."""
        if self.limited == what:
            self.limited = ""
            self.timers.stop("limit")

    def ongoing(self, body: Any, what: str, limit_s: float, now: float) -> bool:
        """Return whether the charger is still working on it, and begin or end the time it has for that."""
        if str(body.EVSEProcessing) == "Ongoing":
            self.limit(what, limit_s, now)
            return True
        # There is no limit for a person in front of the charger (ISO 15118-2 [V2G2-854]).
        self.unlimit(what)
        return str(body.EVSEProcessing) != "Finished"

    # -- pieces

    def effect(self, effect: Any) -> None:
        """Ask the owner for something."""
        self._effects.append(effect)

    def report(self, step: Step, what: str = "") -> None:
        """Report where the session is."""
        self.effect(Report(step, what))

    def power(self, on: bool) -> None:
        """Close or open the car's contactors, once."""
        if self.power_on != on:
            self.power_on = on
            self.effect(Power(on))

    def quantity(self, value: float, unit: str) -> Any:
        """Return a physical value with one decimal."""
        return physical(self.messages.PhysicalValueType, round(value, 1), self.messages.unitSymbolType(unit))

    def optional(self, value: float | None, unit: str) -> Any:
        """Return a physical value, or None."""
        return None if value is None else self.quantity(value, unit)

    def take_status(self, status: common.DC_EVSEStatusType | common.AC_EVSEStatusType) -> None:
        """Note the charger's status, DC or AC."""
        charger = self.facts.charger
        charger.notification = str(status.EVSENotification)
        if isinstance(status, common.DC_EVSEStatusType):
            charger.status_code = str(status.EVSEStatusCode)
            charger.isolation = str(status.EVSEIsolationStatus or "")

    def take_schedule(self, schedules: common.SAScheduleListType | None) -> None:
        """Take the first schedule and its power."""
        if schedules is None:
            return
        first = schedules.SAScheduleTuple[0]
        self.schedule_id = first.SAScheduleTupleID
        limit = first.PMaxSchedule.PMaxScheduleEntry[0].PMax
        self.schedule_W = float(limit) if isinstance(limit, int) else number(limit)

    # -- stages that both protocols have

    def take_Authorization(self, body: Any, now: float) -> float:
        """Wait for the authorization."""
        if self.ongoing(body, "authorization", timing.V2G_EVCC_ONGOING_S, now):
            return self.settings.ongoing_pause_s
        self.report(Step.AUTHORIZED)
        self.stage = "ChargeParameterDiscovery"
        return 0.0

    def take_SessionStop(self, body: Any, now: float) -> float:
        """End: the session is over."""
        self.over = True
        return 0.0

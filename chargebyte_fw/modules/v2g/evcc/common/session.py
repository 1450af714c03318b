"""A car's session, whatever the protocol: which request comes next, and what its response means.

A stage is named like the request it sends, but PowerDelivery, which is three: `PowerOn`, `PowerOff`, `Renegotiate`.
"""

from __future__ import annotations

from typing import Any

from chargebyte_fw.modules.v2g import timing
from chargebyte_fw.modules.v2g.evcc.types import CarFacts, CarSettings, Power, Report, SetPilot, Step
from chargebyte_fw.modules.v2g.physical import number, physical

GRAVE = ("EVSE_EmergencyShutdown", "EVSE_Malfunction", "EVSE_UtilityInterruptEvent")
"""Status codes at which a car takes the power off at once."""


class Failed(Exception):
    """The session cannot go on; the text says why."""


class CarDialogue:
    """One session. Subclasses give `m`, `build_<stage>` (the request) and `take_<stage>` (its response)."""

    m: Any
    schema_set = ""
    before_power: tuple[str, ...] = ("SessionSetup",)
    """The stages in which a wish to stop leads straight to SessionStop."""

    def __init__(self, settings: CarSettings, facts: CarFacts) -> None:
        self.settings = settings
        self.facts = facts
        self.stage = "SessionSetup"
        self.session_id = settings.session_id
        self.limits: dict[str, float] = {}
        """What must be over at which second."""
        self.effects: list[Any] = []
        self.outcome = "terminated"
        self.over = False
        self.power_on = False
        self.schedule_id = 1
        self.schedule_W: float | None = None

    # -- what the machine calls

    def next(self, now: float) -> Any:
        """Return the next request's body; the effects that come with it are in `effects`."""
        if self.wants_to_end and self.stage in self.before_power:
            self.wind_down("SessionStop")
        return getattr(self, f"build_{self.stage}")(now)

    def take(self, body: Any, now: float) -> float:
        """Take the response to the last request; returns how long to wait before the next one. Raises Failed."""
        self.facts.charger.response_code = code = str(body.ResponseCode)
        if not code.startswith("OK"):
            raise Failed(f"{type(body).__name__} {code}")
        pause_s: float = getattr(self, f"take_{self.stage}")(body, now) or 0.0
        return pause_s

    def expected(self) -> str:
        """Return the name of the response that the last request must get."""
        stage = "PowerDelivery" if self.stage in ("PowerOn", "PowerOff", "Renegotiate") else self.stage
        return f"{stage}Res"

    # -- wishes

    @property
    def told_to_stop(self) -> bool:
        """Whether the charger wants the session to end."""
        charger = self.facts.charger
        return charger.notification == "StopCharging" or charger.status_code in ("EVSE_Shutdown", *GRAVE)

    @property
    def wants_to_end(self) -> bool:
        """Whether the car, its error or the charger wants the session to end."""
        facts = self.facts
        return facts.stop or facts.pause or facts.error_code != "NO_ERROR" or self.told_to_stop

    def wind_down(self, stage: str) -> None:
        """Leave the way to the charge loop for `stage`."""
        self.limits.clear()
        self.stage = stage
        self.power(False)
        self.effects += [Report(Step.STOPPING, self.why()), SetPilot("B")]

    def why(self) -> str:
        """Say who wants the session to end."""
        facts = self.facts
        if facts.error_code != "NO_ERROR":
            return facts.error_code
        if facts.pause:
            return "the car pauses"
        return "the car wants to" if facts.stop else f"the charger wants to ({facts.charger.status_code or 'notified'})"

    # -- pieces

    def report(self, step: Step, what: str = "") -> None:
        """Tell the owner where the session is."""
        self.effects.append(Report(step, what))

    def power(self, on: bool) -> None:
        """Close or open the car's contactors, once."""
        if self.power_on != on:
            self.power_on = on
            self.effects.append(Power(on))

    def quantity(self, value: float, unit: str) -> Any:
        """Return a physical value with one decimal."""
        return physical(self.m.PhysicalValueType, round(value, 1), self.m.unitSymbolType(unit))

    def optional(self, value: float | None, unit: str) -> Any:
        """Return a physical value, or None."""
        return None if value is None else self.quantity(value, unit)

    def ongoing(self, body: Any, what: str, limit_s: float, now: float) -> bool:
        """Tell whether the charger is still working on it, and begin or end the time it has for that."""
        if str(body.EVSEProcessing) == "Ongoing":
            self.limits.setdefault(what, now + limit_s)
            return True
        # Nobody limits a person in front of the charger (ISO 15118-2 [V2G2-854]).
        self.limits.pop(what, None)
        return str(body.EVSEProcessing) != "Finished"

    def take_limits(self, parameters: Any) -> None:
        """Note the charger's DC limits."""
        charger = self.facts.charger
        for name in ("Voltage", "Current", "Power"):
            value = getattr(parameters, f"EVSEMaximum{name}Limit")
            if value is not None:
                unit = {"Voltage": "V", "Current": "A", "Power": "W"}[name]
                setattr(charger, f"max_{name.lower()}_{unit}", number(value))

    def take_status(self, status: Any) -> None:
        """Note the charger's status, DC or AC."""
        charger = self.facts.charger
        charger.notification = str(status.EVSENotification)
        if hasattr(status, "EVSEStatusCode"):
            charger.status_code = str(status.EVSEStatusCode)
            charger.isolation = str(status.EVSEIsolationStatus or "")

    def take_schedule(self, schedules: Any) -> None:
        """Take the first schedule and its power."""
        if schedules is None:
            return
        first = schedules.SAScheduleTuple[0]
        self.schedule_id = first.SAScheduleTupleID
        limit = first.PMaxSchedule.PMaxScheduleEntry[0].PMax
        self.schedule_W = float(limit) if isinstance(limit, int) else number(limit)

    # -- stages that both protocols have

    def take_Authorization(self, body: Any, now: float) -> float:  # noqa: N802 (the stage's name)
        """Wait until somebody authorized."""
        if self.ongoing(body, "authorization", timing.V2G_EVCC_ONGOING_S, now):
            return self.settings.ongoing_pause_s
        self.report(Step.AUTHORIZED)
        self.stage = "ChargeParameterDiscovery"
        return 0.0

    def take_SessionStop(self, body: Any, now: float) -> float:  # noqa: N802
        """The session is over."""
        self.over = True
        return 0.0

"""A car's session as a row of stages: which request comes next, and what its response means; of no protocol.

`build_<stage>` makes the request of a stage, `take_<stage>` takes its response: methods of the session, of its energy
service, or of another of its parts. `common/` and `iso20/` derive their sessions from here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargebyte_fw.modules.v2g import timing
from chargebyte_fw.modules.v2g.evcc.effects import Power, Report, SetPilot, Step
from chargebyte_fw.modules.v2g.evcc.facts import CarFacts, CarSettings, Paused
from chargebyte_fw.modules.v2g.evcc.misbehaviour import Misbehaviour, named
from chargebyte_fw.modules.v2g.evcc.protocol import MAIN, Failed, MultiplexedRequest, Timers


class StagedSession:
    """One session. Subclasses have the stages, and `parts`, the other objects that have some."""

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
        self.reason = ""
        self.received_signature: Any = None
        self.over = False
        self.power_on = False
        self._effects: list[Any] = []

    @property
    def parts(self) -> tuple[Any, ...]:
        """The objects besides the session itself that have stages."""
        return ()

    @property
    def may_renegotiate(self) -> bool:
        """Whether car or charger want to renegotiate and the protocol can."""
        return False

    @property
    def paused(self) -> Paused | None:
        """What resumes the session, where it ends with a pause."""
        return Paused(self.session_id) if self.outcome == "paused" else None

    def stop_wanted(self, now: float) -> None:
        """Leave the present stage where car or charger want the session to end; `stage` is the next one."""

    def renegotiation_wanted(self, now: float) -> None:
        """Leave the charge loop where car or charger want other parameters."""

    # -- what the machine calls

    def next(self, now: float) -> Any:
        """Return the next request's body."""
        if self.wants_to_end:
            self.stop_wanted(now)
            if self.stage in self.before_power:
                self.wind_down("SessionStop")
        elif self.may_renegotiate:
            self.renegotiation_wanted(now)
        self._misplace()
        return self._stage("build")(now)

    def _misplace(self) -> None:
        """Go to another stage where the car is to break the order on purpose."""
        wrong = self.misbehaves("order", self.request)
        if wrong is not None:
            wanted = f"build_{wrong.argument}".casefold()
            names = [name for part in (self, *self.parts) for name in dir(part) if name.casefold() == wanted]
            if not names:
                raise Failed(f"this session has no stage {wrong.argument} to send out of order")
            self.stage = names[0].removeprefix("build_")

    def misbehaves(self, kind: str, request: str = "") -> Misbehaviour | None:
        """Return the misbehaviour of this kind that the script asked for, None where the car behaves."""
        return named(self.settings.misbehaviours, kind, request)

    def next_multiplexed(self, now: float) -> MultiplexedRequest | None:
        """Return a request of another stream than the main one, None where there is none."""
        return None

    def take_multiplexed(self, name: str, body: Any, now: float) -> None:
        """Take the response to the last request of `next_multiplexed`. Raises Failed."""

    def take(self, body: Any, now: float) -> float:
        """Take the response to the last request; return how long to wait before the next one. Raises Failed."""
        self.check(body)
        pause_s: float = self._stage("take")(body, now) or 0.0
        return pause_s

    def check(self, body: Any) -> None:
        """Note the response code; raises Failed for one that ends the session."""
        self.facts.charger.response_code = code = str(body.ResponseCode)
        if not self.accepts(code):
            raise Failed(f"{type(body).__name__} {code}")

    def accepts(self, code: str) -> bool:
        """Return whether the session goes on after this response code."""
        return code.startswith("OK")

    def _stage(self, what: str) -> Callable[..., Any]:
        name = f"{what}_{self.stage}"
        for part in (self, *self.parts):
            found: Callable[..., Any] | None = getattr(part, name, None)
            if found is not None:
                return found
        raise AttributeError(f"{type(self).__name__} has no {name}")

    @property
    def request(self) -> str:
        """The name of the request of the present stage."""
        return f"{self.stage}Req"

    @property
    def stream(self) -> str:
        """The stream of the present stage's request."""
        return MAIN

    def expected(self) -> str:
        """Return the name of the response that the last request must get."""
        return f"{self.request.removesuffix('Req')}Res"

    def take_effects(self) -> list[Any]:
        """Return the effects collected since the last call."""
        effects, self._effects = self._effects, []
        return effects

    # -- wishes

    @property
    def charger_wants_to_stop(self) -> bool:
        """Whether the charger wants the session to end."""
        return False

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
        return "the car wants to" if facts.stop else f"the charger wants to ({self.charger_reason or 'notified'})"

    @property
    def charger_reason(self) -> str:
        """Why the charger wants the session to end, in its own words."""
        return self.facts.charger.status_code

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

    def ongoing(self, body: Any, what: str, now: float, limit_s: float = timing.V2G_EVCC_ONGOING_S) -> bool:
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

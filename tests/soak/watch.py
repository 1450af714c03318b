"""What must hold in every life at every moment: safety, sessions that end, a log that can be read, nothing uncaught."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from chargebyte_fw.kernel.clock import ClockLoop
from tests.evse.chance import EventBook
from tests.soak import faults
from tests.soak.scene import Scene

FOLDER_PREFIX = "secc-soak-"
"""Of a life's state folder."""
SAMPLE_S = 0.1
REACTION_S = 0.5
"""From a fault that blocks, or from the end of a transaction, to open contactors."""
STOP_S = {True: 25.0, False: 8.0}
"""From the begin of a stop to open contactors, with HLC: STOPPING_S; without: 6 s of IEC 61851-1 sequence 10.2."""
STOPPED_BY = ("StoppingCharging", "ChargingPausedEVSE", "ChargingFinished")
SUPPLY_OFF_S = 1.0
OUTLET_S = 3.0
"""A supply's output is below 60 V this long after the plug was pulled."""
SAFE_V = 60.0
SESSION_ENDS_S = 150.0
"""From the unplug, whatever is broken; the controller's resets alone may be 60 s apart."""
UNWATCHED_GRACE_S = 2.0
"""How long after the line to the board was disturbed nothing is asked of the charger yet."""
WELD_IS_KNOWN_S = 5.0
SAME_LINE_LIMIT = 30
"""How often one message may stand in the log within a minute."""
MINUTE_S = 60.0
INOPERATIVE = "evse_manager/Inoperative"


_STATE_FOLDER = re.compile(rf"\S*{FOLDER_PREFIX}\w+")


class Watch:
    """Looks at a scene all the time; `findings` are what did not hold, `digest` is the trace of the life."""

    def __init__(self) -> None:
        self.scene: Scene | None = None
        self.findings: list[str] = []
        self.story: list[str] = []
        self.book = EventBook()
        self.counts: Counter[str] = Counter()
        self.charged = False
        self._digest = hashlib.blake2b(digest_size=16)
        self._since: dict[str, float] = {}
        self._lines: dict[str, deque[float]] = {}
        self._car_of_transaction = 0
        self._car_seen = 0
        self._identified = False
        """The EV of this session has identified itself: its data link was up."""
        self._exchange_unknowable = False
        """An EV without an identity was exchanged within the state F of the charger's own t_step_EF (4 s).

        Nothing on the pilot shows that, and to end every session whose first SLAC failed would be worse.
        """
        self._disturbed_s = -UNWATCHED_GRACE_S
        self._unplugged_s: float | None = 0.0
        self._welded_s: float | None = None
        self._session_s = 0.0
        self._stopping_s: float | None = None

    @property
    def now(self) -> float:
        """Time of the life."""
        return asyncio.get_running_loop().time()

    @property
    def digest(self) -> str:
        """Of everything that was observed so far."""
        return self._digest.hexdigest()

    def note(self, kind: str, text: str) -> None:
        """Add a line to the trace and to the story."""
        # Each life has a state folder of its own: a log line that names it is the same line.
        line = _STATE_FOLDER.sub("STATE", f"{self.now:10.3f} {kind}: {text}")
        self._digest.update(line.encode("utf-8", "replace"))
        self.story.append(line)

    def found(self, kind: str, what: str) -> None:
        """Note what did not hold, once a life."""
        finding = f"{kind}: {what}"
        if finding not in self.findings:
            self.findings.append(finding)
            self.note("FOUND", finding)

    # -- what the scene observes

    def observe(self, kind: str, what: Any) -> None:
        """Take an event of the charger, the car, or the log."""
        if kind == "session":
            self._session(what)
        elif kind == "log":
            self._log(what)
        elif kind == "broken":
            self.found("UNCAUGHT", str(what))
        elif kind == "car":
            for name in ("step", "failure", "message"):
                if name in what and not str(what[name]).startswith(("car → ", "charger → ")):
                    self.note("car", f"{name} {what[name]}")
        else:
            self.note(kind, str(what))

    def _session(self, event: Any) -> None:
        name = event.event.value
        self.note("session", name)
        self.counts[name] += 1
        self.book.take(event)
        if name == "SessionStarted":
            self._session_s = self.now
        if name in STOPPED_BY:
            self._stopping_s = self.now if self._stopping_s is None else self._stopping_s
        elif name in ("PrepareCharging", "ChargingStarted", "SessionFinished"):
            self._stopping_s = None
        if name in ("SessionStarted", "SessionFinished"):
            self._identified = self._exchange_unknowable = False
        if name == "TransactionStarted" and self.scene is not None:
            self._car_of_transaction = self.scene.number
        for wrong in self.book.wrong:
            self.found("UNMATCHED", f"event out of order: {wrong.partition(' ')[0]}")
        self.book.wrong.clear()

    def _log(self, record: logging.LogRecord) -> None:
        module = getattr(record, "module_id", record.name)
        text = record.getMessage()
        self.note("log", f"{record.levelname} {module}: {text[:300]}")
        self.book.backwards_logged |= "counted backwards" in text
        self._identified |= text == "SLAC matched"
        if record.exc_info and record.levelno >= logging.ERROR:
            self.found("UNCAUGHT", f"{module}: {text}: {record.exc_info[1]!r}"[:300])
        if len(text) > 2000:
            self.found("LOG", f"{module}: a line of {len(text)} characters: {record.msg!r}"[:200])
        times = self._lines.setdefault(f"{module}: {record.msg}", deque())
        times.append(self.now)
        while times[0] < self.now - MINUTE_S:
            times.popleft()
        if len(times) > SAME_LINE_LIMIT:
            self.found(
                "LOG", f"{module} repeats a line more than {SAME_LINE_LIMIT} times a minute: {record.msg!r}"[:200]
            )

    def uncaught(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take what the event loop could give to nobody."""
        self.found("UNCAUGHT", f"{context.get('message')}: {context.get('exception')!r}"[:300])

    def restarted(self) -> None:
        """Forget the session of a charger that was stopped: nobody reports its end."""
        self.book = EventBook()
        self._stopping_s = None

    # -- what must hold

    async def run(self, scene: Scene) -> None:
        """Look again and again."""
        self.scene = scene
        scene.pilot.on_change.append(self._pilot_changed)
        while True:
            self.look()
            await asyncio.sleep(SAMPLE_S)

    def _pilot_changed(self) -> None:
        scene = self.scene
        assert scene is not None
        pilot = scene.pilot
        duty = f" {pilot.duty_percent:.3g} %" if pilot.duty_percent is not None else ""
        self.note("pilot", f"{pilot.letter}{duty}, contactors {'closed' if pilot.contactors_closed else 'open'}")
        if pilot.plugged:
            self._unplugged_s = None
        elif self._unplugged_s is None:
            self._unplugged_s = self.now

    def never(self, kind: str, what: str, holds: bool, for_s: float = REACTION_S) -> None:
        """`what` may not last longer than `for_s`."""
        if not holds:
            self._since.pop(what, None)
            return
        since = self._since.setdefault(what, self.now)
        if self.now - since > for_s + 1e-6:
            self.found(kind, what)

    def look(self) -> None:
        """Look at everything once."""
        scene = self.scene
        assert scene is not None
        pilot, now = scene.pilot, self.now
        if not scene.board_is_watched:
            self._disturbed_s = now
        watched = now - self._disturbed_s >= UNWATCHED_GRACE_S
        closed = scene.closed
        if scene.number != self._car_seen:
            self._car_seen = scene.number
            self._exchange_unknowable |= pilot.letter == "F" and not self._identified
        self.never("UNSAFE", "contactors are closed with the car not in C or D", closed and pilot.letter not in "CD")
        drawing = scene.world.car.inlet.power_W > 0
        self.charged = self.charged or drawing
        if watched and scene.assembly is not None:
            self._look_at_charger(scene, closed, drawing)
        # A contactor without feedback that refuses to close: nobody can know.
        unknown = any(one.stuck_open and not one.has_feedback for one in scene.hardware.contactors)
        on = scene.supply_on
        obeys = now - scene.supply_obeys_from_s > 2.0 and not scene.can_is_cut
        self.never(
            "UNSAFE", "the supply is on with no car plugged in", on and obeys and not pilot.plugged, SUPPLY_OFF_S
        )
        self.never(
            "UNSAFE",
            "the supply is on while contactors are open",
            on and obeys and watched and not pilot.contactors_closed and not unknown,
            SUPPLY_OFF_S + 1.0,
        )
        live = obeys and scene.output_V > SAFE_V and pilot.letter == "A"
        self.never("UNSAFE", "voltage at the outlet after the unplug", live, OUTLET_S)

    def _look_at_charger(self, scene: Scene, closed: bool, drawing: bool) -> None:
        book, now = self.book, self.now
        connector = scene.implementation("connector", "evse")
        fatal = connector.faults.is_active(INOPERATIVE)
        self.never("UNSAFE", "contactors are closed with a fault that blocks", closed and fatal)
        self.never("UNSAFE", "contactors are closed without a transaction", closed and not book.transaction)
        stopped = self._stopping_s is not None and now - self._stopping_s > STOP_S[scene.hlc]
        self.never("UNSAFE", "contactors stay closed after a stop", closed and stopped)
        other = closed and book.transaction and self._car_of_transaction != scene.number
        other = other and not self._exchange_unknowable
        self.never("UNSAFE", "another car charges in the transaction of the one before", other)
        self._look_at_limits(scene, closed)
        self._look_at_weld(scene, drawing)
        since_s = max(self._unplugged_s or 0.0, self._disturbed_s, self._session_s)
        ended = self._unplugged_s is not None and now - since_s > SESSION_ENDS_S
        if ended and book.session:
            self.found("UNMATCHED", "a session goes on though the car is gone")
        for name, module in scene.assembly.modules.items() if scene.assembly is not None else ():
            if module.failed.done() and str(error := module.failed.result()) != faults.INJECTED:
                self.found("UNCAUGHT", f"{name} failed: {error!r}"[:300])

    def _look_at_limits(self, scene: Scene, closed: bool) -> None:
        limits = scene.implementation("connector", "evse").enforced_limits.value
        if limits is None:
            return
        side = limits.limits_root_side
        if not scene.dc and closed and side.ac_max_current_A is not None and scene.pilot.duty_percent is not None:
            duty = scene.pilot.duty_percent
            shown_A = duty * 0.6 if 8.0 <= duty <= 85.0 else (duty - 64.0) * 2.5 if duty > 85.0 else 0.0
            over = shown_A > side.ac_max_current_A.value + 0.2
            self.never("UNSAFE", "the pilot offers more current than was granted", over, 12.0)
        if scene.dc and side.total_power_W is not None:
            over = closed and scene.output_W > side.total_power_W.value * 1.03 + 100.0
            self.never("UNSAFE", "the car gets more power than was granted", over, 12.0)

    def _look_at_weld(self, scene: Scene, drawing: bool) -> None:
        contactor = scene.hardware.contactors[0]
        # Feedback that is inverted reports a welded contactor as open: two faults at once that no one can tell apart.
        reported = contactor.welded and contactor.closed and contactor.has_feedback and not contactor.denies
        seen = reported and not scene.world.mcu.mcu.life.ordered[0]
        if not seen:
            # One that opens all the same, since it began to before it welded, was never reported.
            self._welded_s = self._welded_s if contactor.welded and contactor.closed else None
        elif self._welded_s is None and scene.world.mcu.mcu.state.name in ("RUNNING", "SAFE"):
            self._welded_s = self.now
        known = self._welded_s is not None and self.now - self._welded_s > WELD_IS_KNOWN_S
        begun = self.book.transaction and scene.world.mcu.mcu.life.ordered[0]
        self.never("UNSAFE", "a car is charged through a welded contactor", known and begun and contactor.welded)

    # -- afterwards

    def left_over(self, before: set[asyncio.Task[Any]]) -> None:
        """Look for tasks and timers that outlive the charger."""
        left = asyncio.all_tasks() - before - {asyncio.current_task()}
        if left:
            self.found("LEAK", f"tasks are left behind: {sorted(task.get_name() for task in left)}"[:300])
        loop: Any = asyncio.get_running_loop()
        assert isinstance(loop, ClockLoop)
        scheduled: list[asyncio.TimerHandle] = loop._scheduled  # type: ignore[attr-defined]
        timers = [str(handle) for handle in scheduled if not handle.cancelled()]
        if timers:
            self.found("LEAK", f"timers are left behind: {timers[:3]}"[:300])


Observer = Callable[[str, Any], None]

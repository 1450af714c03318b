"""Plays one life: start, steps, everything mended, the car unplugged, and a good car that must charge."""

from __future__ import annotations

import asyncio
import gc
import resource
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from chargebyte_fw.kernel import clock
from chargebyte_fw.sim.pilot import CarState, Drive
from tests.soak import acts, faults
from tests.soak.life import Life, Step
from tests.soak.scene import Scene, quiet_logs
from tests.soak.watch import FOLDER_PREFIX, Watch

START_S = 3.0
CONTACTOR_FAULT = "evse_board_support/MREC17EVSEContactorFault"
MENDED_S = 100.0
"""From the last fault's end and the unplug to the rest: resets of the controller are up to 60 s apart."""
LEAST_MENDED_S = 12.0
CHARGES_S = 120.0
"""From the plug to the first watt of a good car at a sound charger."""
AFTER_STOP_S = 40.0


@dataclass
class Outcome:
    """What a life was like."""

    life: Life
    findings: list[str] = field(default_factory=list)
    digest: str = ""
    story: list[str] = field(default_factory=list)
    injected: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    sessions: int = 0
    transactions: int = 0
    duration_s: float = 0.0


class Player:
    """Plays one life."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.watch = Watch()
        self.outcome = Outcome(life)
        self.present: list[str] = []

    async def play(self, state: Path) -> Outcome:
        watch = self.watch
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(watch.uncaught)
        before = asyncio.all_tasks()
        self.scene = scene = Scene(self.life, state, watch.observe)
        watching = loop.create_task(watch.run(scene), name="soak watch")
        try:
            await self._live(scene)
        finally:
            _unlimited()
            if watching.done():
                # It looks until it is cancelled: a life that was not watched proves nothing.
                watch.found("UNCAUGHT", f"the watch ended: {watching.exception()!r}")
            watching.cancel()
            await scene.stop()
            scene.close()
        if not watch.findings:
            await asyncio.sleep(AFTER_STOP_S)
            watch.left_over(before)
        watching.cancelled()
        broken = scene.world.failure or scene.world.mcu.failure
        if broken is not None:
            watch.found("SIMULATION", repr(broken))
        outcome = self.outcome
        outcome.findings, outcome.digest, outcome.story = watch.findings, watch.digest, watch.story
        outcome.sessions, outcome.transactions = watch.counts["SessionStarted"], watch.counts["TransactionStarted"]
        outcome.duration_s = loop.time()
        return outcome

    async def _live(self, scene: Scene) -> None:
        await scene.start()
        await asyncio.sleep(START_S)
        for step in self.life.steps:
            await self._do(scene, step)
            if self.watch.findings:
                return
        await self._mend(scene)
        if not self.watch.findings:
            await self._charge_a_good_car(scene)

    async def _do(self, scene: Scene, step: Step) -> None:
        self.watch.note("STEP", str(step))
        word, _, name = step.what.partition(" ")
        if word == "car":
            acts.CAR[name](scene)
        elif word == "command":
            acts.COMMANDS[name](scene)
        elif word == "clear":
            self._clear(scene, name)
        elif name == "charger restarts":
            self.outcome.injected[name] += 1
            await self._restart(scene)
        else:
            faults.INJECT[name](scene)
            self.present.append(name)
            self.outcome.injected[name] += 1
        if word != "fault":
            self.outcome.done[step.what] += word != "clear"
        # One second a time: what was found ends the life.
        left_s = step.wait_s
        while left_s > 0 and not self.watch.findings:
            await asyncio.sleep(min(1.0, left_s))
            left_s -= 1.0

    def _clear(self, scene: Scene, name: str) -> None:
        faults.CLEAR[name](scene)
        if name in ("supply refuses", "supply answers late", "modules refuse"):
            scene.supply_obeys_from_s = asyncio.get_running_loop().time()
        self.present = [other for other in self.present if other != name]

    async def _restart(self, scene: Scene) -> None:
        await scene.stop()
        self.watch.restarted()
        await asyncio.sleep(1.0)
        await scene.start()

    async def _mend(self, scene: Scene) -> None:
        """Clear every fault, take every command back, pull the plug."""
        self.watch.note("STEP", "everything is mended and the plug is pulled")
        for name in sorted(set(self.present)):
            self._clear(scene, name)
        for name in sorted({step.what.partition(" ")[2] for step in self.life.steps if step.what.startswith("fault ")}):
            self._clear(scene, name)
        scene.supply_obeys_from_s = asyncio.get_running_loop().time() if scene.supply_obeys_from_s else 0.0
        acts.restore(scene)
        scene.drive("unplug")
        scene.pilot.car_state = CarState.A
        await self._until(lambda: False, LEAST_MENDED_S)
        await self._until(lambda: self._is_at_rest(scene), MENDED_S - LEAST_MENDED_S)
        acts.restore(scene)
        await asyncio.sleep(1.0)
        if self.watch.findings:
            return
        if any(book.is_active(CONTACTOR_FAULT) for book in scene.books()):
            # A contactor that did not follow its order is not trusted again before the next start.
            self._sessions_are_over()
            await self._restart(scene)
            await asyncio.sleep(START_S)
        self._at_rest(scene)

    def _is_at_rest(self, scene: Scene) -> bool:
        book = self.watch.book
        faults_are_over = not self._standing_faults(scene)
        return faults_are_over and not book.session and scene.pilot.drive is Drive.PLUS

    def _standing_faults(self, scene: Scene) -> set[str]:
        """Types of the active faults, but for one that a disturbed UART explains.

        The controller sends the end of an internal error once (ERROR_MESSAGE); where that frame was lost, the warning
        stands until the controller leaves its safe state or is reset.
        """
        active = {fault.type for one in scene.books() for fault in one.active}
        disturbed = any(name.startswith("uart") for name in self.outcome.injected)
        return active - {"evse_board_support/VendorWarning"} if disturbed else active

    def _sessions_are_over(self) -> None:
        if self.watch.book.session or self.watch.book.transaction:
            self.watch.found("UNMATCHED", f"{MENDED_S:g} s after the unplug a session is not finished")

    def _at_rest(self, scene: Scene) -> None:
        found = self.watch.found
        self._sessions_are_over()
        active = sorted(self._standing_faults(scene))
        if active:
            found("STUCK", f"faults stay though everything is mended: {active}")
        if scene.pilot.drive is not Drive.PLUS:
            found("STUCK", f"the pilot shows {scene.pilot.drive.value} though everything is mended and no car is there")

    async def _charge_a_good_car(self, scene: Scene) -> None:
        self.watch.note("STEP", "a good car comes")
        scene.new_car()
        began = self.watch.book
        scene.drive(acts.session_of(scene), fresh=True)
        if not await self._until(lambda: scene.world.car.inlet.power_W > 0, CHARGES_S):
            if not self.watch.findings:
                self.watch.found("STUCK", "a good car does not charge after everything was mended")
            return
        await self._until(lambda: False, 4.0)
        if self.life.seed % 2:
            scene.drive("unplug")
        else:
            scene.drive(acts.STOPS["hlc" if scene.world.car._v2g.active else "ac"])
        if not await self._until(lambda: not began.session and not began.transaction, 60.0):
            if not self.watch.findings:
                self.watch.found("UNMATCHED", "60 s after the last car has left its session is not finished")
            return
        await self._until(lambda: False, 3.0)
        if not self.watch.findings:
            self._at_rest(scene)

    async def _until(self, true: object, limit_s: float) -> bool:
        assert callable(true)
        loop = asyncio.get_running_loop()
        end_s = loop.time() + limit_s
        while loop.time() < end_s:
            if self.watch.findings:
                return False
            if true():
                return True
            await asyncio.sleep(min(0.5, end_s - loop.time()))
        return bool(true())


def _unlimited() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))


def play(life: Life) -> Outcome:
    """Play a life from its start to its end."""
    player = Player(life)
    restore = quiet_logs(player.watch.observe)
    try:
        with tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX) as folder:
            outcome: Outcome = clock.run(player.play(Path(folder)), speed=None)
        return outcome
    finally:
        restore()
        _unlimited()
        gc.collect(0)

"""The virtual car in front of a charger that is not ours to simulate: on a network interface, with a pilot of a rig.

`Drive` runs one script and keeps what is worth a verdict: how far the car got, why it failed, what was agreed, how long
each response took.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable
from typing import Any

import msgspec

from chargebyte_fw.kernel import memory
from chargebyte_fw.modules.v2g import evcc
from chargebyte_fw.sim.car import Car, CarWires
from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.net import Net, Port
from chargebyte_fw.sim.pilot import CarState, Pilot

_SESSION = re.compile(r"car → (\w+Req)")
_ANSWER = re.compile(r"charger → (\w+)Res")


class HandPilot(Pilot):
    """A pilot that a person works: what the car would hang on the line is asked for, what the charger does is assumed.

    The duty cycle is taken to be `duty_percent` from the beginning, and the contactors to follow state C.
    """

    def __init__(self, duty_percent: float, ask: Callable[[str], None]) -> None:
        super().__init__()
        self._ask = ask
        self._shown = CarState.A
        self.drive_line(True, duty_percent)
        self.on_change.append(self._follow)

    def _follow(self) -> None:
        if self.car_state is self._shown:
            return
        self._shown = self.car_state
        what = "take the plug out" if self.car_state is CarState.A else f"switch the control pilot to {self.car_state}"
        self._ask(what)
        self.contactors_closed = self.car_state in (CarState.C, CarState.D)


class Response(msgspec.Struct):
    """How long the responses to one kind of request took."""

    count: int = 0
    slowest_s: float = 0.0


class Course(msgspec.Struct):
    """What happened."""

    step: str = "searching"
    """The last step that the session got to."""
    charged: bool = False
    """The car has been in the charge loop."""
    ended: str = ""
    """`terminated` or `paused` where the session ended in good order."""
    failure: str = ""
    responses: dict[str, Response] = msgspec.field(default_factory=dict)
    numbers: dict[str, Any] = msgspec.field(default_factory=dict)


def script(model: Model, *, slac: bool, charge_s: float, pause_s: float = 0.0) -> str:
    """Return what the car does: match, charge for a while, pause in between where it is to, end, unplug."""
    alternating = "-ac" in model.protocol
    start = f"iso_start_v2g_session {'AC' if alternating else 'DC'} 86400 0;iso_wait_pwr_ready;"
    start += "iso_draw_power_regulated 16,3;" if alternating else "iso_dc_power_on;"
    parts = ["iso_wait_slac_matched;" if slac else "iso_wait_pwm_is_running;"]
    if pause_s:
        parts += [start, f"sleep {charge_s:g};iso_pause_charging;iso_wait_v2g_session_stopped;sleep {pause_s:g};"]
    parts += [start, f"iso_wait_for_stop {charge_s:g};iso_wait_v2g_session_stopped;sleep 1;unplug"]
    return "".join(parts)


class Drive:
    """One car in front of one charger. `report` is called with each line of its course."""

    def __init__(self, model: Model, pilot: Pilot, port: Port | None, net: Net, report: Callable[[str], None]) -> None:
        self.course = Course()
        self._report = report
        self._asked: tuple[str, float] | None = None
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ethernet = port or memory.wire(b"\x02\0\0\0\0\x02", b"\x02\0\0\0\0\x02")[0]
        self.car = Car(
            CarWires(pilot, ethernet, net),
            model.battery(),
            model.settings(ethernet.mac),
            self._reported,
            self._fail,
            chance=random.SystemRandom(),
        )

    def _fail(self, error: BaseException) -> None:
        if not self._broken.done():
            self._broken.set_exception(error)

    async def run(self, commands: str, limit_s: float) -> Course:
        """Run a script to its end, `limit_s` at most; raises ScriptError."""
        self.car.run(commands)
        done = asyncio.ensure_future(self.car.finished())
        try:
            over, _ = await asyncio.wait({done, self._broken}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if self._broken in over:
                self._broken.result()
            if not over:
                self.course.failure = self.course.failure or f"not done within {limit_s:g} s, at '{self.course.step}'"
            self.course.numbers = self.car.numbers()
        finally:
            done.cancel()
            self._broken.cancel()
            self.car.close()
        return self.course

    def _reported(self, report: dict[str, Any]) -> None:
        if "failure" in report:
            self.course.failure = self.course.failure or str(report["failure"])
        message = str(report.get("message", ""))
        if not message:
            return
        self._time(message)
        if message.startswith("car: session "):
            self.course.ended = message.removeprefix("car: session ").partition(":")[0]
        elif message.startswith("car: "):
            step = message.removeprefix("car: ").partition(" (")[0]
            if step in set(evcc.Step):
                self.course.step = step
                self.course.charged = self.course.charged or step == evcc.Step.CHARGING
        self._report(message)

    def _time(self, message: str) -> None:
        now = asyncio.get_running_loop().time()
        if found := _SESSION.match(message):
            self._asked = found[1], now
        elif (found := _ANSWER.match(message)) and self._asked and self._asked[0] == f"{found[1]}Req":
            response = self.course.responses.setdefault(f"{found[1]}Res", Response())
            response.count += 1
            response.slowest_s = max(response.slowest_s, now - self._asked[1])
            self._asked = None

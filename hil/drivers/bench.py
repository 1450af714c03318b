"""The inlet of a bench: resistors behind relays in place of a car's, an oscilloscope on the pilot, our own car.

The box keeps a `sim.Pilot` as its model of the line: what the car hangs on it goes to the relays, what the oscilloscope
sees comes back into it. So the same car drives a bench and the simulated world; its modem is a real one.
"""

from __future__ import annotations

import asyncio
import random
from typing import Annotated, Any

from msgspec import Meta

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.module import ModuleConfig
from chargebyte_fw.sim.car import Car, CarWires
from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.net_sockets import PacketPort, SocketNet
from chargebyte_fw.sim.pilot import CarState, Drive, Pilot
from hil.drivers import Driver, Resource, Stage, active
from hil.drivers.labgrid_rig import Labgrid
from hil.drivers.plant import BATTERY_KWH
from hil.drivers.scpi import Scpi

PP_CODES = {"none": 0, "13": 1, "20": 2, "32": 3, "63": 4, "invalid": 7}
STEADY_V = 1.5
"""The two peaks of a line without PWM are nearer to each other than this."""
LOWEST_V = {"A": 10.5, "B": 7.5, "C": 4.5, "D": 1.5}
"""Lowest positive peak of each state (IEC 61851-1 table A.4, midway)."""


def drive_of(high_V: float, low_V: float, duty_percent: float) -> tuple[Drive, float]:
    """Return what the charger drives, from the peaks that the oscilloscope sees at the inlet."""
    if high_V - low_V >= STEADY_V:
        return Drive.PWM, duty_percent
    if high_V >= STEADY_V:
        return Drive.PLUS, 100.0
    return (Drive.MINUS if low_V <= -STEADY_V else Drive.OFF), 0.0


def letter_of(drive: Drive, high_V: float) -> str:
    """Return the state of the line, `A` to `F`, as it is measured."""
    if drive in (Drive.OFF, Drive.MINUS):
        return "E" if drive is Drive.OFF else "F"
    return next((letter for letter, least_V in LOWEST_V.items() if high_V >= least_V), "E")


class InletBox(Resource):
    """Relays and an oscilloscope. The relays are named in the rig file; what is not wired stays as it is."""

    bindings = {"labgrid": "Labgrid", "scope": "Scpi"}

    class Options(ModuleConfig):
        """What is wired, and how often is measured."""

        outputs: Annotated[
            dict[str, str],
            Meta(
                description="labgrid's output for each: plugged (2.74 kOhm behind the diode), wants_power (1.3 kOhm "
                "beside it), ventilation (270 Ohm beside it), diode, short, pp_13 and so on, pp_invalid, leak."
            ),
        ] = {}
        period_s: Annotated[float, Meta(gt=0, description="Time between two measurements, in s.")] = 0.01
        closed_above: Annotated[float, Meta(description="Reading of `contactors` from which on they are closed.")] = 2.5

    async def activate(self, stage: Stage) -> None:
        """Open every relay and begin to measure; raises Unavailable for an output that the rig lacks."""
        self.pilot = Pilot()
        self._set: dict[str, bool] = {}
        self._changed = asyncio.Event()
        await super().activate(stage)
        await self._switch()
        self.pilot.on_change.append(self._changed.set)
        self.spawn(self._follow())
        self.spawn(self._measure())

    async def deactivate(self) -> None:
        """Open every relay."""
        if self.stage is not None:
            self.pilot.car_state, self.pilot.diode_fault, self.pilot.cp_short = CarState.A, False, False
            self.pilot.pp_code, self.pilot.residual_current_mA = 0, 0.0
            await self._switch()
        await super().deactivate()

    def wanted(self) -> dict[str, bool]:
        """Return how each relay has to be for what hangs on the line."""
        pilot = self.pilot
        wanted = {
            "plugged": pilot.car_state is not CarState.A,
            "wants_power": pilot.car_state is CarState.C,
            "ventilation": pilot.car_state is CarState.D,
            "diode": pilot.diode_fault,
            "short": pilot.cp_short,
            "leak": pilot.residual_current_mA > 0,
        }
        return wanted | {f"pp_{word}": pilot.pp_code == code for word, code in PP_CODES.items() if code}

    async def _switch(self) -> None:
        labgrid: Labgrid = self.bound["labgrid"]
        self._changed.clear()
        for what, on in self.wanted().items():
            output = self.options.outputs.get(what)
            if output is None or self._set.get(what) is on:
                continue
            await labgrid.set(output, on)
            self._set[what] = on

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            await self._switch()

    async def _measure(self) -> None:
        scope: Scpi = self.bound["scope"]
        while True:
            seen = await self._look(scope)
            if seen is None:
                await asyncio.sleep(self.options.period_s)
                continue
            high_V, low_V, percent, contactors = seen
            drive, duty = drive_of(high_V, low_V, percent)
            closed = contactors > self.options.closed_above
            self.pilot.drive_line(drive is not Drive.OFF, {Drive.MINUS: 0.0, Drive.PLUS: 100.0}.get(drive, duty))
            self.pilot.contactors_closed = closed
            assert self.stage is not None
            self.stage.recorder.put(
                cp=letter_of(drive, high_V),
                drive=drive.value,
                duty_percent=duty,
                cp_high_V=high_V,
                cp_low_V=low_V,
                contactors="closed" if closed else "open",
            )
            self.stage.recorder.look()
            await asyncio.sleep(self.options.period_s)

    async def _look(self, scope: Scpi) -> tuple[float, float, float, float] | None:
        """Return peaks in V, duty cycle in %, and what shows the contactors; None while one of them is out of range."""
        if (peaks := await scope.measure("high_V", "low_V")) is None:
            return None
        high_V, low_V = peaks
        names = ("duty_percent", "contactors") if high_V - low_V >= STEADY_V else ("contactors",)
        if (others := await scope.measure(*names)) is None:
            return None
        return high_V, low_V, others[0] if len(others) > 1 else 0.0, others[-1]


class BenchDriver(Driver):
    """A driver of the inlet."""

    bindings = {"inlet": "InletBox"}

    @property
    def inlet(self) -> InletBox:
        """The box."""
        box: InletBox = self.bound["inlet"]
        return box

    def _need(self, output: str) -> None:
        if output not in self.inlet.options.outputs:
            raise Unavailable(f"{output} is not wired on this rig")


class BenchPilot(BenchDriver):
    """What is on the pilot beside the car's own resistors."""

    protocol = "Pilot"

    async def rest(self) -> None:
        """A sound line and a sound diode."""
        self.inlet.pilot.cp_short = self.inlet.pilot.diode_fault = False

    @active
    async def short(self, present: bool) -> None:
        """Short the line to protective earth."""
        self._need("short")
        self.inlet.pilot.cp_short = present

    @active
    async def bridge_diode(self, present: bool) -> None:
        """Bridge the diode."""
        self._need("diode")
        self.inlet.pilot.diode_fault = present

    @active
    async def show(self, state: str) -> None:
        """Hang the resistor of a state on the line."""
        self.inlet.pilot.car_state = CarState(state)


class BenchProximity(BenchDriver):
    """Resistors on the proximity pilot."""

    protocol = "Proximity"

    @active
    async def code(self, word: str) -> None:
        """Show a cable."""
        if word != "none":
            self._need(f"pp_{word}")
        self.inlet.pilot.pp_code = PP_CODES[word]


class BenchCar(BenchDriver):
    """Our car at the bench's inlet, with a real modem on a network interface of this machine."""

    protocol = "Load"

    class Options(ModuleConfig):
        """Where the car's modem is."""

        interface: Annotated[str, Meta(description="Network interface of the car's PLC modem.")]

    async def activate(self, stage: Stage) -> None:
        """Sit at the wheel; raises Unavailable without the interface."""
        self._port = PacketPort(self.options.interface)
        self._net = SocketNet(self.options.interface)
        await super().activate(stage)
        self._car: Car | None = None
        self._model: Model | None = None

    async def deactivate(self) -> None:
        """Pull the plug."""
        if self.stage is not None:
            self._park()
            self._net.close()
            self._port.close()
        await super().deactivate()

    def _park(self) -> None:
        car, self._car = self._car, None
        if car is not None:
            car.close()

    async def rest(self) -> None:
        """The car leaves; the scenario's own one comes with its first script."""
        self._park()
        self.inlet.pilot.residual_current_mA = 0.0

    @property
    def car(self) -> Car:
        """The scenario's car."""
        if self._car is None:
            assert self.stage is not None
            scenario = self.stage.scenario
            model = Model(
                scenario.car, battery_kWh=BATTERY_KWH, soc_percent=scenario.soc_percent, target_soc_percent=100.0
            )
            self._model = model
            wires = CarWires(self.inlet.pilot, self._port, self._net)
            self._car = Car(
                wires,
                model.battery(),
                model.settings(self._port.mac),
                self._reported,
                self._broken,
                chance=random.Random(),
            )
        return self._car

    def _broken(self, error: BaseException) -> None:
        self.failure = self.failure or error

    def _reported(self, report: dict[str, Any]) -> None:
        if self.stage is None:
            return
        if "step" in report:
            self.recorder.put(car=self.recorder.now["car"] | {report["step"]})
        if "failure" in report:
            self.recorder.put(car_failed="yes")
            self.recorder.mark("car", f"failed: {report['failure']}")
        if report.get("script") == "ended":
            self.recorder.put(script="ended")

    @active
    async def run(self, script: str) -> None:
        """Begin a script; raises ScriptError."""
        self.recorder.put(car=frozenset(), car_failed="no", script="running")
        self.car.run(script)

    @active
    async def go_on(self, script: str) -> None:
        """Go on with another script; raises ScriptError."""
        self.recorder.put(script="running")
        self.car.replace(script)

    @active
    async def session(self) -> None:
        """Begin the whole session of the car."""
        self.recorder.put(car=frozenset(), car_failed="no", script="running")
        car = self.car
        assert self._model is not None
        car.replace(self._model.scripts().session)

    @active
    async def leak(self, current_mA: float) -> None:
        """Switch the resistor to earth in or out; its value is the rig's."""
        if current_mA:
            self._need("leak")
        self.inlet.pilot.residual_current_mA = current_mA


class BenchPlcLink(BenchDriver):
    """The power line: a relay that opens it, and the car's V2G stack."""

    protocol = "PlcLink"
    bindings = {"inlet": "InletBox", "labgrid": "Labgrid"}

    class Options(ModuleConfig):
        """What is wired."""

        cut: Annotated[str, Meta(description="labgrid's output that opens the line; empty: none.")] = ""

    async def rest(self) -> None:
        """Close the line."""
        await self.lose(0.0)

    @active
    async def lose(self, share: float) -> None:
        """Open the line (1) or close it (0); raises Unavailable for anything between."""
        if not self.options.cut and share:
            raise Unavailable("the power line cannot be opened on this rig")
        if share not in (0.0, 1.0):
            raise Unavailable(f"this rig cannot lose {share:g} of the frames, only none or all")
        if self.options.cut:
            labgrid: Labgrid = self.bound["labgrid"]
            await labgrid.set(self.options.cut, bool(share))

    @active
    async def silence_car(self) -> None:
        """Close the interface's connection without a word: only the car can; raises Unavailable."""
        raise Unavailable("a car on a real interface does not die silently here: pull the line with plc loss 1")

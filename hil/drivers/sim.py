"""Every protocol without hardware, over the virtual plant: power, car, pilot, power line, and the charger's facts."""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path
from typing import Any

from chargebyte_fw.kernel.faults import Fault, Severity
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.sim.pilot import CarState, Drive
from hil.drivers import Driver, Stage, active
from hil.drivers.plant import VirtualPlant
from hil.protocols import Identity

PP_CODES = {"none": 0, "13": 1, "20": 2, "32": 3, "63": 4, "invalid": 7}
MAINS_LOST = "UnderVoltageAC"


class SimDriver(Driver):
    """A driver of the virtual plant."""

    bindings = {"plant": "VirtualPlant"}

    @property
    def plant(self) -> VirtualPlant:
        """The plant."""
        plant: VirtualPlant = self.bound["plant"]
        return plant


class SimPower(SimDriver):
    """The board's supply."""

    protocol = "Power"

    @active
    async def switch(self, on: bool) -> None:
        """Give the board its supply, or take it."""
        await self.plant.power(on)


class SimMains(SimDriver):
    """The grid: without it the power stage reports it and gives nothing."""

    protocol = "Mains"

    @active
    async def switch(self, on: bool) -> None:
        """Let the grid come, or fail."""
        await self.fault(MAINS_LOST, not on)

    @active
    async def fault(self, error: str, present: bool) -> None:
        """Let the power stage report one of its faults, or take it back; an AC charger has no power stage."""
        assembly = self.plant.assembly
        books = [] if assembly is None else [book for (_, _), book in _supplies(assembly)]
        for book in books:
            name = f"power_supply_DC/{error}"
            if present:
                book.raise_fault(name, "injected by the rig", severity=Severity.High)
            else:
                book.clear(name)


def _supplies(assembly: Assembly) -> list[tuple[tuple[str, str], Any]]:
    return [(key, one.faults) for key, one in assembly.implementations.items() if "voltage_current" in one.variables]


class SimPilot(SimDriver):
    """The control pilot; every change is a sample."""

    protocol = "Pilot"

    async def activate(self, stage: Stage) -> None:
        """Watch the pilot."""
        await super().activate(stage)
        self.plant.world.pilot.on_change.append(self._changed)
        self._changed()

    async def deactivate(self) -> None:
        """Look away."""
        if self.stage is not None and self._changed in self.plant.world.pilot.on_change:
            self.plant.world.pilot.on_change.remove(self._changed)
        await super().deactivate()

    def _changed(self) -> None:
        pilot = self.plant.world.pilot
        self.recorder.put(
            cp=pilot.letter,
            drive=pilot.drive.value,
            duty_percent=100.0 if pilot.drive is Drive.PLUS else pilot.duty_percent or 0.0,
            cp_high_V=pilot.positive_peak_V,
            cp_low_V=pilot.negative_peak_V,
            contactors="closed" if pilot.contactors_closed else "open",
        )

    @active
    async def short(self, present: bool) -> None:
        """Short the line to protective earth."""
        self.plant.world.pilot.cp_short = present

    @active
    async def bridge_diode(self, present: bool) -> None:
        """Bridge the car's diode."""
        self.plant.world.pilot.diode_fault = present

    async def rest(self) -> None:
        """A sound line and a sound diode."""
        await self.short(False)
        await self.bridge_diode(False)

    @active
    async def show(self, state: str) -> None:
        """Hang the resistor of a state on the line."""
        self.plant.world.pilot.car_state = CarState(state)


class SimProximity(SimDriver):
    """The proximity pilot: what is shown stays, whatever the car plugs in, until the scenario ends."""

    protocol = "Proximity"
    _forced: int | None = None

    async def activate(self, stage: Stage) -> None:
        """Show what the car's own cable shows."""
        await super().activate(stage)
        self.plant.world.pilot.on_change.append(self._hold)

    async def deactivate(self) -> None:
        """Let go."""
        if self.stage is not None:
            self.plant.world.pilot.on_change.remove(self._hold)
        await super().deactivate()

    def _hold(self) -> None:
        if self._forced is not None:
            self.plant.world.pilot.pp_code = self._forced

    @active
    async def code(self, word: str) -> None:
        """Show a cable."""
        self._forced = PP_CODES[word]
        self._hold()

    async def rest(self) -> None:
        """Show what the car's own cable shows."""
        self._forced = None


class SimPlcLink(SimDriver):
    """The power line."""

    protocol = "PlcLink"

    @active
    async def lose(self, share: float) -> None:
        """Lose this share of all frames between the modems; of the car's TCP only a dead line (1) keeps anything."""
        self.plant.world.modems.line.options.loss = share
        self.plant.net.dead = share >= 1.0

    async def rest(self) -> None:
        """Lose nothing."""
        await self.lose(0.0)

    @active
    async def silence_car(self) -> None:
        """Let the car's V2G stack die without a word."""
        self.plant.world.car.fall_silent()


class SimCar(SimDriver):
    """The virtual car."""

    protocol = "Load"

    async def activate(self, stage: Stage) -> None:
        """Record what the car reports."""
        await super().activate(stage)
        self.plant.reports.append(self._reported)

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

    def _begins(self) -> None:
        self.recorder.put(car=frozenset(), car_failed="no", script="running")

    @active
    async def run(self, script: str) -> None:
        """Begin a script; raises ScriptError."""
        self._begins()
        self.plant.world.car.run(script)

    @active
    async def go_on(self, script: str) -> None:
        """Go on with another script; raises ScriptError."""
        self.recorder.put(script="running")
        self.plant.world.car.replace(script)

    @active
    async def session(self) -> None:
        """Begin the whole session of the car: a plug that is in stays in."""
        self._begins()
        self.plant.world.car.replace(self.plant.world.model.scripts().session)

    async def rest(self) -> None:
        """No residual current."""
        await self.leak(0.0)

    @active
    async def leak(self, current_mA: float) -> None:
        """Let a residual current flow."""
        self.plant.world.pilot.residual_current_mA = current_mA


class SimMeter(SimDriver):
    """Voltage and current at the car's inlet."""

    protocol = "Meter"

    async def activate(self, stage: Stage) -> None:
        """Sample with the pilot's changes and in between."""
        await super().activate(stage)
        self.plant.samplers.append(self._sample)
        self.plant.world.pilot.on_change.append(self._sample)

    async def deactivate(self) -> None:
        """End sampling."""
        if self.stage is not None:
            self.plant.samplers.remove(self._sample)
            self.plant.world.pilot.on_change.remove(self._sample)
        await super().deactivate()

    def _sample(self) -> None:
        voltage_V, current_A = self.read()
        self.recorder.put(voltage_V=round(voltage_V, 2), current_A=round(current_A, 3))

    def read(self) -> tuple[float, float]:
        """Return V and A now; A of one phase in AC."""
        inlet = self.plant.world.car.inlet
        return inlet.voltage_V, inlet.current_A


class SimConsole(SimDriver):
    """The charger's log."""

    protocol = "Console"

    async def activate(self, stage: Stage) -> None:
        """Listen to the charger's log."""
        await super().activate(stage)
        self.lines = 0
        self._handler = _Listener(self._line)
        logger = self.plant.logger()
        self._level, self._propagate = logger.level, logger.propagate
        logger.addHandler(self._handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False

    async def deactivate(self) -> None:
        """Leave the log as it was."""
        if self.stage is not None:
            logger = self.plant.logger()
            logger.removeHandler(self._handler)
            logger.setLevel(self._level)
            logger.propagate = self._propagate
        await super().deactivate()

    def _line(self, record: logging.LogRecord) -> None:
        self.lines += 1
        module = getattr(record, "module_id", record.name)
        level = "" if record.levelno < logging.WARNING else f"{record.levelname} "
        self.recorder.mark("console", f"{level}{module}: {record.getMessage()}")


class _Listener(logging.Handler):
    def __init__(self, line: Any) -> None:
        super().__init__()
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        self._line(record)


class SimCharger(SimDriver):
    """The charger's facts, received on its own bus."""

    protocol = "Charger"

    async def activate(self, stage: Stage) -> None:
        """Listen to each charger that is powered from now on."""
        await super().activate(stage)
        self.plant.on_assembly.append(self._listen)

    def _listen(self, assembly: Assembly) -> None:
        self.recorder.put(faults=frozenset(), session="")
        for one in assembly.implementations.values():
            one.faults.subscribe(self._faults, self._faults)
            if "session_event" in one.variables:
                one.session_event.subscribe(self._session)  # type: ignore[attr-defined]
            if "voltage_current" in one.variables:
                one.voltage_current.subscribe(self._output)  # type: ignore[attr-defined]

    def _faults(self, _fault: Fault) -> None:
        if self.stage is not None and self.plant.assembly is not None:
            books = self.plant.assembly.runtime.all_faults
            self.recorder.put(faults=frozenset(fault.type for book in books for fault in book.active))

    def _session(self, event: Any) -> None:
        if self.stage is not None:
            self.recorder.put(session=event.event.value)

    def _output(self, output: Any) -> None:
        if self.stage is not None:
            self.recorder.put(supply_V=round(output.voltage_V, 2), supply_A=round(output.current_A, 3))

    @active
    async def command(self, name: str, payload: str) -> None:
        """Give an operator's command over the charger's API."""
        for topic, take in self.plant.mailbox.takers.items():
            if topic.endswith(f"/cmd/{name}"):
                take(topic, payload)
                return
        known = sorted(topic.rpartition("/")[2] for topic in self.plant.mailbox.takers)
        raise LookupError(f"the charger takes no command {name} (it takes {', '.join(known)})")


class SimImage(SimDriver):
    """What runs: this package."""

    protocol = "Image"

    @active
    async def identity(self) -> Identity:
        """Return versions; the commit where the charger's files are a checkout."""
        from chargebyte_fw import VERSION

        hardware = self.plant.world.mcu.mcu.hardware
        firmware = hardware.firmware
        assert self.stage is not None
        return Identity(
            firmware=f"chargebyte_fw {VERSION}",
            commit=commit_of(self.stage.root),
            configuration=self.plant.configuration.name,
            safety_firmware=f"{firmware.major}.{firmware.minor}.{firmware.build} (simulated)",
        )


def commit_of(checkout: Path) -> str:
    """Return the commit that is checked out there, `+` if files differ from it, "" where that is unknown."""
    if not (checkout / ".git").exists():
        return ""
    git = ["git", "-C", str(checkout)]
    try:
        commit = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return commit.stdout.strip() + ("+" if changed.stdout.strip() else "")

"""The control pilot between car and charger as voltages (IEC 61851-1 annex A): the simulation's electrical seam.

The charger drives +12 V, -12 V, a 1 kHz square wave or nothing through 1 kOhm; the car hangs a diode and a resistor on
the line. Both ends read what follows from that, and are notified of every change.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, StrEnum

SOURCE_V = 12.0
SOURCE_OHM = 1000.0
DIODE_V = 0.7

RESISTANCE_OHM = {"B": 2740.0, "C": 882.0, "D": 246.0}
"""What a car shows behind its diode (IEC 61851-1 table A.3); nothing in state A."""


class CarState(StrEnum):
    """What hangs on the line: nothing (A), a car (B), a car that wants energy (C), the same with ventilation (D)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class Drive(Enum):
    """What the charger's generator puts on the line."""

    OFF = "0 V"
    PLUS = "+12 V"
    MINUS = "-12 V"
    PWM = "1 kHz"


class Pilot:
    """One control pilot with its proximity pilot and the contactors behind it. No clock, no I/O.

    Car's end: assign `car_state`, `diode_fault`, `cp_short`, `pp_code`, `residual_current_mA`.
    Charger's end (the virtual safety controller): `drive_line()`, `contactors_closed`.
    Both ends read everything; each function in `on_change` is called after a change, never inside a call of itself.
    """

    def __init__(self) -> None:
        self.on_change: list[Callable[[], None]] = []
        self._car_state = CarState.A
        self._diode_fault = False
        self._cp_short = False
        self._pp_code = 0
        self._residual_current_mA = 0.0
        self._drive = Drive.OFF
        self._duty_percent = 0.0
        self._contactors_closed = False
        self._notifying = False
        self._changed = False

    @property
    def car_state(self) -> CarState:
        """What the car shows; assign "A" to unplug, "B" to plug in or pause, "C" or "D" to ask for energy."""
        return self._car_state

    @car_state.setter
    def car_state(self, state: CarState | str) -> None:
        self._set("_car_state", CarState(state))

    @property
    def plugged(self) -> bool:
        """Whether a car hangs on the line."""
        return self._car_state is not CarState.A

    @property
    def diode_fault(self) -> bool:
        """Whether the car's diode conducts both ways: the negative half wave sinks too."""
        return self._diode_fault

    @diode_fault.setter
    def diode_fault(self, present: bool) -> None:
        self._set("_diode_fault", bool(present))

    @property
    def cp_short(self) -> bool:
        """Whether the line is shorted to protective earth."""
        return self._cp_short

    @cp_short.setter
    def cp_short(self, present: bool) -> None:
        self._set("_cp_short", bool(present))

    @property
    def pp_code(self) -> int:
        """The cable's code on the proximity pilot as `PpState` counts: 0 none, 3 32 A."""
        return self._pp_code

    @pp_code.setter
    def pp_code(self, code: int) -> None:
        self._set("_pp_code", int(code))

    @property
    def residual_current_mA(self) -> float:
        """Smooth direct residual current of the car while the contactors are closed."""
        return self._residual_current_mA

    @residual_current_mA.setter
    def residual_current_mA(self, current: float) -> None:
        self._set("_residual_current_mA", float(current))

    @property
    def drive(self) -> Drive:
        """What the charger puts on the line."""
        return self._drive

    def drive_line(self, pwm_active: bool, duty_percent: float) -> None:
        """Charger's end: off, or the generator at `duty_percent` (0 constant -12 V, 100 constant +12 V)."""
        if not pwm_active:
            drive = Drive.OFF
        elif duty_percent <= 0.0:
            drive = Drive.MINUS
        else:
            drive = Drive.PLUS if duty_percent >= 100.0 else Drive.PWM
        self._duty_percent, before = duty_percent if drive is Drive.PWM else 0.0, (self._drive, self._duty_percent)
        self._drive = drive
        if before != (self._drive, self._duty_percent):
            self._notify()

    @property
    def duty_percent(self) -> float | None:
        """Duty cycle of the square wave in percent, None when there is none (0 V, +12 V, -12 V)."""
        return self._duty_percent if self._drive is Drive.PWM else None

    @property
    def contactors_closed(self) -> bool:
        """Whether the car is connected to the power stage."""
        return self._contactors_closed

    @contactors_closed.setter
    def contactors_closed(self, closed: bool) -> None:
        self._set("_contactors_closed", bool(closed))

    @property
    def positive_peak_V(self) -> float:
        """Highest voltage on the line."""
        if self._drive in (Drive.OFF, Drive.MINUS):
            return self.negative_peak_V if self._drive is Drive.MINUS else 0.0
        return self._loaded(SOURCE_V, diode=True)

    @property
    def negative_peak_V(self) -> float:
        """Lowest voltage on the line."""
        if self._drive in (Drive.OFF, Drive.PLUS):
            return self.positive_peak_V if self._drive is Drive.PLUS else 0.0
        return self._loaded(-SOURCE_V, diode=self._diode_fault)

    def _loaded(self, source_V: float, diode: bool) -> float:
        if self._cp_short:
            return 0.0
        ohm = RESISTANCE_OHM.get(self._car_state)
        if ohm is None or not diode:
            return source_V
        drop_V = 0.0 if self._diode_fault else DIODE_V
        current_A = (abs(source_V) - drop_V) / (SOURCE_OHM + ohm)
        return (abs(source_V) - current_A * SOURCE_OHM) * (1 if source_V > 0 else -1)

    @property
    def letter(self) -> str:
        """State of the line, `A` to `F`: the car's while +12 V reaches it, E at 0 V (or shorted), F at -12 V."""
        if self._drive is Drive.OFF or self._cp_short:
            return "E"
        if self._drive is Drive.MINUS:
            return "F"
        return self._car_state.value

    def _set(self, name: str, value: object) -> None:
        if getattr(self, name) != value:
            setattr(self, name, value)
            self._notify()

    def _notify(self) -> None:
        self._changed = True
        if self._notifying:
            return
        self._notifying = True
        try:
            while self._changed:
                self._changed = False
                for call in tuple(self.on_change):
                    call()
        finally:
            self._notifying = False

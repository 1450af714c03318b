"""The board of YetiSimulator: one pilot with both ends, contactors, residual current device. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable

from chargebyte_fw.contracts.types.board_support_common import BspEventEvent, ProximityPilotAmpacity
from chargebyte_fw.sim.car_power import allowed_current_A
from chargebyte_fw.sim.pilot import CarState, Drive, Pilot

RCD_TRIPS_mA = 5.0
"""Direct residual current above which the device trips."""
PP_32_A = 3
AMPACITY = {0: ProximityPilotAmpacity.None_, PP_32_A: ProximityPilotAmpacity.A_32}
HLC_DUTY = (3.0, 7.0)
"""Duty cycles that stand for digital communication: the pilot limits nothing (IEC 61851-1 table A.7)."""


class Board:
    """Both ends of one pilot and what hangs on it; `changed` is called after each order that changes something.

    While the board is disabled it holds -12 V; the charger's last order is carried out once it is enabled.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self.pilot = Pilot()
        self.enabled = True
        self.permitted = False
        """The charger lets the contactors close."""
        self.closed = False
        """The contactors are closed."""
        self.tripped = False
        """The residual current device has tripped."""
        self.three_phases = True
        self.car_wants_power = False
        self.car_current_A = 0.0
        self.car_phases = 3
        self._order = (True, 0.0)
        self._drive()
        self.pilot.on_change.append(self._settle)

    # The charger's end.

    def enable(self, enabled: bool) -> None:
        """Enable or disable the connector."""
        self.enabled = enabled
        self._drive()

    def drive(self, pwm_active: bool, duty_percent: float) -> None:
        """Put this on the line: no generator, or its duty cycle (0: -12 V, 100: +12 V)."""
        self._order = (pwm_active, duty_percent)
        self._drive()

    def _drive(self) -> None:
        self.pilot.drive_line(*(self._order if self.enabled else (True, 0.0)))

    def permit(self, permitted: bool) -> None:
        """Let the contactors close, or open them."""
        self.permitted = permitted
        self._settle()

    def reset_rcd(self) -> bool:
        """Reset the residual current device; returns whether it stays reset."""
        self.tripped = self.pilot.residual_current_mA > RCD_TRIPS_mA
        self._settle()
        return not self.tripped

    def use_three_phases(self, three: bool) -> None:
        """Connect three phases or one."""
        self.three_phases = three
        self._settle()

    # The car's end.

    def hang(self, cp_state: str) -> None:
        """Hang a state on the pilot: `A` to `D`, or a short circuit (`E`)."""
        self.pilot.cp_short = cp_state == "E"
        if cp_state != "E":
            self.pilot.pp_code = 0 if cp_state == "A" else PP_32_A
            self.pilot.car_state = CarState(cp_state)

    def car_draws(self, wanted: bool, current_A: float | None = None, phases: int | None = None) -> None:
        """Let the car draw power; None: as before."""
        self.car_wants_power = wanted
        self.car_current_A = self.car_current_A if current_A is None else current_A
        self.car_phases = self.car_phases if phases is None else phases
        self._settle()

    # What follows.

    def _settle(self) -> None:
        pilot = self.pilot
        if pilot.residual_current_mA > RCD_TRIPS_mA:
            self.tripped = True
        elif self.tripped and not pilot.plugged:
            self.tripped = False
        able = self.enabled and self.permitted and not self.tripped and not self.diode_fault
        self.closed = able and pilot.letter in ("C", "D")
        pilot.contactors_closed = self.closed
        self._changed()

    @property
    def diode_fault(self) -> bool:
        """The negative half wave of the pilot does not reach -12 V though a car is there."""
        return self.pilot.drive is Drive.PWM and self.pilot.plugged and self.pilot.negative_peak_V > -10.9

    @property
    def state(self) -> BspEventEvent:
        """The state of the pilot."""
        return BspEventEvent(self.pilot.letter)

    @property
    def duty_percent(self) -> float:
        """The duty cycle as a car measures it: 100 at +12 V, 0 at 0 V and -12 V."""
        if self.pilot.drive is Drive.PLUS:
            return 100.0
        return self.pilot.duty_percent or 0.0

    @property
    def ampacity(self) -> ProximityPilotAmpacity:
        """What the cable is coded for."""
        return AMPACITY[self.pilot.pp_code]

    @property
    def phases(self) -> int:
        """Phases on which current flows while it flows."""
        return min(self.car_phases, 3 if self.three_phases else 1)

    @property
    def current_A(self) -> float:
        """Current of each phase: what the car draws and the pilot allows."""
        if not (self.closed and self.car_wants_power):
            return 0.0
        duty = self.duty_percent
        if HLC_DUTY[0] <= duty <= HLC_DUTY[1] or duty >= 97.0:
            return self.car_current_A
        return min(self.car_current_A, allowed_current_A(duty))

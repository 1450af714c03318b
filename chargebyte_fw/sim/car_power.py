"""What flows into the car: AC through its on-board charger, DC from the charger's power stage."""

from __future__ import annotations

from dataclasses import dataclass, field

from chargebyte_fw.sim.battery import Battery

NOMINAL_V = 230.0
MINIMUM_A = 6.0


def allowed_current_A(duty_percent: float) -> float:
    """Return the current that a duty cycle allows an AC car (IEC 61851-1 table A.8); 0: none."""
    if 8.0 <= duty_percent < 10.0:
        return MINIMUM_A
    if 10.0 <= duty_percent <= 85.0:
        return duty_percent * 0.6
    if 85.0 < duty_percent <= 96.0:
        return (duty_percent - 64.0) * 2.5
    if 96.0 < duty_percent <= 97.0:
        return 80.0
    return 0.0


@dataclass
class Inlet:
    """Voltage, current and energy at the car's inlet. `advance` moves the battery along; the setters set what flows."""

    battery: Battery = field(default_factory=Battery)
    voltage_V: float = 0.0
    current_A: float = 0.0
    """Per phase in AC."""
    phases: int = 1
    energy_Wh: float = 0.0
    """Into the car, less what came out of it."""
    discharged_Wh: float = 0.0
    """Out of the car, above zero."""
    _since_s: float = 0.0

    @property
    def power_W(self) -> float:
        """Power that flows into the car; below zero: out of it."""
        return self.voltage_V * self.current_A * self.phases

    def advance(self, now: float) -> None:
        """Take in what flowed since the last call, up to monotonic second `now`."""
        if self.power_W:
            moved_Wh = self.battery.draw(self.power_W, now - self._since_s)
            self.energy_Wh += moved_Wh
            self.discharged_Wh += max(0.0, -moved_Wh)
        self._since_s = now

    def rest(self, voltage_V: float = 0.0) -> None:
        """Nothing flows."""
        self.voltage_V, self.current_A, self.phases = voltage_V, 0.0, 1

    def flow_dc(self, voltage_V: float, current_A: float) -> None:
        """Direct current flows, as the charger measures it; below zero: out of the battery."""
        self.voltage_V, self.current_A, self.phases = voltage_V, current_A, 1

    def flow_ac(self, limit_A: float, phases: int) -> None:
        """The on-board charger draws up to `limit_A` a phase, and no more than the cells accept.

        Below zero it feeds back, as long as the battery is above its least charge.
        """
        if limit_A < 0:
            empty = self.battery.soc_percent <= self.battery.least_soc_percent or limit_A > -MINIMUM_A
            if empty:
                self.rest(NOMINAL_V)
            else:
                self.voltage_V, self.current_A, self.phases = NOMINAL_V, limit_A, phases
            return
        wanted_A = min(limit_A, self.battery.accepted_power_W / (NOMINAL_V * phases))
        if self.battery.soc_percent >= 100.0 or limit_A < MINIMUM_A:
            self.rest(NOMINAL_V)
        else:
            self.voltage_V, self.current_A, self.phases = NOMINAL_V, wanted_A, phases

"""What the group is wanted to do, what it has confirmed, what it is asked, and which command is next: one difference
after the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chargebyte_fw.contracts.types.power_supply_DC import Mode
from chargebyte_fw.modules.power.infypower.limits import Limits
from chargebyte_fw.modules.power.infypower.messages import (
    DIRECTION,
    EXPORT,
    IMPORT,
    OFF,
    ON,
    SET_CURRENT,
    SET_CUT_OFF,
    SET_VOLTAGE,
    SWITCH,
    Item,
)


@dataclass
class Wishes:
    """Kept while the group is away. `cut_off_V` (negative: none) overrides the voltage below which nothing is drawn."""

    bidirectional: bool
    cut_off_V: float = -1.0
    mode: Mode = Mode.Off
    export: tuple[float, float] = (0.0, 0.0)
    import_: tuple[float, float] = (0.0, 0.0)
    direction: int = EXPORT

    def set_mode(self, mode: Mode) -> bool:
        """Take a mode; False when the modules cannot, then they are wanted off."""
        possible = mode is not Mode.Import or self.bidirectional
        self.mode = mode if possible else Mode.Off
        if self.mode in (Mode.Export, Mode.Import):
            self.direction = IMPORT if self.mode is Mode.Import else EXPORT
        return possible

    @property
    def set_point(self) -> tuple[float, float]:
        """Voltage and current of the present direction, as they were asked for."""
        return self.import_ if self.direction == IMPORT else self.export

    def on(self, limits: Limits) -> bool:
        """Whether the output is wanted; a voltage that the modules cannot make small enough is none."""
        return self.mode in (Mode.Export, Mode.Import) and self.set_point[0] >= max(limits.min_voltage_V, 1.0)

    def wanted(self, limits: Limits) -> dict[Item, float]:
        """Return the value that each command should have been given, in the order in which they are given."""
        voltage_V, current_A = limits.clamp(*self.set_point)
        wanted: dict[Item, float] = {DIRECTION: self.direction}
        if self.direction == IMPORT:
            wanted[SET_CUT_OFF] = voltage_V if self.cut_off_V < 0 else self.cut_off_V
        if voltage_V >= limits.min_voltage_V:
            wanted[SET_VOLTAGE] = round(voltage_V, 3)
            wanted[SET_CURRENT] = round(current_A, 3)
        wanted[SWITCH] = ON if self.on(limits) else OFF
        return wanted


@dataclass
class Confirmed:
    """What the modules have confirmed, and what they have refused."""

    values: dict[Item, float] = field(default_factory=dict)
    refused: dict[Item, float] = field(default_factory=dict)

    @property
    def on(self) -> bool:
        """Whether the output is on; unknown counts as on."""
        return self.values.get(SWITCH) != OFF

    def next(self, wanted: dict[Item, float]) -> tuple[Item, float] | None:
        """Return the next command. Off comes first of all; the direction changes only while the output is off."""
        turns = self.values.get(DIRECTION) != wanted[DIRECTION]
        if self.on and (wanted[SWITCH] == OFF or turns):
            return self._open(SWITCH, OFF)
        for item, value in wanted.items():
            if self.values.get(item) != value and (command := self._open(item, value)) is not None:
                return command
        return None

    def _open(self, item: Item, value: float) -> tuple[Item, float] | None:
        """Nothing is asked twice that was refused, except to switch off."""
        if self.refused.get(item) == value and (item, value) != (SWITCH, OFF):
            return None
        if item is SWITCH and value == ON and self.refused:
            return None  # with a set point that was refused the output would be anything
        return item, value

    def take(self, item: Item, value: float) -> None:
        """Enter a confirmation."""
        self.values[item] = value
        self.refused.pop(item, None)

    def refuse(self, item: Item, value: float) -> None:
        """Enter a refusal."""
        self.refused[item] = value


@dataclass
class Question:
    """A question or command that is under way."""

    item: Item
    value: float
    expected: int
    tries: int = 1
    answers: dict[int, float] = field(default_factory=dict)
    otherwise: str = ""
    """What a module answered in place of the value asked for."""

    @property
    def is_off(self) -> bool:
        """Whether it switches the output off."""
        return self.item is SWITCH and self.value == OFF

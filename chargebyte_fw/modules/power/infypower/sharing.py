"""Notices that an address on the bus has two owners: another controller with ours, or one that commands our group.

An answer has its module and its controller, not its group or its question. With two
controllers of one address each of them gets the answers to the other's questions, and would take another group's volts
and amperes for its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chargebyte_fw.modules.power.infypower import messages as m
from chargebyte_fw.modules.power.infypower.timing import SHARED_GAP_S, SHARED_OVER_S, SHARED_S

LEAST_CONTROLLER = 240
"""Addresses from here on are controllers', below are modules'."""


@dataclass
class AddressWatch:
    """What was seen of another owner; `conflict` is its description, empty without one."""

    conflict: str = ""
    _since_s: float | None = None
    _latest_s: float = 0.0

    def other_command(self, asked: m.Message, source: int, group: int) -> str:
        """Return what is wrong with a frame of a controller that only this controller may send; empty: nothing is."""
        if asked.source == source:
            return f"another controller has the address {source} of this one"
        ours = asked.destination == group and asked.device == m.DEVICE_GROUP
        everyone = asked.destination == m.BROADCAST and (asked.item, asked.value) != (m.SWITCH, m.OFF)
        if asked.item.command is not m.Command.WRITE or asked.source < LEAST_CONTROLLER or not (ours or everyone):
            return ""
        return f"another controller ({asked.source}) commands group {group}"

    def seen(self, why: str, now: float, *, at_once: bool) -> bool:
        """Note a frame that comes from another owner, or for it; True when that makes a conflict that was none before.

        One command is a conflict `at_once`; what is only asked and answered must go on for SHARED_S: a module may come
        to the group, an answer may be late.
        """
        if self._since_s is None or now - self._latest_s > SHARED_GAP_S:
            self._since_s = now
        self._latest_s = now
        if self.conflict or not (at_once or now - self._since_s >= SHARED_S):
            return False
        self.conflict = why
        return True

    def explained(self) -> None:
        """Forget what was no conflict: the module is one of the group."""
        if not self.conflict:
            self._since_s = None

    def is_over(self, now: float) -> bool:
        """Whether there is a conflict of which nothing has been seen for SHARED_OVER_S."""
        return bool(self.conflict) and now - self._latest_s >= SHARED_OVER_S

    def over(self, now: float) -> bool:
        """End a conflict that is over; True when it was one."""
        if not self.is_over(now):
            return False
        self.conflict, self._since_s = "", None
        return True


@dataclass
class Members:
    """Who answers to us since the group was looked for, and which of them are the group."""

    master: int = -1
    """Who counted the group's modules."""
    status_s: dict[int, float] = field(default_factory=dict)
    """The modules that reported their limits, and when each reported its status last."""
    answering: set[int] = field(default_factory=set)
    outsiders: set[int] = field(default_factory=set)
    """Modules that answer without being of the group."""
    newcomers: set[int] = field(default_factory=set)
    """Those of them by whom the group has grown; they are taken in when no output is wanted."""
    recount_s: float = 0.0

    def __contains__(self, source: int) -> bool:
        return source in self.status_s or source == self.master

    def grow(self, count: int) -> bool:
        """Believe that outsiders are newcomers when the group counts more modules than are known; True when so."""
        if count <= len(self.status_s):
            return False
        self.newcomers |= self.outsiders
        self.outsiders.clear()
        return True

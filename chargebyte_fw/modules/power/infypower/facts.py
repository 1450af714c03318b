"""What is known of a group, from one look for it to the next: replaced whole."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from chargebyte_fw.modules.power.infypower import messages as m
from chargebyte_fw.modules.power.infypower.limits import Limits
from chargebyte_fw.modules.power.infypower.sharing import Members
from chargebyte_fw.modules.power.infypower.wishes import Confirmed


@dataclass
class GroupFacts:
    """Modules, their limits, what they have confirmed and measured."""

    members: Members = field(default_factory=Members)
    confirmed: Confirmed = field(default_factory=Confirmed)
    count: int = 0
    """How many modules the group has."""
    reported: dict[m.Item, dict[int, float]] = field(default_factory=dict)
    """Limits by module."""
    status: dict[int, int] = field(default_factory=dict)
    """Status bits by module."""
    current_A: float | None = None
    measured_s: float = 0.0
    """When a module answered to a poll last."""
    poll_s: float = 0.0
    """When the next poll is due."""

    def silent_module(self, now: float, limit_s: float) -> int | None:
        """Return a module of the group that has not sent its status for `limit_s`; None: there is none."""
        return next((source for source, at_s in self.members.status_s.items() if now - at_s > limit_s), None)


def description(count: int, limits: Limits, refused: Sequence[str]) -> list[m.Report]:
    """Return the lines about a group that was found. `refused`: overrides that do not apply."""
    text = (
        f"{count} module{'s' if count > 1 else ''} on the bus: {limits.min_voltage_V:g} to "
        f"{limits.max_voltage_V:g} V, {limits.max_current_A:g} A, {limits.max_power_W / 1000:g} kW"
    )
    lines = [m.Report(logging.WARNING, f"not applied: {one}") for one in refused]
    return [m.Report(logging.INFO, text), *lines]

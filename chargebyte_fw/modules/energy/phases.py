"""One phase or three: which one a leaf is offered when its power is short, with hysteresis and a count per session."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chargebyte_fw.contracts.types.energy import EvseState
from chargebyte_fw.modules.energy.limits import NodeLimit
from chargebyte_fw.modules.energy.market import phases_of


class SwitchingMode(StrEnum):
    """When the number of phases may change while charging."""

    Never = "Never"
    Oneway = "Oneway"
    Both = "Both"


class Stickiness(StrEnum):
    """What to stay with when the session has used up its switches."""

    SinglePhase = "SinglePhase"
    ThreePhase = "ThreePhase"
    DontChange = "DontChange"


class PhaseRules(msgspec.Struct, frozen=True):
    """The configuration of phase switching."""

    mode: SwitchingMode = SwitchingMode.Never
    max_switches: int = 0
    """Per session; 0 is unlimited."""
    stickiness: Stickiness = Stickiness.DontChange
    power_hysteresis_W: float = 200.0
    time_hysteresis_s: float = 600.0


class LeafContext(msgspec.Struct):
    """What is remembered of one leaf from run to run."""

    switches: int = 0
    active_phases: int | None = None
    one_phase_was_best_at: float | None = None
    """Monotonic second at which one phase was last the better choice."""
    in_session: bool = False

    def observe(self, state: EvseState | None, active_phases: int | None) -> None:
        """Count a change of the active phases; a new session begins at zero."""
        self.in_session = state not in (EvseState.Unplugged, EvseState.Finished)
        if not self.in_session:
            self.switches = 0
            self.one_phase_was_best_at = None
        elif active_phases is not None and self.active_phases is not None and active_phases != self.active_phases:
            self.switches += 1
        if active_phases is not None:
            self.active_phases = active_phases


def may_switch(rules: PhaseRules, path: NodeLimit) -> bool:
    """Return whether there is anything to choose: switching is on, the hardware can, and both counts are allowed."""
    return rules.mode is not SwitchingMode.Never and path.can_switch_phases and path.min_phases < phases_of(path)


def used_up(rules: PhaseRules, context: LeafContext) -> bool:
    """Return whether this session has switched as often as it may."""
    return rules.max_switches > 0 and context.switches >= rules.max_switches


def choose(
    rules: PhaseRules,
    path: NodeLimit,
    context: LeafContext,
    *,
    offered_W: float,
    voltage_V: float,
    now: float,
    is_present: bool,
) -> int:
    """Return the number of phases for a leaf's first purchase; `is_present` marks the slot that holds now."""
    most = phases_of(path)
    if not may_switch(rules, path) or path.power_W is None or path.min_current_A <= 0:
        return most
    least = path.min_phases
    active = min(max(path.active_phases or most, least), most)
    if used_up(rules, context):
        return {Stickiness.SinglePhase: least, Stickiness.ThreePhase: most, Stickiness.DontChange: active}[
            rules.stickiness
        ]
    threshold_W = path.min_current_A * most * voltage_V
    if offered_W < threshold_W:
        wanted = least
    elif not context.in_session or (
        rules.mode is SwitchingMode.Both and offered_W > threshold_W + rules.power_hysteresis_W
    ):
        wanted = most
    else:
        wanted = active
    if not is_present:
        return wanted
    if offered_W < threshold_W:
        context.one_phase_was_best_at = now
    elif active < wanted and context.one_phase_was_best_at is not None:
        rested_s = now - context.one_phase_was_best_at
        if rested_s < rules.time_hysteresis_s:
            return active
    return wanted

"""Limits and setpoints of one instant: how those of several profiles become one, and A becomes W."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chargebyte_fw.modules.ocpp.smart_charging.profile import NOTHING, Installed, Period, Phases, RateUnit

DIGITS = 6
"""Decimals that are kept: what a conversion there and back leaves beyond is no difference."""


GREATEST = 1e12
"""Greatest limit in A or W; one beyond it limits nothing."""


class Amount(msgspec.Struct, frozen=True, gc=False):
    """A limit: A per phase and W in all, either or both. The lower one holds."""

    per_phase_A: tuple[float, float, float] | None = None
    split: bool = False
    """Whether the phases differ."""
    total_W: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether nothing is limited."""
        return self.per_phase_A is None and self.total_W is None


OPEN = Amount()
Choice = Callable[[float, float], float]


def amount_of(value: Phases, unit: RateUnit, voltage_V: float) -> Amount:
    """Return the limit, or setpoint, that a period has in the unit of its schedule."""
    given = value.given
    if not given:
        return OPEN
    if unit is RateUnit.W and not value.split:
        return Amount(total_W=_kept(given[0]))
    # A phase without a value of its own has that of the others.
    lowest = min(given, key=abs)
    first, second, third = (_kept(one if one is not None else lowest) for one in value)
    if not value.split:
        second = third = first
    if unit is RateUnit.W:
        first, second, third = first / voltage_V, second / voltage_V, third / voltage_V
    return Amount((first, second, third), value.split)


def _kept(value: float) -> float:
    """Return a value within what no station exceeds, so that a conversion stays finite."""
    return max(-GREATEST, min(GREATEST, value))


def merged(one: Amount, other: Amount, choose: Choice = min) -> Amount:
    """Return what both allow: the lower limit, or with `max` the nearer one of discharge (below zero)."""
    if one.is_open:
        return other
    if other.is_open:
        return one
    a, b = one.per_phase_A, other.per_phase_A
    if a is None or b is None:
        per_phase = a or b
    else:
        per_phase = (choose(a[0], b[0]), choose(a[1], b[1]), choose(a[2], b[2]))
    if one.total_W is None or other.total_W is None:
        total = one.total_W if one.total_W is not None else other.total_W
    else:
        total = choose(one.total_W, other.total_W)
    return Amount(per_phase, one.split or other.split, total)


def rendered(amount: Amount, unit: RateUnit, phases: int, voltage_V: float, choose: Choice = min) -> Phases:
    """Return the amount in `unit` for so many phases; every part of it is kept to.

    With fewer than three phases it is not known which of them the car has: the value of each is that of the tightest.
    """
    per_phase, total, split = amount.per_phase_A, amount.total_W, amount.split
    if per_phase is not None and split and phases < 3:
        tightest = choose(choose(per_phase[0], per_phase[1]), per_phase[2])
        per_phase, split = (tightest, tightest, tightest), False
    share_A = None if total is None else total / (phases * voltage_V)
    if per_phase is None:
        if total is None:
            return NOTHING
        return Phases(round(total if unit is RateUnit.W else total / (phases * voltage_V), DIGITS))
    if not split:
        each = per_phase[0]
        if unit is RateUnit.A:
            return Phases(round(each if share_A is None else choose(each, share_A), DIGITS))
        sum_W = each * phases * voltage_V
        return Phases(round(sum_W if total is None else choose(sum_W, total), DIGITS))
    if share_A is not None and total is not None and choose(sum(per_phase) * voltage_V, total) == total:
        per_phase = (choose(per_phase[0], share_A), choose(per_phase[1], share_A), choose(per_phase[2], share_A))
    factor = voltage_V if unit is RateUnit.W else 1.0
    return Phases(*(round(one * factor, DIGITS) for one in per_phase))


def in_all(one: Amount, other: Amount, phases: int, voltage_V: float) -> Amount:
    """Return the sum of the limits of two EVSEs."""
    a, b = one.per_phase_A, other.per_phase_A
    if a is not None and b is not None and one.total_W is None and other.total_W is None:
        return Amount((a[0] + b[0], a[1] + b[1], a[2] + b[2]), one.split or other.split)
    if a is None and b is None and one.total_W is not None and other.total_W is not None:
        return Amount(total_W=one.total_W + other.total_W)
    # Mixed units: per phase in A, each with its own conversion.
    first = rendered(one, RateUnit.A, phases, voltage_V)
    second = rendered(other, RateUnit.A, phases, voltage_V)
    if first.value is None or second.value is None:
        return OPEN
    values = [
        (x if x is not None else first.value) + (y if y is not None else second.value)
        for x, y in zip(first, second, strict=True)
    ]
    return Amount((values[0], values[1], values[2]), first.split or second.split)


class Bounds(msgspec.Struct, frozen=True):
    """What the profiles allow at one instant."""

    limit: Amount = OPEN
    discharge: Amount = OPEN
    phases: int | None = None
    phase_to_use: int | None = None


UNLIMITED = Bounds()


def bounds_of(period: Period, installed: Installed, voltage_V: float, soc_percent: float | None) -> Bounds:
    """Return what one period allows."""
    schedule, extras = installed.schedule, period.extras
    limit = amount_of(period.limits, schedule.unit, voltage_V)
    at_soc = schedule.limit_at_soc
    if at_soc is not None and soc_percent is not None and soc_percent >= at_soc.soc_percent:
        limit = merged(limit, amount_of(Phases(at_soc.limit), schedule.unit, voltage_V))
    if extras.sleep or extras.mode == "Idle":
        limit = amount_of(Phases(0.0), schedule.unit, voltage_V)
    discharge = amount_of(extras.discharge, schedule.unit, voltage_V)
    return Bounds(limit, discharge, period.phases, extras.phase_to_use)


def narrowed(one: Bounds, other: Bounds) -> Bounds:
    """Return what both allow."""
    if other is UNLIMITED:
        return one
    phases = other.phases if one.phases is None else one.phases
    if one.phases is not None and other.phases is not None:
        phases = min(one.phases, other.phases)
    return Bounds(
        merged(one.limit, other.limit),
        merged(one.discharge, other.discharge, max),
        phases,
        one.phase_to_use or other.phase_to_use,
    )


def each_phase(value: Phases, unit: RateUnit, phases: int) -> tuple[float, float, float]:
    """Return what each phase has of a value: of a sum in W, an equal share."""
    first = value.value or 0.0
    if not value.split:
        first = first / phases if unit is RateUnit.W else first
        return first, first, first
    return first, value.L2 if value.L2 is not None else first, value.L3 if value.L3 is not None else first

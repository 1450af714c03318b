"""Profiles in few words, and what the station is meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.smart_charging.composite import Composite, composite
from chargebyte_fw.modules.ocpp.smart_charging.profile import (
    Extras,
    Installed,
    Kind,
    Period,
    Profile,
    Purpose,
    RateUnit,
    Recurrency,
    Schedule,
)
from chargebyte_fw.modules.ocpp.smart_charging.rules import V16, V201, EvseState, Situation, SmartChargingRules

STATION_MAX, TX_DEFAULT, TX = Purpose.STATION_MAX, Purpose.TX_DEFAULT, Purpose.TX
A, W = RateUnit.A, RateUnit.W
ABSOLUTE, RECURRING, RELATIVE, DYNAMIC = Kind.ABSOLUTE, Kind.RECURRING, Kind.RELATIVE, Kind.DYNAMIC
DAILY, WEEKLY = Recurrency.DAILY, Recurrency.WEEKLY
TRANSACTION = "tx-1"
RULES_16 = SmartChargingRules(version=V16)
RULES_201 = SmartChargingRules(version=V201)
RULES_21 = SmartChargingRules()


def at(text: str) -> int:
    """Second of a UTC time: `2024-01-17 18:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


NOW_S = at("2024-01-17 18:00")


def periods(*steps: tuple[Any, ...], **extras: Any) -> tuple[Period, ...]:
    """`(0, 16)`, `(60, 10, 1)`: start, limit, phases; `extras` for all of them."""
    more = Extras(**extras)
    return tuple(Period(step[0], step[1], step[2] if len(step) > 2 else None, more) for step in steps)


def profile(
    purpose: Purpose,
    *steps: tuple[Any, ...] | Period,
    id: int = 1,
    level: int = 0,
    kind: Kind = ABSOLUTE,
    unit: RateUnit = A,
    start_s: int | None = NOW_S,
    duration_s: int | None = None,
    schedule: dict[str, Any] | None = None,
    **rest: Any,
) -> Profile:
    if kind in (RELATIVE, DYNAMIC):
        start_s = None
    if purpose is TX:
        rest.setdefault("transaction_id", TRANSACTION)
    of_period = tuple(one if isinstance(one, Period) else periods(one)[0] for one in steps)
    made = Schedule(unit=unit, periods=of_period, start_s=start_s, duration_s=duration_s, **schedule or {})
    return Profile(id=id, stack_level=level, purpose=purpose, kind=kind, schedules=(made,), **rest)


def installed(one: Profile, evse_id: int, **rest: Any) -> Installed:
    return Installed(profile=one, evse_id=evse_id, installed_s=rest.pop("installed_s", NOW_S), **rest)


def evse(**state: Any) -> EvseState:
    """An EVSE in a transaction."""
    values: dict[str, Any] = {
        "transaction": True,
        "transaction_id": TRANSACTION,
        "transaction_start_s": NOW_S,
    }
    return EvseState(**values | state)


def idle(number: int = 1) -> dict[int, EvseState]:
    return {evse_id: EvseState() for evse_id in range(1, number + 1)}


def charging(number: int = 1) -> dict[int, EvseState]:
    return idle(number) | {1: evse()}


def compute(
    profiles: Sequence[Installed],
    evse_id: int = 1,
    duration_s: int = 3600,
    unit: RateUnit = A,
    *,
    evses: dict[int, EvseState] | None = None,
    rules: SmartChargingRules = RULES_16,
    now_s: int = NOW_S,
    **situation: Any,
) -> Composite:
    values = Situation(now_s=now_s, evses=charging() if evses is None else evses, **situation)
    return composite(profiles, evse_id, duration_s, unit, values, rules)


def steps(of: Composite) -> list[tuple[int, float | None]]:
    """Start and limit of each period."""
    return [(one.start_s, one.limit.value) for one in of.periods]


def with_phases(of: Composite) -> list[tuple[int, float | None, int | None]]:
    return [(one.start_s, one.limit.value, one.phases) for one in of.periods]


def changed(rules: SmartChargingRules, **values: Any) -> SmartChargingRules:
    return msgspec.structs.replace(rules, **values)

"""Smart charging: a large profile accepted; 24 h of 20 stacked profiles beside a way that looks at each second."""

from __future__ import annotations

import time

import msgspec

from bench.rows import Row, at_most, median_us, times_less
from chargebyte_fw.modules.ocpp.messages.schema import decode_request, encode
from chargebyte_fw.modules.ocpp.smart_charging.composite import composite
from chargebyte_fw.modules.ocpp.smart_charging.profile import (
    DAY_S,
    Installed,
    Kind,
    Period,
    Profile,
    Purpose,
    RateUnit,
    Recurrency,
    Schedule,
)
from chargebyte_fw.modules.ocpp.smart_charging.rules import EvseState, Situation, SmartChargingRules
from chargebyte_fw.modules.ocpp.smart_charging.timeline import Timeline
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.station.effects import Answer
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.smart_charging.profiles_v2 import profile
from tests.ocpp.smart_charging.talk import SmartTalk

BOUND_MS = 20.0
ACCEPT_BOUND_MS = 10.0
N_PROFILES = 20
NOW_S = 1_700_000_000
NAIVE_STEP_S = 60
"""Every so many seconds one is looked at by the naive way, and the time is multiplied."""


def _profiles() -> list[Installed]:
    """Return daily schedules of 96 periods, one above the other, each with an hour of its own."""
    made = []
    for level in range(N_PROFILES):
        periods = tuple(Period(n * 900, 6.0 + (n * 7 + level) % 26, 3) for n in range(96))
        schedule = Schedule(
            unit=RateUnit.A if level % 2 else RateUnit.W,
            periods=periods,
            start_s=NOW_S - 100 * DAY_S + level * 3600,
            duration_s=None if level == 0 else 3600 + 1800,
        )
        profile = Profile(
            id=level,
            stack_level=level,
            purpose=Purpose.TX_DEFAULT if level % 3 else Purpose.STATION_MAX,
            kind=Kind.RECURRING,
            recurrency=Recurrency.DAILY,
            schedules=(schedule,),
        )
        made.append(Installed(profile=profile, evse_id=1 if level % 3 else 0, installed_s=NOW_S))
    return made


def _accepted_ms() -> float:
    """Return the time from the payload of SetChargingProfile with 1,000 periods to that of its answer."""
    talk = SmartTalk(SmartCharging2, version=Version.V21)
    periods = [{"startPeriod": 60 * n, "limit": 6.0 + n % 26} for n in range(1000)]
    payload = msgspec.json.encode({"evseId": 1, "chargingProfile": profile("TxDefaultProfile", *periods)})

    def accept() -> None:
        request = decode_request(Version.V21, "SetChargingProfile", payload)
        effects = talk.station.feed(events.CallReceived("id", "SetChargingProfile", request), talk.now)
        (answer,) = [one for one in effects if isinstance(one, Answer)]
        assert b"Accepted" in encode(Version.V21, answer.response)

    return median_us(accept, rounds=50, warm_up=5) / 1000


def rows() -> list[Row]:
    """Return the rows of the benchmark table."""
    profiles, rules = _profiles(), SmartChargingRules()
    situation = Situation(now_s=NOW_S, evses={1: EvseState(transaction=True, transaction_start_s=NOW_S)})

    def whole_day() -> None:
        composite(profiles, 1, DAY_S, RateUnit.A, situation, rules)

    ours_ms = median_us(whole_day, rounds=30, warm_up=3) / 1000
    began = time.perf_counter()
    for second in range(0, DAY_S, NAIVE_STEP_S):
        for one in profiles:
            Timeline(one, situation, rules, transaction_start_s=NOW_S).at(NOW_S + second)
    naive_ms = (time.perf_counter() - began) * 1000 * NAIVE_STEP_S
    return [
        at_most("SetChargingProfile of 1,000 periods, to its answer", _accepted_ms(), "ms", ACCEPT_BOUND_MS),
        at_most(
            "composite schedule, 24 h of 20 stacked profiles",
            ours_ms,
            "ms",
            BOUND_MS,
            times_less(ours_ms, naive_ms, "each second by itself", "ms"),
        ),
    ]

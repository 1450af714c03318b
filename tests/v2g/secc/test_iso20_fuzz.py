"""Whatever a car sends in ISO 15118-20: an answer, a warning, or the end; no exception, no contactor left closed."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.iso20 import sequence
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State as S
from chargebyte_fw.modules.v2g.v2gtp import Frame
from tests.v2g.talk20 import (
    Course,
    Talk20,
    ac20_facts,
    ac_loop,
    change,
    contract_authorization,
    dc20_facts,
    dc_loop,
    power,
    requests,
    stop,
    talk20,
    talk20_ac,
)

KINDS = st.sampled_from(["dc", "ac"])
STREAMS = st.sampled_from(["main", "schedule", "metering", "parking"])
FACTS: dict[str, Any] = {
    "authorized": st.sampled_from([None, True, False]),
    "cable_check": st.sampled_from([None, True, False]),
    "contactor_closed": st.booleans(),
    "stop_requested": st.booleans(),
    "pause_requested": st.booleans(),
    "error": st.sampled_from(["", "Error_EmergencyShutdown", "Error_Malfunction", "Error_RCD", "Error_Contactor"]),
    "no_energy_pause": st.sampled_from(["", "PauseAfterPrecharge", "PauseBeforeCableCheck", "AllowEvToIgnorePause"]),
    "present_voltage_V": st.floats(0, 1_500),
    "present_current_A": st.floats(-10_000, 10_000),
    "dc_max_current_A": st.floats(0, 10_000),
    "dc_max_power_W": st.one_of(st.none(), st.floats(-1_000_000, 10_000_000)),
    "dc_max_discharge_power_W": st.one_of(st.none(), st.floats(0, 1_000_000)),
    "meter_Wh": st.one_of(st.none(), st.floats(0, 1e12)),
    "meter_at": st.text(max_size=30),
    "meter_id": st.text(max_size=60),
    "evse_id": st.text(max_size=300),
    "departure_of_day": st.sampled_from(["", "05:00", "00:00"]),
    "target_soc_percent": st.one_of(st.none(), st.integers(0, 100)),
    "energy_transfer_modes": st.lists(st.sampled_from(["DC", "DC_BPT", "AC_BPT", "WPT", "MCS"]), max_size=4),
}
CHANGE = st.sampled_from(sorted(FACTS)).flatmap(lambda name: st.tuples(st.just(name), FACTS[name]))
DC_STATES = [
    one
    for one in sequence.DC
    if one not in (S.RESUMED, S.PRECHARGING, S.SCHEDULE_RENEGOTIATION, S.NEW_SCHEDULE, S.ENDED)
]


def at(kind: str, state: S) -> Talk20:
    if kind == "dc":
        return talk20(state, dc20_facts("DC", "DC_BPT"))
    return talk20_ac(state if state in sequence.AC else S.CHARGING, ac20_facts("AC_three_phase_core", "AC_BPT"))


def known(kind: str) -> list[Any]:
    more = [power(one) for one in ("Stop", "ScheduleRenegotiation", "Standby")]
    more += [stop("Pause"), stop("ServiceRenegotiation")]
    loops = [dc_loop(dynamic=False), dc_loop(bidirectional=True), ac_loop(dynamic=False), ac_loop(bidirectional=True)]
    return [*requests().values(), *more, *loops, contract_authorization()]


def check_the_end(it: Talk20) -> None:
    it.charger.feed(out.LinkLost("end of the test"), it.now)
    names = it.charger.names()
    assert sum(name.startswith("dlink_") for name in names) == 1
    for on, off in (("start_cable_check", "dc_open_contactor"), ("ac_close_contactor", "ac_open_contactor")):
        if on in names:
            last_on = len(names) - 1 - names[::-1].index(on)
            assert off in names[last_on:], names
    if "current_demand_started" in names:
        assert names.count("current_demand_started") == names.count("current_demand_finished")


@given(
    KINDS,
    st.sampled_from(DC_STATES),
    st.lists(st.one_of(st.tuples(st.integers(0, 60), STREAMS), CHANGE, st.floats(0.0, 30.0)), max_size=25),
)
@settings(max_examples=120, deadline=None)
def test_requests_facts_and_time_in_any_order(kind: str, state: S, steps: list[Any]) -> None:
    it = at(kind, state)
    every = known(kind)
    for step in steps:
        if isinstance(step, float):
            it.wait(step)
        elif isinstance(step[0], int):
            it.raw(it.frame(every[step[0] % len(every)], stream=step[1]))
        else:
            change(it.facts, {step[0]: step[1]})
            it.charger.feed(out.FactsChanged(), it.now)
    check_the_end(it)


@given(
    KINDS,
    st.sampled_from(DC_STATES),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=12),
)
@settings(max_examples=120, deadline=None)
def test_valid_messages_with_wrong_octets(kind: str, state: S, changes: list[tuple[int, int, int]]) -> None:
    it = at(kind, state)
    every = known(kind)
    for which, where, value in changes:
        frame = bytearray(it.frame(every[which % len(every)]))
        frame[8 + where % (len(frame) - 8)] = value
        it.raw(bytes(frame))
    check_the_end(it)


@given(
    st.sampled_from([0x8001, 0x8002, 0x8003, 0x8004, 0x8010, 0x8101, 0x8102, 0x8104, 0x9000]),
    st.sampled_from([S.SESSION_SETUP, S.AUTHORIZATION, S.CHARGING]),
    st.binary(max_size=200),
)
@settings(max_examples=150, deadline=None)
def test_payloads_of_any_kind(payload_type: int, state: S, payload: bytes) -> None:
    it = talk20(state, course=Course())
    for head in (b"", b"\x80"):
        it.raw(Frame(payload_type, head + payload).to_bytes())
    check_the_end(it)

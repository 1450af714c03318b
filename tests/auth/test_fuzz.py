"""Whatever comes in whatever order: each token ends once, timers end, no EVSE is held for ever, promises are kept."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.contracts.types.authorization import AuthorizationType, SelectionAlgorithm
from chargebyte_fw.contracts.types.reservation import Reservation
from chargebyte_fw.modules.auth.machine import events
from chargebyte_fw.modules.auth.machine.matching import always_served
from chargebyte_fw.modules.auth.machine.pending_token import TokenState
from tests.auth.helpers import ANY, CCS2, TYPE2, Bench, provided, result

VALUES = st.sampled_from(["A", "B", "C", "a"])
EVSES = st.integers(1, 4)
"""One more than there are."""
EVENTS = [
    "TransactionFinished", "SessionFinished", "Enabled", "Disabled", "Deauthorized", "ReservationEnd",
    "ReservationStart", "PluginTimeout", "AuthRequired", "ChargingStarted",
]  # fmt: skip
STEPS = st.one_of(
    st.tuples(
        st.just("swipe"), VALUES, st.none() | st.lists(EVSES, max_size=2), st.sampled_from(list(AuthorizationType)),
        st.booleans(),
    ),
    st.tuples(st.sampled_from(["plug", "begin"]), st.integers(1, 3)),
    st.tuples(st.just("event"), EVSES, st.sampled_from(EVENTS)),
    st.tuples(st.just("fault"), EVSES, st.booleans()),
    st.tuples(st.just("wait"), st.floats(0.1, 30.0)),
    st.tuples(st.just("withdraw"), st.none() | EVSES, st.none() | VALUES),
    st.tuples(
        st.just("reserve"), st.integers(1, 4), st.sampled_from([None, CCS2, TYPE2]), st.none() | EVSES, VALUES,
        st.floats(-1.0, 60.0),
    ),
    st.tuples(st.just("cancel"), st.integers(1, 4)),
    st.tuples(st.just("refuse"), st.sets(st.integers(1, 3))),
    st.tuples(st.sampled_from(["answering", "confirming"]), st.booleans()),
    st.tuples(st.just("answer")),
)  # fmt: skip
RULES = st.fixed_dictionaries(
    {
        "selection": st.sampled_from(list(SelectionAlgorithm)),
        "prioritize_authorization": st.booleans(),
        "stop_on_reswipe": st.booleans(),
        "plug_in_timeout": st.booleans(),
        "master_pass": st.sampled_from(["", "G"]),
    }
)
FINAL = {"Rejected", "TimedOut", "UsedToStart", "UsedToStop", "Withdrawn", "UsedToReauthorize"}


def take(bench: Bench, step: tuple[Any, ...]) -> None:
    match step:
        case ("swipe", value, connectors, kind, prevalidated):
            bench.swipe(value, connectors=connectors, kind=kind, prevalidated=prevalidated)
        case ("plug", evse_id):
            bench.plug_in(evse_id)
        case ("begin", evse_id):
            bench._holders.setdefault(evse_id, provided("STRANGER"))
            bench.begin_transaction(evse_id)
        case ("event", evse_id, kind):
            bench.event(evse_id, kind)
        case ("fault", evse_id, active):
            bench.feed(events.InoperativeChanged(evse_id, active))
        case ("wait", seconds):
            bench.pass_time(seconds)
        case ("withdraw", evse_id, value):
            bench.withdraw(evse_id, value)
        case ("reserve", number, kind, evse_id, token, remaining_s):
            bench.reserve(number, kind, evse=evse_id, token=token, remaining_s=remaining_s)
        case ("cancel", number):
            bench.cancel(number)
        case ("refuse", evses):
            bench.refusing = set(evses)
        case (("answering" | "confirming") as what, value):
            setattr(bench, what, value)
        case ("answer",):
            settle(bench)


def settle(bench: Bench) -> None:
    """Give every answer that somebody still waits for."""
    for pending in list(bench.machine.tokens.values()):
        if pending.state is TokenState.VALIDATING:
            bench.feed(events.Validated(pending.id, [result(parent="G")]))
    while bench.pending:
        bench.confirm()


@given(RULES, st.lists(STEPS, max_size=25))
@settings(max_examples=200, deadline=None)
def test_any_order_of_events(rules: dict[str, Any], steps: list[tuple[Any, ...]]) -> None:
    bench = Bench([CCS2], [CCS2, TYPE2], [ANY], **rules)
    bench.verdicts = {"A": [result(parent="G")], "B": [result("Invalid")], "C": [result(evse_ids=[1, 2])]}
    swiped = 0
    for step in steps:
        swiped += step[0] == "swipe"
        take(bench, step)
        keeps_its_promises(bench)
    bench.answering = bench.confirming = True
    bench.refusing = set()
    settle(bench)
    bench.pass_time(1000.0)
    assert bench.machine.tokens == {}
    assert all(evse.authorization is None or evse.transaction for evse in bench.machine.station.evses.values())
    assert bench.machine.station.reservations.entries == []
    assert bench.machine.station.held_for_any == set()
    counted = Counter(status for _, status in bench.said)
    ended = sum(counted[status] for status in FINAL)
    # A grant that was used and then ran out, or was taken back, is told once more.
    assert swiped <= ended <= swiped + counted["UsedToStart"]


def keeps_its_promises(bench: Bench) -> None:
    machine = bench.machine
    bound = [entry.evse_id for entry in machine.station.reservations.entries if entry.evse_id is not None]
    assert len(bound) == len(set(bound))
    assert always_served(
        machine.station.reservations._global_kinds(), machine.station.reservations._places(plugged_in_too=True)
    )
    assert machine.station.held_for_any == machine.station.reservations.needed()
    if machine.deadline is not None:
        assert machine.deadline >= bench.now
    for evse in machine.station.evses.values():
        assert not (evse.authorization is not None and evse.available)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["reservation", "evse_id", "x"]), inner, max_size=3),
                    max_leaves=6))  # fmt: skip
@settings(max_examples=200)
def test_whatever_lies_in_the_store(value: Any) -> None:
    from chargebyte_fw.modules.auth import reservation_store

    try:
        found = reservation_store.from_store(value)
    except ValueError:
        return
    assert all(isinstance(each, Reservation) for each in found)

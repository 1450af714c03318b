"""Reservations: what can be promised, to whom an EVSE is open, what is cancelled when EVSEs fail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chargebyte_fw.contracts.types.authorization import SelectionAlgorithm
from chargebyte_fw.contracts.types.reservation import Reservation
from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.modules.auth.machine import FOR_ANY_RESERVATION, events
from tests.auth.helpers import ANY, CCS2, TESLA, TYPE2, Bench, result

DUAL = [CCS2, TYPE2]


def promised(bench: Bench, *kinds: Any) -> list[str]:
    """Ask for one reservation after the other, without an EVSE of its own; return the answers."""
    return [bench.reserve(number, kind) for number, kind in enumerate(kinds, 1)]


# What can be promised


@pytest.mark.parametrize(
    ("evses", "kinds", "answers"),
    [
        ([[CCS2]] * 3, [CCS2] * 4, ["Accepted"] * 3 + ["Occupied"]),
        ([[CCS2], DUAL, DUAL], [CCS2, TYPE2, CCS2, TYPE2], ["Accepted", "Accepted", "Occupied", "Occupied"]),
        ([[CCS2], DUAL, DUAL], [TYPE2, TYPE2, CCS2], ["Accepted", "Accepted", "Occupied"]),
        ([DUAL], [CCS2, TYPE2], ["Accepted", "Occupied"]),
        ([DUAL], [TYPE2, CCS2], ["Accepted", "Occupied"]),
        ([[CCS2]] * 2, [TYPE2, None, ANY, None], ["Rejected", "Accepted", "Accepted", "Occupied"]),
        ([[ANY]] * 2, [TESLA, CCS2, TYPE2], ["Accepted", "Accepted", "Occupied"]),
        ([DUAL] * 3, [CCS2, TYPE2, CCS2, TYPE2], ["Accepted"] * 3 + ["Occupied"]),
        (
            [[CCS2, TYPE2], [TYPE2, TESLA], [TESLA, CCS2]],
            [CCS2, TYPE2, TESLA],
            ["Accepted", "Accepted", "Occupied"],
        ),
    ],
)
@pytest.mark.ocpp("H01.FR.06")
def test_a_reservation_for_any_evse(evses: Any, kinds: Any, answers: list[str]) -> None:
    assert promised(Bench(*evses), *kinds) == answers


def test_a_reservation_for_one_evse() -> None:
    bench = Bench([CCS2], [TYPE2])
    assert bench.reserve(1, TYPE2, evse=1) == "Rejected"
    assert bench.reserve(1, CCS2, evse=7) == "Rejected"
    assert bench.reserve(1, CCS2, evse=1) == "Accepted"
    assert bench.reserve(2, CCS2, evse=1) == "Occupied"
    assert (bench.reserved, bench.told) == ({1: 1}, [(1, "Placed")])


@pytest.mark.parametrize("remaining_s", [0.0, -1.0, None])
def test_a_reservation_in_the_past_or_until_never_is_rejected(remaining_s: Any) -> None:
    assert Bench().reserve(1, remaining_s=remaining_s) == "Rejected"


def test_one_for_an_evse_may_not_starve_those_for_any() -> None:
    bench = Bench(DUAL, [CCS2])
    assert bench.reserve(1, TYPE2) == "Accepted"
    assert bench.reserve(2, evse=1) == "Occupied"
    assert bench.reserve(2, evse=2) == "Accepted"


def test_those_for_any_may_not_starve_one_for_an_evse() -> None:
    bench = Bench(DUAL, DUAL)
    assert bench.reserve(1, evse=1) == "Accepted"
    assert promised(bench, CCS2)[0] == "Accepted"  # the same number: it replaces the first
    assert bench.reserve(2, TYPE2) == "Accepted"
    assert bench.reserve(3, evse=2) == "Occupied"


@pytest.mark.ocpp("H01.FR.02")
def test_the_same_number_replaces_the_reservation_silently() -> None:
    bench = Bench()
    bench.reserve(1, evse=1)
    assert bench.reserve(1, evse=2) == "Accepted"
    assert (bench.reserved, bench.released) == ({2: 1}, [1])
    assert [status for _, status in bench.told] == ["Placed", "Placed"]


def test_a_replacement_that_is_refused_leaves_the_reservation_as_it_was() -> None:
    bench = Bench()
    bench.reserve(1, evse=1)
    bench.plug_in(2)
    assert bench.reserve(1, evse=2) == "Occupied"
    assert [entry.evse_id for entry in bench.kept] == [1]


@pytest.mark.parametrize("use", ["plugged", "authorized", "charging", "charged"])
def test_an_evse_in_use_is_occupied(use: str) -> None:
    bench = Bench([ANY])
    if use != "authorized":
        bench.plug_in(1)
    if use != "plugged":
        bench.swipe("A")
    if use in ("charging", "charged"):
        bench.begin_transaction(1)
    if use == "charged":
        bench.end_transaction(1)
    assert bench.reserve(1, evse=1) == "Occupied"
    assert bench.reserve(1) == "Occupied"


def test_an_evse_whose_car_has_waited_too_long_for_a_token_is_occupied() -> None:
    bench = Bench(plug_in_timeout=True, selection=SelectionAlgorithm.PlugEvents)
    bench.plug_in(1)
    bench.pass_time(10.0)
    assert bench.taken_back == [1]
    assert bench.reserve(1, evse=1) == "Occupied"
    bench.unplug(1)
    assert bench.reserve(1, evse=1) == "Accepted"


def test_an_evse_that_does_not_keep_itself_free_is_occupied() -> None:
    bench = Bench()
    bench.refusing = {1}
    assert bench.reserve(1, evse=1) == "Occupied"
    assert bench.kept == []


@pytest.mark.parametrize(
    ("states", "answer"),
    [
        (["fault", "fault"], "Faulted"),
        (["disabled", "disabled"], "Unavailable"),
        (["fault", "disabled"], "Faulted"),
        (["fault", "charging"], "Faulted"),
        (["disabled", "charging"], "Occupied"),
        (["disabled", "free"], "Accepted"),
    ],
)
def test_what_keeps_any_evse_from_being_reserved(states: list[str], answer: str) -> None:
    bench = Bench()
    for evse_id, state in enumerate(states, 1):
        if state == "fault":
            bench.feed(events.InoperativeChanged(evse_id, True))
        elif state == "disabled":
            bench.event(evse_id, "Disabled")
        elif state == "charging":
            bench.plug_in(evse_id)
            bench.swipe("A", connectors=[evse_id])
            bench.begin_transaction(evse_id)
    assert bench.reserve(1) == answer


@pytest.mark.parametrize(("out", "answer"), [("fault", "Faulted"), ("disabled", "Unavailable")])
def test_what_keeps_one_evse_from_being_reserved(out: str, answer: str) -> None:
    bench = Bench()
    bench.feed(events.InoperativeChanged(1, True)) if out == "fault" else bench.event(1, "Disabled")
    assert bench.reserve(1, evse=1) == answer


# Who may charge


@pytest.mark.ocpp("H03.FR.01", "H03.FR.09")
def test_only_the_reserved_token_begins_at_a_reserved_evse() -> None:
    bench = Bench([ANY])
    bench.reserve(5, evse=1, token="R")
    bench.swipe("A")
    assert bench.says("A") == ["Processing", "Rejected"]
    assert bench.asked == []
    bench.swipe("r")
    assert bench.authorized == [(1, "r", "Accepted")]
    assert bench.results[0].reservation_id == 5
    assert (bench.kept, bench.told) == ([], [(5, "Placed"), (5, "Used")])


def test_a_stranger_goes_to_an_evse_that_is_not_reserved() -> None:
    bench = Bench()
    bench.reserve(5, evse=1)
    bench.swipe("A")
    assert bench.authorized == [(2, "A", "Accepted")]


def test_a_stranger_plugged_in_at_a_reserved_evse_hears_that_it_is_not_his_time() -> None:
    bench = Bench([ANY])
    bench.reserve(5, evse=1, parent="G")
    bench.plug_in(1)
    bench.swipe("A")
    assert bench.authorized == [(1, "A", "NotAtThisTime")]
    assert bench.says("A")[-1] == "Rejected"


@pytest.mark.ocpp("H03.FR.04")
def test_a_token_of_the_reserving_group_is_known_after_its_validation() -> None:
    bench = Bench([ANY])
    bench.reserve(5, evse=1, parent="G")
    bench.verdicts["A"] = [result(parent="g")]
    bench.swipe("A")
    assert bench.authorized == [(1, "A", "Accepted")]
    assert bench.results[0].reservation_id == 5


@pytest.mark.ocpp("H03.FR.05", "H03.FR.06")
@pytest.mark.parametrize("kind", [None, CCS2])
def test_a_token_of_the_group_uses_a_reservation_for_any_evse(kind: Any) -> None:
    bench = Bench([CCS2])
    bench.reserve(5, kind, token="R", parent="G")
    bench.swipe("B")
    assert bench.says("B")[-1] == "Rejected"
    bench.verdicts["A"] = [result(parent="G")]
    bench.swipe("A")
    assert bench.authorized[-1] == (1, "A", "Accepted")
    assert bench.results[-1].reservation_id == 5


def test_the_token_itself_counts_before_its_group() -> None:
    bench = Bench([ANY], [ANY], [ANY])
    bench.reserve(1, token="X", parent="G")
    bench.reserve(2, token="A")
    bench.verdicts["A"] = [result(parent="G")]
    bench.swipe("A")
    assert bench.results[0].reservation_id == 2


@pytest.mark.ocpp("H03.FR.03")
def test_a_reservation_for_any_evse_is_used_up_where_its_car_is() -> None:
    bench = Bench(selection=SelectionAlgorithm.PlugEvents)
    bench.reserve(1, token="R")
    bench.reserve(2, token="S")
    bench.plug_in(2)
    bench.swipe("R")
    assert bench.authorized == [(2, "R", "Accepted")]
    assert [entry.reservation_id for entry in bench.kept] == [2]
    bench.begin_transaction(2)
    assert bench.told == [(1, "Placed"), (2, "Placed"), (1, "Used")]


@pytest.mark.ocpp("H01.FR.09", "H03.FR.02")
def test_a_stranger_may_not_take_the_last_place_of_a_reserved_car() -> None:
    bench = Bench([CCS2], DUAL)
    bench.reserve(1, TYPE2, token="R")
    bench.swipe("A", connectors=[2])
    assert bench.says("A")[-1] == "Rejected"
    bench.swipe("A", connectors=[1])
    assert bench.says("A")[-1] == "UsedToStart"
    bench.swipe("R")
    assert bench.authorized[-1] == (2, "R", "Accepted")


# Which EVSEs keep themselves free


@pytest.mark.ocpp("H01.FR.07")
def test_evses_are_kept_free_when_as_many_are_reserved_as_there_are() -> None:
    bench = Bench()
    bench.reserve(1)
    assert bench.reserved == {}
    bench.reserve(2)
    assert bench.reserved == {1: FOR_ANY_RESERVATION, 2: FOR_ANY_RESERVATION}
    assert bench.cancel(2)
    assert (bench.reserved, bench.released) == ({}, [1, 2])


def test_only_the_evses_of_the_reserved_kind_are_kept_free() -> None:
    bench = Bench([CCS2], DUAL, [CCS2])
    bench.reserve(1, TYPE2)
    assert bench.reserved == {2: FOR_ANY_RESERVATION}


@pytest.mark.parametrize("taken", ["plugged", "disabled", "fault"])
def test_an_evse_that_drops_out_leaves_the_others_needed(taken: str) -> None:
    bench = Bench([ANY], [ANY], [ANY])
    bench.reserve(1)
    bench.reserve(2)
    assert bench.reserved == {}
    if taken == "plugged":
        bench.plug_in(3)
    elif taken == "disabled":
        bench.event(3, "Disabled")
    else:
        bench.feed(events.InoperativeChanged(3, True))
    assert bench.reserved == {1: FOR_ANY_RESERVATION, 2: FOR_ANY_RESERVATION}


def test_a_reservation_of_its_own_takes_the_place_of_the_promise_to_anybody() -> None:
    bench = Bench()
    bench.reserve(1)
    bench.reserve(2)
    bench.cancel(1)
    bench.reserve(3, evse=1)
    assert bench.reserved == {1: 3, 2: FOR_ANY_RESERVATION}
    assert bench.told[-1] == (3, "Placed")


# The end of a reservation


def test_it_expires() -> None:
    bench = Bench()
    bench.reserve(1, evse=1, remaining_s=60.0)
    bench.pass_time(59.9)
    assert bench.reserved == {1: 1}
    bench.pass_time(0.1)
    assert (bench.reserved, bench.told[-1], bench.kept) == ({}, (1, "Expired"), [])


YEARS_S = 6 * 365 * 86_400.0


@pytest.mark.parametrize("by_s", [3600.0, YEARS_S, -3600.0, -YEARS_S])
def test_it_expires_when_the_wall_clock_says_so_whatever_that_does_meanwhile(by_s: float) -> None:
    bench = Bench()
    bench.reserve(1, evse=1, remaining_s=by_s + 600.0 if by_s > 0 else 600.0)
    bench.pass_time(10.0)
    assert bench.reserved == {1: 1}
    bench.set_wall(by_s)
    left_s = 590.0 if by_s > 0 else 590.0 - by_s
    bench.pass_time(left_s - 0.1)
    assert (bench.reserved, bench.told[-1]) == ({1: 1}, (1, "Placed"))
    bench.pass_time(0.2)
    assert (bench.reserved, bench.told[-1], bench.kept) == ({}, (1, "Expired"), [])


def test_it_expires_at_once_when_the_clock_is_set_beyond_its_end() -> None:
    bench = Bench()
    bench.reserve(1, evse=1, remaining_s=600.0)
    bench.reserve(2, remaining_s=YEARS_S + 600.0)
    bench.set_wall(YEARS_S)
    assert (bench.reserved.get(1), [entry.reservation_id for entry in bench.kept]) == (None, [2])
    assert bench.told[-1] == (1, "Expired")


def test_it_is_cancelled_once() -> None:
    bench = Bench()
    bench.reserve(1, evse=1)
    assert (bench.cancel(1), bench.cancel(1)) == (True, False)
    assert (bench.reserved, bench.told) == ({}, [(1, "Placed")])


@pytest.mark.parametrize("out", ["Disabled", "fault"])
def test_when_its_evse_fails_it_is_cancelled_and_enabling_brings_nothing_back(out: str) -> None:
    bench = Bench()
    bench.reserve(1, evse=1)
    bench.reserve(2, evse=2)
    bench.feed(events.InoperativeChanged(1, True)) if out == "fault" else bench.event(1, out)
    assert bench.told[-1] == (1, "Removed")
    assert [entry.reservation_id for entry in bench.kept] == [2]
    bench.event(1, "Enabled")
    assert bench.look("R", evse=1) == "NotReserved"


def test_when_evses_fail_the_latest_for_any_are_cancelled_and_no_more_than_needed() -> None:
    bench = Bench([ANY], [ANY], [ANY])
    for number in (1, 2, 3):
        bench.reserve(number)
    bench.event(1, "Disabled")
    assert bench.told[-1] == (3, "Removed")
    bench.feed(events.InoperativeChanged(2, True))
    assert [entry.reservation_id for entry in bench.kept] == [1]


def test_a_failure_that_takes_nothing_away_cancels_nothing() -> None:
    bench = Bench([ANY], [ANY], [ANY])
    bench.reserve(1)
    bench.event(1, "Disabled")
    bench.feed(events.InoperativeChanged(2, True))
    assert [entry.reservation_id for entry in bench.kept] == [1]


def test_an_evse_may_give_its_reservation_up_by_itself() -> None:
    bench = Bench()
    bench.reserve(1, evse=1)
    bench.event(1, "ReservationEnd")
    assert (bench.told[-1], bench.kept) == ((1, "Removed"), [])


def test_the_end_that_we_asked_for_does_not_end_the_next_reservation() -> None:
    bench = Bench()
    bench.letting_go = False
    bench.reserve(1, evse=1)
    assert bench.cancel(1) and bench.released == [1]
    bench.reserve(2, evse=1)
    bench.let_go(1)
    assert [entry.reservation_id for entry in bench.kept] == [2] and (2, "Removed") not in bench.told
    bench.event(1, "ReservationEnd")
    assert bench.kept == [] and bench.told[-1] == (2, "Removed"), "believed again once it has answered"


def test_each_end_that_we_asked_for_is_expected_until_it_was_answered() -> None:
    bench = Bench()
    bench.letting_go = False
    for number in (1, 2):
        bench.reserve(number, evse=1)
        assert bench.cancel(number)
    bench.reserve(3, evse=1)
    assert bench.released == [1, 1]
    bench.let_go(1)
    bench.let_go(1, answered=False)
    assert [entry.reservation_id for entry in bench.kept] == [3], "the second answer is still to come"
    bench.feed(events.EvseReleased(1))
    bench.feed(events.EvseReleased(1))  # one too many does not count for the next
    bench.event(1, "ReservationEnd")
    assert bench.kept == [] and bench.told[-1] == (3, "Removed")
    bench.reserve(4, evse=1)
    assert bench.cancel(4)
    bench.reserve(5, evse=1)
    bench.event(1, "ReservationEnd")
    assert [entry.reservation_id for entry in bench.kept] == [5]


def test_an_evse_that_is_let_go_does_not_cover_for_another() -> None:
    bench = Bench()
    bench.letting_go = False
    bench.reserve(1, evse=1)
    bench.reserve(2, evse=2)
    assert bench.cancel(1)
    bench.event(2, "ReservationEnd")
    assert bench.told[-1] == (2, "Removed")


# Asking


@pytest.mark.parametrize(
    ("token", "evse", "group", "answer"),
    [
        ("R", 1, None, "ReservedForToken"),
        ("r", 1, None, "ReservedForToken"),
        ("A", 1, None, "ReservedForOtherToken"),
        ("A", 1, "G", "ReservedForOtherToken"),
        ("A", 2, None, "ReservedForOtherTokenAndHasParentToken"),
        ("A", 2, "g", "ReservedForToken"),
        ("A", 3, None, "NotReserved"),
        ("R", 3, None, "NotReserved"),
        ("R", None, None, "ReservedForToken"),
        ("A", None, None, "NotReserved"),
    ],
)
def test_for_whom_an_evse_is_reserved(token: str, evse: int | None, group: str | None, answer: str) -> None:
    bench = Bench([ANY], [ANY], [ANY])
    bench.reserve(1, evse=1, token="R")
    bench.reserve(2, evse=2, token="S", parent="G")
    assert bench.look(token, evse, group) == answer


def test_a_station_that_is_promised_as_a_whole_is_reserved_for_others() -> None:
    bench = Bench()
    bench.reserve(1, token="R")
    bench.reserve(2, token="S")
    assert bench.look("A") == "ReservedForOtherToken"
    assert bench.look("A", evse=1) == "NotReserved"
    assert bench.look("R") == "ReservedForToken"


# From the store


def stored(number: int, remaining_s: float | None, evse: int | None = None) -> events.ReservationRequested:
    until_at = None if remaining_s is None else VIRTUAL_EPOCH + timedelta(seconds=remaining_s)
    wanted = Reservation(reservation_id=number, id_token="R", expiry_time="", evse_id=evse)
    return events.ReservationRequested(0, wanted, until_at, VIRTUAL_EPOCH)


def test_what_was_kept_is_promised_again() -> None:
    bench = Bench()
    bench.feed(stored(1, 600.0, 1))
    bench.feed(stored(2, 600.0))
    assert bench.reserved[1] == 1
    assert [entry.reservation_id for entry in bench.kept] == [1, 2]
    assert bench.told == [(2, "Placed"), (1, "Placed")] or bench.told == [(1, "Placed"), (2, "Placed")]


def test_what_can_no_longer_be_kept_is_told() -> None:
    bench = Bench()
    bench.event(1, "Disabled")
    bench.refusing = {2}
    bench.feed(stored(1, -5.0))
    bench.feed(stored(2, 600.0, 1))
    bench.feed(stored(3, 600.0, 2))
    bench.feed(stored(4, None))
    assert bench.told == [(1, "Expired"), (2, "Removed"), (3, "Removed"), (4, "Removed")]
    assert bench.kept == []

"""A contactor against its order: what counts as a deviation, for how long, and what ends it; no link and no clock."""

from __future__ import annotations

import pytest

from chargebyte_fw.board import timing
from chargebyte_fw.board.driver.contactor_check import Check, ContactorCheck, ContactorReleased, Reported
from chargebyte_fw.board.driver.wiring import FeedbackType
from chargebyte_fw.board.link.messages.charge_som import ContactorState

OPEN, CLOSED, UNUSED, UNDEFINED = (
    ContactorState.OPEN,
    ContactorState.CLOSED,
    ContactorState.UNUSED,
    ContactorState.UNDEFINED,
)
LIMIT_S = timing.CONTACTOR_LIMIT_S


def check(feedback: FeedbackType = FeedbackType.no) -> ContactorCheck:
    return ContactorCheck("contactor 1", feedback, None)


def report(one: ContactorCheck, contactor: ContactorState, *, ordered: bool, now: float, in_c: bool = True) -> Check:
    one.feed(Reported(contactor, ordered, in_c), now)
    state = one.state
    assert isinstance(state, Check)
    return state


def test_a_contactor_that_follows_in_time_is_as_ordered() -> None:
    one = check()
    assert report(one, OPEN, ordered=True, now=0.0) is Check.STAYS_OPEN
    assert report(one, CLOSED, ordered=True, now=0.9) is Check.AS_ORDERED
    assert one.deadline is None
    assert report(one, CLOSED, ordered=False, now=2.0) is Check.STAYS_CLOSED
    assert report(one, OPEN, ordered=False, now=2.9) is Check.AS_ORDERED
    assert (one.did_not_close, one.did_not_open) == ("", "")


def test_one_that_stays_open_has_failed_after_its_time_and_not_before() -> None:
    one = check()
    report(one, OPEN, ordered=True, now=5.0)
    assert one.deadline == pytest.approx(5.0 + LIMIT_S)
    assert report(one, OPEN, ordered=True, now=5.5) is Check.STAYS_OPEN, "the time does not begin again"
    one.wake(5.0 + LIMIT_S)
    assert one.did_not_close.startswith("contactor 1 did not close; if it did, its feedback is not no")
    assert report(one, OPEN, ordered=True, now=7.0) is Check.DID_NOT_CLOSE
    assert report(one, OPEN, ordered=False, now=8.0) is Check.AS_ORDERED


@pytest.mark.parametrize(("feedback", "in_c"), [(FeedbackType.none, True), (FeedbackType.no, False)])
def test_open_proves_nothing_without_feedback_or_outside_of_state_c(feedback: FeedbackType, in_c: bool) -> None:
    assert report(check(feedback), OPEN, ordered=True, now=0.0, in_c=in_c) is Check.AS_ORDERED


@pytest.mark.parametrize("feedback", FeedbackType)
def test_closed_without_an_order_counts_whatever_the_feedback_until_it_is_seen_open(feedback: FeedbackType) -> None:
    one = check(feedback)
    report(one, CLOSED, ordered=False, now=0.0, in_c=False)
    one.wake(LIMIT_S)
    assert one.did_not_open.startswith("contactor 1 did not open")
    one.feed(ContactorReleased(), 2.0)
    assert report(one, CLOSED, ordered=True, now=3.0) is Check.DID_NOT_OPEN
    assert report(one, UNDEFINED, ordered=False, now=4.0) is Check.DID_NOT_OPEN
    assert report(one, OPEN, ordered=False, now=5.0) is Check.AS_ORDERED
    assert one.did_not_open == ""


def test_a_reset_gives_a_deviation_its_time_again_and_forgets_one_that_did_not_close() -> None:
    one = check()
    report(one, CLOSED, ordered=False, now=0.0)
    one.feed(ContactorReleased(), 0.9)
    assert one.deadline is None
    report(one, CLOSED, ordered=False, now=1.5)
    assert one.deadline == pytest.approx(1.5 + LIMIT_S)
    other = check()
    report(other, OPEN, ordered=True, now=0.0)
    other.wake(LIMIT_S)
    other.feed(ContactorReleased(), 2.0)
    assert other.did_not_close == ""

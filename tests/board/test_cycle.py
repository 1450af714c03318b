"""The dead man's handle: the last image only while its owner proves that it lives, the safe image otherwise."""

from __future__ import annotations

from chargebyte_fw.board.link.cycle import SAFE_FRAME, ZERO_FRAME, Cycle
from chargebyte_fw.board.link.messages.charge_som import ChargeControl
from chargebyte_fw.board.link.messages.framing import encode_message

CLOSE = ChargeControl(True, 5.0, True, True, True)
CLOSE_FRAME = encode_message(CLOSE)


def begun() -> Cycle:
    cycle = Cycle(0.1, 0.5)
    cycle.start(10.0)
    return cycle


def test_nothing_is_sent_before_the_start_and_after_the_end() -> None:
    cycle = Cycle(0.1, 0.5)
    assert cycle.due(5.0) is None
    cycle.set_image(CLOSE, cycle.epoch)
    assert cycle.due(5.0) is None
    cycle.start(10.0)
    assert cycle.due(10.0) is not None
    cycle.stop()
    assert cycle.due(20.0) is None


def test_every_start_begins_with_the_image_at_zero() -> None:
    cycle = begun()
    cycle.set_image(CLOSE, cycle.epoch)
    cycle.due(10.0)
    cycle.stop()
    cycle.start(11.0)
    assert cycle.due(11.0) == ZERO_FRAME


def test_an_image_is_repeated_every_100_ms_and_a_new_one_goes_out_at_once() -> None:
    cycle = begun()
    assert cycle.due(10.0) == ZERO_FRAME
    assert cycle.due(10.05) is None
    cycle.set_image(CLOSE, cycle.epoch)
    assert cycle.due(10.05) == CLOSE_FRAME
    assert cycle.due(10.06) is None
    cycle.prove(10.1)
    assert cycle.due(10.1) == CLOSE_FRAME


def test_a_late_tick_does_not_shift_the_ones_after_it() -> None:
    cycle = begun()
    cycle.due(10.0)
    cycle.due(10.112)
    assert cycle.next_due == 10.2
    cycle.due(10.75)
    assert cycle.next_due > 10.75, "after a long pause no burst of frames"


def test_without_proof_for_half_a_second_the_safe_image_goes_out() -> None:
    cycle = begun()
    cycle.set_image(CLOSE, cycle.epoch)
    assert cycle.due(10.4) == CLOSE_FRAME
    assert cycle.due(10.61) == SAFE_FRAME
    assert ChargeControl.from_payload(SAFE_FRAME[2:10]) == ChargeControl(True, 0.0)


def test_an_order_from_before_the_trip_does_not_close_a_contactor_again() -> None:
    cycle = begun()
    epoch = cycle.epoch
    cycle.set_image(CLOSE, epoch)
    cycle.due(10.61)
    cycle.prove(10.7)
    cycle.set_image(CLOSE, epoch)
    assert cycle.due(10.7) == SAFE_FRAME
    cycle.set_image(CLOSE, cycle.epoch)
    assert cycle.due(10.81) == CLOSE_FRAME, "the owner knows the new epoch: it has been told of the trip"


def test_a_trip_happens_once_and_not_again_before_the_owner_has_answered() -> None:
    cycle = begun()
    cycle.due(10.61)
    epoch = cycle.epoch
    assert cycle.due(10.72) == SAFE_FRAME
    assert cycle.epoch == epoch
    cycle.prove(10.8)
    cycle.set_image(CLOSE, epoch)
    cycle.due(10.8)
    assert cycle.due(11.4) == SAFE_FRAME
    assert cycle.epoch == epoch + 1

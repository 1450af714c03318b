"""Pauses grow with each failure, end at the longest, and are short again after a reset or a good while."""

from __future__ import annotations

import pytest

from chargebyte_fw.board import timing
from chargebyte_fw.kernel.backoff import Backoff, doubling
from chargebyte_fw.kernel.snapshot import restored, taken
from chargebyte_fw.manager import recording, supervisor
from chargebyte_fw.manager.mqtt import machine


def test_the_pauses_come_in_their_order_and_the_last_one_repeats() -> None:
    backoff = Backoff((1.0, 5.0, 7.0))
    assert [backoff.fail() for _ in range(5)] == [1.0, 5.0, 7.0, 7.0, 7.0]
    assert backoff.failures == 5
    assert backoff.pause_s == 7.0


def test_a_reset_begins_with_the_first_pause() -> None:
    backoff = Backoff((1.0, 5.0))
    assert backoff.fail() == 1.0
    backoff.reset()
    assert (backoff.failures, backoff.pause_s) == (0, 1.0)
    assert [backoff.fail(), backoff.fail()] == [1.0, 5.0]


@pytest.mark.parametrize(("held_s", "pauses_s"), [(9.9, [5.0, 7.0]), (10.0, [1.0, 5.0]), (1e9, [1.0, 5.0])])
def test_what_held_long_enough_begins_with_the_first_pause(held_s: float, pauses_s: list[float]) -> None:
    backoff = Backoff((1.0, 5.0, 7.0), steady_s=10.0)
    backoff.fail()
    assert [backoff.fail(held_s), backoff.fail()] == pauses_s


def test_without_a_steady_time_only_a_reset_helps() -> None:
    backoff = Backoff((1.0, 5.0))
    backoff.fail()
    assert backoff.fail(1e9) == 5.0


@pytest.mark.parametrize(
    ("first_s", "longest_s", "pauses_s"),
    [
        (0.5, 5.0, (0.5, 1.0, 2.0, 4.0, 5.0)),
        (1.0, 4.0, (1.0, 2.0, 4.0)),
        (2.0, 2.0, (2.0,)),
    ],
)
def test_doubling_ends_at_the_longest(first_s: float, longest_s: float, pauses_s: tuple[float, ...]) -> None:
    assert doubling(first_s, longest_s) == pauses_s


def test_the_pauses_of_the_product() -> None:
    assert supervisor.PAUSES_S == (1, 2, 4, 8, 16, 32, 60)
    assert machine.PAUSES_S == (0.5, 1, 2, 4, 5)
    assert recording.PAUSES_S == (60, 120, 240, 480, 960, 1920, 3600)
    assert timing.RECONNECT_PAUSES_S == (0.5, 1, 2, 4, 8, 10)
    assert timing.SAFE_STATE_PAUSES_S == (5, 10, 20, 40, 60)


def test_a_machine_with_a_back_off_goes_on_from_a_recording() -> None:
    class Owner:
        def __init__(self) -> None:
            self.backoff = Backoff((1.0, 5.0, 7.0), steady_s=10.0)

    recorded, played = Owner(), Owner()
    recorded.backoff.fail()
    restored(played, taken(recorded))
    assert played.backoff.fail() == 5.0

"""The link's rules: reset, 300 ms, inquiry, cycle; loss and coming back; no socket and no clock."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.board import timing
from chargebyte_fw.board.link import events
from chargebyte_fw.board.link.machine import LinkMachine, LinkState
from chargebyte_fw.board.link.messages.charge_som import (
    Action,
    ActionId,
    Application,
    ChargeState,
    ErrorMessage,
    FirmwareVersion,
    GitHash,
    Inquiry,
    Platform,
)
from chargebyte_fw.board.link.messages.framing import Frame, encode_message
from chargebyte_fw.board.link.messages.service import AnalogInput01

FIRMWARE = FirmwareVersion(0, 4, 1, Platform.CHARGE_SOM, Application.FIRMWARE, 1)
GIT = GitHash(bytes(8))
STATE = ChargeState(pwm_active=True)


def heard(message: Any) -> events.FrameReceived:
    return events.FrameReceived(Frame(message.com_id, message.payload()))


class Bench:
    """A machine with a hand on its clock."""

    def __init__(self) -> None:
        self.machine = LinkMachine(None)
        self.now = 100.0

    def feed(self, event: Any) -> list[Any]:
        return self.machine.feed(event, self.now)

    def wait(self) -> list[Any]:
        assert self.machine.deadline is not None
        self.now = self.machine.deadline
        return self.machine.wake(self.now)

    def up(self, firmware: FirmwareVersion = FIRMWARE) -> list[Any]:
        self.feed(events.Start())
        self.feed(events.PortOpened())
        self.wait()
        self.wait()
        self.feed(heard(firmware))
        return self.feed(heard(GIT))


def test_the_controller_is_held_in_reset_before_the_port_is_opened_with_the_image_at_zero() -> None:
    assert Bench().feed(events.Start()) == [events.StopCycle(), events.HoldReset(True), events.OpenPort()]


def test_reset_is_released_5_ms_after_opening_and_nobody_is_asked_before_300_ms() -> None:
    bench = Bench()
    bench.feed(events.Start())
    assert bench.feed(events.PortOpened()) == []
    assert bench.wait() == [events.DiscardInput(), events.HoldReset(False)]
    assert bench.now == pytest.approx(100.0 + timing.RESET_PULSE_S)
    assert bench.wait() == [events.SendFrame(encode_message(Inquiry(FirmwareVersion.com_id)))]
    assert bench.now == pytest.approx(100.305)


def test_git_hash_is_asked_after_the_version_and_the_cycle_begins_after_both() -> None:
    bench = Bench()
    bench.feed(events.Start())
    bench.feed(events.PortOpened())
    bench.wait()
    bench.wait()
    assert bench.feed(heard(FIRMWARE)) == [events.SendFrame(encode_message(Inquiry(GitHash.com_id)))]
    begin, up = bench.feed(heard(GIT))
    assert begin == events.StartCycle()
    assert (up.firmware, up.git_hash) == (FIRMWARE, GIT)


def test_a_periodic_frame_of_a_controller_that_was_not_reset_is_no_answer() -> None:
    bench = Bench()
    bench.feed(events.Start())
    bench.feed(events.PortOpened())
    bench.wait()
    bench.wait()
    assert bench.feed(heard(STATE)) == []
    assert bench.machine.state is LinkState.ASKING_VERSION


def test_an_inquiry_is_repeated_and_then_the_link_is_lost_with_a_reason() -> None:
    bench = Bench()
    bench.feed(events.Start())
    bench.feed(events.PortOpened())
    bench.wait()
    for _ in range(timing.INQUIRY_TRIES):
        assert bench.wait() == [events.SendFrame(encode_message(Inquiry(FirmwareVersion.com_id)))]
    assert bench.wait() == [
        events.StopCycle(),
        events.HoldReset(True),
        events.ClosePort(),
        events.LinkDown("no answer when asked for its firmware version"),
    ]


def test_one_second_without_charge_state_is_a_lost_link() -> None:
    bench = Bench()
    bench.up()
    bench.feed(heard(STATE))
    for _ in range(20):
        bench.now += 0.1
        bench.machine.touch(bench.now)
    silent_since = bench.now
    lost: list[Any] = []
    while not lost:
        lost = bench.wait()
    assert bench.now == pytest.approx(silent_since + timing.RECEIVE_TIMEOUT_S)
    assert lost == [
        events.StopCycle(),
        events.HoldReset(True),
        events.ClosePort(),
        events.LinkDown("no CHARGE_STATE for 1.0 s"),
    ]


def test_other_frames_do_not_keep_the_link_alive() -> None:
    bench = Bench()
    bench.up()
    for _ in range(12):
        bench.now += 0.09
        bench.feed(heard(ErrorMessage(True, 1, 1)))
    assert any(isinstance(effect, events.LinkDown) for effect in bench.machine.wake(bench.now))


def test_a_lost_link_is_tried_again_for_ever_with_growing_pauses_and_said_once() -> None:
    bench = Bench()
    bench.feed(events.Start())
    downs, pauses = 0, []
    for _ in range(9):
        effects = bench.feed(events.PortFailed("No such file or directory"))
        downs += sum(isinstance(effect, events.LinkDown) for effect in effects)
        lost_at = bench.now
        assert bench.wait() == [events.StopCycle(), events.HoldReset(True), events.OpenPort()]
        pauses.append(round(bench.now - lost_at, 3))
    assert downs == 1
    assert pauses[:6] == list(timing.RECONNECT_PAUSES_S)
    assert pauses[-1] == timing.RECONNECT_PAUSES_S[-1]
    assert bench.feed(events.PortFailed("Permission denied"))[-1] == events.LinkStillDown("Permission denied")


def test_after_a_recovery_the_pauses_are_short_again() -> None:
    bench = Bench()
    bench.feed(events.Start())
    for _ in range(5):
        bench.feed(events.PortFailed("gone"))
        bench.wait()
    bench.feed(events.PortOpened())
    bench.wait()
    bench.wait()
    bench.feed(heard(FIRMWARE))
    bench.feed(heard(GIT))
    bench.feed(heard(STATE))
    assert events.LinkDown("gone again") in bench.feed(events.PortFailed("gone again"))
    assert bench.machine.deadline == bench.now + timing.RECONNECT_PAUSES_S[0]


@pytest.mark.parametrize(
    "firmware",
    [
        FirmwareVersion(0, 4, 1, Platform.CHARGE_SOM, Application.END_OF_LINE, 1),
        FirmwareVersion(0, 4, 1, Platform.CHARGE_CONTROL_Y, Application.FIRMWARE, 1),
    ],
)
def test_firmware_that_is_not_for_charging_here_is_refused_by_name(firmware: FirmwareVersion) -> None:
    bench = Bench()
    bench.feed(events.Start())
    bench.feed(events.PortOpened())
    bench.wait()
    bench.wait()
    down = bench.feed(heard(firmware))[-1]
    assert isinstance(down, events.LinkDown)
    assert firmware.platform.text in down.why
    assert firmware.application.text in down.why


def test_a_reset_on_purpose_zeroes_the_image_and_asks_again() -> None:
    bench = Bench()
    bench.up()
    assert bench.feed(events.ResetRequest("test")) == [
        events.StopCycle(),
        events.HoldReset(True),
        events.ControllerReset("test"),
    ]
    assert bench.feed(events.ResetRequest("test")) == [], "one reset is under way"
    assert events.HoldReset(False) in bench.wait()
    assert bench.wait() == [events.SendFrame(encode_message(Inquiry(FirmwareVersion.com_id)))]


def test_one_action_at_a_time_confirmed_refused_or_not_answered() -> None:
    bench = Bench()
    bench.up()
    test = ActionId.RCM_SELF_TEST
    assert bench.feed(events.ActionRequest(test)) == [events.SendFrame(encode_message(Inquiry(Action.com_id, test)))]
    assert bench.feed(events.ActionRequest(test)) == [events.ActionResult(test, False)]
    assert bench.feed(heard(Action(test))) == [events.ActionResult(test, True)]
    bench.feed(events.ActionRequest(test))
    assert bench.feed(heard(Action(ActionId.NONE))) == [events.ActionResult(test, False)]
    bench.feed(events.ActionRequest(test))
    asked = bench.now
    for _ in range(8):
        bench.now += 0.1
        bench.machine.touch(bench.now)
    assert bench.wait() == [events.ActionResult(test, False)]
    assert bench.now == pytest.approx(asked + timing.ACTION_TIMEOUT_S)


def test_an_action_without_a_link_is_refused_at_once() -> None:
    assert Bench().feed(events.ActionRequest(ActionId.RCM_SELF_TEST)) == [
        events.ActionResult(ActionId.RCM_SELF_TEST, False)
    ]


def test_errors_found_at_start_up_are_told_when_the_firmware_is_known() -> None:
    bench = Bench()
    bench.feed(events.Start())
    bench.feed(events.PortOpened())
    bench.wait()
    error = ErrorMessage(True, 13, 1)
    assert bench.feed(heard(error)) == []
    bench.wait()
    bench.feed(heard(FIRMWARE))
    assert bench.feed(heard(GIT))[-1] == events.ErrorReceived(error)


def test_a_frame_without_a_place_here_is_ignored() -> None:
    bench = Bench()
    bench.up()
    for frame in (Frame(0x55, bytes(8)), Frame(AnalogInput01.com_id, bytes(8)), Frame(0x06, bytes(8))):
        assert bench.feed(events.FrameReceived(frame)) == [events.UnknownFrame(frame)]


def test_stop_ends_it_whatever_goes_on() -> None:
    for steps in range(5):
        bench = Bench()
        bench.feed(events.Start())
        if steps > 0:
            bench.feed(events.PortOpened())
        for _ in range(steps - 1):
            bench.wait()
        assert bench.feed(events.Stop()) == [events.StopCycle(), events.ClosePort()]
        assert bench.machine.deadline is None
        assert bench.feed(events.PortFailed("late")) == []


def test_on_a_fast_clock_a_time_out_is_not_shorter_than_the_other_process_needs() -> None:
    """Speed 50: a second of the clock is 20 ms, less than the scheduling of two processes."""
    assert timing.patient(1.0, 50.0) == 20.0
    assert timing.patient(1.0, 1.0) == 1.0
    assert timing.patient(1.0, None) == 1.0
    assert timing.period(timing.CYCLE_S, 50.0) == 1.0
    assert timing.period(timing.CYCLE_S, 1.0) == timing.CYCLE_S


def test_an_action_dies_with_the_link_and_the_next_link_takes_a_new_one() -> None:
    """It is answered once, as not confirmed; it neither blocks an action after the recovery nor is answered again."""
    bench = Bench()
    bench.up()
    test, move = ActionId.RCM_SELF_TEST, ActionId.INLET_CLOSE
    bench.feed(events.ActionRequest(test))
    assert events.ActionResult(test, False) in bench.feed(events.PortFailed("unplugged"))
    assert bench.wait() == [events.StopCycle(), events.HoldReset(True), events.OpenPort()]
    assert bench.now == pytest.approx(100.305 + timing.RECONNECT_PAUSES_S[0])
    bench.feed(events.PortOpened())
    bench.wait()
    bench.wait()
    bench.feed(heard(FIRMWARE))
    bench.feed(heard(GIT))
    assert bench.feed(heard(Action(test))) == [], "nobody waits for it any more"
    assert bench.feed(events.ActionRequest(move)) == [events.SendFrame(encode_message(Inquiry(Action.com_id, move)))]
    assert bench.feed(heard(Action(move))) == [events.ActionResult(move, True)]

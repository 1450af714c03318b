"""The service console: every key, what is shown, what is never carried over a reset."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.board.flash.monitor import PATIENCE_S, Begin, FrameReceived, Key, Monitor, Quit, Reset, Send, Show
from chargebyte_fw.board.link.messages.charge_som import (
    Action,
    ActionId,
    Application,
    ChargeControl,
    ChargeState,
    CpState,
    ErrorMessage,
    FirmwareVersion,
    Inquiry,
    Platform,
)
from chargebyte_fw.board.link.messages.framing import Frame
from chargebyte_fw.board.link.messages.generations import generation_of
from chargebyte_fw.board.link.messages.mcs import CcsReady, ChargeControl2, ChargeState2

SOM = generation_of(FirmwareVersion(0, 4, 1, Platform.CHARGE_SOM, Application.FIRMWARE, 1))
MCS = generation_of(FirmwareVersion(0, 3, 1, Platform.CHARGE_CONTROL_Y, Application.FIRMWARE, 1))


def console(generation: Any = SOM, **options: Any) -> Monitor:
    monitor = Monitor(generation, **options)
    monitor.feed(Begin(), 0.0)
    return monitor


def sent(effects: list[Any]) -> list[Any]:
    return [effect.message for effect in effects if isinstance(effect, Send)]


def press(monitor: Monitor, keys: str) -> ChargeControl:
    for key in keys:
        monitor.feed(Key(key), 0.0)
    assert isinstance(monitor.control, ChargeControl)
    return monitor.control


@pytest.mark.parametrize(
    ("keys", "control"),
    [
        ("e", ChargeControl(pwm_active=True)),
        ("eE", ChargeControl()),
        ("r", ChargeControl(pwm_active=True, duty_percent=5.0)),
        ("t", ChargeControl(pwm_active=True, duty_percent=10.0)),
        ("z", ChargeControl(pwm_active=True, duty_percent=100.0)),
        ("z0", ChargeControl(pwm_active=True)),
        ("rE", ChargeControl(duty_percent=5.0)),
        ("5", ChargeControl(duty_percent=5.0)),
        ("6", ChargeControl(duty_percent=10.0)),
        ("9", ChargeControl(duty_percent=100.0)),
        ("5++-", ChargeControl(duty_percent=6.0)),
        ("0-", ChargeControl()),
        ("9+", ChargeControl(duty_percent=100.0)),
        ("1", ChargeControl(contactor_1_close=True)),
        ("123", ChargeControl(contactor_1_close=True, contactor_2_close=True, contactor_3_close=True)),
        ("22", ChargeControl()),
        ("xy\t", ChargeControl()),
    ],
)
def test_what_a_key_asks_for(keys: str, control: ChargeControl) -> None:
    assert press(console(), keys) == control


def test_keys_that_are_none_are_told_and_help_is_at_hand() -> None:
    assert shown(console().feed(Key("x"), 0.0)) == ["no such key: 'x'; ? shows the keys"]
    assert console().feed(Key("\n"), 0.0) == []
    assert shown(console().feed(Key("h"), 0.0)) == shown(console().feed(Key("?"), 0.0)) != []


def test_what_was_asked_for_goes_out_at_once_and_after_each_state() -> None:
    monitor = console()
    assert sent(monitor.feed(Key("e"), 0.0)) == [ChargeControl(pwm_active=True)]
    state = FrameReceived(Frame(ChargeState.com_id, ChargeState(cp_state=CpState.B).payload()))
    assert sent(monitor.feed(state, 0.1)) == [ChargeControl(pwm_active=True)]


def test_a_lost_state_does_not_stop_the_control() -> None:
    monitor = console()
    monitor.feed(Key("e"), 0.0)
    assert sent(monitor.wake(PATIENCE_S)) == [ChargeControl(pwm_active=True)]


def test_nothing_is_sent_by_itself_if_that_was_not_wanted() -> None:
    monitor = console(automatic=False)
    state = FrameReceived(Frame(ChargeState.com_id, ChargeState().payload()))
    assert sent(monitor.feed(Key("e"), 0.0)) == sent(monitor.feed(state, 0.1)) == []
    assert sent(monitor.feed(Key("c"), 0.2)) == [ChargeControl(pwm_active=True)]
    assert monitor.deadline is None
    assert sent(monitor.feed(Key("s"), 0.3)) == [ChargeControl(pwm_active=True)]
    assert monitor.feed(Key("s"), 0.4) and monitor.wake(99.0) == []


@pytest.mark.parametrize(("wait", "first"), [(False, [ChargeControl()]), (True, [])])
def test_the_first_frame_is_ours_or_the_controllers(wait: bool, first: list[Any]) -> None:
    assert sent(Monitor(SOM, wait=wait).feed(Begin(), 0.0)) == first


def test_a_reset_forgets_what_was_asked_for() -> None:
    monitor = console()
    press(monitor, "er1")
    effects = monitor.feed(Key("\x12"), 0.0)
    assert Reset() in effects
    assert monitor.control == ChargeControl()
    assert sent(monitor.feed(Begin(), 1.0)) == [ChargeControl()]


@pytest.mark.parametrize("key", ["q", "\x03"])
def test_the_end_opens_the_contactors_first(key: str) -> None:
    monitor = console()
    press(monitor, "er1")
    assert monitor.feed(Key(key), 0.0) == [Send(ChargeControl()), Quit()]
    assert monitor.feed(Key("e"), 0.0) == [] and monitor.wake(9.0) == []


def test_the_self_test_is_asked_for() -> None:
    assert sent(console().feed(Key("T"), 0.0)) == [Inquiry(Action.com_id, ActionId.RCM_SELF_TEST)]


def test_an_mcs_controller_has_keys_of_its_own() -> None:
    monitor = console(MCS)
    ready = [monitor.feed(Key(key), 0.0) and monitor.control for key in "rRe"]
    wanted = (CcsReady.READY, CcsReady.NOT_READY, CcsReady.EMERGENCY_STOP)
    assert ready == [ChargeControl2(ccs_ready=one) for one in wanted]
    assert sent(monitor.feed(Key("1"), 0.0)) == [] == sent(monitor.feed(Key("T"), 0.0))
    assert sent(monitor.feed(FrameReceived(Frame(ChargeState2.com_id, ChargeState2().payload())), 0.0))


def shown(effects: list[Any]) -> list[str]:
    return [effect.text for effect in effects if isinstance(effect, Show)]


def test_what_changes_is_shown_in_words() -> None:
    monitor = console()
    state = ChargeState(pwm_active=True, duty_percent=5.0, cp_state=CpState.C)
    (line,) = shown(monitor.feed(FrameReceived(Frame(ChargeState.com_id, state.payload())), 0.0))
    assert line == "ChargeState pwm_active duty_percent=5 cp_state=C"
    assert shown(monitor.feed(FrameReceived(Frame(ChargeState.com_id, state.payload())), 0.1)) == []
    every = console(every=True)
    again = [shown(every.feed(FrameReceived(Frame(ChargeState.com_id, state.payload())), 0.1)) for _ in range(2)]
    assert again == [[line], [line]]


def test_errors_actions_and_strangers_are_shown_each_time() -> None:
    monitor = console()
    error = FrameReceived(Frame(ErrorMessage.com_id, ErrorMessage(True, 13, 1).payload()))
    for _ in range(2):
        assert shown(monitor.feed(error, 0.0)) == [
            "ErrorMessage raised MW_PARAM parameter block missing, defaults used"
        ]
    refused = FrameReceived(Frame(Action.com_id, Action(ActionId.NONE).payload()))
    assert shown(monitor.feed(refused, 0.0)) == ["Action refused"]
    assert shown(monitor.feed(FrameReceived(Frame(0x77, bytes(range(8)))), 0.0)) == [
        "COM 0x77: 00 01 02 03 04 05 06 07"
    ]


@settings(max_examples=100)
@given(st.text(max_size=20), st.integers(0, 255), st.binary(min_size=8, max_size=8), st.sampled_from([SOM, MCS]))
def test_any_key_and_any_frame(keys: str, com_id: int, payload: bytes, generation: Any) -> None:
    monitor = console(generation)
    for key in keys:
        monitor.feed(Key(key), 0.0)
    monitor.feed(FrameReceived(Frame(com_id, payload)), 0.0)

"""The service console's screen: what it says of each kind of frame, and of none at all."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.board.flash.programmer import Running
from chargebyte_fw.board.flash.screen import NOTES, Screen
from chargebyte_fw.board.link.messages.charge_som import (
    Application,
    ChargeControl,
    ChargeState,
    ContactorState,
    CpState,
    ErrorMessage,
    EstopState,
    FirmwareVersion,
    GitHash,
    InletState,
    Platform,
    PpState,
    Pt1000State,
    SafeStateActive,
    SafeStateReason,
)
from chargebyte_fw.board.link.messages.framing import Frame
from chargebyte_fw.board.link.messages.generations import generation_of
from chargebyte_fw.board.link.messages.mcs import CcsReady, CeState, ChargeControl2, ChargeState2, IdState

SOM = FirmwareVersion(0, 9, 0, Platform.CHARGE_SOM, Application.FIRMWARE, 3)
MCS = FirmwareVersion(0, 3, 1, Platform.CHARGE_CONTROL_Y, Application.FIRMWARE, 1)


def screen(firmware: FirmwareVersion = SOM) -> Screen:
    running = Running(firmware, GitHash(bytes.fromhex("7470cd6cb7945af7")), "R7FA2E1A93CFM", 1)
    return Screen(running, generation_of(firmware), "keys")


def frame(message: ChargeState | ChargeState2 | Pt1000State | ErrorMessage) -> Frame:
    return Frame(message.com_id, message.payload())


def test_before_anything_was_heard_it_says_what_is_known() -> None:
    shown = screen().text(ChargeControl(), automatic=True)
    assert "Firmware Version: 0.9.0 (Charge SOM, firmware, Parameter Version: 3)" in shown
    assert "MCU Version: 1        Part Number: R7FA2E1A93CFM\n" in shown and "Git Hash: 7470cd6cb7945af7" in shown
    assert "== Latest Error Message ==\nNone" in shown and "temperature=-n/a- °C" in shown


def test_a_controller_in_trouble_with_everything_that_it_says() -> None:
    console = screen()
    state = ChargeState(
        pwm_active=True,
        duty_percent=26.6,
        cp_state=CpState.B,
        pp_state=PpState.A_32,
        diode_fault=True,
        cp_short_circuit=True,
        estop_2=EstopState.TRIPPED,
        safe_state_active=SafeStateActive.SAFE_STATE,
        safe_state_reason=SafeStateReason.EMERGENCY_INPUT_2,
        contactor_1=ContactorState.OPEN,
        inlet=InletState.CLOSED,
    )
    console.take(frame(state), "12:00:00.123")
    console.take(frame(Pt1000State(temperature_1_C=90.1, stops_charging_1=True, self_test_failed_1=True)), "12:00:01")
    console.take(frame(ErrorMessage(True, 7, 2, None, 0)), "12:00:02")
    shown = console.text(ChargeControl(True, 30.0, contactor_1_close=True), automatic=False)
    for line in (
        "Control Pilot:   B (diode fault, short circuit)",
        "Proximity Pilot: a 32",
        "ESTOP1=not tripped  ESTOP2=tripped      ESTOP3=not tripped",
        "Safe State Active: safe state  Reason: emergency input 2",
        "Plug Lock:       closed",
        "Enable:               yes      Is Enabled:         yes",
        "Requested Duty Cycle:  30.0%   Current Duty Cycle:  26.6%",
        "Contactor 1: requested=CLOSE   actual=open",
        "Channel 1: enabled=yes temperature= 90.1 °C (selftest failed, charging stop cause)",
        "Active: yes      Module: APP_HVSWITCH    Reason: not closed in time",
        "Additional Data: none 0x0000",
        "ChargeState                  : 12:00:00.123",
        "ChargeControl is sent only on c",
    ):
        assert line in shown.splitlines() or line in shown, line


def test_an_mcs_controller_has_a_screen_of_its_own() -> None:
    console = screen(MCS)
    console.take(frame(ChargeState2(CeState.B, IdState.CONNECTED)), "12:00:00")
    shown = console.text(ChargeControl2(CcsReady.READY), automatic=True)
    assert "ID State: connected\nCE State: B\n" in shown and "CCS Ready: ready" in shown
    assert "== Contactor ==" not in shown


def test_notes_are_the_last_few_and_no_repetition_of_the_state() -> None:
    console = screen()
    for text in ("-> ChargeControl nothing asked for", "ChargeState cp_state=A", "a", "b", "c", "d"):
        console.note(text)
    shown = console.text(ChargeControl(), automatic=True)
    assert shown.endswith("keys\na\nb\nc\nd") and NOTES == 4
    assert "cp_state=A" not in shown


@settings(max_examples=150)
@given(st.integers(0, 255), st.binary(min_size=8, max_size=8), st.sampled_from([SOM, MCS]))
def test_any_frame_can_be_shown(com_id: int, payload: bytes, firmware: FirmwareVersion) -> None:
    console = screen(firmware)
    console.take(Frame(com_id, payload), "12:00:00")
    control = ChargeControl2() if firmware is MCS else ChargeControl()
    assert console.text(control, automatic=True)

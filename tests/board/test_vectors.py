"""Frames of the safety controller's protocol, byte by byte in both directions."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.board.link.messages.charge_som import (
    Action,
    ActionId,
    Application,
    ChargeControl,
    ChargeState,
    ChipInfo,
    ContactorState,
    CpState,
    ErrorMessage,
    EstopState,
    FirmwareVersion,
    GitHash,
    InletState,
    Inquiry,
    PartNumber1,
    Platform,
    PpState,
    Pt1000State,
    RcmState,
    SafeStateActive,
    SafeStateReason,
)
from chargebyte_fw.board.link.messages.declaration import Message, declared
from chargebyte_fw.board.link.messages.framing import Receiver, crc8, encode_message
from chargebyte_fw.board.link.messages.mcs import (
    CcsReady,
    CeState,
    ChargeControl2,
    ChargeState2,
    IdState,
    McsSafeStateReason,
)

OPEN, CLOSED, UNUSED = ContactorState.OPEN, ContactorState.CLOSED, ContactorState.UNUSED
NO_STOPS: dict[str, Any] = {f"estop_{n}": EstopState.UNUSED for n in (1, 2, 3)}
ONE_OPEN: dict[str, Any] = {"contactor_1": OPEN, "contactor_2": UNUSED, "contactor_3": UNUSED, **NO_STOPS}
SAFE: dict[str, Any] = {"pwm_active": True, "safe_state_active": SafeStateActive.SAFE_STATE}

VECTORS: list[tuple[str, str, Message]] = [
    ("inquire FW_VERSION", "A5 FF 0A 00 00 00 00 00 00 00 83 03", Inquiry(FirmwareVersion.com_id)),
    ("inquire GIT_HASH", "A5 FF 0B 00 00 00 00 00 00 00 DC 03", Inquiry(GitHash.com_id)),
    ("inquire PARTNUMBER_1", "A5 FF 14 00 00 00 00 00 00 00 07 03", Inquiry(PartNumber1.com_id)),
    ("inquire CHIPINFO", "A5 FF 16 00 00 00 00 00 00 00 B9 03", Inquiry(ChipInfo.com_id)),
    ("RCM self-test", "A5 FF FE 01 00 00 00 00 00 00 EB 03", Inquiry(Action.com_id, ActionId.RCM_SELF_TEST)),
    ("inlet close", "A5 FF FE 02 00 00 00 00 00 00 0C 03", Inquiry(Action.com_id, ActionId.INLET_CLOSE)),
    ("RCM self-test accepted", "A5 FE 01 00 00 00 00 00 00 00 C5 03", Action(ActionId.RCM_SELF_TEST)),
    (
        "firmware 0.3.1",
        "A5 0A 00 03 01 81 03 00 01 00 A7 03",
        FirmwareVersion(0, 3, 1, Platform.CHARGE_SOM, Application.FIRMWARE, 1),
    ),
    ("git hash", "A5 0B 74 70 CD 6C B7 94 5A F7 B8 03", GitHash(bytes.fromhex("7470cd6cb7945af7"))),
    ("X1", "A5 06 83 E8 00 00 00 00 00 00 A0 03", ChargeControl(True, 100.0)),
    ("5 %, contactors open", "A5 06 80 32 00 00 00 00 00 00 EF 03", ChargeControl(True, 5.0)),
    (
        "5 %, contactor 1 close",
        "A5 06 80 32 01 00 00 00 00 00 A9 03",
        ChargeControl(True, 5.0, contactor_1_close=True),
    ),
    ("26.6 %, all close", "A5 06 81 0A 07 00 00 00 00 00 7B 03", ChargeControl(True, 26.6, True, True, True)),
    ("state F", "A5 06 80 00 00 00 00 00 00 00 83 03", ChargeControl(True, 0.0)),
    ("all zero", "A5 06 00 00 00 00 00 00 00 00 3F 03", ChargeControl()),
    (
        "state A, 100 %",
        "A5 07 83 E8 01 00 3D 3F 00 00 0D 03",
        ChargeState(pwm_active=True, duty_percent=100.0, cp_state=CpState.A, **ONE_OPEN),
    ),
    (
        "state B, 5 %",
        "A5 07 80 32 02 00 3D 3F 00 00 88 03",
        ChargeState(pwm_active=True, duty_percent=5.0, cp_state=CpState.B, **ONE_OPEN),
    ),
    (
        "state C, closed",
        "A5 07 80 32 03 00 7E 3C 00 00 6C 03",
        ChargeState(
            pwm_active=True,
            duty_percent=5.0,
            cp_state=CpState.C,
            hv_ready=True,
            **{**ONE_OPEN, "contactor_1": CLOSED, "estop_1": EstopState.NOT_TRIPPED},
        ),
    ),
    (
        "state C, PP 32 A, RCM monitoring",
        "A5 07 81 0A 03 03 7A 7F 00 00 2B 03",
        ChargeState(
            pwm_active=True,
            duty_percent=26.6,
            cp_state=CpState.C,
            pp_state=PpState.A_32,
            hv_ready=True,
            rcm=RcmState.MONITORING,
            contactor_1=CLOSED,
            contactor_2=CLOSED,
            contactor_3=UNUSED,
            **NO_STOPS,
        ),
    ),
    (
        "emergency input 1",
        "A5 07 84 00 06 00 3D 3D 10 00 37 03",
        ChargeState(
            **SAFE,
            cp_state=CpState.F,
            safe_state_reason=SafeStateReason.EMERGENCY_INPUT_1,
            **{**ONE_OPEN, "estop_1": EstopState.TRIPPED},
        ),
    ),
    (
        "communication timeout",
        "A5 07 84 00 06 00 3D 3F 02 00 18 03",
        ChargeState(**SAFE, cp_state=CpState.F, safe_state_reason=SafeStateReason.COMMUNICATION_TIMEOUT, **ONE_OPEN),
    ),
    (
        "diode fault",
        "A5 07 84 00 12 00 3D 3F 0E 00 7E 03",
        ChargeState(
            **SAFE,
            diode_fault=True,
            cp_state=CpState.B,
            safe_state_reason=SafeStateReason.CONTROL_PILOT_DIODE_NOT_DETECTED,
            **ONE_OPEN,
        ),
    ),
    (
        "inlet closed",
        "A5 07 80 32 62 00 3D 3F 00 00 F0 03",
        ChargeState(pwm_active=True, duty_percent=5.0, cp_state=CpState.B, inlet=InletState.CLOSED, **ONE_OPEN),
    ),
    (
        "two temperatures",
        "A5 08 03 E8 FE 5C 7F FC 7F FC D6 03",
        Pt1000State(temperature_1_C=25.0, temperature_2_C=-10.5),
    ),
    (
        "hot, and unused with a failed self-test",
        "A5 08 0E 15 7F FE 7F FC 7F FC B5 03",
        Pt1000State(temperature_1_C=90.1, stops_charging_1=True, self_test_failed_2=True),
    ),
    ("parameter block missing", "A5 0E 80 0D 00 01 FF FF FF FF 2D 03", ErrorMessage(True, 13, 1)),
    ("contactor late", "A5 0E 80 07 00 02 FF FF 00 00 7E 03", ErrorMessage(True, 7, 2, None, 0)),
    ("contactor well again", "A5 0E 00 07 00 02 FF FF 00 00 C2 03", ErrorMessage(False, 7, 2, None, 0)),
    ("MCS ready", "A5 11 10 00 00 00 00 00 00 00 9E 03", ChargeControl2(CcsReady.READY)),
    ("MCS emergency stop", "A5 11 20 00 00 00 00 00 00 00 28 03", ChargeControl2(CcsReady.EMERGENCY_STOP)),
    ("MCS B", "A5 10 32 00 00 00 00 00 00 00 6A 03", ChargeState2(CeState.B, IdState.CONNECTED)),
    (
        "MCS safe state",
        "A5 10 62 0E 40 00 00 00 00 00 FC 03",
        ChargeState2(CeState.EC, IdState.CONNECTED, McsSafeStateReason.EMERGENCY_INPUT, SafeStateActive.SAFE_STATE),
    ),
]


@pytest.mark.parametrize(("text", "message"), [v[1:] for v in VECTORS], ids=[v[0] for v in VECTORS])
def test_a_message_is_these_bytes_and_these_bytes_are_the_message(text: str, message: Message) -> None:
    data = bytes.fromhex(text)
    assert encode_message(message) == data
    (frame,) = Receiver().feed(data)
    kind = next(kind for kind in declared() if kind.com_id == frame.com_id)
    assert kind is type(message)
    assert kind.from_payload(frame.payload) == message


def test_the_crc_is_sae_j1850() -> None:
    assert crc8(b"123456789") == 0x4B


def test_duty_cycles_beyond_the_scale_are_clamped() -> None:
    assert ChargeControl.from_payload(ChargeControl(True, 173.0).payload()).duty_percent == 100.0
    assert ChargeControl.from_payload(ChargeControl(True, -3.0).payload()).duty_percent == 0.0

"""What older and newer firmware says differently, chosen from FW_VERSION."""

from __future__ import annotations

import pytest

from chargebyte_fw.board.link.messages.charge_som import (
    Application,
    ChargeState,
    ContactorState,
    CpState,
    ErrorMessage,
    FirmwareVersion,
    InletState,
    Platform,
    RcmState,
    SafeStateReason,
)
from chargebyte_fw.board.link.messages.error_texts import reason_text
from chargebyte_fw.board.link.messages.framing import Frame
from chargebyte_fw.board.link.messages.generations import generation_of
from chargebyte_fw.board.link.messages.mcs import ChargeState2


def firmware(*version: int, parameters: int = 1, platform: Platform = Platform.CHARGE_SOM) -> FirmwareVersion:
    major, minor, build = version
    return FirmwareVersion(major, minor, build, platform, Application.FIRMWARE, parameters)


def test_up_to_0_2_5_the_contactor_bits_lie_elsewhere() -> None:
    """Contactor 1 in bits 25..24 (1 closed), its error in 26; contactor 2 in 28..27, its error in 29."""
    old = generation_of(firmware(0, 2, 5))
    closed_and_open = Frame(0x07, bytes.fromhex("8032030041000000"))
    state = old.decode(closed_and_open)
    assert isinstance(state, ChargeState)
    assert state.contactors == (ContactorState.CLOSED, ContactorState.OPEN, ContactorState.UNUSED)
    assert not state.contactor_fault
    failed = old.decode(Frame(0x07, bytes.fromhex("803203001C000000")))
    assert isinstance(failed, ChargeState)
    assert failed.contactor_fault
    assert failed.contactors[1] is ContactorState.UNUSED
    newer = generation_of(firmware(0, 2, 6)).decode(closed_and_open)
    assert isinstance(newer, ChargeState)
    assert newer.contactor_1 is ContactorState.OPEN


@pytest.mark.parametrize("version", [(0, 2, 5), (0, 2, 6), (0, 3, 1), (0, 4, 0)])
def test_what_a_generation_says_it_understands(version: tuple[int, int, int]) -> None:
    generation = generation_of(firmware(*version))
    state = ChargeState(
        pwm_active=True,
        duty_percent=5.0,
        cp_state=CpState.C,
        contactor_1=ContactorState.CLOSED,
        contactor_2=ContactorState.OPEN,
        contactor_3=ContactorState.UNUSED,
    )
    assert generation.decode(Frame(0x07, generation.state_payload(state))) == state


def test_the_residual_current_monitor_came_with_0_4_and_the_plug_lock_with_parameter_block_3() -> None:
    state = ChargeState(rcm=RcmState.MONITORING, inlet=InletState.CLOSED)
    assert ChargeState.from_payload(generation_of(firmware(0, 3, 9)).state_payload(state)) == ChargeState()
    newest = generation_of(firmware(0, 4, 0, parameters=3))
    assert ChargeState.from_payload(newest.state_payload(state)) == state
    assert newest.has_inlet
    assert not generation_of(firmware(0, 2, 9)).has_part_number
    assert generation_of(firmware(0, 2, 10)).has_part_number


@pytest.mark.parametrize(
    ("of", "number", "name"),
    [
        (firmware(0, 2, 5), 12, "MW_PARAM"),
        (firmware(0, 3, 1), 13, "MW_PARAM"),
        (firmware(0, 3, 1), 7, "APP_HVSWITCH"),
        (firmware(0, 4, 0, parameters=3), 14, "MW_PARAM"),
        (firmware(0, 4, 0, parameters=3), 8, "APP_INLET"),
        (firmware(0, 1, 0, platform=Platform.CHARGE_CONTROL_Y), 7, "MW_ADC"),
        (firmware(0, 3, 1), 99, "module 99"),
    ],
)
def test_module_numbers_depend_on_the_generation(of: FirmwareVersion, number: int, name: str) -> None:
    assert generation_of(of).error_text(ErrorMessage(True, number, 0))[0] == name


def test_reasons_have_words() -> None:
    assert reason_text("APP_HVSWITCH", 4) == "not opened in time"
    assert reason_text("APP_HVSWITCH", 0) == "default"
    assert reason_text("MW_PARAM", 10) == "invalid inlet type"
    assert reason_text("MW_I2C", 3) == "reason 3"


def test_an_old_error_flag_becomes_the_reason_that_replaced_it() -> None:
    old = generation_of(firmware(0, 2, 5))
    failed = ChargeState(
        contactor_1=ContactorState.CLOSED,
        contactor_2=ContactorState.UNUSED,
        contactor_3=ContactorState.UNUSED,
        safe_state_reason=SafeStateReason.HIGH_VOLTAGE_SWITCH_MALFUNCTION,
    )
    said = old.decode(Frame(0x07, old.state_payload(failed)))
    assert isinstance(said, ChargeState)
    assert said.contactor_fault


def test_boards_for_megawatts_speak_other_messages() -> None:
    mcs = generation_of(firmware(0, 1, 0, platform=Platform.CHARGE_CONTROL_Y))
    assert mcs.is_mcs
    assert isinstance(mcs.decode(Frame(0x10, bytes.fromhex("3200000000000000"))), ChargeState2)


@pytest.mark.parametrize("com_id", [0x06, 0x11, 0xFF, 0x00, 0x01, 0x02, 0x09, 0x55])
def test_what_a_controller_has_no_business_to_say_is_nothing(com_id: int) -> None:
    assert generation_of(firmware(0, 4, 0)).decode(Frame(com_id, bytes(8))) is None

"""The DBC file says of every message what its declaration says: cantools, which knows nothing of us, decodes alike."""

from __future__ import annotations

import math
from typing import Any, get_type_hints

import cantools.database
import pytest
from cantools.database.namedsignalvalue import NamedSignalValue
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.board.link.messages import charge_som as messages
from chargebyte_fw.board.link.messages.dbc import ENCODING, dbc
from chargebyte_fw.board.link.messages.declaration import Message, declared


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("dbc") / "safety.dbc"
    path.write_text(dbc(), ENCODING)
    return cantools.database.load_file(path, strict=True)


def alike(ours: Any, theirs: Any) -> bool:
    """A named value is its number there, a byte string one big-endian number, "absent" no value."""
    if ours is None:
        return str(theirs) == "absent"
    if isinstance(ours, bytes):
        return int.from_bytes(ours, "big") == int(theirs)
    if isinstance(theirs, NamedSignalValue):
        return bool(int(ours) == theirs.value)
    return math.isclose(float(ours), float(theirs), abs_tol=1e-6)


def test_every_declared_message_is_there_once_with_its_29_bit_id(database: Any) -> None:
    assert {one.frame_id: one.name for one in database.messages} == {one.com_id: one.__name__ for one in declared()}
    assert all(one.is_extended_frame and one.length == 8 for one in database.messages)


def test_senders_units_cycles_and_words_are_said(database: Any) -> None:
    control, state = database.get_message_by_name("ChargeControl"), database.get_message_by_name("ChargeState")
    assert (control.senders, state.senders) == (["HOST"], ["MCU"])
    assert (control.cycle_time, database.get_message_by_name("GitHash").cycle_time) == (100, None)
    duty = control.get_signal_by_name("duty_percent")
    assert (duty.unit, duty.scale, duty.maximum) == ("%", 0.1, 100.0)
    assert database.get_message_by_name("Pt1000State").get_signal_by_name("temperature_1_C").unit == "°C"
    reason = state.get_signal_by_name("safe_state_reason").choices
    assert reason[13] == "Control Pilot short-circuit" and reason[1] == "internal error"
    assert "every 100 ms" in state.comment


@pytest.mark.parametrize(
    ("message", "signal", "words"),
    [
        (0x07, "inlet", '0 "UNDEFINED" 1 "OPEN" 2 "OPENING" 3 "CLOSED" 4 "CLOSING" 5 "ERROR" 7 "NOT_CONFIGURED"'),
        (0x07, "contactor_1", '0 "UNDEFINED" 1 "OPEN" 2 "CLOSED" 3 "UNUSED"'),
        (0x08, "temperature_4_C", '8191 "absent"'),
        (0x0A, "platform", '0 "unknown" 129 "Charge SOM" 130 "Charge Control Y" 255 "unspecified"'),
        (0x0E, "data_2", '65535 "absent"'),
        (0x10, "id_state", '0 "UNKNOWN" 1 "NOT_CONNECTED" 2 "CONNECTED" 3 "INVALID" 15 "INVALID_OLD"'),
        (0xFF, "action", '0 "NONE" 1 "RCM_SELF_TEST" 2 "INLET_CLOSE" 3 "INLET_OPEN"'),
    ],
)
def test_every_value_of_a_signal_has_its_word(message: int, signal: str, words: str) -> None:
    """From 0 to the highest number that fits into the signal; the 29-bit id carries the file format's top bit."""
    assert f"VAL_ {message | 1 << 31} {signal} {words} ;" in dbc().splitlines()


def test_a_number_without_named_values_has_no_words() -> None:
    named = {(int(line.split()[1]) & 0xFF, line.split()[2]) for line in dbc().splitlines() if line.startswith("VAL_ ")}
    assert not named & {(0x06, "duty_percent"), (0x07, "hv_ready"), (0x0A, "major"), (0x0B, "commit"), (0x09, "pp")}


def test_the_words_do_not_name_values_that_somebody_once_received(database: Any) -> None:
    """An unknown value becomes a member of the enumeration at run time; the file stays the same."""
    assert messages.CpState(7) is messages.CpState.INVALID
    assert messages.SafeStateReason(77).name == "UNKNOWN_77"
    assert "UNKNOWN_77" not in dbc() and "reason 77" not in dbc()


@pytest.mark.parametrize("message", declared(), ids=lambda message: message.__name__)
@settings(max_examples=60, deadline=None)
@given(payload=st.binary(min_size=8, max_size=8))
def test_cantools_reads_what_we_read(database: Any, message: type[Message], payload: bytes) -> None:
    ours = message.from_payload(payload)
    theirs = database.decode_message(message.com_id, payload, force_extended_id=True)
    assert set(theirs) == set(get_type_hints(message)) & set(message.places)
    wrong = {
        name: (getattr(ours, name), theirs[name]) for name in theirs if not alike(getattr(ours, name), theirs[name])
    }
    assert wrong == {}


def test_a_known_vector_decodes(database: Any) -> None:
    state = database.decode_message(0x07, bytes.fromhex("8032020000000000"), force_extended_id=True)
    assert (state["pwm_active"], state["duty_percent"], str(state["cp_state"])) == (1, 5.0, "B")


def test_the_file_is_the_same_text_every_time_and_in_the_character_set_of_such_files() -> None:
    assert dbc() == dbc()
    assert dbc().encode(ENCODING).decode(ENCODING) == dbc()

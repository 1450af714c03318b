"""Recorded UART frames read for people: twelve bytes as sent, nine as received, and octets that are no frame."""

from __future__ import annotations

import pytest

from chargebyte_fw.board.link.messages.uart_reader import UartReader


@pytest.mark.parametrize("octets", ["A5 42 01 02 03 04 05 06 07 08 C3 03", "42 01 02 03 04 05 06 07 08"])
def test_an_unknown_com_id_shows_its_eight_payload_bytes(octets: str) -> None:
    """Neither the CRC of bytes 1 to 9 nor the end of the frame belongs to the payload."""
    assert UartReader().read(bytes.fromhex(octets)) == ("COM id 0x42", {"payload": "0102030405060708"})


@pytest.mark.parametrize("octets", ["A5 07 80 32 02 00 3D 3F 00 00 88 03", "07 80 32 02 00 3D 3F 00 00"])
def test_a_state_reads_alike_as_sent_and_as_received(octets: str) -> None:
    name, values = UartReader().read(bytes.fromhex(octets))
    assert name == "ChargeState"
    assert (values["cp_state"], values["duty_percent"], values["pwm_active"]) == ("B", 5.0, True)
    assert (values["contactor_1"], values["contactor_2"], values["estop_1"]) == ("OPEN", "UNUSED", "UNUSED")


@pytest.mark.parametrize(
    ("octets", "name", "values"),
    [
        (
            "A5 06 81 0A 07 00 00 00 00 00 7B 03",
            "ChargeControl",
            {
                "pwm_active": True,
                "duty_percent": 26.6,
                "contactor_3_close": True,
                "contactor_2_close": True,
                "contactor_1_close": True,
            },
        ),
        ("A5 FF FE 02 00 00 00 00 00 00 0C 03", "Inquiry", {"wanted": 0xFE, "action": "INLET_CLOSE"}),
        ("A5 0B 74 70 CD 6C B7 94 5A F7 B8 03", "GitHash", {"commit": "7470cd6cb7945af7"}),
    ],
)
def test_what_the_host_sends_is_read_too(octets: str, name: str, values: dict[str, object]) -> None:
    assert UartReader().read(bytes.fromhex(octets)) == (name, values)


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "A5",
        "A4 07 80 32 02 00 3D 3F 00 00 88 03",  # another start
        "A5 07 80 32 02 00 3D 3F 00 00 88 02",  # another end
        "A5 07 80 32 02 00 3D 3F 00 00 88",
        "07 80 32 02 00 3D 3F 00",
    ],
)
def test_octets_that_are_no_frame_are_shown_as_they_are(octets: str) -> None:
    data = bytes.fromhex(octets)
    assert UartReader().read(data) == ("UART", {"octets": data.hex()})


def test_the_layout_of_a_state_follows_the_firmware_that_was_recorded_before_it() -> None:
    """Up to 0.2.5 a contactor that is closed is 1 in bits 25..24; later 1 is open."""
    state = bytes.fromhex("07 80 32 03 00 19 3F 00 00")
    reader = UartReader()
    assert reader.read(state)[1]["contactor_1"] == "OPEN"
    assert reader.read(bytes.fromhex("0A 00 02 05 81 03 00 01 00"))[0] == "FirmwareVersion"
    assert reader.read(state)[1]["contactor_1"] == "CLOSED"
    reader.read(bytes.fromhex("0A 00 02 06 81 03 00 01 00"))
    assert reader.read(state)[1]["contactor_1"] == "OPEN"

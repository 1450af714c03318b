"""Firmware images: the information block, the CRC, and every file that is refused."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.board.flash import image
from chargebyte_fw.board.flash.image import BadImage, Info
from chargebyte_fw.board.link.messages.charge_som import Application, Platform
from chargebyte_fw.sim.chip import firmware_image

# The blocks of two published firmware files.
CHARGE_SOM = "bebafeca50e400009889c556000301f75a94b76ccd70748103010000bebafeca"
PARSLEY = "bebafeca6cd800002fbce4f7000301f75a94b76ccd70748203010000bebafeca"


@pytest.mark.parametrize(
    ("block", "size", "crc", "platform"),
    [
        (CHARGE_SOM, 58448, 0x56C58998, Platform.CHARGE_SOM),
        (PARSLEY, 55404, 0xF7E4BC2F, Platform.CHARGE_CONTROL_Y),
    ],
)
def test_the_blocks_of_published_files(block: str, size: int, crc: int, platform: Platform) -> None:
    info = image.read_info(bytes.fromhex(block))
    git = 0x7470CD6CB7945AF7
    assert info == Info(size, crc, (0, 3, 1), git, platform, Application.FIRMWARE, 1)
    assert info.pack().hex() == block
    assert (info.version_text, info.git_text) == ("0.3.1", "7470cd6cb7945af7")


def slow_crc(data: bytes) -> int:
    """The same CRC bit by bit, word by word, the highest bit of each word first."""
    crc = 0xFFFFFFFF
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]
    del words[(image.INFO_AT + 8) // 4]
    for word in words:
        for bit in range(31, -1, -1):
            feedback = (crc >> 31) ^ (word >> bit & 1)
            crc = (crc << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 if feedback else 0)
    return crc


@settings(max_examples=10)
@given(st.binary(min_size=1024, max_size=1100))
def test_the_crc_is_over_words_and_leaves_its_own_out(data: bytes) -> None:
    data += b"\xff" * (-len(data) % 4)
    assert image.checksum(data) == slow_crc(data)
    changed = bytearray(data)
    changed[image.INFO_AT + 8] ^= 0xFF
    assert image.checksum(bytes(changed)) == image.checksum(data)


def test_a_whole_image_says_what_it_is() -> None:
    info = image.check(firmware_image((1, 2, 3), Platform.CHARGE_CONTROL_Y, 2, size=4096))
    assert (info.version, info.platform, info.parameter_version) == ((1, 2, 3), Platform.CHARGE_CONTROL_Y, 2)


def test_the_smallest_image_ends_with_its_information_block() -> None:
    """The block is 32 bytes from 0x3E0: 1024 bytes are an image, one byte less has no whole block."""
    smallest = firmware_image(size=0x400)
    assert image.check(smallest).size == len(smallest) == 1024
    with pytest.raises(BadImage, match="1023 bytes are too few for its information block"):
        image.check(smallest[:-1])


def broken(at: int, content: bytes) -> bytes:
    data = bytearray(firmware_image(size=4096))
    data[at : at + len(content)] = content
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\0" * 500, "too few"),
        (b"\0" * 4096, "no information block"),
        (broken(image.INFO_AT + 28, b"\0\0\0\0"), "no information block"),
        (firmware_image(size=4096)[:-1], "truncated: it has 4095 bytes, the firmware is 4096"),
        (firmware_image(size=4096)[:2000], "truncated"),
        (firmware_image(size=4096) + b"\xff" * 4, "4 bytes after the 4096"),
        (broken(100, b"\x12\x34"), "damaged: its CRC is 0x"),
        (broken(4095, b"\x12"), "damaged"),
        (broken(image.INFO_AT + 8, b"\0\0\0\0"), "damaged"),
        (broken(image.INFO_AT + 4, struct.pack("<I", 4095)) [:4095], "no multiple of four"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_whole_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadImage, match=why):
        image.check(data)


def test_an_image_for_another_board_or_a_smaller_chip_is_refused() -> None:
    info = image.check(firmware_image(size=4096))
    image.check_fits(info, Platform.CHARGE_SOM, 4096, 4)
    image.check_fits(info, None, 4096, 4)
    with pytest.raises(BadImage, match="is for Charge SOM, this is a Charge Control Y"):
        image.check_fits(info, Platform.CHARGE_CONTROL_Y, 0x20000, 4)
    with pytest.raises(BadImage, match="4096 bytes do not fit into the 4092"):
        image.check_fits(info, Platform.CHARGE_SOM, 4092, 4)
    with pytest.raises(BadImage, match="no multiple of the 128 bytes"):
        image.check_size(4100, 8192, 128)
    with pytest.raises(BadImage, match="empty"):
        image.check_size(0, 8192, 4)


@settings(max_examples=100)
@given(st.binary(max_size=64), st.integers(0, 1100))
def test_any_file_is_an_image_or_is_refused(noise: bytes, at: int) -> None:
    for data in (noise, broken(at, noise), noise + firmware_image(size=2048)):
        try:
            assert image.check(data).size == len(data)
        except BadImage as error:
            assert str(error)

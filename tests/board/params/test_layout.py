"""The parameter block as bytes: the published blocks, the unversioned quirks, what is damaged, opaque or no block."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.board.params import layout, yaml_text
from chargebyte_fw.board.params.layout import BadBlock, Parameters, decode, encode, identify

OFF = ["disabled"] * 4
BLOCKS = {
    "every kind of value": (
        1,
        """\
pt1000s:
  - abort-temperature: 75.0 °C
    resistance-offset: 1.000 Ω
  - abort-temperature: 80.0 °C
    resistance-offset: 2.000 Ω
  - abort-temperature: 85.0 °C
    resistance-offset: 3.000 Ω
  - abort-temperature: 90.0 °C
    resistance-offset: 4.000 Ω
contactors:
  - type: without-feedback
    close-time: 0 ms
    open-time: 0 ms
  - type: with-feedback-normally-open
    close-time: 100 ms
    open-time: 100 ms
  - type: with-feedback-normally-closed
    close-time: 200 ms
    open-time: 200 ms
estops: [active-low, disabled, active-low]
""",
        "0df001c00100ee02200352038403e803d007b80ba00f010203000a14000a140100010df001c086",
    ),
    "all disabled": (
        1,
        "pt1000s: [disabled, off, NONE, Disable]\ncontactors: [none, disabled, disabled]\nestops: [off, off, off]\n",
        "0df001c00100ff1fff1fff1fff1f00000000000000000000000000000000000000000df001c02a",
    ),
    "two temperatures, two contactors": (
        1,
        "pt1000s: [off, off, 85.0 °C, 85.0 °C]\ncontactors: [without-feedback, without-feedback, none]\n"
        "estops: [off, off, off]\n",
        "0df001c00100ff1fff1f5203520300000000000000000101000000000000000000000df001c0b6",
    ),
    "the same with an emergency stop": (
        1,
        "pt1000s: [off, off, 85.0 °C, 85.0 °C]\ncontactors: [without-feedback, without-feedback, none]\n"
        "estops: [active-low, off, off]\n",
        "0df001c00100ff1fff1f5203520300000000000000000101000000000000000100000df001c042",
    ),
    "normally closed, 100 ms": (
        1,
        "pt1000s: [off, off, off, off]\ncontactors:\n"
        "  - {type: with-feedback-normally-closed, close-time: 100 ms, open-time: 100 ms}\n"
        "  - {type: with-feedback, close-time: 100ms, open-time: 109 ms}\n"
        "  - disabled\nestops: [active-low, off, off]\n",
        "0df001c00100ff1fff1fff1fff1f00000000000000000303000a0a000a0a000100000df001c05a",
    ),
    "only contactor": (
        1,
        "pt1000s: [off, off, off, off]\ncontactors: [without-feedback, without-feedback, without-feedback]\n"
        "estops: [off, off, off]\n",
        "0df001c00100ff1fff1fff1fff1f00000000000000000101010000000000000000000df001c0c0",
    ),
    "unversioned": (
        0,
        "pt1000s: [off, off, off, off]\ncontactors: [without-feedback, without-feedback]\nestops: [off, off, off]\n",
        "0df001c0ff1fff1fff1fff1f01010000000df001c090",
    ),
    "with residual current monitor": (
        2,
        "pt1000s: [85.0 °C, 85.0 °C, 85.0 °C, 85.0 °C]\ncontactors:\n"
        "  - {type: with-feedback-normally-open, close-time: 100 ms, open-time: 100 ms}\n"
        "  - {type: with-feedback-normally-open, close-time: 100 ms, open-time: 100 ms}\n  - disabled\n"
        "estops: [active-low, off, off]\nrcm:\n  fault-polarity: active-low\n  test-polarity: active-high\n"
        "  test-trigger-time: 60 ms\n  test-check-tripped-time: 80 ms\n  test-check-normal-time: 100 ms\n",
        "0df001c00200520352035203520300000000000000000202000a0a000a0a0001000001020304050df001c0d0",
    ),
}
EVERY = pytest.mark.parametrize(("version", "text", "block"), BLOCKS.values(), ids=BLOCKS)


def test_the_checksum_has_its_check_value() -> None:
    assert layout.crc8(b"123456789") == 0xDF


@EVERY
def test_yaml_becomes_the_published_bytes(version: int, text: str, block: str) -> None:
    document = yaml_text.read(text.encode(), "in.yaml")
    assert not document.failed, document.findings
    assert encode(document.parameters, version).hex() == block


@EVERY
def test_the_published_bytes_become_yaml_that_becomes_the_same_bytes(version: int, text: str, block: str) -> None:
    found, parameters, problems = decode(bytes.fromhex(block))
    assert (found.version, found.size, problems) == (version, len(block) // 2, [])
    again = yaml_text.read(yaml_text.write(parameters, version).encode(), "dump.yaml")
    assert [finding for finding in again.findings if version or "missing ones" not in finding.what] == []
    assert again.version == (version or None)
    assert encode(again.parameters, version).hex() == block


@EVERY
def test_a_dump_of_the_whole_data_flash_holds_the_block(version: int, text: str, block: str) -> None:
    flash = bytes.fromhex(block).ljust(2048, b"\xff")
    assert identify(flash) == (version, len(block) // 2)


def test_an_unversioned_contactor_with_feedback_is_normally_closed_and_back() -> None:
    parameters = Parameters()
    parameters.set(layout.CONTACTOR_TYPE, 0, 3)
    block = encode(parameters, 0)
    assert block[12] == 2
    assert decode(block)[1].get(layout.CONTACTOR_TYPE, 0) == 3


def test_the_old_word_for_a_channel_that_is_off_is_read_and_never_written() -> None:
    block = bytearray.fromhex(BLOCKS["unversioned"][2])
    block[4:6] = b"\x00\x80"
    block[-1] = layout.crc8(block[:-1])
    _, parameters, problems = decode(bytes(block))
    assert problems == []
    assert "- disabled" in yaml_text.write(parameters, 0)
    assert encode(parameters, 0)[4:6] == b"\xff\x1f"


def test_times_above_127_steps_are_no_negative_numbers() -> None:
    parameters = Parameters()
    parameters.set(layout.CONTACTOR_TYPE, 0, 1)
    parameters.set(layout.CLOSE_TIME, 0, 255)
    assert "close-time: 2550 ms" in yaml_text.write(decode(encode(parameters, 1))[1], 1)


def test_a_wrong_crc_is_told_and_the_values_are_read_all_the_same() -> None:
    block = bytearray.fromhex(BLOCKS["only contactor"][2])
    block[-1] ^= 0xFF
    _, parameters, problems = decode(bytes(block))
    assert problems == ["the CRC is wrong: 0x3F is stored, 0xC0 is right"]
    assert parameters.get(layout.CONTACTOR_TYPE, 2) == 1


def test_numbers_without_a_meaning_are_told_with_their_place() -> None:
    block = bytearray.fromhex(BLOCKS["only contactor"][2])
    block[23], block[31], block[6:8] = 9, 3, (2001).to_bytes(2, "little")
    block[-1] = layout.crc8(block[:-1])
    assert decode(bytes(block))[2] == [
        "pt1000s 1 abort-temperature (byte 6): 200.1 °C is beyond -80.0 °C to 200.0 °C",
        "contactors 2 type (byte 23): 9 has no meaning",
        "estops 1 (byte 31): 3 has no meaning",
    ]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is empty"),
        (b"\xff" * 2048, "it is erased"),
        (b"hello, world, this is no block at all", "it begins with 68656c6c"),
        (bytes.fromhex(BLOCKS["only contactor"][2])[:38], "cut short"),
        (bytes.fromhex(BLOCKS["only contactor"][2])[:20], "version 1 has 39 bytes"),
    ],
)
def test_what_is_no_block_says_why(data: bytes, why: str) -> None:
    with pytest.raises(BadBlock, match=why):
        decode(data)


def opaque(version: int, body: bytes) -> bytes:
    block = layout.MARKER + version.to_bytes(2, "little") + body + layout.MARKER
    return block + bytes((layout.crc8(block),))


def test_a_block_of_version_3_is_kept_as_it_is() -> None:
    block = opaque(3, bytes(range(60)))
    found, _, problems = decode(block.ljust(2048, b"\xff"))
    assert (found.version, found.size, found.is_opaque, problems) == (3, len(block), True, [])
    with pytest.raises(ValueError, match="not known"):
        encode(Parameters(), 3)


def test_a_marker_among_the_values_of_an_opaque_block_does_not_end_it() -> None:
    block = opaque(3, b"\x01" + layout.MARKER + b"\x00" * 20)
    assert identify(block) == (3, len(block))


@settings(max_examples=200)
@given(st.binary(max_size=80))
def test_any_bytes_are_a_block_or_say_why_not(data: bytes) -> None:
    for candidate in (data, layout.MARKER + data, layout.MARKER + data + layout.MARKER + b"\0"):
        try:
            found, parameters, _ = decode(candidate)
        except BadBlock:
            continue
        assert found.size <= len(candidate)
        if not found.is_opaque:
            yaml_text.read(yaml_text.write(parameters, found.version).encode(), "x")


@settings(max_examples=150)
@given(st.data())
def test_every_block_survives_the_way_over_yaml(data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(sorted(layout.SIZES)))
    parameters = Parameters()
    for group in layout.GROUPS:
        for one in group.fields:
            for index in range(layout.count_in(group, one, version)):
                raw = data.draw(st.integers(0, 0x1FFF if one.kind.width == 2 else 255), label=one.name(index))
                if group.name != "rcm" and not one.kind.problem(raw) and not (version == 0 and raw == 2):
                    parameters.set(one, index, raw)
    block = encode(parameters, version)
    document = yaml_text.read(yaml_text.write(decode(block)[1], version).encode(), "x")
    assert not document.failed
    assert encode(document.parameters, version) == block

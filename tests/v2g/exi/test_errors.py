"""Whatever arrives is read or refused with its place; what we may not send is refused with its field."""

from __future__ import annotations

import time
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.v2g.exi import EncodeError, ExiError, bit_difference, codec
from chargebyte_fw.modules.v2g.exi.codec import MAX_BYTES
from chargebyte_fw.modules.v2g.messages import din, iso2, xmldsig
from chargebyte_fw.modules.v2g.messages.model import Type
from tests.v2g.exi.samples import sample
from tests.v2g.exi.test_streams import FRAMES, name_of

NAMES = ("sap", "din", "iso2")
PAYLOADS = [(name_of(frame), bytes.fromhex(frame["frame"])[8:]) for frame in FRAMES]


def demand(**changes: Any) -> iso2.V2G_Message:
    """Make a CurrentDemandReq."""
    physical = iso2.PhysicalValueType(Multiplier=0, Unit=iso2.unitSymbolType.V, Value=400)
    status = iso2.DC_EVStatusType(EVReady=True, EVErrorCode=iso2.DC_EVErrorCodeType.NO_ERROR, EVRESSSOC=50)
    fields = {
        "DC_EVStatus": status,
        "EVTargetCurrent": physical,
        "ChargingComplete": False,
        "EVTargetVoltage": physical,
    }
    return iso2.V2G_Message(
        Header=iso2.MessageHeaderType(SessionID=bytes(8)), Body=iso2.CurrentDemandReq(**{**fields, **changes})
    )


def read(name: str, payload: bytes) -> None:
    """Decode; only an ExiError may come out. What was read can be written again.

    The fast reader accepts only what the exact one accepts, with the same result.
    """
    try:
        message = codec(name).decode(payload)
    except ExiError as error:
        assert isinstance(error, PeerError)
        assert error.bit is None or 0 <= error.bit <= 8 * len(payload)
    else:
        assert repr(codec(name)._decode_exactly(payload)) == repr(message)
        assert codec(name).encode(message) == codec(name)._encode_exactly(message)


# -- what arrives


@given(st.sampled_from(NAMES), st.binary(max_size=200))
@example("iso2", b"\x80")
@example("iso2", b"")
@settings(max_examples=300, deadline=None)
def test_random_octets(name: str, octets: bytes) -> None:
    read(name, octets)
    read(name, b"\x80" + octets)
    read("iso2", b"\x80\x98" + octets)
    read("din", b"\x80\x9a" + octets)


@given(st.sampled_from(PAYLOADS), st.data())
@settings(max_examples=400, deadline=None)
def test_flipped_cut_and_stretched_frames(recorded: tuple[str, bytes], data: st.DataObject) -> None:
    name, payload = recorded
    changed = bytearray(payload)
    for at in data.draw(st.lists(st.integers(0, 8 * len(payload) - 1), max_size=3)):
        changed[at // 8] ^= 0x80 >> at % 8
    cut = data.draw(st.integers(0, len(payload)))
    read(name, bytes(changed))
    read(name, bytes(changed[:cut]))
    read(name, bytes(changed[:cut]) + data.draw(st.binary(max_size=40)))


@given(st.integers(0, 2**32), st.data())
@settings(max_examples=60, deadline=None)
def test_changed_messages_of_every_type(seed: int, data: st.DataObject) -> None:
    random = Random(seed)
    module: Any = random.choice([din, iso2])
    name = "din" if module is din else "iso2"
    message = module.V2G_Message(
        Header=sample(module.MessageHeaderType, random), Body=sample(random.choice(module.BODY_ELEMENTS), random)
    )
    payload = bytearray(codec(name).encode(message))
    for at in data.draw(st.lists(st.integers(8, 8 * len(payload) - 1), min_size=1, max_size=3)):
        payload[at // 8] ^= 0x80 >> at % 8
    read(name, bytes(payload))


@pytest.mark.parametrize(("name", "payload"), PAYLOADS[::7])
def test_every_beginning_of_a_message_is_too_short(name: str, payload: bytes) -> None:
    whole = codec(name).decode(payload)
    for length in range(len(payload)):
        try:
            # Trailing zeros of a message are padding to a reader as well.
            assert codec(name).decode(payload[:length]) == whole
        except ExiError as error:
            assert str(error)


def test_an_error_names_field_and_bit() -> None:
    """EVErrorCode has twelve values in four bits, so four ones are none of them.

    Before it: EXI header 8, V2G_Message 7, Header 1, SessionID 1 + 1 + 8 + 64 + 1, end of the header 2, Body 1,
    CurrentDemandReq 6, DC_EVStatus 1, EVReady 4, and 2 that open EVErrorCode.
    """
    written = codec("iso2").encode(demand())
    field = "V2G_Message.Body.BodyElement.CurrentDemandReq.DC_EVStatus.EVErrorCode"
    bit = 8 + 7 + 1 + 75 + 2 + 1 + 6 + 1 + 4 + 2
    stream = int.from_bytes(written, "big") | 0xF << 8 * len(written) - 4 - bit
    with pytest.raises(ExiError) as refused:
        codec("iso2").decode(stream.to_bytes(len(written), "big"))
    assert (refused.value.path, refused.value.bit) == (field, bit)
    assert str(refused.value) == f"{field}: no value 15 here at bit {bit} [EXI]"


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        (b"", "0 bytes are no iso2 message"),
        (b"\x80" * (MAX_BYTES + 1), "65537 bytes are no iso2 message"),
        (b"\x81\x98", "EXI header is 0x81"),
        (b"\x80\x10", "global element 8 opens no message of iso2"),
        (bytes.fromhex("809a") + bytes(20), "global element 77 opens no message of iso2"),
    ],
)
def test_what_is_no_message_at_all(payload: bytes, what: str) -> None:
    with pytest.raises(ExiError, match=what):
        codec("iso2").decode(payload)


def test_something_behind_the_message_is_no_padding() -> None:
    with pytest.raises(ExiError, match="something behind the end of the message"):
        codec("iso2").decode(codec("iso2").encode(demand()) + b"\x01")


def test_an_abstract_element_and_the_escape_are_refused() -> None:
    """Body of an -2 message: code 2 of 6 bits is the abstract BodyElement, 63 escapes to undeclared content."""
    header = f"{0x80:08b}{76:07b}" + "0" + "0" + "0" + f"{0:08b}" + "0" + "10"  # Header, SessionID of no octets, EE
    for code, what in ((2, "an abstract element"), (63, "no event 63 here")):
        bits = header + "0" + f"{code:06b}" + "0" * 40
        bits += "0" * (-len(bits) % 8)
        with pytest.raises(ExiError, match=what):
            codec("iso2").decode(int(bits, 2).to_bytes(len(bits) // 8, "big"))


@pytest.mark.parametrize("name", ["din", "iso2"])
def test_oversized_streams_take_linear_time(name: str) -> None:
    """The longest stream that is read, full of list entries, must not take quadratic time (bound: 100 ns a bit)."""
    transform = xmldsig.TransformType(Algorithm="", XPath=[""] * 40_000)
    long = codec("xmldsig").encode_fragment(xmldsig.TransformsType(Transform=[transform]))[:MAX_BYTES]
    began = time.process_time()
    read_fragment(long)
    for octet in (0x00, 0x55, 0x92, 0xFF):
        read(name, b"\x80" + bytes([0x98 if name == "iso2" else 0x9A]) + bytes([octet]) * (MAX_BYTES - 2))
    assert time.process_time() - began < 5


def read_fragment(payload: bytes) -> None:
    """Decode a fragment; only an ExiError may come out."""
    try:
        codec("xmldsig").decode_fragment(payload)
    except ExiError as error:
        assert error.what


def test_a_length_beyond_the_stream_is_refused_before_memory_is_taken() -> None:
    header = f"{0x80:08b}{76:07b}" + "000" + "1" * 8 + "11111111" * 3 + "00000111"
    bits = header + "0" * (-len(header) % 8) + "0" * 64
    with pytest.raises(ExiError):
        codec("iso2").decode(int(bits, 2).to_bytes(len(bits) // 8, "big"))


# -- what we send


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"DC_EVStatus": None}, "CurrentDemandReq.DC_EVStatus: .*not a DC_EVStatusType"),
        ({"ChargingComplete": "yes"}, "CurrentDemandReq.ChargingComplete: 'yes' is not one of its values"),
        (
            {"EVTargetCurrent": iso2.PhysicalValueType(Multiplier=4, Unit=iso2.unitSymbolType.A, Value=1)},
            "CurrentDemandReq.EVTargetCurrent.Multiplier: 4 is out of range",
        ),
        (
            {"EVTargetCurrent": iso2.PhysicalValueType(Multiplier=0, Unit=iso2.unitSymbolType.A, Value=40000)},
            "CurrentDemandReq.EVTargetCurrent.Value: 40000 is out of range",
        ),
        (
            {"EVTargetCurrent": iso2.PhysicalValueType(Multiplier=0, Unit="furlong", Value=1)},  # type: ignore[arg-type]
            "EVTargetCurrent.Unit: 'furlong' is not one of its values",
        ),
        (
            {"EVTargetCurrent": iso2.PhysicalValueType(Multiplier=0, Unit=iso2.unitSymbolType.A, Value=1.5)},  # type: ignore[arg-type]
            "EVTargetCurrent.Value: ",
        ),
    ],
)
def test_a_wrong_field_of_ours_is_named(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(EncodeError, match=what):
        codec("iso2").encode(demand(**changes))


WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    127,
    128,
    16_383,
    16_384,
    32_768,
    -32_769,
    2**70,
    1.0,
    0.5,
    "",
    "V",
    "ä",
    b"xx",
    bytes(99),
    [],
)


@given(st.integers(0, 2**32), st.data())
@settings(max_examples=300, deadline=None)
def test_the_fast_writer_refuses_what_the_exact_one_refuses(seed: int, data: st.DataObject) -> None:
    random = Random(seed)
    message = iso2.V2G_Message(
        Header=iso2.MessageHeaderType(SessionID=bytes(8)), Body=sample(random.choice(iso2.BODY_ELEMENTS), random)
    )
    holder: Any = message.Body
    while names := holder.__struct_fields__:
        name = data.draw(st.sampled_from(names))
        if not isinstance(getattr(holder, name), Type):
            setattr(holder, name, data.draw(st.sampled_from(WRONG)))
            break
        holder = getattr(holder, name)
    results = []
    for encode in (codec("iso2").encode, codec("iso2")._encode_exactly):
        try:
            results.append(encode(message))
        except EncodeError as error:
            results.append(str(error).encode())
    assert results[0] == results[1]


@pytest.mark.parametrize("count", [0, 7])
def test_a_list_keeps_its_limits(count: int) -> None:
    modes = [iso2.EnergyTransferModeType.DC_core] * count
    with pytest.raises(EncodeError, match=r"EnergyTransferMode: \d entries are out of bounds"):
        codec("iso2").encode_fragment(iso2.SupportedEnergyTransferModeType(EnergyTransferMode=modes))


def test_a_list_entry_is_named_by_its_number() -> None:
    certificates = iso2.SubCertificatesType(Certificate=[b"", b"", bytes(801)])
    with pytest.raises(EncodeError, match=r"Certificate\[2\]: 801 octets are out of bounds"):
        codec("iso2").encode_fragment(certificates)


def test_a_choice_takes_one() -> None:
    both = iso2.ParameterType(Name="a", boolValue=True, intValue=3)
    with pytest.raises(EncodeError, match="intValue: may not stand here"):
        codec("iso2").encode_fragment(both, "Parameter")
    with pytest.raises(EncodeError, match="something is missing"):
        codec("iso2").encode_fragment(iso2.ParameterType(Name="a"), "Parameter")


def test_a_message_of_another_set_is_refused() -> None:
    other: Any = din.V2G_Message(Header=din.MessageHeaderType(SessionID=bytes(8)))
    with pytest.raises(EncodeError, match="V2G_Message opens no message of iso2"):
        codec("iso2").encode(other)


def test_a_body_that_is_none_of_the_set_is_refused() -> None:
    foreign: Any = din.SessionStopReq()
    message = iso2.V2G_Message(Header=iso2.MessageHeaderType(SessionID=bytes(8)), Body=foreign)
    with pytest.raises(EncodeError, match=r"V2G_Message.Body"):
        codec("iso2").encode(message)


def test_the_first_differing_bit() -> None:
    assert bit_difference(b"\x80\x00", b"\x80\x00") is None
    assert bit_difference(b"\x80\x00", b"\x80\x10") == 11
    assert bit_difference(b"\x80", b"\x80\x00") == 8

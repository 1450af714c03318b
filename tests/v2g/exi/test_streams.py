"""Streams are exact: what others recorded comes back to the same bit, and every declared message there and back."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import din, iso2, sap, xmldsig
from chargebyte_fw.modules.v2g.messages.model import Type
from tests.v2g.exi import naive
from tests.v2g.exi.samples import sample

RECORDED = Path(__file__).parents[2] / "captures/v2g/recorded-frames.jsonl"
FRAMES = [json.loads(line) for line in RECORDED.read_text("utf-8").splitlines()]
SETS = {"sap": sap, "din": din, "iso2": iso2}


ISO20 = {0x8002: "iso20_common", 0x8003: "iso20_ac", 0x8004: "iso20_dc"}
"""Sets by V2GTP payload type."""


def name_of(frame: dict[str, Any]) -> str:
    """Return the set of a recorded frame."""
    if "AppProtocol" in frame["message"]:
        return "sap"
    if frame["protocol"] == "iso15118-20":
        return ISO20[int.from_bytes(bytes.fromhex(frame["frame"])[2:4], "big")]
    return {"din-70121": "din", "iso15118-2": "iso2"}[frame["protocol"]]


@pytest.mark.parametrize("frame", FRAMES, ids=[f"{n}-{name_of(f)}-{f['message']}" for n, f in enumerate(FRAMES)])
def test_a_recorded_frame_is_read_and_written_to_the_same_bits(frame: dict[str, Any]) -> None:
    payload = bytes.fromhex(frame["frame"])[8:]
    chosen = codec(name_of(frame))
    message = chosen.decode(payload)
    assert chosen.encode(message).hex() == payload.hex()
    spoken = getattr(message, "Body", message)
    assert type(spoken).__name__.lower() == frame["message"].removesuffix("Type").lower()


def _messages(name: str, random: Random) -> list[Type]:
    if name == "sap":
        return [sample(sap.supportedAppProtocolReq, random), sample(sap.supportedAppProtocolRes, random)]
    module: Any = SETS[name]
    return [
        module.V2G_Message(Header=sample(module.MessageHeaderType, random), Body=sample(body, random))
        for body in module.BODY_ELEMENTS
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", SETS)
def test_every_message_agrees_with_the_grammar_walked_by_hand(name: str, seed: int) -> None:
    for message in _messages(name, Random(seed)):
        written = codec(name).encode(message)
        assert written.hex() == naive.encode(SETS[name].SCHEMA, message).hex(), message
        assert codec(name).decode(written) == message


@pytest.mark.parametrize("name", ["din", "iso2"])
def test_an_empty_body_is_a_message(name: str) -> None:
    module: Any = SETS[name]
    message = module.V2G_Message(Header=module.MessageHeaderType(SessionID=bytes(8)))
    assert codec(name).decode(codec(name).encode(message)) == message


def test_zero_padding_behind_a_message_is_tolerated_and_nothing_else() -> None:
    payload = codec("sap").encode(sap.supportedAppProtocolRes(ResponseCode=sap.responseCodeType.Failed_NoNegotiation))
    assert codec("sap").decode(payload + bytes(5)) == codec("sap").decode(payload)


@pytest.mark.parametrize("count", range(1, 7))
def test_a_list_drops_its_event_code_at_its_maximum(count: int) -> None:
    """EXI 1.0 clause 8.5.4.1.5: maxOccurs is unrolled, behind the sixth mode only the end can come."""
    modes = list(iso2.EnergyTransferModeType)[:count]
    holder = iso2.SupportedEnergyTransferModeType(EnergyTransferMode=modes)
    bits = 8 + 8 + sum(1 if n == 0 else 2 for n in range(count)) + 5 * count + (1 if count == 6 else 2) + 8
    assert len(codec("iso2").encode_fragment(holder)) == -(-bits // 8)


def test_the_wide_event_code_that_libcbv2g_writes_at_a_maximum_is_read() -> None:
    """Two payment options fill the list of -2: libcbv2g ends it with two bits where the grammar has one."""
    options = iso2.PaymentOptionListType(PaymentOption=list(iso2.paymentOptionType))
    right = codec("iso2").encode_fragment(options)
    code, bits = codec("iso2").fragment_code("PaymentOptionList")
    end = len(codec("iso2")._fragments) + 1
    # SE, CH, value, EE of each option; then the end: code 1 of two bits.
    stream = f"{0x80:08b}{code:0{bits}b}" + "0000" + "00010" + "01" + f"{end:0{bits}b}"
    stream += "0" * (-len(stream) % 8)
    wide = int(stream, 2).to_bytes(len(stream) // 8, "big")
    assert wide != right
    assert codec("iso2").decode_fragment(wide) == codec("iso2").decode_fragment(right) == ("PaymentOptionList", options)


@pytest.mark.parametrize("seed", range(20))
def test_every_signature_type_is_a_fragment(seed: int) -> None:
    random = Random(seed)
    for name, cls in xmldsig.ELEMENTS.items():
        if name in ("SignatureProperty", "SignatureProperties") or not isinstance(cls, type):
            continue  # their content is beyond the schema
        element = sample(cls, random)
        assert codec("xmldsig").decode_fragment(codec("xmldsig").encode_fragment(element)) == (name, element)

"""The fast functions accept what the exact ones accept, with the same result, at every limit of every simple type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chargebyte_fw.modules.v2g.exi import EncodeError, ExiError, codec
from chargebyte_fw.modules.v2g.exi.fused_reading import FAILURES as UNREADABLE
from chargebyte_fw.modules.v2g.exi.fused_reading import fused_reader
from chargebyte_fw.modules.v2g.exi.fused_writing import FAILURES as UNWRITABLE
from chargebyte_fw.modules.v2g.exi.fused_writing import fused_writer
from chargebyte_fw.modules.v2g.messages import iso2, iso20_common, iso20_dc, iso20_types
from tests.v2g.exi import naive

CODEC = codec("iso2")
NUMBERS = [
    *range(-4, 5),
    *(
        sign * (2**bits + near)
        for bits in (7, 8, 14, 15, 16, 31, 32, 63, 64)
        for near in (-1, 0, 1)
        for sign in (1, -1)
    ),
    *range(99, 102),
]
LENGTHS = range(70)


def response() -> iso2.CurrentDemandRes:
    volts = iso2.PhysicalValueType(Multiplier=0, Unit=iso2.unitSymbolType.V, Value=400)
    return iso2.CurrentDemandRes(
        ResponseCode=iso2.responseCodeType.OK,
        DC_EVSEStatus=iso2.DC_EVSEStatusType(
            NotificationMaxDelay=0,
            EVSENotification=iso2.EVSENotificationType.None_,
            EVSEStatusCode=iso2.DC_EVSEStatusCodeType.EVSE_Ready,
        ),
        EVSEPresentVoltage=volts,
        EVSEPresentCurrent=iso2.PhysicalValueType(Multiplier=0, Unit=iso2.unitSymbolType.A, Value=400),
        EVSECurrentLimitAchieved=False,
        EVSEVoltageLimitAchieved=False,
        EVSEPowerLimitAchieved=False,
        EVSEID="DE*PNX*E1",
        SAScheduleTupleID=1,
        MeterInfo=iso2.MeterInfoType(MeterID="M1", MeterReading=1, SigMeterReading=b"", MeterStatus=1, TMeter=1),
    )


def request() -> iso2.CurrentDemandReq:
    status = iso2.DC_EVStatusType(EVReady=True, EVErrorCode=iso2.DC_EVErrorCodeType.NO_ERROR, EVRESSSOC=50)
    value = iso2.PhysicalValueType(Multiplier=0, Unit=iso2.unitSymbolType.V, Value=400)
    return iso2.CurrentDemandReq(
        DC_EVStatus=status, EVTargetCurrent=value, ChargingComplete=False, EVTargetVoltage=value
    )


FIELDS: list[tuple[str, Callable[[], Any], str, str]] = [
    ("signed, 16 bits", response, "EVSEPresentVoltage", "Value"),
    ("of a small range", response, "EVSEPresentCurrent", "Multiplier"),
    ("counted from 1", response, "", "SAScheduleTupleID"),
    ("percent", request, "DC_EVStatus", "EVRESSSOC"),
    ("unsigned, 16 bits", response, "DC_EVSEStatus", "NotificationMaxDelay"),
    ("unsigned, 64 bits", response, "MeterInfo", "MeterReading"),
    ("optional, 16 bits", response, "MeterInfo", "MeterStatus"),
    ("signed, 64 bits", response, "MeterInfo", "TMeter"),
    ("octets", response, "MeterInfo", "SigMeterReading"),
    ("a string from 7", response, "", "EVSEID"),
    ("a string", response, "MeterInfo", "MeterID"),
]


def values(field: str) -> Iterator[Any]:
    if field in ("EVSEID", "MeterID"):
        yield from ("x" * length for length in LENGTHS)
        yield from ("ä" * 10, "🚗" * 10, "\x7f" * 10)
    elif field == "SigMeterReading":
        yield from (bytes(range(length)) for length in LENGTHS)
    else:
        yield from NUMBERS


def outcome(call: Callable[[Any], Any], argument: Any) -> Any:
    try:
        return repr(call(argument))
    except (EncodeError, ExiError) as error:
        return str(error)


def accepted_by_the_fast_one(message: iso2.V2G_Message, payload: bytes) -> bool:
    """Return whether the fast reader accepts the stream of the message and the fast writer the message."""
    data, left = int.from_bytes(payload, "big"), 8 * len(payload) - 15
    try:
        assert fused_reader(iso2.V2G_Message)(data, left)[0] == message
    except UNREADABLE:
        return False
    try:
        fused_writer(iso2.V2G_Message)(message, 0x80 << 7 | 76)
    except UNWRITABLE:
        return False
    return True


@pytest.mark.parametrize(("make", "holder", "field"), [each[1:] for each in FIELDS], ids=[each[0] for each in FIELDS])
def test_a_value_at_its_limits(make: Callable[[], Any], holder: str, field: str) -> None:
    fast = 0
    for value in values(field):
        body = make()
        setattr(getattr(body, holder) if holder else body, field, value)
        message = iso2.V2G_Message(Header=iso2.MessageHeaderType(SessionID=bytes(8)), Body=body)
        assert outcome(CODEC.encode, message) == outcome(CODEC._encode_exactly, message), value
        try:
            # Does not look at limits, so that this is a stream with a value beyond them.
            payload = naive.encode(iso2.SCHEMA, message)
        except ValueError:
            continue
        assert outcome(CODEC.decode, payload) == outcome(CODEC._decode_exactly, payload), value
        fast += accepted_by_the_fast_one(message, payload)
    assert fast > 5, "the fast functions take the usual values"


@pytest.mark.parametrize("length", range(12))
def test_a_session_id_at_its_limits(length: int) -> None:
    message = iso2.V2G_Message(Header=iso2.MessageHeaderType(SessionID=bytes(length)), Body=request())
    payload = naive.encode(iso2.SCHEMA, message)
    assert outcome(CODEC.encode, message) == outcome(CODEC._encode_exactly, message)
    assert outcome(CODEC.decode, payload) == outcome(CODEC._decode_exactly, payload)
    assert accepted_by_the_fast_one(message, payload) is (length <= 8)


def test_equal_members_of_two_enumerations_stay_members_of_their_own() -> None:
    """`Ongoing` of ISO 15118-2 equals `Ongoing` of ISO 15118-20, as strings do; tables of values are shared."""
    header = iso2.MessageHeaderType(SessionID=bytes(8))
    body = iso2.AuthorizationRes(ResponseCode=iso2.responseCodeType.OK, EVSEProcessing=iso2.EVSEProcessingType.Ongoing)
    read: Any = CODEC.decode(CODEC.encode(iso2.V2G_Message(Header=header, Body=body)))
    own = iso20_common.AuthorizationRes(
        Header=iso20_types.MessageHeaderType(SessionID=bytes(8), TimeStamp=0),
        ResponseCode=iso20_types.responseCodeType.OK,
        EVSEProcessing=iso20_types.processingType.Ongoing,
    )
    read_20: Any = codec("iso20_common").decode(codec("iso20_common").encode(own))
    assert read.Body.EVSEProcessing is iso2.EVSEProcessingType.Ongoing
    assert read_20.EVSEProcessing is iso20_types.processingType.Ongoing


def test_a_negative_number_at_the_end_of_a_stream_is_read_fast() -> None:
    zero, negative = (iso20_types.RationalNumberType(Exponent=0, Value=value) for value in (0, -100))
    header = iso20_types.MessageHeaderType(SessionID=bytes(8), TimeStamp=0)
    message = iso20_dc.DC_WeldingDetectionRes(
        Header=header, ResponseCode=iso20_types.responseCodeType.OK, EVSEPresentVoltage=zero
    )
    for value in (zero, negative):
        message.EVSEPresentVoltage = value
        payload = codec("iso20_dc").encode(message)
        read, left = fused_reader(type(message))(int.from_bytes(payload, "big"), 8 * len(payload) - 14)
        assert read == message and left < 8

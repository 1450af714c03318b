"""Frames are read by what their conversation agreed on, or by what they look like; and compared bit by bit."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.modules.v2g import v2gtp
from chargebyte_fw.modules.v2g.capture.checking import Tally, check
from chargebyte_fw.modules.v2g.capture.files import CaptureError
from chargebyte_fw.modules.v2g.capture.reading import Reader, Reading
from chargebyte_fw.modules.v2g.capture.traffic import Item, Origin, V2gFrame, of_hex, of_json_lines
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.exi.rendering import one_line, plain
from chargebyte_fw.modules.v2g.messages import din, iso2, sap
from tests.v2g.capture import wire

ISO2 = wire.frames()
ISO20 = [octets for octets in wire.frames("iso15118-20", session="") if octets[3] != 1]
DIN = [frame for frame in wire.frames("din-70121") if frame[:4] == b"\x01\xfe\x80\x01"]


def frame(octets: bytes, conversation: str = "a") -> V2gFrame:
    return V2gFrame(Origin("here", conversation=conversation), int.from_bytes(octets[2:4], "big"), octets[8:])


def handshake(namespace: str) -> list[V2gFrame]:
    offer = sap.AppProtocolType(
        ProtocolNamespace=namespace, VersionNumberMajor=2, VersionNumberMinor=0, SchemaID=7, Priority=1
    )
    messages: list[sap.supportedAppProtocolReq | sap.supportedAppProtocolRes] = [
        sap.supportedAppProtocolReq(AppProtocol=[offer]),
        sap.supportedAppProtocolRes(ResponseCode=sap.responseCodeType.OK_SuccessfulNegotiation, SchemaID=7),
    ]
    return [frame(v2gtp.Frame(0x8001, codec("sap").encode(message)).to_bytes()) for message in messages]


@pytest.mark.parametrize(("octets", "protocol"), [(ISO2[0], "iso2"), (DIN[0], "din")])
def test_without_a_handshake_the_first_event_tells_the_set(octets: bytes, protocol: str) -> None:
    assert Reader().read(frame(octets)).protocol == protocol


def test_the_handshake_is_followed_for_its_conversation_alone() -> None:
    """An unreadable frame is blamed on the set that was agreed on, not on the one it looks like."""
    reader = Reader()
    for message in handshake("urn:din:70121:2012:MsgDef"):
        assert reader.read(message).protocol == "sap"
    broken = ISO2[0][:20]
    assert reader.read(frame(broken)).protocol == "din"
    assert reader.read(frame(broken)).error.startswith("global element 76 opens no message of din")
    assert reader.read(frame(broken, "b")).protocol == "iso2"
    # What can be read is read, even though it was not agreed on.
    assert reader.read(frame(ISO2[0])).protocol == "iso2"


def test_a_protocol_that_is_asked_for_is_taken_but_for_the_handshake() -> None:
    reader = Reader("din")
    assert reader.read(handshake("urn:iso:15118:2:2013:MsgDef")[0]).message == "supportedAppProtocolReq"
    assert reader.read(frame(ISO2[0])).error.startswith("global element 76 opens no message of din")


SESSION_STOP = bytes.fromhex("8094042d61f0f806cdb923080f2d6ca06248")
"""A message of the main stream of ISO 15118-20."""


@pytest.mark.parametrize("payload_type", [0x8002, 0x8101, 0x8102, 0x8104])
def test_the_payload_type_of_iso_15118_20_names_the_set(payload_type: int) -> None:
    reading = Reader().read(V2gFrame(Origin("here"), payload_type, SESSION_STOP))
    assert (reading.protocol, reading.message, reading.error) == ("iso20_common", "SessionStopReq", "")
    assert reading.content == {"Header": {"TimeStamp": 1767225600}, "ChargingSession": "ServiceRenegotiation"}
    assert reading.session_id == "5ac3e1f00d9b7246"


@pytest.mark.parametrize(
    ("payload_type", "name"),
    [
        (0x8003, "iso20_ac"),
        (0x8004, "iso20_dc"),
        (0x8005, "iso20_acdp"),
        (0x8006, "iso20_wpt"),
        (0x8010, "iso20_ac_der_iec"),
        (0x8011, "iso20_ac_der_sae"),
        (0x8103, "iso20_acdp"),
    ],
)
def test_a_message_of_another_set_is_an_error(payload_type: int, name: str) -> None:
    reading = Reader().read(V2gFrame(Origin("here"), payload_type, b"\x80\xfc\x00"))
    assert reading.protocol == name and f"opens no message of {name}" in reading.error


def test_the_main_stream_under_the_payload_type_of_the_handshake_is_read() -> None:
    """Cars sent SessionSetupReq, SessionStopReq and CertificateInstallationReq of ISO 15118-20 so."""
    reader = Reader()
    for message in handshake("urn:iso:std:iso:15118:-20:DC"):
        assert reader.read(message).protocol == "sap"
    reading = reader.read(V2gFrame(Origin("here", conversation="a"), 0x8001, SESSION_STOP))
    assert (reading.protocol, reading.message) == ("iso20_common", "SessionStopReq")
    assert Reader().read(V2gFrame(Origin("here"), 0x8001, SESSION_STOP)).error, "without a handshake it fits nothing"
    assert Reader("iso20_common").read(V2gFrame(Origin("here"), 0x8001, SESSION_STOP)).message == "SessionStopReq"


def test_sdp() -> None:
    asked = Reader().read(frame(bytes.fromhex("01fe9000000000021000")))
    assert (asked.protocol, asked.message) == ("sdp", "SDP request")
    assert asked.content == {"security": "none", "transport": "TCP"}
    answer = bytes.fromhex("01fe900100000014fe80000000000000000000000000000200ef9d1000")
    told = Reader().read(frame(answer[:8] + answer[8:24] + b"\xef\x9d\x10\x00"))
    assert told.content == {"address": "fe80::2", "port": 61341, "security": "none", "transport": "TCP"}
    assert "no request" in Reader().read(V2gFrame(Origin("here"), 0x9000, b"\x10")).error


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        ("01fe80010000000280ff", "opens no message of SAP, DIN 70121 or ISO 15118-2"),
        ("01fe7001000000028098", "unknown payload type 0x7001"),
        ("01fe80010000000480980200", "the stream ends too early"),
    ],
)
def test_what_cannot_be_read_is_told(octets: str, error: str) -> None:
    assert error in Reader().read(frame(bytes.fromhex(octets))).error


@given(st.sampled_from([0x8001, 0x8002, 0x9000, 0x9001, 0xA000]), st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_frame_is_too_strange(payload_type: int, payload: bytes) -> None:
    for protocol in ("auto", "sap", "din", "iso2", "iso20_common", "iso20_dc"):
        assert isinstance(Reader(protocol).read(V2gFrame(Origin("x"), payload_type, payload)), Reading)


# -- how messages look to people


def test_a_message_in_plain_words() -> None:
    limits = iso2.DC_EVSEChargeParameterType(
        DC_EVSEStatus=iso2.DC_EVSEStatusType(
            NotificationMaxDelay=0,
            EVSENotification=iso2.EVSENotificationType.None_,
            EVSEStatusCode=iso2.DC_EVSEStatusCodeType.EVSE_Ready,
        ),
        EVSEMaximumCurrentLimit=iso2.PhysicalValueType(Multiplier=-1, Unit=iso2.unitSymbolType.A, Value=4001),
        EVSEMaximumPowerLimit=iso2.PhysicalValueType(Multiplier=3, Unit=iso2.unitSymbolType.W, Value=150),
        EVSEMaximumVoltageLimit=iso2.PhysicalValueType(Multiplier=0, Unit=iso2.unitSymbolType.V, Value=920),
        EVSEMinimumCurrentLimit=iso2.PhysicalValueType(Multiplier=0, Unit=iso2.unitSymbolType.A, Value=0),
        EVSEMinimumVoltageLimit=iso2.PhysicalValueType(Multiplier=0, Unit=iso2.unitSymbolType.V, Value=150),
        EVSEPeakCurrentRipple=iso2.PhysicalValueType(Multiplier=-3, Unit=iso2.unitSymbolType.A, Value=1),
    )
    found = plain(
        iso2.ChargeParameterDiscoveryRes(
            ResponseCode=iso2.responseCodeType.OK,
            EVSEProcessing=iso2.EVSEProcessingType.Ongoing,
            EVSEChargeParameter=limits,
        )
    )
    assert "SAScheduleList" not in found and "EVSEChargeParameter" not in found
    limit = found["DC_EVSEChargeParameter"]
    assert limit["EVSEMaximumCurrentLimit"] == {"value": 400.1, "unit": "A"}
    assert limit["EVSEMaximumPowerLimit"] == {"value": 150000, "unit": "W"}
    assert limit["EVSEPeakCurrentRipple"] == {"value": 0.001, "unit": "A"}
    assert limit["DC_EVSEStatus"]["EVSENotification"] == "None"
    assert json.loads(json.dumps(found)) == found
    assert "EVSEMaximumCurrentLimit 400.1 A, EVSEMaximumPowerLimit 150000 W" in one_line(found)


def test_octets_are_hex_and_physical_values_of_din_may_lack_their_unit() -> None:
    assert plain(iso2.SessionSetupReq(EVCCID=bytes.fromhex("00b052aabbcc"))) == {"EVCCID": "00b052aabbcc"}
    assert plain(din.PhysicalValueType(Multiplier=0, Value=5)) == {"value": 5}


def test_a_string_of_the_other_side_cannot_move_the_cursor() -> None:
    assert one_line({"EVSEID": "a\x1b[2J\nb"}) == r"EVSEID a\x1b[2J\nb"


# -- comparing


def test_frames_that_are_written_to_the_same_bits_are_no_mismatch() -> None:
    tally = Tally()
    assert list(check([frame(octets) for octets in (*ISO2, *DIN, *ISO20)], Reader(), tally)) == []
    assert (tally.frames, tally.mismatches) == (len(ISO2) + len(DIN) + len(ISO20), 0)


def test_a_mismatch_is_told_with_its_first_bit_and_place() -> None:
    """Two payment options as libcbv2g ends them: one bit more, where the grammar has ChargeService."""
    discovery = iso2.ServiceDiscoveryRes(
        ResponseCode=iso2.responseCodeType.OK,
        PaymentOptionList=iso2.PaymentOptionListType(PaymentOption=list(iso2.paymentOptionType)),
        ChargeService=iso2.ChargeServiceType(
            ServiceID=1,
            ServiceCategory=iso2.serviceCategoryType.EVCharging,
            FreeService=True,
            SupportedEnergyTransferMode=iso2.SupportedEnergyTransferModeType(
                EnergyTransferMode=[iso2.EnergyTransferModeType.DC_core]
            ),
        ),
    )
    message = iso2.V2G_Message(Header=iso2.MessageHeaderType(SessionID=bytes(8)), Body=discovery)
    payload = codec("iso2").encode(message)
    bits = "".join(f"{octet:08b}" for octet in payload)
    # Up to the end of the list: header 8, root 7, header of the message 78, Body and its element 7, response code 8,
    # list 1, its two entries 4 and 5; then the list's end.
    end = 8 + 7 + 1 + 75 + 2 + 1 + 6 + 8 + 1 + 4 + 5
    wide = bits[:end] + "01" + bits[end + 1 :].rstrip("0") + "0"
    wide += "0" * (-len(wide) % 8)
    recorded = int(wide, 2).to_bytes(len(wide) // 8, "big")
    tally = Tally()
    lines = list(check([V2gFrame(Origin("line 3"), 0x8001, recorded), frame(ISO2[0])], Reader(), tally))
    assert lines == [
        f"line 3: iso2 ServiceDiscoveryRes: bit {end + 1} differs: recorded 1, written 0, "
        "in V2G_Message.Body.BodyElement.ServiceDiscoveryRes.ChargeService"
    ]
    assert (tally.frames, tally.mismatches) == (2, 1)


def test_octets_behind_a_message_are_a_mismatch_too() -> None:
    tally = Tally()
    lines = list(check([V2gFrame(Origin("line 1"), 0x8001, ISO2[0][8:] + b"\0")], Reader(), tally))
    assert "recorded 0, written nothing, behind the end of the message" in lines[0]
    assert tally.mismatches == 1


def test_a_frame_that_cannot_be_read_is_a_mismatch_in_every_protocol() -> None:
    tally = Tally()
    items: list[Item] = [frame(ISO2[0][:-3]), V2gFrame(Origin("line 2"), 0x8002, b"\x80\x00")]
    lines = list(check(items, Reader(), tally))
    assert len(lines) == 2 and all("ends too early" in line for line in lines)
    assert (tally.frames, tally.mismatches) == (2, 2)


# -- frames as text


@pytest.mark.parametrize(
    "text", ["8098 0200", "0x80,0x98,0x02,0x00", "80:98:02:00", " 80-98-02-00\n", "01fe8001000000048098 0200"]
)
def test_hex_in_the_ways_people_write_it(text: str) -> None:
    item = of_hex(text, "x")
    assert isinstance(item, V2gFrame) and item.payload == bytes.fromhex("80980200")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{", "f.jsonl:2: no JSON"),
        ("[]", "f.jsonl:2: an object with a `frame`"),
        ('{"frame": 5}', "f.jsonl:2: an object with a `frame`"),
        ('{"frame": "80zz"}', "f.jsonl:2: 'z' is no hex digit"),
        ('{"frame": "809"}', "f.jsonl:2: an odd number of hex digits"),
        ("[" * 100_000, "f.jsonl:2: no JSON"),
    ],
)
def test_a_line_that_is_none_is_told_with_its_number(line: str, what: str) -> None:
    items = of_json_lines(['{"frame": "80980200"}', line], "f.jsonl")
    next(items)
    with pytest.raises(CaptureError, match=what):
        next(items)

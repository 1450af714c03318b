"""Which back end gets a car: the car's priority among what all of them speak together."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import sap
from chargebyte_fw.modules.v2g.mux.selection import Elsewhere, offers_of, select
from chargebyte_fw.modules.v2g.security import PLAIN, Security
from chargebyte_fw.modules.v2g.v2gtp import Frame, Receiver

TLS12, TLS13 = Security("1.2"), Security("1.3")
ISO2, ISO20, DIN = "urn:iso:15118:2:2013:MsgDef", "urn:iso:std:iso:15118:-20:DC", "urn:din:70121:2012:MsgDef"
OLD, NEW = Elsewhere(["DIN70121", "ISO15118D2"]), Elsewhere(["ISO15118D20"])


def offers(*entries: tuple[str, int, int], minor: int = 0) -> sap.supportedAppProtocolReq:
    """Return a request; entries are (name space, major version, priority)."""
    return sap.supportedAppProtocolReq(
        AppProtocol=[
            sap.AppProtocolType(
                ProtocolNamespace=space, VersionNumberMajor=major, VersionNumberMinor=minor, SchemaID=at, Priority=rank
            )
            for at, (space, major, rank) in enumerate(entries, 1)
        ]
    )


@pytest.mark.parametrize(
    ("request_", "security", "place"),
    [
        (offers((ISO20, 1, 2), (ISO2, 2, 1)), TLS13, 0),
        (offers((ISO20, 1, 1), (ISO2, 2, 2)), TLS13, 1),
        (offers((ISO2, 2, 2), (ISO20, 1, 1)), TLS13, 1),
        # Field case 3, [V2G20-2356]: TLS 1.2 is the car's choice, and no session of ISO 15118-20 comes of it.
        (offers((ISO20, 1, 1), (ISO2, 2, 2)), TLS12, 0),
        (offers((ISO20, 1, 1)), TLS12, 0),
        # Plain TCP is the configuration's.
        (offers((ISO20, 1, 1), (ISO2, 2, 2)), PLAIN, 1),
        (offers((DIN, 2, 1)), PLAIN, 0),
        (offers((ISO20, 2, 1), (DIN, 2, 2)), TLS13, 0),
        (offers(("urn:other", 1, 1)), TLS13, 0),
        (offers((ISO20, 1, 1), minor=3), TLS13, 1),
    ],
)
def test_the_cars_priority_decides(request_: Any, security: Security, place: int) -> None:
    assert select(request_, (OLD, NEW), security) == place


def test_field_case_1_array_order_does_not_decide() -> None:
    octets = (
        "01fe8001000000478000f3ab9371d34b9b79d39ba321d34b9b79d189a98989c1d1699181d222180100001c0401d75726e3a69736f3a313531"
        "31383a323a323031333a4d73674465660040000480080"
    )
    (frame,) = Receiver().feed(bytes.fromhex(octets))
    request = offers_of(frame)
    assert request is not None
    assert [(one.SchemaID, one.Priority) for one in request.AppProtocol] == [(7, 2), (9, 1)]
    assert select(request, (OLD, NEW), TLS13) == 0
    assert select(request, (NEW, OLD), TLS13) == 1


def test_what_may_not_be_selected_gets_no_car() -> None:
    request = offers((ISO20, 1, 1), (ISO2, 2, 2), (DIN, 2, 3))
    assert select(request, (OLD, Elsewhere([])), TLS13) == 0
    entry = Elsewhere(["DIN70121"]).choice(request, TLS13)
    assert entry is not None and entry.ProtocolNamespace == DIN
    assert select(request, (Elsewhere([]), NEW), TLS13) == 1


@pytest.mark.parametrize(
    "frame",
    [
        Frame(0x8002, codec("sap").encode(offers((ISO2, 2, 1)))),
        Frame(0x8001, b"\x80"),
        Frame(0x8001, b""),
        Frame(
            0x8001,
            codec("sap").encode(sap.supportedAppProtocolRes(ResponseCode=sap.responseCodeType.Failed_NoNegotiation)),
        ),
    ],
)
def test_a_frame_without_offers(frame: Frame) -> None:
    assert offers_of(frame) is None

"""Which protocol is selected on which security: ISO 15118-20 not below TLS 1.3 ([V2G20-2356], [V2G20-1805])."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.handshake import ISO15118D2, AppProtocol
from chargebyte_fw.modules.v2g.messages import sap
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.connection import Secc
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, Settings
from chargebyte_fw.modules.v2g.secc.negotiation import is_secure_enough
from chargebyte_fw.modules.v2g.secc.protocol import Environment
from chargebyte_fw.modules.v2g.secc.registry import protocols
from chargebyte_fw.modules.v2g.security import PLAIN, Security
from chargebyte_fw.modules.v2g.v2gtp import Frame, Receiver
from tests.v2g.pair import START

D20 = AppProtocol("ISO15118D20", "urn:iso:std:iso:15118:-20:DC", 1, 0, "iso20_dc", "ISO15118-20:DC", "1.3")


class TlsOnly:
    """The -2 protocol under a name that demands TLS 1.3: what is negotiated is the point."""

    def __init__(self, app: AppProtocol) -> None:
        self.app = app
        self._like = next(one for one in protocols() if one.app == ISO15118D2)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._like, name)


def response(offered: list[AppProtocol], security: Security, settings: Settings) -> sap.supportedAppProtocolRes:
    facts = ChargerFacts(app_protocols=["ISO15118D2", "ISO15118D20"])
    served: list[Any] = [*protocols(), TlsOnly(D20)]
    machine = Secc(served, facts, settings, Environment(bytes, lambda: START))
    machine.feed(out.Connected(security), 0.0)
    request = codec("sap").encode(handshake.offer(offered))
    effects = machine.feed(out.Received(Frame(0x8001, request).to_bytes()), 0.0)
    (frame,) = Receiver().feed(next(one.data for one in effects if isinstance(one, out.Send)))
    answer = codec("sap").decode(frame.payload)
    assert isinstance(answer, sap.supportedAppProtocolRes)
    return answer


@pytest.mark.parametrize(
    ("security", "without_tls", "schema_id"),
    [
        (Security("1.3"), False, 1),
        (Security("1.2"), False, 2),
        (Security("1.2"), True, 2),
        (PLAIN, False, 2),
        (PLAIN, True, 1),
    ],
)
def test_a_car_with_both_gets_20_on_tls_13_or_where_plain_tcp_is_configured(
    security: Security, without_tls: bool, schema_id: int
) -> None:
    answer = response([D20, ISO15118D2], security, Settings(without_tls=without_tls))
    assert (str(answer.ResponseCode), answer.SchemaID) == ("OK_SuccessfulNegotiation", schema_id)


@pytest.mark.parametrize("security", [Security("1.2"), PLAIN])
def test_a_car_with_20_alone_gets_nothing_below_tls_13(security: Security) -> None:
    answer = response([D20], security, Settings())
    assert (str(answer.ResponseCode), answer.SchemaID) == ("Failed_NoNegotiation", None)


def test_protocols_without_a_demand_go_over_anything() -> None:
    for security in (PLAIN, Security("1.2"), Security("1.3")):
        assert is_secure_enough(ISO15118D2, security, Settings())

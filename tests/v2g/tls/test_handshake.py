"""Car and charger shake hands in memory: which version, whose certificate, which alert, and what the log has of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.modules.v2g.transport.tls import connection as tls
from chargebyte_fw.modules.v2g.transport.tls import policy
from chargebyte_fw.modules.v2g.transport.tls.client import TlsClient
from tests.v2g.tls import pki
from tests.v2g.tls.handshake import Pair, Server

ISO20 = policy.iso20()


def server(kind: str = "P-256", rules: policy.TlsPolicy = ISO20, **values: Any) -> Server:
    leaf = pki.leaf(kind=kind)
    anchors = [leaf.root.der, pki.cas("OEM", kind).root.der]
    return Server(rules, [leaf.chain(pki.staple(leaf))], anchors, **values)


def car(kind: str = "P-256", vehicle: str | None = "V2G", **values: Any) -> TlsClient:
    shown = None if vehicle is None else pki.vehicle(kind, vehicle).chain()
    return TlsClient((pki.leaf(kind=kind).root.der,), chain=shown, **values)


@pytest.mark.parametrize("kind", ["P-256", "P-521"])
def test_a_20_car_gets_tls_13_with_its_certificate_verified(kind: str) -> None:
    pair = Pair(server(kind), car(kind))
    security = pair.security(pair.server)
    assert security is not None
    assert (security.tls_version, security.cipher) == ("1.3", "TLS_AES_256_GCM_SHA384")
    vehicle = pki.vehicle(kind)
    assert vehicle.issuer is not None and vehicle.issuer.issuer is not None
    assert security.peer_chain == (vehicle.der, vehicle.issuer.der, vehicle.issuer.issuer.der)
    assert security.peer_certificate == vehicle.der


def test_a_2_car_gets_tls_12_with_its_suite_and_shows_nothing() -> None:
    it = server()
    pair = Pair(it, car(versions=("1.2",)))
    security = pair.security(pair.server)
    assert security is not None
    assert (security.tls_version, security.cipher) == ("1.2", "ECDHE-ECDSA-AES128-SHA256")
    assert security.peer_chain == () and not it.choices[0].demand_certificate


def test_a_charger_of_2_alone_gives_a_20_car_tls_12() -> None:
    pair = Pair(server(rules=policy.ISO2), car())
    security = pair.security(pair.server)
    assert security is not None and security.tls_version == "1.2"


def test_a_vehicle_below_an_oem_root_is_accepted_and_a_contract_is_not() -> None:
    """Field case 14: anchors are V2G and OEM roots, not those of mobility operators."""
    pair = Pair(server(), car(vehicle="OEM"))
    assert pair.security(pair.server) is not None
    pair = Pair(server(), car(vehicle="MO"))
    (why,) = pair.lost(pair.server)
    assert "CN=MO sub 1" in why and "its issuer is not installed" in why and "48 unknown_ca" in why
    assert pair.security(pair.server) is None
    (answer,) = pair.lost(pair.client)
    assert answer.startswith("the peer ended it with alert 48 unknown_ca (the peer does not know the root of our chain")


@pytest.mark.parametrize(
    ("versions", "rules", "alert"),
    [
        (("1.3",), ISO20, "116 certificate_required"),
        (("1.3", "1.2"), ISO20, "116 certificate_required"),
        (("1.2",), policy.iso20(enforce_tls_1_3=True), "70 protocol_version"),
    ],
)
def test_a_car_without_a_certificate_at_a_20_charger(
    versions: tuple[str, ...], rules: policy.TlsPolicy, alert: str
) -> None:
    """Field case 5."""
    pair = Pair(server(rules=rules), car(vehicle=None, versions=versions))
    assert pair.security(pair.server) is None
    (why,) = pair.lost(pair.server)
    assert alert in why
    (seen,) = pair.lost(pair.client)
    assert alert in seen


def test_why_a_car_refuses_the_charger_is_in_words_on_both_sides() -> None:
    day = timedelta(days=1)
    expired = pki.issue("SECC", pki.cas(), ca=False, end=VIRTUAL_EPOCH + day)
    later = VIRTUAL_EPOCH + 2 * day
    it = Server(policy.ISO2, [expired.chain()])  # its own clock stands at the beginning
    pair = Pair(it, TlsClient((expired.root.der,), ("1.2",)), later)
    (why,) = pair.lost(pair.client)
    assert "CN=SECC" in why and "it is expired: renew it" in why and "2026-01-02T00:00:00Z" in why
    assert why.endswith("answered with alert 45 certificate_expired")
    (seen,) = pair.lost(pair.server)
    assert "alert 45 certificate_expired" in seen and "check dates and clock" in seen


def test_a_car_with_other_roots_refuses_the_charger() -> None:
    pair = Pair(server(), TlsClient((pki.cas("other").root.der,), ("1.2",)))
    assert "its issuer is not installed" in pair.lost(pair.client)[0]
    assert "48 unknown_ca" in pair.lost(pair.server)[0]


def test_a_revoked_charger_is_refused_by_its_own_ocsp_response() -> None:
    leaf = pki.leaf()
    it = Server(policy.ISO2, [leaf.chain(pki.staple(leaf, revoked=True))])
    pair = Pair(it, car(versions=("1.2",)))
    (why,) = pair.lost(pair.client)
    assert f"serial {leaf.certificate.serial_number:X} is revoked" in why
    assert "113 bad_certificate_status_response" in pair.lost(pair.server)[0]


def test_a_car_that_demands_an_ocsp_response_refuses_a_charger_without() -> None:
    it = Server(policy.ISO2, [pki.leaf().chain()])
    pair = Pair(it, car(versions=("1.2",), demand_ocsp=True))
    assert "sends no OCSP response" in pair.lost(pair.client)[0]
    pair = Pair(server(rules=policy.ISO2), car(versions=("1.2",), demand_ocsp=True))
    assert pair.security(pair.server) is not None


def test_a_chain_with_too_many_certificates_is_refused() -> None:
    above = pki.cas()
    for number in range(3):
        above = pki.issue(f"sub {number + 3}", above)
    vehicle = pki.issue("vehicle", above, ca=False)
    pair = Pair(server(), TlsClient((pki.leaf().root.der,), chain=vehicle.chain()))
    assert "longer than the standard allows" in pair.lost(pair.server)[0]


def test_plaintext_passes_both_ways_and_close_notify_ends_it() -> None:
    pair = Pair(server(), car())
    request = bytes(range(256)) * 100
    pair.feed(pair.client, tls.Write(request))
    pair.feed(pair.server, tls.Write(b"response"))
    assert pair.delivered(pair.server) == request and pair.delivered(pair.client) == b"response"
    pair.feed(pair.client, tls.Close())
    assert pair.lost(pair.server) == [""]
    assert pair.server.state is tls.TlsState.CLOSING
    pair.feed(pair.server, tls.WireClosed(""))
    assert pair.server.state is tls.TlsState.ENDED and pair.lost(pair.server) == [""]


def test_garbage_in_mid_session_is_an_alert_and_one_reason() -> None:
    pair = Pair(server(), car())
    pair.feed(pair.server, tls.Arrived(b"\x17\x03\x03\x00\x20" + bytes(32)))
    (why,) = pair.lost(pair.server)
    assert "20 bad_record_mac" in why
    assert "alert 20 bad_record_mac" in pair.lost(pair.client)[0]


def test_a_peer_that_is_silent_or_slow_is_given_up_in_time() -> None:
    machine = server().machine()
    machine.feed(tls.Begin(), 0.0)
    assert machine.deadline == 15.0
    effects = machine.wake(15.0)
    assert effects == [tls.Lost("the peer sent no complete ClientHello within 15 s"), tls.DropWire()]

    machine = server().machine()
    machine.feed(tls.Begin(), 0.0)
    client = car().connection(VIRTUAL_EPOCH)
    (hello,) = client.feed(tls.Begin(), 0.0)
    machine.feed(tls.Arrived(hello.data), 1.0)
    assert machine.wake(15.0)[0] == tls.Lost("the peer did not complete the handshake within 15 s")


def test_a_closed_connection_that_the_peer_does_not_close_is_dropped() -> None:
    pair = Pair(server(), car())
    pair.server.feed(tls.Close(), 100.0)
    assert pair.server.deadline == 103.0
    assert pair.server.wake(103.0)[-1] == tls.DropWire()
    assert pair.server.state is tls.TlsState.ENDED


def test_the_wire_that_ends_in_the_handshake_has_its_reason() -> None:
    machine = server().machine()
    machine.feed(tls.Begin(), 0.0)
    effects = machine.feed(tls.WireClosed(""), 1.0)
    assert effects == [tls.Lost("the peer closed the connection in the middle of the handshake")]


@pytest.mark.parametrize("event", [tls.Write(b"x"), tls.Close(), tls.Arrived(b"x"), tls.WireClosed("")])
def test_nothing_happens_before_the_beginning(event: Any) -> None:
    assert server().machine().feed(event, 0.0) == []


def test_v2gtp_on_a_tls_port_is_closed_with_a_reason() -> None:
    machine = server().machine()
    machine.feed(tls.Begin(), 0.0)
    lost, shut = machine.feed(tls.Arrived(b"\x01\xfe\x80\x01\0\0\0\0"), 0.0)
    assert lost == tls.Lost("the peer speaks V2GTP without TLS") and shut == tls.ShutWire()


def test_key_log_lines_come_with_a_handshake() -> None:
    it = server()
    Pair(it, car())
    labels = {line.split()[0] for line in it.keys}
    assert {b"CLIENT_HANDSHAKE_TRAFFIC_SECRET", b"SERVER_TRAFFIC_SECRET_0"} <= labels


def test_the_second_handshake_of_a_car_is_a_full_one() -> None:
    """No session is resumed: each time the car shows its certificate."""
    it = server()
    for _ in range(2):
        pair = Pair(it, car())
        assert pair.security(pair.server) is not None
    assert [hello.resumption for hello in it.hellos] == [False, False]

"""`openssl s_client` against our server, in each version: status, roots, certificates, groups, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.modules.v2g.transport.tls import policy
from chargebyte_fw.modules.v2g.transport.tls.credentials import Chain
from tests.v2g.tls import pki
from tests.v2g.tls.handshake import Server
from tests.v2g.tls.s_client import connect

TLS12 = ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256")
TLS13 = ("-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256")


def chain(kind: str, title: str = "V2G", *, staple: bool = True) -> Chain:
    leaf = pki.leaf("SECC", title, kind)
    return leaf.chain(pki.staple(leaf) if staple else b"")


def server(kind: str = "P-256", rules: policy.TlsPolicy | None = None, *chains: Chain) -> Server:
    anchors = [pki.cas("V2G", kind).root.der, pki.cas("OEM", kind).root.der]
    return Server(rules or policy.iso20(), list(chains) or [chain(kind)], anchors)


@pytest.fixture
def roots(tmp_path: Path) -> Any:
    def write(*parties: pki.Party) -> str:
        path = tmp_path / "roots.pem"
        path.write_bytes(b"".join(party.root.pem for party in parties))
        return str(path)

    return write


@pytest.fixture
def shown(tmp_path: Path) -> Any:
    def write(vehicle: pki.Party) -> tuple[str, ...]:
        assert vehicle.issuer is not None
        files = {"car.pem": vehicle.pem, "car.key": vehicle.key_pem, "subs.pem": vehicle.issuer.chain_pem}
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        return (
            *("-cert", str(tmp_path / "car.pem"), "-key", str(tmp_path / "car.key")),
            *("-cert_chain", str(tmp_path / "subs.pem")),
        )

    return write


def test_tls_12_with_its_suite_chain_and_ocsp_response(roots: Any) -> None:
    it = connect(server(), *TLS12, "-status", "-showcerts", "-verify_return_error", "-CAfile", roots(pki.leaf()))
    assert it.received == b"hello\n"
    assert it.find(r"Cipher is (\S+)") == "ECDHE-ECDSA-AES128-SHA256"
    assert it.find(r"Verify return code: (.*)") == "0 (ok)"
    assert it.find(r"OCSP Response Status: (\w+)") == "successful"
    assert it.find(r"Cert Status: (\w+)") == "good"
    assert it.text.count("-----BEGIN CERTIFICATE-----") == 3, "leaf and two sub-CAs, no root"
    assert "No client certificate CA names sent" in it.text
    assert it.find(r"(?:Server|Peer) Temp Key: (.*)") == "ECDH, prime256v1, 256 bits"
    assert it.lost == [""]


@pytest.mark.parametrize("kind", ["P-256", "P-521"])
def test_tls_13_with_mutual_authentication_and_ocsp_response(roots: Any, shown: Any, kind: str) -> None:
    vehicle = pki.vehicle(kind)
    options = (*TLS13, "-status", "-verify_return_error", "-CAfile", roots(pki.leaf(kind=kind)))
    it = connect(server(kind), *options, *shown(vehicle))
    assert it.received == b"hello\n" and it.find(r"OCSP Response Status: (\w+)") == "successful"
    assert it.find(r"Verify return code: (.*)") == "0 (ok)"
    assert it.security is not None and it.security.peer_certificate == vehicle.der
    assert it.find(r"(?:Server|Peer) Temp Key: (.*)") == "ECDH, secp521r1, 521 bits"
    names = it.text.partition("Acceptable client certificate CA names\n")[2].partition("Requested")[0]
    assert names.strip().split("\n") == [f"CN = {title} root {kind}, O = T" for title in ("V2G", "OEM")]


def test_the_strict_profile_offers_the_algorithms_of_the_standard_alone(roots: Any, shown: Any) -> None:
    """Field case 6: [V2G20-2458], [V2G20-2460], [V2G20-1667]."""
    strict = policy.iso20(profile="strict")
    vehicle = pki.vehicle("P-521")
    it = connect(server("P-521", strict), *TLS13, "-CAfile", roots(vehicle), *shown(vehicle))
    assert it.find(r"Requested Signature Algorithms: (.*)").lower() == "ecdsa+sha512:ed448"
    assert it.security is not None and it.security.cipher == "TLS_AES_256_GCM_SHA384"
    it = connect(server("P-521", strict), *TLS13, "-groups", "P-256:X448:P-521", *shown(vehicle))
    assert it.find(r"(?:Server|Peer) Temp Key: (.*)") == "ECDH, secp521r1, 521 bits"
    it = connect(server("P-521", strict), *TLS13, "-groups", "X448", *shown(vehicle))
    assert it.find(r"(?:Server|Peer) Temp Key: (.*)") == "X448, 448 bits"
    it = connect(server("P-521", strict), *TLS13, "-groups", "P-256:P-384", *shown(vehicle))
    assert "no common group among 0x0017, 0x0018" in it.lost[0] and "handshake failure" in it.text


def test_the_interoperable_profile_offers_them_first(roots: Any, shown: Any) -> None:
    it = connect(server(), *TLS13, "-CAfile", roots(pki.leaf()), *shown(pki.vehicle()))
    algorithms = it.find(r"Requested Signature Algorithms: (.*)").lower()
    assert algorithms == "ecdsa+sha512:ed448:ecdsa+sha256:ecdsa+sha384"
    it = connect(server(), *TLS13, "-groups", "P-256", *shown(pki.vehicle()))
    assert it.find(r"(?:Server|Peer) Temp Key: (.*)") == "ECDH, prime256v1, 256 bits"


def test_a_vehicle_of_p256_is_refused_in_the_strict_profile(roots: Any, shown: Any) -> None:
    it = connect(server("P-521", policy.iso20(profile="strict")), *TLS13, *shown(pki.vehicle("P-256")))
    assert it.security is None and len(it.lost) == 1


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_with_other_roots_the_car_answers_unknown_ca(version: tuple[str, ...], roots: Any, shown: Any) -> None:
    options = (*version, "-verify_return_error", "-CAfile", roots(pki.leaf("SECC", "other")))
    it = connect(server(), *options, *shown(pki.vehicle()))
    assert it.security is None and "unable to get" in it.text
    assert it.lost[0].startswith("the peer ended it with alert 48 unknown_ca (the peer does not know the root")


@pytest.mark.parametrize(
    ("options", "rules", "alert", "answer"),
    [
        (TLS13, policy.iso20(), "116 certificate_required", "certificate required"),
        ((), policy.iso20(), "116 certificate_required", "certificate required"),
        (TLS12, policy.iso20(enforce_tls_1_3=True), "70 protocol_version", "protocol version"),
        (("-tls1_1", "-cipher", "ALL@SECLEVEL=0"), policy.iso20(), "70 protocol_version", "protocol version"),
        (("-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"), policy.iso20(), "40 handshake_failure", "failure"),
        (("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), policy.ISO2, "40 handshake_failure", "failure"),
    ],
    ids=["1.3 without", "1.3 or 1.2 without", "1.2 where 1.3 is enforced", "1.1", "0x1301 alone", "other suite"],
)
def test_what_is_refused(options: tuple[str, ...], rules: policy.TlsPolicy, alert: str, answer: str) -> None:
    it = connect(server(rules=rules), *options)
    assert it.security is None and alert in it.lost[0]
    assert answer in it.text


def test_a_vehicle_below_an_oem_root_and_one_below_another(shown: Any) -> None:
    it = connect(server(), *TLS13, *shown(pki.vehicle("P-256", "OEM")))
    assert it.received == b"hello\n"
    it = connect(server(), *TLS13, *shown(pki.vehicle("P-256", "MO")))
    assert it.security is None and "48 unknown_ca" in it.lost[0] and "unknown ca" in it.text


def test_certificate_authorities_of_the_car_choose_the_chain(roots: Any, shown: Any) -> None:
    chains = [chain("P-256", title) for title in ("A", "B")]
    for title in ("A", "B"):
        options = ("-requestCAfile", roots(pki.leaf("SECC", title)), "-showcerts")
        it = connect(server("P-256", None, *chains), *TLS13, *options, *shown(pki.vehicle()))
        assert f"CN = {title} sub 2" in it.text


def test_without_an_ocsp_response_none_is_sent(roots: Any) -> None:
    it = connect(server("P-256", None, chain("P-256", staple=False)), *TLS12, "-status", "-CAfile", roots(pki.leaf()))
    assert "OCSP response: no response sent" in it.text and it.received == b"hello\n"


def test_a_session_is_not_resumed_and_early_data_is_not_taken(tmp_path: Path, shown: Any) -> None:
    session, data = tmp_path / "session", tmp_path / "early"
    data.write_bytes(b"early data that must not arrive\n")
    for version, options in ((TLS13, shown(pki.vehicle())), (TLS12, ())):
        it = connect(server(), *version, *options, "-sess_out", str(session))
        assert it.security is not None
        if not session.exists():
            continue
        early = ("-early_data", str(data)) if version is TLS13 else ()
        it = connect(server(), *version, *options, "-sess_in", str(session), *early)
        assert "Reused" not in it.text and it.received == b"hello\n"
        assert it.security is not None and len(it.security.peer_chain) == (3 if version is TLS13 else 0)
        session.unlink()


def test_renegotiation_is_refused(roots: Any) -> None:
    it = connect(server(), *TLS12, "-CAfile", roots(pki.leaf()), say=b"R\n")
    assert "RENEGOTIATING" in it.text and "no renegotiation" in it.text
    assert it.security is not None and it.received == b""

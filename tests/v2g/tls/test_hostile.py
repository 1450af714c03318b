"""What a peer may send that nothing here expects: noise at any moment, odd certificates, a wire that ends anywhere."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.kernel.machine import Machine
from chargebyte_fw.modules.v2g.transport.tls import connection as tls
from chargebyte_fw.modules.v2g.transport.tls.credentials import (
    CredentialError,
    certificates,
    describe,
    load_anchors,
    load_ocsp,
    make_chain,
)
from tests.v2g.tls import pki
from tests.v2g.tls.test_handshake import car, server

END = (tls.TlsState.CLOSING, tls.TlsState.ENDED)


def transmitted(effects: list[Any]) -> list[bytes]:
    return [one.data for one in effects if isinstance(one, tls.Transmit)]


def reasons(effects: list[Any]) -> list[str]:
    return [one.reason for one in effects if isinstance(one, tls.Lost)]


@given(st.data())
@settings(max_examples=60)
def test_a_changed_byte_anywhere_in_a_handshake_ends_it_with_one_reason_or_not_at_all(data: st.DataObject) -> None:
    """Both sides: whatever OpenSSL makes of it, the machine ends in order and nothing is raised."""
    victim, at, bit = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 3000)), data.draw(st.integers(0, 7))
    charger: Machine = server().machine()
    client: Machine = car().connection(VIRTUAL_EPOCH)
    found: dict[Machine, list[str]] = {charger: [], client: []}
    waiting: list[tuple[Machine, Any]] = [(charger, tls.Begin()), (client, tls.Begin())]
    pieces = 0
    while waiting:
        machine, event = waiting.pop(0)
        effects = machine.feed(event, 0.0)
        found[machine] += reasons(effects)
        for piece in transmitted(effects):
            changed = bytearray(piece)
            if pieces == victim:
                changed[at % len(changed)] ^= 1 << bit
            pieces += 1
            waiting.append((client if machine is charger else charger, tls.Arrived(bytes(changed))))
    for machine in (charger, client):
        assert len(found[machine]) <= 1
        assert (machine.state in END) == bool(found[machine])


@given(st.binary(min_size=1, max_size=300))
@settings(max_examples=50)
def test_noise_in_a_session_ends_it_or_waits_for_more(noise: bytes) -> None:
    from tests.v2g.tls.handshake import Pair

    pair = Pair(server(), car())
    pair.feed(pair.server, tls.Arrived(noise))
    if pair.server.state in END:
        assert len(pair.lost(pair.server)) == 1
    pair.feed(pair.server, tls.WireClosed("reset"))
    assert pair.server.state is tls.TlsState.ENDED and len(pair.lost(pair.server)) == 1


def test_the_wire_may_end_after_any_piece() -> None:
    for last in range(1, 8):
        charger: Machine = server().machine()
        client: Machine = car().connection(VIRTUAL_EPOCH)
        waiting: list[tuple[Machine, Any]] = [(charger, tls.Begin()), (client, tls.Begin())]
        for _ in range(last):
            if not waiting:
                break
            machine, event = waiting.pop(0)
            other = client if machine is charger else charger
            waiting += [(other, tls.Arrived(piece)) for piece in transmitted(machine.feed(event, 0.0))]
        effects = charger.feed(tls.WireClosed("connection reset by peer"), 1.0)
        assert charger.state is tls.TlsState.ENDED
        assert reasons(effects) == ["connection reset by peer"]
        assert charger.deadline is None


def odd(der: bytes) -> bytes:
    """Return a certificate of a version that does not exist."""
    assert der.count(b"\xa0\x03\x02\x01\x02") == 1
    return der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07")


def test_a_certificate_that_cannot_be_read_is_described_all_the_same() -> None:
    assert "cannot be read" in describe(odd(pki.leaf().der))
    assert "cannot be read" in describe(b"\x30\x03\x02\x01")


def as_pem(der: bytes) -> bytes:
    import base64

    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("chain", "key", "text"),
    [
        (b"", b"", "no certificate in the chain"),
        (b"noise", b"", "no certificate in the chain"),
        (as_pem(b"noise"), b"", "a certificate cannot be read"),
        (as_pem(odd(pki.leaf().der)), pki.leaf().key_pem, "a certificate cannot be read"),
        (pki.leaf().chain_pem, b"", "check private_key_password"),
        (pki.leaf().chain_pem, pki.vehicle().key_pem, "the private key does not belong to O=T,CN=SECC"),
    ],
    ids=["empty", "no pem", "noise", "version", "no key", "other key"],
)
def test_a_chain_that_is_no_good_has_its_reason(chain: bytes, key: bytes, text: str) -> None:
    with pytest.raises(CredentialError, match=text):
        make_chain(chain, key)


def test_an_encrypted_key_wants_its_password() -> None:
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    guard = BestAvailableEncryption(b"123456")
    key = pki.leaf().key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, guard)
    assert make_chain(pki.leaf().chain_pem, key, password="123456").key_kind == "P-256"
    for password in (None, "wrong"):
        with pytest.raises(CredentialError, match="check private_key_password"):
            make_chain(pki.leaf().chain_pem, key, password=password)


def test_a_root_among_the_certificates_is_left_out() -> None:
    """Field case 19."""
    leaf = pki.leaf()
    chain = make_chain(leaf.chain_pem + leaf.root.pem, leaf.key_pem, root=leaf.root.pem)
    assert len(chain.certificates) == 3 and chain.root is not None
    assert chain.root.certificate == leaf.root.der


def test_the_public_key_of_a_root_is_the_one_that_x509_hashes() -> None:
    from cryptography import x509

    root = pki.leaf().chain().root
    assert root is not None
    import hashlib

    expected = x509.SubjectKeyIdentifier.from_public_key(pki.leaf().root.key.public_key()).digest
    assert hashlib.sha1(root.public_key).digest() == expected


def test_anchors_are_the_self_signed_ones_of_files_and_folders(tmp_path: Any) -> None:
    leaf, other = pki.leaf(), pki.leaf("SECC", "A")
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(leaf.root.pem + leaf.chain_pem)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.pem").write_bytes(other.root.pem)
    (folder / "same.pem").write_bytes(leaf.root.pem)
    assert load_anchors([str(bundle), str(folder)]) == (leaf.root.der, other.root.der)
    for broken, text in ((str(tmp_path / "missing.pem"), "cannot be read"), (str(folder / "x.pem"), "cannot be read")):
        (folder / "x.pem").write_bytes(as_pem(b"noise"))
        with pytest.raises(CredentialError, match=text):
            load_anchors([broken])


def test_an_ocsp_response_that_confirms_nothing_is_none() -> None:
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import ocsp

    refused = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    assert load_ocsp(refused.public_bytes(Encoding.DER), "there") is None
    with pytest.raises(CredentialError, match="there is no OCSP response"):
        load_ocsp(b"noise", "there")


@given(st.binary(max_size=200))
def test_noise_is_no_credential_and_nothing_worse(noise: bytes) -> None:
    for call in (lambda: certificates(as_pem(noise)), lambda: load_ocsp(noise, "x"), lambda: make_chain(noise, noise)):
        with pytest.raises(CredentialError):
            call()
    assert describe(noise)

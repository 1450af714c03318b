"""Who may sign an OCSP response: the issuer, or a responder that it has named for it (RFC 6960, clause 4.2.2.2)."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.modules.security.ocsp_responses import Status, check_response
from tests.security.test_power_cut import PARTIES, Power, first_installation, leaf_name

KEYS: dict[str, Any] = {
    "P-256": ec.generate_private_key(ec.SECP256R1()),
    "RSA": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "Ed448": ed448.Ed448PrivateKey.generate(),
}


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def digest(key: Any) -> Any:
    return None if isinstance(key, ed448.Ed448PrivateKey) else hashes.SHA256()


def certificate(
    common: str, key: Any, issuer: str, issuer_key: Any, *usages: x509.ObjectIdentifier
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(common))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VIRTUAL_EPOCH - timedelta(days=1))
        .not_valid_after(VIRTUAL_EPOCH + timedelta(days=100))
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return builder.sign(issuer_key, digest(issuer_key))


def response(
    leaf: x509.Certificate,
    issuer: x509.Certificate,
    signer: x509.Certificate,
    key: Any,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
) -> bytes:
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=leaf, issuer=issuer, algorithm=hashes.SHA256(), cert_status=status, this_update=VIRTUAL_EPOCH,
        next_update=None, revocation_time=None, revocation_reason=None,
    )  # fmt: skip
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer).certificates([signer])
    return builder.sign(key, digest(key)).public_bytes(Encoding.DER)


@pytest.mark.parametrize("kind", KEYS)
def test_an_issuer_with_any_kind_of_key(kind: str) -> None:
    key = KEYS[kind]
    issuer = certificate("CA", key, "CA", key)
    leaf = certificate("leaf", KEYS["P-256"], "CA", key)
    read = check_response(response(leaf, issuer, issuer, key), leaf, issuer)
    assert read.status is Status.GOOD
    assert read.is_current(VIRTUAL_EPOCH + timedelta(days=7)) and not read.is_current(VIRTUAL_EPOCH + timedelta(days=8))
    assert not read.is_current(VIRTUAL_EPOCH - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("usage", "named_by", "believed"),
    [
        ((ExtendedKeyUsageOID.OCSP_SIGNING,), "issuer", True),
        ((ExtendedKeyUsageOID.SERVER_AUTH,), "issuer", False),
        ((), "issuer", False),
        ((ExtendedKeyUsageOID.OCSP_SIGNING,), "another", False),
    ],
)
def test_a_responder_that_the_issuer_has_named(usage: Any, named_by: str, believed: bool) -> None:
    key, own = KEYS["P-256"], ec.generate_private_key(ec.SECP256R1())
    issuer = certificate("CA", key, "CA", key)
    leaf = certificate("leaf", own, "CA", key)
    other = ec.generate_private_key(ec.SECP256R1())
    delegate = certificate("responder", own, "CA", key if named_by == "issuer" else other, *usage)
    data = response(leaf, issuer, delegate, own)
    if believed:
        assert check_response(data, leaf, issuer).status is Status.GOOD
        return
    with pytest.raises(ValueError, match="its signature is not of the issuer"):
        check_response(data, leaf, issuer)


def test_a_responder_that_does_not_know_the_certificate() -> None:
    key = KEYS["P-256"]
    issuer = certificate("CA", key, "CA", key)
    leaf = certificate("leaf", key, "CA", key)
    data = response(leaf, issuer, issuer, key, ocsp.OCSPCertStatus.UNKNOWN)
    assert check_response(data, leaf, issuer).status is Status.UNKNOWN


def test_that_it_is_not_known_is_nothing_to_show_to_cars(tmp_path: Path) -> None:
    power = Power(tmp_path)
    first_installation(power, leaf=True)
    leaf, issuer = PARTIES.leaf.certificate, PARTIES.sub2.certificate
    data = response(leaf, issuer, issuer, PARTIES.sub2.key, ocsp.OCSPCertStatus.UNKNOWN)
    with pytest.raises(ValueError, match="the responder does not know it"):
        power.start().keep_ocsp(leaf_name(), base64.b64encode(data).decode(), VIRTUAL_EPOCH)

"""The test PKI: chains that another implementation accepts, branches that are wrong in the way they say."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import ocsp

from chargebyte_fw.cli.main import main
from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.modules.security.test_pki import EMAID, KINDS, STANDARDS, Pki, make_test_pki


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), now=VIRTUAL_EPOCH)


def openssl_verifies(root: Path, chain: Path) -> str:
    """What `openssl verify` prints of the first certificate of a file, with the others as intermediates."""
    at = str(int(VIRTUAL_EPOCH.timestamp()))
    done = subprocess.run(
        ["openssl", "verify", "-attime", at, "-x509_strict", "-CAfile", root, "-untrusted", chain, chain],
        capture_output=True, text=True,
    )  # fmt: skip
    return "OK" if done.returncode == 0 else done.stderr


@pytest.mark.parametrize("standard", STANDARDS)
def test_openssl_accepts_what_is_good(pki: Pki, standard: str) -> None:
    ca, car = pki.certs / "ca", pki.car(standard)
    secc = pki.certs / f"client/cso/CPO_CERT_SECC_LEAF_CHAIN_{standard.upper()}.pem"
    assert openssl_verifies(ca / "v2g/V2G_ROOT_CA.pem", secc) == "OK"
    assert openssl_verifies(car / "v2g_root.pem", secc) == "OK"
    assert openssl_verifies(car / "v2g_root.pem", pki.provisioning(standard) / "cps.pem") == "OK"
    assert openssl_verifies(ca / "mo/MO_ROOT_CA.pem", car / "contract.pem") == "OK"
    assert openssl_verifies(ca / "mo/MO_ROOT_CA.pem", pki.provisioning(standard) / "contract.pem") == "OK"
    assert openssl_verifies(ca / "oem/OEM_ROOT_CA.pem", car / "oem_provisioning.pem") == "OK"
    if standard == "iso20":
        assert openssl_verifies(ca / "oem/OEM_ROOT_CA.pem", car / "vehicle.pem") == "OK"
    assert openssl_verifies(ca / "csms/CSMS_ROOT_CA.pem", pki.certs / "client/csms/CSMS_LEAF.pem") == "OK"


@pytest.mark.parametrize("standard", STANDARDS)
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("expired", "certificate has expired"),
        ("early", "not yet valid"),
        ("wrong", "unable to get local issuer certificate"),
        ("revoked", "OK"),
        ("oversized", "OK"),
    ],
)
def test_openssl_refuses_what_is_wrong(pki: Pki, standard: str, kind: str, reason: str) -> None:
    ca = pki.certs / "ca"
    assert reason in openssl_verifies(ca / "mo/MO_ROOT_CA.pem", pki.car(standard, kind) / "contract.pem")
    if standard == "iso20":
        assert reason in openssl_verifies(ca / "oem/OEM_ROOT_CA.pem", pki.car(standard, kind) / "vehicle.pem")


@pytest.mark.parametrize(("standard", "limit"), [("iso2", 800), ("iso20", 1600)])
def test_certificates_fit_into_the_messages_but_the_oversized(pki: Pki, standard: str, limit: int) -> None:
    for name, party in pki.of(standard).items():
        assert (len(party.der) > limit) == name.startswith("oversized"), name


def test_every_key_belongs_to_its_chain_and_is_for_its_owner_alone(pki: Pki) -> None:
    keys = [path for path in pki.directory.rglob("*.key") if "client/cso" not in str(path)]
    assert len(keys) > len(KINDS) * 4
    for path in keys:
        key = load_pem_private_key(path.read_bytes(), None)
        leaf = x509.load_pem_x509_certificates(path.with_suffix(".pem").read_bytes())[0]
        assert key.public_key() == leaf.public_key(), path
        assert path.stat().st_mode & 0o777 == 0o600


def test_the_responder_answers_about_its_certificates_only(pki: Pki) -> None:
    def ask(leaf: x509.Certificate, issuer: x509.Certificate) -> ocsp.OCSPResponse:
        request = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, hashes.SHA1()).build()
        return ocsp.load_der_ocsp_response(pki.answer_ocsp(request.public_bytes(Encoding.DER)))

    parties = pki.iso2
    sub = parties["mo_sub2"].certificate
    assert ask(parties["contract"].certificate, sub).certificate_status is ocsp.OCSPCertStatus.GOOD
    assert ask(parties["revoked_contract"].certificate, sub).certificate_status is ocsp.OCSPCertStatus.REVOKED
    unknown = ask(parties["contract"].certificate, parties["v2g_root"].certificate)
    assert unknown.response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED
    with pytest.raises(ValueError, match="parsing"):
        pki.answer_ocsp(b"no request")


def test_openssl_reads_the_responses_in_the_store(pki: Pki) -> None:
    folder = pki.certs / "client/cso"
    leaf, issuer = folder / "SECC_LEAF_REVOKED_ISO2.pem", pki.directory / "issuer.pem"
    issuer.write_bytes(pki.iso2["cpo_sub2"].pem)
    serial = f"{pki.iso2['revoked_secc'].certificate.serial_number:x}"
    done = subprocess.run(
        ["openssl", "ocsp", "-sha256", "-issuer", issuer, "-cert", leaf, "-respin", folder / f"ocsp/{serial}.der",
         "-CAfile", issuer, "-partial_chain", "-no_check_time", "-verify_other", issuer, "-trust_other"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert "Response verify OK" in done.stderr and "keyCompromise" in done.stdout


def test_the_command_makes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certs", "make-test-pki", str(tmp_path / "pki"), "--password", "secret"]) == 0
    assert str(tmp_path / "pki/certs") in capsys.readouterr().out
    key = (tmp_path / "pki/certs/client/cso/SECC_LEAF_ISO2.key").read_bytes()
    assert key.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    contract = x509.load_pem_x509_certificates((tmp_path / "pki/car/iso2/contract.pem").read_bytes())[0]
    assert contract.subject.rfc4514_string().endswith(f"CN={EMAID['iso2']}")
    assert contract.not_valid_before_utc < datetime.now(UTC) < contract.not_valid_after_utc
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SystemExit) as ended:
        main(["certs", "make-test-pki", str(tmp_path / "file/pki")])
    assert ended.value.code == 2
    assert "is a file, not a folder" in capsys.readouterr().err

"""`secc certs`: what a technician sees of a store, what needs attention, installing and requesting."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from chargebyte_fw.cli.main import main
from chargebyte_fw.modules.security import issuing
from chargebyte_fw.modules.security.test_pki import Pki, make_test_pki

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), now=NOW)


@pytest.fixture
def certs(made: Pki, tmp_path: Path) -> Path:
    """A store of its own for each test."""
    return Path(shutil.copytree(made.certs, tmp_path / "certs"))


def secc(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main(["certs", *map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_the_tree_explains_an_expired_and_a_revoked_branch(certs: Path, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    status, out, _ = secc(capsys, "--certs", certs)
    lines = out.split("\n")
    assert status == 0
    for standard, curve in (("ISO 15118-2", "P-256"), ("ISO 15118-20", "P-521")):
        begin = lines.index(f"  V2G Root CA {standard}, V2G root: used, trusted")
        assert lines[begin + 3] == f"  └── CPO Sub-CA 1 {standard}, sub-CA: used, part of a chain"
        leaves = [line.split("── ")[1] for line in lines[begin : begin + 25] if "DECBYE000001" in line]
        expired = (NOW - timedelta(days=10)).strftime("%Y-%m-%d")
        assert leaves[0].endswith(f"this charger, towards cars: used, for this root and {curve}")
        assert "NOT USED, it was revoked by its issuer on " in leaves[1]
        assert f"NOT USED, it expired on {expired}" in leaves[2]
    assert sum("OCSP good, 1 h old" in line for line in lines) == 8
    assert f"certificate store: {certs}" in lines


def test_who_uses_what_comes_from_the_configuration(certs: Path, tmp_path: Path, capsys: Any) -> None:
    root = tmp_path / "root"
    shutil.copytree(certs, root / "etc/everest/certs")
    (root / "etc/everest/config.yaml").write_text(
        "active_modules:\n"
        "  security: {module: EvseSecurity}\n"
        "  car:\n"
        "    module: EvseV2G\n"
        "    connections: {security: [{module_id: security, implementation_id: main}]}\n"
    )
    status, out, _ = secc(capsys, "--root", root)
    assert status == 0
    assert "cars (V2G), used by car (EvseV2G)" in out
    assert "CSMS (CSMS), no module of the configuration uses it" in out
    assert "vehicle manufacturers (OEM), no module of the configuration uses it" in out
    status, out, _ = secc(capsys, "--root", root, "--json")
    plain = json.loads(out)
    assert plain["users"]["V2G"] == ["car (EvseV2G)"]
    assert plain["places"][0]["trees"][0]["role"] == "V2G root"


def test_a_configuration_without_a_store_is_named(tmp_path: Path, capsys: Any) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("active_modules: {store: {module: PersistentStore}}\n")
    status, _, err = secc(capsys, "--config", config, "--root", tmp_path)
    assert status == 78 and "it has no module EvseSecurity" in err
    status, _, err = secc(capsys, "--certs", tmp_path / "none")
    assert status == 1 and "is no folder" in err


def test_what_needs_attention(made: Pki, certs: Path, capsys: Any) -> None:
    status, out, _ = secc(capsys, "check", "--certs", certs)
    assert status == 1
    assert len(out.splitlines()) == 4
    assert "revoked" in out and "it expired" in out
    for path in [*(certs / "client/cso").glob("*EXPIRED*"), *(certs / "client/cso").glob("*REVOKED*")]:
        path.unlink()
    status, out, _ = secc(capsys, "check", "--certs", certs)
    assert (status, out) == (0, "nothing needs attention\n")
    status, out, _ = secc(capsys, "--certs", certs, "check", "--days", 100)
    assert status == 1 and out.count("expires on") == 2
    for path in (certs / "client/cso").glob("*.key"):
        path.unlink()
    for path in (certs / "client/cso/ocsp").iterdir():
        path.unlink()
    status, out, _ = secc(capsys, "check", "--certs", certs)
    assert "cars: none of 2 certificates of this charger can be used" in out
    assert "has no private key for it" in out


def test_a_chain_below_a_root_that_is_not_installed(made: Pki, certs: Path, capsys: Any) -> None:
    (certs / "ca/v2g/V2G_ROOT_CA.pem").write_bytes(made.iso20["v2g_root"].pem)
    status, out, _ = secc(capsys, "--certs", certs)
    assert "CN=V2G Root CA ISO 15118-2, issuer: NOT INSTALLED" in out
    assert "used, if no other leads to an installed root" in out
    status, out, _ = secc(capsys, "check", "--certs", certs)
    assert status == 1 and "not installed: no chain below it can be verified here" in out


def test_damaged_files_are_named(certs: Path, capsys: Any) -> None:
    (certs / "client/cso/SECC_LEAF_ISO2.pem").write_bytes(b"\xff")
    (certs / "ca/mo/MO_ROOT_CA.pem").write_text("rubbish")
    status, out, _ = secc(capsys, "check", "--certs", certs)
    assert status == 1
    assert "SECC_LEAF_ISO2.pem holds no certificate" in out and "MO_ROOT_CA.pem holds no certificate" in out


def test_an_empty_store(tmp_path: Path, capsys: Any) -> None:
    status, out, _ = secc(capsys, "--certs", tmp_path)
    assert status == 0 and out.count("nothing is installed") == 5
    status, out, _ = secc(capsys, "check", "--certs", tmp_path)
    assert (status, out) == (0, "nothing needs attention\n")


@pytest.mark.parametrize("kind", ["v2g", "mo", "oem", "csms", "mf"])
def test_a_root_is_installed(made: Pki, tmp_path: Path, capsys: Any, kind: str) -> None:
    certs, file = tmp_path / "certs", tmp_path / "root.der"
    certs.mkdir()
    root = made.iso2[f"{kind}_root"]
    file.write_bytes(root.certificate.public_bytes(Encoding.DER))
    status, out, _ = secc(capsys, "install", file, "--as", kind, "--certs", certs)
    assert (status, out) == (0, f"{file} is installed\n")
    assert (certs / f"ca/{kind}/{kind.upper()}_ROOT_CA.pem").read_bytes() == root.pem
    status, out, err = secc(capsys, "install", made.car("iso2") / "contract.pem", "--as", kind, "--certs", certs)
    assert status == 1 and "InvalidCertificateChain" in err


def test_a_certificate_of_the_charger_is_installed_with_its_key(made: Pki, tmp_path: Path, capsys: Any) -> None:
    certs = tmp_path / "certs"
    certs.mkdir()
    own = made.certs / "client/cso"
    chain, key = own / "CPO_CERT_SECC_LEAF_CHAIN_ISO2.pem", own / "SECC_LEAF_ISO2.key"
    install = ("install", chain, "--as", "secc", "--certs", certs)
    status, _, err = secc(capsys, *install, "--key", key)
    assert status == 1 and "NoRootCertificateInstalled" in err and "install it first" in err
    secc(capsys, "install", made.certs / "ca/v2g/V2G_ROOT_CA.pem", "--as", "v2g", "--certs", certs)
    status, _, err = secc(capsys, *install)
    assert status == 1 and "no private key" in err
    status, _, err = secc(capsys, *install, "--key", own / "SECC_LEAF_ISO20.key")
    assert status == 1 and "no private key" in err
    assert secc(capsys, *install, "--key", key)[0] == 0
    (stored,) = (certs / "client/cso").glob("*.key")
    assert stored.stat().st_mode & 0o777 == 0o600 and stored.read_bytes() == key.read_bytes()
    assert "this charger, towards cars: used" in secc(capsys, "--certs", certs)[1]
    assert secc(capsys, "install", tmp_path / "none.pem", "--as", "secc", "--certs", certs)[0] == 1


def test_from_the_request_to_the_certificate(made: Pki, certs: Path, tmp_path: Path, capsys: Any) -> None:
    status, out, _ = secc(
        capsys, "csr", "--as", "secc", "--country", "DE", "--organization", "O", "--name", "DECBYE000002",
        "--certs", certs, "--password", "secret",
    )  # fmt: skip
    assert status == 0
    request = x509.load_pem_x509_csr(out.encode())
    assert request.is_signature_valid
    assert "a private key without a certificate" in secc(capsys, "--certs", certs, "--password", "secret")[1]
    issuer = made.iso2["cpo_sub2"]
    leaf = issuing.issue(
        issuing.name_of("DECBYE000002", "O", "CPO"), issuer, begin=NOW, end=NOW + timedelta(days=9),
        public_key=request.public_key(),  # type: ignore[arg-type]
    )  # fmt: skip
    answer = tmp_path / "answer.pem"
    answer.write_bytes(leaf.chain_pem)
    assert secc(capsys, "install", answer, "--as", "secc", "--certs", certs)[0] == 1, "the key is encrypted"
    status, _, err = secc(capsys, "install", answer, "--as", "secc", "--certs", certs, "--password", "secret")
    assert (status, err) == (0, "")
    status, _, err = secc(
        capsys, "csr", "--as", "secc", "--country", "Germany", "--organization", "O", "--name", "x", "--certs", certs
    )
    assert status == 1 and "GenerationError" in err

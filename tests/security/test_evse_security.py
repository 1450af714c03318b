"""EvseSecurity on the bus: places made, certificates installed, found, verified and deleted."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chargebyte_fw.contracts.types.evse_security import (
    CaCertificateType,
    CertificateHashData,
    CertificateType,
    EncodingFormat,
    HashAlgorithm,
    LeafCertificateType,
)
from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH, utc_now
from chargebyte_fw.kernel.errors import CommandError, ConfigError
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.modules.security.evse_security import EvseSecurity
from chargebyte_fw.modules.security.keys import new_key_and_request
from tests.security.pki import Party, chain, issue, ocsp_about
from tests.security.store import CERTS, CSMS, PEM, V2G, ask, put, put_chain, running, store

# Places


def test_missing_places_are_made(run: Any, assemble: Any, tmp_path: Path) -> None:
    async def test(_world: Any) -> None:
        for bundle in ("csms/CSMS", "mf/MF", "mo/MO", "v2g/V2G"):
            assert (tmp_path / CERTS / f"ca/{bundle}_ROOT_CA.pem").is_file()
        for folder in ("client/csms", "client/cso"):
            assert (tmp_path / CERTS / folder).is_dir()

    running(run, assemble, test)


def test_every_configured_place_is_used(run: Any, assemble: Any, tmp_path: Path) -> None:
    places = {
        "csms_ca_bundle": "a/csms.pem", "mf_ca_bundle": "/elsewhere/mf.pem", "mo_ca_bundle": "a/mo",
        "v2g_ca_bundle": "a/v2g",
        "csms_leaf_cert_directory": "c/cert", "csms_leaf_key_directory": "c/key",
        "secc_leaf_cert_directory": "/s/cert", "secc_leaf_key_directory": "s/key",
    }  # fmt: skip

    async def test(world: Any) -> None:
        for kind, place in [("CSMS", "csms_ca_bundle"), ("MF", "mf_ca_bundle")]:
            path = await ask(world, "get_verify_file", CaCertificateType(kind))
            value = places[place]
            assert path == str(tmp_path / (value[1:] if value.startswith("/") else f"{CERTS}/{value}"))
        assert (tmp_path / CERTS / "a/mo").is_dir()
        for kind, keys, certificates in [
            (CSMS, f"{CERTS}/c/key", f"{CERTS}/c/cert"),
            (V2G, f"{CERTS}/s/key", "s/cert"),
        ]:
            answer = await ask(world, "generate_certificate_signing_request", kind, "DE", "O", "CN", False)
            assert answer.status == "Accepted"
            assert len(list((tmp_path / keys).glob("*.key"))) == 1
            assert list((tmp_path / certificates).iterdir()) == []

    running(run, assemble, test, **places)


def test_a_leaf_folder_may_not_be_a_place_of_roots(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = store(assemble, v2g_ca_bundle="same", secc_leaf_cert_directory="same")
        with pytest.raises(ConfigError, match=r"a place for roots and for leaf certificates \[C212\]"):
            await world.start()

    run(main())


def test_what_was_shipped_is_used_and_never_written_to(run: Any, tmp_path: Path) -> None:
    parties = chain()
    static, state = tmp_path / "static", tmp_path / "state"
    put_chain(static, parties)
    before = {path: path.read_bytes() for path in static.rglob("*") if path.is_file()}

    async def main() -> None:
        world = Assembly(Runtime(root=Root(static, state)))
        world.build([ModulePlan("evse_security", EvseSecurity, EvseSecurity.Config(private_key_password="123456"))])
        await world.start()
        answer = await ask(world, "get_leaf_certificate_info", V2G, PEM, False)
        assert answer.info.key == str(state / CERTS / "client/cso/SECC_LEAF.key")
        await ask(world, "install_ca_certificate", issue("Another root").pem, CaCertificateType.V2G)
        await world.stop()

    run(main())
    assert {path: path.read_bytes() for path in static.rglob("*") if path.is_file()} == before


def test_a_place_that_cannot_be_made_does_not_keep_the_charger_from_starting(
    run: Any, assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "etc").write_text("a file in the way")

    async def test(world: Any) -> None:
        assert (await ask(world, "get_all_valid_certificates_info", V2G, PEM, True)).status == "NotFound"
        assert await ask(world, "install_ca_certificate", issue("R").pem, CaCertificateType.V2G) == "WriteError"

    running(run, assemble, test)
    assert any(record.levelname == "ERROR" for record in caplog.records)


def test_a_file_too_large_to_be_of_the_store_is_not_read_and_the_others_count(
    run: Any, assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Reading it would hold up the loop that charges, and fill the memory."""
    put_chain(tmp_path, chain())
    for name in ("client/cso/big.pem", "client/cso/big.key", "client/cso/ocsp/big.hash"):
        path = tmp_path / CERTS / name
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            file.truncate(10**10)

    async def test(world: Any) -> None:
        assert (await ask(world, "get_leaf_certificate_info", V2G, PEM, True)).status == "Accepted"

    running(run, assemble, test, private_key_password="123456")
    assert any(record.getMessage().endswith("big.pem: is larger than 1 MiB") for record in caplog.records)


def test_an_empty_store_answers_at_the_start_without_loading_the_cryptography_library(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from chargebyte_fw.contracts.types.evse_security import EncodingFormat, LeafCertificateType
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.modules.security.evse_security import EvseSecurity

async def main():
    world = Assembly(Runtime(root=Root(Path({str(tmp_path)!r}), Path({str(tmp_path)!r}))))
    world.build([ModulePlan("evse_security", EvseSecurity, EvseSecurity.Config())])
    await world.start()
    store = world.provider("evse_security", "main")
    answer = await store.get_all_valid_certificates_info(LeafCertificateType.V2G, EncodingFormat.PEM, True)
    print(answer.status, len(answer.info), "cryptography" in sys.modules)
    await world.stop()

clock.run(main(), speed=None)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert (done.stdout, done.stderr) == ("NotFound 0 False\n", "")


# Roots


def test_a_root_is_installed_found_and_listed(run: Any, assemble: Any, tmp_path: Path) -> None:
    parties = chain()

    async def test(world: Any) -> None:
        kind = CaCertificateType.V2G
        assert await ask(world, "is_ca_certificate_installed", kind) is False
        assert await ask(world, "get_verify_location", kind) == ""
        assert await ask(world, "install_ca_certificate", parties.root.pem, kind) == "Accepted"
        update = world.provider("evse_security", "main").certificate_store_update.value
        assert (update.operation, update.ca_certificate_type, update.leaf_certificate_type) == (
            "Installed",
            "V2G",
            None,
        )
        assert await ask(world, "is_ca_certificate_installed", kind) is True
        assert await ask(world, "is_ca_certificate_installed", CaCertificateType.MO) is False
        path = await ask(world, "get_verify_file", kind)
        assert Path(path).read_text() == parties.root.pem
        assert await ask(world, "get_verify_location", kind) == path
        listed = await ask(world, "get_installed_certificates", [CertificateType.V2GRootCertificate])
        (entry,) = listed.certificate_hash_data_chain
        assert (listed.status, entry.certificate_type) == ("Accepted", "V2GRootCertificate")
        assert entry.child_certificate_hash_data is None

    running(run, assemble, test)


def test_names_are_those_of_openssl(run: Any, assemble: Any, tmp_path: Path) -> None:
    """The peer is the `openssl` command, which prints the hashes of RFC 6960 for a request."""
    parties = chain()
    root, sub = put(tmp_path, "root.pem", parties.root.pem), put(tmp_path, "sub.pem", parties.sub1.pem)
    text = subprocess.run(
        ["openssl", "ocsp", "-sha256", "-issuer", root, "-cert", sub, "-req_text"], capture_output=True, text=True
    ).stdout  # fmt: skip
    wanted = [line.split(":")[1].strip().lower().lstrip("0") for line in text.splitlines() if "Hash:" in line]
    serial = next(line.split(":")[1].strip().lower() for line in text.splitlines() if "Serial Number:" in line)
    put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", parties.root.pem, parties.sub1.pem, parties.sub2.pem)

    async def test(world: Any) -> None:
        listed = await ask(world, "get_installed_certificates", [CertificateType.V2GRootCertificate])
        (entry,) = listed.certificate_hash_data_chain
        name, other = entry.child_certificate_hash_data
        assert [name.issuer_name_hash.lstrip("0"), name.issuer_key_hash.lstrip("0")] == wanted
        assert name.serial_number == serial.lstrip("0")
        assert len(name.issuer_key_hash) == 64
        assert other != name

    running(run, assemble, test)


def test_a_folder_of_roots_can_be_looked_in_by_openssl(run: Any, assemble: Any, tmp_path: Path) -> None:
    parties = chain()

    async def test(world: Any) -> None:
        for root in (parties.root, issue("Another root")):
            assert await ask(world, "install_ca_certificate", root.pem, CaCertificateType.V2G) == "Accepted"
        folder = await ask(world, "get_verify_location", CaCertificateType.V2G)
        assert folder == str(tmp_path / CERTS / "ca/v2g")
        assert (await ask(world, "get_verify_file", CaCertificateType.V2G)).startswith(
            folder + "/V2G_ROOT_M01_D01_Y2026_"
        )
        leaf = put(tmp_path, "leaf.pem", parties.leaf.pem)
        subs = put(tmp_path, "subs.pem", parties.sub2.pem, parties.sub1.pem)
        verdict = subprocess.run(
            ["openssl", "verify", "-attime", "1767225600", "-CApath", folder, "-untrusted", subs, leaf],
            capture_output=True, text=True,
        )  # fmt: skip
        assert verdict.stdout.strip().endswith(": OK"), verdict.stderr
        assert await ask(world, "get_verify_location", CaCertificateType.V2G) == folder

    running(run, assemble, test, v2g_ca_bundle="ca/v2g")


@pytest.mark.parametrize("place", ["ca/v2g/V2G_ROOT_CA.pem", "ca/v2g"])
def test_the_same_root_again_replaces_the_old_one(run: Any, assemble: Any, tmp_path: Path, place: str) -> None:
    old = issue("V2G root")
    renewed = issue("V2G root", key=old.key, days=1000)

    async def test(world: Any) -> None:
        for party in (issue("Another"), old, renewed):
            assert await ask(world, "install_ca_certificate", party.pem, CaCertificateType.V2G) == "Accepted"
        text = "".join(path.read_text() for path in sorted((tmp_path / CERTS / "ca/v2g").glob("*.pem")))
        assert text.count("BEGIN CERTIFICATE") == 2
        assert renewed.pem in text
        assert old.pem not in text

    running(run, assemble, test, v2g_ca_bundle=place)


@pytest.mark.parametrize(
    ("pem", "result"),
    [
        (lambda: "", "InvalidFormat"),
        (lambda: "no certificate", "InvalidFormat"),
        (lambda: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "InvalidFormat"),
        (lambda: issue("old", days=-0.5).pem, "Expired"),
        (lambda: issue("early", begin_days=1).pem, "Expired"),
    ],
)
def test_what_is_no_valid_root_is_not_installed(run: Any, assemble: Any, tmp_path: Path, pem: Any, result: str) -> None:
    async def test(world: Any) -> None:
        assert await ask(world, "install_ca_certificate", pem(), CaCertificateType.MO) == result
        assert (tmp_path / CERTS / "ca/mo/MO_ROOT_CA.pem").read_bytes() == b""
        assert not world.provider("evse_security", "main").certificate_store_update.known

    running(run, assemble, test)


def test_a_full_disk_is_a_write_error_and_the_bundle_stays(
    run: Any, assemble: Any, tmp_path: Path, mocker: Any
) -> None:
    first = issue("First")

    async def test(world: Any) -> None:
        await ask(world, "install_ca_certificate", first.pem, CaCertificateType.V2G)
        mocker.patch("os.fsync", side_effect=OSError(28, "No space left on device"))
        assert await ask(world, "install_ca_certificate", issue("Second").pem, CaCertificateType.V2G) == "WriteError"
        mocker.stopall()
        assert Path(await ask(world, "get_verify_file", CaCertificateType.V2G)).read_text() == first.pem

    running(run, assemble, test)


def test_a_full_store_takes_nothing_more_and_makes_room(run: Any, assemble: Any, tmp_path: Path, mocker: Any) -> None:
    mocker.patch("chargebyte_fw.modules.security.layout.FULL_ENTRIES", 15)
    parties = chain()
    put_chain(tmp_path, parties)
    for number in range(14):
        expired = issue(f"old {number}", parties.sub2, ca=False, days=-0.5 + number / 100)
        put(tmp_path, f"client/cso/old{number}.pem", expired.pem)
        put(tmp_path, f"client/cso/old{number}.key", expired.key_pem("123456"))
    put(tmp_path, "client/cso/orphan.key", issue("nobody").key_pem("123456"))

    async def test(world: Any) -> None:
        full = await ask(world, "install_ca_certificate", issue("R").pem, CaCertificateType.V2G)
        assert full == "CertificateStoreMaxLengthExceeded"
        assert await ask(world, "update_leaf_certificate", parties.pem, V2G) == full
        await asyncio.sleep(20 * 60 + 1)
        left = {path.name for path in (tmp_path / CERTS / "client/cso").glob("*")}
        assert {"SECC_LEAF.pem", "SECC_LEAF.key", "orphan.key", "old13.pem"} <= left
        assert not {"old0.pem", "old0.key", "old4.pem"} & left
        assert await ask(world, "install_ca_certificate", issue("R").pem, CaCertificateType.V2G) == "Accepted"

    running(run, assemble, test)


@pytest.mark.parametrize("years", [6, -6])
def test_a_key_waits_an_hour_for_its_certificate_whatever_the_wall_clock_does(
    run: Any, assemble: Any, tmp_path: Path, mocker: Any, years: int
) -> None:

    async def test(world: Any) -> None:
        loop: Any = asyncio.get_running_loop()
        request = ("DE", "chargebyte", "cb", False)
        mocker.patch("chargebyte_fw.modules.security.layout.FULL_BYTES", 1 << 20)
        assert (await ask(world, "generate_certificate_signing_request", V2G, *request)).status == "Accepted"
        mocker.patch("chargebyte_fw.modules.security.layout.FULL_BYTES", 0)
        loop.set_wall(utc_now() + timedelta(days=365 * years))
        await asyncio.sleep(59 * 60)
        assert list((tmp_path / CERTS / "client/cso").glob("*.key")), "deleted while it waited"
        await asyncio.sleep(30 * 60)
        assert not list((tmp_path / CERTS / "client/cso").glob("*.key")), "never deleted"

    running(run, assemble, test)


# Verification


@pytest.mark.parametrize(
    ("presented", "result"),
    [
        (lambda c: c.pem, "Valid"),
        (lambda c: c.pem + c.root.pem, "Valid"),
        (lambda c: c.leaf.pem + c.sub1.pem + c.sub2.pem, "Valid"),
        (lambda c: c.leaf.pem, "IssuerNotFound"),
        (lambda c: chain("Other").pem, "IssuerNotFound"),
        (lambda c: (o := chain("Other")).pem + o.root.pem, "IssuerNotFound"),
        (lambda c: chain(root=issue("V2G root")).pem, "InvalidSignature"),
        (lambda c: issue("late", c.sub2, ca=False, days=-0.5).pem + c.sub2.pem + c.sub1.pem, "Expired"),
        (lambda c: issue("early", c.sub2, ca=False, begin_days=5).pem + c.sub2.pem + c.sub1.pem, "Valid"),
        (lambda c: issue("no CA's child", c.leaf, ca=False).pem + c.pem, "IssuerNotFound"),
        (lambda c: c.pem * 6, "InvalidChain"),
        (lambda c: "", "Unknown"),
        (lambda c: "garbage", "Unknown"),
    ],
)
def test_a_chain_is_verified_against_the_installed_roots(
    run: Any, assemble: Any, tmp_path: Path, presented: Any, result: str
) -> None:
    parties = chain()
    put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", parties.root.pem)

    async def test(world: Any) -> None:
        assert await ask(world, "verify_certificate", presented(parties), [V2G]) == result

    running(run, assemble, test)


@pytest.mark.parametrize(
    ("kinds", "result"), [(["MO"], "IssuerNotFound"), (["MO", "V2G"], "Valid"), ([], "IssuerNotFound")]
)
def test_only_the_roots_of_the_given_kinds_are_trusted(
    run: Any, assemble: Any, tmp_path: Path, kinds: list[str], result: str
) -> None:
    parties = chain()
    put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", parties.root.pem)

    async def test(world: Any) -> None:
        given = [LeafCertificateType(kind) for kind in kinds]
        assert await ask(world, "verify_certificate", parties.pem, given) == result

    running(run, assemble, test)


def test_certificates_that_sign_each_other_in_circles_end_soon(run: Any, assemble: Any, tmp_path: Path) -> None:
    put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", issue("Root").pem)
    key = ec.generate_private_key(ec.SECP256R1())
    a, b = issue("A", key=key), issue("B", key=key)
    crowd = [issue("A", b, key=key).pem + issue("B", a, key=key).pem for _ in range(7)]
    leaf = issue("leaf", a, ca=False)

    async def test(world: Any) -> None:
        assert await ask(world, "verify_certificate", leaf.pem + "".join(crowd), [V2G]) == "IssuerNotFound"

    running(run, assemble, test)


# The charger's own certificates


def test_the_charger_s_certificate_is_found_with_key_chain_and_password(
    run: Any, assemble: Any, tmp_path: Path
) -> None:
    parties = chain()
    put_chain(tmp_path, parties)

    async def test(world: Any) -> None:
        answer = await ask(world, "get_leaf_certificate_info", V2G, PEM, True)
        folder = tmp_path / CERTS / "client/cso"
        assert answer.status == "Accepted"
        info = answer.info
        assert info.key == str(folder / "SECC_LEAF.key")
        assert info.certificate_single == str(folder / "SECC_LEAF.pem")
        assert info.certificate == str(folder / "CPO_CERT_CHAIN_SECC_LEAF.pem")
        assert (info.certificate_count, info.password, info.certificate_root) == (3, "123456", parties.root.pem)
        assert [entry.ocsp_path for entry in info.ocsp] == [None, None, None]
        assert await ask(world, "get_leaf_expiry_days_count", V2G) == 365
        assert await ask(world, "get_leaf_expiry_days_count", CSMS) == 0
        everything = await ask(world, "get_all_valid_certificates_info", V2G, PEM, False)
        assert (everything.status, len(everything.info), everything.info[0].ocsp) == ("Accepted", 1, None)

    running(run, assemble, test)


@pytest.mark.parametrize(
    ("prepare", "kind", "encoding", "status"),
    [
        (lambda root, c: None, V2G, PEM, "NotFound"),
        (lambda root, c: put_chain(root, c), LeafCertificateType.MO, PEM, "Rejected"),
        (lambda root, c: put_chain(root, c), V2G, EncodingFormat.DER, "NotFound"),
        (lambda root, c: put_chain(root, chain(days=-0.5)), V2G, PEM, "NotFoundValid"),
        (lambda root, c: put_chain(root, chain(begin_days=1)), V2G, PEM, "NotFoundValid"),
        (lambda root, c: put_chain(root, c, password="another"), V2G, PEM, "PrivateKeyNotFound"),
        (lambda root, c: put_chain(root, c, password=""), V2G, PEM, "Accepted"),
        (lambda root, c: put(root, "client/cso/x.pem", c.pem), V2G, PEM, "PrivateKeyNotFound"),
        (lambda root, c: put(root, "client/cso/x.pem", b"\xff garbage"), V2G, PEM, "NotFound"),
    ],
)
def test_why_there_is_no_certificate(
    run: Any, assemble: Any, tmp_path: Path, prepare: Any, kind: Any, encoding: Any, status: str
) -> None:
    prepare(tmp_path, chain())

    async def test(world: Any) -> None:
        assert (await ask(world, "get_leaf_certificate_info", kind, encoding, False)).status == status
        assert (await ask(world, "get_all_valid_certificates_info", kind, encoding, False)).status == status

    running(run, assemble, test)


def test_the_leaf_that_lasts_longest_is_taken_and_one_for_each_root(run: Any, assemble: Any, tmp_path: Path) -> None:
    first, second = chain(), chain("Other")
    longer = issue("longer", first.sub2, ca=False, days=500)
    put_chain(tmp_path, first)
    put_chain(tmp_path, second, title="OTHER")
    put(tmp_path, "client/cso/LONGER.pem", longer.pem, first.sub2.pem, first.sub1.pem)
    put(tmp_path, "client/cso/odd-name.key", longer.key_pem("123456"))
    put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", first.root.pem, second.root.pem)

    async def test(world: Any) -> None:
        answer = await ask(world, "get_leaf_certificate_info", V2G, PEM, False)
        assert Path(answer.info.key).name == "odd-name.key"
        everything = await ask(world, "get_all_valid_certificates_info", V2G, PEM, False)
        assert {info.certificate_root for info in everything.info} == {first.root.pem, second.root.pem}
        assert await ask(world, "get_leaf_expiry_days_count", V2G) == 500

    running(run, assemble, test)


@pytest.mark.parametrize("kind", [V2G, CSMS])
@pytest.mark.ocpp("A00.FR.501", "A00.FR.503", "A00.FR.506", "A00.FR.507", "A02.FR.02")
def test_from_the_signing_request_to_the_certificate(
    run: Any, assemble: Any, tmp_path: Path, kind: LeafCertificateType
) -> None:
    parties = chain()

    async def test(world: Any) -> None:
        folder = tmp_path / CERTS / ("client/cso" if kind is V2G else "client/csms")
        answer = await ask(world, "generate_certificate_signing_request", kind, "DE", "chargebyte", "SECC1", False)
        request = x509.load_pem_x509_csr(answer.csr.encode())
        assert request.is_signature_valid
        assert isinstance(request.signature_hash_algorithm, hashes.SHA256)
        assert request.subject.rfc4514_string() == "DC=CPO,CN=SECC1,O=chargebyte,C=DE"
        (key_file,) = folder.glob("*.key")
        assert key_file.stat().st_mode & 0o777 == 0o600
        key = load_pem_private_key(key_file.read_bytes(), b"123456")
        assert key.public_key() == request.public_key()
        assert isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size >= 224
        leaf = issue("SECC1", parties.sub2, ca=False, public_key=request.public_key())  # type: ignore[arg-type]
        pem = leaf.pem + parties.sub2.pem + parties.sub1.pem
        assert await ask(world, "update_leaf_certificate", pem, kind) == "NoRootCertificateInstalled"
        await ask(world, "install_ca_certificate", parties.root.pem, CaCertificateType(kind.value))
        assert await ask(world, "update_leaf_certificate", pem, kind) == "Accepted"
        update = world.provider("evse_security", "main").certificate_store_update.value
        assert (update.operation, update.leaf_certificate_type) == ("Installed", kind)
        info = (await ask(world, "get_leaf_certificate_info", kind, PEM, False)).info
        assert (info.key, info.certificate_count) == (str(key_file), 3)
        assert Path(info.certificate).read_text() == pem
        assert Path(info.certificate_single).read_text() == leaf.pem

    running(run, assemble, test)


@pytest.mark.parametrize(
    ("args", "status"),
    [
        ((LeafCertificateType.MO, "DE", "O", "CN", False), "InvalidRequestedType"),
        ((V2G, "Germany", "O", "CN", False), "GenerationError"),
        ((V2G, "DE", "O", "x" * 65, False), "GenerationError"),
        ((V2G, "DE", "O", "CN", True), "KeyGenError"),
    ],
)
def test_a_signing_request_that_cannot_be_made_leaves_no_key(
    run: Any, assemble: Any, tmp_path: Path, args: Any, status: str
) -> None:
    async def test(world: Any) -> None:
        answer = await ask(world, "generate_certificate_signing_request", *args)
        assert (answer.status, answer.csr) == (status, None)
        assert list((tmp_path / CERTS / "client/cso").iterdir()) == []

    running(run, assemble, test)


def test_a_signing_request_without_a_country_leaves_it_out() -> None:
    """A station of OCPP 1.6 has none to give."""
    _, pem = new_key_and_request("", "O", "CN", "")
    subject = x509.load_pem_x509_csr(pem).subject
    assert subject.rfc4514_string() == "DC=CPO,CN=CN,O=O"


@pytest.mark.parametrize(
    ("pem", "kind", "result"),
    [
        (lambda c: c.pem, V2G, "WriteError"),
        (lambda c: "", V2G, "InvalidFormat"),
        (lambda c: "x", V2G, "InvalidFormat"),
        (lambda c: c.pem, LeafCertificateType.MO, "InvalidFormat"),
        (lambda c: issue("old", c.sub2, ca=False, days=-0.5).pem + c.sub2.pem + c.sub1.pem, V2G, "Expired"),
        (lambda c: chain(root=issue("V2G root")).pem, V2G, "InvalidSignature"),
        (lambda c: c.pem * 6, V2G, "InvalidCertificateChain"),
    ],
)
@pytest.mark.ocpp("A02.FR.06", "A02.FR.07", "A03.FR.06", "A03.FR.07")
def test_a_leaf_that_does_not_fit_is_refused(
    run: Any, assemble: Any, tmp_path: Path, pem: Any, kind: Any, result: str
) -> None:
    """WriteError: the chain is good, but nobody here made the key for it."""
    parties = chain()
    put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", parties.root.pem)

    async def test(world: Any) -> None:
        assert await ask(world, "update_leaf_certificate", pem(parties), kind) == result
        assert list((tmp_path / CERTS / "client/cso").iterdir()) == []

    running(run, assemble, test)


# Deleting


async def names(world: Any, *kinds: CertificateType) -> list[Any]:
    return list((await ask(world, "get_installed_certificates", list(kinds))).certificate_hash_data_chain)


def test_a_root_is_deleted_and_the_others_stay(run: Any, assemble: Any, tmp_path: Path) -> None:
    keep, drop = issue("Keep"), issue("Drop")

    async def test(world: Any) -> None:
        await ask(world, "install_ca_certificate", drop.pem, CaCertificateType.MO)
        (entry,) = await names(world, CertificateType.MORootCertificate)
        await ask(world, "install_ca_certificate", keep.pem, CaCertificateType.MO)
        assert await ask(world, "delete_certificate", entry.certificate_hash_data) == "Accepted"
        update = world.provider("evse_security", "main").certificate_store_update.value
        assert (update.operation, update.ca_certificate_type) == ("Deleted", "MO")
        assert Path(await ask(world, "get_verify_file", CaCertificateType.MO)).read_text() == keep.pem
        assert await ask(world, "delete_certificate", entry.certificate_hash_data) == "NotFound"

    running(run, assemble, test)


@pytest.mark.parametrize("which", ["leaf", "sub"])
@pytest.mark.ocpp("M04.FR.08")
def test_the_charger_s_chain_is_deleted_with_its_key(run: Any, assemble: Any, tmp_path: Path, which: str) -> None:
    parties = chain()
    put_chain(tmp_path, parties)

    async def test(world: Any) -> None:
        (entry,) = await names(world, CertificateType.V2GCertificateChain)
        assert len(entry.child_certificate_hash_data) == 2
        name = entry.certificate_hash_data if which == "leaf" else entry.child_certificate_hash_data[0]
        response = ocsp_about(parties.leaf, parties.sub2)
        await ask(world, "update_ocsp_cache", entry.certificate_hash_data, response)
        assert await ask(world, "delete_certificate", name) == "Accepted"
        left = [path.name for path in (tmp_path / CERTS / "client/cso").rglob("*") if path.is_file()]
        assert left == []

    running(run, assemble, test)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.ocpp("M04.FR.06")
def test_the_certificate_towards_the_backend_stays(run: Any, assemble: Any, tmp_path: Path, shared: bool) -> None:
    """Also where both kinds share a folder."""
    parties = chain()
    folder = "client/cso" if shared else "client/csms"
    put(tmp_path, f"{folder}/leaf.pem", parties.pem)
    put(tmp_path, f"{folder}/leaf.key", parties.leaf.key_pem())
    put(tmp_path, "ca/csms/CSMS_ROOT_CA.pem", parties.root.pem)
    name = hash_of(parties.leaf, parties.sub2)

    async def test(world: Any) -> None:
        assert await ask(world, "delete_certificate", name) == "Failed"
        assert (tmp_path / CERTS / folder / "leaf.pem").is_file()

    running(run, assemble, test, csms_leaf_cert_directory=folder, csms_leaf_key_directory=folder)


def hash_of(party: Party, issuer: Party) -> CertificateHashData:
    builder = x509.ocsp.OCSPRequestBuilder().add_certificate(party.certificate, issuer.certificate, hashes.SHA256())
    request = builder.build()
    return CertificateHashData(
        hash_algorithm=HashAlgorithm.SHA256,
        issuer_name_hash=request.issuer_name_hash.hex().upper(),
        issuer_key_hash=request.issuer_key_hash.hex().upper(),
        serial_number=f"{party.certificate.serial_number:x}",
    )


# OCSP


def test_what_to_ask_about_the_charger_s_chains(run: Any, assemble: Any, tmp_path: Path) -> None:
    parties = chain()
    put_chain(tmp_path, parties)
    put(tmp_path, "client/cso/old.pem", issue("old", parties.sub2, ca=False, days=-0.5).pem)

    async def test(world: Any) -> None:
        data = (await ask(world, "get_v2g_ocsp_request_data")).ocsp_request_data_list
        assert [entry.responder_url for entry in data] == [f"http://ocsp.test/{n}" for n in ("leaf", "sub2", "sub1")]
        assert len({entry.certificate_hash_data.serial_number for entry in data}) == 3
        contract = chain("MO")
        assert (await ask(world, "get_mo_ocsp_request_data", "garbage")).ocsp_request_data_list == []
        data = (await ask(world, "get_mo_ocsp_request_data", contract.pem)).ocsp_request_data_list
        assert len(data) == 2  # nobody here knows the issuer of its sub-CA 1
        await ask(world, "install_ca_certificate", contract.root.pem, CaCertificateType.MO)
        data = (await ask(world, "get_mo_ocsp_request_data", contract.pem)).ocsp_request_data_list
        assert len(data) == 3
        vehicle = chain("OEM")
        put(tmp_path, "ca/oem/OEM_ROOT_CA.pem", vehicle.root.pem)
        data = (await ask(world, "get_mo_ocsp_request_data", vehicle.pem)).ocsp_request_data_list
        assert len(data) == 3, "the chain of a vehicle certificate"

    running(run, assemble, test)


def test_an_ocsp_response_is_kept_as_der_and_found_again(run: Any, assemble: Any, tmp_path: Path) -> None:
    parties = chain()
    put_chain(tmp_path, parties)
    old = ocsp_about(parties.sub2, parties.sub1, now=VIRTUAL_EPOCH - timedelta(days=3))
    new = ocsp_about(parties.sub2, parties.sub1)

    async def test(world: Any) -> None:
        data = (await ask(world, "get_v2g_ocsp_request_data")).ocsp_request_data_list
        name = data[1].certificate_hash_data
        for response in (old, new):
            await ask(world, "update_ocsp_cache", name, response)
        info = (await ask(world, "get_leaf_certificate_info", V2G, PEM, True)).info
        assert [entry.ocsp_path is not None for entry in info.ocsp] == [False, True, False]
        path = Path(info.ocsp[1].ocsp_path)
        assert path.read_bytes() == base64.b64decode(new)
        assert path.with_suffix(".hash").read_text().splitlines() == [
            "SHA256", name.issuer_name_hash, name.issuer_key_hash, name.serial_number,
        ]  # fmt: skip
        with pytest.raises(CommandError, match="no base64"):
            await ask(world, "update_ocsp_cache", name, "***")

    running(run, assemble, test)


# Signatures of files


def test_the_signature_of_a_file(run: Any, assemble: Any, tmp_path: Path) -> None:
    signer = issue("Firmware", ca=False)
    (tmp_path / "image").write_bytes(b"firmware" * 1000)
    good = base64.b64encode(signer.key.sign(b"firmware" * 1000, ec.ECDSA(hashes.SHA256()))).decode()
    other = base64.b64encode(issue("x").key.sign(b"firmware" * 1000, ec.ECDSA(hashes.SHA256()))).decode()

    async def test(world: Any) -> None:
        for args, verdict in [
            (("/image", signer.pem, good), True),
            (("/image", signer.pem, other), False),
            (("/image", signer.pem, "***"), False),
            (("/none", signer.pem, good), False),
            (("/image", "garbage", good), False),
            (("/image", issue("x").pem, good), False),
        ]:
            assert await ask(world, "verify_file_signature", *args) is verdict

    running(run, assemble, test)


def test_no_password_and_no_key_reaches_the_log(run: Any, assemble: Any, tmp_path: Path, caplog: Any) -> None:
    caplog.set_level("DEBUG")
    put_chain(tmp_path, chain())

    async def test(world: Any) -> None:
        await ask(world, "get_all_valid_certificates_info", V2G, PEM, True)
        await ask(world, "generate_certificate_signing_request", V2G, "DE", "O", "CN", False)

    running(run, assemble, test)
    assert not any("123456" in record.getMessage() or "PRIVATE" in record.getMessage() for record in caplog.records)

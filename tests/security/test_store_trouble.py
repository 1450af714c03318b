"""The store emptied, half written, unreadable, full or changed by others while the charger runs."""

from __future__ import annotations

import asyncio
import base64
import errno
import shutil
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chargebyte_fw.contracts.types.evse_security import CaCertificateType, CertificateType
from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.modules.security import certificates, ocsp_responses
from tests.security.pki import chain, issue, ocsp_about
from tests.security.store import CERTS, CSMS, PEM, V2G, ask, own_names, put, put_chain, running
from tests.security.test_power_cut import Power

PARTIES = chain()
QUESTIONS: list[tuple[Any, ...]] = [
    ("get_leaf_certificate_info", V2G, PEM, True),
    ("get_all_valid_certificates_info", V2G, PEM, True),
    ("get_installed_certificates", list(CertificateType)),
    ("get_v2g_ocsp_request_data",),
    ("is_ca_certificate_installed", CaCertificateType.V2G),
    ("get_verify_file", CaCertificateType.V2G),
    ("get_leaf_expiry_days_count", V2G),
]


async def ask_everything(world: Any) -> dict[str, Any]:
    return {name: await ask(world, name, *args) for name, *args in QUESTIONS}


def updates_of(world: Any) -> list[tuple[str, Any, Any]]:
    found: list[tuple[str, Any, Any]] = []

    def note(update: Any) -> None:
        found.append((update.operation, update.ca_certificate_type, update.leaf_certificate_type))

    world.provider("evse_security", "main").certificate_store_update.subscribe(note)
    return found


def break_by_emptying(root: Path) -> None:
    shutil.rmtree(root / CERTS)


def break_by_cutting(root: Path) -> None:
    for path in (root / CERTS).rglob("*.*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def break_by_rubbish(root: Path) -> None:
    for path in (root / CERTS).rglob("*.*"):
        if path.is_file():
            path.write_bytes(b"\xff\x00" * 1000)


def break_by_loops(root: Path) -> None:
    """Files that cannot be opened, whoever asks."""
    for path in [path for path in (root / CERTS).rglob("*.*") if path.is_file()]:
        path.unlink()
        path.symlink_to(path.name)


def break_by_folders(root: Path) -> None:
    for path in [path for path in (root / CERTS).rglob("*.*") if path.is_file()]:
        path.unlink()
        path.mkdir()


@pytest.mark.parametrize(
    "damage", [break_by_emptying, break_by_cutting, break_by_rubbish, break_by_loops, break_by_folders]
)
def test_a_store_that_is_damaged_while_the_charger_runs(
    run: Any, assemble: Any, tmp_path: Path, damage: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Every command has its answer, the loss is published once, and so is the end of it."""
    put_chain(tmp_path, chain())
    shutil.copytree(tmp_path / CERTS, tmp_path / "kept")

    async def test(world: Any) -> None:
        await asyncio.sleep(1)
        before = await ask_everything(world)
        updates = updates_of(world)
        damage(tmp_path)
        for _ in range(3):
            answers = await ask_everything(world)
        assert answers["get_all_valid_certificates_info"].status == "NotFound"
        assert answers["is_ca_certificate_installed"] is False
        await asyncio.sleep(120)
        assert updates == [("Deleted", CaCertificateType.V2G, None), ("Deleted", None, V2G)]
        # No line per question.
        lines = [r.getMessage() for r in caplog.records if r.levelname in ("WARNING", "ERROR")]
        assert len(lines) == len(set(lines)) < 15
        assert "no V2G certificate of this charger can be used: there is none any more" in lines
        shutil.rmtree(tmp_path / CERTS, ignore_errors=True)
        shutil.copytree(tmp_path / "kept", tmp_path / CERTS)
        await asyncio.sleep(60)
        assert updates[2:] == [("Installed", CaCertificateType.V2G, None), ("Installed", None, V2G)]
        assert await ask_everything(world) == before

    running(run, assemble, test)


def test_a_store_that_cannot_be_looked_into_is_one_line_and_ends_nothing(
    run: Any, assemble: Any, tmp_path: Path, mocker: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    put_chain(tmp_path, chain())

    async def test(world: Any) -> None:
        denied = PermissionError(errno.EACCES, "Permission denied", "ca/v2g")
        mocker.patch("chargebyte_fw.modules.security.layout.Layout.marks", side_effect=denied)
        await asyncio.sleep(300)
        mocker.stopall()
        await asyncio.sleep(60)

    running(run, assemble, test)
    lines = [r.getMessage() for r in caplog.records if "the certificate store can" in r.getMessage()]
    assert [line.partition(":")[0] for line in lines] == [
        "the certificate store cannot be read",
        "the certificate store can be read again",
    ]


# Certificates that were changed on the way: what the cryptography library raises stays inside.


@settings(max_examples=150, deadline=None)
@given(
    which=st.sampled_from(["leaf", "sub2", "root"]),
    changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_a_changed_certificate_is_read_or_refused(which: str, changes: list[tuple[int, int]]) -> None:
    der = bytearray(getattr(PARTIES, which).certificate.public_bytes(Encoding.DER))
    for place, octet in changes:
        der[place % len(der)] = octet
    found, wrong = certificates.parse_leniently(bytes(der))
    assert bool(found) != bool(wrong)
    for certificate in found:
        certificates.is_ca(certificate), certificates.ocsp_url(certificate), certificates.domains(certificate)
        certificates.describe(certificate), certificates.name_hash(certificate)
        at = VIRTUAL_EPOCH
        certificates.path_to_root(certificate, [PARTIES.sub2.certificate], [PARTIES.root.certificate])
        certificates.is_valid(certificate, at)


def test_a_certificate_of_an_unknown_version_is_refused() -> None:
    der = PARTIES.leaf.certificate.public_bytes(Encoding.DER)
    at = der.index(bytes.fromhex("a003020102")) + 4
    found, wrong = certificates.parse_leniently(der[:at] + b"\x03" + der[at + 1 :])
    assert found == [] and "version" in wrong


@settings(max_examples=100, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=3))
def test_a_changed_ocsp_response_is_refused(changes: list[tuple[int, int]]) -> None:
    response = base64.b64decode(ocsp_about(PARTIES.leaf, PARTIES.sub2))
    data = bytearray(response)
    for place, octet in changes:
        data[place % len(data)] = octet
    try:
        ocsp_responses.check_response(bytes(data), PARTIES.leaf.certificate, PARTIES.sub2.certificate)
    except ValueError:
        assert bytes(data) != response


def test_one_damaged_certificate_does_not_cost_the_others_of_a_bundle(
    run: Any, assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = issue("First"), issue("Second")
    put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", first.pem, second.pem[:-60], first.pem.replace("A", "B"), chain().root.pem)

    async def test(world: Any) -> None:
        listed = await ask(world, "get_installed_certificates", [CertificateType.V2GRootCertificate])
        assert len(listed.certificate_hash_data_chain) == 2

    running(run, assemble, test)
    assert any("certificates that cannot be read" in record.getMessage() for record in caplog.records)


def test_an_unreadable_bundle_is_not_written_over(run: Any, assemble: Any, tmp_path: Path, mocker: Any) -> None:
    """Installing one more root must not cost those that cannot be read for the moment."""
    kept = issue("Kept")
    path = put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", kept.pem)

    async def test(world: Any) -> None:
        mocker.patch("chargebyte_fw.modules.security.changes.read_file", side_effect=OSError(errno.EIO, "I/O error"))
        assert await ask(world, "install_ca_certificate", issue("New").pem, CaCertificateType.V2G) == "WriteError"
        assert path.read_text() == kept.pem

    running(run, assemble, test)


@pytest.mark.parametrize("call", ["os.open", "os.fsync", "os.replace"])
def test_a_disk_that_is_full_changes_nothing(run: Any, assemble: Any, tmp_path: Path, mocker: Any, call: str) -> None:
    parties = chain()
    put_chain(tmp_path, parties)
    new = issue("new", parties.sub2, ca=False)
    put(tmp_path, "client/cso/new.key", new.key_pem())

    async def test(world: Any) -> None:
        before = {path: path.read_bytes() for path in (tmp_path / CERTS).rglob("*") if path.is_file()}
        listed = await ask_everything(world)
        (data, *_) = (await ask(world, "get_v2g_ocsp_request_data")).ocsp_request_data_list
        mocker.patch(call, side_effect=OSError(errno.ENOSPC, "No space left on device"))
        chain_pem = new.pem + parties.sub2.pem + parties.sub1.pem
        assert await ask(world, "install_ca_certificate", issue("R").pem, CaCertificateType.V2G) == "WriteError"
        assert await ask(world, "update_leaf_certificate", chain_pem, V2G) == "WriteError"
        request = await ask(world, "generate_certificate_signing_request", CSMS, "DE", "O", "CN", False)
        assert request.status == "KeyGenError"
        name = data.certificate_hash_data
        with pytest.raises(Exception, match="cannot be kept"):
            await ask(world, "update_ocsp_cache", name, ocsp_about(parties.leaf, parties.sub2))
        mocker.stopall()
        assert {path: path.read_bytes() for path in (tmp_path / CERTS).rglob("*") if path.is_file()} == before
        assert await ask_everything(world) == listed

    running(run, assemble, test)


def test_what_another_program_installs_is_published(run: Any, assemble: Any, tmp_path: Path) -> None:
    parties = chain()

    async def test(world: Any) -> None:
        updates = updates_of(world)
        await asyncio.sleep(1)
        put_chain(tmp_path, parties)
        await asyncio.sleep(60)
        assert ("Installed", None, V2G) in updates
        assert await own_names(world) == ["SECC_LEAF.pem"]
        put(tmp_path, "ca/oem/OEM_ROOT_CA.pem", issue("OEM").pem)
        updates.clear()
        await asyncio.sleep(60)
        assert updates == [("Installed", CaCertificateType.V2G, None)]

    running(run, assemble, test)


PIECES = {
    "leaf": PARTIES.leaf.pem,
    "sub2": PARTIES.sub2.pem,
    "sub1": PARTIES.sub1.pem,
    "root": PARTIES.root.pem,
    "other": issue("Other root").pem,
    "cut": PARTIES.sub2.pem[:300],
    "key": PARTIES.leaf.key_pem().decode(),
    "text": "subject=CN = x\nissuer=CN = y\n",
    "dashes": "-----BEGIN CERTIFICATE-----",
    "nothing": "",
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.sampled_from(sorted(PIECES)), max_size=7), crlf=st.booleans(), rubbish=st.text(max_size=30))
def test_any_delivered_stack_is_installed_whole_or_not_at_all(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], crlf: bool, rubbish: str
) -> None:
    power = Power(tmp_path_factory.mktemp("store"))
    changes = power.start()
    assert changes.install_root(PARTIES.root.pem, CaCertificateType.V2G, VIRTUAL_EPOCH) == "Accepted"
    (power.disk / "client/cso/k.key").write_bytes(PARTIES.leaf.key_pem())
    stack = rubbish + "".join(PIECES[piece] for piece in pieces)
    result = changes.install_leaf(stack.replace("\n", "\r\n") if crlf else stack, V2G, VIRTUAL_EPOCH)
    chains = [path.read_text() for path in (power.disk / "client/cso").glob("CPO*.pem")]
    blocks = [piece for piece in pieces if piece in ("leaf", "sub2", "sub1", "root", "other")]
    complete = not {"cut", "dashes"} & set(pieces)
    if blocks[:1] == ["leaf"] and {"sub1", "sub2"} <= set(blocks) and complete and "-----" not in rubbish:
        assert result == "Accepted"
    if result == "Accepted":
        assert chains == [PARTIES.pem]
    else:
        assert chains == []
        assert [path.name for path in (power.disk / "client/cso").iterdir()] == ["k.key"]

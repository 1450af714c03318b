"""The parts by themselves: signatures and certificates, the bounds of an archive, the journal on the disk."""

from __future__ import annotations

import base64
import os
import stat
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.contracts.types.system import FirmwareUpdateRequest
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.errors import PeerError, Unavailable
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.modules.system.logs import archive, sources
from chargebyte_fw.modules.system.logs.archive import Span, gather, name_of, run_command
from chargebyte_fw.modules.system.logs.secrets import redact
from chargebyte_fw.modules.system.transfer.messages import TransferError, address_of
from chargebyte_fw.modules.system.update.journal import Journal
from chargebyte_fw.modules.system.update.messages import Update, UpdateState
from chargebyte_fw.modules.system.update.signature import certificate_trouble, signature_trouble
from tests.system.cb_system import rig

NOW = datetime.now(UTC)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image"
    path.write_bytes(os.urandom(3_000_000))
    return path


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# --- signatures


@pytest.mark.parametrize("salt_length", [0, 20, 32, padding.PSS.MAX_LENGTH])
@pytest.mark.ocpp("L01.FR.12")
def test_rsa_pss_with_any_salt(image: Path, keys: rig.Authority, salt_length: int) -> None:
    signature = b64(keys.sign(image.read_bytes(), salt_length))
    assert signature_trouble(image, keys.pem, signature) == ""
    # As it comes out of a tool: in lines.
    assert signature_trouble(image, keys.pem, "\n".join(signature[i : i + 64] for i in range(0, 400, 64))) == ""


def test_an_elliptic_curve(image: Path, tmp_path: Path) -> None:
    authority = rig.Authority(tmp_path, "curve", ec.generate_private_key(ec.SECP256R1()))
    assert signature_trouble(image, authority.pem, b64(authority.sign(image.read_bytes()))) == ""
    assert signature_trouble(image, authority.pem, b64(authority.sign(b"else"))) == "it does not fit the file"


@pytest.mark.parametrize("signature", ["", "c2ln", "no base64!", "=", "ä"])
def test_signatures_that_are_none(image: Path, keys: rig.Authority, signature: str) -> None:
    assert signature_trouble(image, keys.pem, signature) != ""


def test_pkcs1_padding_is_accepted_only_where_it_is_allowed(image: Path, keys: rig.Authority) -> None:
    assert isinstance(keys.key, rsa.RSAPrivateKey)
    signature = keys.key.sign(image.read_bytes(), padding.PKCS1v15(), SHA256())
    assert signature_trouble(image, keys.pem, b64(signature)) == "it does not fit the file"
    assert signature_trouble(image, keys.pem, b64(signature), pkcs1=True) == ""
    assert signature_trouble(image, keys.pem, b64(keys.sign(image.read_bytes())), pkcs1=True) == ""
    other = keys.key.sign(b"else", padding.PKCS1v15(), SHA256())
    assert signature_trouble(image, keys.pem, b64(other), pkcs1=True) == "it does not fit the file"


def test_one_changed_bit_shows(image: Path, keys: rig.Authority) -> None:
    signature = b64(keys.sign(image.read_bytes()))
    data = bytearray(image.read_bytes())
    data[-1] ^= 1
    image.write_bytes(data)
    assert signature_trouble(image, keys.pem, signature) == "it does not fit the file"
    image.unlink()
    assert "cannot be read" in signature_trouble(image, keys.pem, signature)


def pem_of(begins: datetime, ends: datetime, key: Any = None) -> str:
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "maker")])
    signer = ec.generate_private_key(ec.SECP256R1())
    made = rig.certificate(name, name, key.public_key(), signer, begins=begins, ends=ends)
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_certificates_that_cannot_vouch() -> None:
    day = timedelta(days=1)
    assert certificate_trouble(pem_of(NOW - day, NOW + day), NOW) == ""
    assert certificate_trouble(pem_of(NOW - 2 * day, NOW - day), NOW).startswith("expired on")
    assert certificate_trouble(pem_of(NOW + day, NOW + 2 * day), NOW).startswith("not valid before")
    assert certificate_trouble("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", NOW) != ""
    other = pem_of(NOW - day, NOW + day, ed25519.Ed25519PrivateKey.generate())
    assert certificate_trouble(other, NOW) == "its key is neither RSA nor on an elliptic curve"


# --- addresses


@given(st.text())
@settings(max_examples=200)
def test_any_text_is_an_address_or_is_refused(text: str) -> None:
    for candidate in (text, f"http://{text}", f"ftp://host/{text}"):
        try:
            address = address_of(candidate)
        except TransferError as error:
            assert error.final
        else:
            assert not address.password or address.password not in address.url.partition("//")[2].partition("/")[0]


# --- the archive


def packed(root: Path, target: Path, span: Span | None = None) -> tuple[dict[str, bytes], list[str]]:
    left_out = clock.run(gather(Root(root, root), target, span or Span()))
    with tarfile.open(target) as file:
        return {member.name: file.extractfile(member).read() for member in file}, left_out  # type: ignore[union-attr]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(archive, "COMMANDS", (("true",),))
    monkeypatch.setattr(archive, "JOURNAL", ("echo", "asked:"))
    folder = tmp_path / "root"
    (folder / "var/log/everest").mkdir(parents=True)
    return folder


def test_old_files_and_links_out_of_the_folder_are_left_out(root: Path, tmp_path: Path) -> None:
    for name, age_days in (("new.log", 0), ("old.log", 3)):
        (root / "var/log/everest" / name).write_text(name)
        os.utime(root / "var/log/everest" / name, (NOW.timestamp() - 86400 * age_days,) * 2)
    (root / "var/log/everest/link.log").symlink_to("/etc/shadow")
    oldest = NOW - timedelta(days=1)
    files, _ = packed(root, tmp_path / "a.tar.gz", Span(oldest, NOW))
    assert set(files) == {"commands.log", "var/log/everest/new.log"}
    assert f"asked: --since=@{oldest.timestamp():.0f} --until=@".encode() in files["commands.log"]


def test_large_files_keep_their_end_and_a_full_archive_says_what_is_missing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "FILE_LIMIT", 1000)
    monkeypatch.setattr(archive, "TOTAL_LIMIT", 1500)
    (root / "var/log/everest/a.log").write_bytes(b"x" * 5000 + b"end")
    (root / "var/log/everest/b.log").write_bytes(b"y" * 900)
    os.utime(root / "var/log/everest/b.log", (1, 1))
    files, left_out = packed(root, tmp_path / "a.tar.gz")
    assert files["var/log/everest/a.log"] == b"x" * 997 + b"end"
    assert "var/log/everest/b.log" not in files
    assert left_out == [
        "/var/log/everest/a.log: the first 4003 bytes",
        "/var/log/everest/b.log: 900 bytes, the archive is full",
    ]
    assert files["left-out.txt"].decode().splitlines() == left_out


def test_an_archive_that_cannot_be_written_is_said(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        packed(root, tmp_path / "file" / "a.tar.gz")


def test_commands_are_bounded_in_time_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "COMMAND_LIMIT_S", 0.3)
    monkeypatch.setattr(archive, "OUTPUT_LIMIT", 1000)
    assert clock.run(run_command(("sleep", "60"))) == b"\n(no end within 0.3 s)\n"
    monkeypatch.setattr(archive, "MOST_READ", 5_000_000)
    monkeypatch.setattr(archive, "COMMAND_LIMIT_S", 10)
    told = clock.run(run_command(("yes",)))
    assert told.startswith(b"(the first ") and b" bytes)\n" in told[-40:] and b"(stopped after" in told
    assert told.count(b"y\n") == 500


def test_of_a_long_journal_the_last_lines_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happened just before the request is what the request is about."""
    monkeypatch.setattr(archive, "OUTPUT_LIMIT", 1000)
    told = clock.run(run_command(("seq", "100000"))).splitlines()
    assert told[0].startswith(b"(the first ") and told[-1] == b"100000"
    assert 900 < sum(len(line) + 1 for line in told[1:]) <= 1000


def test_a_name_has_no_path_in_it() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert name_of("../../etc/passwd", at) == "______etc_passwd_2026-01-02T03-04-05Z.tar.gz"
    assert name_of(None, at) == "diagnostics_2026-01-02T03-04-05Z.tar.gz"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"AuthorizationKey": "abc", "Password":"x y"}', '{"AuthorizationKey": "***", "Password": "***"}'),
        ("private_key_password = 'z'\npins: 3", "private_key_password = ***\npins: 3"),
        ("ftp://u:pw@h/ and https://host/path@2:x", "ftp://u:***@h/ and https://host/path@2:x"),
        ("  password: my long pass\n  port: 80", "  password: ***\n  port: 80"),
        ("Authorization: Basic dTpw\r\nHost: x", "Authorization: ***\nHost: x"),
        (r'{"m": "{\"password\":\"abc\",\"x\":1}"}', r'{"m": "{\"password\":\"***\",\"x\":1}"}'),
        ("root 12 curl --password abc -k", "root 12 curl --password *** -k"),
        (
            '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"abc"}]',
            '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"***"}]',
        ),
        (
            '{"attributeValue":"abc","component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}',
            '{"attributeValue":"***","component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}',
        ),
        (
            '{\n  "value": "abc",\n  "key": "AuthorizationKey"\n}',
            '{\n  "value": "***",\n  "key": "AuthorizationKey"\n}',
        ),
        (
            "a\n-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\nb",
            "a\n-----BEGIN EC PRIVATE KEY-----***-----END EC PRIVATE KEY-----\nb",
        ),
        ("the value of pin 3 is 1; mapping of password", "the value of pin 3 is 1; mapping of password"),
    ],
)
def test_secrets_are_blanked_and_nothing_else(text: str, told: str) -> None:
    assert redact(text.encode()).decode() == told


# --- the journal


def test_the_note_is_for_us_alone_and_the_marker_is_everests(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "note.json", tmp_path / "marker")
    update = Update(
        request=FirmwareUpdateRequest(request_id=9, location="ftp://u:p@h/f"), state=UpdateState.DOWNLOADING
    )

    async def main() -> None:
        journal.keep(update)
        await journal.settled()
        assert stat.S_IMODE((tmp_path / "note.json").stat().st_mode) == 0o600
        assert not (tmp_path / "marker").exists(), "a crash before the installation leaves no marker"
        assert journal.load() == update
        update.target_slot = "rootfs.1"
        for _ in range(20):
            journal.keep(update)
        await journal.settled()
        assert (tmp_path / "marker").read_text() == "rootfs.1\n9\n"
        journal.keep(None)
        await journal.settled()
        assert journal.load() is None and list(tmp_path.iterdir()) == []
        journal.close()

    clock.run(main())


def test_a_damaged_note_leaves_the_marker_to_decide(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "note.json", tmp_path / "marker")
    (tmp_path / "note.json").write_text('{"request"')
    with pytest.raises(PeerError):
        journal.load()
    (tmp_path / "marker").write_text("rootfs.1\n9\n")
    found = journal.load()
    assert found is not None and (found.target_slot, found.request.request_id) == ("rootfs.1", 9)


def test_a_note_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = Journal(tmp_path / "file" / "note.json", tmp_path / "marker")

    async def main() -> None:
        journal.keep(Update(request=FirmwareUpdateRequest(request_id=9, location="x")))
        with pytest.raises(Unavailable):
            await journal.settled()
        journal.close()

    clock.run(main())


def test_the_end_of_this_boots_journal_is_there_whatever_the_clock_showed_then() -> None:
    """Lines from before NTP may be dated years away from the time that is asked for."""
    boot = [command for command in sources.COMMANDS if "--boot" in command]
    assert len(boot) == 1 and not any("since" in word or "until" in word for word in boot[0])

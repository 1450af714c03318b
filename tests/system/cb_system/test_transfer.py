"""Downloads and uploads against servers of other makers: whole, broken off, resumed, too large, refused."""

from __future__ import annotations

import asyncio
import os
import ssl
import stat
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from chargebyte_fw.kernel import clock
from chargebyte_fw.modules.system.transfer import timing
from chargebyte_fw.modules.system.transfer.messages import Failure, TransferError, address_of
from chargebyte_fw.modules.system.transfer.received_file import ReceivedFile, forget
from chargebyte_fw.modules.system.transfer.transfer import FileTransfer
from tests.system.cb_system import rig, servers

DATA = os.urandom(600_000)
CUT = 200_000
SCHEMES = ("http", "ftp", "sftp")


class Place:
    """A server of one protocol with a folder, its line cut as told."""

    def __init__(self, tmp_path: Path, scheme: str, stack: AsyncExitStack) -> None:
        self.scheme = scheme
        self.stack = stack
        self.folder = tmp_path / "server"
        self.folder.mkdir(exist_ok=True)
        (self.folder / "file").write_bytes(DATA)
        self.requests: list[Any] = []
        self.port = 0

    async def open(self, *cuts: int, stalls: bool = False) -> str:
        """Start; returns the address of the folder."""
        enter = self.stack.enter_async_context
        if self.scheme == "ftp":
            self.port, self.requests = self.stack.enter_context(servers.ftp(self.folder, *cuts))
            return f"ftp://{servers.LOGIN}@127.0.0.1:{self.port}"
        if self.scheme == "http":
            self.port, self.requests = await enter(servers.http(self.folder))
        else:
            self.port = await enter(servers.sftp(self.folder))
        if cuts:
            self.port = (await enter(servers.line(self.port, *cuts, stalls=stalls))).port
        return f"{self.scheme}://{servers.LOGIN}@127.0.0.1:{self.port}"


@pytest.fixture
def transfer(tmp_path: Path) -> FileTransfer:
    return FileTransfer((tmp_path / "given_hosts", tmp_path / "learnt_hosts"))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "image"


def real(main: Callable[[AsyncExitStack], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with AsyncExitStack() as stack:
            await main(stack)

    clock.run(whole())


async def trouble_of(work: Awaitable[Any]) -> TransferError:
    with pytest.raises(TransferError) as caught:
        await work
    return caught.value


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_file_is_fetched(tmp_path: Path, transfer: FileTransfer, target: Path, scheme: str) -> None:
    async def main(stack: AsyncExitStack) -> None:
        location = await Place(tmp_path, scheme, stack).open()
        await transfer.fetch(f"{location}/file", target, len(DATA))

    real(main)
    assert target.read_bytes() == DATA
    assert not target.with_name("image.part").exists()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_broken_download_goes_on_where_it_ended(
    tmp_path: Path, transfer: FileTransfer, target: Path, scheme: str
) -> None:
    received_files: list[ReceivedFile] = []

    async def main(stack: AsyncExitStack) -> None:
        location = await Place(tmp_path, scheme, stack).open(CUT, CUT)
        for _ in range(2):
            error = await trouble_of(transfer.fetch(f"{location}/file", target, len(DATA), received_files.append))
            assert error.trouble is Failure.BROKEN and not error.final
            assert not target.exists()
        await transfer.fetch(f"{location}/file", target, len(DATA), received_files.append)

    real(main)
    assert target.read_bytes() == DATA
    assert all(received.received > 0 for received in received_files)
    assert sum(received.received for received in received_files) == len(DATA), "no byte came twice"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_file_that_changed_meanwhile_is_begun_anew(
    tmp_path: Path, transfer: FileTransfer, target: Path, scheme: str
) -> None:
    other = os.urandom(len(DATA))

    async def main(stack: AsyncExitStack) -> None:
        place = Place(tmp_path, scheme, stack)
        location = await place.open(CUT)
        await trouble_of(transfer.fetch(f"{location}/file", target, len(DATA)))
        (place.folder / "file").write_bytes(other)
        os.utime(place.folder / "file", (2e9, 2e9))
        await transfer.fetch(f"{location}/file", target, len(DATA))

    real(main)
    assert target.read_bytes() == other


def test_a_part_of_another_address_is_not_continued(tmp_path: Path, transfer: FileTransfer, target: Path) -> None:
    async def main(stack: AsyncExitStack) -> None:
        place = Place(tmp_path, "http", stack)
        location = await place.open(CUT)
        (place.folder / "second").write_bytes(DATA[::-1])
        await trouble_of(transfer.fetch(f"{location}/file", target, len(DATA)))
        await transfer.fetch(f"{location}/second", target, len(DATA))
        assert "Range" not in place.requests[-1].headers

    real(main)
    assert target.read_bytes() == DATA[::-1]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_file_that_is_complete_is_not_fetched_again(
    tmp_path: Path, transfer: FileTransfer, target: Path, scheme: str
) -> None:
    async def main(stack: AsyncExitStack) -> None:
        location = await Place(tmp_path, scheme, stack).open()
        await transfer.fetch(f"{location}/file", target, len(DATA))
        received_files: list[ReceivedFile] = []
        await transfer.fetch(f"{location}/file", target, len(DATA), received_files.append)
        assert received_files[0].received == 0

    real(main)
    assert target.read_bytes() == DATA
    forget(target)
    assert sorted(target.parent.glob("image*")) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_file_that_is_too_large_is_refused_before_it_comes(
    tmp_path: Path, transfer: FileTransfer, target: Path, scheme: str
) -> None:
    async def main(stack: AsyncExitStack) -> None:
        location = await Place(tmp_path, scheme, stack).open()
        received_files: list[ReceivedFile] = []
        error = await trouble_of(transfer.fetch(f"{location}/file", target, len(DATA) - 1, received_files.append))
        assert error.trouble is Failure.SIZE and error.final and received_files[0].received == 0

    real(main)
    assert not target.exists()


def test_a_server_that_announces_no_size_is_stopped_at_the_limit(
    tmp_path: Path, transfer: FileTransfer, target: Path
) -> None:
    async def main(stack: AsyncExitStack) -> None:
        location = await Place(tmp_path, "http", stack).open()
        error = await trouble_of(transfer.fetch(f"{location}/endless/file", target, 1 << 20))
        assert error.trouble is Failure.SIZE and error.final

    real(main)
    assert target.with_name("image.part").stat().st_size <= 1 << 20


def test_a_download_leaves_room_on_the_disk(
    tmp_path: Path, transfer: FileTransfer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    from chargebyte_fw.modules.system.transfer import received_file

    monkeypatch.setattr(received_file, "ROOM_LEFT_BYTES", 1 << 60)

    async def main(stack: AsyncExitStack) -> None:
        location = await Place(tmp_path, "http", stack).open()
        error = await trouble_of(transfer.fetch(f"{location}/file", target, len(DATA)))
        assert error.trouble is Failure.SIZE and "no room" in str(error)

    real(main)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_wrong_password_and_a_missing_file_are_said(
    tmp_path: Path, transfer: FileTransfer, target: Path, scheme: str
) -> None:
    async def main(stack: AsyncExitStack) -> None:
        place = Place(tmp_path, scheme, stack)
        location = await place.open()
        folder = "private/" if scheme == "http" else ""
        wrong = f"{scheme}://{servers.USER}:wrong@127.0.0.1:{place.port}/{folder}file"
        assert (await trouble_of(transfer.fetch(wrong, target, 1 << 20))).trouble is Failure.DENIED
        assert (await trouble_of(transfer.fetch(f"{location}/none", target, 1 << 20))).trouble in (
            Failure.DENIED,
            Failure.BROKEN,
        )
        await transfer.fetch(f"{location}/{folder}file", target, 1 << 20)

    real(main)
    assert target.read_bytes() == DATA


@pytest.mark.parametrize("scheme", ["http", "https", "ftp", "ftps", "sftp"])
def test_nobody_there_and_no_such_host(transfer: FileTransfer, target: Path, scheme: str, unused_port: int) -> None:
    async def main(_: AsyncExitStack) -> None:
        error = await trouble_of(transfer.fetch(f"{scheme}://u:p@127.0.0.1:{unused_port}/file", target, 1 << 20))
        assert error.trouble is Failure.BROKEN and not error.final
        error = await trouble_of(transfer.fetch(f"{scheme}://u:p@no-such-host.invalid/file", target, 1 << 20))
        assert error.trouble is Failure.ADDRESS and not error.final

    real(main)


@pytest.mark.parametrize("scheme", ["http", "sftp"])
def test_a_server_that_falls_silent_is_given_up(
    tmp_path: Path, transfer: FileTransfer, target: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "STALL_LIMIT_S", 0.3)

    async def main(stack: AsyncExitStack) -> None:
        location = await Place(tmp_path, scheme, stack).open(CUT, stalls=True)
        async with asyncio.timeout(10):
            error = await trouble_of(transfer.fetch(f"{location}/file", target, len(DATA)))
        assert error.trouble is Failure.BROKEN

    real(main)


@pytest.mark.parametrize("scheme", ["http", "sftp"])
def test_the_whole_time_is_bounded_and_a_cancelled_download_ends_at_once(
    tmp_path: Path, target: Path, scheme: str
) -> None:
    transfer = FileTransfer((tmp_path / "given", tmp_path / "learnt"), total_limit_s=0.5)

    async def main(stack: AsyncExitStack) -> None:
        location = await Place(tmp_path, scheme, stack).open(CUT, CUT, stalls=True)
        error = await trouble_of(transfer.fetch(f"{location}/file", target, len(DATA)))
        assert error.final and "not complete after 0.5 s" in str(error)
        forget(target)
        task = asyncio.ensure_future(FileTransfer(transfer.known_hosts).fetch(f"{location}/file", target, len(DATA)))
        await asyncio.sleep(0.3)
        task.cancel()
        async with asyncio.timeout(2):
            await asyncio.wait([task])
        assert task.cancelled()

    real(main)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_file_is_sent(tmp_path: Path, transfer: FileTransfer, scheme: str) -> None:
    file = tmp_path / "logs é.tar.gz"
    file.write_bytes(DATA)
    shown = ""

    async def main(stack: AsyncExitStack) -> None:
        nonlocal shown
        shown = await transfer.send(await Place(tmp_path, scheme, stack).open(), file)

    real(main)
    assert (tmp_path / "server" / file.name).read_bytes() == DATA
    assert "word" not in shown and shown.startswith(f"{scheme}://127.0.0.1:")


@pytest.mark.parametrize("scheme", ["ftp", "sftp"])
def test_a_broken_upload_goes_on_after_what_the_server_has(tmp_path: Path, transfer: FileTransfer, scheme: str) -> None:
    file = tmp_path / "logs.tar.gz"
    file.write_bytes(DATA)

    async def main(stack: AsyncExitStack) -> None:
        place = Place(tmp_path, scheme, stack)
        location = await place.open()
        # What an upload left that broke.
        (place.folder / file.name).write_bytes(DATA[:CUT])
        await transfer.send(location, file, resume=True)
        if scheme == "ftp":
            assert any(command.startswith("APPE") for command in place.requests)

    real(main)
    assert (tmp_path / "server" / file.name).read_bytes() == DATA


def test_a_first_try_never_appends_to_a_file_of_that_name(tmp_path: Path, transfer: FileTransfer) -> None:
    file = tmp_path / "logs.tar.gz"
    file.write_bytes(DATA)

    async def main(stack: AsyncExitStack) -> None:
        place = Place(tmp_path, "ftp", stack)
        location = await place.open()
        (place.folder / file.name).write_bytes(b"something else")
        await transfer.send(location, file)

    real(main)
    assert (tmp_path / "server" / file.name).read_bytes() == DATA


def test_an_upload_follows_a_redirect_and_minds_a_refusal(tmp_path: Path, transfer: FileTransfer) -> None:
    file = tmp_path / "logs.tar.gz"
    file.write_bytes(DATA)

    async def main(stack: AsyncExitStack) -> None:
        place = Place(tmp_path, "http", stack)
        await place.open()
        await transfer.send(f"http://127.0.0.1:{place.port}/moved", file)
        error = await trouble_of(transfer.send(f"http://127.0.0.1:{place.port}/private?sig=secret", file))
        assert error.trouble is Failure.DENIED

    real(main)
    assert (tmp_path / "server" / file.name).read_bytes() == DATA


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS under an authority of its own."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = rig.certificate(name, name, key.public_key(), key)
    builder = x509.CertificateBuilder(name, name, key.public_key(), made.serial_number)
    builder = builder.not_valid_before(made.not_valid_before_utc).not_valid_after(made.not_valid_after_utc)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    certificate_path, key_path = tmp_path / "server.crt", tmp_path / "server.key"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_path, key_path)
    return context, certificate_path


@pytest.mark.ocpp("N01.FR.16")
@pytest.mark.parametrize("trusted", [True, False])
def test_https_needs_a_certificate_that_the_system_trusts(
    tmp_path: Path,
    target: Path,
    tls: tuple[ssl.SSLContext, Path],
    trusted: bool,
) -> None:
    """In a process of its own: aiohttp makes its TLS context once, when it is imported."""
    import subprocess
    import sys

    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "file").write_bytes(DATA)
    program = (
        "import asyncio, sys\nfrom pathlib import Path\n"
        "from chargebyte_fw.modules.system.transfer.transfer import FileTransfer\n"
        "from chargebyte_fw.modules.system.transfer.messages import TransferError\n"
        "transfer = FileTransfer((Path('/none'), Path('/none')))\n"
        "try:\n    asyncio.run(transfer.fetch(sys.argv[1], Path(sys.argv[2]), 1 << 20))\n"
        "except TransferError as error:\n    print(error.trouble, error)\n"
    )
    environment = {**os.environ, "SSL_CERT_FILE": str(tls[1])} if trusted else dict(os.environ)

    async def main(stack: AsyncExitStack) -> None:
        port, _ = await stack.enter_async_context(servers.http(folder, tls[0]))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            program,
            f"https://127.0.0.1:{port}/file",
            str(target),
            env=environment,
            stdout=subprocess.PIPE,
        )
        told, _ = await process.communicate()
        assert (told == b"") is trusted
        assert trusted or told.startswith(b"broken the server's certificate")

    real(main)
    assert target.exists() is trusted


@pytest.mark.ocpp("N01.FR.16")
def test_an_upload_follows_a_redirect_to_tls_at_the_same_host(tmp_path: Path, tls: tuple[ssl.SSLContext, Path]) -> None:
    """In a process of its own, as above."""
    import sys

    file = tmp_path / "logs.tar.gz"
    file.write_bytes(DATA)
    program = (
        "import asyncio, sys\nfrom pathlib import Path\n"
        "from chargebyte_fw.modules.system.transfer.transfer import FileTransfer\n"
        "asyncio.run(FileTransfer((Path('/none'), Path('/none'))).send(sys.argv[1], Path(sys.argv[2])))\n"
    )

    async def main(stack: AsyncExitStack) -> None:
        place = Place(tmp_path, "http", stack)
        safe, _ = await stack.enter_async_context(servers.http(place.folder, tls[0]))
        port = await stack.enter_async_context(servers.moved_to(f"https://127.0.0.1:{safe}/"))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, f"http://127.0.0.1:{port}", str(file)),
            env={**os.environ, "SSL_CERT_FILE": str(tls[1])},
        )
        assert await process.wait() == 0

    real(main)
    assert (tmp_path / "server" / file.name).read_bytes() == DATA


@pytest.mark.parametrize("trusted", [True, False])
def test_ftps_carries_both_ways_under_a_certificate_that_the_system_trusts(
    tmp_path: Path,
    transfer: FileTransfer,
    target: Path,
    tls: tuple[ssl.SSLContext, Path],
    monkeypatch: pytest.MonkeyPatch,
    trusted: bool,
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tls[1]))
    pem = tmp_path / "both.pem"
    pem.write_bytes(tls[1].read_bytes() + (tmp_path / "server.key").read_bytes())
    file = tmp_path / "logs.tar.gz"
    file.write_bytes(DATA[::-1])

    async def main(stack: AsyncExitStack) -> None:
        folder = Place(tmp_path, "ftp", stack).folder
        port, _ = stack.enter_context(servers.ftp(folder, pem=pem))
        location = f"ftps://{servers.LOGIN}@127.0.0.1:{port}"
        if trusted:
            await transfer.fetch(f"{location}/file", target, len(DATA))
            await transfer.send(location, file)
            assert target.read_bytes() == DATA and (folder / file.name).read_bytes() == DATA[::-1]
        else:
            error = await trouble_of(transfer.fetch(f"{location}/file", target, len(DATA)))
            assert error.trouble is Failure.BROKEN and "certificate" in str(error)

    real(main)


def test_an_ssh_server_must_show_the_key_that_was_learnt(tmp_path: Path, transfer: FileTransfer, target: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "file").write_bytes(DATA)

    async def main(stack: AsyncExitStack) -> None:
        port = await stack.enter_async_context(servers.sftp(folder))
        await transfer.fetch(f"sftp://{servers.LOGIN}@127.0.0.1:{port}/file", target, 1 << 20)
        learnt = transfer.known_hosts[1].read_text()
        assert f"[127.0.0.1]:{port} ssh-ed25519" in learnt
        stranger = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().split()[1]
        transfer.known_hosts[0].write_text(f"[127.0.0.1]:{port} ssh-ed25519 {stranger}\n")
        forget(target)
        error = await trouble_of(transfer.fetch(f"sftp://{servers.LOGIN}@127.0.0.1:{port}/file", target, 1 << 20))
        assert error.trouble is Failure.DENIED and error.final

    real(main)
    assert not target.exists()


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("", Failure.ADDRESS),
        ("file", Failure.ADDRESS),
        ("/srv/file", Failure.ADDRESS),
        ("http://", Failure.ADDRESS),
        ("http://host:99999/file", Failure.ADDRESS),
        ("http://[::1/file", Failure.ADDRESS),
        ("ftp://host/a%0d%0aDELE%20b", Failure.ADDRESS),
        ("file:///etc/passwd", Failure.SCHEME),
        ("tftp://host/file", Failure.SCHEME),
        ("javascript:alert(1)", Failure.SCHEME),
    ],
)
def test_addresses_that_are_none(text: str, trouble: Failure) -> None:
    with pytest.raises(TransferError) as caught:
        address_of(text)
    assert caught.value.trouble is trouble and caught.value.final


def test_an_address_is_shown_without_its_secrets() -> None:
    address = address_of("https://user:p%40ss@host:8443/a%20b?signature=abc")
    assert (address.user, address.password, address.path) == ("user", "p@ss", "/a b")
    assert str(address.child("c")) == "https://host:8443/a%20b/c?..."
    assert address.child("c").url == "https://host:8443/a%20b/c?signature=abc"
    assert str(address_of("sftp://[fe80::1]/x")) == "sftp://[fe80::1]/x"


LETTERS = "#/?@:[]\\ \t%<>\"'|^{}" + "\uff03\uff0f\uff1f\uff20\uff1a\u2100\u2047\ufe6b\u3000\u2028\x85\u00df\U0001f600"


@pytest.mark.parametrize("scheme", ["http", "https", "ftp", "ftps", "sftp", "tftp", ""])
@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: f"U+{ord(letter):04X}")
def test_no_part_of_a_password_is_shown_however_it_was_written(scheme: str, letter: str) -> None:
    pieces = [("secret", "qrst"), ("1234", "5678"), ("1234", "q@st"), ("se@ret", "qrst"), ("", "qrst"), ("secret", "")]
    for first, second in pieces:
        for rest in ("host/file", "host:21/file", "host", "[::1]/file", "host/a@b", "host/file?x=1#y"):
            text = f"{scheme}://user:{first}{letter}{second}@{rest}"
            try:
                shown = str(address_of(text))
            except TransferError as error:
                shown = str(error)
            for piece in ("secret", "qrst", "1234", "5678", "q@st", "se@ret", "ret@"):
                assert piece not in shown, (text, shown)


def test_an_address_that_could_hide_a_password_is_not_shown() -> None:
    assert str(address_of("https://host:8443/a@b")) == "https://<unreadable URL>"
    assert address_of("https://host:8443/a@b").url == "https://host:8443/a@b"
    assert str(address_of("https://host:8443/a%40b")) == "https://host:8443/a%40b"


def test_the_note_beside_a_part_holds_no_password(tmp_path: Path, transfer: FileTransfer, target: Path) -> None:
    async def main(stack: AsyncExitStack) -> None:
        location = await Place(tmp_path, "http", stack).open(CUT)
        await trouble_of(transfer.fetch(f"{location}/file", target, len(DATA)))

    real(main)
    note = target.with_name("image.origin")
    assert "word" not in note.read_text() and stat.S_ISREG(note.stat().st_mode)
    note.write_text("{broken")
    assert ReceivedFile(target, "anything", 1).offset == 0

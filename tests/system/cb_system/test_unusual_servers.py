"""Answers that are unusual but legal end no transfer, and a server that is busy is tried again."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from aiohttp import web
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler

from chargebyte_fw.kernel import clock
from chargebyte_fw.modules.system.transfer import ftp_link
from chargebyte_fw.modules.system.transfer.http_link import REDIRECTS
from chargebyte_fw.modules.system.transfer.messages import Failure, TransferError
from chargebyte_fw.modules.system.transfer.transfer import FileTransfer
from tests.system.cb_system import servers
from tests.system.cb_system.test_transfer import tls as tls

DATA = os.urandom(300_000)


@pytest.fixture
def transfer(tmp_path: Path) -> FileTransfer:
    return FileTransfer((tmp_path / "given", tmp_path / "learnt"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "logs.tar.gz"
    path.write_bytes(DATA)
    return path


# --- FTP


class Scripted:
    """An FTP server whose answers are `answers[command]` (a list: one after the other) instead of its own."""

    def __init__(self, answers: dict[str, bytes | list[bytes]], banner: bytes = b"220 ready\r\n") -> None:
        self.answers = answers
        self.banner = banner
        self.commands: list[str] = []
        self.stored = bytearray()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.banner)
        data: asyncio.Future[tuple[Any, Any]] = asyncio.get_running_loop().create_future()
        passive: asyncio.Server | None = None
        while line := (await reader.readline()).decode():
            command = line.split()[0].upper()
            self.commands.append(line.strip())
            own = self.answers.get(command)
            if isinstance(own, list):
                own = own.pop(0) if own else None
            if own is not None:
                writer.write(own)
                if own.startswith(b"421"):
                    break
            elif command == "PASV":
                data = asyncio.get_running_loop().create_future()
                passive = await asyncio.start_server(lambda r, w: data.set_result((r, w)), "127.0.0.1", 0)  # noqa: B023
                port = passive.sockets[0].getsockname()[1]
                writer.write(f"227 ok (127,0,0,1,{port >> 8},{port & 255})\r\n".encode())
            elif command == "RETR":
                writer.write(b"150 here it comes\r\n")
                _, out = await data
                out.write(DATA)
                out.close()
                writer.write(self.answers.get("after", b"226 done\r\n"))  # type: ignore[arg-type]
            elif command in ("STOR", "APPE"):
                writer.write(b"150 go on\r\n")
                into, out = await data
                self.stored += await into.read()
                out.close()
                writer.write(self.answers.get("after", b"226 done\r\n"))  # type: ignore[arg-type]
            else:
                plain = {"USER": b"331 password", "PASS": b"230 in", "QUIT": b"221 bye", "TYPE": b"200 ok"}
                writer.write(plain.get(command, b"502 no such command") + b"\r\n")
        writer.close()
        if passive is not None:
            passive.close()


@asynccontextmanager
async def scripted(
    answers: dict[str, bytes | list[bytes]], banner: bytes = b"220 ready\r\n"
) -> AsyncIterator[tuple[str, Scripted]]:
    script = Scripted(answers, banner)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    try:
        yield f"ftp://{servers.LOGIN}@127.0.0.1:{server.sockets[0].getsockname()[1]}", script
    finally:
        server.close()


HABITS: dict[str, tuple[dict[str, bytes | list[bytes]], bytes]] = {
    "a latin-1 letter in the banner": ({}, b"220-Willkommen in M\xfcnchen\r\n220 bereit f\xfcr Sie\r\n"),
    "a latin-1 letter at the login": ({"PASS": b"230 Gr\xfc\xdfe\r\n"}, b"220 \x85\r\n"),
    "lines that end with LF": ({"PASS": b"230 in\n"}, b"220 ready\n"),
    "busy with the size": ({"SIZE": b"450 busy\r\n", "MDTM": b"450 busy\r\n"}, b"220 ready\r\n"),
    "no password wanted": ({"USER": b"230 in\r\n"}, b"220 ready\r\n"),
    "a farewell that is none": ({"QUIT": b"500 what?\r\n"}, b"220 ready\r\n"),
    "no farewell": ({"QUIT": b"421 gone\r\n"}, b"220 ready\r\n"),
    "250 at the end": ({"after": b"250 done\r\n"}, b"220 ready\r\n"),
}


@pytest.mark.parametrize(("answers", "banner"), HABITS.values(), ids=HABITS.keys())
def test_an_unusual_ftp_server_serves(
    transfer: FileTransfer, tmp_path: Path, file: Path, answers: dict[str, Any], banner: bytes
) -> None:
    async def main() -> None:
        async with scripted(answers, banner) as (location, script):
            await transfer.fetch(f"{location}/file", tmp_path / "fetched", len(DATA))
            await transfer.send(location, file)
            assert bytes(script.stored) == DATA

    clock.run(main())
    assert (tmp_path / "fetched").read_bytes() == DATA


def test_a_server_that_cannot_append_gets_the_whole(transfer: FileTransfer, file: Path) -> None:
    async def main() -> None:
        async with scripted({"SIZE": b"213 1000\r\n", "APPE": b"502 no\r\n"}) as (location, script):
            await transfer.send(location, file, resume=True)
            assert bytes(script.stored) == DATA

    clock.run(main())


@pytest.mark.parametrize("at", ["banner", "USER", "PASS", "PASV", "RETR", "STOR", "after"])
@pytest.mark.parametrize("code", [421, 425, 426, 434, 450, 451, 452])
def test_a_busy_ftp_server_is_said_to_be_busy_and_may_be_tried_again(
    transfer: FileTransfer, tmp_path: Path, file: Path, at: str, code: int
) -> None:
    answer = f"{code} come back later\r\n".encode()

    async def main() -> None:
        async with scripted({at: answer}, answer if at == "banner" else b"220 ready\r\n") as (location, _):
            works: list[Coroutine[Any, Any, Any]] = []
            works += [] if at == "STOR" else [transfer.fetch(f"{location}/file", tmp_path / "fetched", len(DATA))]
            works += [] if at == "RETR" else [transfer.send(location, file)]
            for work in works:
                with pytest.raises(TransferError) as caught:
                    await work
                assert caught.value.trouble is Failure.BROKEN and not caught.value.final
                assert str(caught.value) == f"the server is busy: {code} come back later"

    clock.run(main())


def test_a_server_that_refuses_the_user_with_430_denies(transfer: FileTransfer, file: Path) -> None:
    async def main() -> None:
        async with scripted({"PASS": b"430 Invalid username or password\r\n"}) as (location, _):
            with pytest.raises(TransferError) as caught:
                await transfer.send(location, file)
            assert caught.value.trouble is Failure.DENIED

    clock.run(main())


def test_what_a_server_says_shows_no_password(transfer: FileTransfer, file: Path) -> None:
    async def main() -> None:
        async with scripted({"PASS": f"530 {servers.PASSWORD} is wrong\r\n".encode()}) as (location, _):
            with pytest.raises(TransferError) as caught:
                await transfer.send(location, file)
            assert servers.PASSWORD not in str(caught.value) and "530" in str(caught.value)

    clock.run(main())


@contextmanager
def implicit(folder: Path, pem: Path) -> Iterator[int]:
    """pyftpdlib that speaks TLS from the first byte."""

    class Handler(TLS_FTPHandler):  # type: ignore[misc]
        authorizer = DummyAuthorizer()
        certfile = str(pem)
        tls_control_required = True
        tls_data_required = True

        def handle(self) -> None:
            self.secure_connection(self.ssl_context)
            super().handle()

    Handler.authorizer.add_user(servers.USER, servers.PASSWORD, str(folder), perm="elradfmwMT")
    with servers._serving(Handler, []) as port:
        yield port


@pytest.mark.parametrize("trusted", [True, False])
def test_at_port_990_tls_begins_at_once(
    transfer: FileTransfer,
    tmp_path: Path,
    file: Path,
    tls: tuple[ssl.SSLContext, Path],
    monkeypatch: pytest.MonkeyPatch,
    trusted: bool,
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tls[1]))
    pem = tmp_path / "both.pem"
    pem.write_bytes(tls[1].read_bytes() + (tmp_path / "server.key").read_bytes())
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "file").write_bytes(DATA)

    async def main() -> None:
        with implicit(folder, pem) as port:
            # The real one may be taken on this machine.
            monkeypatch.setattr(ftp_link, "IMPLICIT_TLS_PORT", port)
            location = f"ftps://{servers.LOGIN}@127.0.0.1:{port}"
            if not trusted:
                with pytest.raises(TransferError, match="certificate"):
                    await transfer.fetch(f"{location}/file", tmp_path / "fetched", len(DATA))
                return
            await transfer.fetch(f"{location}/file", tmp_path / "fetched", len(DATA))
            await transfer.send(location, file)
            assert (tmp_path / "fetched").read_bytes() == DATA and (folder / file.name).read_bytes() == DATA

    assert ftp_link.IMPLICIT_TLS_PORT == 990
    clock.run(main())


# --- SFTP


class Moving(asyncssh.SFTPServer):
    """Takes a file away as soon as it is closed, as drop boxes do."""

    def close(self, file_obj: Any) -> Any:
        name = getattr(file_obj, "name", None)
        done = super().close(file_obj)
        if isinstance(name, bytes | str) and os.fsdecode(name).endswith(".gz"):
            os.replace(name, os.fsdecode(name) + ".taken")
        return done


class Blind(asyncssh.SFTPServer):
    """Lets nobody ask for a file by its name."""

    def stat(self, path: bytes) -> Any:
        raise asyncssh.SFTPPermissionDenied("no questions")

    lstat = stat


@asynccontextmanager
async def sftp(folder: Path, kind: type[asyncssh.SFTPServer]) -> AsyncIterator[str]:
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=servers.Login,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        sftp_factory=lambda channel: kind(channel, chroot=str(folder).encode()),
    )  # fmt: skip
    try:
        yield f"sftp://{servers.LOGIN}@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize(("kind", "name"), [(Moving, "logs.tar.gz.taken"), (Blind, "logs.tar.gz")])
def test_a_server_that_moves_or_hides_the_file_has_it(
    transfer: FileTransfer, tmp_path: Path, file: Path, kind: type[asyncssh.SFTPServer], name: str, resume: bool
) -> None:
    folder = tmp_path / "server"
    folder.mkdir()

    async def main() -> None:
        async with sftp(folder, kind) as location:
            await transfer.send(location, file, resume=resume)

    clock.run(main())
    assert (folder / name).read_bytes() == DATA


class Full(asyncssh.SFTPServer):
    """A disk with room for 100,000 bytes."""

    def write(self, file_obj: Any, offset: int, data: bytes) -> Any:
        if offset + len(data) > 100_000:
            raise asyncssh.SFTPFailure("No space left on device")
        return super().write(file_obj, offset, data)

    def close(self, file_obj: Any) -> Any:
        name = getattr(file_obj, "name", None)
        done = super().close(file_obj)
        if isinstance(name, bytes | str) and os.fsdecode(name).endswith(".gz"):
            os.replace(name, os.fsdecode(name) + ".taken")
        return done


def test_a_server_that_moves_a_half_file_does_not_have_it(transfer: FileTransfer, tmp_path: Path, file: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()

    async def main() -> None:
        async with sftp(folder, Full) as location:
            with pytest.raises(TransferError) as caught:
                await transfer.send(location, file)
            assert caught.value.trouble is Failure.BROKEN and not caught.value.final

    clock.run(main())


# --- HTTP


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("count", [REDIRECTS, REDIRECTS + 1])
def test_as_many_redirects_as_promised_are_followed(
    transfer: FileTransfer, tmp_path: Path, file: Path, method: str, count: int
) -> None:
    taken: list[bytes] = []

    async def serve(request: web.Request) -> web.Response:
        left = int(request.query.get("left", count))
        if left > 0:
            return web.Response(status=307, headers={"Location": f"{request.path}?left={left - 1}"})
        taken.append(await request.read())
        return web.Response(body=DATA) if method == "GET" else web.Response(status=204)

    async def main() -> None:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{name}", serve)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        location = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
        fetched = tmp_path / "fetched"
        work: Any = (
            transfer.fetch(f"{location}/f", fetched, 1 << 20) if method == "GET" else transfer.send(location, file)
        )
        if count > REDIRECTS:
            with pytest.raises(TransferError, match="in circles"):
                await work
        else:
            await work
            assert taken == [b"" if method == "GET" else DATA]
        await runner.cleanup()

    clock.run(main())

"""Servers and addresses that mean no good: each ends in one line for a person, never in an error of ours."""

from __future__ import annotations

import asyncio
import ftplib
import logging
import os
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from aiohttp import web

from chargebyte_fw.kernel import clock
from chargebyte_fw.modules.system.transfer import http_link, timing
from chargebyte_fw.modules.system.transfer.host_keys import KnownHosts
from chargebyte_fw.modules.system.transfer.messages import Failure, TransferError, address_of
from chargebyte_fw.modules.system.transfer.received_file import ReceivedFile, forget
from chargebyte_fw.modules.system.transfer.threads import in_thread
from chargebyte_fw.modules.system.transfer.transfer import FileTransfer
from tests.system.cb_system import servers

SCHEMES = ("http", "https", "ftp", "ftps", "sftp")
SECRET = "hunter2"


@pytest.fixture
def transfer(tmp_path: Path) -> FileTransfer:
    return FileTransfer((tmp_path / "given", tmp_path / "learnt"))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "received"
    folder.mkdir()
    return folder / "image"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds, a hundred times shorter."""
    monkeypatch.setattr(timing, "CONNECT_LIMIT_S", 0.4)
    monkeypatch.setattr(timing, "STALL_LIMIT_S", 0.4)
    monkeypatch.setattr(timing, "SILENCE_LIMIT_S", 0.8)


async def trouble_of(work: Any) -> TransferError:
    with pytest.raises(TransferError) as caught:
        await work
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
    assert SECRET not in str(caught.value)
    return caught.value


def both(transfer: FileTransfer, location: str, target: Path) -> list[Any]:
    file = target.with_name("logs.tar.gz")
    file.write_bytes(b"logs")
    return [transfer.fetch(location, target, 1 << 20), transfer.send(location, file)]


# --- addresses


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "rest",
    [
        "a" * 64 + "/x",
        "a..b/x",
        ".../x",
        "host name/x",
        "host%0d%0aX/x",
        "u%0d%0aDELE:p@127.0.0.1/x",
        "u:p%0a@127.0.0.1/x",
        "127.0.0.1:0/x",
        "\udc80/x",
        "[::g]/x",
        "127.0.0.1/" + "a" * 9000,
    ],
)
def test_an_address_that_can_lead_nowhere_is_said_at_once(
    transfer: FileTransfer, target: Path, scheme: str, rest: str
) -> None:
    async def main() -> None:
        for work in both(transfer, f"{scheme}://{rest}", target):
            error = await trouble_of(work)
            assert error.trouble is Failure.ADDRESS and error.final

    clock.run(main())


def test_a_signed_address_reaches_the_server_letter_by_letter(transfer: FileTransfer, target: Path) -> None:
    """An address that opens a store holds a signature over itself; `%2F` in it is not `/`."""
    seen: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head.split()[1].decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    paths = [
        "/group%2Fproject/a+b(1).image?X-Sig=aB%2F%2Bc%3D&x=a%20b/c",
        '/a[1]|b^c{d}`e\\f"g<h>?x[]={y}|z^\\"<>`',
        "/%41%7e~/./../a//b;p=1",
        "//x?a?b&&c=%zz%",
        "/a%",
    ]

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        for path in paths:
            await transfer.fetch(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{path}", target, 100)
            forget(target)
        server.close()

    clock.run(main())
    assert seen == paths
    assert address_of("ftp://host/a%2Fb%20c").path == "/a/b c"
    assert address_of("http://bücher.example/ü").url == "http://xn--bcher-kva.example/%C3%BC"


# --- garbage, silence


@asynccontextmanager
async def saying(*words: bytes, then: float = 0.0) -> AsyncIterator[int]:
    """A server that says each word as an answer to whatever it hears, then waits and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for word in words:
                writer.write(word)
                await writer.drain()
                async with asyncio.timeout(0.5):
                    if not await reader.read(4096):
                        return
            await asyncio.sleep(then)
        except (OSError, TimeoutError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


GARBAGE = {
    "bytes": (b"\xff\xfe\x80\r\n\r\n",) * 4,
    "zeros": (bytes(10_000),),
    "text": (b"hello\r\n",) * 8,
    "endless line": (b"2" * 100_000,),
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",),
    "huge": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",),
    "short": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc",),
    "status": (b"HTTP/1.1 503 \xfcber Last\r\nContent-Length: 0\r\n\r\n",),
    "ssh": (b"SSH-2.0-x\r\n", b"\xff" * 3000),
    "ftp size": (
        b"220 a\r\n",
        b"331 b\r\n",
        b"230 c\r\n",
        b"200 d\r\n",
        b"213 abc\r\n",
        b"213 x\r\n",
        b"227 where?\r\n",
    ),
    "ftp port": (
        b"220 a\r\n",
        b"331 b\r\n",
        b"230 c\r\n",
        b"200 d\r\n",
        b"213 5\r\n",
        b"213 x\r\n",
        b"229 (|||99999|)\r\n",
    ),
}


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("words", GARBAGE.values(), ids=GARBAGE.keys())
def test_a_server_that_talks_nonsense(
    transfer: FileTransfer, target: Path, scheme: str, words: tuple[bytes, ...], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def main() -> None:
        async with saying(*words) as port:
            for work in both(transfer, f"{scheme}://u:{SECRET}@127.0.0.1:{port}/x?sig={SECRET}", target):
                try:
                    async with asyncio.timeout(10):
                        error = await trouble_of(work)
                except pytest.fail.Exception:
                    # `200` without a word about a body is a fine answer to an upload.
                    assert words[0].startswith(b"HTTP/1.1 200") and scheme == "http"
                else:
                    assert error.trouble in (Failure.BROKEN, Failure.DENIED)

    clock.run(main())
    assert "Traceback" not in caplog.text


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("greeting", [b"", b"220 ready\r\n", b"SSH-2.0-x\r\n"], ids=["mute", "ftp", "ssh"])
def test_a_server_that_falls_silent_while_it_greets(
    transfer: FileTransfer, target: Path, scheme: str, greeting: bytes
) -> None:
    async def main() -> None:
        async with saying(greeting, then=60) as port:
            for work in both(transfer, f"{scheme}://u:p@127.0.0.1:{port}/x", target):
                async with asyncio.timeout(8):
                    assert (await trouble_of(work)).trouble in (Failure.BROKEN, Failure.DENIED)

    clock.run(main())


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("behaviour", ["silent", "garbage"])
def test_an_ssh_server_whose_file_service_never_speaks_or_speaks_nonsense(
    transfer: FileTransfer, target: Path, behaviour: str
) -> None:
    """The library itself waits for ever here."""

    async def service(process: Any) -> None:
        if behaviour == "garbage":
            process.stdout.write(os.urandom(2000))
        await asyncio.sleep(60)

    async def main() -> None:
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=servers.Login,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            process_factory=service,
            encoding=None,
        )
        location = f"sftp://{servers.LOGIN}@127.0.0.1:{server.sockets[0].getsockname()[1]}/file"
        for work in both(transfer, location, target):
            async with asyncio.timeout(8):
                assert (await trouble_of(work)).trouble is Failure.BROKEN
        server.close()

    clock.run(main())


@pytest.mark.usefixtures("hasty")
def test_an_upload_that_the_server_does_not_take_is_given_up(transfer: FileTransfer, target: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(60)

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1024)
        file = target.with_name("logs.tar.gz")
        file.write_bytes(bytes(32 << 20))
        async with asyncio.timeout(8):
            error = await trouble_of(transfer.send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", file))
        assert error.trouble is Failure.BROKEN and "nothing moved" in str(error)
        server.close()

    clock.run(main())


def test_a_slow_transfer_that_moves_is_not_given_up(
    transfer: FileTransfer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "SILENCE_LIMIT_S", 0.9)

    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "12"})
        await answer.prepare(request)
        for _ in range(12):
            await answer.write(b"x")
            await asyncio.sleep(0.1)
        return answer

    async def main() -> None:
        async with web_server(drip) as port:
            await transfer.fetch(f"http://127.0.0.1:{port}/x", target, 100)

    clock.run(main())
    assert target.read_bytes() == b"x" * 12


def test_a_thread_that_comes_back_late_does_not_touch_the_next_download(target: Path) -> None:
    """A name server may answer minutes after a download was called off and another one begun."""
    late = threading.Event()
    told: list[Exception] = []
    received = ReceivedFile(target, "first", 100)

    def slow() -> None:
        late.wait(5)
        try:
            received.begin(0, 5)
        except TransferError as error:
            told.append(error)
            raise

    async def main() -> None:
        task = asyncio.ensure_future(in_thread(slow, lambda: None, "slow"))
        await asyncio.sleep(0.05)
        task.cancel()
        received.close()
        second = ReceivedFile(target, "second", 100)
        second.begin(0, 4)
        second.write(b"good")
        late.set()
        await asyncio.wait([task])
        second.finish()

    clock.run(main())
    assert target.read_bytes() == b"good" and len(told) == 1


# --- redirects


@asynccontextmanager
async def web_server(get: Callable[[web.Request], Any], tls: Any = None) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{name:.*}", get)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("there", "trouble", "final"),
    [
        ("ftp://host/x", Failure.SCHEME, True),
        ("file:///etc/passwd", Failure.SCHEME, True),
        ("http://[::x/", Failure.BROKEN, False),
        ("", Failure.BROKEN, False),
        ("/round?again", Failure.BROKEN, False),
    ],
)
def test_a_redirect_that_leads_nowhere(
    transfer: FileTransfer, target: Path, there: str, trouble: Failure, final: bool
) -> None:
    async def move(_: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": there} if there else {})

    async def main() -> None:
        async with web_server(move) as port:
            for work in both(transfer, f"http://127.0.0.1:{port}/x", target):
                error = await trouble_of(work)
                assert (error.trouble, error.final) == (trouble, final)

    clock.run(main())


def test_a_redirect_does_not_lead_out_of_tls() -> None:
    here = address_of(f"https://u:{SECRET}@host/x")
    with pytest.raises(TransferError) as caught:
        http_link._next(here, "http://host/x")
    assert caught.value.trouble is Failure.DENIED and caught.value.final
    assert http_link._next(here, "/y?z").url == "https://host/y?z" and http_link._next(here, "/y").password == SECRET
    assert http_link._next(here, "https://host:8443/y").password == ""


def test_a_redirect_takes_no_password_to_another_server(transfer: FileTransfer, target: Path) -> None:
    headers: list[dict[str, str]] = []

    async def end(request: web.Request) -> web.Response:
        headers.append(dict(request.headers))
        return web.Response(body=b"firmware")

    async def main(stack: AsyncExitStack) -> None:
        far = await stack.enter_async_context(web_server(end))

        async def move(request: web.Request) -> web.Response:
            headers.append(dict(request.headers))
            return web.Response(status=302, headers={"Location": f"http://127.0.0.1:{far}/there"})

        near = await stack.enter_async_context(web_server(move))
        await transfer.fetch(f"http://u:{SECRET}@127.0.0.1:{near}/x", target, 100)

    async def run() -> None:
        async with AsyncExitStack() as stack:
            await main(stack)

    clock.run(run())
    assert ["Authorization" in one for one in headers] == [True, False]
    assert target.read_bytes() == b"firmware"


def test_a_password_follows_to_tls_at_the_usual_ports_of_the_same_host_alone() -> None:
    """RFC 9110 §15.4: credentials are for the origin that they were given for."""
    here = address_of(f"http://u:{SECRET}@host/x")
    for there, taken in (
        ("https://host/y", True),
        ("https://HOST:443/y", True),
        ("https://host:8443/y", False),
        ("https://host.example/y", False),
        ("http://host:8080/y", False),
    ):
        assert (http_link._next(here, there).password == SECRET) is taken, there


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_takes_no_upload_to_another_host(transfer: FileTransfer, target: Path, status: int) -> None:
    """OCPP names the host that gets the logs; `localhost` is another one than 127.0.0.1, wherever it leads."""
    taken: list[str] = []

    async def take(request: web.Request) -> web.Response:
        taken.append(request.path)
        return web.Response(status=204)

    async def main() -> None:
        async with AsyncExitStack() as stack:
            far = await stack.enter_async_context(web_server(take))
            there = f"http://localhost:{far}/there?key={SECRET}/"
            near = await stack.enter_async_context(servers.moved_to(there, status))
            file = target.with_name("logs.tar.gz")
            file.write_bytes(b"logs")
            error = await trouble_of(transfer.send(f"http://u:{SECRET}@127.0.0.1:{near}", file))
            assert error.trouble is Failure.DENIED and error.final
            assert f"to another host, http://localhost:{far}/there?..." in str(error)

    clock.run(main())
    assert taken == []


def test_an_upload_follows_to_another_port_of_its_host_without_the_password(
    transfer: FileTransfer, target: Path
) -> None:
    taken: list[tuple[bytes, bool]] = []

    async def take(request: web.Request) -> web.Response:
        taken.append((await request.read(), "Authorization" in request.headers))
        return web.Response(status=204)

    async def main() -> None:
        async with AsyncExitStack() as stack:
            far = await stack.enter_async_context(web_server(take))
            near = await stack.enter_async_context(servers.moved_to(f"http://127.0.0.1:{far}/there/"))
            file = target.with_name("logs.tar.gz")
            file.write_bytes(b"logs")
            await transfer.send(f"http://u:{SECRET}@127.0.0.1:{near}", file)

    clock.run(main())
    assert taken == [(b"logs", False)]


def test_a_download_goes_on_after_a_redirect(transfer: FileTransfer, target: Path, tmp_path: Path) -> None:
    data = os.urandom(300_000)
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "file").write_bytes(data)

    async def main() -> None:
        async with AsyncExitStack() as stack:
            port, requests = await stack.enter_async_context(servers.http(folder))
            line = await stack.enter_async_context(servers.line(port, 100_000))

            async def move(_: web.Request) -> web.Response:
                return web.Response(status=302, headers={"Location": f"http://127.0.0.1:{line.port}/file"})

            near = await stack.enter_async_context(web_server(move))
            await trouble_of(transfer.fetch(f"http://127.0.0.1:{near}/x", target, len(data)))
            await transfer.fetch(f"http://127.0.0.1:{near}/x", target, len(data))
            assert "Range" in requests[-1].headers

    clock.run(main())
    assert target.read_bytes() == data


# --- FTP without REST


def test_an_ftp_server_that_cannot_go_on_begins_anew(
    transfer: FileTransfer, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = os.urandom(300_000)
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "file").write_bytes(data)
    real = ftplib.FTP.ntransfercmd

    def without_rest(self: Any, cmd: str, rest: Any = None) -> Any:
        if rest is not None:
            raise ftplib.error_perm("502 REST is not for us")
        return real(self, cmd, rest)

    monkeypatch.setattr(ftplib.FTP, "ntransfercmd", without_rest)

    async def main() -> None:
        with servers.ftp(folder, 100_000) as (port, _):
            location = f"ftp://{servers.LOGIN}@127.0.0.1:{port}/file"
            await trouble_of(transfer.fetch(location, target, len(data)))
            await transfer.fetch(location, target, len(data))

    clock.run(main())
    assert target.read_bytes() == data


# --- host keys


@asynccontextmanager
async def ssh_server(folder: Path, *keys: Any) -> AsyncIterator[int]:
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=servers.Login,
        server_host_keys=list(keys),
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(folder).encode()),
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.mark.parametrize("listed", ["ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256"])
def test_a_server_with_several_keys_shows_the_one_that_is_listed(
    transfer: FileTransfer, target: Path, tmp_path: Path, listed: str
) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "file").write_bytes(b"firmware")
    kinds = ("ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256")
    keys = {kind: asyncssh.generate_private_key(kind) for kind in kinds}

    async def main() -> None:
        async with ssh_server(folder, *keys.values()) as port:
            public = keys[listed].export_public_key().decode().split()[1]
            # What people's files hold besides.
            transfer.known_hosts[0].write_bytes(
                b"# ours\n\nnot a line\n@cert-authority * ssh-rsa AAAA\nother ssh-ed25519 !!!\n"
                + b"host ssh-new AAAA\n\xff\n"
                + f"[127.0.0.1]:{port},other {listed} {public} comment\n".encode()
            )
            await transfer.fetch(f"sftp://{servers.LOGIN}@127.0.0.1:{port}/file", target, 100)

    clock.run(main())
    assert target.read_bytes() == b"firmware" and not transfer.known_hosts[1].exists()


def test_a_revoked_key_is_refused(transfer: FileTransfer, target: Path, tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")

    async def main() -> None:
        async with ssh_server(tmp_path, key) as port:
            public = key.export_public_key().decode().split()[1]
            transfer.known_hosts[0].write_text(f"@revoked [127.0.0.1]:{port} ssh-ed25519 {public}\n")
            error = await trouble_of(transfer.fetch(f"sftp://{servers.LOGIN}@127.0.0.1:{port}/f", target, 100))
            assert error.trouble is Failure.DENIED and error.final and "revoked" in str(error)

    clock.run(main())


def test_learning_a_key_keeps_what_was_learnt_before(tmp_path: Path) -> None:
    import paramiko

    hosts = KnownHosts(tmp_path / "given", tmp_path / "learnt")
    keys = {name: paramiko.ECDSAKey.generate() for name in ("first", "second")}
    (tmp_path / "learnt").write_text("# by hand\nhalf a li")
    for name, key in keys.items():
        hosts.check(name, 22, key.get_name(), key.asbytes())
        hosts.check(name, 22, key.get_name(), key.asbytes())
    text = (tmp_path / "learnt").read_text().splitlines()
    assert text[:2] == ["# by hand", "half a li"] and [line.split()[0] for line in text[2:]] == ["first", "second"]
    with pytest.raises(TransferError, match="another key"):
        hosts.check("first", 22, keys["second"].get_name(), keys["second"].asbytes())


def test_a_list_that_cannot_be_read_lets_nobody_in(transfer: FileTransfer, target: Path, tmp_path: Path) -> None:
    transfer.known_hosts[0].mkdir()

    async def main() -> None:
        async with ssh_server(tmp_path, asyncssh.generate_private_key("ssh-ed25519")) as port:
            error = await trouble_of(transfer.fetch(f"sftp://{servers.LOGIN}@127.0.0.1:{port}/f", target, 100))
            assert error.trouble is Failure.DENIED and str(transfer.known_hosts[0]) in str(error)

    clock.run(main())
    forget(target)


# --- a disk that is full


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("a small file system needs root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("scheme", ["http", "ftp", "sftp"])
def test_a_disk_that_fills_up_ends_the_download(
    transfer: FileTransfer, small_disk: Path, tmp_path: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else takes the room after it was looked at."""

    from chargebyte_fw.modules.system.transfer import received_file

    monkeypatch.setattr(received_file, "ROOM_LEFT_BYTES", -(1 << 30))
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "file").write_bytes(bytes(1 << 20))

    async def main() -> None:
        async with AsyncExitStack() as stack:
            if scheme == "http":
                port, _ = await stack.enter_async_context(servers.http(folder))
            elif scheme == "ftp":
                port, _ = stack.enter_context(servers.ftp(folder))
            else:
                port = await stack.enter_async_context(servers.sftp(folder))
            location = f"{scheme}://{servers.LOGIN}@127.0.0.1:{port}/file"
            error = await trouble_of(transfer.fetch(location, small_disk / "image", 2 << 20))
            assert error.trouble is Failure.SIZE and error.final
            assert "No space left on device" in str(error)

    clock.run(main())
    forget(small_disk / "image")
    assert list(small_disk.iterdir()) == []


def test_logs_that_find_no_room_are_said(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chargebyte_fw.kernel.errors import Unavailable
    from chargebyte_fw.kernel.paths import Root
    from chargebyte_fw.modules.system.logs import archive

    monkeypatch.setattr(archive, "COMMANDS", (("head", "-c", "900000", "/dev/urandom"),))
    monkeypatch.setattr(archive, "JOURNAL", ("true",))
    with pytest.raises(Unavailable, match="No space left on device"):
        clock.run(archive.gather(Root(small_disk, small_disk), small_disk / "a.tar.gz", archive.Span()))

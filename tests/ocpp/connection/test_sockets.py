"""The link on real sockets: each way in which a CSMS is not one is one reason, in one line."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import logging
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.ocpp.connection import real_link
from chargebyte_fw.modules.ocpp.connection.settings import TlsSettings, password_of_2
from chargebyte_fw.modules.ocpp.station.events import Connected, Disconnected, SecurityEventFound
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.charge_point import Point
from tests.ocpp.connection import certificates as c
from tests.ocpp.csms import Csms

GOOD = ("localhost", "127.0.0.1")


class Bench:
    """A station at a CSMS; `reason` is why there is no connection."""

    def __init__(self, runtime: Runtime, url: str, *versions: Version, **how: Any) -> None:
        self.point = Point(runtime, url, *versions, **how)
        self.found = ""

    @property
    def reason(self) -> str:
        return self.found or self.point.connection.last_reason

    @property
    def security_events(self) -> list[str]:
        return [event.type for event in self.point.recorder.of(SecurityEventFound)]

    async def fails(self, timeout_s: float = 10.0) -> str:
        """Run until the first attempt has failed; returns why."""
        await self.point.start()
        async with asyncio.timeout(timeout_s):
            while not self.reason:
                await asyncio.sleep(0.01)
        assert not self.point.recorder.of(Connected)
        self.found = self.reason
        await self.point.stop()
        return self.found

    async def connects(self) -> None:
        await self.point.start()
        async with asyncio.timeout(10.0):
            while not self.point.recorder.of(Connected):
                assert not self.reason, self.reason
                await asyncio.sleep(0.01)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def tcp(serve: Serve) -> tuple[asyncio.Server, str]:
    """Listen with something that is no WebSocket."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    listener = await asyncio.start_server(served, "127.0.0.1", 0)
    return listener, f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}"


async def answered_with(runtime: Runtime, answer: bytes, **how: Any) -> Bench:
    """A station whose CSMS gives this answer to the HTTP request, and leaves."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    _, url = await tcp(serve)
    bench = Bench(runtime, url, **how)
    await bench.fails()
    return bench


@pytest.mark.parametrize(
    ("answer", "words", "event"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", "identity or password: HTTP 401", ["FailedToAuthenticateAtCsms"]),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "know this identity", []),
        (b"HTTP/1.1 503 Busy\r\n\r\n", "HTTP 503 Busy", []),
        (b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/x\r\n\r\n", "follows no redirect", []),
        (b"HTTP/1.1 200 OK\r\n\r\n", "HTTP 200", []),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "no WebSocket", []),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no WebSocket", []),
        (b"\x15\x03\x03\x00\x02\x02\x28", "wss://", []),
        (b"", "no WebSocket", []),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, "no WebSocket", []),
    ],
)
def test_what_is_no_csms(
    runtime: Runtime, caplog: pytest.LogCaptureFixture, answer: bytes, words: str, event: list[str]
) -> None:
    async def main() -> None:
        bench = await answered_with(runtime, answer)
        assert words in bench.reason
        assert bench.security_events == event
        lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(lines) == 1 and "\n" not in lines[0].getMessage() and len(lines[0].getMessage()) < 400

    clock.run(main())


def test_nothing_listens(runtime: Runtime) -> None:
    async def main() -> None:
        assert "cannot be reached" in await Bench(runtime, "ws://127.0.0.1:1").fails()
        assert "cannot be reached" in await Bench(runtime, "ws://no-such-host.invalid:9000").fails()
        assert "URL" in await Bench(runtime, "ws://:0:0/[").fails()
        assert (
            "IFace"
            in await Bench(runtime, "ws://127.0.0.1:1", connection_settings={"local_address": "nosuch0"}).fails()
        )

    clock.run(main())


def test_tcp_that_stays_silent(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real_link, "HANDSHAKE_LIMIT_S", 0.2)
    monkeypatch.setattr(real_link, "CONNECT_LIMIT_S", 0.2)

    async def main() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        listener, url = await tcp(silent)
        assert "no answer to the WebSocket handshake within 0.2 s" in await Bench(runtime, url).fails()
        tls = Bench(runtime, url, profile={"security_profile": 2, "password": b"x"})
        assert "TLS handshake" in await tls.fails()
        listener.close()

    clock.run(main())


@pytest.mark.ocpp("A00.FR.202", "A00.FR.203", "A00.FR.204")
def test_the_headers_of_the_handshake(runtime: Runtime) -> None:
    """Field case 17: the password of 2.x is what it is."""

    async def main() -> None:
        csms = Csms("2.0.1")
        profile = {
            "security_profile": 1,
            "identity": "CP_0042",
            "password": password_of_2("pa:ss wörter 16+"),
            "host_name": "station",
        }
        bench = Bench(runtime, await csms.listen(), Version.V21, Version.V201, profile=profile)
        await bench.connects()
        (handshake,) = csms.handshakes
        assert handshake.url == "/CP_0042"
        assert handshake.headers["Authorization"] == "Basic Q1BfMDA0MjpwYTpzcyB3w7ZydGVyIDE2Kw=="
        assert handshake.headers["User-Host"] == "station" and handshake.headers["EVerest-Version"]
        assert handshake.headers["Sec-WebSocket-Protocol"] == "ocpp2.1, ocpp2.0.1"
        assert "Sec-WebSocket-Extensions" not in handshake.headers
        assert bench.point.station.version is Version.V201
        await bench.point.stop()
        await csms.close()

    clock.run(main())


def test_the_connection_is_made_from_an_interface(runtime: Runtime) -> None:
    async def main() -> None:
        csms = Csms("1.6")
        bench = Bench(runtime, await csms.listen(), connection_settings={"local_address": "lo"})
        await bench.connects()
        await bench.point.stop()
        await csms.close()

    clock.run(main())


def test_a_close_in_the_middle_of_a_frame(runtime: Runtime) -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            key = next(line.split(": ")[1] for line in request.split("\r\n") if line.startswith("Sec-WebSocket-Key"))
            import hashlib

            digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
            accept = base64.b64encode(digest).decode()
            head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            head += f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
            writer.write(head.encode() + b"\x81\x7d[2,")  # a text of 125 bytes, of which four come
            await writer.drain()

        _, url = await tcp(serve)
        bench = Bench(runtime, url)
        await bench.connects()
        async with asyncio.timeout(10):
            while not bench.point.recorder.of(Disconnected):
                await asyncio.sleep(0.01)
        assert "1006" in bench.reason
        await bench.point.stop()

    clock.run(main())


def test_a_message_of_10_MB_and_fragments(runtime: Runtime) -> None:
    """Field case 9, and the bound of a message."""

    async def main() -> None:
        csms = Csms("1.6")
        bench = Bench(runtime, await csms.listen())
        await bench.connects()
        await csms.received("BootNotification")
        text = '[2,"f1","ChangeAvailability",{"connectorId":1,"type":"Operative","x":"' + "ü" * 20_000 + '"}]'
        data = text.encode()
        cuts = [0, 100, 10_073, 20_001, len(data)]
        assert csms.socket is not None
        connection = csms.socket.connection  # type: ignore[attr-defined]

        async def pieces() -> Any:
            for begin, end in itertools.pairwise(cuts):
                yield data[begin:end]
                await connection.ping(str(begin))

        await connection.send(pieces(), text=True)
        await csms.until(lambda: csms.frames[-1][1] == [3, "f1", {"status": "Accepted"}])
        await csms.send('[2,"big","ChangeAvailability",{"x":"' + "y" * 10_000_000 + '"}]')
        async with asyncio.timeout(10):
            while not bench.point.recorder.of(Disconnected):
                await asyncio.sleep(0.01)
        assert "1009" in bench.reason
        await bench.point.stop()
        await csms.close()

    clock.run(main())


def tls(client: bool = False, **how: Any) -> dict[str, Any]:
    settings = TlsSettings(system_roots=False, **how)
    profile = {"security_profile": 3} if client else {"security_profile": 2, "password": b"secret"}
    return {"profile": profile, "connection_settings": {"tls": settings}}


@pytest.mark.parametrize(
    ("server", "trusted", "how", "words"),
    [
        (c.issue("CSMS", c.root(), names=GOOD), None, {}, ""),
        (c.issue("CSMS", c.root(), names=GOOD), c.issue("Other root"), {}, "unable to get local issuer"),
        (c.issue("CSMS old", c.root(), names=GOOD, days=-1.0), None, {}, "expired"),
        (c.issue("CSMS elsewhere", c.root(), names=("csms.example",)), None, {}, "localhost"),
        (c.issue("CSMS elsewhere", c.root(), names=("csms.example",)), None, {"check_host_name": False}, ""),
        (c.issue("Self signed"), None, {}, "self"),
    ],
)
@pytest.mark.ocpp(
    "A00.FR.301", "A00.FR.302", "A00.FR.303", "A00.FR.308", "A00.FR.309", "A00.FR.311", "A00.FR.312", "A00.FR.310"
)
def test_how_the_certificate_of_a_csms_is_judged(
    runtime: Runtime, tmp_path: Path, server: c.Issued, trusted: c.Issued | None, how: dict[str, Any], words: str
) -> None:
    async def main() -> None:
        csms = Csms("2.0.1")
        url = await csms.listen(c.server(tmp_path, server))
        installed = c.Installed(tmp_path, trusted=trusted)
        bench = Bench(runtime, url, Version.V201, certificates=installed, **tls(**how))
        if words:
            assert words in await bench.fails()
            assert bench.security_events == ["InvalidCsmsCertificate"]
            assert csms.handshakes == []
        else:
            await bench.connects()
            await csms.received("BootNotification")
            authorization = csms.handshakes[0].headers["Authorization"].removeprefix("Basic ")
            identity = csms.handshakes[0].url.removeprefix("/")
            assert base64.b64decode(authorization) == f"{identity}:secret".encode()
            await bench.point.stop()
        await csms.close()

    clock.run(main())


@pytest.mark.parametrize("allowed", [False, True])
def test_a_wildcard_counts_where_it_is_allowed(runtime: Runtime, tmp_path: Path, allowed: bool) -> None:
    async def main() -> None:
        csms = Csms("2.0.1")
        wildcard = c.issue("CSMS wild", c.root(), names=("*.csms.test",))
        await csms.listen(c.server(tmp_path, wildcard))
        port = csms.url.rpartition(":")[2]
        installed = c.Installed(tmp_path)
        how = tls(allow_wildcards=allowed)
        bench = Bench(runtime, f"wss://a.csms.test:{port}", Version.V201, certificates=installed, **how)
        loop = asyncio.get_running_loop()
        real = loop.create_connection

        async def to_loopback(made: Any, host: str, port: int, **how: Any) -> Any:
            return await real(made, "127.0.0.1", port, **how)

        loop.create_connection = to_loopback  # type: ignore[assignment]
        if allowed:
            await bench.connects()
            await bench.point.stop()
        else:
            assert "wildcard" in await bench.fails()
            assert csms.handshakes == [], "the password was not sent"
            assert bench.security_events == ["InvalidCsmsCertificate"]
        await csms.close()

    clock.run(main())


class Blocking:
    """A TLS server that blocks, in a thread: unlike asyncio's it sends the alert of a handshake that fails."""

    def __init__(self, context: ssl.SSLContext, *, reads: bool = True) -> None:
        self._context = context
        self._reads = reads
        """Whether the client's next message is taken; otherwise a reset follows the alert, and may overtake it."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"wss://localhost:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            how: dict[str, Any] = {"server_side": True, "do_handshake_on_connect": False}
            with contextlib.suppress(OSError), self._context.wrap_socket(connection, **how) as tls:
                try:
                    tls.do_handshake()
                except ssl.SSLError:
                    if self._reads:
                        tls.settimeout(0.5)
                        socket.socket.recv(tls, 65536)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.mark.ocpp(
    "A00.FR.401", "A00.FR.402", "A00.FR.411", "A00.FR.412", "A00.FR.414", "A00.FR.415", "A00.FR.413", "A00.FR.430"
)
def test_a_client_certificate(runtime: Runtime, tmp_path: Path) -> None:
    async def main() -> None:
        csms, other = Csms("2.0.1"), Csms("2.0.1")
        server = c.issue("CSMS", c.root(), names=GOOD)
        url = await csms.listen(c.server(tmp_path, server, wants_client=True))
        good = c.Installed(tmp_path, client=c.issue("cp001", c.root()))
        bench = Bench(runtime, url, Version.V201, certificates=good, **tls(client=True))
        await bench.connects()
        await csms.received("BootNotification")
        assert "Authorization" not in csms.handshakes[0].headers
        await bench.point.stop()
        blocking = Blocking(c.server(tmp_path, server, wants_client=True))
        for client in (c.issue("cp001 self signed"), c.issue("cp001 old", c.root(), days=-1.0)):
            refused = Bench(
                runtime,
                blocking.url,
                Version.V201,
                certificates=c.Installed(tmp_path, client=client),
                **tls(client=True),
            )
            assert "refuses the certificate of the station" in await refused.fails()
            assert refused.security_events == ["FailedToAuthenticateAtCsms"]
        blocking.close()
        rude = Blocking(c.server(tmp_path, server, wants_client=True), reads=False)
        strange = c.Installed(tmp_path, client=c.issue("cp001 self signed"))
        reset = Bench(runtime, rude.url, Version.V201, certificates=strange, **tls(client=True))
        assert "certificate of the station" in await reset.fails()
        rude.close()
        mine = c.issue("cp001", c.root())
        foreign = c.Installed(tmp_path, client=mine, trusted=c.issue("Other root"))
        unknown = Bench(runtime, url, Version.V201, certificates=foreign, **tls(client=True))
        assert "self-signed certificate in certificate chain" in await unknown.fails()
        assert unknown.security_events == ["InvalidCsmsCertificate"]
        elsewhere = await other.listen(c.server(tmp_path, c.issue("E", c.root(), names=("csms.example",))))
        strange = c.Installed(tmp_path, client=mine)
        assert (
            "localhost"
            in await Bench(runtime, elsewhere, Version.V201, certificates=strange, **tls(client=True)).fails()
        )
        assert other.handshakes == []
        await other.close()
        none = Bench(runtime, url, Version.V201, certificates=c.Installed(tmp_path), **tls(client=True))
        assert "client certificate" in await none.fails()
        await csms.close()

    clock.run(main())


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"])
@pytest.mark.ocpp("A00.FR.319", "A00.FR.422", "A00.FR.321", "A00.FR.424")
def test_the_suites_of_the_standard_without_compression(runtime: Runtime, tmp_path: Path, suite: str) -> None:
    async def main() -> None:
        csms = Csms("2.0.1")
        server = c.server(tmp_path, c.issue("CSMS", c.root(), names=GOOD))
        server.maximum_version = ssl.TLSVersion.TLSv1_2
        server.set_ciphers(suite)
        server.options &= ~ssl.OP_NO_COMPRESSION
        bench = Bench(runtime, await csms.listen(server), Version.V201, certificates=c.Installed(tmp_path), **tls())
        await bench.connects()
        await csms.received("BootNotification")
        assert csms.socket is not None
        used = csms.socket.connection.transport.get_extra_info("ssl_object")  # type: ignore[attr-defined]
        assert used.cipher()[0] == suite and used.compression() is None
        await bench.point.stop()
        await csms.close()

    clock.run(main())


@pytest.mark.ocpp("A00.FR.323", "A00.FR.426")
def test_an_old_version_of_tls_and_ciphers(runtime: Runtime, tmp_path: Path) -> None:
    async def main() -> None:
        context = c.server(tmp_path, c.issue("CSMS", c.root(), names=GOOD))
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-ECDSA-CHACHA20-POLY1305")
        blocking = Blocking(context)
        url = blocking.url
        installed = c.Installed(tmp_path)

        def bench(**how: Any) -> Bench:
            return Bench(runtime, url, Version.V201, certificates=installed, **tls(**how))

        suites = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384")
        one = bench(ciphers_tls12=suites)
        assert "cipher suite" in await one.fails()
        assert one.security_events == ["InvalidTLSCipherSuite"]
        assert "SupportedCiphers12" in await bench(ciphers_tls12=("NOTHING",)).fails()
        assert (
            "TPM"
            in await Bench(
                runtime,
                url,
                Version.V201,
                certificates=c.Installed(tmp_path, client=c.issue("cp", c.root())),
                **tls(client=True, use_tpm=True),
            ).fails()
        )
        blocking.close()

    clock.run(main())


@pytest.mark.ocpp("A00.FR.316", "A00.FR.419", "A00.FR.313", "A00.FR.416", "A00.FR.314", "A00.FR.417")
def test_a_downgraded_version_of_tls(runtime: Runtime, tmp_path: Path) -> None:
    async def main() -> None:
        async def alert(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(5)
            writer.write(b"\x15\x03\x01\x00\x02\x02\x46")  # protocol_version
            await writer.drain()
            await asyncio.sleep(0.2)

        listener, url = await tcp(alert)
        bench = Bench(runtime, url, Version.V201, certificates=c.Installed(tmp_path), **tls())
        assert "TLS from 1.2 on" in await bench.fails()
        assert bench.security_events == ["InvalidTLSVersion"]
        listener.close()

        async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(5)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.2)

        async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(5)

        for serve in (plain, closing):
            listener, url = await tcp(serve)
            bench = Bench(runtime, url, Version.V201, certificates=c.Installed(tmp_path), **tls())
            assert "speak TLS on this port" in await bench.fails()
            listener.close()

    clock.run(main())


def test_the_keys_of_a_session_for_analysis(runtime: Runtime, tmp_path: Path) -> None:
    async def main() -> None:
        csms = Csms("2.0.1")
        url = await csms.listen(c.server(tmp_path, c.issue("CSMS", c.root(), names=GOOD)))
        log = tmp_path / "keys.log"
        how = tls(key_log=str(log))
        bench = Bench(runtime, url, Version.V201, certificates=c.Installed(tmp_path), **how)
        await bench.connects()
        assert "CLIENT_TRAFFIC_SECRET_0" in log.read_text()
        await bench.point.stop()
        await csms.close()

    clock.run(main())


def test_a_csms_that_answers_no_ping(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Field case 12: the TCP connection stays open, the pongs stay away."""
    monkeypatch.setattr(real_link, "CLOSE_LIMIT_S", 0.1)

    async def main() -> None:
        csms = Csms("1.6")
        settings = {"ping_interval_s": 0.2, "pong_timeout_s": 0.3, "pause_random_s": 0.0, "pause_minimum_s": 0.1}
        bench = Bench(runtime, await csms.listen(), connection_settings=settings)
        await bench.connects()
        await csms.received("BootNotification")
        await asyncio.sleep(0.7)
        assert not bench.point.recorder.of(Disconnected), "it answers"
        assert csms.socket is not None
        csms.socket.connection.protocol.recv_ping = lambda frame: None  # type: ignore[attr-defined]
        csms.socket.connection.transport.pause_reading()  # type: ignore[attr-defined]
        async with asyncio.timeout(10):
            while len(bench.point.recorder.of(Connected)) < 2:
                await asyncio.sleep(0.02)
        (lost,) = bench.point.recorder.of(Disconnected)
        assert "no pong" in lost.reason
        assert len(csms.requests("BootNotification")) == 1
        await bench.point.stop()
        await csms.close()

    clock.run(main())

"""WebSockets of the library `websockets`: each way in which a CSMS cannot be reached is one reason in one line."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec

from chargebyte_fw import VERSION
from chargebyte_fw.kernel import lazy_import
from chargebyte_fw.kernel.decoding import shorten
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.interfaces import addresses_of
from chargebyte_fw.modules.ocpp.connection import tls_link
from chargebyte_fw.modules.ocpp.connection.effects import OpenSocket
from chargebyte_fw.modules.ocpp.connection.settings import TlsSettings
from chargebyte_fw.modules.ocpp.connection.web_socket import ABNORMAL, NORMAL, Closed, Handshake, HandshakeFailed
from chargebyte_fw.modules.ocpp.rpc.frames import SIZE_LIMIT_BYTES

CONNECT_LIMIT_S = 20.0
"""For DNS, TCP and TLS together."""
HANDSHAKE_LIMIT_S = 20.0
"""For the answer to the HTTP request."""
CLOSE_LIMIT_S = 2.0
CLIENT_CERTIFICATE_PROFILE = 3
REDIRECTS = (301, 302, 303, 307, 308)
_LOG = logging.Logger("websockets", logging.CRITICAL + 1)


async def dial(wanted: Handshake, order: OpenSocket, certificates: tls_link.Certificates) -> RealWebSocket:
    """Open a WebSocket; raises HandshakeFailed."""
    lazy_import.with_first_use("importlib.metadata")
    from websockets.asyncio.client import ClientConnection
    from websockets.client import ClientProtocol
    from websockets.exceptions import InvalidURI
    from websockets.uri import parse_uri

    try:
        uri = parse_uri(wanted.url)
        urlsplit(wanted.url).hostname.encode("idna")  # type: ignore[union-attr]
    except (InvalidURI, ValueError, AttributeError, UnicodeError):
        raise HandshakeFailed(f"{wanted.url} is not a URL of a CSMS") from None
    how: dict[str, Any] = {}
    if uri.secure:
        files = await certificates.files()
        if order.client is not None:
            files = msgspec.structs.replace(files, chain=order.client.chain, key=order.client.key)
        how["server_hostname"] = uri.host
    if order.local_address:
        how["local_addr"] = (_local(order.local_address, uri.host), 0)

    def made() -> Any:
        protocol = ClientProtocol(uri, subprotocols=list(wanted.subprotocols), max_size=SIZE_LIMIT_BYTES, logger=_LOG)  # type: ignore[arg-type]
        return ClientConnection(protocol, ping_interval=None, close_timeout=CLOSE_LIMIT_S)

    async def connected(tls: TlsSettings, files: tls_link.TlsFiles) -> Any:
        client = order.profile.security_profile == CLIENT_CERTIFICATE_PROFILE
        # Reads files: a store of hundreds of roots takes its time.
        context = partial(certificates.context, tls, files, with_client_certificate=client)
        made_context = await asyncio.get_running_loop().run_in_executor(None, context)
        return await _connect(uri.host, uri.port, made, {**how, "ssl": made_context})

    former_root = False
    if not uri.secure:
        connection = await _connect(uri.host, uri.port, made, how)
    elif order.new_root:
        connection, former_root = await _with_new_root(order, files, connected)
    else:
        connection = await connected(order.tls, files)
    try:
        if uri.secure:
            peer = connection.transport.get_extra_info("ssl_object").getpeercert()
            tls_link.check_name(peer or {}, uri.host, order.tls)
        await _shake(connection, wanted, uri.secure)
    except BaseException:
        connection.transport.abort()
        raise
    return RealWebSocket(connection, former_root=former_root)


async def _with_new_root(
    order: OpenSocket, files: tls_link.TlsFiles, connected: Callable[[TlsSettings, tls_link.TlsFiles], Awaitable[Any]]
) -> tuple[Any, bool]:
    """Connect by the new root of the CSMS alone, otherwise by those before it ([M05.FR.14]); returns by which."""
    alone = msgspec.structs.replace(files, only_root=order.new_root)
    try:
        return await connected(msgspec.structs.replace(order.tls, system_roots=False), alone), False
    except HandshakeFailed as error:
        if error.event != tls_link.INVALID_CERTIFICATE or not (order.former_root or order.tls.system_roots):
            raise
    return await connected(order.tls, files if order.former_root else alone), True


def _local(name: str, host: str) -> str:
    """Return the address to connect from: one that is given, or that of an interface."""
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(name))
    try:
        found = [address for address in addresses_of(name) if address is not None]
    except Unavailable as error:
        raise HandshakeFailed(f"IFace: {error}") from None
    wants_6 = ":" in host
    return next((address for address in found if (":" in address) == wants_6), found[0])


async def _connect(host: str, port: int, made: Any, how: dict[str, Any]) -> Any:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            _, connection = await loop.create_connection(made, host, port, **how)
    except TimeoutError:
        what = "TCP connection or TLS handshake" if "ssl" in how else "TCP connection"
        raise HandshakeFailed(f"no {what} with {host}:{port} within {CONNECT_LIMIT_S:g} s") from None
    except ssl.SSLError as error:
        raise tls_link.failure(error) from None
    except ssl.CertificateError as error:
        raise HandshakeFailed(
            f"the certificate of the CSMS is refused: {error}", tls_link.INVALID_CERTIFICATE
        ) from None
    except ConnectionResetError as error:
        if "ssl" not in how or error.errno is not None:
            raise HandshakeFailed(f"{host}:{port} cannot be reached: {error.strerror or error}") from None
        text = "the CSMS closed the connection in the TLS handshake (does it speak TLS on this port?)"
        raise HandshakeFailed(text) from None
    except (OSError, UnicodeError) as error:
        text = getattr(error, "strerror", None) or str(error)
        raise HandshakeFailed(f"{host}:{port} cannot be reached: {text}") from None
    return connection


async def _shake(connection: Any, wanted: Handshake, secure: bool) -> None:
    from websockets.exceptions import InvalidStatus, WebSocketException

    try:
        async with asyncio.timeout(HANDSHAKE_LIMIT_S):
            await connection.handshake(dict(wanted.headers), f"chargebyte_fw/{VERSION}")
    except TimeoutError:
        text = f"connected, but no answer to the WebSocket handshake within {HANDSHAKE_LIMIT_S:g} s"
        raise HandshakeFailed(text) from None
    except InvalidStatus as error:
        raise _refused(error.response) from None
    except (WebSocketException, EOFError, OSError, ValueError) as error:
        causes = list(_causes(error, connection))
        for cause in causes:
            if isinstance(cause, ssl.SSLError):
                # With TLS 1.3 a CSMS refuses the client's certificate after the client has finished its handshake.
                raise tls_link.failure(cause) from None
        hint = "" if secure else " (does it expect wss:// there?)"
        if secure and any(isinstance(cause, ConnectionResetError) for cause in causes):
            hint = " (does it accept the certificate of the station?)"
        raise HandshakeFailed(f"no WebSocket: {shorten(str(error) or type(error).__name__)}{hint}") from None


def _causes(error: BaseException, connection: Any) -> Iterator[BaseException]:
    waiting: list[BaseException | None] = [error, getattr(connection, "recv_exc", None)]
    while waiting:
        one = waiting.pop()
        if one is not None:
            yield one
            waiting.append(one.__cause__ or one.__context__)


def _refused(response: Any) -> HandshakeFailed:
    status = response.status_code
    if status in (401, 403):
        text = f"the CSMS refuses identity or password: HTTP {status} {shorten(response.reason_phrase, 50)}"
        return HandshakeFailed(text, tls_link.FAILED_TO_AUTHENTICATE)
    if status in REDIRECTS:
        where = shorten(str(response.headers.get("Location", "")), 100)
        return HandshakeFailed(f"the CSMS redirects to {where!r} (HTTP {status}): a station follows no redirect")
    hint = " (does the CSMS know this identity?)" if status == 404 else ""
    return HandshakeFailed(f"the CSMS refuses: HTTP {status} {shorten(response.reason_phrase, 50)}{hint}")


class RealWebSocket:
    """A connection of the library as `WebSocket`."""

    def __init__(self, connection: Any, *, former_root: bool = False) -> None:
        self._connection = connection
        self.former_root = former_root
        self.subprotocol: str | None = connection.subprotocol
        self._pong: asyncio.Future[Any] | None = None

    async def recv(self) -> str | bytes:
        """Return the next message."""
        with _closing():
            received: str | bytes = await self._connection.recv()
            return received

    async def send(self, message: str) -> None:
        """Send a text message."""
        with _closing():
            await self._connection.send(message)

    async def ping(self, data: bytes) -> Awaitable[object]:
        """Send a ping; the result is done with its pong."""
        if self._pong is None or self._pong.done():  # two with one payload could not be distinguished
            with _closing():
                self._pong = await self._connection.ping(data)
        return _pong(self._pong)

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close it."""
        await self._connection.close(code, reason)

    def abort(self) -> None:
        """Let go of it at once."""
        self._connection.transport.abort()


async def _pong(pong: Any) -> None:
    with _closing():
        await pong


@contextlib.contextmanager
def _closing() -> Iterator[None]:
    from websockets.exceptions import ConnectionClosed

    try:
        yield
    except ConnectionClosed as error:
        frame = error.rcvd if error.rcvd_then_sent or error.sent is None else error.sent
        if frame is None:
            raise Closed(ABNORMAL, "the connection was lost without a close frame") from None
        raise Closed(frame.code, frame.reason) from None

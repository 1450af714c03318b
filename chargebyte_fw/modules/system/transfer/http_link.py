"""HTTP(S) with aiohttp: a download that goes on where it ended (RFC 9110 §14), an upload with PUT."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from chargebyte_fw.modules.system.transfer import timing
from chargebyte_fw.modules.system.transfer.messages import Address, Failure, TransferError, address_of, one_line
from chargebyte_fw.modules.system.transfer.received_file import ReceivedFile
from chargebyte_fw.modules.system.transfer.threads import Progress

if TYPE_CHECKING:
    import aiohttp

REDIRECTS = 5
"""So many are followed (docs/update.md)."""


async def fetch(address: Address, received: ReceivedFile) -> None:
    """Fetch the file into `received`; raises TransferError."""
    async with _session() as session:
        if received.offset and await _fetch_rest(session, address, received):
            return
        async with _asked(session, "GET", address) as answer:
            received.begin(0, answer.content_length, _version(answer))
            await _take(answer, received)


async def _fetch_rest(session: aiohttp.ClientSession, address: Address, received: ReceivedFile) -> bool:
    """Fetch what is missing; False when the file must be begun anew."""
    headers = {"Range": f"bytes={received.offset}-"}
    if received.origin.version:
        headers["If-Range"] = received.origin.version
    async with _asked(session, "GET", address, headers, fine=(416,)) as answer:
        if answer.status == 416:
            return False
        version = _version(answer)
        if answer.status == 206:
            offset, size = _content_range(answer.headers.get("Content-Range", ""))
            # Some servers look at times only in If-Range: the tag of the answer decides.
            if (offset, size, version) != (received.offset, received.origin.size, received.origin.version):
                return False
        else:
            offset, size = 0, answer.content_length
        received.begin(offset, size, version)
        await _take(answer, received)
        return True


async def _take(answer: aiohttp.ClientResponse, received: ReceivedFile) -> None:
    async for chunk in answer.content.iter_chunked(timing.CHUNK):
        received.write(chunk)


async def send(address: Address, file: Path, pulse: Progress) -> None:
    """Send the file with PUT (always as a whole: HTTP has no agreed way to go on); raises TransferError."""
    headers = {"Content-Length": str(file.stat().st_size), "Content-Type": "application/gzip"}
    async with _session() as session, _asked(session, "PUT", address, headers, body=lambda: _chunks(file, pulse)):
        return


async def _chunks(file: Path, pulse: Progress) -> AsyncIterator[bytes]:
    with file.open("rb") as body:
        while chunk := body.read(timing.CHUNK):
            yield chunk
            pulse.beat()


@asynccontextmanager
async def _asked(
    session: aiohttp.ClientSession,
    method: str,
    address: Address,
    headers: dict[str, str] | None = None,
    body: Callable[[], AsyncIterator[bytes]] | None = None,
    fine: Sequence[int] = (),
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Ask, follow redirects by our own rules, and yield the answer; one that is no success raises TransferError."""
    from yarl import URL

    moved = (301, 302, 303, 307, 308) if body is None else (307, 308)
    for _ in range(REDIRECTS + 1):
        url = URL(address.url, encoded=True)
        data = None if body is None else body()
        async with session.request(
            method, url, headers=_headers(address, headers or {}), data=data, allow_redirects=False
        ) as answer:
            if answer.status not in moved:
                if answer.status not in fine:
                    _check(answer)
                yield answer
                return
            address = _next(address, answer.headers.get("Location", ""), same_host=body is not None)
    raise TransferError(Failure.BROKEN, "the server sends us in circles")


@asynccontextmanager
async def _session() -> AsyncIterator[aiohttp.ClientSession]:
    import aiohttp

    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=timing.CONNECT_LIMIT_S, connect=timing.CONNECT_LIMIT_S, sock_read=timing.STALL_LIMIT_S
    )
    try:
        # A server that answers before it has read a whole upload leaves a connection that serves no second request.
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session:
            yield session
    except aiohttp.ClientConnectorCertificateError as error:
        raise TransferError(Failure.BROKEN, f"the server's certificate: {error.certificate_error}") from error
    except (aiohttp.ClientSSLError, ssl.SSLError) as error:
        raise TransferError(Failure.DENIED, f"no TLS with the server: {one_line(error)}") from error
    except aiohttp.InvalidURL as error:
        # Its own text holds the whole address.
        raise TransferError(Failure.ADDRESS, "the address is no URL", final=True) from error
    except TimeoutError as error:
        raise TransferError(Failure.BROKEN, "the server does not answer in time") from error
    except aiohttp.ClientResponseError as error:
        # Its own text holds the whole address, with a query that may be a secret.
        raise TransferError(Failure.BROKEN, f"the server's answer is no HTTP: {one_line(error.message)}") from error
    except ValueError as error:
        # What a library could not read, and shows, may be a part of the address.
        raise TransferError(Failure.BROKEN, f"the request cannot be made ({type(error).__name__})") from error
    except (aiohttp.ClientError, OSError, EOFError) as error:
        if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, socket.gaierror):
            raise TransferError(Failure.ADDRESS, f"the host has no address: {error.os_error.strerror}") from error
        raise TransferError(Failure.BROKEN, one_line(error)) from error


def _headers(address: Address, more: dict[str, str]) -> dict[str, str]:
    # With an encoding the bytes would not be those of the file.
    headers = {"Accept-Encoding": "identity", **more}
    if address.user:
        login = base64.b64encode(f"{address.user}:{address.password}".encode()).decode()
        headers["Authorization"] = f"Basic {login}"
    return headers


def _next(here: Address, location: str, *, same_host: bool = False) -> Address:
    """Return the address that a redirect leads to; raises TransferError.

    With `same_host` it may lead to no other one. The password goes to the same server, and from port 80 to TLS at port
    443 of the same host.
    """
    if not location:
        raise TransferError(Failure.BROKEN, "the server sends us elsewhere, but not where")
    try:
        there = address_of(urljoin(here.url, location))
    except (TransferError, ValueError) as error:
        strange = isinstance(error, TransferError) and error.trouble is Failure.SCHEME
        trouble = Failure.SCHEME if strange else Failure.BROKEN
        raise TransferError(trouble, f"the server sends us astray: {one_line(error)}", final=strange) from error
    if there.scheme not in ("http", "https"):
        raise TransferError(Failure.SCHEME, f"the server sends us to {there}", final=True)
    if here.scheme == "https" and there.scheme == "http":
        raise TransferError(Failure.DENIED, f"the server sends us from TLS to {there}", final=True)
    if same_host and here.host != there.host:
        # Whoever asked for the file named this host; a server on the way does not choose who else gets it.
        raise TransferError(Failure.DENIED, f"the server sends us to another host, {there}", final=True)
    ends = (here.scheme, here.port), (there.scheme, there.port)
    if here.host == there.host and (ends[0] == ends[1] or ends == (("http", 80), ("https", 443))):
        return replace(there, user=here.user, password=here.password)
    return there


def _check(answer: aiohttp.ClientResponse) -> None:
    if answer.status in (401, 403, 407):
        raise TransferError(Failure.DENIED, f"the server says {answer.status} {one_line(answer.reason or '')}")
    if answer.status >= 300:
        raise TransferError(Failure.BROKEN, f"the server says {answer.status} {one_line(answer.reason or '')}")


def _version(answer: aiohttp.ClientResponse) -> str:
    """Return what If-Range may carry: a strong entity tag, else the time of change (RFC 9110 §13.1.5)."""
    tag = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")


def _content_range(text: str) -> tuple[int, int | None]:
    """Read `bytes 10-99/100` (RFC 9110 §14.4): where it begins and the whole size."""
    unit, _, rest = text.partition(" ")
    span, _, size = rest.partition("/")
    try:
        if unit != "bytes":
            raise ValueError(unit)
        return int(span.partition("-")[0]), None if size == "*" else int(size)
    except ValueError as error:
        raise TransferError(Failure.BROKEN, f"the server's Content-Range is {text[:80]!r}") from error

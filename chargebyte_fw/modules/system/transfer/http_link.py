"""HTTP(S) with aiohttp: a download that goes on where it ended (RFC 9110 §14), an upload with PUT."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from chargebyte_fw.modules.system.transfer import timing
from chargebyte_fw.modules.system.transfer.landing import Landing
from chargebyte_fw.modules.system.transfer.messages import Address, TransferError, Trouble, address_of

if TYPE_CHECKING:
    import aiohttp

REDIRECTS = 5


async def fetch(address: Address, landing: Landing) -> None:
    """Fetch the file into `landing`; raises TransferError."""
    headers = {"Accept-Encoding": "identity"}
    if landing.offset:
        headers["Range"] = f"bytes={landing.offset}-"
        if landing.origin.version:
            headers["If-Range"] = landing.origin.version
    async with _session() as session, session.get(address.url, headers=headers, auth=_auth(address)) as answer:
        if answer.status == 416:
            landing.restart()
            raise TransferError(Trouble.BROKEN, "the server's file is not the one that was begun")
        _check(answer)
        size, offset = answer.content_length, 0
        if answer.status == 206:
            offset, size = _content_range(answer.headers.get("Content-Range", ""))
            if offset != landing.offset or size != landing.origin.size:
                landing.restart()
                raise TransferError(Trouble.BROKEN, "the server's file is not the one that was begun")
        landing.begin(offset, size, _version(answer))
        async for chunk in answer.content.iter_chunked(timing.CHUNK):
            landing.write(chunk)


async def send(address: Address, file: Path) -> None:
    """Send the file with PUT (always as a whole: HTTP has no agreed way to go on); raises TransferError."""
    size = file.stat().st_size
    async with _session() as session:
        for _ in range(REDIRECTS):
            with file.open("rb") as body:
                headers = {"Content-Length": str(size), "Content-Type": "application/gzip"}
                async with session.put(
                    address.url, data=body, headers=headers, auth=_auth(address), allow_redirects=False
                ) as answer:
                    if answer.status not in (307, 308):
                        _check(answer)
                        return
                    there = urljoin(str(answer.url), answer.headers.get("Location", ""))
            address = address_of(there)
            if address.scheme not in ("http", "https"):
                raise TransferError(Trouble.SCHEME, f"the server sends us to {address}", final=True)
    raise TransferError(Trouble.BROKEN, "the server sends us in circles")


@asynccontextmanager
async def _session() -> AsyncIterator[aiohttp.ClientSession]:
    import aiohttp

    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=timing.CONNECT_LIMIT_S, connect=timing.CONNECT_LIMIT_S, sock_read=timing.STALL_LIMIT_S
    )
    try:
        # Content encodings would make the length of the file differ from the length that was announced.
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
            yield session
    except aiohttp.ClientConnectorCertificateError as error:
        raise TransferError(Trouble.BROKEN, f"the server's certificate: {error.certificate_error}") from error
    except (aiohttp.ClientSSLError, ssl.SSLError) as error:
        raise TransferError(Trouble.DENIED, f"no TLS with the server: {error}") from error
    except aiohttp.InvalidURL as error:
        raise TransferError(Trouble.ADDRESS, f"the address is no URL: {error}", final=True) from error
    except TimeoutError as error:
        raise TransferError(Trouble.BROKEN, "the server does not answer in time") from error
    except (aiohttp.ClientError, ConnectionError, asyncio.IncompleteReadError) as error:
        if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, socket.gaierror):
            raise TransferError(Trouble.ADDRESS, f"the host has no address: {error.os_error.strerror}") from error
        raise TransferError(Trouble.BROKEN, str(error) or type(error).__name__) from error


def _auth(address: Address) -> aiohttp.BasicAuth | None:
    import aiohttp

    return aiohttp.BasicAuth(address.user, address.password) if address.user else None


def _check(answer: aiohttp.ClientResponse) -> None:
    if answer.status in (401, 403, 407):
        raise TransferError(Trouble.DENIED, f"the server says {answer.status} {answer.reason}")
    if answer.status >= 300:
        raise TransferError(Trouble.BROKEN, f"the server says {answer.status} {answer.reason}")


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
        raise TransferError(Trouble.BROKEN, f"the server's Content-Range is {text!r}") from error

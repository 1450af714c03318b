"""Asks an OCSP responder by HTTP (RFC 6960, appendix A.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chargebyte_fw.kernel.wires import Wires

TIMEOUT_S = 10.0
LARGEST_RESPONSE_BYTES = 64 * 1024
SCHEMES = ("http://", "https://")


async def ask(wires: Wires, url: str, request: bytes) -> bytes:
    """Return the responder's answer (DER) to a request (DER); raises OSError or ValueError when there is none.

    The wire `ocsp:<url>` in memory is a callable that takes the request and returns the response.
    """
    wired: Callable[[bytes], bytes] | None = wires.find(f"ocsp:{url}")
    if wired is not None:
        return wired(request)
    return await asyncio.to_thread(_post, url, request)


def _post(url: str, request: bytes) -> bytes:
    import http.client
    import urllib.request

    if not url.startswith(SCHEMES):
        raise ValueError("the certificate names a responder that is not reached by HTTP")
    headers = {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"}
    try:
        posted = urllib.request.Request(url, request, headers)
        with urllib.request.urlopen(posted, timeout=TIMEOUT_S) as response:
            data: bytes = response.read(LARGEST_RESPONSE_BYTES + 1)
    except http.client.HTTPException as error:
        raise OSError(f"the responder's answer is not HTTP: {error!r}") from error
    if len(data) > LARGEST_RESPONSE_BYTES:
        raise ValueError(f"the response is larger than {LARGEST_RESPONSE_BYTES >> 10} KiB")
    return data

"""ClientHellos of the test's own making."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def vector(data: bytes, size: int = 2) -> bytes:
    return len(data).to_bytes(size, "big") + data


def numbers(values: Sequence[int], size: int = 2) -> bytes:
    return vector(b"".join(value.to_bytes(2, "big") for value in values), size)


def hello(
    *,
    suites: Sequence[int] = (0xC023,),
    versions: Sequence[int] | None = None,
    groups: Sequence[int] | None = (23,),
    signatures: Sequence[int] | None = (0x0403,),
    extensions: Sequence[tuple[int, bytes]] = (),
    legacy: int = 0x0303,
    session_id: bytes = b"",
    with_extensions: bool = True,
) -> bytes:
    """Return the body of a ClientHello."""
    found: list[tuple[int, bytes]] = []
    if versions is not None:
        found.append((43, numbers(versions, 1)))
    if groups is not None:
        found.append((10, numbers(groups)))
    if signatures is not None:
        found.append((13, numbers(signatures)))
    found += extensions
    body = legacy.to_bytes(2, "big") + bytes(range(32)) + vector(session_id, 1) + numbers(suites) + b"\x01\x00"
    if with_extensions:
        body += vector(b"".join(kind.to_bytes(2, "big") + vector(data) for kind, data in found))
    return body


def message(body: bytes) -> bytes:
    return b"\x01" + vector(body, 3)


def records(data: bytes, size: int = 16_384, version: int = 0x0301) -> bytes:
    """Cut a handshake message into records."""
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"\x16" + version.to_bytes(2, "big") + vector(piece) for piece in pieces)


def stream(**values: Any) -> bytes:
    """Return a ClientHello as it is on the wire."""
    return records(message(hello(**values)))


def trusted_ca_keys(*entries: tuple[int, bytes]) -> tuple[int, bytes]:
    """Return the extension; a name (type 2) gets its length."""
    data = b"".join(bytes((kind,)) + (vector(value) if kind == 2 else value) for kind, value in entries)
    return 3, vector(data)


def certificate_authorities(*names: bytes) -> tuple[int, bytes]:
    return 47, vector(b"".join(vector(name) for name in names))

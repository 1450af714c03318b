"""The one-time password of a QR code on the display, and its URL (use case C25, version v1 of the algorithm)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import quote

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def interval_of(at_s: float, validity_s: int) -> int:
    """Return the number of the interval in which a time is (s since 1970, UTC)."""
    return int(at_s // validity_s)


def password_of(secret: str, interval: int, length: int) -> str:
    """Return the password of an interval: characters chosen by the HMAC-SHA256 of its number."""
    digest = hmac.digest(secret.encode(), interval.to_bytes(8, "big"), "sha256")
    begin = digest[-1] & 0x0F
    return "".join(ALPHABET[digest[(begin + index) % len(digest)] % len(ALPHABET)] for index in range(length))


def url_of(template: str, values: Mapping[str, str]) -> str:
    """Return the URL: each `{name}` of the template is replaced, what it does not name is left out."""
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", quote(value, safe=""))
    return template

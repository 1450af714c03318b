"""Which web pages may use the WebSocket: a browser names the page's origin (RFC 6455, 10.2; RFC 6454).

Without this check any page that a person opens beside the charger commands it. Programs send no Origin.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

NONE = "null"
"""The origin of a page without one: a file, a sandboxed frame."""


def listed(text: str) -> list[str]:
    """Return the origins in a configuration value, between commas or blanks; raises ValueError for a wrong one."""
    origins = text.replace(",", " ").split()
    for origin in origins:
        if origin != NONE and _host_of(origin) is None:
            raise ValueError(f"{origin} is no origin")
    return [origin.lower().rstrip("/") for origin in origins]


def is_allowed(origin: str | None, host: str | None, allowed: list[str]) -> bool:
    """Return whether a request with these headers `Origin` and `Host` may go on.

    A page from the host that is asked may, whatever its port, but only under an address, `localhost` or the machine's
    own name: a foreign name that leads here belongs to whoever rules that name (DNS rebinding).
    """
    if origin is None or origin.lower().rstrip("/") in allowed:
        return True
    page = _host_of(origin)
    asked = _host_of(f"http://{host}") if host else None
    return page is not None and page == asked and _is_ours(page)


def _host_of(origin: str) -> str | None:
    try:
        parts = urlsplit(origin)
        _ = parts.port
    except ValueError:
        return None
    plain = parts.path in ("", "/") and not parts.query and not parts.fragment and parts.username is None
    return parts.hostname if parts.scheme and plain and parts.hostname else None


def _is_ours(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        name = socket.gethostname().lower()
        return host in ("localhost", name, f"{name}.local", name.partition(".")[0])
    return True

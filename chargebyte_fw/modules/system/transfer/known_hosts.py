"""Lines of known_hosts files as OpenSSH reads them (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").

paramiko's own reader knows plain and hashed names only: a pattern, a negation or a marker makes it take a listed server
for a new one. Where a line can only mean one host, it counts here also where OpenSSH compares letters: `[host]:22` is
`host`, and each way to write an IPv6 address is the address.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from chargebyte_fw.kernel.text import text_lines

PORT = 22
AUTHORITY, REVOKED = "@cert-authority", "@revoked"
_BLANKS = " \t"
_WITH_PORT = re.compile(r"\[(.+)\]:(\d+)")


class Line(NamedTuple):
    """One line that lists a key."""

    marker: str
    """`@revoked`, `@cert-authority` or none."""
    names: str
    kind: str
    """Type of the key as the line names it, for example `ssh-ed25519`."""
    key: bytes | None
    """The key as it is on the wire; None when it is not readable."""


def lines_of(text: str) -> Iterator[Line]:
    """Return the lines that list a key; comments and lines of another form are passed over, as OpenSSH does."""
    for line in text_lines(text):
        words = [word for word in re.split(f"[{_BLANKS}]+", line.strip(_BLANKS)) if word]
        if not words or words[0].startswith("#"):
            continue
        marker = words.pop(0) if words[0].startswith("@") else ""
        if marker not in ("", AUTHORITY, REVOKED) or len(words) < 2:
            continue
        yield Line(marker, words[0], words[1], _key(words[1], words[2] if len(words) > 2 else ""))


def names_host(names: str, host: str, port: int) -> bool:
    """Return whether the names of a line mean this host; `host` in lower case, an IPv6 address without brackets.

    With another port than 22 only names with that port do (`[host]:2222`, or a pattern that covers it).
    """
    asked = _spellings(host, port)
    if names.startswith("|"):
        return any(_is_hash_of(names, name) for name in asked)
    found = False
    for pattern in names.split(","):
        negated = pattern.startswith("!")
        if any(_fits(pattern.removeprefix("!"), name) for name in asked):
            if negated:
                return False
            found = True
    return found


def entry(host: str, port: int, kind: str, key: bytes) -> str:
    """Return the line that lists a key of this host."""
    return f"{_spellings(host, port)[0]} {kind} {base64.b64encode(key).decode()}\n"


def _key(kind: str, text: str) -> bytes | None:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    # RFC 4253 §6.6: a key begins with the name of its type.
    return key if key[:4] == len(kind).to_bytes(4, "big") and key[4 : 4 + len(kind)] == kind.encode() else None


def _spellings(host: str, port: int) -> list[str]:
    """Return the names under which a host may be listed, the usual one first."""
    hosts = [host]
    address = _address(host)
    if address is not None:
        hosts = list(dict.fromkeys([str(address), address.exploded]))
    with_port = [f"[{each}]:{port}" for each in hosts]
    return [*hosts, *with_port] if port == PORT else with_port


def _fits(pattern: str, name: str) -> bool:
    """Compare as OpenSSH does: `*` and `?` only, without regard to case; an IPv6 address as an address."""
    return _as_pattern(_canonical(pattern.lower())).fullmatch(name) is not None


def _as_pattern(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"([*?])", pattern)
    return re.compile("".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in pieces), re.DOTALL)


def _canonical(name: str) -> str:
    """Write an address, also one in `[...]:port`, in its one form; anything else stays."""
    if (found := _WITH_PORT.fullmatch(name)) is not None:
        address = _address(found[1])
        return name if address is None else f"[{address}]:{found[2]}"
    address = _address(name)
    return name if address is None else str(address)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _is_hash_of(hashed: str, name: str) -> bool:
    """`|1|salt|HMAC-SHA1(salt, name)`, both base64."""
    parts = hashed.split("|")
    if len(parts) != 4 or parts[1] != "1":
        return False
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in parts[2:])
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), digest)

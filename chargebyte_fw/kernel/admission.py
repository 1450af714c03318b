"""How many connections a listener takes, in all and from one peer: descriptors are kept in reserve for the car."""

from __future__ import annotations

import errno
import ipaddress
import resource
from collections import Counter

OUT_OF_DESCRIPTORS = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
"""Why `accept` fails although somebody asks (accept(2)); asyncio then looks away from the listener for a second."""
SHARE = 4
"""No listener takes more than this part of what the process may open (RLIMIT_NOFILE)."""
UNBOUNDED = 1 << 20


def descriptors() -> int:
    """Return how many descriptors this process may have."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return UNBOUNDED if soft == resource.RLIM_INFINITY else min(soft, UNBOUNDED)


def peer_of(address: str) -> str:
    """Return who is counted as one peer: an IPv4 address, the /64 of an IPv6 one (a host has all of it)."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4 or parsed.is_link_local or parsed.is_loopback:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


class Admission:
    """Counts connections. This machine itself (the loopback address, a Unix socket) is bounded by `total` alone."""

    def __init__(self, total: int, per_peer: int) -> None:
        self.total = max(1, min(total, descriptors() // SHARE))
        self.per_peer = min(per_peer, self.total)
        self._peers: Counter[str] = Counter()

    def refusal(self, address: str) -> str:
        """Return why a connection from `address` is not taken, "" when it is."""
        if self._peers.total() >= self.total:
            return f"{self.total} connections are open already"
        peer = peer_of(address)
        if self._peers[peer] >= self.per_peer and not _is_local(peer):
            return f"{self.per_peer} connections from {peer} are open already"
        return ""

    def enter(self, address: str) -> None:
        """Count a connection that is taken."""
        self._peers[peer_of(address)] += 1

    def leave(self, address: str) -> None:
        """Count a connection no more."""
        peer = peer_of(address)
        self._peers[peer] -= 1
        if self._peers[peer] <= 0:
            del self._peers[peer]


def _is_local(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return "/" not in peer

"""How many connections a listener accepts, in all and from one peer: descriptors are reserved for the EV."""

from __future__ import annotations

import errno
import ipaddress
import resource
from collections import Counter

OUT_OF_DESCRIPTORS = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
"""Errors of accept(2) with a connection waiting; asyncio then ignores the listener for a second."""
SHARE = 4
"""The part of the process' descriptors (RLIMIT_NOFILE) that one listener may use."""
UNBOUNDED = 1 << 20


def descriptors() -> int:
    """Return how many descriptors this process may have."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return UNBOUNDED if soft == resource.RLIM_INFINITY else min(soft, UNBOUNDED)


def peer_of(address: str) -> str:
    """Return the peer of an address: an IPv4 address itself, the /64 of an IPv6 one (a host has all of it)."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4 or parsed.is_link_local or parsed.is_loopback:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


class Admission:
    """Counts connections. The local host (loopback address, Unix socket) is bounded by `total` alone."""

    def __init__(self, total: int, per_peer: int) -> None:
        self.total = max(1, min(total, descriptors() // SHARE))
        self.per_peer = min(per_peer, self.total)
        self._peers: Counter[str] = Counter()

    def refusal(self, address: str) -> str:
        """Return why a connection from `address` is refused, "" when it is accepted."""
        if self._peers.total() >= self.total:
            return f"{self.total} connections are open already"
        peer = peer_of(address)
        if self._peers[peer] >= self.per_peer and not _is_local(peer):
            return f"{self.per_peer} connections from {peer} are open already"
        return ""

    def enter(self, address: str) -> None:
        """Count a connection that is accepted."""
        self._peers[peer_of(address)] += 1

    def leave(self, address: str) -> None:
        """Uncount a connection that has ended."""
        peer = peer_of(address)
        self._peers[peer] -= 1
        if self._peers[peer] <= 0:
            del self._peers[peer]


def _is_local(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return "/" not in peer

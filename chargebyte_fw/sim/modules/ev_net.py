"""The car's network of PyEvJosev: to a charger of this process in memory, to any other one by an interface."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.errors import Unavailable, in_words
from chargebyte_fw.kernel.text import text_lines
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.v2g import sdp
from chargebyte_fw.sim.net import Connecting, Line, MemoryNet, Net
from chargebyte_fw.sim.net_sockets import SocketNet

AUTO = "auto"
_ADDRESSES = Path("/proc/net/if_inet6")
_LINK_LOCAL = "20"


def car_host(wires: Wires, device: str) -> memory.Host:
    """Return the car's end of the link on `device`; the first car lays it, and the charger of this process uses it."""
    ours: memory.Host | None = wires.find(f"car-ip:{device}")
    if ours is None:
        theirs, ours = memory.link()
        wires.plug(f"car-ip:{device}", ours)
        if wires.find(f"ip:{device}") is None:
            wires.plug(f"ip:{device}", theirs)
    return ours


def interface_of(device: str) -> str:
    """Return the interface that `device` names: with `auto` the first one with a link-local address.

    Raises Unavailable.
    """
    if device != AUTO:
        return device
    try:
        rows = [line.split() for line in text_lines(_ADDRESSES.read_text("ascii"))]
    except OSError as error:
        raise Unavailable(f"no IPv6: {in_words(error)}") from error
    found = [row[5] for row in rows if len(row) == 6 and row[3] == _LINK_LOCAL]
    if not found:
        raise Unavailable("no interface has a link-local IPv6 address")
    return found[0]


class CarNet:
    """A network that looks for the charger anew with each session."""

    def __init__(self, host: memory.Host, device: str, refused: Callable[[str], None]) -> None:
        self._host = host
        self._device = device
        self._refused = refused
        self._net: Net | None = None

    def open(self, received: Callable[[bytes], None]) -> None:
        """Take part in SDP, where there is a charger."""
        self.close()
        try:
            self._net = self._find()
            self._net.open(received)
        except (Unavailable, OSError) as error:
            self._net = None
            self._refused(f"{self._device}: {in_words(error, of_file=False)}")

    def _find(self) -> Net:
        peer = self._host.peer
        if peer is not None and peer.is_bound(sdp.PORT):
            return MemoryNet(self._host)
        return SocketNet(interface_of(self._device))

    def send_sdp(self, data: bytes) -> None:
        """Send a datagram to the charger's SDP port."""
        if self._net is not None:
            self._net.send_sdp(data)

    def connect(self, address: str, port: int, who: Connecting) -> Line:
        """Begin a connection."""
        if self._net is not None:
            return self._net.connect(address, port, who)
        asyncio.get_running_loop().call_soon(who.disconnected, "there is no network")
        return _NoLine()

    def close(self) -> None:
        """Give everything back."""
        if self._net is not None:
            self._net.close()
            self._net = None


class _NoLine:
    def send(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass

    def abandon(self) -> None:
        pass

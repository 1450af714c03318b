"""The link of SLAC: raw Ethernet of the modem's interface (AF_PACKET), or an end of a cable in memory.

An interface that is missing or down, at the start or later, is waited for: one line when it goes, one when it is back.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import socket
import struct
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from chargebyte_fw.kernel.errors import PeerError, Unavailable
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.memory import WireEnd
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.slac.messages import ETHERTYPE, Frame, decode

RETRY_S = 1.0
"""How often a missing interface is looked for."""
LARGEST_FRAME = 2048
FRAMES_A_TURN = 64
"""How many frames are read before the rest of the program has its turn."""
BAD_FRAMES_LOGGED = 10
"""Bad frames of a minute that get a line each; more are counted."""
SIOCGIFFLAGS = 0x8913
IFF_UP = 1
SECRETS = ("new_key", "nmk")
"""Fields that do not go into the trace."""


class PacketSocket:
    """HomePlug frames of one interface. Raises Unavailable when it cannot be opened."""

    def __init__(self, interface: str, receive: Callable[[bytes], None], lost: Callable[[Unavailable], None]) -> None:
        self._interface = interface
        self._receive = receive
        self._lost = lost
        self._socket = _open(interface)
        self.mac = bytes(self._socket.getsockname()[4])
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def send(self, frame: bytes) -> None:
        """Send one frame; one that finds no room is lost, as it might be on the line."""
        try:
            self._socket.send(frame)
        except OSError as error:
            if error.errno not in (errno.ENOBUFS, errno.EAGAIN):
                self._lose(error)

    def _readable(self) -> None:
        for _ in range(FRAMES_A_TURN):
            try:
                frame = self._socket.recv(LARGEST_FRAME)
            except BlockingIOError:
                return
            except OSError as error:
                self._lose(error)
                return
            self._receive(frame)
            if self._socket.fileno() < 0:
                return

    def _lose(self, error: OSError) -> None:
        if self._socket.fileno() >= 0:
            self.close()
            self._lost(Unavailable(f"{self._interface} is gone: {error.strerror}"))

    def close(self) -> None:
        """Close the socket."""
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()


def _open(interface: str) -> socket.socket:
    try:
        # Protocol 0 until it is bound: otherwise frames of every interface would already queue up.
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    except PermissionError as error:
        advice = "start as root, or with AmbientCapabilities=CAP_NET_RAW"
        raise Unavailable(f"no permission for raw Ethernet on {interface} (CAP_NET_RAW): {advice}") from error
    except OSError as error:
        raise Unavailable(f"no raw Ethernet on {interface}: {error.strerror}") from error
    try:
        answer = fcntl.ioctl(opened, SIOCGIFFLAGS, struct.pack("16sH14x", interface.encode()[:15], 0))
        if not struct.unpack_from("H", answer, 16)[0] & IFF_UP:
            raise Unavailable(f"{interface} is down")
        opened.bind((interface, ETHERTYPE))
    except OSError as error:
        opened.close()
        missing = error.errno in (errno.ENODEV, errno.ENXIO)
        what = f"there is no interface {interface}" if missing else f"cannot open {interface}: {error.strerror}"
        raise Unavailable(what) from error
    except Unavailable:
        opened.close()
        raise
    return opened


class SlacLink:
    """Frames to and from the modem. Calls `up(mac)` and `down(why)` when it opens and fails; `after` is a timer."""

    def __init__(
        self,
        device: str,
        runtime: Runtime,
        log: ModuleLog,
        *,
        up: Callable[[bytes], None],
        received: Callable[[Frame], None],
        down: Callable[[Unavailable], None],
        after: Callable[[float, Callable[[], None]], asyncio.TimerHandle],
    ) -> None:
        self._device = device
        self._runtime = runtime
        self._log = log
        self._bad = RateLimitedLog(log, "%d more bad frames came within %g s", lines=BAD_FRAMES_LOGGED)
        self._up, self._received, self._down, self._after = up, received, down, after
        self._port: PacketSocket | WireEnd | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._missing = False

    def open(self, delay_s: float = 0.0) -> None:
        """Open the interface in `delay_s`, and keep trying when it is not there."""
        self._retry = self._after(delay_s, self._open)

    def _open(self) -> None:
        self._retry = None
        try:
            self._port = self._open_port()
        except Unavailable as error:
            self._wait(error)
            return
        if self._missing:
            self._missing = False
            self._log.info("%s is there", self._device)
        self._up(self._port.mac)

    def _open_port(self) -> PacketSocket | WireEnd:
        end: WireEnd | None = self._runtime.wires.find(f"ethernet:{self._device}")
        if end is None:
            return PacketSocket(self._device, self._arrive, self._lose)
        end.receive = self._arrive
        return end

    def _lose(self, error: Unavailable) -> None:
        self._port = None
        self._wait(error)

    def _wait(self, error: Unavailable) -> None:
        if not self._missing:
            self._missing = True
            self._log.warning("%s, waiting for it", error)
            self._down(error)
        self._retry = self._after(RETRY_S, self._open)

    def send(self, frame: Frame) -> None:
        """Send one frame; without an interface it is lost."""
        if self._port is not None:
            data = frame.encode()
            self._trace(frame, data)
            self._port.send(data)

    def _arrive(self, data: bytes) -> None:
        try:
            frame = decode(data)
        except PeerError as error:
            self._runtime.trace.record("slac", self._device, data)
            self.complain(f"bad frame of {data[6:12].hex(':') or 'an unknown station'}: {error}")
            return
        self._trace(frame, data)
        self._received(frame)

    def complain(self, text: str) -> None:
        """Log what a station on the power line did wrong: the first times of a minute, the rest is counted."""
        self._bad.write("%s", text)

    def _trace(self, frame: Frame, data: bytes) -> None:
        message: Any = frame.message
        hidden = {name: bytes(16) for name in SECRETS if hasattr(message, name)}
        if hidden:
            data = replace(frame, message=replace(message, **hidden)).encode()
        self._runtime.trace.record("slac", self._device, data)

    def close(self) -> None:
        """Close the interface and look for it no more."""
        self._bad.close()
        if self._retry is not None:
            self._retry.cancel()
        if isinstance(self._port, PacketSocket):
            self._port.close()
        elif self._port is not None:
            self._port.receive = None
        self._port = None

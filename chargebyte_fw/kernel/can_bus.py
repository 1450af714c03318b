"""A CAN bus: SocketCAN, any other bus that python-can knows, or a wire in memory; frames come on the event loop.

A device is written as SocketCAN's interface (`can0`) or as `INTERFACE:CHANNEL` of python-can:
`udp_multicast:239.74.163.2` between processes, `virtual:bench` inside one, `slcan:/dev/ttyUSB0` with an adapter.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import struct
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from chargebyte_fw.kernel import extras
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.memory import WireEnd
from chargebyte_fw.kernel.wires import Wires

EXTENDED = 0x8000_0000
ERROR = 0x2000_0000
BUS_OFF = 0x40
"""In the id of an error frame: the controller has left the bus."""
FRAMES_A_TURN = 64
"""Frames that are read in one turn of the event loop at most."""
KEPT_FRAMES = 1000
BAD_READS = 20
"""After so many failed reads in a row the bus counts as lost."""
READ_S = 0.1
_LAYOUT = struct.Struct("=IB3x8s")
_GONE = (errno.ENETDOWN, errno.ENODEV, errno.ENXIO, errno.EBADF, errno.EIO)
_ECHOING = ("udp_multicast",)
"""Interfaces that deliver frames to their sender, too."""
_WITH_DESCRIPTOR = ("socketcan", "udp_multicast")
_NO_KERNEL = "this kernel has no CAN (modules can, can_raw)"
_WORDS = {errno.EAFNOSUPPORT: _NO_KERNEL, errno.EPROTONOSUPPORT: _NO_KERNEL, errno.ENODEV: "there is no such interface"}


class CanFrame(NamedTuple):
    """One classic CAN frame; `id` has SocketCAN's flags (`EXTENDED`, `ERROR`) in its upper bits."""

    id: int
    data: bytes

    def encode(self) -> bytes:
        """Return the sixteen bytes of SocketCAN, as they go over a wire in memory and into the trace."""
        return _LAYOUT.pack(self.id, len(self.data), self.data)

    @classmethod
    def decode(cls, data: bytes) -> CanFrame:
        """Read sixteen bytes; raises ValueError for others."""
        if len(data) != _LAYOUT.size:
            raise ValueError(f"a CAN frame has {_LAYOUT.size} bytes, not {len(data)}")
        identifier, length, payload = _LAYOUT.unpack(data)
        return cls(identifier, payload[: min(length, 8)])


class CanPort(Protocol):
    """An open bus."""

    def send(self, frame: CanFrame) -> None:
        """Send one frame without waiting; without room for it in the buffer it is lost."""

    def close(self) -> None:
        """Close the bus; no callback is called any more."""


class CanCallbacks(NamedTuple):
    """What an open bus calls, always on the event loop."""

    received: Callable[[CanFrame], None]
    lost: Callable[[Unavailable], None]
    """The bus is gone (interface down, bus-off); the port is closed already."""


def split(device: str) -> tuple[str, str]:
    """Return python-can's names of interface and channel."""
    interface, colon, channel = device.partition(":")
    return (interface, channel) if colon else ("socketcan", device)


def open_bus(device: str, *, bitrate: int = 0, wanted: Sequence[tuple[int, int]] = ()) -> Any:
    """Open a python-can bus. `wanted` (ids with masks) keeps other frames away. Raises Unavailable with the reason."""
    interface, channel = split(device)
    try:
        # Imported only where something is on a CAN bus.
        import can
    except ImportError as error:
        raise Unavailable(f"CAN device {device}: {extras.missing(error) or error}") from error
    options: dict[str, Any] = {"bitrate": bitrate} if bitrate else {}
    if wanted:
        options["can_filters"] = [{"can_id": id, "can_mask": mask, "extended": True} for id, mask in wanted]
    if interface in _WITH_DESCRIPTOR:
        options["fd"] = False
    try:
        return can.Bus(interface=interface, channel=channel, **options)
    except (can.CanError, OSError, ValueError, TypeError, ImportError) as error:
        raise Unavailable(f"CAN device {device}: {_why(error)}") from error


def _why(error: BaseException) -> str:
    """Return the cause of an error of python-can."""
    cause: BaseException | None = error
    while cause is not None:
        number = getattr(cause, "error_code", None) or getattr(cause, "errno", None)
        if number is not None:
            return _WORDS.get(number) or getattr(cause, "strerror", None) or str(cause)
        cause = cause.__cause__ or cause.__context__
    return str(error) or repr(error)


def message(frame: CanFrame) -> Any:
    """Return python-can's form of a frame."""
    import can

    return can.Message(arbitration_id=frame.id & 0x1FFF_FFFF, is_extended_id=bool(frame.id & EXTENDED), data=frame.data)


def _from_message(received: Any) -> CanFrame:
    flags = EXTENDED * bool(received.is_extended_id) | ERROR * bool(received.is_error_frame)
    return CanFrame(received.arbitration_id | flags, bytes(received.data))


def open_port(
    device: str, wires: Wires, callbacks: CanCallbacks, *, bitrate: int = 0, wanted: Sequence[tuple[int, int]] = ()
) -> CanPort:
    """Open a bus: the wire `can:<device>` in memory if there is one, else python-can. Raises Unavailable."""
    end: WireEnd | None = wires.find(f"can:{device}")
    if end is not None:
        return _WirePort(end, callbacks)
    bus = open_bus(device, bitrate=bitrate, wanted=wanted)
    return _BusPort(device, bus, callbacks, threaded=split(device)[0] not in _WITH_DESCRIPTOR)


class _WirePort:
    """A bus in memory. A cut wire is a bus without other nodes."""

    def __init__(self, end: WireEnd, callbacks: CanCallbacks) -> None:
        self._end, self._callbacks = end, callbacks
        end.receive = self._receive

    def send(self, frame: CanFrame) -> None:
        self._end.send(frame.encode())

    def close(self) -> None:
        self._end.receive = None

    def _receive(self, data: bytes) -> None:
        _dispatch(CanFrame.decode(data), self, self._callbacks)


class _BusPort:
    """A bus of python-can: its descriptor is on the event loop, or a thread reads where it has none."""

    def __init__(self, device: str, bus: Any, callbacks: CanCallbacks, *, threaded: bool) -> None:
        self._device, self._bus, self._callbacks = device, bus, callbacks
        self._loop = asyncio.get_running_loop()
        self._kept: deque[CanFrame] = deque(maxlen=KEPT_FRAMES)
        self._echoes: deque[CanFrame] | None = deque(maxlen=FRAMES_A_TURN) if split(device)[0] in _ECHOING else None
        self._bad = 0
        self._open = True
        self._thread: threading.Thread | None = None
        if threaded:
            self._thread = threading.Thread(target=self._read, name=f"can:{device}", daemon=True)
            self._thread.start()
        else:
            self._descriptor = bus.fileno()
            self._loop.add_reader(self._descriptor, self._readable)

    def send(self, frame: CanFrame) -> None:
        if not self._open:
            return
        import can

        try:
            self._bus.send(message(frame), timeout=0)
        except (can.CanError, OSError) as error:
            if is_gone(error):
                self._lose(error)
        else:
            if self._echoes is not None:
                self._echoes.append(frame)

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        if self._thread is None:
            self._loop.remove_reader(self._descriptor)
            self._bus.shutdown()
        # Otherwise the thread closes it: it may be reading right now.

    def _lose(self, error: BaseException) -> None:
        if self._open:
            self.close()
            self._callbacks.lost(Unavailable(f"CAN device {self._device} is gone: {_why(error)}"))

    def _readable(self) -> None:
        for _ in range(FRAMES_A_TURN):
            received = self._take(0)
            if received is None or not self._open:
                return
            frame = _from_message(received)
            if self._echoes and frame in self._echoes:
                self._echoes.remove(frame)
                continue
            _dispatch(frame, self, self._callbacks)

    def _take(self, timeout_s: float) -> Any:
        """Read one message, None for none; after BAD_READS errors in a row, or one of a lost bus, the bus is lost."""
        import can

        try:
            received = self._bus.recv(timeout_s)
        except (can.CanError, OSError, ValueError) as error:
            self._bad += 1
            if is_gone(error) or self._bad >= BAD_READS:
                self._report(self._lose, error)
            return None
        self._bad = 0
        return received

    def _report(self, call: Callable[..., None], *arguments: Any) -> None:
        if self._thread is None:
            call(*arguments)
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended before its thread
            self._loop.call_soon_threadsafe(call, *arguments)

    def _read(self) -> None:
        while self._open:
            received = self._take(READ_S)
            if received is not None and self._open:
                self._kept.append(_from_message(received))
                if len(self._kept) == 1:
                    self._report(self._deliver)
        self._bus.shutdown()

    def _deliver(self) -> None:
        for _ in range(min(FRAMES_A_TURN, len(self._kept))):
            if self._open:
                _dispatch(self._kept.popleft(), self, self._callbacks)
        if self._kept and self._open:
            self._loop.call_soon(self._deliver)


def is_gone(error: BaseException) -> bool:
    """Whether an error of python-can means that the bus is gone, not only that a frame was lost."""
    number = getattr(error, "error_code", None) or getattr(error, "errno", None)
    return number in _GONE


def _dispatch(frame: CanFrame, port: CanPort, callbacks: CanCallbacks) -> None:
    if not frame.id & ERROR:
        callbacks.received(frame)
    elif frame.id & BUS_OFF:
        port.close()
        callbacks.lost(Unavailable("the CAN controller is bus-off: too many errors on the bus"))

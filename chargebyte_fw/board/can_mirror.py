"""Every frame of the safety controller's link once more on a CAN interface: the COM id as 29-bit id, same bytes."""

from __future__ import annotations

import socket
import struct

from chargebyte_fw.board.framing import Frame
from chargebyte_fw.kernel.log import ModuleLog

_EXTENDED = 0x8000_0000
_CAN_FRAME = struct.Struct("=IB3x8s")


class CanMirror:
    """Sends copies; an interface that is missing or full costs copies, never the link. Safe to call from any thread."""

    def __init__(self, device: str, log: ModuleLog) -> None:
        self.device = device
        self._log = log
        self._socket: socket.socket | None = None
        self._complained = False

    def open(self) -> None:
        """Bind to the interface if it is there (it may come later: each opening of the link tries again)."""
        if self._socket is not None:
            return
        try:
            mirror = socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
        except OSError as error:
            self._complain(error)
            return
        try:
            mirror.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_FILTER, b"")
            mirror.setblocking(False)
            mirror.bind((self.device,))
        except OSError as error:
            mirror.close()
            self._complain(error)
            return
        self._socket = mirror
        self._complained = False

    def send(self, frame: Frame) -> None:
        """Send one copy."""
        if self._socket is None:
            return
        try:
            self._socket.send(_CAN_FRAME.pack(frame.com_id | _EXTENDED, 8, frame.payload))
        except BlockingIOError:
            pass  # the interface's queue is full: a listener misses a copy
        except OSError as error:
            self.close()
            self._complain(error)

    def close(self) -> None:
        """Let go of the interface."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._log.warning("can_mirror_device %s: %s; frames are not mirrored", self.device, error.strerror)
        self._complained = True

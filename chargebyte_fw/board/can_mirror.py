"""Every frame of the safety controller's link once more on a CAN bus: the COM id as 29-bit id, same bytes.

A thread of its own hands the copies over, so that no bus, however slow or broken, holds up the link's cycle.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from chargebyte_fw.board.link.messages.framing import Frame
from chargebyte_fw.kernel.can_bus import EXTENDED, CanFrame, is_gone, message, open_bus
from chargebyte_fw.kernel.errors import Unavailable, in_words
from chargebyte_fw.kernel.log import ModuleLog

KEPT_FRAMES = 200
"""About five seconds of both directions; a bus that is slower for longer misses copies."""
CLOSE_LIMIT_S = 1.0
RETRY_S = 5.0
"""Real seconds between two tries to open a bus that is missing or has gone."""


class CanMirror:
    """Sends copies; a bus that is missing or full costs copies, never the link. Safe to call from any thread."""

    def __init__(self, device: str, log: ModuleLog) -> None:
        self.device = device
        self._log = log
        self._kept: deque[Frame] = deque(maxlen=KEPT_FRAMES)
        self._wake = threading.Event()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._complained = False

    def open(self) -> None:
        """Begin to copy; a bus that is missing now, or goes, is tried again from time to time."""
        if self._thread is not None:
            return
        self._wake, self._over = threading.Event(), threading.Event()
        self._kept.clear()
        work = (self._try(), self._over, self._wake)
        self._thread = threading.Thread(target=self._work, args=work, name="can-mirror", daemon=True)
        self._thread.start()

    def send(self, frame: Frame) -> None:
        """Send one copy."""
        if self._thread is not None:
            self._kept.append(frame)
            self._wake.set()

    def close(self) -> None:
        """Send what is left and let go of the bus."""
        if self._thread is not None:
            thread, self._thread = self._thread, None
            self._over.set()
            self._wake.set()
            thread.join(CLOSE_LIMIT_S)

    def _try(self) -> Any:
        """Open the bus; None when it is not there."""
        try:
            bus = open_bus(self.device)
        except Unavailable as error:
            self._complain(str(error))
            return None
        if self._complained:
            self._log.info("can_mirror_device: CAN device %s is there, frames are mirrored", self.device)
        self._complained = False
        return bus

    def _work(self, bus: Any, over: threading.Event, wake: threading.Event) -> None:
        while True:
            if bus is not None:
                self._copy(bus, over, wake)
            if over.wait(RETRY_S):
                return
            self._kept.clear()
            bus = self._try()

    def _copy(self, bus: Any, over: threading.Event, wake: threading.Event) -> None:
        """Send until it is over and nothing is left, or the bus goes."""
        import can

        kept = self._kept
        try:
            while not over.is_set() or kept:
                while kept:
                    frame = kept.popleft()
                    try:
                        bus.send(message(CanFrame(frame.com_id | EXTENDED, frame.payload)), timeout=0)
                    except can.CanOperationError as error:
                        if is_gone(error):
                            raise  # otherwise it has no room now: a listener misses a copy
                if not over.is_set():
                    wake.wait()
                    wake.clear()
        except (can.CanError, OSError) as error:
            self._complain(f"CAN device {self.device}: {in_words(error, of_file=False)}")
        finally:
            bus.shutdown()

    def _complain(self, why: str) -> None:
        if not self._complained:
            self._log.warning("can_mirror_device: %s; frames are not mirrored", why)
        self._complained = True

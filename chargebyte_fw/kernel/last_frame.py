"""The frame that another process writes to a serial port when the one that had it has ended."""

from __future__ import annotations

import fcntl
import os
import termios
import tty

import msgspec


class LastFrame(msgspec.Struct, frozen=True, tag=True):
    """What brings the device at a port into its safe state; an empty frame: nothing is left to do."""

    path: str
    baud: int
    frame: bytes

    def write(self) -> None:
        """Write it, to a port that no other process owns by now; raises OSError."""
        port = os.open(self.path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            # Whoever has the lock has the device, too: another process that has followed.
            fcntl.flock(port, fcntl.LOCK_EX | fcntl.LOCK_NB)
            tty.setraw(port, termios.TCSANOW)
            settings = termios.tcgetattr(port)
            settings[4] = settings[5] = getattr(termios, f"B{self.baud}")
            termios.tcsetattr(port, termios.TCSANOW, settings)
            os.write(port, self.frame)
        except termios.error as error:
            raise OSError(*error.args) from error
        finally:
            os.close(port)

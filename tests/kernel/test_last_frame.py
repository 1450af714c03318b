"""What the manager writes to a port whose process has ended."""

from __future__ import annotations

import fcntl
import os
import termios

import pytest

from chargebyte_fw.kernel.last_frame import LastFrame


def test_it_goes_out_as_it_is_at_the_rate_of_the_device_unless_the_port_has_an_owner() -> None:
    device, port = os.openpty()
    try:
        one = LastFrame(os.ttyname(port), 115200, b"\xa5\n\r\x03")
        one.write()
        assert os.read(device, 100) == b"\xa5\n\r\x03"
        assert termios.tcgetattr(port)[5] == termios.B115200
        fcntl.flock(port, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError):
            one.write()
    finally:
        os.close(device)
        os.close(port)
    with pytest.raises(OSError, match="dev/pts"):
        one.write()

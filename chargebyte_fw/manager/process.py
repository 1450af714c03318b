"""The process as the operating system has it: its age, and notifications to systemd."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path


def age_s() -> float:
    """Return the seconds since this process was started, the interpreter's own start included."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    started_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started_s


def notify_systemd(state: str) -> None:
    """Send `READY=1`, `STATUS=...`, `STOPPING=1` to systemd (sd_notify(3)); without systemd nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        try:
            sender.sendto(state.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)
        except OSError:
            # systemd restarts or the socket is full: a later message would be of no use.
            return

"""The addresses of a network interface: what to listen on, or to connect from."""

from __future__ import annotations

import fcntl
import socket
import struct
from pathlib import Path

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.text import text_lines

_SIOCGIFADDR = 0x8915


def addresses_of(interface: str) -> list[str | None]:
    """Return the addresses to listen on: `all` means every interface. Raises Unavailable when there are none yet."""
    if interface == "all":
        return [None]
    if interface == "lo":
        return ["127.0.0.1", "::1"]
    found: list[str | None] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            answer = fcntl.ioctl(asking, _SIOCGIFADDR, struct.pack("256s", interface.encode()[:15]))
        except OSError:
            answer = b""
    if answer:
        found.append(socket.inet_ntoa(answer[20:24]))
    try:
        lines = text_lines(Path("/proc/net/if_inet6").read_text(encoding="ascii"))
    except OSError:
        lines = []
    for address, _, _, scope, _, name in (line.split() for line in lines):
        if name == interface:
            text = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(address))
            found.append(f"{text}%{interface}" if scope == "20" else text)
    if not found:
        raise Unavailable(f"interface {interface} does not exist or has no address")
    return found

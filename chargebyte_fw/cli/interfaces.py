"""Network interfaces of this machine, by name."""

from __future__ import annotations

import os

FOLDER = "/sys/class/net"


def require_interface(name: str) -> None:
    """Raise Unavailable, with the nearest name, where this machine (or network namespace) has no such interface."""
    import socket

    from chargebyte_fw.kernel.errors import Unavailable
    from chargebyte_fw.kernel.names import nearest

    try:
        socket.if_nametoindex(name)
    except OSError:
        try:
            known = sorted(os.listdir(FOLDER))
        except OSError:
            known = []
        hint = nearest(name, known)
        raise Unavailable(f"there is no interface {name} here" + (f" ({hint})" if hint else "")) from None

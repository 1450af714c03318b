"""A SocketCAN interface made ready: its bit rate set, switched on, and brought back from bus-off (netlink)."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any

from chargebyte_fw.kernel.errors import Unavailable

BUS_OFF, STOPPED = 3, 4
RESTART_MS = 100
"""The kernel itself brings the controller back from bus-off after this time."""
IFF_UP = 1


def set_up(device: str, bitrate: int) -> list[str]:
    """Make interface `device` run at `bitrate` bit/s; returns what was done, in words. Raises Unavailable.

    A virtual interface (vcan) has no bit rate and is only switched on. Without the right to change an interface
    (CAP_NET_ADMIN), or without pyroute2, one that runs is taken as it is.
    """
    try:
        from pyroute2 import IPRoute, NetlinkError
    except ImportError:
        return []
    done: list[str] = []
    try:
        with IPRoute() as ip:
            index = next(iter(ip.link_lookup(ifname=device)), None)
            if index is None:
                return []  # who opens it finds the words: no such interface, or a kernel without CAN
            link = ip.get_links(index)[0]
            done += _change(ip, device, index, link, bitrate)
    except NetlinkError as error:
        if error.code not in (errno.EPERM, errno.EACCES):
            raise Unavailable(f"CAN device {device}: cannot be set to {bitrate} bit/s: {error.args[-1]}") from error
        done.append(f"CAN device {device} is taken as it is: no right to set its bit rate (CAP_NET_ADMIN)")
    return done


def _change(ip: Any, device: str, index: int, link: Any, bitrate: int) -> Iterator[str]:
    up = bool(link["flags"] & IFF_UP)
    kind, data = _kind(link)
    if kind == "can":
        timing, state = data.get_attr("IFLA_CAN_BITTIMING"), data.get_attr("IFLA_CAN_STATE")
        now = timing["bitrate"] if timing else 0
        if now != bitrate or state in (BUS_OFF, STOPPED) or not up:
            if up:
                ip.link("set", index=index, state="down")
            ip.link("set", index=index, kind="can", can_bittiming={"bitrate": bitrate}, can_restart_ms=RESTART_MS)
            up = False
            yield f"CAN device {device} set to {bitrate} bit/s"
    if not up:
        ip.link("set", index=index, state="up")


def _kind(link: Any) -> tuple[str, Any]:
    info = link.get_attr("IFLA_LINKINFO")
    if info is None:
        return "", None
    return info.get_attr("IFLA_INFO_KIND") or "", info.get_attr("IFLA_INFO_DATA")

"""The virtual cable: network namespaces without a trace on the machine, and a veth pair between two of them."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

from chargebyte_fw.kernel.errors import Unavailable

CHARGER_END = "eth1"
CAR_END = "car0"
CHARGER_MAC = "02:00:00:00:00:01"
CAR_MAC = "02:00:00:00:00:02"

WHAT_TO_ALLOW = """a network namespace of our own is not allowed here. One of these helps:
  - run as root (in a container: docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt seccomp=unconfined)
  - allow user namespaces: sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000
  - on Ubuntu 24.04 and later also: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"""


def way_into_a_namespace() -> list[str]:
    """Return the command prefix that runs a program in a network namespace of its own; raises Unavailable.

    As root directly, otherwise through a user namespace in which we are root. Both are gone with their last process.
    """
    tries = [["unshare", "--net", "--"]] if os.geteuid() == 0 else []
    tries.append(["unshare", "--user", "--map-root-user", "--net", "--"])
    refused = []
    for prefix in tries:
        try:
            answer = subprocess.run(
                [*prefix, "ip", "link", "add", "try0", "type", "veth"], capture_output=True, text=True
            )
        except FileNotFoundError as error:
            raise Unavailable("the program `unshare` is missing: apt-get install util-linux iproute2") from error
        if answer.returncode == 0:
            return prefix
        refused.append(f"{' '.join(prefix[:-1])}: {answer.stderr.strip()}")
    raise Unavailable("\n".join([WHAT_TO_ALLOW, "What was tried:", *(f"  {line}" for line in refused)]))


def lay_cable(car_pid: int, limit_s: float = 10.0) -> None:
    """Lay the cable from here (`eth1`) to the namespace of process `car_pid` (`car0`); raises Unavailable.

    Waits until that process has a namespace of its own.
    """
    from pyroute2 import IPRoute, NetlinkError

    give_up_at = time.monotonic() + limit_s
    while not _is_elsewhere(car_pid):
        if time.monotonic() > give_up_at:
            raise Unavailable("the virtual car did not get a network namespace of its own")
        time.sleep(0.01)
    peer = {"ifname": CAR_END, "address": CAR_MAC, "net_ns_pid": car_pid}
    try:
        with IPRoute() as ip:
            ip.link("add", ifname=CHARGER_END, kind="veth", address=CHARGER_MAC, peer=peer)
            for index in ip.link_lookup(ifname="lo"):
                ip.link("set", index=index, state="up")
    except NetlinkError as error:
        raise Unavailable(f"cannot make the virtual cable: {error}") from error
    bring_up(CHARGER_END)


def bring_up(interface: str, limit_s: float = 10.0) -> None:
    """Wait until `interface` is in our namespace and switch it on; raises Unavailable."""
    from pyroute2 import IPRoute, NetlinkError

    index = wait_for_interface(interface, limit_s)
    # Two ends, two addresses: looking for a double of ours would only cost the first second.
    for name, value in (("disable_ipv6", "0"), ("accept_dad", "0")):
        try:
            Path(f"/proc/sys/net/ipv6/conf/{interface}/{name}").write_text(value)
        except OSError:
            continue  # a read-only /proc in a container: the machine's own settings hold
    try:
        with IPRoute() as ip:
            ip.link("set", index=index, state="up")
    except NetlinkError as error:
        raise Unavailable(f"cannot switch {interface} on: {error}") from error


def wait_for_interface(interface: str, limit_s: float = 10.0) -> int:
    """Return the index of `interface` in our namespace once it is there; raises Unavailable."""
    give_up_at = time.monotonic() + limit_s
    while True:
        try:
            return socket.if_nametoindex(interface)
        except OSError:
            if time.monotonic() > give_up_at:
                raise Unavailable(f"there is no interface {interface} here") from None
        time.sleep(0.01)


def _is_elsewhere(pid: int) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net")
    except OSError:
        return False

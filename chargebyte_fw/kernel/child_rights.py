"""As whom a child process runs: its user and its Linux capabilities (capabilities(7), prctl(2), capset(2))."""

from __future__ import annotations

import ctypes
import grp
import os
import pwd
from collections.abc import Callable, Sequence

NAMES = (
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
)
"""Capabilities in the order of their numbers, without `cap_`."""
CAPABILITIES = {f"cap_{name}": number for number, name in enumerate(NAMES)}
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
VERSION_3 = 0x20080522


class CannotBecome(Exception):
    """This process may not give a child that user, or one of those capabilities; the text is the reason."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def child_rights(user: str, capabilities: Sequence[str]) -> Callable[[], None]:
    """Return what a child calls before it becomes the program: it keeps these capabilities as user `user`.

    An empty `user` is the present one. Raises CannotBecome, in the parent.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    numbers = [_number(name) for name in capabilities]
    mask = sum(1 << number for number in set(numbers))
    lacking = [f"cap_{NAMES[number]}" for number in numbers if not permitted(libc) >> number & 1]
    if lacking:
        raise CannotBecome(f"this process lacks {', '.join(lacking)} itself (AmbientCapabilities= of everest.service)")
    become = _becoming(user, libc) if user else None

    def in_the_child() -> None:
        if become is not None:
            become()
        if mask:
            _keep(libc, mask, numbers)

    return in_the_child


def permitted(libc: ctypes.CDLL) -> int:
    """Return the capabilities that this process may have, as bits."""
    sets = _read(libc)
    return int(sets[0].permitted) | int(sets[1].permitted) << 32


def _number(name: str) -> int:
    number = CAPABILITIES.get(name.lower())
    if number is None:
        raise CannotBecome(f"there is no capability {name}")
    return number


def _read(libc: ctypes.CDLL) -> ctypes.Array[_Sets]:
    sets = (_Sets * 2)()
    _check(libc.capget(ctypes.byref(_Header(VERSION_3, 0)), sets))
    return sets


def _becoming(user: str, libc: ctypes.CDLL) -> Callable[[], None] | None:
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise CannotBecome(f"there is no user {user}") from None
    if entry.pw_uid == os.geteuid():
        return None
    if not permitted(libc) >> CAPABILITIES["cap_setuid"] & 1:
        raise CannotBecome(f"this process may not start others as {user}")
    groups = sorted({entry.pw_gid, *(group.gr_gid for group in grp.getgrall() if user in group.gr_mem)})

    def become() -> None:
        _check(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
        os.setgroups(groups)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)

    return become


def _keep(libc: ctypes.CDLL, mask: int, numbers: Sequence[int]) -> None:
    sets = _read(libc)
    for place, part in enumerate((mask & 0xFFFFFFFF, mask >> 32)):
        sets[place].inheritable |= part
        sets[place].effective |= part
    _check(libc.capset(ctypes.byref(_Header(VERSION_3, 0)), sets))
    for number in numbers:
        _check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))

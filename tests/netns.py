"""Two network namespaces joined by a veth pair: real packets between a charger and a car on one machine.

    with joined("eth1", "eth1") as (charger, car):
        peer = car.popen(["pev", "-i", car.interface])
        with charger.entered():        # this thread's new sockets are the charger's
            ...

Needs root (CAP_NET_ADMIN, CAP_SYS_ADMIN) and iproute2; `NamespacesUnavailable` says what is missing. Pytest's fixture
`cable` (import it into a test file or its conftest) skips with that text.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CLONE_NEWNET = 0x40000000
_counter = itertools.count(1)


class NamespacesUnavailable(Exception):
    """Network namespaces cannot be made here; the text says what to install or allow."""


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NamespacesUnavailable(f"ip {' '.join(arguments)}: {done.stderr.strip()} (run as root)")
    return done.stdout


def _setns(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"setns: {os.strerror(error)}")


class Namespace:
    """One network namespace; `interface` is its end of the veth pair."""

    def __init__(self, name: str, interface: str) -> None:
        self.name = name
        self.interface = interface
        self._processes: list[subprocess.Popen[Any]] = []

    @property
    def mac(self) -> str:
        """Hardware address of the interface, `aa:bb:...`."""
        return self.run(["cat", f"/sys/class/net/{self.interface}/address"]).stdout.strip()

    @property
    def link_local(self) -> str:
        """IPv6 link-local address of the interface."""
        for line in self.ip("-6", "-o", "addr", "show", "dev", self.interface, "scope", "link").splitlines():
            return line.split()[3].split("/")[0]
        raise NamespacesUnavailable(f"{self.interface} has no IPv6 link-local address (is IPv6 disabled?)")

    def ip(self, *arguments: str) -> str:
        """Run `ip` in this namespace."""
        return _ip("-n", self.name, *arguments)

    def up(self, interface: str = "") -> None:
        """Set an interface up (default: the cable's)."""
        self.ip("link", "set", interface or self.interface, "up")

    def down(self, interface: str = "") -> None:
        """Set an interface down (default: the cable's)."""
        self.ip("link", "set", interface or self.interface, "down")

    def run(self, command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program in this namespace to its end and return its output as text."""
        options = {"capture_output": True, "text": True, "check": True, **options}
        done: subprocess.CompletedProcess[str] = subprocess.run([*self.prefix, *command], **options)
        return done

    def popen(self, command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a program in this namespace; it is ended with the namespace."""
        process = subprocess.Popen([*self.prefix, *command], start_new_session=True, **options)
        self._processes.append(process)
        return process

    @property
    def prefix(self) -> list[str]:
        """What to put before a command to run it in this namespace."""
        return ["ip", "netns", "exec", self.name]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let the calling thread be in this namespace: what it opens meanwhile belongs there, and stays there."""
        # Paths, not descriptors kept open: an open descriptor would keep the namespace alive.
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            there = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
            try:
                _setns(there)
            finally:
                os.close(there)
            try:
                yield
            finally:
                _setns(home)
        finally:
            os.close(home)

    def end_processes(self) -> None:
        """End every program started with `popen`, with its children."""
        for process in self._processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        self._processes.clear()


@contextmanager
def namespace(interface: str = "lo", label: str = "ns") -> Iterator[Namespace]:
    """Make one namespace with `lo` up and IPv6 addresses usable at once; remove it and its programs at the end."""
    if shutil.which("ip") is None:
        raise NamespacesUnavailable("the program ip is missing: install the package iproute2")
    _remove_leftovers()
    made = Namespace(f"secc-{os.getpid()}-{next(_counter)}-{label}", interface)
    _ip("netns", "add", made.name)
    try:
        made.up("lo")
        _quick_addresses(made)
        yield made
    finally:
        made.end_processes()
        _ip("netns", "del", made.name)


def _remove_leftovers() -> None:
    """Remove what a killed test run left behind: namespaces named after a process that is no more."""
    for line in _ip("netns", "list").splitlines():
        name = line.split()[0]
        parts = name.split("-")
        if parts[0] == "secc" and len(parts) == 4 and parts[1].isdigit() and not Path(f"/proc/{parts[1]}").exists():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _quick_addresses(where: Namespace) -> None:
    """Skip duplicate address detection: it makes a fresh link-local address unusable for a second or two."""
    if Path("/proc/sys/net/ipv6").is_dir():
        script = "for f in all default; do echo 0 >/proc/sys/net/ipv6/conf/$f/accept_dad; done"
        where.run(["sh", "-c", script], check=False)


def connect(a: Namespace, interface_a: str, b: Namespace, interface_b: str) -> None:
    """Lay another veth pair between two namespaces (or from one to itself) and set both ends up."""
    _ip("link", "add", interface_a, "netns", a.name, "type", "veth", "peer", "name", interface_b, "netns", b.name)
    a.up(interface_a)
    b.up(interface_b)


@contextmanager
def joined(interface_a: str = "eth1", interface_b: str = "eth1") -> Iterator[tuple[Namespace, Namespace]]:
    """Make two namespaces joined by a veth pair whose ends are named `interface_a` and `interface_b`, both up."""
    with namespace(interface_a, "a") as a, namespace(interface_b, "b") as b:
        connect(a, interface_a, b, interface_b)
        yield a, b


@pytest.fixture
def cable() -> Iterator[tuple[Namespace, Namespace]]:
    """(charger, car): two namespaces, each with an `eth1`, joined by a veth pair."""
    with require(), joined() as ends:
        yield ends


@contextmanager
def require() -> Iterator[None]:
    """Skip the test, saying what to install or allow, when namespaces cannot be made here."""
    try:
        with namespace():
            pass
    except NamespacesUnavailable as error:
        pytest.skip(f"no network namespaces: {error}")
    yield

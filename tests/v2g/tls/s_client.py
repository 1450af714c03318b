"""`openssl s_client` as a car: a TLS stack of others against our server, over a socket of the loopback interface."""

from __future__ import annotations

import re
import select
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.modules.v2g.security import Security
from chargebyte_fw.modules.v2g.transport.tls import connection as tls
from tests.v2g.tls.handshake import Server

LIMIT_S = 20.0


@dataclass
class Outcome:
    """What both ends have of it."""

    text: str
    """Everything that s_client printed."""
    security: Security | None = None
    lost: list[str] = field(default_factory=list)
    received: bytes = b""

    def find(self, pattern: str) -> str:
        found = re.search(pattern, self.text)
        assert found is not None, f"{pattern!r} is not in:\n{self.text}"
        return found.group(1) if found.groups() else found.group(0)


def available() -> str:
    """Return the program; skip the test without it."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("the program openssl is missing: install the package openssl")
    return program


def connect(server: Server, *options: str, say: bytes = b"hello\n") -> Outcome:
    """Let s_client connect with these options, send a line, and close once it has arrived."""
    program = available()
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(LIMIT_S)
    port = listening.getsockname()[1]
    arguments = [program, "s_client", "-connect", f"127.0.0.1:{port}", "-attime", str(int(VIRTUAL_EPOCH.timestamp()))]
    process = subprocess.Popen(
        [*arguments, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdin is not None
    try:
        with listening, listening.accept()[0] as wire:
            process.stdin.write(say)
            process.stdin.flush()
            outcome = _serve(server, wire, process.stdin)
        if process.stdin.closed:
            process.stdin = None
        printed, _ = process.communicate(timeout=LIMIT_S)
    finally:
        process.kill()
        process.wait()
    outcome.text = printed.decode("utf-8", "replace")
    return outcome


def _serve(server: Server, wire: socket.socket, stdin: Any) -> Outcome:
    outcome = Outcome("")
    machine = server.machine()
    began = time.monotonic()

    def feed(event: Any) -> None:
        for effect in machine.feed(event, 0.0):
            match effect:
                case tls.Transmit(data):
                    wire.sendall(data)
                case tls.Established(security):
                    outcome.security = security
                case tls.Deliver(data):
                    outcome.received += data
                    stdin.close()
                case tls.Lost(reason):
                    outcome.lost.append(reason)
                case tls.ShutWire():
                    wire.shutdown(socket.SHUT_WR)

    feed(tls.Begin())
    while time.monotonic() - began < LIMIT_S:
        ready, _, _ = select.select([wire], [], [], LIMIT_S)
        try:
            data = wire.recv(65_536) if ready else b""
        except ConnectionResetError:
            data = b""
        if not data:
            feed(tls.WireClosed(""))
            return outcome
        feed(tls.Arrived(data))
    raise AssertionError("s_client did not close")

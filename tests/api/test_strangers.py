"""Who only connects, and whose web page it is: strangers at the JSON-RPC port take nothing from the car."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import resource
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage, InvalidStatus

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.admission import Admission, peer_of
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.modules.api import link
from chargebyte_fw.modules.api.api_commands import BadPayload, Commands
from chargebyte_fw.modules.api.origins import is_allowed, listed
from chargebyte_fw.modules.api.rpc_api import RpcApi
from tests.api.helpers import charger, publish_first_facts
from tests.api.test_rpc_api import CONNECTIONS, HELLO

STRANGER = """
import socket, sys, time
port, count = int(sys.argv[1]), int(sys.argv[2])
held = []
for number in range(count):
    sock = socket.socket()
    sock.settimeout(2)
    try:
        sock.connect(("127.0.0.1", port))
        if len(sys.argv) > 3:
            sock.sendall(b"GET / HTTP/1.1\\r\\nHost: x")
        held.append(sock)
    except OSError:
        sock.close()
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.asynccontextmanager
async def served(runtime: Any, **config: Any) -> AsyncIterator[int]:
    assembly = charger(runtime, RpcApi, CONNECTIONS, websocket_port=0, **config)
    await assembly.start()
    publish_first_facts(assembly.implementations["connector", "evse"])
    api = assembly.modules["api"]
    async with asyncio.timeout(10):
        while api.server is None:
            await asyncio.sleep(0.01)
    try:
        yield api.server.port
    finally:
        await assembly.stop()


@pytest.fixture
def few_descriptors() -> Iterator[int]:
    """At most 160 descriptors more than now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = max(int(name) for name in os.listdir("/proc/self/fd")) + 160
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    yield limit
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("half", [[], ["half a request"]], ids=["silent", "half a request"])
def test_connections_that_say_nothing_leave_descriptors_for_the_car(
    runtime: Any, few_descriptors: int, half: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with served(runtime) as port:
            arguments = [sys.executable, "-c", STRANGER, str(port), "400", *half]
            stranger = await asyncio.create_subprocess_exec(*arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert stranger.stdout is not None and stranger.stdin is not None
            try:
                async with asyncio.timeout(30):
                    await stranger.stdout.readline()
                # What a car needs: its TCP connection, SDP, the serial port.
                with contextlib.ExitStack() as car:
                    for _ in range(50):
                        car.enter_context(socket.socket())
                # Who waits for the handshake is gone after its limit, and a client is served.
                async with asyncio.timeout(link.HANDSHAKE_LIMIT_S + 10):
                    while True:
                        try:
                            async with connect(f"ws://127.0.0.1:{port}", subprotocols=["EVerestRpcApi"]) as client:  # type: ignore[list-item]
                                await client.send(json.dumps(HELLO))
                                assert json.loads(await client.recv())["id"] == 1
                                break
                        except (OSError, EOFError, InvalidStatus, InvalidMessage):
                            await asyncio.sleep(0.2)
            finally:
                stranger.stdin.close()
                await stranger.wait()
        lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert all(record.exc_info is None for record in lines) and len(lines) <= 7
        assert any("connections are open already" in record.getMessage() for record in lines)

    caplog.set_level(logging.INFO, "secc")
    clock.run(main())


def test_connections_are_counted_in_all_and_by_peer() -> None:
    admission = Admission(10, 3)
    for _ in range(3):
        assert admission.refusal("192.0.2.1") == ""
        admission.enter("192.0.2.1")
    assert admission.refusal("192.0.2.1") == "3 connections from 192.0.2.1 are open already"
    for address in ("2001:db8::1", "2001:db8::2", "2001:db8::3"):
        assert admission.refusal(address) == ""
        admission.enter(address)
    assert "2001:db8::/64" in admission.refusal("2001:db8::4")
    for _ in range(4):
        assert admission.refusal("127.0.0.1") == ""
        admission.enter("127.0.0.1")
    assert admission.refusal("192.0.2.2") == admission.refusal("127.0.0.1") == "10 connections are open already"
    admission.leave("192.0.2.1")
    assert admission.refusal("192.0.2.1") == ""
    assert peer_of("fe80::1%eth0") == "fe80::1" and peer_of("") == ""


def test_a_listener_takes_a_quarter_of_the_descriptors_at_most(few_descriptors: int) -> None:
    assert Admission(10_000, 10_000).total == few_descriptors // 4


# --- web pages -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "192.0.2.1:8080", True),
        ("http://192.0.2.1", "192.0.2.1:8080", True),
        ("https://192.0.2.1:8443", "192.0.2.1:8080", True),
        ("http://localhost:3000", "localhost:8080", True),
        ("http://[::1]", "[::1]:8080", True),
        (f"http://{socket.gethostname()}", f"{socket.gethostname()}:8080", True),
        ("https://fleet.example", "192.0.2.1:8080", True),
        ("https://FLEET.example/", "192.0.2.1:8080", True),
        ("https://evil.example", "192.0.2.1:8080", False),
        ("https://fleet.example.evil.example", "192.0.2.1:8080", False),
        ("http://fleet.example", "192.0.2.1:8080", False),
        ("http://192.0.2.2", "192.0.2.1:8080", False),
        # A name of somebody else that leads here.
        ("http://evil.example", "evil.example:8080", False),
        ("null", "192.0.2.1:8080", False),
        ("", "192.0.2.1:8080", False),
        ("http://192.0.2.1", None, False),
        ("http://192.0.2.1@evil.example", "192.0.2.1", False),
        ("http://192.0.2.1, http://evil.example", "192.0.2.1", False),
        ("http://[", "192.0.2.1", False),
    ],
)
def test_a_page_of_this_host_and_listed_ones_may_connect(origin: str | None, host: str | None, allowed: bool) -> None:
    assert is_allowed(origin, host, listed("https://fleet.example, http://x:3000")) is allowed


@given(st.text(), st.text())
def test_no_header_makes_the_check_fail(origin: str, host: str) -> None:
    is_allowed(origin, host, [])


@pytest.mark.parametrize("config", [{}, {"websocket_allowed_origins": "https://fleet.example null"}])
def test_a_browser_is_asked_where_its_page_comes_from(
    runtime: Any, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def outcome(port: int, origin: str | None) -> str:
        try:
            async with connect(
                f"ws://127.0.0.1:{port}",
                subprotocols=["EVerestRpcApi"],  # type: ignore[list-item]
                origin=origin,  # type: ignore[arg-type]
            ) as client:
                await client.send(json.dumps(HELLO))
                return "served" if json.loads(await client.recv())["id"] == 1 else "?"
        except InvalidStatus as error:
            return str(error.response.status_code)

    async def main() -> None:
        async with served(runtime, **config) as port:
            assert await outcome(port, None) == "served"
            assert await outcome(port, "http://127.0.0.1") == "served"
            assert await outcome(port, "https://evil.example") == "403"
            listed_page = "served" if config else "403"
            assert await outcome(port, "https://fleet.example") == listed_page
            assert await outcome(port, "null") == listed_page
        lines = [record.getMessage() for record in caplog.records]
        assert "a client was turned away: the web page https://evil.example may not connect (Origin)" in lines

    caplog.set_level(logging.INFO, "secc")
    clock.run(main())


def test_a_list_of_pages_that_is_none_stops_the_start(run: Any, runtime: Any) -> None:
    async def main() -> None:
        assembly = charger(runtime, RpcApi, CONNECTIONS, websocket_allowed_origins="fleet.example")
        with pytest.raises(ConfigError, match=r"fleet.example is no origin \(write https://name"):
            await assembly.start()

    run(main())


def test_running_out_of_descriptors_is_one_kind_of_line(caplog: pytest.LogCaptureFixture, runtime: Any) -> None:
    from chargebyte_fw.manager.supervisor import Supervisor

    async def main() -> None:
        stack = Supervisor([], runtime)
        for _ in range(20):
            error = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            stack._strays.take(
                asyncio.get_running_loop(), {"message": "socket.accept() out of system resource", "exception": error}
            )
        stack._strays._starved.close()

    caplog.set_level(logging.INFO, "secc")
    clock.run(main())
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 6 and all(record.exc_info is None for record in caplog.records)
    assert lines[0].startswith("Too many open files: at most ") and lines[0].endswith("; who wants to connect waits")


# --- payloads of the API -------------------------------------------------------------------------------------------


class Wishes:
    """Takes every command; nobody is at the other end."""

    def __getattr__(self, name: str) -> Any:
        async def carried_out(*_: Any, **__: Any) -> None:
            return None

        return carried_out


NAMES = (
    "enable_disable",
    "enable",
    "disable",
    "stop_charging",
    "force_unlock",
    "set_limit_amps",
    "set_limit_watts",
    "set_limit_amps_phases",
    "uk_random_delay",
    "uk_random_delay_set_max_duration_s",
)
KEYS = st.sampled_from(["connector_id", "amps", "phases", "state"])
PAYLOADS = st.text() | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
    max_leaves=8,
).map(json.dumps)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NAMES), PAYLOADS)
@example("enable_disable", "[" * 5000)
@example("set_limit_amps", "1e999")
@example("enable", "9" * 4000)
@example("uk_random_delay_set_max_duration_s", "9" * 40)
@example("force_unlock", '"\\ud800 and more"')
def test_a_payload_is_a_call_or_refused_in_a_line(name: str, payload: str) -> None:
    wishes: Any = Wishes()
    commands = Commands(wishes, wishes, wishes, utc_now)
    try:
        commands.parse(name, payload).close()
    except BadPayload as error:
        assert len(str(error)) < 800

"""Wires in memory keep order, lose what is sent while they are cut, and tell both ends of a close once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from chargebyte_fw.kernel import memory

Run = Callable[[Any], Any]


def test_a_wire_delivers_in_order_and_loses_what_is_sent_while_cut(run: Run) -> None:
    async def main() -> None:
        a, b = memory.wire()
        got: list[bytes] = []
        b.receive = got.append
        a.send(b"1")
        assert got == []
        a.send(b"2")
        await asyncio.sleep(0)
        a.plug.cut = True
        a.send(b"3")
        await asyncio.sleep(0)
        assert got == [b"1", b"2"]

    run(main())


def test_a_connection_carries_bytes_and_tells_both_ends_of_its_end(run: Run) -> None:
    async def main() -> None:
        a, b = memory.link()
        ends: list[memory.StreamEnd] = []
        log: list[Any] = []
        port = b.listen(ends.append)
        client = a.connect(port)
        ends[0].receive = log.append
        ends[0].closed = lambda: log.append("server closed")
        client.closed = lambda: log.append("client closed")
        client.send(b"hello")
        client.close()
        client.close()
        await asyncio.sleep(0.1)
        assert log == [b"hello", "server closed", "client closed"]
        b.unbind(port)
        with pytest.raises(ConnectionRefusedError):
            a.connect(port)

    run(main())


def test_a_datagram_names_its_sender(run: Run) -> None:
    async def main() -> None:
        a, b = memory.link("fe80::1", "fe80::2")
        got: list[Any] = []
        b.bind(lambda data, source: got.append((data, source)), 15118)
        port = a.bind(lambda data, source: got.append((data, source)))
        a.send_datagram(b"where?", 15118, port)
        b.send_datagram(b"here", port, 15118)
        await asyncio.sleep(0)
        assert got == [(b"where?", ("fe80::1", port)), (b"here", ("fe80::2", 15118))]

    run(main())

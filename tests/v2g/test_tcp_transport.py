"""The transport of TCP: what its owner gets of asyncio's callbacks."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

from chargebyte_fw.modules.v2g.security import PLAIN
from chargebyte_fw.modules.v2g.transport import Transport
from chargebyte_fw.modules.v2g.transport.tcp import TcpTransport

PEER = ("fe80::2%eth1", 50_000, 0, 3)


def connected(accepted: bool = True) -> tuple[TcpTransport, Any]:
    transport = TcpTransport(lambda _: accepted)
    wire = MagicMock()
    wire.get_extra_info = {"socket": MagicMock(), "peername": PEER}.get
    wire.is_closing.return_value = False
    transport.connection_made(wire)
    return transport, wire


def test_it_fulfils_the_seam_and_names_its_peer() -> None:
    transport, _ = connected()
    seam: Transport = transport
    assert (seam.peer, seam.security) == ("fe80::2%eth1 port 50000", PLAIN)


def test_a_connection_that_is_not_accepted_is_closed() -> None:
    _, wire = connected(accepted=False)
    wire.close.assert_called_once_with()


def test_a_connection_that_was_reset_is_closed_at_once_where_it_should_be_shut_down() -> None:
    transport, wire = connected()
    wire.write_eof.side_effect = OSError(107, "Transport endpoint is not connected")
    transport.shut_down()
    wire.abort.assert_called_once_with()


def test_bytes_come_until_the_end_which_comes_once_with_its_reason() -> None:
    transport, _ = connected()
    received: list[bytes] = []
    ends: list[str] = []
    transport.on_data, transport.on_closed = received.append, ends.append
    transport.data_received(b"one")
    transport.connection_lost(ConnectionResetError("reset by the peer"))
    transport.data_received(b"two")
    transport.connection_lost(None)
    assert (received, ends) == ([b"one"], ["reset by the peer"])


def test_an_end_in_good_order_has_no_reason() -> None:
    transport, _ = connected()
    ends: list[str] = []
    transport.on_closed = ends.append
    transport.connection_lost(None)
    assert ends == [""]


def test_a_peer_that_does_not_read_is_dropped() -> None:
    transport, wire = connected()
    wire.get_write_buffer_size.return_value = 65_536
    transport.send(b"response")
    wire.abort.assert_not_called()
    wire.get_write_buffer_size.return_value = 65_537
    transport.send(b"response")
    wire.abort.assert_called_once_with()

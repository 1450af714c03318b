"""Sockets that tests of the API need."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest


@pytest.fixture
def unused_tcp_port_holder() -> Iterator[tuple[socket.socket, int]]:
    """A socket that holds a port of the loopback interface until it is closed."""
    holder = socket.create_server(("127.0.0.1", 0))
    with holder:
        yield holder, holder.getsockname()[1]

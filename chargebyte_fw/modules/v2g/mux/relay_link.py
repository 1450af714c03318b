"""The connection to a back end in another process: TCP to the loopback interface or to another one, or in memory."""

from __future__ import annotations

import asyncio

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.memory import Host
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.v2g.link import LOOPBACK, link_local
from chargebyte_fw.modules.v2g.transport import Accept
from chargebyte_fw.modules.v2g.transport.memory import MemoryTransport
from chargebyte_fw.modules.v2g.transport.tcp import TcpTransport


async def connect(wires: Wires, device: str, port: int, accept: Accept) -> None:
    """Connect to a port at this host's address on `device` and give the transport to `accept`; raises Unavailable."""
    host: Host | None = wires.find(f"ip:{device or LOOPBACK}")
    if host is not None:
        try:
            accept(MemoryTransport(host.connect(port), host.peer.address if host.peer else "?"))
        except ConnectionRefusedError as error:
            raise Unavailable(str(error)) from None
        return
    where = link_local(device or LOOPBACK)
    address = str(where.address) if where.address.is_loopback else f"{where.address}%{where.interface}"
    try:
        await asyncio.get_running_loop().create_connection(lambda: TcpTransport(accept), address, port)
    except OSError as error:
        raise Unavailable(f"{address} port {port}: {error.strerror or error}") from None

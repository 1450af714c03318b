"""The car's TLS on a connection of its network: a `Line` on another one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.modules.v2g import evcc
from chargebyte_fw.modules.v2g.security import Security
from chargebyte_fw.modules.v2g.transport.tls import connection as tls
from chargebyte_fw.modules.v2g.transport.tls.alerts import TlsError
from chargebyte_fw.modules.v2g.transport.tls.client import TlsClient
from chargebyte_fw.modules.v2g.transport.tls.credentials import CredentialError, make_chain_of
from chargebyte_fw.sim.net import Line, Net


class Securing(Protocol):
    """Who asked for a connection with TLS; each is called at most once, but `received`."""

    def secured(self, security: Security) -> None:
        """The connection stands and its handshake is over."""

    def received(self, data: bytes) -> None:
        """Bytes came."""

    def disconnected(self, reason: str) -> None:
        """The connection is gone or could not be made."""


def client_of(settings: evcc.CarSettings) -> TlsClient:
    """Return the TLS of a car with these settings: version 1.3 with its vehicle certificate where it speaks -20.

    Raises CredentialError.
    """
    keys, vehicle = settings.keys, settings.keys.iso20.vehicle
    versions = []
    if "ISO15118D20" in settings.protocols:
        versions.append("1.3")
    if {"ISO15118D2", "DIN70121"} & set(settings.protocols):
        versions.append("1.2")
    return TlsClient(
        tuple(dict.fromkeys((*keys.iso20.roots, *keys.iso2.roots))),
        tuple(versions),
        None if vehicle is None else make_chain_of(vehicle.chain, vehicle.key_pem),
    )


def connect(
    net: Net,
    address: str,
    port: int,
    who: Securing,
    settings: evcc.CarSettings,
    guard: Callable[[BaseException], None],
) -> Line | None:
    """Begin a connection with TLS; `who` is notified of its course. None: the car's own certificates are no good."""
    try:
        machine = client_of(settings).connection(utc_now())
    except (CredentialError, TlsError) as error:
        asyncio.get_running_loop().call_soon(who.disconnected, f"no TLS: {error}")
        return None
    return TlsLine(net, address, port, who, machine, guard)


class TlsLine:
    """A connection with TLS: `Line` for the car, `Connecting` for its network."""

    def __init__(
        self,
        net: Net,
        address: str,
        port: int,
        who: Securing,
        machine: tls.TlsClientConnection,
        guard: Callable[[BaseException], None],
    ) -> None:
        self._who: Securing | None = who
        self._pump = Pump(machine, self._act, guard)
        self._line = net.connect(address, port, self)

    # -- for the car

    def send(self, data: bytes) -> None:
        """Send bytes; after the end they are lost."""
        self._pump.feed(tls.Write(data))

    def close(self) -> None:
        """Close in order: close_notify, then the connection."""
        self._who = None
        self._pump.feed(tls.Close())

    def abandon(self) -> None:
        """Drop the connection as a pulled cable does."""
        self._who = None
        self._pump.close()
        self._line.abandon()

    # -- for the network

    def connected(self) -> None:
        """The connection stands: begin the handshake."""
        self._pump.feed(tls.Begin())

    def received(self, data: bytes) -> None:
        """Take bytes from the wire."""
        self._pump.feed(tls.Arrived(data))

    def disconnected(self, reason: str) -> None:
        """The connection is gone."""
        if self._pump.machine.state is tls.TlsState.IDLE:
            self._lost(reason)
        self._pump.feed(tls.WireClosed(reason))
        self._pump.close()

    def _lost(self, reason: str) -> None:
        who, self._who = self._who, None
        if who is not None:
            who.disconnected(reason)

    def _act(self, effect: Any) -> None:
        match effect:
            case tls.Transmit(data):
                self._line.send(data)
            case tls.Established(security) if self._who is not None:
                self._who.secured(security)
            case tls.Deliver(data) if self._who is not None:
                self._who.received(data)
            case tls.Lost(reason):
                self._lost(f"TLS: {reason}" if reason else "the charger closed the connection")
            case tls.ShutWire() | tls.DropWire():
                # The network's `close` delivers what was sent before it.
                self._line.close()
                self._pump.close()

"""The multiplexer as one assembly: listener, one connection at a time, and the contracts of its back ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from logging import INFO
from typing import Any, Protocol

from chargebyte_fw.contracts.interfaces.cb_iso15118_schedules import CbIso15118Schedules
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.kernel.errors import CommandError, Unavailable
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.kernel.trace import Tape
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.link import Endpoint
from chargebyte_fw.modules.v2g.listener import Listener
from chargebyte_fw.modules.v2g.mux import machine as mux
from chargebyte_fw.modules.v2g.mux.relay_link import connect
from chargebyte_fw.modules.v2g.mux.selection import Candidate, Elsewhere
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.transport import Transport, nothing

PROTOCOLS = "supported_app_protocols_secc"
RENEGOTIATION = "service_renegotiation_supported"


class EngineHere(Candidate, Protocol):
    """The engine of a back end in this process."""

    def take(self, transport: Transport, received: bytes, where: str, released: Callable[[], None]) -> None:
        """Take over a car's connection whose first bytes another module has read; `released` is called at its end."""

    def end_session(self, reason: str) -> None:
        """Take the power off the car and close its connection, if there is one."""

    def forget_session(self) -> None:
        """Drop what is kept for a session: the car has had one elsewhere."""


class BackEnd:
    """A module that speaks with cars: its contracts, and its engine or the port of one in another process."""

    def __init__(
        self,
        name: str,
        charger: Iso15118Charger,
        extensions: Iso15118Extensions,
        schedules: CbIso15118Schedules | None,
        port: int,
        expected: Sequence[str],
    ) -> None:
        self.name = name
        self.ends: dict[str, Contract] = {charger.interface: charger, extensions.interface: extensions}
        if schedules is not None:
            self.ends[schedules.interface] = schedules
        self.port = port
        self.expected = list(expected)
        """EVerest's names of what it speaks, until it has published them."""
        self.engine: EngineHere | None = None
        """None: it is in another process."""

    @property
    def served(self) -> list[str]:
        """EVerest's names of the protocols that it speaks."""
        published = getattr(self.ends[Iso15118Charger.interface], PROTOCOLS).value
        return self.expected if published is None else [str(name) for name in published.app_protocols]


class Multiplexer:
    """Lets one car at a time connect and gives its connection to the back end that speaks its protocol.

    The first back end gets every connection without a common protocol.
    """

    def __init__(
        self,
        module: Module,
        provided: Sequence[Contract],
        back_ends: Sequence[BackEnd],
        device: str,
        proxy_device: str,
        endpoints: Sequence[Endpoint],
    ) -> None:
        self.module = module
        self.back_ends = back_ends
        self.selected = 0
        """The place of the back end that has the car, or had the last one."""
        self.on_restricted: Callable[[], None] = nothing
        """Called when other protocols may be selected."""
        self._provided: dict[str, Any] = {one.interface: one for one in provided}
        charger = self._provided[Iso15118Charger.interface]
        self.listener = Listener(module, charger, self.accept, self.end_session, device, endpoints=endpoints)
        self._proxy_device = proxy_device
        self._restriction: list[str] = []
        """What may be selected; empty: whatever is served."""
        self._trace = trace = module.runtime.trace
        self._from_car = trace.channel("v2g", f"{module.id}.car")
        self._to_car = trace.channel("v2g", f"{module.id}.charger")
        self._connection: tuple[Pump, Transport] | None = None
        self._places: list[int] = []
        """The back ends that may get the connection, in its own counting."""
        self._relay: Transport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._lines = RateLimitedLog(module.log, "%d more connections came within %g s", level=INFO)
        self._warnings = RateLimitedLog(module.log, "%d more warnings about connections within %g s")
        self._failures = RateLimitedLog(module.log, "%d more commands failed at a back end within %g s")

    # -- the module's life

    def subscribe(self) -> None:
        """Forward what the back ends publish."""
        codec("sap")
        for place, back_end in enumerate(self.back_ends):
            for interface, end in back_end.ends.items():
                for name in end.variables:
                    getattr(end, name).subscribe(partial(self._published, place, interface, name))

    def open(self) -> None:
        """Let cars come."""
        self.listener.open()

    def close(self) -> None:
        """Close sockets and connections."""
        self.end_session("the charger stops")
        self.listener.close()
        for log in (self._lines, self._warnings, self._failures):
            log.close()

    # -- contracts

    @property
    def served(self) -> list[str]:
        """EVerest's names of the protocols of every back end."""
        return list(dict.fromkeys(name for back_end in self.back_ends for name in back_end.served))

    @property
    def selectable(self) -> list[str]:
        """Those of them that may be selected."""
        return self._restriction or self.served

    def _published(self, place: int, interface: str, name: str, value: Any) -> None:
        if name == PROTOCOLS:
            names = [iso15118.SupportedAppProtocol(one) for one in self.served]
            value = iso15118.SupportedAppProtocols(app_protocols=names)
        elif place != self.selected:
            return
        getattr(self._provided[interface], name).publish(value)

    def restrict(self, names: Sequence[str]) -> bool:
        """Select these protocols alone; return false, and change nothing, where none of them is served."""
        chosen = [name for name in self.served if name in names]
        if chosen:
            self._restriction = chosen
            self.on_restricted()
        return bool(chosen)

    async def forward(self, interface: str, command: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Send a command to every back end; return the answer of the one that has the car, or raise its CommandError.

        It does not wait for the others: one that hangs must not keep a session of another one.
        """
        selected = self.back_ends[self.selected]
        for other in self.back_ends:
            if other is not selected and interface in other.ends:
                self.module.spawn(self._forward_aside(other, interface, command, args, kwargs), command)
        if interface not in selected.ends:
            return None
        return await getattr(selected.ends[interface], command)(*args, **kwargs)

    async def _forward_aside(
        self, back_end: BackEnd, interface: str, command: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        try:
            await getattr(back_end.ends[interface], command)(*args, **kwargs)
        except CommandError as error:
            self._failures.write("%s failed at %s: %s", command, back_end.name, error)

    def data_link(self, ready: bool) -> None:
        """Open for a car with the data link, close without."""
        self.listener.data_link(ready)

    # -- connections

    def accept(self, transport: Transport) -> bool:
        """Begin a connection; return false, and begin none, where no car may connect now."""
        if not self.listener.admit(transport):
            return False
        self._give_way()
        self.listener.connected()
        allowed = self.selectable
        self._places = [place for place, one in enumerate(self.back_ends) if set(one.served) & set(allowed)] or [0]
        candidates: list[Candidate] = []
        for place in self._places:
            back_end = self.back_ends[place]
            candidates.append(back_end.engine or Elsewhere([name for name in back_end.served if name in allowed]))
        elsewhere = {at for at, place in enumerate(self._places) if self.back_ends[place].engine is None}
        machine = mux.MuxConnection(candidates, frozenset(elsewhere))
        pump = Pump(machine, self._act, self.module.crash, Tape(self._trace, f"{self.module.id}.mux"))
        self._connection = (pump, transport)
        transport.on_data = lambda data: pump.feed(out.Received(data))
        transport.on_closed = lambda _: pump.feed(out.Disconnected())
        pump.feed(out.Connected(transport.security))
        return True

    def _give_way(self) -> None:
        """Drop a connection on which no request has come, if there is one: no back end has had it."""
        if self._connection is None:
            return
        (pump, transport), self._connection = self._connection, None
        pump.close()
        transport.on_data, transport.on_closed = nothing, nothing
        transport.abort()
        self._lines.write("the connection of %s, without a request so far, gives way", transport.peer)

    def end_session(self, reason: str) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            engine = self.back_ends[self.selected].engine
            self._connection[0].feed(out.LinkLost(reason))
            if self._connection is not None and engine is not None:
                engine.end_session(reason)

    def _act(self, effect: Any) -> None:  # noqa: C901 (one case each)
        connection, relay = self._connection, self._relay
        match effect:
            case mux.HandOver(place, received) if connection is not None:
                self._hand_over(self._select(place), connection[1], received)
            case mux.ConnectTo(place):
                self._connecting = self.module.spawn(self._connect(self._select(place)), "back end")
            case mux.ToBackEnd(data):
                self._from_car(data)
                if relay is not None:
                    relay.send(data)
            case mux.ToCar(data) if connection is not None:
                connection[1].send(data)
                self._to_car(data)
            case mux.ShutDownBackEnd() if relay is not None:
                relay.shut_down()
            case mux.AbortBackEnd():
                self._abort_back_end()
            case out.ShutDown() if connection is not None:
                connection[1].shut_down()
            case out.Abort() if connection is not None:
                connection[1].abort()
            case Publish(interface, variable, value):
                getattr(self._provided[interface], variable).publish(value)
            case out.Log(text):
                self._lines.write("%s", text)
            case out.ProtocolViolation(text):
                self._warnings.write("%s", text)
            case mux.Released():
                self._released()

    def _select(self, place: int) -> BackEnd:
        """Forward from now on what this back end publishes; the connection is its."""
        self.listener.spoke()
        self.selected = self._places[place]
        back_end = self.back_ends[self.selected]
        known = getattr(back_end.ends[Iso15118Extensions.interface], RENEGOTIATION)
        if known.known:
            getattr(self._provided[Iso15118Extensions.interface], RENEGOTIATION).publish(known.value)
        if self._connection is not None:
            self._lines.write("the car at %s is for %s", self._connection[1].peer, back_end.name)
        return back_end

    def _hand_over(self, back_end: BackEnd, transport: Transport, received: bytes) -> None:
        assert back_end.engine is not None
        back_end.engine.take(transport, received, self.listener.where, self._released)

    async def _connect(self, back_end: BackEnd) -> None:
        assert self._connection is not None
        pump = self._connection[0]

        def connected(relay: Transport) -> bool:
            if self._connection is None or self._connection[0] is not pump:
                return False
            self._relay = relay
            relay.on_data = lambda data: pump.feed(mux.BackEndSent(data))
            relay.on_closed = lambda _: pump.feed(mux.BackEndClosed())
            pump.feed(mux.BackEndConnected())
            return True

        try:
            await connect(self.module.runtime.wires, self._proxy_device, back_end.port, connected)
        except Unavailable as error:
            pump.feed(mux.BackEndUnreachable(f"{back_end.name} at {error}"))

    def _abort_back_end(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        if self._relay is not None:
            self._relay.on_data, self._relay.on_closed = nothing, nothing
            self._relay.abort()

    def _released(self) -> None:
        """Let the next car come; nothing of this session stays at a back end that did not have it."""
        if self._connection is None:
            return
        (pump, transport), self._connection = self._connection, None
        pump.close()
        transport.on_data, transport.on_closed = nothing, nothing
        self._relay = self._connecting = None
        for place, back_end in enumerate(self.back_ends):
            if back_end.engine is not None and place != self.selected:
                back_end.engine.forget_session()
        self.listener.gone()

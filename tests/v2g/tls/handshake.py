"""Both ends of a TLS connection in memory, or one of them against bytes of the test's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.kernel.machine import Machine
from chargebyte_fw.modules.v2g.security import Security
from chargebyte_fw.modules.v2g.transport.tls import connection as tls
from chargebyte_fw.modules.v2g.transport.tls import contexts
from chargebyte_fw.modules.v2g.transport.tls.choice import Choice, choose
from chargebyte_fw.modules.v2g.transport.tls.client import TlsClient
from chargebyte_fw.modules.v2g.transport.tls.client_hello import ClientHello
from chargebyte_fw.modules.v2g.transport.tls.credentials import Chain
from chargebyte_fw.modules.v2g.transport.tls.openssl_end import OpenSslEnd
from chargebyte_fw.modules.v2g.transport.tls.policy import TlsPolicy

TIMEOUT_S = 15.0


@dataclass
class Server:
    """A charger: chains, anchors, rules; `machine` is one connection."""

    policy: TlsPolicy
    chains: list[Chain]
    anchors: list[bytes] = field(default_factory=list)
    at: datetime = VIRTUAL_EPOCH
    hellos: list[ClientHello] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)

    def machine(self) -> tls.TlsServerConnection:
        return tls.TlsServerConnection(self.decide, TIMEOUT_S)

    def decide(self, hello: ClientHello) -> OpenSslEnd:
        self.hellos.append(hello)
        choice = choose(hello, self.policy, [chain for chain in self.chains if chain.is_valid(self.at)])
        self.choices.append(choice)
        context = contexts.server_context(choice, self.anchors, lambda end, line: self.keys.append(line))
        contexts.set_time(context, self.at)
        staple = choice.chain.ocsp.data if choice.chain.ocsp is not None and hello.status_request else b""
        return OpenSslEnd(context, server=True, staple=staple)


class Pair:
    """A charger and a car, connected; `step` carries bytes both ways until nothing moves."""

    def __init__(self, server: Server, client: TlsClient, at: datetime = VIRTUAL_EPOCH) -> None:
        self.server: Machine = server.machine()
        self.client: Machine = client.connection(at)
        self.effects: dict[Machine, list[Any]] = {self.server: [], self.client: []}
        self.feed(self.server, tls.Begin())
        self.feed(self.client, tls.Begin())

    def feed(self, machine: Machine, event: Any, now: float = 0.0) -> None:
        waiting = [(machine, event)]
        while waiting:
            machine, event = waiting.pop(0)
            other = self.client if machine is self.server else self.server
            for effect in machine.feed(event, now):
                if isinstance(effect, tls.Transmit):
                    waiting.append((other, tls.Arrived(effect.data)))
                else:
                    self.effects[machine].append(effect)

    def security(self, machine: Machine) -> Security | None:
        found = [one.security for one in self.effects[machine] if isinstance(one, tls.Established)]
        return found[0] if found else None

    def lost(self, machine: Machine) -> list[str]:
        return [one.reason for one in self.effects[machine] if isinstance(one, tls.Lost)]

    def delivered(self, machine: Machine) -> bytes:
        return b"".join(one.data for one in self.effects[machine] if isinstance(one, tls.Deliver))

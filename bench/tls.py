"""TLS handshakes with mutual authentication and chains of three: the CPU time of the charger's side alone."""

from __future__ import annotations

import statistics
import time
from typing import Any

from bench.rows import Row, at_most, info
from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.kernel.machine import Machine
from chargebyte_fw.modules.v2g.transport.tls import connection as tls
from chargebyte_fw.modules.v2g.transport.tls import contexts, policy
from chargebyte_fw.modules.v2g.transport.tls.choice import Choice, choose
from chargebyte_fw.modules.v2g.transport.tls.client import TlsClient
from chargebyte_fw.modules.v2g.transport.tls.client_hello import ClientHello
from chargebyte_fw.modules.v2g.transport.tls.credentials import Chain
from chargebyte_fw.modules.v2g.transport.tls.openssl_end import OpenSslEnd
from tests.v2g.tls import pki

BOUND_MS = 15.0
ROUNDS = 40


class _Charger:
    """The charger's side, with contexts that are kept as the product keeps them, or made for each handshake."""

    def __init__(self, chain: Chain, anchors: list[bytes], *, kept: bool) -> None:
        self._chain = chain
        self._anchors = anchors
        self._kept: dict[Choice, Any] | None = {} if kept else None

    def decide(self, hello: ClientHello) -> OpenSslEnd:
        choice = choose(hello, policy.iso20(), [self._chain])
        context = None if self._kept is None else self._kept.get(choice)
        if context is None:
            context = contexts.server_context(choice, self._anchors, None)
            if self._kept is not None:
                self._kept[choice] = context
        contexts.set_time(context, VIRTUAL_EPOCH)
        assert choice.chain.ocsp is not None
        return OpenSslEnd(context, server=True, staple=choice.chain.ocsp.data)


def _handshake_ms(charger: _Charger, client: TlsClient) -> float:
    """Return the CPU time that one handshake costs the charger."""
    server: Machine = tls.TlsServerConnection(charger.decide, 15.0)
    car: Machine = client.connection(VIRTUAL_EPOCH)
    spent_s = 0.0
    waiting: list[tuple[Machine, Any]] = [(server, tls.Begin()), (car, tls.Begin())]
    while waiting:
        machine, event = waiting.pop(0)
        began = time.process_time()
        effects = machine.feed(event, 0.0)
        if machine is server:
            spent_s += time.process_time() - began
        other = car if machine is server else server
        waiting += [(other, tls.Arrived(one.data)) for one in effects if isinstance(one, tls.Transmit)]
    assert server.state is tls.TlsState.OPEN and car.state is tls.TlsState.OPEN
    return spent_s * 1000


def _median_ms(kind: str, versions: tuple[str, ...], *, kept: bool) -> float:
    leaf = pki.leaf(kind=kind)
    charger = _Charger(leaf.chain(pki.staple(leaf)), [leaf.root.der], kept=kept)
    client = TlsClient((leaf.root.der,), versions, pki.vehicle(kind).chain())
    _handshake_ms(charger, client)
    return statistics.median(_handshake_ms(charger, client) for _ in range(ROUNDS))


def rows() -> list[Row]:
    """Return the rows of the table."""
    found = []
    for kind in ("P-521", "P-256"):
        name = f"TLS 1.3 handshake, mutual, chains of three, {kind}: our CPU"
        found.append(at_most(name, _median_ms(kind, ("1.3",), kept=True), "ms", BOUND_MS))
    first = _median_ms("P-521", ("1.3",), kept=False)
    found.append(at_most("the same, P-521, first after the certificates changed", first, "ms", BOUND_MS))
    found.append(info("TLS 1.2 handshake, P-256: our CPU", _median_ms("P-256", ("1.2",), kept=True), "ms"))
    return found

"""The charger's TLS on a carrier: who may begin a handshake, what its connections are made of, and their transport."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from logging import DEBUG, INFO
from typing import Any

from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.modules.v2g import sdp
from chargebyte_fw.modules.v2g.security import PLAIN, Security
from chargebyte_fw.modules.v2g.transport import Accept, Carrier, nothing
from chargebyte_fw.modules.v2g.transport.tls import connection as tls
from chargebyte_fw.modules.v2g.transport.tls.alerts import Alert, TlsError
from chargebyte_fw.modules.v2g.transport.tls.certificates import Certificates
from chargebyte_fw.modules.v2g.transport.tls.choice import Choice, Refused, choose, is_usable
from chargebyte_fw.modules.v2g.transport.tls.client_hello import ClientHello
from chargebyte_fw.modules.v2g.transport.tls.credentials import Chain, Credentials, unreadable
from chargebyte_fw.modules.v2g.transport.tls.policy import TlsPolicy

_MOST_HANDSHAKES = 4
"""As many cars may be in the handshake at once; with one more the oldest is given up."""
_MOST_CONTEXTS = 8
NO_TIMEOUT_S = 60.0
"""What a time limit of 0 is: V2G_SECC_Sequence_Timeout, since no state may last for ever."""

KeyLog = Callable[[bytes, int], None]
"""Takes a line of the key log, and the TCP port of the car."""


class TlsServer:
    """Makes transports with TLS for the cars that connect to an endpoint."""

    security = sdp.SECURITY_TLS

    def __init__(
        self,
        certificates: Certificates,
        policy: TlsPolicy,
        log: ModuleLog,
        guard: Callable[[BaseException], None],
        *,
        timeout_s: float = 15.0,
        key_log: KeyLog | None = None,
        log_course: bool = False,
        record: Callable[[dict[str, str]], None] = nothing,
    ) -> None:
        self.certificates = certificates
        self.policy = policy
        self.timeout_s = timeout_s or NO_TIMEOUT_S
        self.key_log = key_log
        self._record = record
        self._course_level = INFO if log_course else DEBUG
        self._log = log
        self.guard = guard
        self._handshakes: list[TlsTransport] = []
        self._open: set[TlsTransport] = set()
        """Every transport whose wire is not closed."""
        self._contexts: dict[Choice, Any] = {}
        self._contexts_of: Credentials | None = None
        self._not_stapled: set[str] = set()
        self._failures = RateLimitedLog(log, "%d more TLS handshakes failed within %g s")
        self._successes = RateLimitedLog(log, "%d more TLS handshakes within %g s", level=INFO)

    def offered(self) -> bool:
        """Return whether there is a chain to show now."""
        return any(is_usable(chain, self.policy) for chain in self.certificates.current.valid(utc_now()))

    def renew(self) -> asyncio.Task[None] | None:
        """Ask the certificate store again; None if it was asked just now."""
        return self.certificates.begin_renewal()

    @property
    def missing(self) -> str:
        """Why there is no TLS now."""
        kinds = ", ".join(sorted({chain.key_kind for chain in self.certificates.current.valid(utc_now())}))
        if kinds:
            return f"keys of the kind {kinds} are of no use with these versions and algorithms"
        return self.certificates.missing or "no certificate chain is valid now"

    def acceptor(
        self, admit: Accept, accept: Accept, *, plain: Accept | None = None, failed: Callable[[], None] = nothing
    ) -> Accept:
        """Return what takes a connection of a carrier: `admit` before the handshake, `accept` after it.

        `plain` gets a car that begins V2GTP without TLS; None: it is refused. `failed` is called when a handshake
        fails, after its line in the log; one that the charger gives up has not failed.
        """

        def take(wire: Any) -> bool:
            if not admit(wire):
                return False
            if len(self._handshakes) >= _MOST_HANDSHAKES:
                self._handshakes[0].give_up("another one came")
            transport = TlsTransport(self, wire, accept, plain, failed)
            self._handshakes.append(transport)
            self._open.add(transport)
            transport.begin()
            return True

        return take

    def close(self, reason: str) -> None:
        """Give up every handshake that is not complete, and drop what is closing; sessions are their owner's."""
        for transport in tuple(self._handshakes):
            transport.give_up(reason)
        for transport in tuple(self._open):
            if not transport.in_session:
                transport.abort()
        self._failures.close()
        self._successes.close()

    # -- for the transports

    def decide(self, hello: ClientHello, wire: Carrier) -> tls.End:
        """Return OpenSSL's end for the ClientHello of a car; raises Refused or TlsError."""
        self._record({"tls": wire.peer, "hello": str(hello)})
        credentials, at = self.certificates.current, utc_now()
        chains = credentials.valid(at)
        if not chains:
            raise Refused(Alert.handshake_failure, f"there is no certificate chain to show ({self.missing})")
        from OpenSSL import SSL, crypto

        from chargebyte_fw.modules.v2g.transport.tls import bindings, contexts
        from chargebyte_fw.modules.v2g.transport.tls.openssl_end import OpenSslEnd

        self._log.log(self._course_level, "ClientHello: %s", hello)
        choice = choose(hello, self.policy, chains, any_group=bindings.has_group_list())
        self._log.log(
            self._course_level,
            "TLS %s with the chain of %s%s",
            choice.version,
            choice.chain.name,
            ", a client certificate is demanded" if choice.demand_certificate else "",
        )
        if credentials is not self._contexts_of or len(self._contexts) >= _MOST_CONTEXTS:
            self._contexts.clear()
            self._contexts_of = credentials
        context = self._contexts.get(choice)
        if context is None:
            log = None if self.key_log is None else self._keys
            try:
                context = contexts.server_context(choice, credentials.anchors, log)
            except unreadable(bindings.OpenSslError, SSL.Error, crypto.Error) as error:
                raise TlsError(f"OpenSSL does not take the chain {choice.chain.name}: {error}") from None
            self._contexts[choice] = context
        contexts.set_time(context, at)
        staple = self._staple(choice.chain) if hello.status_request else b""
        end = OpenSslEnd(context, server=True, staple=staple)
        end.peer_port = wire.peer_port
        return end

    def _keys(self, end: Any, line: bytes) -> None:
        if self.key_log is not None:
            self.key_log(line, end.peer_port)

    def _staple(self, chain: Chain) -> bytes:
        """Return the OCSP response of the leaf while it may be used (RFC 6960 clause 3.2)."""
        if chain.ocsp is None:
            return b""
        fault = chain.ocsp.fault(utc_now())
        if not fault:
            return chain.ocsp.data
        if fault not in self._not_stapled:
            self._not_stapled = {fault}
            self._log.warning("the OCSP response of %s is not stapled: %s (%s)", chain.name, fault, chain.ocsp.where)
        return b""

    def established(self, transport: TlsTransport) -> None:
        """Take a transport from the handshakes."""
        self._handshakes.remove(transport)
        security = transport.security
        shown = ""
        if security.peer_certificate is not None:
            from chargebyte_fw.modules.v2g.transport.tls.credentials import describe

            shown = f", the car shows {describe(security.peer_certificate)}"
        self._successes.write("TLS %s with %s: %s%s", security.tls_version, transport.peer, security.cipher, shown)

    def not_used(self, transport: TlsTransport) -> None:
        """Forget a transport whose car does without TLS."""
        self._handshakes.remove(transport)
        self._open.discard(transport)

    def wire_closed(self, transport: TlsTransport) -> None:
        """Forget a transport: nothing more comes of it."""
        self._open.discard(transport)

    def lost(self, transport: TlsTransport, reason: str) -> bool:
        """Log and record why a handshake or a session ended; return whether it was a handshake."""
        if reason or transport in self._handshakes:
            self._record({"tls": transport.peer, "failed": reason})
        if transport in self._handshakes:
            self._handshakes.remove(transport)
            self._failures.write("no TLS with %s: %s", transport.peer, reason or "the car closed the connection")
            return True
        if reason:
            self._failures.write("TLS with %s ended: %s", transport.peer, reason)
        return False


class TlsTransport:
    """A connection with TLS: `Transport` on one side, a carrier on the other."""

    def __init__(
        self, server: TlsServer, wire: Carrier, accept: Accept, plain: Accept | None, failed: Callable[[], None]
    ) -> None:
        self.on_data: Callable[[bytes], None] = nothing
        self.on_closed: Callable[[str], None] = nothing
        self.peer = wire.peer
        self.security: Security = PLAIN
        self._server = server
        self._wire = wire
        self._accept = accept
        self._plain = plain
        self._failed = failed
        machine = tls.TlsServerConnection(
            lambda hello: server.decide(hello, wire), server.timeout_s, plain=plain is not None
        )
        self._pump = pump = Pump(machine, self._act, server.guard)
        wire.on_data = lambda data: pump.feed(tls.Arrived(data))
        wire.on_closed = self._wire_closed

    def begin(self) -> None:
        """Wait for the ClientHello."""
        self._pump.feed(tls.Begin())

    def send(self, data: bytes) -> None:
        """Send bytes; without effect once closed."""
        self._pump.feed(tls.Write(data))

    def shut_down(self) -> None:
        """Close our side in order."""
        self._pump.feed(tls.Close())

    def abort(self) -> None:
        """Close at once."""
        self._drop()

    def give_up(self, reason: str) -> None:
        """End a handshake that is not complete."""
        self._server.lost(self, reason)
        self._drop()

    @property
    def in_session(self) -> bool:
        """Whether plaintext may still be sent."""
        return self._pump.machine.state is tls.TlsState.OPEN

    def _wire_closed(self, reason: str) -> None:
        self._pump.feed(tls.WireClosed(reason))
        self._server.wire_closed(self)

    def _drop(self) -> None:
        self._pump.close()
        self._wire.on_data, self._wire.on_closed = nothing, nothing
        self._wire.abort()
        self._server.wire_closed(self)

    def _hand_over(self, data: bytes) -> None:
        """Let the owner have the carrier itself."""
        self._server.not_used(self)
        self._pump.close()
        wire = self._wire
        wire.on_data, wire.on_closed = nothing, nothing
        if self._plain is not None and self._plain(wire):
            wire.on_data(data)
        else:
            wire.abort()

    def _act(self, effect: Any) -> None:
        match effect:
            case tls.Transmit(data):
                self._wire.send(data)
            case tls.Deliver(data):
                self.on_data(data)
            case tls.Established(security):
                self.security = security
                self._server.established(self)
                if not self._accept(self):
                    self._pump.feed(tls.Close())
            case tls.Lost(reason):
                if self._server.lost(self, reason):
                    self._failed()
                closed, self.on_data, self.on_closed = self.on_closed, nothing, nothing
                closed(reason)
            case tls.PlainInstead(data):
                self._hand_over(data)
            case tls.ShutWire():
                self._wire.shut_down()
            case tls.DropWire():
                self._drop()

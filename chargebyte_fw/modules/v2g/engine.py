"""The SECC as one assembly: listener, one connection at a time, and the contracts that a module provides.

A module file configures it (`evse_v2g.py`): which protocols are served, with which settings, on which interface.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections.abc import Callable, Sequence
from datetime import datetime
from logging import DEBUG, INFO, WARNING
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.interfaces.iso15118_vas import Iso15118Vas
from chargebyte_fw.contracts.revocation import RevocationCheck
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.contracts.types.evse_security import CertificateValidationResult, LeafCertificateType
from chargebyte_fw.kernel.bus import implementation_here
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.kernel.trace import Tape
from chargebyte_fw.modules.v2g import handshake, signatures
from chargebyte_fw.modules.v2g.exi import codec, forget_grammars
from chargebyte_fw.modules.v2g.iso15118_charger import Iso15118ChargerImpl
from chargebyte_fw.modules.v2g.link import TCP, Endpoint, V2gLink
from chargebyte_fw.modules.v2g.listener import Listener
from chargebyte_fw.modules.v2g.messages import sap
from chargebyte_fw.modules.v2g.secc import contracts
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.connection import Secc
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, SessionFacts, Settings
from chargebyte_fw.modules.v2g.secc.negotiation import offered_protocols
from chargebyte_fw.modules.v2g.secc.protocol import Environment, Protocol
from chargebyte_fw.modules.v2g.security import Security
from chargebyte_fw.modules.v2g.transport import Transport, nothing
from chargebyte_fw.modules.v2g.value_added_services import ValueAddedServices

FIRST_OF_A_SESSION = "SessionSetupReq"
"""Who comes so far is a car: its lines are logged, however many connections came before."""
COMPILATION_PAUSE_S, COMPILATION_PAUSE_WITH_CAR_S = 0.01, 1.0
"""Between two steps, each of which takes up to 15 ms on a desk."""
_KNOWN_IDS = frozenset(str(message_id) for message_id in iso15118.V2gMessageId)


class V2gEngine:
    """Serves one car at a time on behalf of a module, which provides `charger` and `extensions`."""

    def __init__(
        self,
        module: Module,
        charger: Iso15118ChargerImpl,
        extensions: Iso15118Extensions,
        providers: Sequence[Iso15118Vas],
        protocols: Sequence[Protocol],
        settings: Settings,
        device: str,
        *,
        security: EvseSecurity | None = None,
        endpoints: Sequence[Endpoint] = (TCP,),
        with_sdp: bool = True,
        provided: Sequence[Contract] = (),
    ) -> None:
        self.module = module
        self.log = module.log
        self.protocols = protocols
        self.settings = settings
        self.facts = ChargerFacts(app_protocols=self.served)
        self.debug = False
        """Publish each message (`v2g_messages`)."""
        self.listener = Listener(
            module, charger, self.accept, self.end_session, device, endpoints=endpoints, with_sdp=with_sdp
        )
        self._charger = charger
        self._extensions = extensions
        self._provided: dict[str, Contract] = {
            Iso15118Charger.interface: charger,
            Iso15118Extensions.interface: extensions,
            **{one.interface: one for one in provided},
        }
        self._security = security
        self._trace = trace = module.runtime.trace
        self._from_car = trace.channel("v2g", f"{module.id}.car")
        self._to_car = trace.channel("v2g", f"{module.id}.charger")
        self._session: tuple[Pump, Transport] | None = None
        self._released: Callable[[], None] = nothing
        """What has to know that the next car may come."""
        self._level = INFO
        self._connections = RateLimitedLog(self.log, "%d more connections came within %g s", level=INFO)
        self._compiled: set[str] = set()
        """Schema sets whose functions are compiled, or are just being compiled."""
        self._compilation: asyncio.Task[None] | None = None
        self._open = False
        self.services = ValueAddedServices(providers, self.log, self._services_changed)

    # -- the module's life

    @property
    def listens(self) -> bool:
        """Whether cars connect here; if not, a multiplexer in this process gives them to `take`."""
        return not self._charger.multiplexed

    @property
    def link(self) -> V2gLink:
        """The link on which cars come."""
        return self.listener.link

    @property
    def served(self) -> list[str]:
        """EVerest's names of the protocols that are served."""
        return list(dict.fromkeys(protocol.app.name for protocol in self.protocols))

    def prepare(self) -> None:
        """Import the messages and follow the providers of value-added services."""
        codec("sap")
        for protocol in self.protocols:
            protocol.prepare()
        self.services.subscribe()

    def open(self) -> None:
        """Publish what is served and let cars come."""
        names = [iso15118.SupportedAppProtocol(name) for name in self.served]
        self._charger.supported_app_protocols_secc.publish(iso15118.SupportedAppProtocols(app_protocols=names))
        renegotiates = "ISO15118D20" in self.served and self.settings.iso20.service_renegotiation
        self._extensions.service_renegotiation_supported.publish(renegotiates)
        if self.listens:
            self.listener.open()
        self._open = True
        self.compile_codecs()

    def compile_codecs(self) -> None:
        """Begin to compile what cars may need with the present facts: at its first message a car would wait for it."""
        if self._open and (self._compilation is None or self._compilation.done()):
            self._compilation = self.module.spawn(self._compile(), "codecs")

    async def _compile(self) -> None:
        while (name := self._not_compiled()) is not None:
            self._compiled.add(name)
            for _ in itertools.chain(codec(name).generate(), signatures.generate(name)):
                await asyncio.sleep(COMPILATION_PAUSE_S if self._session is None else COMPILATION_PAUSE_WITH_CAR_S)
            forget_grammars()

    def _not_compiled(self) -> str | None:
        sets = ["sap"]
        for protocol in self.protocols:
            sets += protocol.load(self.facts)
        return next((name for name in sets if name not in self._compiled), None)

    def close(self) -> None:
        """Take the power off the car and close the sockets."""
        self.end_session("the charger stops")
        self.listener.close()
        self._connections.close()

    # -- connections

    def accept(self, transport: Transport) -> bool:
        """Begin a connection; return false, and begin none, where no car may connect now."""
        if not self.listener.admit(transport):
            return False
        self._give_way(transport.peer)
        self.listener.connected()
        self._begin(transport, self.listener.where, self.listener.gone)
        return True

    def choice(self, request: sap.supportedAppProtocolReq, security: Security) -> sap.AppProtocolType | None:
        """Return the car's entry that would be selected on such a connection; None: no protocol is common."""
        offered = offered_protocols(self.protocols, self.facts, self.settings, security)
        return handshake.choose(request, [one.app for one in offered]).entry

    def take(self, transport: Transport, received: bytes, where: str, released: Callable[[], None]) -> None:
        """Take over a car's connection whose first bytes another module has read; `released` is called at its end."""
        self._begin(transport, where, released)
        transport.on_data(received)

    def forget_session(self) -> None:
        """Drop what is kept for a session: the car has had one elsewhere."""
        self.facts.session = SessionFacts()
        self.facts.forget_paused()

    def _begin(self, transport: Transport, where: str, released: Callable[[], None]) -> None:
        self._released = released
        record, source = self._trace.record, self.module.id
        # What a session answers with, so that it can be played again from here on (docs/trace.md).
        begins: dict[str, Any] = {"opened": transport.peer, "at": where, "wall": utc_now().isoformat()}
        begins |= {"security": transport.security, "facts": self.facts, "settings": self.settings}
        record("conn", source, begins)
        machine = Secc(self.protocols, self.facts, self.settings, Environment(self._random_bytes, self._utc_now))
        pump = Pump(machine, self._act, self.module.crash, Tape(self._trace, f"{source}.secc"))
        self._session = (pump, transport)

        def received(data: bytes) -> None:
            self._from_car(data)
            pump.feed(out.Received(data))

        def closed(why: str) -> None:
            record("conn", source, {"closed": "car"})
            if why:
                self.log.debug("connection closed: %s", why)
            pump.feed(out.Disconnected())

        transport.on_data, transport.on_closed = received, closed
        within_limit = self._connections.write("car connected from %s", transport.peer)
        self._level = INFO if within_limit else DEBUG
        pump.feed(out.Connected(transport.security))

    def _give_way(self, peer: str) -> None:
        """Drop a connection on which no request has come, if there is one: nothing was published of it."""
        if self._session is None:
            return
        (pump, transport), self._session = self._session, None
        pump.close()
        transport.on_data, transport.on_closed = nothing, nothing
        transport.abort()
        self._trace.record("conn", self.module.id, {"replaced": peer})
        self.log.log(self._level, "the connection of %s, without a request so far, gives way", transport.peer)

    def _random_bytes(self, count: int) -> bytes:
        drawn = self.module.runtime.random.randbytes(count)
        self._trace.record("chance", self.module.id, drawn)
        return drawn

    def _utc_now(self) -> datetime:
        now = utc_now()
        self._trace.record("wall", self.module.id, now.isoformat())
        return now

    def end_session(self, reason: str) -> None:
        """Take the power off the car and close its connection, if there is one."""
        if self._session is not None:
            self._trace.record("conn", self.module.id, {"lost": reason})
            self._session[0].feed(out.LinkLost(reason))

    # -- for the commands of the contract

    def facts_changed(self) -> None:
        """Let a response go out that waits for a fact."""
        if self._session is not None:
            self._session[0].feed(out.FactsChanged())

    def data_link(self, ready: bool) -> None:
        """Open for a car with the data link, close without."""
        if self.listens:
            self.listener.data_link(ready)
        elif not ready:
            self.end_session("the data link is gone")

    def is_connected(self) -> bool:
        """Return whether a car is connected."""
        return self._session is not None

    # -- effects

    def _act(self, effect: Any) -> None:  # noqa: C901 (one case each)
        match effect:
            case out.Send(data):
                if self._session is not None:
                    self._session[1].send(data)
                    self._to_car(data)
            case Publish(interface, variable, value):
                getattr(self._provided[interface], variable).publish(value)
            case out.MessageExchanged():
                self._message_exchanged(effect)
            case out.Log(text):
                self.log.log(self._level, "%s", text)
            case out.ProtocolViolation(text):
                self.log.log(WARNING if self._level == INFO else DEBUG, "%s", text)
            case out.ShutDown() if self._session is not None:
                self._session[1].shut_down()
            case out.Abort() if self._session is not None:
                self._session[1].abort()
            case out.GetServiceParameters(service_id):
                self.module.spawn(self._get_service_parameters(service_id), "service")
            case out.VerifyContract(chain):
                self.module.spawn(self._verify_contract(chain), "contract")
            case out.SelectServices(selected):
                self.module.spawn(self.services.select(selected), "services")
            case out.Ended(how):
                self._ended(how)

    def _ended(self, how: str) -> None:
        if self._session is None:
            return
        (pump, transport), self._session = self._session, None
        pump.close()
        transport.on_data, transport.on_closed = nothing, nothing
        self._trace.record("conn", self.module.id, {"ended": how})
        self.log.log(self._level, "V2G session over (%s)", how)
        self._released()

    def _message_exchanged(self, one: out.MessageExchanged) -> None:
        self.log.debug("%s %s", one.name, one.message)
        self.listener.spoke()
        if one.name == FIRST_OF_A_SESSION:
            self._level = INFO
        if not self.debug:
            return
        self._charger.v2g_messages.publish(
            iso15118.V2gMessages(
                id=_message_id(one.name),
                exi=one.frame.hex(),
                exi_base64=base64.b64encode(one.frame).decode(),
                v2g_json=None if one.message is None else msgspec.json.encode(one.message).decode(),
            )
        )

    # -- value-added services

    def _services_changed(self, services: dict[int, Any]) -> None:
        self.facts.offered_services = services

    async def _get_service_parameters(self, service_id: int) -> None:
        session = self.facts.session
        sets = await self.services.parameters(service_id)
        self._trace.record("answer", f"{self.module.id}.get_service_parameters", [service_id, sets])
        session.service_parameters[service_id] = sets
        self.facts_changed()

    # -- contracts

    async def _verify_contract(self, chain: tuple[bytes, ...]) -> None:
        """Ask the certificate store about a contract chain; the session that asked gets its answer, no later one."""
        session = self.facts.session
        result, ocsp, revoked = None, [], ""
        if self._security is not None:
            pem = contracts.pem(chain)
            kinds = [LeafCertificateType.V2G, LeafCertificateType.MO]
            try:
                result = await self._security.verify_certificate(pem, kinds)
                ocsp = (await self._security.get_mo_ocsp_request_data(pem)).ocsp_request_data_list
                oracle = implementation_here(self._security, RevocationCheck)
                if result is CertificateValidationResult.Valid and oracle is not None:
                    revoked = await oracle.revoked(pem)
            except CommandError as error:
                self.log.warning("the certificate store does not answer: %s", error)
        verification = contracts.ContractVerification(chain, result, tuple(ocsp), revoked)
        self._trace.record("answer", f"{self.module.id}.verify_contract", verification)
        session.contract_verification = verification
        self.facts_changed()


def _message_id(name: str) -> iso15118.V2gMessageId:
    """Return EVerest's name of a message: `DC_ChargeLoopReq` of ISO 15118-20 is `DcChargeLoopReq`."""
    plain = name.replace("AC_", "Ac").replace("DC_", "Dc")
    return iso15118.V2gMessageId(plain if plain in _KNOWN_IDS else "UnknownMessage")

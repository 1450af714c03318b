"""EvseV2G: the charger's side of DIN SPEC 70121 and ISO 15118-2 over TCP."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from logging import DEBUG, INFO, WARNING
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.interfaces.iso15118_vas import Iso15118Vas
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.contracts.types import iso15118_vas as vas
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import CommandError, PeerError
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.module import Claim, ConfigIssue, End, Module, ModuleConfig, provides, requires, requires_many
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.rate_limited_log import RateLimit
from chargebyte_fw.kernel.trace import Tape
from chargebyte_fw.modules.v2g import sdp
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.handshake import DIN70121, ISO15118D2
from chargebyte_fw.modules.v2g.iso15118_charger import Iso15118ChargerImpl, Iso15118ExtensionsImpl
from chargebyte_fw.modules.v2g.link import Connection, V2gLink
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.access import Access, CarConnected, CarGone, CloseConnection, DataLink, SdpAnswered
from chargebyte_fw.modules.v2g.secc.common.session import Outside
from chargebyte_fw.modules.v2g.secc.connection import Secc
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, Settings

FAULT = "generic/CommunicationFault"
FIRST_OF_A_SESSION = "SessionSetupReq"
"""Who comes so far is a car: its lines are said, however many connections came before."""
_KNOWN_IDS = frozenset(str(message_id) for message_id in iso15118.V2gMessageId)


class EvseV2GConfig(ModuleConfig):
    """EVerest's keys of EvseV2G."""

    device: Annotated[
        str,
        Meta(
            description="Network interface of the powerline modem; `auto` takes the first with IPv6 link-local "
            "and stays with it."
        ),
    ] = "eth0"
    supported_DIN70121: Annotated[bool, Meta(description="Speak DIN SPEC 70121.")] = True
    supported_ISO15118_2: Annotated[bool, Meta(description="Speak ISO 15118-2.")] = True
    tls_security: Annotated[
        Literal["prohibit", "allow", "force"],
        Meta(description="Whether cars get TLS. There is none in this version: `force` does not start."),
    ] = "allow"
    terminate_connection_on_failed_response: Annotated[
        bool, Meta(description="Close the connection after any FAILED response, not only after a sequence error.")
    ] = False
    tls_key_logging: Annotated[bool, Meta(description="Write TLS session keys for analysis (needs TLS).")] = False
    tls_key_logging_path: Annotated[str, Meta(description="Directory of the TLS key log (needs TLS).")] = "/tmp"
    tls_timeout: Annotated[int, Meta(ge=0, description="Time limit of the TLS handshake in ms (needs TLS).")] = 15_000
    verify_contract_cert_chain: Annotated[
        bool, Meta(description="Check contract certificates against the local roots (needs TLS).")
    ] = False
    auth_timeout_pnc: Annotated[
        int, Meta(ge=0, description="Time limit of an authorization by contract in s, 0 for none (needs TLS).")
    ] = 55
    auth_timeout_eim: Annotated[
        int, Meta(ge=0, description="Time limit of an authorization by external means in s, 0 for none.")
    ] = 300
    enable_sdp_server: Annotated[
        bool, Meta(description="Answer SDP; without it another module tells cars where to connect.")
    ] = True
    publish_telemetry_only_on_change: Annotated[
        bool, Meta(description="Publish what comes with every request only when it changed.")
    ] = True


class EvseV2G(Module):
    """Speaks DIN SPEC 70121 and ISO 15118-2 with cars over the powerline link."""

    Config = EvseV2GConfig
    enable_telemetry = True
    config: EvseV2GConfig
    charger = provides(Iso15118ChargerImpl, description="The charger's side of the session.")
    extensions = provides(Iso15118ExtensionsImpl, description="The bridge to OCPP.")
    security = requires(EvseSecurity)
    iso15118_vas = requires_many(Iso15118Vas)

    facts: ChargerFacts
    served: list[str]
    debug = False

    @classmethod
    def config_issues(cls, config: EvseV2GConfig, ends: Mapping[str, Sequence[End]]) -> Iterable[ConfigIssue]:
        """TLS is not spoken yet, and something must be."""
        if config.tls_security == "force":
            what = "TLS is asked for, but this version speaks plain TCP only"
            yield ConfigIssue("tls_security", what, "use allow or prohibit")
        if not config.supported_DIN70121 and not config.supported_ISO15118_2:
            yield ConfigIssue("supported_ISO15118_2", "no protocol is left to speak", "set one of them to true")

    @classmethod
    def claims(cls, config: EvseV2GConfig, implementations: Mapping[str, Any]) -> Iterable[Claim]:
        """SDP and the TCP port on the interface of the modem."""
        yield Claim("interface for V2G", config.device, "device")

    async def init(self) -> None:
        """Read the configuration, compile the codecs, listen to providers of value-added services."""
        config = self.config
        self._tell_what_needs_tls()
        offers = ((config.supported_DIN70121, DIN70121), (config.supported_ISO15118_2, ISO15118D2))
        self.served = [protocol.name for wanted, protocol in offers if wanted]
        self.facts = ChargerFacts(app_protocols=list(self.served))
        self._settings = Settings(
            auth_timeout_eim_s=float(config.auth_timeout_eim),
            terminate_connection_on_failed_response=config.terminate_connection_on_failed_response,
            publish_telemetry_only_on_change=config.publish_telemetry_only_on_change,
        )
        # Compiling takes longer than a car waits for an answer.
        for schema_set in ("sap", *(protocol.schema_set for wanted, protocol in offers if wanted)):
            codec(schema_set)
        self._session: tuple[Pump, Connection] | None = None
        self._access = Access()
        self._access_pump = Pump(self._access, self._act, self.crash, Tape(self.runtime.trace, f"{self.id}.access"))
        self._where = ""
        self._level = INFO
        self._refusals = RateLimit(partial(self.log.warning, "%d more connections were refused within %g s"))
        self._connections = RateLimit(partial(self.log.warning, "%d more connections came within %g s"))
        self._from_car = self.runtime.trace.channel("v2g", f"{self.id}.car")
        self._to_car = self.runtime.trace.channel("v2g", f"{self.id}.charger")
        self._link = V2gLink(
            config.device, self.runtime.wires, self._accept, self._offer, with_sdp=config.enable_sdp_server
        )
        self._services: list[list[vas.OfferedService]] = [[] for _ in self.iso15118_vas]
        for place, provider in enumerate(self.iso15118_vas):
            provider.offered_vas.subscribe(self._services_offered(place))

    def _tell_what_needs_tls(self) -> None:
        config = self.config
        if config.tls_security == "allow":
            self.log.info("cars get plain TCP: TLS is not available in this version")
        defaults = EvseV2GConfig()
        for key in ("tls_key_logging", "tls_timeout", "verify_contract_cert_chain", "auth_timeout_pnc"):
            if getattr(config, key) != getattr(defaults, key):
                self.log.warning("%s has no effect: it needs TLS, which is not available in this version", key)

    async def ready(self) -> None:
        """State what is spoken and open the link."""
        names = [iso15118.SupportedAppProtocol(name) for name in self.served]
        self.charger.supported_app_protocols_secc.publish(iso15118.SupportedAppProtocols(app_protocols=names))
        self.extensions.service_renegotiation_supported.publish(False)
        self.spawn(self._link.keep_open(self._came, self._went), "link")

    async def stop(self) -> None:
        """Take the power off the car and let go of the sockets."""
        self._end_session("the charger stops")
        self._access_pump.close()
        self._link.close()
        self._refusals.close()
        self._connections.close()

    # -- link

    def _came(self, where: str) -> None:
        self._where = where
        self.charger.faults.clear(FAULT)
        self.log.info("waiting for cars at %s", where)

    def _went(self, why: str) -> None:
        self.log.warning("no V2G communication: %s", why)
        self.charger.faults.raise_fault(FAULT, why, severity=Severity.High)
        self._end_session(why)

    def _offer(self, data: bytes, address: ipaddress.IPv6Address, port: int) -> bytes | None:
        """Answer an SDP request while a car may come: plain TCP, also to a car that would like TLS."""
        self.runtime.trace.record("sdp", f"{self.id}.car", data)
        if not self._access.open:
            return None
        try:
            sdp.parse_request(data)
        except PeerError as error:
            self.log.debug("no SDP request: %s", error)
            return None
        answer = sdp.Response(address, port).to_bytes()
        self.runtime.trace.record("sdp", f"{self.id}.charger", answer)
        self._access_pump.feed(SdpAnswered())
        return answer

    def _accept(self, connection: Connection) -> bool:
        if not self._access.open:
            busy = "another car is connected" if self._session is not None else "the data link is not ready"
            self.log.log(INFO if self._refusals.counts() else DEBUG, "refused %s: %s", connection.peer, busy)
            return False
        record = self.runtime.trace.record
        # What a session answers with, so that it can be played again from here on (docs/trace.md).
        begins = {"opened": connection.peer, "at": self._where, "wall": utc_now().isoformat()}
        record("conn", self.id, {**begins, "facts": self.facts, "settings": self._settings})
        machine = Secc(self.facts, self._settings, Outside(self._chance, self._wall))
        pump = Pump(machine, self._act, self.crash, Tape(self.runtime.trace, f"{self.id}.secc"))
        self._session = (pump, connection)

        def received(data: bytes) -> None:
            self._from_car(data)
            pump.feed(out.Received(data))

        def closed() -> None:
            record("conn", self.id, {"closed": "car"})
            pump.feed(out.Disconnected())

        connection.on_data, connection.on_closed = received, closed
        self._level = INFO if self._connections.counts() else DEBUG
        self.log.log(self._level, "car connected from %s", connection.peer)
        self._access_pump.feed(CarConnected())
        pump.feed(out.Opened())
        return True

    def _chance(self, count: int) -> bytes:
        drawn = self.runtime.random.randbytes(count)
        self.runtime.trace.record("chance", self.id, drawn)
        return drawn

    def _wall(self) -> datetime:
        now = utc_now()
        self.runtime.trace.record("wall", self.id, now.isoformat())
        return now

    def _end_session(self, reason: str) -> None:
        if self._session is not None:
            self.runtime.trace.record("conn", self.id, {"lost": reason})
            self._session[0].feed(out.LinkLost(reason))

    # -- what the commands need

    def facts_changed(self) -> None:
        """Let a response go out that waits for a fact."""
        if self._session is not None:
            self._session[0].feed(out.FactsChanged())

    def data_link(self, ready: bool) -> None:
        """Open for a car with the data link, close without."""
        self._access_pump.feed(DataLink(ready))

    def is_connected(self) -> bool:
        """Whether a car is connected."""
        return self._session is not None

    # -- effects

    def _act(self, effect: Any) -> None:
        match effect:
            case out.Send(data):
                if self._session is not None:
                    self._session[1].send(data)
                    self._to_car(data)
            case out.Publish(name, value, extension):
                getattr(self.extensions if extension else self.charger, name).publish(value)
            case out.Seen():
                self._seen(effect)
            case out.Note(text):
                self.log.log(self._level, "%s", text)
            case out.Broken(what):
                self.log.log(WARNING if self._level == INFO else DEBUG, "%s", what)
            case out.ShutDown() if self._session is not None:
                self._session[1].shut_down()
            case out.Abort() if self._session is not None:
                self._session[1].abort()
            case out.AskService(service_id):
                self.spawn(self._ask_service(service_id), "service")
            case out.ServicesSelected(selected):
                self.spawn(self._tell_selected(selected), "services")
            case CloseConnection(reason):
                self._end_session(reason)
            case out.Ended(how):
                self._ended(how)

    def _ended(self, how: str) -> None:
        if self._session is None:
            return
        (pump, connection), self._session = self._session, None
        pump.close()
        connection.on_data, connection.on_closed = lambda _: None, lambda: None
        self.runtime.trace.record("conn", self.id, {"ended": how})
        self.log.log(self._level, "V2G session over (%s)", how)
        self._access_pump.feed(CarGone())

    def _seen(self, seen: out.Seen) -> None:
        self.log.debug("%s %s", seen.name, seen.message)
        if seen.name == FIRST_OF_A_SESSION:
            self._level = INFO
        if not self.debug:
            return
        self.charger.v2g_messages.publish(
            iso15118.V2gMessages(
                id=iso15118.V2gMessageId(seen.name if seen.name in _KNOWN_IDS else "UnknownMessage"),
                exi=seen.frame.hex(),
                exi_base64=base64.b64encode(seen.frame).decode(),
                v2g_json=None if seen.message is None else msgspec.json.encode(seen.message).decode(),
            )
        )

    # -- value-added services

    def _services_offered(self, place: int) -> Callable[[vas.OfferedServices], None]:
        def take(offered: vas.OfferedServices) -> None:
            # A service id has one owner: the provider that offered it first, for as long as it does.
            taken = {owner: services for owner, services in enumerate(self._services) if owner != place}
            others = {one.service_id for services in taken.values() for one in services}
            for one in offered.services:
                if one.service_id in others:
                    text = "service %d is offered by two providers: the one that offered it first keeps it"
                    self.log.warning(text, one.service_id)
            self._services[place] = [one for one in offered.services if one.service_id not in others]
            self.facts.offered_services = {one.service_id: one for services in self._services for one in services}

        return take

    def _provider(self, service_id: int) -> Iso15118Vas | None:
        for provider, services in zip(self.iso15118_vas, self._services, strict=True):
            if any(service.service_id == service_id for service in services):
                return provider
        return None

    async def _ask_service(self, service_id: int) -> None:
        provider = self._provider(service_id)
        sets: list[vas.ParameterSet] | None = None
        try:
            if provider is not None:
                sets = await provider.get_service_parameters(service_id)
        except CommandError as error:
            self.log.warning("service %d: %s", service_id, error)
        self.runtime.trace.record("answer", f"{self.id}.get_service_parameters", [service_id, sets])
        self.facts.service_parameters[service_id] = sets
        self.facts_changed()

    async def _tell_selected(self, selected: tuple[tuple[int, int], ...]) -> None:
        for provider, services in zip(self.iso15118_vas, self._services, strict=True):
            own = {service.service_id for service in services}
            chosen = [
                vas.SelectedService(service_id=service_id, parameter_set_id=set_id)
                for service_id, set_id in selected
                if service_id in own
            ]
            if not chosen:
                continue
            try:
                await provider.selected_services(chosen)
            except CommandError as error:
                self.log.warning("selected services: %s", error)

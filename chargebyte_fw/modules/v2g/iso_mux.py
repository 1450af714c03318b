"""IsoMux: one place to connect for cars of every protocol, before one module for -2 and DIN and one for -20."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol, cast

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.cb_iso15118_schedules import CbIso15118Schedules
from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.kernel.bus import implementation_here
from chargebyte_fw.kernel.module import (
    Claim,
    ConfigIssue,
    End,
    Module,
    ModuleConfig,
    provides,
    requires,
    requires_optional,
)
from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.iso15118_charger import Iso15118ChargerImpl
from chargebyte_fw.modules.v2g.listener import claims_of
from chargebyte_fw.modules.v2g.mux.forwarding import ForwardedCharger, ForwardedExtensions, ForwardedSchedules
from chargebyte_fw.modules.v2g.mux.multiplexer import BackEnd, EngineHere, Multiplexer
from chargebyte_fw.modules.v2g.mux.selection import ISO20
from chargebyte_fw.modules.v2g.transport.tls import policy
from chargebyte_fw.modules.v2g.transport.tls.endpoints import Endpoints, TlsOptions

TCP_PORT = 61_342
TLS_PORT = 64_110
KEY_LOG_FOLDER = "/tmp"
Port = Annotated[int, Meta(ge=1, le=65_535)]


class IsoMuxConfig(ModuleConfig):
    """EVerest's keys of IsoMux."""

    device: Annotated[
        str,
        Meta(
            description="Network interface of the powerline modem; `auto` takes the first with IPv6 link-local "
            "and stays with it."
        ),
    ] = "eth0"
    tls_security: Annotated[
        Literal["prohibit", "allow", "force"],
        Meta(
            description="Whether cars get TLS: `allow` answers SDP as the car wants, with TLS while a certificate "
            "chain is valid; `force` has no plain TCP, `prohibit` no TLS. Cars get TLS 1.3 where they can, and "
            "ISO 15118-20 with TLS 1.3 alone; without TLS where the module behind `iso20` allows it."
        ),
    ] = "allow"
    tls_key_logging: Annotated[bool, Meta(description="Write TLS session keys to /tmp for analysis.")] = False
    tls_timeout: Annotated[int, Meta(ge=0, description="Time limit of the TLS handshake in ms; 0 is 60 s.")] = 15_000
    proxy_port_iso2: Annotated[
        Port,
        Meta(
            description="TCP port of the module behind `iso2` where that is a program of its own; a module in this "
            "process gets the connection itself and does not listen."
        ),
    ] = 61_341
    proxy_port_iso20: Annotated[
        Port, Meta(description="TCP port of the module behind `iso20`, as `proxy_port_iso2`.")
    ] = 50_000
    proxy_device: Annotated[
        str, Meta(description="Network interface at whose address these ports are; empty for the loopback interface.")
    ] = ""


class OwnerHere(Protocol):
    """A back end in this process."""

    engine: EngineHere
    endpoints: Endpoints


class IsoMux(Module):
    """Lets cars of every protocol connect at one place, before one module for ISO 15118-2 and DIN and one for -20."""

    Config = IsoMuxConfig
    enable_telemetry = True
    config: IsoMuxConfig
    charger = provides(ForwardedCharger, description="The charger's side of the session.")
    extensions = provides(ForwardedExtensions, description="The bridge to OCPP.")
    schedules = provides(ForwardedSchedules, description="Schedules of OCPP for cars, and of cars for OCPP.")
    security = requires(EvseSecurity)
    iso2 = requires(Iso15118Charger)
    iso20 = requires(Iso15118Charger)
    ext2 = requires(Iso15118Extensions)
    ext20 = requires(Iso15118Extensions)
    schedules2 = requires_optional(CbIso15118Schedules)
    schedules20 = requires_optional(CbIso15118Schedules)

    multiplexer: Multiplexer
    endpoints: Endpoints

    @classmethod
    def config_issues(cls, config: IsoMuxConfig, ends: Mapping[str, Sequence[End]]) -> Iterable[ConfigIssue]:
        """There are two back ends, each with its own extensions and port; -20 without TLS is for laboratories."""
        modules = {name: [end.module_id for end in ends.get(name, ())] for name in ("iso2", "iso20", "ext2", "ext20")}
        if modules["iso2"] == modules["iso20"]:
            what = f"iso2 and iso20 are one module ({', '.join(modules['iso2'])})"
            yield ConfigIssue("iso20", what, "without IsoMux it can be connected with EvseManager", number="C119")
        for charger, extensions in (("iso2", "ext2"), ("iso20", "ext20")):
            if modules[charger] != modules[extensions]:
                what = f"{extensions} is {', '.join(modules[extensions])}, {charger} is {', '.join(modules[charger])}"
                yield ConfigIssue(extensions, what, f"connect {extensions} with the module of {charger}", number="C120")
        if config.proxy_port_iso2 == config.proxy_port_iso20:
            what = f"both back ends have port {config.proxy_port_iso20}"
            yield ConfigIssue("proxy_port_iso20", what, "change one", number="C121")
        strategies = [getattr(end.config, "tls_negotiation_strategy", "") for end in ends.get("iso20", ())]
        if config.tls_security != "force" and "ENFORCE_TLS" not in strategies:
            what = "cars may charge without TLS, which ISO 15118-20 forbids outside of laboratories"
            hint = "ENFORCE_TLS for the module behind iso20 leaves ISO 15118-2 without TLS possible"
            yield ConfigIssue("tls_security", what, hint, "warning", "C118")

    @classmethod
    def claims(cls, config: IsoMuxConfig, implementations: Mapping[str, Any]) -> Iterable[Claim]:
        """SDP and the ports on the interface of the modem."""
        yield from claims_of(config.device, (TCP_PORT, TLS_PORT), with_sdp=True)

    async def init(self) -> None:
        """Read the configuration; take the link from the back ends of this process."""
        config = self.config
        self.endpoints = Endpoints(self, self.security, self._tls_options())
        din_and_iso2 = (handshake.DIN70121.name, handshake.ISO15118D2.name)
        back_ends = (
            BackEnd(self.iso2.module_id, self.iso2, self.ext2, self.schedules2, config.proxy_port_iso2, din_and_iso2),
            BackEnd(self.iso20.module_id, self.iso20, self.ext20, self.schedules20, config.proxy_port_iso20, (ISO20,)),
        )
        self._owners: list[OwnerHere | None] = []
        for end in (self.iso2, self.iso20):
            implementation = implementation_here(end, Iso15118ChargerImpl)
            if implementation is not None:
                implementation.multiplexed = True
            self._owners.append(None if implementation is None else cast(OwnerHere, implementation.module))
        provided = (self.charger, self.extensions, self.schedules)
        self.multiplexer = Multiplexer(
            self, provided, back_ends, config.device, config.proxy_device, self.endpoints.all
        )
        self.multiplexer.on_restricted = self._choose_rules
        self.multiplexer.subscribe()

    def _tls_options(self) -> TlsOptions:
        config = self.config
        folder = self.runtime.root.write(KEY_LOG_FOLDER) if config.tls_key_logging else None
        rules = policy.iso20()
        return TlsOptions(config.tls_security, rules, TCP_PORT, TLS_PORT, config.tls_timeout / 1000.0, folder)

    async def ready(self) -> None:
        """Let cars come: the engines of the back ends in this process are there now."""
        for back_end, owner in zip(self.multiplexer.back_ends, self._owners, strict=True):
            back_end.engine = None if owner is None else owner.engine
        self._choose_rules()
        self.endpoints.open(self.multiplexer.listener.link)
        self.multiplexer.open()

    def _choose_rules(self) -> None:
        """Have TLS 1.3 and its client certificates only while ISO 15118-20 may be selected."""
        if self.endpoints.server is None:
            return
        if ISO20 not in self.multiplexer.selectable:
            self.endpoints.server.policy = policy.ISO2
            return
        own = None if self._owners[1] is None else self._owners[1].endpoints.server
        profile: policy.Profile = "interoperable" if own is None else own.policy.profile
        self.endpoints.server.policy = policy.iso20(profile=profile)

    async def stop(self) -> None:
        """Close the sockets."""
        self.multiplexer.close()

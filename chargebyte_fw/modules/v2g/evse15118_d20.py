"""Evse15118D20: the charger's side of ISO 15118-20."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.kernel.module import Claim, ConfigIssue, End, ModuleConfig, provides
from chargebyte_fw.modules.v2g.back_end_schedules import SchedulesImpl
from chargebyte_fw.modules.v2g.engine import V2gEngine
from chargebyte_fw.modules.v2g.engine_module import EngineModule
from chargebyte_fw.modules.v2g.grid_support import GridSupportImpl
from chargebyte_fw.modules.v2g.iso15118_charger import Iso15118ChargerImpl, Iso15118ExtensionsImpl
from chargebyte_fw.modules.v2g.listener import claims_of
from chargebyte_fw.modules.v2g.price_key_file import price_keys_of
from chargebyte_fw.modules.v2g.secc.facts import Iso20Settings, Settings
from chargebyte_fw.modules.v2g.secc.iso20 import protocol as iso20
from chargebyte_fw.modules.v2g.secc.protocol import Protocol
from chargebyte_fw.modules.v2g.transport.tls import policy
from chargebyte_fw.modules.v2g.transport.tls.endpoints import Endpoints, TlsOptions

PORT = 50_000
"""The port of EVerest's Evse15118D20, with TLS and without."""


class Evse15118D20Config(ModuleConfig):
    """EVerest's keys of Evse15118D20; `tls_profile` and those after it are this module's own."""

    device: Annotated[
        str,
        Meta(
            description="Network interface of the powerline modem; `auto` takes the first with IPv6 link-local "
            "and stays with it."
        ),
    ] = "eth0"
    logging_path: Annotated[str, Meta(description="Not used; EVerest has deprecated it.")] = "."
    tls_negotiation_strategy: Annotated[
        Literal["ACCEPT_CLIENT_OFFER", "ENFORCE_TLS", "ENFORCE_NO_TLS"],
        Meta(description="Whether cars get TLS: as they ask for it, always, never. Without TLS only in laboratories."),
    ] = "ACCEPT_CLIENT_OFFER"
    enforce_tls_1_3: Annotated[bool, Meta(description="Refuse TLS 1.2 in the TLS handshake.")] = False
    enable_ssl_logging: Annotated[bool, Meta(description="Log the course of TLS handshakes.")] = False
    enable_tls_key_logging: Annotated[bool, Meta(description="Write TLS session keys for analysis.")] = False
    tls_key_logging_path: Annotated[str, Meta(description="Directory of the TLS key log.")] = "/tmp"
    enable_sdp_server: Annotated[
        bool, Meta(description="Answer SDP; without it another module tells cars where to connect.")
    ] = True
    supported_dynamic_mode: Annotated[
        bool, Meta(description="Offer Dynamic control: the charger decides on the power.")
    ] = True
    supported_mobility_needs_mode_provided_by_secc: Annotated[
        bool, Meta(description="Offer in Dynamic control that the charger sets departure and state of charge.")
    ] = False
    supported_scheduled_mode: Annotated[
        bool, Meta(description="Offer Scheduled control: the car decides, within a schedule.")
    ] = False
    custom_protocol_namespace: Annotated[
        str, Meta(description="A further name space in which ISO 15118-20 is spoken; empty for none.")
    ] = ""
    negative_bidirectional_limits: Annotated[
        bool, Meta(description="Send discharge limits with a negative sign, and take them so.")
    ] = False
    selecting_sap_based_on_energy_service: Annotated[
        bool, Meta(description="Select only name spaces of which the charger has an energy service.")
    ] = False
    tls_profile: Annotated[
        policy.Profile,
        Meta(
            description="Algorithms of TLS 1.3: `strict` has those of ISO 15118-20 alone, `interoperable` P-256 and "
            "P-384 after them."
        ),
    ] = "interoperable"
    charge_loop_timeout_ms: Annotated[
        int,
        Meta(
            ge=500,
            le=60_000,
            description="Time limit of the next request in the charge loop in ms. The standard has 500; "
            "a car in the field takes longer.",
        ),
    ] = 2_000
    pricing: Annotated[
        Literal["absolute", "levels", "none"],
        Meta(description="How cars get the energy prices of `energy_prices`: in money, in levels, not at all."),
    ] = "absolute"
    price_key_file: Annotated[
        str,
        Meta(
            description="PEM file with the private keys of contract issuers (sub-CAs of mobility operators, not "
            "encrypted): prices for their contracts are signed with them. Empty: none is known here."
        ),
    ] = ""
    supported_service_renegotiation: Annotated[
        bool, Meta(description="Let a car choose other services without a new session.")
    ] = True
    supported_standby: Annotated[
        bool, Meta(description="Let a car stand by: the session goes on without power until it asks for it again.")
    ] = False
    power_tolerance_W: Annotated[
        float,
        Meta(
            ge=0,
            description="How far the power of a car in Scheduled control may be beside its profile, in W; cars are "
            "asked to confirm it. 0: nothing is stated.",
        ),
    ] = 0.0
    reject_invalid_metering_confirmations: Annotated[
        bool,
        Meta(
            description="Refuse a confirmation of another meter reading than was sent, or without the contract's "
            "signature (FAILED_MeteringSignatureNotValid); otherwise it is logged and the session goes on."
        ),
    ] = False
    mobility_needs_departure: Annotated[
        str,
        Meta(
            pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$",
            description="Time of day (hh:mm, local time) at which cars leave that let the charger set their needs; "
            "empty: it is not known.",
        ),
    ] = ""
    mobility_needs_target_soc: Annotated[
        int, Meta(ge=0, le=100, description="State of charge in % that such cars shall have then; 0: as they want.")
    ] = 0
    mobility_needs_minimum_soc: Annotated[
        int, Meta(ge=0, le=100, description="State of charge in % that such cars always have; 0: as they want.")
    ] = 0
    schedule_renegotiation: Annotated[
        bool,
        Meta(description="Ask cars in Scheduled control for a new schedule when the power falls below the agreed one."),
    ] = False


class D20Charger(Iso15118ChargerImpl):
    """The charger's side of ISO 15118-20 alone."""

    module: Evse15118D20

    async def update_energy_transfer_modes(
        self, supported_energy_transfer_modes: list[iso15118.EnergyTransferMode]
    ) -> None:
        """Take the energy transfer modes; with AC_DER_IEC publish what the charger can do under the rules."""
        await super().update_energy_transfer_modes(supported_energy_transfer_modes)
        if iso15118.EnergyTransferMode.AC_DER_IEC in supported_energy_transfer_modes:
            self.module.grid_support.publish_capability()


class Evse15118D20(EngineModule):
    """Serves cars in ISO 15118-20 over the powerline link."""

    Config = Evse15118D20Config
    config: Evse15118D20Config
    charger = provides(D20Charger, description="The charger's side of the session.")
    extensions = provides(Iso15118ExtensionsImpl, description="The bridge to OCPP.")
    schedules = provides(SchedulesImpl, description="Schedules of OCPP for cars, and of cars for OCPP.")
    grid_support = provides(GridSupportImpl, description="The grid's directives for cars that give energy back.")

    @classmethod
    def config_issues(cls, config: Evse15118D20Config, ends: Mapping[str, Sequence[End]]) -> Iterable[ConfigIssue]:
        """Without TLS a session is against the standard; behind a multiplexer that one decides who gets here."""
        if config.tls_negotiation_strategy != "ENFORCE_TLS" and config.enable_sdp_server:
            what = "cars may charge without TLS, which ISO 15118-20 forbids outside of laboratories"
            yield ConfigIssue("tls_negotiation_strategy", what, "ENFORCE_TLS has TLS alone", "warning", "C118")

    @classmethod
    def claims(cls, config: Evse15118D20Config, implementations: Mapping[str, Any]) -> Iterable[Claim]:
        """SDP and the port on the interface of the modem."""
        yield from claims_of(config.device, (PORT,), with_sdp=config.enable_sdp_server)

    async def init(self) -> None:
        """Read the configuration and prepare the engine."""
        config = self.config
        self.endpoints = Endpoints(self, self.security, self._tls_options())
        self.engine = V2gEngine(
            self,
            self.charger,
            self.extensions,
            self.iso15118_vas,
            protocols(config.custom_protocol_namespace),
            Settings(
                reject_invalid_receipts=config.reject_invalid_metering_confirmations,
                price_keys=price_keys_of(self, config.price_key_file),
                without_tls=config.tls_negotiation_strategy != "ENFORCE_TLS",
                iso20=iso20_settings(config),
            ),
            config.device,
            security=self.security,
            endpoints=self.endpoints.all,
            with_sdp=config.enable_sdp_server,
            provided=(self.schedules, self.grid_support),
        )
        known = self.engine.facts.iso20
        known.grid_support = True
        known.departure_of_day = config.mobility_needs_departure
        known.target_soc_percent = config.mobility_needs_target_soc or None
        known.minimum_soc_percent = config.mobility_needs_minimum_soc or None
        self.prepare()

    def _tls_options(self) -> TlsOptions:
        config = self.config
        folder = self.runtime.root.write(config.tls_key_logging_path) if config.enable_tls_key_logging else None
        rules = policy.iso20(enforce_tls_1_3=config.enforce_tls_1_3, profile=config.tls_profile)
        return TlsOptions(
            policy.STRATEGIES[config.tls_negotiation_strategy],
            rules,
            PORT,
            PORT,
            key_log=folder,
            log_course=config.enable_ssl_logging,
        )


def protocols(custom_namespace: str) -> list[Protocol]:
    """Return ISO 15118-20 in each of its name spaces, and in a further one where it is not empty."""
    known = list(iso20.PROTOCOLS)
    if custom_namespace:
        known.append(iso20.Iso15118D20(msgspec.structs.replace(known[0].app, namespace=custom_namespace)))
    return known


def iso20_settings(config: Evse15118D20Config) -> Iso20Settings:
    """Return what the sessions honour of the configuration."""
    return Iso20Settings(
        dynamic=config.supported_dynamic_mode,
        scheduled=config.supported_scheduled_mode,
        mobility_needs_by_secc=config.supported_mobility_needs_mode_provided_by_secc,
        energy_service_decides=config.selecting_sap_based_on_energy_service,
        negative_discharge_limits=config.negative_bidirectional_limits,
        pricing=config.pricing,
        service_renegotiation=config.supported_service_renegotiation,
        schedule_renegotiation=config.schedule_renegotiation,
        standby=config.supported_standby,
        power_tolerance_W=config.power_tolerance_W,
        charge_loop_timeout_s=config.charge_loop_timeout_ms / 1000,
    )

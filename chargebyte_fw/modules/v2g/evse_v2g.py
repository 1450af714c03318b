"""EvseV2G: the charger's side of DIN SPEC 70121 and ISO 15118-2 over TCP and TLS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta

from chargebyte_fw.kernel.module import (
    Claim,
    ConfigIssue,
    End,
    ModuleConfig,
    provides,
)
from chargebyte_fw.modules.v2g.back_end_schedules import SchedulesImpl
from chargebyte_fw.modules.v2g.engine import V2gEngine
from chargebyte_fw.modules.v2g.engine_module import EngineModule
from chargebyte_fw.modules.v2g.iso15118_charger import Iso15118ChargerImpl, Iso15118ExtensionsImpl
from chargebyte_fw.modules.v2g.link import TCP_PORT, TLS_PORT
from chargebyte_fw.modules.v2g.listener import claims_of
from chargebyte_fw.modules.v2g.price_key_file import price_keys_of
from chargebyte_fw.modules.v2g.secc.din import protocol as din
from chargebyte_fw.modules.v2g.secc.facts import Iso20Settings, Settings
from chargebyte_fw.modules.v2g.secc.iso2 import protocol as iso2
from chargebyte_fw.modules.v2g.secc.protocol import Protocol
from chargebyte_fw.modules.v2g.transport.tls import policy
from chargebyte_fw.modules.v2g.transport.tls.endpoints import Endpoints, TlsOptions


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
    supported_ISO15118_20: Annotated[
        bool,
        Meta(
            description="Speak ISO 15118-20 as well, so that neither Evse15118D20 nor IsoMux is needed: with TLS 1.3, "
            "and without TLS where `tls_security` is `prohibit` (laboratories). A key of this module alone."
        ),
    ] = False
    tls_security: Annotated[
        Literal["prohibit", "allow", "force"],
        Meta(
            description="Whether cars get TLS: `allow` answers SDP as the car wants, with TLS while a certificate "
            "chain is valid; `force` has no plain TCP, `prohibit` no TLS."
        ),
    ] = "allow"
    terminate_connection_on_failed_response: Annotated[
        bool, Meta(description="Close the connection after any FAILED response, not only after a sequence error.")
    ] = False
    tls_key_logging: Annotated[bool, Meta(description="Write TLS session keys for analysis.")] = False
    tls_key_logging_path: Annotated[str, Meta(description="Directory of the TLS key log.")] = "/tmp"
    tls_timeout: Annotated[int, Meta(ge=0, description="Time limit of the TLS handshake in ms; 0 is 60 s.")] = 15_000
    verify_contract_cert_chain: Annotated[
        bool,
        Meta(
            description="Verify contract certificates against the installed V2G and MO roots, and their dates. "
            "Without it whoever authorizes the token has to judge them."
        ),
    ] = False
    reject_invalid_metering_receipts: Annotated[
        bool,
        Meta(
            description="Refuse a metering receipt for another value than was sent, or without the contract's "
            "signature (FAILED_MeteringSignatureNotValid); otherwise it is logged and the session goes on."
        ),
    ] = False
    price_key_file: Annotated[
        str,
        Meta(
            description="PEM file with the private keys of contract issuers (sub-CAs of mobility operators, not "
            "encrypted): prices for their contracts are signed with them. Empty: none is known here."
        ),
    ] = ""
    auth_timeout_pnc: Annotated[
        int, Meta(ge=0, description="Time limit of an authorization by contract in s, 0 for none.")
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


class EvseV2G(EngineModule):
    """Serves cars in DIN SPEC 70121 and ISO 15118-2, and in ISO 15118-20 where wanted, over the powerline link."""

    Config = EvseV2GConfig
    config: EvseV2GConfig
    charger = provides(Iso15118ChargerImpl, description="The charger's side of the session.")
    extensions = provides(Iso15118ExtensionsImpl, description="The bridge to OCPP.")
    schedules = provides(SchedulesImpl, description="Schedules of OCPP for cars, and of cars for OCPP.")

    @classmethod
    def config_issues(cls, config: EvseV2GConfig, ends: Mapping[str, Sequence[End]]) -> Iterable[ConfigIssue]:
        """There must be a protocol."""
        if not (config.supported_DIN70121 or config.supported_ISO15118_2 or config.supported_ISO15118_20):
            yield ConfigIssue(
                "supported_ISO15118_2", "no protocol is left to speak", "set one of them to true", number="C117"
            )

    @classmethod
    def claims(cls, config: EvseV2GConfig, implementations: Mapping[str, Any]) -> Iterable[Claim]:
        """SDP and the ports on the interface of the modem."""
        yield from claims_of(config.device, (TCP_PORT, TLS_PORT), with_sdp=config.enable_sdp_server)

    async def init(self) -> None:
        """Read the configuration and prepare the engine."""
        config = self.config
        self.endpoints = Endpoints(self, self.security, self._tls_options())
        self.engine = V2gEngine(
            self,
            self.charger,
            self.extensions,
            self.iso15118_vas,
            self._protocols(),
            Settings(
                auth_timeout_eim_s=float(config.auth_timeout_eim),
                auth_timeout_pnc_s=float(config.auth_timeout_pnc),
                verify_contract_cert_chain=config.verify_contract_cert_chain,
                reject_invalid_receipts=config.reject_invalid_metering_receipts,
                terminate_connection_on_failed_response=config.terminate_connection_on_failed_response,
                publish_telemetry_only_on_change=config.publish_telemetry_only_on_change,
                price_keys=price_keys_of(self, config.price_key_file),
                without_tls=config.tls_security == "prohibit",
                iso20=Iso20Settings(scheduled=True),
            ),
            config.device,
            security=self.security,
            endpoints=self.endpoints.all,
            with_sdp=config.enable_sdp_server,
            provided=(self.schedules,),
        )
        self.prepare()

    def _protocols(self) -> list[Protocol]:
        config, served = self.config, list[Protocol]()
        if config.supported_DIN70121:
            served.append(din.PROTOCOL)
        if config.supported_ISO15118_2:
            served.append(iso2.PROTOCOL)
        if config.supported_ISO15118_20:
            # A charger that does not speak it does not pay for its messages.
            from chargebyte_fw.modules.v2g.secc.iso20.protocol import PROTOCOLS

            served += PROTOCOLS
        return served

    def _tls_options(self) -> TlsOptions:
        config = self.config
        rules = policy.iso20() if config.supported_ISO15118_20 else policy.ISO2
        folder = self.runtime.root.write(config.tls_key_logging_path) if config.tls_key_logging else None
        return TlsOptions(config.tls_security, rules, TCP_PORT, TLS_PORT, config.tls_timeout / 1000.0, folder)

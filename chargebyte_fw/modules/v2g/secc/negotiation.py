"""supportedAppProtocol on the side of the charger: one frame in, the response and the chosen protocol out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.exi import ExiError, codec
from chargebyte_fw.modules.v2g.handshake import AppProtocol
from chargebyte_fw.modules.v2g.messages import sap
from chargebyte_fw.modules.v2g.secc.effects import Log, MessageExchanged, ProtocolViolation, Send
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, Settings
from chargebyte_fw.modules.v2g.secc.protocol import Protocol
from chargebyte_fw.modules.v2g.security import Security
from chargebyte_fw.modules.v2g.v2gtp import EXI_DIN_ISO2, Frame

REQUEST = "SupportedAppProtocolReq"
RESPONSE = "SupportedAppProtocolRes"


class Negotiation(msgspec.Struct, frozen=True):
    """The outcome of a handshake."""

    frame: Frame
    """The frame of the request."""
    response: sap.supportedAppProtocolRes
    request: sap.supportedAppProtocolReq | None = None
    """None: it could not be decoded."""
    protocol: Protocol | None = None
    """None: nothing in common, or the charger refused."""
    offered: list[iso15118.AppProtocol] = []
    selected: iso15118.AppProtocol | None = None
    fault: str = ""
    """Why there is no protocol."""

    def effects(self) -> list[Any]:
        """Return what follows from it: the response, both messages for the log, the offers, the protocol or why not."""
        response = Frame(EXI_DIN_ISO2, codec("sap").encode(self.response)).to_bytes()
        send = Send(response, RESPONSE)
        received = MessageExchanged(REQUEST, self.frame.to_bytes(), self.request)
        sent = MessageExchanged(RESPONSE, response, self.response)
        if self.request is None:
            code = self.response.ResponseCode
            return [send, received, sent, ProtocolViolation(f"{REQUEST} is refused with {code}: {self.fault}")]
        offers = publish(Iso15118Charger.ev_app_protocol, iso15118.AppProtocols(Protocols=self.offered))
        effects = [received, send, offers, sent]
        if self.protocol is None:
            return [*effects, Log(f"no common protocol: {self.fault}")]
        text = self.protocol.app.text
        return [*effects, publish(Iso15118Charger.selected_protocol, text), Log(f"session in {text}")]


def is_secure_enough(app: AppProtocol, security: Security, settings: Settings) -> bool:
    """Return whether a protocol may be selected on a connection: ISO 15118-20 demands TLS 1.3 ([V2G20-2356]).

    Plain TCP is the configuration's choice, an older TLS never is: that would be the car's.
    """
    if security.tls_version:
        return security.tls_version >= app.tls_version
    return not app.tls_version or settings.without_tls


def offered_protocols(
    protocols: Sequence[Protocol], facts: ChargerFacts, settings: Settings, security: Security
) -> list[Protocol]:
    """Return the protocols that may be selected on a connection now."""
    return [
        one
        for one in protocols
        if one.app.name in facts.app_protocols
        and one.is_offered(facts, settings)
        and is_secure_enough(one.app, security, settings)
    ]


def negotiate(frame: Frame, protocols: Sequence[Protocol], *, refuse: bool) -> Negotiation:
    """Return the outcome for the car's request; `refuse`: the charger wants no session now.

    Raises PeerError for a frame that is no supportedAppProtocolReq.
    """
    exi = codec("sap")
    try:
        request = exi.decode(frame.payload)
    except ExiError as error:
        outline = exi.outline(frame.payload)
        if outline is None or outline.root is not sap.supportedAppProtocolReq:
            raise PeerError("ISO 15118-2 clause 8.2", f"no handshake: {error}") from None
        return Negotiation(frame, handshake.refuse().response, fault=str(error))
    if not isinstance(request, sap.supportedAppProtocolReq):
        raise PeerError("ISO 15118-2 clause 8.2", "no handshake but its response")
    by_app = {protocol.app: protocol for protocol in protocols}
    choice = handshake.refuse() if refuse else handshake.choose(request, by_app)
    offers = ", ".join(f"{one.ProtocolNamespace} {one.VersionNumberMajor}" for one in request.AppProtocol)
    return Negotiation(
        frame,
        choice.response,
        request,
        None if choice.protocol is None else by_app[choice.protocol],
        [_app_protocol(entry) for entry in request.AppProtocol],
        None if choice.entry is None else _app_protocol(choice.entry),
        "the charger wants to stop" if refuse else f"the car offers {offers}",
    )


def _app_protocol(entry: sap.AppProtocolType) -> iso15118.AppProtocol:
    return iso15118.AppProtocol(
        protocol_namespace=entry.ProtocolNamespace or "?",
        version_number_major=entry.VersionNumberMajor,
        version_number_minor=entry.VersionNumberMinor,
        schema_id=entry.SchemaID,
        priority=entry.Priority,
    )

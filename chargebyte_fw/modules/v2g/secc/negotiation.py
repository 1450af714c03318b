"""supportedAppProtocol on the side of the charger: one frame in, the response and the chosen protocol out."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.exi import ExiError, codec
from chargebyte_fw.modules.v2g.messages import sap
from chargebyte_fw.modules.v2g.secc.protocol import Protocol
from chargebyte_fw.modules.v2g.v2gtp import EXI_DIN_ISO2, Frame

REQUEST = "SupportedAppProtocolReq"
RESPONSE = "SupportedAppProtocolRes"


class Negotiation(msgspec.Struct, frozen=True):
    """The outcome of a handshake."""

    response: sap.supportedAppProtocolRes
    request: sap.supportedAppProtocolReq | None = None
    """None: it could not be decoded."""
    protocol: Protocol | None = None
    """None: nothing in common, or the charger refused."""
    offered: list[iso15118.AppProtocol] = []
    selected: iso15118.AppProtocol | None = None
    fault: str = ""
    """Why the request could not be decoded."""

    def frame(self) -> bytes:
        """Return the frame of the response."""
        return Frame(EXI_DIN_ISO2, codec("sap").encode(self.response)).to_bytes()


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
        return Negotiation(handshake.refuse().response, fault=str(error))
    if not isinstance(request, sap.supportedAppProtocolReq):
        raise PeerError("ISO 15118-2 clause 8.2", "no handshake but its response")
    by_app = {protocol.app: protocol for protocol in protocols}
    choice = handshake.refuse() if refuse else handshake.choose(request, by_app)
    return Negotiation(
        choice.response,
        request,
        None if choice.protocol is None else by_app[choice.protocol],
        [_app_protocol(entry) for entry in request.AppProtocol],
        None if choice.entry is None else _app_protocol(choice.entry),
    )


def _app_protocol(entry: sap.AppProtocolType) -> iso15118.AppProtocol:
    return iso15118.AppProtocol(
        protocol_namespace=entry.ProtocolNamespace or "?",
        version_number_major=entry.VersionNumberMajor,
        version_number_minor=entry.VersionNumberMinor,
        schema_id=entry.SchemaID,
        priority=entry.Priority,
    )

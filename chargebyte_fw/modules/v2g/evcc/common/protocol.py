"""What the protocols with a `V2G_Message` (header and body) have in common on the side of the car."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chargebyte_fw.modules.v2g import timing
from chargebyte_fw.modules.v2g.evcc.protocol import Response
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.handshake import AppProtocol
from chargebyte_fw.modules.v2g.v2gtp import EXI_DIN_ISO2, Frame


class V2gMessageProtocol:
    """Messages of one schema set in frames of one payload type; a base of the protocols."""

    offer: AppProtocol
    streams: Mapping[int, str] = {EXI_DIN_ISO2: "main"}
    message_timeouts_s: Mapping[str, float] = {}
    """V2G_EVCC_Msg_Timeout by request, where it is not the usual one."""

    @property
    def name(self) -> str:
        """EVerest's name of the protocol."""
        return self.offer.name

    def decode(self, frame: Frame) -> Response:
        """Return the response in a frame; raises ExiError."""
        message = codec(self.offer.schema_set).decode(frame.payload)
        return Response(type(message.Body).__name__, message.Header.SessionID, message.Body, message.Header.Signature)

    def encode(self, message: Any, stream: str) -> Frame:
        """Return a message as a frame; raises EncodeError."""
        return Frame(EXI_DIN_ISO2, codec(self.offer.schema_set).encode(message))

    def message_timeout_s(self, request: str) -> float:
        """Return how long the car waits for the response to `request`."""
        return self.message_timeouts_s.get(request, timing.V2G_EVCC_MSG_TIMEOUT_S)

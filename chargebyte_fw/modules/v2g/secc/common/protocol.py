"""What the protocols with a `V2G_Message` (header and body) have in common: payload type, codec, times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from chargebyte_fw.contracts.types.evse_manager import HlcSessionFailedReasonEnum as FailureReason
from chargebyte_fw.modules.v2g import timing
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.handshake import AppProtocol
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts
from chargebyte_fw.modules.v2g.secc.protocol import Outline, Request
from chargebyte_fw.modules.v2g.v2gtp import EXI_DIN_ISO2, Frame


class V2gMessageProtocol:
    """Messages of one schema set in frames of one payload type; a base of the protocols."""

    app: AppProtocol
    messages: ModuleType
    streams: Mapping[int, str] = {EXI_DIN_ISO2: "main"}
    failure_reasons: Mapping[str, FailureReason | None]
    sequence_timeout_clause = ""

    @property
    def sequence_timeout_s(self) -> float:
        """How long the charger waits for the next request."""
        return timing.V2G_SECC_SEQUENCE_TIMEOUT_S

    def prepare(self) -> None:
        """Import the messages."""
        codec(self.app.schema_set)

    def load(self, facts: ChargerFacts) -> Sequence[str]:
        """Return the one schema set."""
        return (self.app.schema_set,)

    def decode(self, frame: Frame) -> Request:
        """Return the message in a frame; raises ExiError."""
        message = codec(self.app.schema_set).decode(frame.payload)
        return Request(type(message.Body).__name__, message.Header.SessionID, message.Body, message)

    def outline(self, frame: Frame) -> Outline | None:
        """Return name and session id of a request that `decode` refuses; None where they cannot be read."""
        outline = codec(self.app.schema_set).outline(frame.payload)
        if outline is None or outline.body is None or not outline.body.__name__.endswith("Req"):
            return None
        return Outline(outline.body.__name__, outline.session_id)

    def encode(self, message: Any, stream: str) -> Frame:
        """Return a message as a frame; raises EncodeError."""
        return Frame(EXI_DIN_ISO2, codec(self.app.schema_set).encode(message))

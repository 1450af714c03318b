"""ISO 15118-2 for the engine."""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_manager import HlcSessionFailedReasonEnum as FailureReason
from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.secc.common.failure_reasons import FAILURE_REASONS
from chargebyte_fw.modules.v2g.secc.common.protocol import V2gMessageProtocol
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, Settings
from chargebyte_fw.modules.v2g.secc.iso2.session import Iso2Session
from chargebyte_fw.modules.v2g.secc.protocol import Protocol, SessionContext


class Iso15118D2(V2gMessageProtocol):
    """ISO 15118-2: AC and DC."""

    app = handshake.ISO15118D2
    messages = iso2
    failure_reasons = FAILURE_REASONS | dict.fromkeys(
        ("PaymentServiceSelectionReq", "AuthorizationReq"), FailureReason.AuthorizationFailed
    )
    sequence_timeout_clause = "[V2G2-713]"

    def is_offered(self, facts: ChargerFacts, settings: Settings) -> bool:
        """Return true: every charger has an energy service in this protocol."""
        return True

    def new_session(self, context: SessionContext) -> Iso2Session:
        """Return a new session."""
        return Iso2Session(context)


PROTOCOL: Protocol = Iso15118D2()

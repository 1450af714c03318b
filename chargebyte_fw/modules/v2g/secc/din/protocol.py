"""DIN SPEC 70121 for the engine."""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_manager import HlcSessionFailedReasonEnum as FailureReason
from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.messages import din
from chargebyte_fw.modules.v2g.secc.common.failure_reasons import FAILURE_REASONS
from chargebyte_fw.modules.v2g.secc.common.protocol import V2gMessageProtocol
from chargebyte_fw.modules.v2g.secc.din.session import DinSession
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, Settings
from chargebyte_fw.modules.v2g.secc.protocol import Protocol, SessionContext


class Din70121(V2gMessageProtocol):
    """DIN SPEC 70121: DC, authorization by external means."""

    app = handshake.DIN70121
    messages = din
    failure_reasons = FAILURE_REASONS | dict.fromkeys(
        ("ServicePaymentSelectionReq", "ContractAuthenticationReq"), FailureReason.AuthorizationFailed
    )

    def is_offered(self, facts: ChargerFacts, settings: Settings) -> bool:
        """Return whether the charger has DC: an AC charger has no energy service in this protocol."""
        return facts.is_dc

    def new_session(self, context: SessionContext) -> DinSession:
        """Return a new session."""
        return DinSession(context)


PROTOCOL: Protocol = Din70121()

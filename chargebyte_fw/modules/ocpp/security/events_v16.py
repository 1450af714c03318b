"""SecurityEventNotification of OCPP 1.6 (security whitepaper A04)."""

from __future__ import annotations

from datetime import datetime

from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.modules.ocpp.messages.v16.security import SecurityEventNotificationRequest
from chargebyte_fw.modules.ocpp.security.event_block import SecurityEvents
from chargebyte_fw.modules.ocpp.security.events import CRITICAL_16
from chargebyte_fw.modules.ocpp.variables.standard.legacy import DISABLE_SECURITY_EVENT_NOTIFICATIONS


class SecurityEvents16(SecurityEvents):
    """Publishes every security event, and sends the critical ones unless that is switched off."""

    critical = CRITICAL_16

    def published(self, kind: str, info: str | None, critical: bool, at: datetime) -> ocpp.SecurityEvent:
        """EVerest's OCPP publishes no more of it."""
        return ocpp.SecurityEvent(type=kind, info=info)

    def send(self, kind: str, info: str | None, at: datetime) -> None:
        """Send a critical event to the CSMS."""
        if not self.station.variables.get(DISABLE_SECURITY_EVENT_NOTIFICATIONS):
            self.station.send(SecurityEventNotificationRequest(type=kind, timestamp=at, tech_info=info))

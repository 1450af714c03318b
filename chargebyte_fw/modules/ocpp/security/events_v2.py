"""SecurityEventNotification of OCPP 2.x (use case A04)."""

from __future__ import annotations

from datetime import datetime

from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.ocpp.messages.v2.security import SecurityEventNotificationRequest
from chargebyte_fw.modules.ocpp.security.event_block import SecurityEvents
from chargebyte_fw.modules.ocpp.security.events import CRITICAL_2


class SecurityEvents2(SecurityEvents):
    """Publishes every security event, and sends the critical ones."""

    critical = CRITICAL_2

    def published(self, kind: str, info: str | None, critical: bool, at: datetime) -> ocpp.SecurityEvent:
        """Return what the other modules get of an event."""
        return ocpp.SecurityEvent(type=kind, info=info, critical=critical, timestamp=rfc3339(at))

    def send(self, kind: str, info: str | None, at: datetime) -> None:
        """Send a critical event to the CSMS."""
        self.station.send(SecurityEventNotificationRequest(type=kind, timestamp=at, tech_info=info))

"""SecurityEventNotification of OCPP 1.6 (security whitepaper A04)."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.contracts.types.system import BootReason
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.modules.ocpp.messages.v16.security import SecurityEventNotificationRequest
from chargebyte_fw.modules.ocpp.provisioning.events import Registered, SecurityEventRaised
from chargebyte_fw.modules.ocpp.security.events import CRITICAL_16, TECH_INFO_LENGTH, TYPE_LENGTH, of_boot
from chargebyte_fw.modules.ocpp.station import Block, Station, events, receives, serves
from chargebyte_fw.modules.ocpp.variables.standard.legacy import DISABLE_SECURITY_EVENT_NOTIFICATIONS


class SecurityEvents16(Block):
    """Publishes every security event, and sends the critical ones."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._boot_reason: BootReason | None = None

    @receives(events.Started)
    def started(self, event: events.Started) -> None:
        """Keep the reason of the start for the first event."""
        self._boot_reason = event.boot_reason

    @receives(Registered)
    def registered(self, event: Registered) -> None:
        """Send the event of the start, once."""
        reason, self._boot_reason = self._boot_reason, None
        if reason is not None:
            self.raised(SecurityEventRaised(of_boot(reason), reason.value))

    @serves(Ocpp.security_event_)
    def requested(self, event: ocpp.SecurityEvent) -> None:
        """Take an event of another module."""
        self.raised(SecurityEventRaised(event.type, event.info or "", event.critical))

    @receives(SecurityEventRaised)
    def raised(self, event: SecurityEventRaised) -> None:
        """Publish an event; send it where it is critical."""
        kind, info = event.type[:TYPE_LENGTH], event.tech_info[:TECH_INFO_LENGTH]
        critical = event.critical if event.critical is not None else kind in CRITICAL_16
        at = self.station.utc
        # EVerest's OCPP publishes no more of it.
        self.station.publish(publish(Ocpp.security_event, ocpp.SecurityEvent(type=kind, info=info or None)))
        if critical and not self.station.variables.get(DISABLE_SECURITY_EVENT_NOTIFICATIONS):
            self.station.send(SecurityEventNotificationRequest(type=kind, timestamp=at, tech_info=info or None))

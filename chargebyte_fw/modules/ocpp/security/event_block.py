"""Security events of the station, of other modules and of the start, in both generations (A04)."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import ClassVar

from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.contracts.types.system import BootReason
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.modules.ocpp.provisioning.events import Registered, SecurityEventRaised
from chargebyte_fw.modules.ocpp.security.events import TECH_INFO_LENGTH, TYPE_LENGTH, of_boot
from chargebyte_fw.modules.ocpp.station import Block, Station, events, receives, serves


class SecurityEvents(Block):
    """Publishes every security event, and sends the critical ones."""

    critical: ClassVar[frozenset[str]]
    """The types of events that the generation has as critical."""

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
        """Publish an event; send it where it is critical (A04)."""
        kind, info = event.type[:TYPE_LENGTH], event.tech_info[:TECH_INFO_LENGTH] or None
        critical = event.critical if event.critical is not None else kind in self.critical
        at = self.station.utc
        self.station.publish(publish(Ocpp.security_event, self.published(kind, info, critical, at)))
        if critical:
            self.send(kind, info, at)

    @abstractmethod
    def published(self, kind: str, info: str | None, critical: bool, at: datetime) -> ocpp.SecurityEvent:
        """Return what the other modules get of an event."""

    @abstractmethod
    def send(self, kind: str, info: str | None, at: datetime) -> None:
        """Send a critical event to the CSMS."""

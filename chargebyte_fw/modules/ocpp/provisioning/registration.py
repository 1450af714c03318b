"""From the connection to the registration and back: what BootNotification and Heartbeat share in both generations."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, timedelta
from typing import Any

from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.effects import call, publish
from chargebyte_fw.modules.ocpp.provisioning.events import BackOnline, Registered, Registration, WentOffline
from chargebyte_fw.modules.ocpp.station import Block, CallFailure, Station, events, receives
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.variables.standard.communication import HEARTBEAT_INTERVAL

RETRY_S = 60.0
"""Pause before the next BootNotification where the CSMS names none, or does not answer."""
CLOCK_TOLERANCE_S = 1.0
"""The clock of the system is left alone while it is this near to that of the CSMS."""


class RegistrationBlock(Block):
    """Registers the station, keeps its registration, sends heartbeats and sets the clock."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.status = Registration.UNKNOWN
        self.online = False
        self._offline_since = 0.0
        station.variables.on_change(HEARTBEAT_INTERVAL, lambda _: self._rearm())
        station.gate = self.permit

    @property
    def accepted(self) -> bool:
        """Whether the CSMS has accepted the station since the start of the process."""
        return self.status is Registration.ACCEPTED

    @abstractmethod
    def boot_notification(self, *, triggered: bool = False) -> Any:
        """Return the BootNotification of the generation; whether the CSMS has asked for it."""

    @abstractmethod
    def heartbeat(self) -> Any:
        """Return the Heartbeat of the generation."""

    @property
    @abstractmethod
    def sets_clock(self) -> bool:
        """Whether the CSMS is the source of the time."""

    @abstractmethod
    def permit(self, request: Any) -> None:
        """Raise RequestRefused or Unanswered for a request that the registration does not permit."""

    @receives(events.Connected)
    def connected(self, event: events.Connected) -> None:
        """Register, or carry on after an outage."""
        self.online = True
        if self.accepted:
            self.station.notify(BackOnline(self.station.now - self._offline_since))
            self._rearm()
        else:
            self.boot()

    @receives(events.Disconnected)
    def disconnected(self, event: events.Disconnected) -> None:
        """Stop what needs a connection."""
        if self.online:
            self.online = False
            self._offline_since = self.station.now
            self.station.stop("heartbeat")
            self.station.stop("boot")
            self.station.notify(WentOffline())

    def boot(self, *, triggered: bool = False) -> None:
        """Send a BootNotification at once."""
        self.station.stop("boot")
        self.station.send(self.boot_notification(triggered=triggered), triggered=triggered)

    def booted(self, status: str, current_time: datetime, interval_s: int) -> None:
        """Take the answer to a BootNotification."""
        first, self.status = not self.accepted, Registration(status)
        value = ocpp.BootNotificationResponse(
            status=ocpp.RegistrationStatus(status), current_time=rfc3339(current_time), interval=interval_s
        )
        self.station.publish(publish(Ocpp.boot_notification_response, value))
        self.station.effect(do.RegistrationChanged(status))
        if self.accepted:
            if interval_s > 0:
                self.station.variables.set(HEARTBEAT_INTERVAL, interval_s)
            self.set_clock(current_time)
            self._rearm()
            self.station.notify(Registered(first))
            return
        self.station.stop("heartbeat")
        self._boot_in(float(interval_s) if interval_s > 0 else RETRY_S)

    def not_booted(self, failure: CallFailure) -> None:
        """A BootNotification was not answered, or refused: try again (B01)."""
        if not self.accepted:
            self._boot_in(RETRY_S)

    def _boot_in(self, pause_s: float) -> None:
        if self.online:
            self.station.start("boot", self.station.now + pause_s, self.boot)

    # Heartbeat and clock.

    def _rearm(self) -> None:
        interval_s = self.station.variables.get(HEARTBEAT_INTERVAL)
        if self.online and self.accepted and interval_s > 0:
            self.station.start("heartbeat", self.station.now + interval_s, self._beat)
        else:
            self.station.stop("heartbeat")

    def _beat(self) -> None:
        self.station.send(self.heartbeat())
        self._rearm()

    def set_clock(self, current_time: datetime) -> None:
        """Set the clock of the system to that of the CSMS, where it is the source of the time and they differ."""
        if not self.sets_clock:
            return
        if abs(current_time - self.station.utc) > timedelta(seconds=CLOCK_TOLERANCE_S):
            # What follows in this event already has the new time; the system confirms it with `WallClockSet`.
            self.station.set_utc(current_time)
            self.station.command(call(System.set_system_time, rfc3339(current_time)))

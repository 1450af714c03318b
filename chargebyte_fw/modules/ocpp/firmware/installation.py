"""When a firmware may be installed: connectors are taken out of use first, a transaction is waited for (L01).

Both generations use it; what they report differs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.contracts.types.system import FirmwareUpdateStatus, FirmwareUpdateStatusEnum
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.availability.stored import enable_disable
from chargebyte_fw.modules.ocpp.station import Block, Station, events, receives
from chargebyte_fw.modules.ocpp.station.layout import Place
from chargebyte_fw.modules.ocpp.transactions.events import TransactionBegan, TransactionEnded
from chargebyte_fw.modules.ocpp.variables.standard.station import ALLOW_NEW_SESSIONS_PENDING_FIRMWARE

S = FirmwareUpdateStatusEnum
TIMER = "firmware installation"
ENDED = (S.Installed, S.InstallationFailed, S.InstallVerificationFailed, S.InvalidSignature, S.DownloadFailed)
"""After these the connectors are given back."""


class Installation(Block):
    """Takes connectors out of use for an installation, and gives them back."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._sessions: set[tuple[int, int]] = set()
        self._transactions: set[tuple[int, int]] = set()
        """Those of OCPP: they may begin earlier and end later, and go on over a restart of this process."""
        self._disabled: list[Place] = []
        self._waits = False
        self._planned: tuple[datetime, Callable[[], None]] | None = None
        """When the installation may begin, and what is done then."""

    @property
    def waits_for_transactions(self) -> bool:
        """Whether the installation waits until the last connector is free."""
        return self._waits and self._busy

    @property
    def _busy(self) -> bool:
        return bool(self._sessions or self._transactions)

    @receives(events.SessionEventReceived)
    def session(self, event: events.SessionEventReceived) -> None:
        """Follow which connectors are in use."""
        key = (event.evse_id, event.event.connector_id or 1)
        if event.event.event in (SessionEventEnum.TransactionStarted, SessionEventEnum.SessionResumed):
            self._sessions.add(key)
        elif event.event.event in (SessionEventEnum.TransactionFinished, SessionEventEnum.SessionFinished):
            self._sessions.discard(key)
            if self._waits:
                self._proceed()

    @receives(TransactionBegan)
    def transaction_began(self, event: TransactionBegan) -> None:
        """Wait for it."""
        self._transactions.add((event.evse_id, event.connector_id))

    @receives(TransactionEnded)
    def transaction_ended(self, event: TransactionEnded) -> None:
        """Go on after the last one."""
        self._transactions.discard((event.evse_id, event.connector_id))
        if self._waits:
            self._proceed()

    def holds(self, place: Place) -> bool:
        """Return whether a connector is out of use for an installation."""
        return place in self._disabled

    def ready_to_install(
        self, status: FirmwareUpdateStatus, not_before: datetime | None, waits: Callable[[], None]
    ) -> None:
        """The firmware is there and verified: install it as soon as no connector is in use, from a time on.

        Until then every connector stays in use (L01.FR.05 to 07). `waits` is called where the installation waits for a
        transaction. The metadata of a firmware may leave the connectors in use.
        """
        if not_before is not None and not_before > self.station.utc:
            self._planned = not_before, lambda: self.ready_to_install(status, None, waits)
            self.station.start(TIMER, self.station.monotonic(not_before), self._due)
            return
        metadata = status.firmware_update_metadata
        if metadata is not None and metadata.disable_connectors_during_install is False:
            self.station.command(call(System.allow_firmware_installation))
            return
        self._waits = True
        self._proceed()
        if self.waits_for_transactions:
            waits()

    def _due(self) -> None:
        planned, self._planned = self._planned, None
        if planned is not None:
            planned[1]()

    @receives(events.WallClockSet)
    def clock_set(self, event: events.WallClockSet) -> None:
        """The time of the installation is at another place."""
        if self._planned is not None:
            self.station.start(TIMER, self.station.monotonic(self._planned[0]), self._due)

    def forget_plan(self) -> None:
        """Another update has taken the place of the one that was to be installed."""
        self._planned = None
        self.station.stop(TIMER)

    def _proceed(self) -> None:
        if self._busy and self.station.variables.get(ALLOW_NEW_SESSIONS_PENDING_FIRMWARE):
            # L01.FR.07, L02.FR.04: free connectors stay in use until none of them is.
            return
        for place in self.station.layout:
            in_use = (place.evse_id, place.connector_id) in self._sessions | self._transactions
            if not in_use and place not in self._disabled:
                self._disabled.append(place)
                self.station.command(enable_disable(place.connector_id, False), evse_id=place.evse_id)
        if not self._busy:
            self._waits = False
            self.station.command(call(System.allow_firmware_installation))

    def ended(self, operative: dict[Place, bool]) -> None:
        """Give the connectors back that were taken, except those that the CSMS wants out of use."""
        self._waits = False
        self.forget_plan()
        disabled, self._disabled = self._disabled, []
        for place in disabled:
            if operative.get(place, True):
                self.station.command(enable_disable(place.connector_id, True), evse_id=place.evse_id)

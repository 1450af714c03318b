"""Whether the EVSE is in service: the outcome of all sources' requests."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.machine.enabling import EnableTable
from chargebyte_fw.modules.evse.machine.events import AvailabilityChanged, EnableRequested, ReportAvailability
from chargebyte_fw.modules.evse.machine.signals import CancelReservation

Effects = list[Any]


class AvailabilityState(Enum):
    """Whether the other machines know the outcome."""

    StartingUp = "starting up"
    """Requests are collected."""
    Reported = "reported"
    """Each change is reported."""


class AvailabilityMachine(Machine):
    """Collects the requests; only a change of their outcome is reported."""

    initial = AvailabilityState.StartingUp

    def __init__(self) -> None:
        super().__init__()
        self.requests = EnableTable()

    @on(AvailabilityState.StartingUp, event=EnableRequested)
    def collect(self, event: EnableRequested, now: float) -> None:
        """Enter a request; the start reports the outcome."""
        self.requests.take(event.connector_id, event.source)

    @on(AvailabilityState.StartingUp, event=ReportAvailability, to=AvailabilityState.Reported)
    def report(self, _: ReportAvailability, now: float) -> Effects:
        """Report the outcome of all requests so far, to the board as well."""
        in_service = self.requests.enabled and self.requests.connector_enabled
        board = [call(EvseBoardSupport.enable, True)] if in_service else []
        return self.enter(AvailabilityState.Reported, *board, self._changed(None))

    @on(AvailabilityState.Reported, event=EnableRequested)
    def request(self, event: EnableRequested, now: float) -> Effects:
        """Enter a request; an EVSE that is out of service keeps no reservation."""
        was_connector = self.requests.connector_enabled
        flipped = self.requests.take(event.connector_id, event.source)
        if not flipped and self.requests.connector_enabled is was_connector:
            return []
        given_up = [] if self.requests.enabled else [CancelReservation()]
        return [*given_up, self._changed(1 if event.connector_id else None)]

    def _changed(self, connector_id: int | None) -> AvailabilityChanged:
        requests = self.requests
        return AvailabilityChanged(
            requests.enabled, requests.winner, connector_id=connector_id, connector_enabled=requests.connector_enabled
        )

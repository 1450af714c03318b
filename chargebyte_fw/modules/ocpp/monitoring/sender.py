"""Events on their way to the CSMS: NotifyEvent, and what waits for a connection (N07.FR.04, N08.FR.03)."""

from __future__ import annotations

from collections import deque
from itertools import count
from typing import Any

from chargebyte_fw.modules.ocpp.messages.v2 import monitoring as v2
from chargebyte_fw.modules.ocpp.station import CallFailure, Station
from chargebyte_fw.modules.ocpp.variables.declaration import VariableId
from chargebyte_fw.modules.ocpp.variables.device_model import Report, component_of, variable_of
from chargebyte_fw.modules.ocpp.variables.standard.station import OFFLINE_QUEUING_SEVERITY, REPORTING_VALUE_SIZE

WAITING_LIMIT = 500
"""Events that wait for a connection; the oldest make room."""
NOT_DELIVERED = ("Offline", "Timeout", "Dropped")


class EventSender:
    """Sends events at once while the station is registered and online, and keeps the others."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._ids = count(1)
        self._waiting: deque[tuple[int, v2.EventDataType]] = deque(maxlen=WAITING_LIMIT)
        self.online = False

    def event(
        self,
        place: VariableId,
        value: str,
        trigger: str,
        kind: v2.EventNotificationEnumType,
        severity: int,
        **rest: Any,
    ) -> tuple[int, v2.EventDataType]:
        """Return an event of now, with its severity."""
        data = v2.EventDataType(
            event_id=next(self._ids),
            timestamp=self._station.utc,
            trigger=v2.EventTriggerEnumType(trigger),
            actual_value=value[: self._station.variables.get(REPORTING_VALUE_SIZE)],
            component=component_of(place),
            variable=variable_of(place),
            event_notification_type=kind,
            severity=severity,
            **rest,
        )
        return severity, data

    def send(self, events: list[tuple[int, v2.EventDataType]]) -> None:
        """Send events, or keep them until the station is online, those whose severity is worth it."""
        if not events:
            return
        if self.online:
            self._send(events)
        else:
            self._keep(events)

    def _send(self, events: list[tuple[int, v2.EventDataType]]) -> None:
        generated_at = self._station.utc
        unanswered = deque(events)

        def make(seq_no: int, items: list[Any], tbc: bool) -> v2.NotifyEventRequest:
            return v2.NotifyEventRequest(generated_at=generated_at, seq_no=seq_no, event_data=items, tbc=tbc)

        def ended(failure: CallFailure | None) -> None:
            if failure is not None and failure.code in NOT_DELIVERED:
                self._keep(list(unanswered))

        def items() -> Any:
            for one in events:
                yield one[1]

        def delivered(number: int) -> None:
            for _ in range(number):
                unanswered.popleft()

        Report(self._station, make, items(), ended, delivered=delivered, triggered=False).send()

    def _keep(self, events: list[tuple[int, v2.EventDataType]]) -> None:
        worst = self._station.variables.get(OFFLINE_QUEUING_SEVERITY)
        self._waiting.extend(one for one in events if one[0] <= worst)

    def came_online(self) -> None:
        """Send what has waited."""
        self.online = True
        events, self._waiting = list(self._waiting), deque(maxlen=WAITING_LIMIT)
        self.send(events)

    def went_offline(self) -> None:
        """Keep events from now on."""
        self.online = False

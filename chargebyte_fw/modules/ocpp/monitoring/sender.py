"""Events on their way to the CSMS: NotifyEvent, and what waits for a connection (N07.FR.04, N08.FR.03)."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from itertools import count
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.messages.v2 import monitoring as v2
from chargebyte_fw.modules.ocpp.station import CallFailure, Station
from chargebyte_fw.modules.ocpp.variables.declaration import VariableId
from chargebyte_fw.modules.ocpp.variables.device_model import Report, component_of, variable_of
from chargebyte_fw.modules.ocpp.variables.standard.station import OFFLINE_QUEUING_SEVERITY, REPORTING_VALUE_SIZE

WAITING_LIMIT = 500
"""Events that wait for a connection; the oldest make room."""
TABLE = "OFFLINE_EVENTS"
NOT_DELIVERED = ("Offline", "Timeout", "Dropped")


class EventSender:
    """Sends events at once while the station is registered and online, and keeps the others over a restart."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._ids = count(1)
        self._waiting: OrderedDict[int, tuple[int, v2.EventDataType]] = OrderedDict()
        """By event id, those that are on their way among them."""
        self.online = False

    def load(self, rows: dict[str, bytes]) -> None:
        """Take the events that have waited when the last run ended; what cannot be read is deleted."""
        for key, data in sorted(rows.items()):
            try:
                severity, event = msgspec.json.decode(data, type=tuple[int, v2.EventDataType])
            except msgspec.DecodeError:
                self._station.save(TABLE, key, None)
                continue
            self._waiting[event.event_id] = severity, event
        # An id means one event: the new ones begin behind those that wait.
        self._ids = count(max(self._waiting, default=0) + 1)

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
            else:
                self._forget(unanswered)

        def items() -> Any:
            for one in events:
                yield one[1]

        def delivered(number: int) -> None:
            self._forget([unanswered.popleft() for _ in range(number)])

        Report(self._station, make, items(), ended, delivered=delivered, triggered=False).send()

    def _keep(self, events: list[tuple[int, v2.EventDataType]]) -> None:
        worst = self._station.variables.get(OFFLINE_QUEUING_SEVERITY)
        for severity, event in events:
            if severity > worst:
                self._forget([(severity, event)])
                continue
            self._waiting[event.event_id] = severity, event
            self._station.save(TABLE, _key(event), (severity, event))
        while len(self._waiting) > WAITING_LIMIT:
            self._forget([next(iter(self._waiting.values()))])

    def _forget(self, events: Iterable[tuple[int, v2.EventDataType]]) -> None:
        """These events are delivered, or will not be."""
        for _, event in events:
            if self._waiting.pop(event.event_id, None) is not None:
                self._station.save(TABLE, _key(event), None)

    def came_online(self) -> None:
        """Send what has waited."""
        self.online = True
        self.send(list(self._waiting.values()))

    def went_offline(self) -> None:
        """Keep events from now on."""
        self.online = False


def _key(event: v2.EventDataType) -> str:
    return f"{event.event_id:010}"

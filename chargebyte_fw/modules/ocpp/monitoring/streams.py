"""Periodic event streams of OCPP 2.1: values of periodic monitors in messages without an answer (N11 to N15)."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from chargebyte_fw.modules.ocpp.messages.v2 import event_streams as v2
from chargebyte_fw.modules.ocpp.messages.v2.types.common import GenericStatusEnumType
from chargebyte_fw.modules.ocpp.messages.v2.types.device_model import PeriodicEventStreamParamsType
from chargebyte_fw.modules.ocpp.monitoring.monitor import Monitor, StreamParams
from chargebyte_fw.modules.ocpp.station import CallFailure, Station
from chargebyte_fw.modules.ocpp.variables.standard.station import MAX_PERIODIC_EVENT_STREAMS

WAITING_LIMIT = 1000
"""Values of a stream that wait to be sent; the oldest make room."""


class Stream:
    """A stream, which has the id of its monitor."""

    def __init__(self, monitor: Monitor, params: StreamParams) -> None:
        self.monitor = monitor
        self.params = params
        self.is_open = False
        self.values: deque[tuple[datetime, str]] = deque(maxlen=WAITING_LIMIT)

    @property
    def constant_data(self) -> v2.ConstantStreamDataType:
        """The stream as messages have it."""
        params = PeriodicEventStreamParamsType(interval_s=self.params.interval_s, values=self.params.values)
        return v2.ConstantStreamDataType(id=self.monitor.id, params=params, variable_monitoring_id=self.monitor.id)


class Streams:
    """The streams of the station."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._streams: dict[int, Stream] = {}

    def is_full(self) -> bool:
        """Return whether no further stream can be opened."""
        return len(self._streams) >= self._station.variables.get(MAX_PERIODIC_EVENT_STREAMS)

    def has(self, number: int) -> bool:
        """Return whether a monitor has a stream, open or about to be."""
        return number in self._streams

    def open(self, monitor: Monitor) -> None:
        """Ask the CSMS to open the stream of a monitor (N11)."""
        if monitor.stream is None:
            return
        stream = self._streams[monitor.id] = Stream(monitor, monitor.stream)

        def answered(answer: object) -> None:
            if self._streams.get(monitor.id) is not stream:
                return
            accepted = isinstance(answer, v2.OpenPeriodicEventStreamResponse)
            if accepted and answer.status is GenericStatusEnumType.Accepted:  # type: ignore[attr-defined]
                stream.is_open = True
                self._arm(stream)
            elif not isinstance(answer, CallFailure):
                # The CSMS does not want it: the monitor goes on with NotifyEvent.
                self._forget(monitor.id)

        self._station.send(v2.OpenPeriodicEventStreamRequest(constant_stream_data=stream.constant_data), answered)

    def close(self, number: int) -> None:
        """Close the stream of a monitor that is cleared or replaced; what waits is sent first (N13.FR.03)."""
        stream = self._streams.get(number)
        if stream is not None:
            self._send(stream)
            self._forget(number)
            self._station.send(v2.ClosePeriodicEventStreamRequest(id=number))

    def _forget(self, number: int) -> None:
        self._streams.pop(number, None)
        self._station.stop(("stream", number))

    def forget_all(self) -> None:
        """The connection is gone: streams are opened anew on the next one."""
        for number in tuple(self._streams):
            self._forget(number)

    def add(self, number: int, value: str) -> bool:
        """Add a value; returns False where there is no open stream."""
        stream = self._streams.get(number)
        if stream is None or not stream.is_open:
            return False
        stream.values.append((self._station.utc, value))
        wanted = stream.params.values
        if (wanted and len(stream.values) >= wanted) or (not wanted and not stream.params.interval_s):
            self._send(stream)
        return True

    def _arm(self, stream: Stream) -> None:
        interval_s = stream.params.interval_s
        number = stream.monitor.id
        if not interval_s:
            self._station.stop(("stream", number))
            return

        def due() -> None:
            self._send(stream)
            self._arm(stream)

        self._station.start(("stream", number), self._station.now + interval_s, due)

    def _send(self, stream: Stream) -> None:
        """Send what there is, at most `values` at a time (N15.FR.07)."""
        while stream.values:
            size = min(len(stream.values), stream.params.values or len(stream.values))
            part = [stream.values.popleft() for _ in range(size)]
            base = part[0][0]
            data = [v2.StreamDataElementType(t_s=round((at - base).total_seconds(), 3), v=value) for at, value in part]
            message = v2.NotifyPeriodicEventStream(
                id=stream.monitor.id, pending=len(stream.values), basetime=base, data=data
            )
            self._station.send(message)

    def all_open(self) -> list[v2.ConstantStreamDataType]:
        """Return the open streams (N12)."""
        return [stream.constant_data for stream in self._streams.values() if stream.is_open]

    def adjust(self, number: int, params: StreamParams) -> bool:
        """Change the parameters of a stream; returns False where there is none (N14)."""
        stream = self._streams.get(number)
        if stream is None or not stream.is_open:
            return False
        stream.params = stream.monitor.stream = params
        self._arm(stream)
        return True

"""Requests of the CSMS for monitors (N02 to N06), and for event streams of 2.1 (N12, N14)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from chargebyte_fw.modules.ocpp.messages.v2 import event_streams as streams_v2
from chargebyte_fw.modules.ocpp.messages.v2 import monitoring as v2
from chargebyte_fw.modules.ocpp.messages.v2.types.common import (
    GenericDeviceModelStatusEnumType,
    GenericStatusEnumType,
    StatusInfoType,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.device_model import PeriodicEventStreamParamsType
from chargebyte_fw.modules.ocpp.monitoring import monitor as kinds
from chargebyte_fw.modules.ocpp.monitoring.evaluation import MonitorEvaluation
from chargebyte_fw.modules.ocpp.monitoring.monitor import Monitor, Origin, StreamParams
from chargebyte_fw.modules.ocpp.monitoring.monitors import HARD_WIRED_ONLY
from chargebyte_fw.modules.ocpp.station import answers
from chargebyte_fw.modules.ocpp.variables import access, reports
from chargebyte_fw.modules.ocpp.variables.device_model import (
    DeviceModel,
    Report,
    component_of,
    filter_of,
    status_info,
    variable_id,
    variable_of,
)
from chargebyte_fw.modules.ocpp.variables.model import Entry
from chargebyte_fw.modules.ocpp.variables.standard import station as declared
from chargebyte_fw.modules.ocpp.version import Version

CRITERIA = {
    v2.MonitoringCriterionEnumType.ThresholdMonitoring: kinds.THRESHOLDS,
    v2.MonitoringCriterionEnumType.DeltaMonitoring: (kinds.DELTA, *kinds.TARGETS),
    v2.MonitoringCriterionEnumType.PeriodicMonitoring: kinds.PERIODICS,
}
"""Types of monitors that a criterion means (N02.FR.12 to 14)."""

Generic = GenericDeviceModelStatusEnumType
Status = v2.SetMonitoringStatusEnumType


class Monitoring(MonitorEvaluation):
    """Requests of the CSMS for monitors."""

    @answers(v2.SetMonitoringBaseRequest)
    def set_base(self, request: v2.SetMonitoringBaseRequest) -> v2.SetMonitoringBaseResponse:
        """Activate a set of monitors (N03): it is where they begin, and filters nothing."""
        before = [monitor.id for monitor in self.monitors if monitor.stream is not None]
        self.monitors.set_base(request.monitoring_base)
        self.station.variables.set(declared.ACTIVE_MONITORING_BASE, str(request.monitoring_base))
        # The preconfigured monitor that has its place again has no stream.
        gone = [number for number in before if (now := self.monitors.find(number)) is None or now.stream is None]
        for number in gone:
            self.station.after_answer(partial(self.streams.close, number))
        self.arm()
        if request.monitoring_base != HARD_WIRED_ONLY:
            self.station.after_answer(lambda: self.evaluate(self.monitors))
        return v2.SetMonitoringBaseResponse(status=Generic.Accepted)

    @answers(v2.SetMonitoringLevelRequest)
    def set_level(self, request: v2.SetMonitoringLevelRequest) -> v2.SetMonitoringLevelResponse:
        """Send only events up to a severity number (N05)."""
        if not 0 <= request.severity <= kinds.LEAST_SEVERITY:
            return v2.SetMonitoringLevelResponse(status=GenericStatusEnumType.Rejected)
        self.station.variables.set(declared.ACTIVE_MONITORING_LEVEL, request.severity)
        return v2.SetMonitoringLevelResponse(status=GenericStatusEnumType.Accepted)

    @answers(v2.SetVariableMonitoringRequest)
    def set_monitors(self, request: v2.SetVariableMonitoringRequest) -> v2.SetVariableMonitoringResponse:
        """Set each monitor, with a result of its own (N04)."""
        self._bound(request, request.set_monitoring_data, declared.ITEMS_SET_MONITORING, declared.BYTES_SET_MONITORING)
        results = [self._set(one) for one in request.set_monitoring_data]
        self.arm()
        return v2.SetVariableMonitoringResponse(set_monitoring_result=results)

    def _bound(self, request: Any, items: Sequence[Any], items_limit: Any, bytes_limit: Any) -> None:
        self.station.block(DeviceModel).bound(request, items, items_limit, bytes_limit)

    def _set(self, wanted: v2.SetMonitoringDataType) -> v2.SetMonitoringResultType:
        number, status, reason = self._placed(wanted)
        return v2.SetMonitoringResultType(
            id=number,
            status=Status(status),
            type=wanted.type,
            component=wanted.component,
            variable=wanted.variable,
            severity=wanted.severity,
            status_info=status_info("InvalidValue", reason) if reason else None,
        )

    def _placed(self, wanted: v2.SetMonitoringDataType) -> tuple[int | None, str, str]:
        """Set one monitor; returns its id, SetMonitoringStatusEnumType and a reason."""
        entry = access.find(self.station.variables, variable_id(wanted.component, wanted.variable))
        if isinstance(entry, access.Status):
            return wanted.id, entry, ""
        status, reason = kinds.fault_of(entry, wanted.type, wanted.value)
        if not 0 <= wanted.severity <= kinds.LEAST_SEVERITY:
            status, reason = "Rejected", "a severity is 0 to 9"
        if status:
            return wanted.id, status, reason
        number = self.monitors.new_id() if wanted.id is None else wanted.id
        monitor = kinds.set_on(entry, number, Origin.CUSTOM, wanted.type, wanted.value, wanted.severity)
        monitor.transaction = wanted.transaction
        monitor.stream = params_of(wanted.periodic_event_stream) if wanted.type in kinds.PERIODICS else None
        known = None if wanted.id is None else self.monitors.find(wanted.id)
        if wanted.id is not None and (reason := _not_replaceable(known, monitor)):
            return wanted.id, "Rejected", reason
        if any(other.kind == monitor.kind and other.id != number for other in self.monitors.on(entry.id)):
            return wanted.id, "Duplicate", ""
        if known is None and self.monitors.is_full():
            return wanted.id, "Rejected", "no room for further monitors"
        if monitor.stream is not None and not self.streams.has(number) and self.streams.is_full():
            return wanted.id, "Rejected", "no room for further event streams"
        self._begin(monitor, known, entry)
        return number, "Accepted", ""

    def _begin(self, monitor: Monitor, known: Monitor | None, entry: Entry) -> None:
        monitor.reference = entry.text()
        # N07.FR.11: a threshold that is changed may clear what the old one has raised.
        monitor.exceeded = known is not None and known.type == monitor.type and known.exceeded
        self.monitors.put(monitor)
        self.begin_anew(monitor)

        def begin() -> None:
            self.streams.close(monitor.id)
            self.evaluate([monitor])
            self.open_stream(monitor)

        self.station.after_answer(begin)

    @answers(v2.ClearVariableMonitoringRequest)
    def clear_monitors(self, request: v2.ClearVariableMonitoringRequest) -> v2.ClearVariableMonitoringResponse:
        """Clear monitors by their ids (N06); a threshold that was exceeded is not reported as cleared (N07.FR.12)."""
        self._bound(request, request.id, declared.ITEMS_CLEAR_MONITORING, declared.BYTES_CLEAR_MONITORING)
        results = []
        for number in request.id:
            status = self.monitors.clear(number)
            results.append(v2.ClearMonitoringResultType(id=number, status=v2.ClearMonitoringStatusEnumType(status)))
            if status == "Accepted":
                self.station.after_answer(partial(self.streams.close, number))
        self.arm()
        return v2.ClearVariableMonitoringResponse(clear_monitoring_result=results)

    @answers(v2.GetMonitoringReportRequest)
    def get_report(self, request: v2.GetMonitoringReportRequest) -> v2.GetMonitoringReportResponse:
        """Report the monitors that criteria and filters mean (N02)."""
        wanted = request.component_variable or []
        self._bound(request, wanted, declared.ITEMS_GET_REPORT, declared.BYTES_GET_REPORT)
        types = [one for criterion in request.monitoring_criteria or () for one in CRITERIA[criterion]]
        filters = [filter_of(one) for one in wanted]
        data = []
        for entry in reports.filtered(self.station.variables, filters):
            found = [one for one in self.monitors.on(entry.id) if not types or one.type in types]
            if self.station.version != Version.V21:
                found = [one for one in found if one.type not in kinds.TARGETS]
            if found:
                data.append(monitoring_data(entry, found))
        if not data:
            return v2.GetMonitoringReportResponse(status=Generic.EmptyResultSet)
        generated_at = self.station.utc

        def make(seq_no: int, items: list[Any], tbc: bool) -> v2.NotifyMonitoringReportRequest:
            return v2.NotifyMonitoringReportRequest(
                request_id=request.request_id, seq_no=seq_no, generated_at=generated_at, monitor=items, tbc=tbc
            )

        self.station.after_answer(Report(self.station, make, iter(data), lambda failure: None).send)
        return v2.GetMonitoringReportResponse(status=Generic.Accepted)

    # Event streams of 2.1.

    @answers(streams_v2.GetPeriodicEventStreamRequest)
    def get_streams(
        self, request: streams_v2.GetPeriodicEventStreamRequest
    ) -> streams_v2.GetPeriodicEventStreamResponse:
        """Return the open streams (N12)."""
        return streams_v2.GetPeriodicEventStreamResponse(constant_stream_data=self.streams.all_open() or None)

    @answers(streams_v2.AdjustPeriodicEventStreamRequest)
    def adjust_stream(
        self, request: streams_v2.AdjustPeriodicEventStreamRequest
    ) -> streams_v2.AdjustPeriodicEventStreamResponse:
        """Change when the values of a stream are sent (N14)."""
        if not self.streams.adjust(request.id, params_of(request.params) or StreamParams()):
            info: StatusInfoType | None = status_info("NotFound", "no open stream has this id")
            return streams_v2.AdjustPeriodicEventStreamResponse(status=GenericStatusEnumType.Rejected, status_info=info)
        monitor = self.monitors.find(request.id)
        if monitor is not None:
            self.monitors.keep(monitor)
        return streams_v2.AdjustPeriodicEventStreamResponse(status=GenericStatusEnumType.Accepted)


def params_of(params: PeriodicEventStreamParamsType | None) -> StreamParams | None:
    """Return the parameters of a stream, None where none is asked for."""
    return None if params is None else StreamParams(params.interval_s, params.values)


def _not_replaceable(known: Monitor | None, monitor: Monitor) -> str:
    """Return why a monitor cannot take the place of another, empty where it can (N04.FR.12 to 18)."""
    if known is None:
        return "no monitor has this id"
    if known.place.folded != monitor.place.folded:
        return "the monitor with this id is on another variable"
    return "the monitor is hard-wired" if known.origin is Origin.HARD_WIRED else ""


def monitoring_data(entry: Entry, monitors: list[Monitor]) -> v2.MonitoringDataType:
    """Return the monitors of a variable as they are reported."""
    return v2.MonitoringDataType(
        component=component_of(entry.id),
        variable=variable_of(entry.id),
        variable_monitoring=[
            v2.VariableMonitoringType(
                id=one.id,
                transaction=one.transaction,
                value=one.value,
                type=v2.MonitorEnumType(one.type),
                severity=one.severity,
                event_notification_type=v2.EventNotificationEnumType(one.origin),
            )
            for one in monitors
        ],
    )

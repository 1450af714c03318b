"""SetVariables, GetVariables, GetBaseReport and GetReport of OCPP 2.x (use cases B05 to B08)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.messages.model import Request
from chargebyte_fw.modules.ocpp.messages.schema import encode
from chargebyte_fw.modules.ocpp.messages.v2 import provisioning as v2
from chargebyte_fw.modules.ocpp.messages.v2.types.common import (
    EVSEType,
    GenericDeviceModelStatusEnumType,
    StatusInfoType,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.device_model import ComponentType, ComponentVariableType, VariableType
from chargebyte_fw.modules.ocpp.rpc.errors import RpcError, spelled
from chargebyte_fw.modules.ocpp.station import Block, CallFailure, Deferred, RequestRefused, Station, answers
from chargebyte_fw.modules.ocpp.variables import access, reports
from chargebyte_fw.modules.ocpp.variables.declaration import ComponentId, Mutability, Variable, VariableId
from chargebyte_fw.modules.ocpp.variables.elsewhere import when_kept
from chargebyte_fw.modules.ocpp.variables.model import Entry
from chargebyte_fw.modules.ocpp.variables.standard import internal
from chargebyte_fw.modules.ocpp.variables.standard import station as declared
from chargebyte_fw.modules.ocpp.version import Version

CSMS = "csms"
"""Source of values that the CSMS set."""
FRAME_BYTES = 64
"""What `[2,"<36 characters>","NotifyMonitoringReport",` and `]` add to a payload."""
REPORTS_LIMIT = 8
"""Reports that may be under way at once."""
VALUES_LIST_LIMIT = 1000
"""Characters of valuesList."""

Generic = GenericDeviceModelStatusEnumType


def variable_id(component: ComponentType, variable: VariableType) -> VariableId:
    """Return the address that a message names."""
    evse = component.evse
    return VariableId(
        ComponentId(
            component.name,
            component.instance or "",
            None if evse is None else evse.id,
            None if evse is None else evse.connector_id,
        ),
        variable.name,
        variable.instance or "",
    )


def component_of(place: VariableId) -> ComponentType:
    """Return a component as messages have it."""
    here = place.component
    evse = None if here.evse is None else EVSEType(id=here.evse, connector_id=here.connector)
    return ComponentType(name=here.name, instance=here.instance or None, evse=evse)


def variable_of(place: VariableId) -> VariableType:
    """Return a variable as messages have it."""
    return VariableType(name=place.name, instance=place.instance or None)


def filter_of(wanted: ComponentVariableType) -> reports.Filter:
    """Return one ComponentVariable of a request."""
    evse, variable = wanted.component.evse, wanted.variable
    return reports.Filter(
        component=wanted.component.name,
        instance=wanted.component.instance,
        evse=None if evse is None else evse.id,
        connector=None if evse is None else evse.connector_id,
        variable=None if variable is None else variable.name,
        variable_instance=None if variable is None else variable.instance,
    )


def status_info(reason: str, info: str = "") -> StatusInfoType | None:
    """Return a reason as messages have it, None for no reason."""
    return StatusInfoType(reason_code=reason[:20], additional_info=info[:512] or None) if reason else None


def _set_result(wanted: v2.SetVariableDataType, written: access.Writing) -> v2.SetVariableResultType:
    return v2.SetVariableResultType(
        attribute_status=v2.SetVariableStatusEnumType(written.status),
        component=wanted.component,
        variable=wanted.variable,
        attribute_type=wanted.attribute_type or v2.AttributeEnumType.Actual,
        attribute_status_info=status_info(written.reason, written.info),
    )


class DeviceModel(Block):
    """Functional block B, the part of the device model."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._reports = 0

    @answers(v2.SetVariablesRequest)
    def set_variables(self, request: v2.SetVariablesRequest) -> v2.SetVariablesResponse | Deferred:
        """Set each variable, with a result of its own (B05)."""
        data = request.set_variable_data
        self.bound(request, data, declared.ITEMS_SET_VARIABLES, declared.BYTES_SET_VARIABLES)

        def answer(written: Sequence[access.Writing]) -> v2.SetVariablesResponse:
            return v2.SetVariablesResponse(set_variable_result=list(map(_set_result, data, written)))

        return when_kept(self.station, [self._set(one) for one in data], answer)

    def _set(self, wanted: v2.SetVariableDataType) -> access.Writing:
        place = variable_id(wanted.component, wanted.variable)
        attribute = wanted.attribute_type or v2.AttributeEnumType.Actual
        return access.write(self.station.variables, place, wanted.attribute_value, CSMS, attribute)

    @answers(v2.GetVariablesRequest)
    def get_variables(self, request: v2.GetVariablesRequest) -> v2.GetVariablesResponse:
        """Read each variable, with a result of its own (B06)."""
        self.bound(request, request.get_variable_data, declared.ITEMS_GET_VARIABLES, declared.BYTES_GET_VARIABLES)
        return v2.GetVariablesResponse(get_variable_result=[self._get(one) for one in request.get_variable_data])

    def _get(self, wanted: v2.GetVariableDataType) -> v2.GetVariableResultType:
        attribute = wanted.attribute_type or v2.AttributeEnumType.Actual
        reading = access.read(self.station.variables, variable_id(wanted.component, wanted.variable), attribute)
        return v2.GetVariableResultType(
            attribute_status=v2.GetVariableStatusEnumType(reading.status),
            component=wanted.component,
            variable=wanted.variable,
            attribute_type=attribute,
            attribute_value=reading.value,
            attribute_status_info=status_info(reading.reason),
        )

    @answers(v2.GetBaseReportRequest)
    def get_base_report(self, request: v2.GetBaseReportRequest) -> v2.GetBaseReportResponse:
        """Report the whole model, what can be set, or the summary (B07)."""
        entries = reports.base_report(self.station.variables, request.report_base)
        status, info = self._report(request.request_id, entries)
        return v2.GetBaseReportResponse(status=status, status_info=info)

    @answers(v2.GetReportRequest)
    def get_report(self, request: v2.GetReportRequest) -> v2.GetReportResponse:
        """Report the variables that criteria and filters mean (B08)."""
        wanted = request.component_variable or []
        self.bound(request, wanted, declared.ITEMS_GET_REPORT, declared.BYTES_GET_REPORT)
        criteria = request.component_criteria or []
        supported = self.station.variables.get(internal.SUPPORTED_CRITERIA)
        if any(criterion not in supported for criterion in criteria):
            return v2.GetReportResponse(status=Generic.NotSupported)
        filters = [filter_of(one) for one in wanted]
        entries = reports.custom_report(self.station.variables, criteria, filters)
        status, info = self._report(request.request_id, entries)
        return v2.GetReportResponse(status=status, status_info=info)

    def bound(
        self, request: Request, items: Sequence[Any], items_limit: Variable[int], bytes_limit: Variable[int]
    ) -> None:
        """Raise RequestRefused for more items, or more bytes, than the station takes (B08.FR.17, B08.FR.18)."""
        version = Version(self.station.version)
        limit = self.station.variables.find(items_limit)
        if limit is not None and len(items) > limit:
            code = spelled(RpcError.OCCURRENCE_CONSTRAINT_VIOLATION, version)
            raise RequestRefused(code, f"{len(items)} items, {limit} at most are taken")
        limit = self.station.variables.find(bytes_limit)
        if limit is not None and (size := len(msgspec.json.encode(request)) + FRAME_BYTES) > limit:
            code = spelled(RpcError.FORMAT_VIOLATION, version)
            raise RequestRefused(code, f"about {size} bytes, {limit} at most are taken")

    def _report(self, request_id: int, entries: list[Entry]) -> tuple[Generic, StatusInfoType | None]:
        if not entries:
            return Generic.EmptyResultSet, None
        if self._reports >= REPORTS_LIMIT:
            return Generic.Rejected, status_info("Busy", "other reports are under way")
        self._reports += 1
        generated_at = self.station.utc

        def make(seq_no: int, items: list[Any], tbc: bool) -> v2.NotifyReportRequest:
            return v2.NotifyReportRequest(
                request_id=request_id, generated_at=generated_at, seq_no=seq_no, report_data=items, tbc=tbc
            )

        def ended(failure: CallFailure | None) -> None:
            self._reports -= 1

        data = (report_data(self.station, entry) for entry in entries)
        self.station.after_answer(Report(self.station, make, data, ended).send)
        return Generic.Accepted, None


def report_data(station: Station, entry: Entry) -> v2.ReportDataType:
    """Return one variable as it is reported (B07.FR.08)."""
    attributes = [
        v2.VariableAttributeType(
            type=v2.AttributeEnumType(name),
            # A value that is write only is left out, one that is missing is empty (2.0.1 Part 2, 2.53).
            value=None
            if attribute.mutability is Mutability.WRITE_ONLY
            else access.reported(station.variables, entry.text(name) or ""),
            mutability=v2.MutabilityEnumType(attribute.mutability),
            persistent=entry.kept,
        )
        for name, attribute in entry.attributes.items()
    ]
    characteristics = v2.VariableCharacteristicsType(
        data_type=v2.DataEnumType(entry.data_type),
        supports_monitoring=entry.monitored,
        unit=entry.unit[:16] or None,
        min_limit=entry.minimum,
        max_limit=entry.maximum,
        values_list=values_list(entry.values),
    )
    return v2.ReportDataType(
        component=component_of(entry.id),
        variable=variable_of(entry.id),
        variable_attribute=attributes,
        variable_characteristics=characteristics,
    )


def values_list(values: Sequence[str]) -> str | None:
    """Return the values of a list as one text, without those for which there is no room."""
    text = ",".join(values)
    if len(text) > VALUES_LIST_LIMIT:
        text = text[: text.rindex(",", 0, VALUES_LIST_LIMIT + 1)]
    return text or None


class Report:
    """A report on its way: one message after the other, none larger than MaxMessageSize, each when it is due.

    The next message is made when the one before is answered, so that a long report is never in memory as a whole. It
    ends where a message is not answered: `ended` takes the failure, or None. `make` takes seqNo, items and tbc;
    `delivered` the number of items of each message that was answered.
    """

    def __init__(
        self,
        station: Station,
        make: Callable[[int, list[Any], bool], Request],
        items: Iterator[Any],
        ended: Callable[[CallFailure | None], None],
        *,
        delivered: Callable[[int], None] = lambda number: None,
        triggered: bool = True,
    ) -> None:
        self._station = station
        self._make = make
        self._items = items
        self._ended = ended
        self._delivered = delivered
        self._triggered = triggered
        """B02.FR.05: what the CSMS has asked for is also sent while the boot is pending."""
        self._next: Any = next(items, None)
        self._seq_no = 0
        self._sent = 0

    def send(self, answer: Any = None) -> None:
        """Send the next message; `answer` is that to the one before."""
        if isinstance(answer, CallFailure):
            self._ended(answer)
            return
        self._delivered(self._sent)
        if self._next is None:
            self._ended(None)
            return
        # A message with the first item twice has one overhead less than two messages with it.
        overhead = 2 * self._size(self._next) - self._size(self._next, self._next) + 1
        size = overhead + FRAME_BYTES
        limit = self._station.variables.get(internal.MAX_MESSAGE_SIZE)
        chunk: list[Any] = []
        while self._next is not None:
            size += self._size(self._next) - overhead + 1
            if chunk and size > limit:
                break
            chunk.append(self._next)
            self._next = next(self._items, None)
        message = self._make(self._seq_no, chunk, self._next is not None)
        self._seq_no += 1
        self._sent = len(chunk)
        self._station.send(message, self.send, triggered=self._triggered)

    def _size(self, *items: Any) -> int:
        return len(encode(Version(self._station.version), self._make(self._seq_no, list(items), True)))

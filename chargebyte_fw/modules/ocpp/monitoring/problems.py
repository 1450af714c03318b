"""Errors of the stack for the CSMS: NotifyEvent of the variable Problem (N07), with a technical code."""

from __future__ import annotations

from chargebyte_fw.kernel.faults import Fault, Severity
from chargebyte_fw.modules.ocpp.errors import key_of
from chargebyte_fw.modules.ocpp.messages.v2.monitoring import EventDataType, EventNotificationEnumType
from chargebyte_fw.modules.ocpp.monitoring.block import Monitoring
from chargebyte_fw.modules.ocpp.monitoring.sender import EventSender
from chargebyte_fw.modules.ocpp.station import Block, Station, receives
from chargebyte_fw.modules.ocpp.station.events import ErrorCleared, ErrorRaised
from chargebyte_fw.modules.ocpp.variables.declaration import ComponentId, Variable, VariableId
from chargebyte_fw.modules.ocpp.variables.standard.station import EVSE_PROBLEM, STATION_PROBLEM

SEVERITIES = {Severity.High: 3, Severity.Medium: 5, Severity.Low: 6}
"""Critical, alert, warning (SetVariableMonitoring, severity)."""
ERRORS_LIMIT = 1000
LOCK = "connector_lock/"
"""Begin of the types of errors of a connector lock."""


class Problems(Block):
    """The active errors, and the variables Problem that follow from them."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.codes: dict[str, str] = {}
        """Technical code of an error type (`CustomMrecErrorMapPath`); the type itself where there is none."""
        self._active: dict[str, tuple[Fault, int]] = {}

    @property
    def _sender(self) -> EventSender:
        return self.station.block(Monitoring).sender

    @receives(ErrorRaised)
    def error_raised(self, event: ErrorRaised) -> None:
        """Report an error that began."""
        fault = event.fault
        key = key_of(fault)
        if key in self._active or len(self._active) >= ERRORS_LIMIT:
            return
        data = self._event(fault, True)
        self._active[key] = fault, data[1].event_id
        self._show(fault)
        self._sender.send([data])

    @receives(ErrorCleared)
    def error_cleared(self, event: ErrorCleared) -> None:
        """Report the end of an error."""
        fault = event.fault
        known = self._active.pop(key_of(fault), None)
        if known is None:
            return
        self._show(fault)
        # N07.FR.05: the event that this one ends is its cause.
        self._sender.send([self._event(fault, False, cause=known[1])])

    def _event(self, fault: Fault, active: bool, cause: int | None = None) -> tuple[int, EventDataType]:
        return self._sender.event(
            self._place(fault),
            "true" if active else "false",
            "Alerting",
            EventNotificationEnumType.HardWiredNotification,
            SEVERITIES.get(fault.severity, 5),
            cleared=None if active else True,
            cause=cause,
            tech_code=self.codes.get(fault.type, fault.type)[:50],
            tech_info=fault.message[:500] or None,
        )

    def _place(self, fault: Fault) -> VariableId:
        """Return the variable of the event: a lock that fails has a component of its own (G05)."""
        variable = self._variable(fault).id
        evse = variable.component.evse
        if evse is None or not fault.type.startswith(LOCK):
            return variable
        mapping = fault.origin.mapping
        connector = mapping.connector if mapping is not None and mapping.connector else 1
        return VariableId(ComponentId("ConnectorPlugRetentionLock", "", evse, connector), variable.name)

    def _variable(self, fault: Fault) -> Variable[bool]:
        mapping = fault.origin.mapping
        evse = None if mapping is None or mapping.evse == 0 else mapping.evse
        known = evse is not None and self.station.variables.entry(EVSE_PROBLEM.at(evse).id) is not None
        return EVSE_PROBLEM.at(evse) if known else STATION_PROBLEM

    def _show(self, fault: Fault) -> None:
        variable = self._variable(fault)
        active = any(self._variable(other).id == variable.id for other, _ in self._active.values())
        self.station.variables.set(variable, active)

"""DER control (R04): SetDERControl, GetDERControl, ClearDERControl, their reports, and alarms of the grid (R05)."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.grid_support import GridSupport
from chargebyte_fw.contracts.types import grid_support as grid
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.der.controls import MAX_CONTROLS, Control, Controls
from chargebyte_fw.modules.ocpp.der.conversion import to_directive, to_report
from chargebyte_fw.modules.ocpp.der.rules import refused
from chargebyte_fw.modules.ocpp.messages.v2.der_control import (
    ClearDERControlRequest,
    ClearDERControlResponse,
    DERControlStatusEnumType,
    GetDERControlRequest,
    GetDERControlResponse,
    GridEventFaultEnumType,
    NotifyDERAlarmRequest,
    NotifyDERStartStopRequest,
    SetDERControlRequest,
    SetDERControlResponse,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.common import StatusInfoType
from chargebyte_fw.modules.ocpp.messages.v2.types.der import DERControlEnumType
from chargebyte_fw.modules.ocpp.station import Block, RequestRefused, Station, answers, events, receives
from chargebyte_fw.modules.ocpp.variables.standard.iso15118 import AC_DER, DC_DER
from chargebyte_fw.modules.ocpp.version import Version

TABLE = "DER_CONTROLS"
LOOK_S = 30.0
"""How often begin and end of scheduled controls are looked at."""
HEARTBEAT_S = 60.0
"""`GridSupportHeartbeatS`: the active directives are sent again, for a device that was restarted."""
PER_REPORT = 10
Status = DERControlStatusEnumType


class DerControl2(Block):
    """Keeps the controls of the CSMS and gives the active ones to the grid support of each EVSE."""

    heartbeat_s = HEARTBEAT_S
    connected = False
    """The module has a grid support. Set by the module before the first event."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.controls = Controls()
        self._supported: dict[int, frozenset[str]] = {}
        self._sent: dict[int, list[grid.Directive]] = {}

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Take the controls of the last run."""
        for key, data in event.tables.get(TABLE, {}).items():
            try:
                self.controls.by_id[key] = msgspec.json.decode(data, type=Control)
            except msgspec.DecodeError:
                self.station.save(TABLE, key, None)
        if self.controls.by_id:
            self._look()

    # The stack.

    @receives(events.Started)
    def started(self, event: events.Started) -> None:
        """Let the EVSEs offer cars their service under the grid's rules (R02, AC_DER_IEC)."""
        if self.connected:
            for evse_id in self.station.layout.evse_ids:
                self.station.command(call(EvseManager.set_der_available, True), evse_id=evse_id)

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Take what a device can do, and its alarms."""
        if isinstance(event.value, grid.EVSECapability):
            self._know(event.value)
            self._push(event.value.evse_id)
            self.station.start("der heartbeat", self.station.now + self.heartbeat_s, self._push_all)
        elif isinstance(event.value, grid.GridAlarm) and self.station.version is Version.V21:
            self._alarm(event.value)

    def _know(self, published: grid.EVSECapability) -> None:
        evse_id = published.evse_id
        if evse_id not in self._supported:
            for der in (AC_DER, DC_DER):
                self.station.variables.on_change(der.enabled.at(evse_id), partial(self._enabled_changed, evse_id))
        self._supported[evse_id] = frozenset(one.value for one in published.capability.supported_types)

    def _enabled(self, evse_id: int) -> bool:
        """Whether controls of the CSMS are in use at an EVSE: it can switch off what the inverter has."""
        variables = self.station.variables
        has = [der.enabled.at(evse_id) for der in (AC_DER, DC_DER)]
        known = [variables.get(one) for one in has if variables.entry(one.id) is not None]
        return any(known) or not known

    def _enabled_changed(self, evse_id: int, change: Any) -> None:
        self._offer(evse_id)
        self._push_changed()

    def _offer(self, evse_id: int) -> None:
        """Let the EVSE offer that service, or not: controls of the CSMS are in use or not."""
        self.station.command(call(EvseManager.set_der_available, self._enabled(evse_id)), evse_id=evse_id)

    def _alarm(self, alarm: grid.GridAlarm) -> None:
        """Report an event of the grid, or its end (R05)."""
        kinds = {kind.value: kind for kind in DERControlEnumType}
        kind = kinds.get("" if alarm.directive_type is None else alarm.directive_type.value)
        self.station.send(
            NotifyDERAlarmRequest(
                control_type=kind or DERControlEnumType.EnterService,
                timestamp=datetime.fromisoformat(alarm.timestamp),
                grid_event_fault=GridEventFaultEnumType(alarm.fault.value),
                alarm_ended=alarm.alarm_ended,
                extra_info=alarm.extra_info[:200] if alarm.extra_info else None,
            )
        )

    def _fitting(self, evse_id: int) -> list[grid.Directive]:
        if not self._enabled(evse_id):
            return []
        active = [to_directive(one) for one in self.controls.active(self.station.utc)]
        return [one for one in active if one.directive_type.value in self._supported[evse_id]]

    def _push(self, evse_id: int) -> None:
        fitting = self._sent[evse_id] = self._fitting(evse_id)
        wanted = grid.ActiveDirectiveSet(evse_id=evse_id, directives=fitting)
        self.station.command(call(GridSupport.set_active_directives, wanted), evse_id=evse_id)

    def _push_all(self) -> None:
        for evse_id in self._supported:
            self._push(evse_id)
        self.station.start("der heartbeat", self.station.now + self.heartbeat_s, self._push_all)

    def _push_changed(self) -> None:
        for evse_id in self._supported:
            if self._fitting(evse_id) != self._sent.get(evse_id):
                self._push(evse_id)

    def _look(self) -> None:
        """Start and end scheduled controls that are due (R04 and following)."""
        utc = self.station.utc
        for control in list(self.controls.by_id.values()):
            if control.over(utc):
                self._remove(control)
                if control.reported_start and not control.superseded:  # R04.FR.22
                    self._notify(control, started=False)
            elif control.starts_at is not None and control.holds(utc) and not control.reported_start:
                superseded = self.controls.start(control)
                self._keep(control)
                for one in superseded:
                    self._keep(self.controls.by_id[one.lower()])
                if not control.superseded:
                    self._notify(control, started=True, superseded=superseded)
        self._push_changed()
        if self.controls.by_id:
            self.station.start("der", self.station.now + LOOK_S, self._look)

    def _notify(self, control: Control, *, started: bool, superseded: list[str] | None = None) -> None:
        self.station.send(
            NotifyDERStartStopRequest(
                control_id=control.id,
                started=started,
                timestamp=self.station.utc,
                superseded_ids=superseded or None,
            )
        )

    def _keep(self, control: Control) -> None:
        self.station.save(TABLE, control.id.lower(), control)

    def _remove(self, control: Control) -> None:
        self.controls.by_id.pop(control.id.lower(), None)
        self.station.save(TABLE, control.id.lower(), None)

    # Requests of the CSMS.

    def _supports(self, kind: DERControlEnumType | None) -> bool:
        enabled = [supported for evse_id, supported in self._supported.items() if self._enabled(evse_id)]
        return kind is None or any(kind.value in supported for supported in enabled)

    def _need_21(self) -> None:
        if self.station.version is not Version.V21:
            raise RequestRefused("NotImplemented", "DER control is of OCPP 2.1")

    @answers(SetDERControlRequest)
    def set_control(self, request: SetDERControlRequest) -> SetDERControlResponse:
        """Install a control."""
        self._need_21()
        if not self._supports(request.control_type):
            return SetDERControlResponse(status=Status.NotSupported)
        reason = refused(request, self.station.utc)
        full = len(self.controls.by_id) >= MAX_CONTROLS and request.control_id.lower() not in self.controls.by_id
        if reason or full:
            info = StatusInfoType(reason_code="InvalidValue", additional_info=reason or f"{MAX_CONTROLS} controls")
            return SetDERControlResponse(status=Status.Rejected, status_info=info)
        control = Control(request=request, received_at=self.station.utc)
        superseded = self.controls.install(control, self.station.utc)
        self._keep(control)
        for one in superseded:
            self._keep(self.controls.by_id[one.lower()])
        self.station.after_answer(self._look)
        return SetDERControlResponse(status=Status.Accepted, superseded_ids=superseded or None)

    @answers(GetDERControlRequest)
    def get_control(self, request: GetDERControlRequest) -> GetDERControlResponse:
        """Report controls, ten to a message ([R04.FR.31] to [R04.FR.33])."""
        self._need_21()
        if not self._supports(request.control_type):
            return GetDERControlResponse(status=Status.NotSupported)
        found = self.controls.select(request.control_id, request.control_type, request.is_default)
        if not found:
            return GetDERControlResponse(status=Status.NotFound)

        def report() -> None:
            for index in range(0, len(found), PER_REPORT):
                more = index + PER_REPORT < len(found)
                chunk = found[index : index + PER_REPORT]
                self.station.send(to_report(request.request_id, chunk, tbc=more))

        self.station.after_answer(report)
        return GetDERControlResponse(status=Status.Accepted)

    @answers(ClearDERControlRequest)
    def clear_control(self, request: ClearDERControlRequest) -> ClearDERControlResponse:
        """Remove controls."""
        self._need_21()
        if not self._supports(request.control_type):
            return ClearDERControlResponse(status=Status.NotSupported)
        default: Any = None if request.control_id is not None else request.is_default
        found = self.controls.select(request.control_id, request.control_type, default)
        for control in found:
            self._remove(control)
        self.station.after_answer(self._push_changed)
        return ClearDERControlResponse(status=Status.Accepted if found else Status.NotFound)

"""Connectors of OCPP 1.6: StatusNotification (§4.9), ChangeAvailability (§5.2), errors of the stack."""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_manager import (
    SessionEvent,
    SessionEventEnum,
    StartSessionReason,
    StopTransactionReason,
)
from chargebyte_fw.modules.ocpp.availability.connector_states import ConnectorStates, Notification, Status
from chargebyte_fw.modules.ocpp.availability.events import StatusChanged, TransactionClosed
from chargebyte_fw.modules.ocpp.availability.stored import StoredAvailability, enable_disable
from chargebyte_fw.modules.ocpp.errors import info_of, key_of
from chargebyte_fw.modules.ocpp.messages.v16.core import (
    AvailabilityStatus,
    AvailabilityType,
    ChangeAvailabilityRequest,
    ChangeAvailabilityResponse,
    ChargePointErrorCode,
    ChargePointStatus,
    StatusNotificationRequest,
)
from chargebyte_fw.modules.ocpp.provisioning.events import BackOnline, Registered, WentOffline
from chargebyte_fw.modules.ocpp.station import Block, Station, answers, events, receives
from chargebyte_fw.modules.ocpp.station.layout import Place
from chargebyte_fw.modules.ocpp.variables.standard.internal import REPORT_SUSPENDED_EVSE_REASON_CHANGE
from chargebyte_fw.modules.ocpp.variables.standard.legacy import MINIMUM_STATUS_DURATION, REPORT_CLEARED_ERRORS

TABLE = "CONNECTORS"
BUSY = (Status.PREPARING, Status.CHARGING, Status.SUSPENDED_EV, Status.SUSPENDED_EVSE)
"""States in which a change to inoperative is scheduled. In Finishing, the transaction is over."""
E = SessionEventEnum
_PLAIN = {
    E.Disabled: Status.UNAVAILABLE,
    E.ChargingStarted: Status.CHARGING,
    E.ChargingPausedEV: Status.SUSPENDED_EV,
    E.ReservationStart: Status.RESERVED,
}


def _shown(happened: SessionEvent, present: Status) -> tuple[Status, str] | None:
    """Return the state that an event leads to and its reason, None for one that changes nothing."""
    match happened.event:
        case E.Enabled:
            return (Status.AVAILABLE, "") if present is Status.UNAVAILABLE else None
        case E.SessionStarted:
            started = happened.session_started
            authorized = started is not None and started.reason is StartSessionReason.Authorized
            return None if present is Status.RESERVED and not authorized else (Status.PREPARING, "")
        case E.TransactionStarted:
            return (Status.PREPARING, "") if present is Status.RESERVED else None
        case E.ChargingPausedEVSE:
            reasons = happened.charging_paused_evse.reasons if happened.charging_paused_evse else []
            return Status.SUSPENDED_EVSE, ",".join(reasons)[:50]
        case E.SwitchingPhases:
            return Status.SUSPENDED_EVSE, "SwitchingPhases"
        case E.TransactionFinished:
            finished = happened.transaction_finished
            left = finished is not None and finished.reason is StopTransactionReason.EVDisconnected
            return None if left else (Status.FINISHING, "")
    plain = _PLAIN.get(happened.event)
    return None if plain is None else (plain, "")


class Connectors16(Block):
    """States of all connectors and of the station (connector 0)."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._stored = StoredAvailability(TABLE, station.save)
        self.connectors = {place.connector: ConnectorStates() for place in station.layout}
        self._station = ConnectorStates()
        self._reported: dict[int, Notification] = {}
        self._transactions: set[int] = set()
        self._reports = False
        """The CSMS wants to know: it has accepted the station, and there is a connection."""

    # Facts of the stack.

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Disable what was inoperative in the last run."""
        self._stored.load(event.tables)
        if not self._stored.operative("0"):
            self._station = ConnectorStates(Status.UNAVAILABLE)
        for place in self.station.layout:
            if not self._stored.operative(str(place.connector)):
                self.connectors[place.connector] = ConnectorStates(Status.UNAVAILABLE)
                self._enable(place, False)

    @receives(events.SessionEventReceived)
    def session(self, event: events.SessionEventReceived) -> None:
        """Follow what happens at a connector."""
        happened = event.event
        if happened.connector_id == 0:
            for place in self.station.layout.of(event.evse_id):
                self._follow(place, happened)
            return
        found = self.station.layout.find(event.evse_id, happened.connector_id)
        if found is not None:
            self._follow(found, happened)

    def _follow(self, place: Place, happened: SessionEvent) -> None:
        number, connector = place.connector, self.connectors[place.connector]
        if happened.event is E.TransactionStarted:
            self._transactions.add(number)
        elif happened.event in (E.TransactionFinished, E.SessionFinished, E.PluginTimeout):
            self._transactions.discard(number)
        if happened.event in (E.SessionFinished, E.PluginTimeout):
            self._end(place)
        elif happened.event is E.ReservationEnd and connector.status is Status.RESERVED:
            self._to(number, self._idle(place))
        elif (shown := _shown(happened, connector.status)) is not None:
            self._to(number, *shown)

    def _idle(self, place: Place) -> Status:
        return Status.AVAILABLE if self._stored.operative(str(place.connector)) else Status.UNAVAILABLE

    def _end(self, place: Place) -> None:
        """The connector is free: a change that waited for it happens.

        Without Available in between, but from Preparing, which has no way to Unavailable.
        """
        idle = self._idle(place)
        if idle is Status.UNAVAILABLE:
            self._enable(place, False)
            if self.connectors[place.connector].status is Status.PREPARING:
                self._to(place.connector, Status.AVAILABLE)
        self._to(place.connector, idle)

    @receives(TransactionClosed)
    def transaction_closed(self, event: TransactionClosed) -> None:
        """Make a connector inoperative whose change waited for the transaction."""
        place = self.station.layout.find(event.evse_id, event.connector_id)
        if place is None or place.connector in self._transactions or self._stored.operative(str(place.connector)):
            return
        self._enable(place, False)

    @receives(events.ErrorRaised)
    def error_raised(self, event: events.ErrorRaised) -> None:
        """Report an error; `evse_manager/Inoperative` makes its connectors Faulted."""
        error = info_of(event.fault)
        for number, connector in self._concerned(event.fault.origin.mapping):
            before = connector.present.status
            self._report(number, connector.raise_error(error), before)

    @receives(events.ErrorCleared)
    def error_cleared(self, event: events.ErrorCleared) -> None:
        """Report the end of an error, where the configuration asks for it or a fault has ended."""
        report = self.station.variables.get(REPORT_CLEARED_ERRORS)
        for number, connector in self._concerned(event.fault.origin.mapping):
            before = connector.present.status
            notification = connector.clear_error(key_of(event.fault), report=report)
            if notification is not None:
                self._report(number, notification, before)

    def _concerned(self, mapping: object) -> list[tuple[int, ConnectorStates]]:
        """Return the connectors of the EVSE that an error belongs to; the station for one without an EVSE."""
        evse_id = getattr(mapping, "evse", None)
        places = self.station.layout.of(evse_id) if evse_id else []
        wanted = getattr(mapping, "connector", None)
        chosen = [place for place in places if wanted in (None, place.connector_id)] or places
        return [(place.connector, self.connectors[place.connector]) for place in chosen] or [(0, self._station)]

    # Reports.

    @receives(Registered)
    def registered(self, event: Registered) -> None:
        """Report the station and every connector as they are now."""
        self._reports = True
        self.report_all()

    @receives(BackOnline)
    def back_online(self, event: BackOnline) -> None:
        """Report the present states once; what happened meanwhile is history (§4.9)."""
        self._reports = True
        self.report_all()

    @receives(WentOffline)
    def went_offline(self, event: WentOffline) -> None:
        """Report nothing until the connection is back."""
        self._reports = False
        for number in (0, *self.connectors):
            self.station.stop(("status", number))

    def report_all(self, *, triggered: bool = False) -> None:
        """Send the present state of the station and of every connector."""
        for number in (0, *self.connectors):
            self.report(number, triggered=triggered)

    def report(self, number: int, *, triggered: bool = False) -> None:
        """Send the present state of a connector at once."""
        self._send(number, self._connector(number).present, triggered=triggered)

    def _connector(self, number: int) -> ConnectorStates:
        return self._station if number == 0 else self.connectors[number]

    def _to(self, number: int, status: Status, info: str = "") -> None:
        connector = self._connector(number)
        before = connector.present.status
        reasons = self.station.variables.get(REPORT_SUSPENDED_EVSE_REASON_CHANGE)
        notification = connector.to(status, info, report_info=reasons)
        if notification is not None:
            self._report(number, notification, before)

    def _report(self, number: int, notification: Notification, before: str) -> None:
        if notification.status != before:
            self.station.notify(StatusChanged(number, notification.status, before))
        if not self._reports:
            return
        lasting_s = self.station.variables.get(MINIMUM_STATUS_DURATION)
        if lasting_s > 0 and notification.status != before:
            self.station.start(("status", number), self.station.now + lasting_s, lambda: self._lasted(number))
        else:
            self._send(number, notification)

    def _lasted(self, number: int) -> None:
        present = self._connector(number).present
        if self._reported.get(number) != present:
            self._send(number, present)

    def _send(self, number: int, state: Notification, *, triggered: bool = False) -> None:
        self.station.stop(("status", number))
        self._reported[number] = state
        self.station.send(
            StatusNotificationRequest(
                connector_id=number,
                error_code=ChargePointErrorCode(state.error_code),
                status=ChargePointStatus(state.status),
                info=state.info[:50] or None,
                timestamp=self.station.utc,
                vendor_id=state.vendor_id[:255] or None,
                vendor_error_code=state.vendor_error_code[:50] or None,
            ),
            triggered=triggered,
        )

    # Requests of the CSMS.

    @answers(ChangeAvailabilityRequest)
    def change_availability(self, request: ChangeAvailabilityRequest) -> ChangeAvailabilityResponse:
        """Make a connector, or with 0 the station, operative or inoperative (§5.2)."""
        status = self.change(request.connector_id, request.type is AvailabilityType.Operative)
        return ChangeAvailabilityResponse(status=status)

    def change(self, number: int, operative: bool) -> AvailabilityStatus:
        """Change the availability of a connector (0: of all); what it causes follows the answer.

        The wish is kept at once: a power cut before the end of a transaction does not lose it.
        """
        if number != 0 and number not in self.connectors:
            return AvailabilityStatus.Rejected
        places = list(self.station.layout) if number == 0 else [self._place(number)]
        scheduled = [place for place in places if not operative and self._busy(place.connector)]
        if number == 0:
            self._stored.set("0", operative)
        for place in places:
            self._stored.set(str(place.connector), operative)

        def carry_out() -> None:
            if number == 0:
                self._to(0, Status.AVAILABLE if operative else Status.UNAVAILABLE)
            for place in places:
                if place not in scheduled:
                    self._enable(place, operative)

        self.station.after_answer(carry_out)
        return AvailabilityStatus.Scheduled if scheduled else AvailabilityStatus.Accepted

    def wanted_operative(self) -> dict[Place, bool]:
        """Return what the CSMS wants of each connector."""
        return {place: self._stored.operative(str(place.connector)) for place in self.station.layout}

    def _busy(self, number: int) -> bool:
        return number in self._transactions or self.connectors[number].status in BUSY

    def _place(self, number: int) -> Place:
        place = self.station.layout.connector(number)
        assert place is not None
        return place

    def _enable(self, place: Place, operative: bool) -> None:
        # A connector of 1.6 that is the only one of its EVSE is the EVSE (EVerest).
        only = sum(one.evse_id == place.evse_id for one in self.station.layout) == 1
        self.station.command(enable_disable(0 if only else place.connector_id, operative), evse_id=place.evse_id)

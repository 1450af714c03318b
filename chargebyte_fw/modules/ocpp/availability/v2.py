"""Availability of OCPP 2.x: StatusNotification (G01), ChangeAvailability (G03, G04), the states in the device model."""

from __future__ import annotations

import msgspec

from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.kernel.faults import Fault
from chargebyte_fw.modules.ocpp.availability.stored import StoredAvailability, enable_disable
from chargebyte_fw.modules.ocpp.errors import INOPERATIVE, key_of
from chargebyte_fw.modules.ocpp.messages.v2.availability import (
    ChangeAvailabilityRequest,
    ChangeAvailabilityResponse,
    ChangeAvailabilityStatusEnumType,
    ConnectorStatusEnumType,
    OperationalStatusEnumType,
    StatusNotificationRequest,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.common import EVSEType
from chargebyte_fw.modules.ocpp.provisioning.events import BackOnline, Registered, WentOffline
from chargebyte_fw.modules.ocpp.station import Block, Station, answers, events, receives
from chargebyte_fw.modules.ocpp.station.layout import Place
from chargebyte_fw.modules.ocpp.transactions.events import TransactionBegan, TransactionEnded
from chargebyte_fw.modules.ocpp.variables.standard.communication import OFFLINE_THRESHOLD
from chargebyte_fw.modules.ocpp.variables.standard.station import (
    CONNECTOR_AVAILABILITY_STATE,
    EVSE_AVAILABILITY_STATE,
    STATION_AVAILABILITY_STATE,
)

TABLE = "AVAILABILITY"
Status = ConnectorStatusEnumType
E = SessionEventEnum
_ORDER = (Status.Faulted, Status.Unavailable, Status.Occupied, Status.Reserved, Status.Available)
"""Of several connectors, an EVSE has the first state that one of them is in, but Available if one of them is."""


class _Connector(msgspec.Struct):
    """What is known of a connector."""

    occupied: bool = False
    reserved: bool = False
    disabled: bool = False
    """The stack has taken it out of use, for whatever reason."""
    faults: set[str] = set()
    reported: ConnectorStatusEnumType | None = None


class Availability2(Block):
    """The effective state of each connector, and who may change it."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._stored = StoredAvailability(TABLE, station.save)
        self._connectors = {place: _Connector() for place in station.layout}
        self._transactions: set[int] = set()
        """EVSEs with a transaction: a change to inoperative waits for its end."""
        self._reports = False

    # State.

    def status(self, place: Place) -> ConnectorStatusEnumType:
        """Return the effective state: Faulted, Unavailable, Reserved, Occupied or Available, the first that holds.

        As EVerest has it: a cable that is plugged in leaves a connector Reserved until the reservation is used.
        """
        connector = self._connectors[place]
        waits = place.evse_id in self._transactions
        if connector.faults:
            return Status.Faulted
        if connector.disabled or not (waits or self.operative(place)):
            return Status.Unavailable
        if connector.reserved:
            return Status.Reserved
        return Status.Occupied if connector.occupied else Status.Available

    def operative(self, place: Place) -> bool:
        """Return whether the CSMS wants a connector in use: the station, its EVSE and itself."""
        keys = ("0", f"{place.evse_id}", f"{place.evse_id}.{place.connector_id}")
        return all(self._stored.operative(key) for key in keys)

    def reserved(self, evse_id: int) -> bool:
        """Return whether a connector of an EVSE is reserved."""
        return any(self.status(place) is Status.Reserved for place in self.station.layout.of(evse_id))

    def wanted_operative(self) -> dict[Place, bool]:
        """Return what the CSMS wants of each connector."""
        return {place: self.operative(place) for place in self.station.layout}

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Take out of use what was so in the last run (G03, G04)."""
        self._stored.load(event.tables)
        for place in self.station.layout:
            if not self.operative(place):
                self._enable(place, False)
        self._update()

    @receives(events.SessionEventReceived)
    def session(self, event: events.SessionEventReceived) -> None:
        """Follow what happens at a connector."""
        happened, number = event.event.event, event.event.connector_id
        for place in self.station.layout.of(event.evse_id):
            if number in (0, None, place.connector_id):
                self._follow(self._connectors[place], happened)
        self._update()

    @staticmethod
    def _follow(connector: _Connector, happened: SessionEventEnum) -> None:
        match happened:
            case E.SessionStarted | E.SessionResumed:
                connector.occupied = True
            case E.Authorized | E.TransactionStarted:
                # The reservation is used, if there was one.
                connector.reserved = False
            case E.SessionFinished:
                connector.occupied = False
            case E.ReservationStart:
                connector.reserved = True
            case E.ReservationEnd:
                connector.reserved = False
            case E.Disabled:
                connector.disabled = True
            case E.Enabled:
                connector.disabled = False

    @receives(TransactionBegan)
    def transaction_began(self, event: TransactionBegan) -> None:
        """From now on a change of this EVSE is scheduled."""
        self._transactions.add(event.evse_id)

    @receives(TransactionEnded)
    def transaction_ended(self, event: TransactionEnded) -> None:
        """Carry out what waited for the end (G03, G04)."""
        self._transactions.discard(event.evse_id)
        for place in self.station.layout.of(event.evse_id):
            if not self.operative(place):
                self._enable(place, False)
        self._update()

    @receives(events.ErrorRaised)
    def error_raised(self, event: events.ErrorRaised) -> None:
        """An EVSE that is inoperative makes its connectors Faulted."""
        for connector in self._concerned(event.fault):
            connector.faults = connector.faults | {key_of(event.fault)}
        self._update()

    @receives(events.ErrorCleared)
    def error_cleared(self, event: events.ErrorCleared) -> None:
        """The EVSE works again."""
        for connector in self._concerned(event.fault):
            connector.faults = connector.faults - {key_of(event.fault)}
        self._update()

    def _concerned(self, fault: Fault) -> list[_Connector]:
        mapping = fault.origin.mapping
        if fault.type != INOPERATIVE or mapping is None:
            return []
        return [self._connectors[place] for place in self.station.layout.of(mapping.evse)]

    # Reports.

    @receives(Registered)
    def registered(self, event: Registered) -> None:
        """Report every connector (B01)."""
        self._reports = True
        self.report_all()

    @receives(BackOnline)
    def back_online(self, event: BackOnline) -> None:
        """Report every connector after a long outage, those that have changed after a short one (B04)."""
        self._reports = True
        if event.outage_s > self.station.variables.get(OFFLINE_THRESHOLD):
            self.report_all()
        else:
            self._update()

    @receives(WentOffline)
    def went_offline(self, event: WentOffline) -> None:
        """Report nothing until the connection is back."""
        self._reports = False

    def report_all(self) -> None:
        """Send the state of every connector."""
        for place in self.station.layout:
            self.report(place)

    def report(self, place: Place, *, triggered: bool = False) -> None:
        """Send the state of a connector at once."""
        status = self.status(place)
        self._connectors[place].reported = status
        self.station.send(
            StatusNotificationRequest(
                timestamp=self.station.utc,
                connector_status=status,
                evse_id=place.evse_id,
                connector_id=place.connector_id,
            ),
            triggered=triggered,
        )

    def _update(self) -> None:
        """Write the states into the device model, and report those that have changed."""
        variables = self.station.variables
        every: list[ConnectorStatusEnumType] = []
        for evse_id in self.station.layout.evse_ids:
            found = []
            for place in self.station.layout.of(evse_id):
                status = self.status(place)
                found.append(status)
                variables.set(CONNECTOR_AVAILABILITY_STATE.at(evse_id, place.connector_id), status.value)
                if self._reports and self._connectors[place].reported is not status:
                    self.report(place)
            variables.set(EVSE_AVAILABILITY_STATE.at(evse_id), _together(found).value)
            every += found
        variables.set(STATION_AVAILABILITY_STATE, _together(every).value)

    # Requests of the CSMS.

    @answers(ChangeAvailabilityRequest)
    def change_availability(self, request: ChangeAvailabilityRequest) -> ChangeAvailabilityResponse:
        """Take a connector, an EVSE or the station out of use, or back into it."""
        operative = request.operational_status is OperationalStatusEnumType.Operative
        return ChangeAvailabilityResponse(status=self.change(request.evse, operative))

    def change(self, evse: EVSEType | None, operative: bool) -> ChangeAvailabilityStatusEnumType:
        """Change the availability; what it causes follows the answer. What is kept is kept at once.

        Operative is accepted during a transaction, too, and takes a scheduled change back ([G03.FR.03]).
        """
        places = self._places(evse)
        if not places:
            return ChangeAvailabilityStatusEnumType.Rejected
        key = "0"
        if evse is not None and evse.id != 0:
            key = f"{evse.id}" if evse.connector_id is None else f"{evse.id}.{evse.connector_id}"
        scheduled = [place for place in places if not operative and place.evse_id in self._transactions]
        self._stored.set(key, operative)

        def carry_out() -> None:
            for place in places:
                if place not in scheduled:
                    # Making a tier operative leaves what is out of use below it (G03, G04).
                    self._enable(place, self.operative(place))
            self._update()

        self.station.after_answer(carry_out)
        accepted = ChangeAvailabilityStatusEnumType.Accepted
        return ChangeAvailabilityStatusEnumType.Scheduled if scheduled else accepted

    def _places(self, evse: EVSEType | None) -> list[Place]:
        if evse is None or evse.id == 0:
            return list(self.station.layout)
        wanted = evse.connector_id
        return [place for place in self.station.layout.of(evse.id) if wanted in (None, place.connector_id)]

    def _enable(self, place: Place, operative: bool) -> None:
        self.station.command(enable_disable(place.connector_id, operative), evse_id=place.evse_id)


def _together(states: list[ConnectorStatusEnumType]) -> ConnectorStatusEnumType:
    """Return the state of what has these connectors."""
    if not states or Status.Available in states:
        return Status.Available
    return next(status for status in _ORDER if status in states)

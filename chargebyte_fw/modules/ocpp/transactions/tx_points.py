"""When a transaction of OCPP 2.x begins and ends: `TxCtrlr.TxStartPoint` and `TxStopPoint` (use cases E01, E06)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, StrEnum


class TxPoint(StrEnum):
    """TxStartStopPointEnumType."""

    PARKING_BAY_OCCUPANCY = "ParkingBayOccupancy"
    EV_CONNECTED = "EVConnected"
    AUTHORIZED = "Authorized"
    POWER_PATH_CLOSED = "PowerPathClosed"
    ENERGY_TRANSFER = "EnergyTransfer"
    DATA_SIGNED = "DataSigned"


OPEN_UNTIL_UNPLUGGED = frozenset({TxPoint.EV_CONNECTED, TxPoint.PARKING_BAY_OCCUPANCY})
"""Stop points under which a transaction outlives the energy transfer."""

ENDED_BY_UNPLUGGING = frozenset({TxPoint.EV_CONNECTED, TxPoint.POWER_PATH_CLOSED, TxPoint.PARKING_BAY_OCCUPANCY})
"""Stop points that are lost when the EV is unplugged."""


class TxInput(Enum):
    """What happened at an EVSE."""

    EV_CONNECTED = "EV connected"
    EV_DISCONNECTED = "EV disconnected"
    AUTHORIZED = "authorized"
    DEAUTHORIZED = "deauthorized"
    PARKING_BAY_OCCUPIED = "parking bay occupied"
    PARKING_BAY_UNOCCUPIED = "parking bay unoccupied"
    ENERGY_TRANSFER_STARTED = "energy transfer started"
    ENERGY_TRANSFER_STOPPED = "energy transfer stopped"
    SIGNED_START_DATA_RECEIVED = "signed start data received"
    IMMEDIATE_RESET = "immediate reset"


class TxChange(Enum):
    """What an input does to the transaction of the EVSE."""

    START = "start"
    STOP = "stop"


_SETS: dict[TxInput, tuple[TxPoint, bool]] = {
    TxInput.EV_CONNECTED: (TxPoint.EV_CONNECTED, True),
    TxInput.EV_DISCONNECTED: (TxPoint.EV_CONNECTED, False),
    TxInput.AUTHORIZED: (TxPoint.AUTHORIZED, True),
    TxInput.DEAUTHORIZED: (TxPoint.AUTHORIZED, False),
    TxInput.PARKING_BAY_OCCUPIED: (TxPoint.PARKING_BAY_OCCUPANCY, True),
    TxInput.PARKING_BAY_UNOCCUPIED: (TxPoint.PARKING_BAY_OCCUPANCY, False),
    TxInput.ENERGY_TRANSFER_STARTED: (TxPoint.ENERGY_TRANSFER, True),
    TxInput.ENERGY_TRANSFER_STOPPED: (TxPoint.ENERGY_TRANSFER, False),
    TxInput.SIGNED_START_DATA_RECEIVED: (TxPoint.DATA_SIGNED, True),
}
DEFAULT = (TxPoint.POWER_PATH_CLOSED,)
"""What an empty list, or one with an unknown value, means."""


def points(members: Iterable[str]) -> frozenset[TxPoint]:
    """Return the points that a member list names; one that cannot be read stands for PowerPathClosed."""
    known = {point.value: point for point in TxPoint}
    return frozenset(known.get(member.strip(), TxPoint.POWER_PATH_CLOSED) for member in members) or frozenset(DEFAULT)


class TxPoints:
    """The conditions of one EVSE, and whether its transaction runs.

    PowerPathClosed holds while the EVSE is authorized and the EV is connected; as a point of the end it is reached as
    soon as either is lost (E01, E06).
    """

    def __init__(self) -> None:
        self._met: set[TxPoint] = set()
        self.active = False
        """A transaction was begun and is not ended."""

    def holds(self, point: TxPoint) -> bool:
        """Return whether the condition of a point is met at present."""
        if point is TxPoint.POWER_PATH_CLOSED:
            return {TxPoint.AUTHORIZED, TxPoint.EV_CONNECTED} <= self._met
        return point in self._met

    def feed(self, tx_input: TxInput, start: frozenset[TxPoint], stop: frozenset[TxPoint]) -> TxChange | None:
        """Take an input under the points that are configured now; returns what it does to the transaction."""
        before = {point for point in TxPoint if self.holds(point)}
        changed = _SETS.get(tx_input)
        if changed is not None:
            point, met = changed
            (self._met.add if met else self._met.discard)(point)
        after = {point for point in TxPoint if self.holds(point)}
        if not self.active:
            if start & (after - before):
                self.active = True
                return TxChange.START
            return None
        if tx_input is TxInput.IMMEDIATE_RESET or stop & (before - after):
            self._end()
            return TxChange.STOP
        return None

    def resume(self, met: set[TxPoint]) -> None:
        """Go on with a transaction that ran before a restart, whose conditions these are."""
        self._met |= met
        self.active = True

    def force_stop(self) -> None:
        """The transaction has ended, whatever the points; the plug and the driver are as they were."""
        self._end()

    def force_end(self) -> bool:
        """End the transaction whatever the points: the session of the stack is over. Returns whether one ran."""
        was = self.active
        self._end()
        self._met.clear()
        return was

    def _end(self) -> None:
        self.active = False
        # The signature belongs to one transaction; the other conditions are those of the plug and the driver.
        self._met.discard(TxPoint.DATA_SIGNED)

"""Transactions that wait for their car: after a reset (use case B13), and unplugged at the EV (E10).

The stack ends its session with the process, or with the car, and begins another one when the car is there. The
transaction of OCPP stays: its token is presented again as one that is accepted already.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chargebyte_fw.contracts.interfaces.auth_token_provider import AuthTokenProvider
from chargebyte_fw.contracts.types.authorization import AuthorizationType, ProvidedIdToken
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum, SessionStarted, StartSessionReason
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.modules.ocpp.messages.v2.transactions import ChargingStateEnumType
from chargebyte_fw.modules.ocpp.station import Station
from chargebyte_fw.modules.ocpp.station.events import SessionEventReceived
from chargebyte_fw.modules.ocpp.transactions.evse_v2 import EvseSession, same_token
from chargebyte_fw.modules.ocpp.transactions.record_v2 import Transaction
from chargebyte_fw.modules.ocpp.transactions.tx_points import TxInput
from chargebyte_fw.modules.ocpp.variables.standard.transactions import EV_CONNECTION_TIME_OUT, RESUMPTION_TIMEOUT

WAIT_S = 300
"""How long a transaction waits for its car where `ResumptionTimeout` has no value."""
Resumed = Callable[[EvseSession, Transaction, bool], None]
"""Takes the EVSE, the transaction, and whether it was suspended since the EV was unplugged."""
Ended = Callable[[Transaction], None]
E = SessionEventEnum


class _Waiting(msgspec.Struct):
    transaction: Transaction
    session_id: str
    """The session of the stack that is over, or is about to be."""
    suspended: bool
    """The EV was unplugged; otherwise the station was reset."""


class Resumption:
    """Transactions that wait for their car, by EVSE.

    `resumed` lets one go on, `stopped` ends one whose driver presents his token, `given_up` one whose car does not come
    back after a reset, `left` one whose car is not plugged in again.
    """

    def __init__(self, station: Station, resumed: Resumed, stopped: Ended, given_up: Ended, left: Ended) -> None:
        self._station = station
        self._resumed = resumed
        self._stopped = stopped
        self._given_up = given_up
        self._left = left
        self._waiting: dict[int, _Waiting] = {}

    def timeout_s(self) -> int:
        """Return how long a reset may interrupt a transaction; 0: transactions do not outlive a reset."""
        found = self._station.variables.find(RESUMPTION_TIMEOUT)
        return WAIT_S if found is None else found

    def wait(self, transaction: Transaction) -> None:
        """Wait for the car of a transaction after a reset."""
        self._waiting[transaction.evse_id] = _Waiting(transaction, transaction.session, False)
        timer = ("resume", transaction.evse_id)
        self._station.start(timer, self._station.now + self.timeout_s(), lambda: self._give_up(transaction))

    def suspend(self, transaction: Transaction, session_id: str) -> None:
        """Wait for a car that was unplugged (E10): at a fixed cable for `EVConnectionTimeOut` ([E10.FR.02]).

        With 0, and at a socket, whose cable is the driver's, it takes as long as it takes.
        """
        self._waiting[transaction.evse_id] = _Waiting(transaction, session_id, True)
        place = self._station.layout.find(transaction.evse_id, transaction.connector_id)
        has_socket = place is not None and place.kind is not None and place.kind.value.startswith("s")
        wait_s = self._station.variables.get(EV_CONNECTION_TIME_OUT)
        if wait_s > 0 and not has_socket:
            timer = ("resume", transaction.evse_id)
            self._station.start(timer, self._station.now + wait_s, lambda: self._lose(transaction))

    def waits(self, transaction: Transaction) -> bool:
        """Return whether a transaction waits for its car."""
        found = self._waiting.get(transaction.evse_id)
        return found is not None and found.transaction is transaction

    def session(self, event: SessionEventReceived, one: EvseSession) -> bool:
        """Take a session event of an EVSE; returns whether nothing else is to be done with it."""
        found, happened = self._waiting.get(event.evse_id), event.event
        if found is None:
            return False
        if happened.uuid == found.session_id:
            return True
        match happened.event:
            case E.SessionStarted if happened.session_started is not None:
                self._session_started(found, one, happened.uuid, happened.connector_id or 1, happened.session_started)
            case E.TransactionStarted if happened.transaction_started is not None:
                if same_token(found.transaction.token, happened.transaction_started.id_tag):
                    self.forget(event.evse_id)
                    self._resumed(one, found.transaction, found.suspended)
                    return True
                self._give_up(found.transaction)
                one.points.feed(TxInput.EV_CONNECTED, frozenset(), frozenset())
                one.state = ChargingStateEnumType.EVConnected
                return False
            case E.SessionFinished if not found.suspended:
                self._give_up(found.transaction)
        return True

    def _session_started(
        self, found: _Waiting, one: EvseSession, session_id: str, connector_id: int, started: SessionStarted
    ) -> None:
        one.session_id, one.connector_id = session_id, connector_id
        one.connected = started.reason is StartSessionReason.EVConnected
        if one.connected:
            self._present(found.transaction.evse_id, found.transaction.token)
        elif same_token(found.transaction.token, started.id_tag):
            self.forget(found.transaction.evse_id)
            self._stopped(found.transaction)

    def _present(self, evse_id: int, token: ProvidedIdToken | None) -> None:
        """Present the token of a transaction whose car is there; a car presents its contract itself."""
        if token is not None and token.authorization_type is not AuthorizationType.PlugAndCharge:
            again = msgspec.structs.replace(token, connectors=[evse_id], prevalidated=True)
            self._station.publish(publish(AuthTokenProvider.provided_token, again))

    def forget(self, evse_id: int) -> None:
        """Nothing waits at an EVSE any more."""
        self._waiting.pop(evse_id, None)
        self._station.stop(("resume", evse_id))

    def _lose(self, transaction: Transaction) -> None:
        self.forget(transaction.evse_id)
        self._left(transaction)

    def _give_up(self, transaction: Transaction) -> None:
        self.forget(transaction.evse_id)
        self._given_up(transaction)

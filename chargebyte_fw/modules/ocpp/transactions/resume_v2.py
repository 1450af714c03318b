"""Transactions that wait for their car: after a reset (B13), an interruption (E17), and unplugged at the EV (E10).

The stack ends its session with the process, or with the car, and begins another one when the car is there. The
transaction of OCPP stays: its token is presented again as one that is accepted already.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from typing import NamedTuple
from zlib import crc32

import msgspec

from chargebyte_fw.contracts.interfaces.auth_token_provider import AuthTokenProvider
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types.authorization import AuthorizationType, ProvidedIdToken
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum, SessionStarted, StartSessionReason
from chargebyte_fw.kernel.effects import call, publish
from chargebyte_fw.modules.ocpp.messages.v2.transactions import ChargingStateEnumType
from chargebyte_fw.modules.ocpp.station import Station
from chargebyte_fw.modules.ocpp.station.events import SessionEventReceived
from chargebyte_fw.modules.ocpp.transactions.evse_v2 import EvseSession, same_token
from chargebyte_fw.modules.ocpp.transactions.record_v2 import Transaction
from chargebyte_fw.modules.ocpp.transactions.tx_points import TxInput
from chargebyte_fw.modules.ocpp.variables.standard.transactions import (
    ALLOW_ENERGY_TRANSFER_RESUMPTION,
    ENERGY_TRANSFER_RESUMPTION_RANDOM_RANGE,
    EV_CONNECTION_TIME_OUT,
    RESUMPTION_TIMEOUT,
)
from chargebyte_fw.modules.ocpp.version import Version

WAIT_S = 300
"""How long a transaction waits for its car where `ResumptionTimeout` has no value."""
PRESENT_WITHIN_S = 30.0
"""How long after a start a car that is still plugged in may take to be noticed."""
Ended = Callable[[Transaction], None]
E, S = SessionEventEnum, ChargingStateEnumType


class Cause(Enum):
    """Why a transaction waits for its car."""

    RESET = auto()
    """The CSMS has ordered a reset (B13)."""
    INTERRUPTION = auto()
    """Power or software was away (E17)."""
    UNPLUGGED = auto()
    """The EV was unplugged (E10)."""


class Steps(NamedTuple):
    """What becomes of a transaction that waits."""

    resumed: Callable[[EvseSession, Transaction, Cause], None]
    """Its car is there."""
    stopped: Ended
    """Its driver has presented the token."""
    given_up: Callable[[Transaction, Cause], None]
    """Another car has come, or none in time after a reset."""
    left: Ended
    """The car that was unplugged has not come back."""
    absent: Ended
    """The car has left while the station was away."""


class _Waiting(msgspec.Struct):
    transaction: Transaction
    session_id: str
    """The session of the stack that is over, or is about to be."""
    cause: Cause


class Resumption:
    """Transactions that wait for their car, by EVSE."""

    def __init__(self, station: Station, steps: Steps) -> None:
        self._station = station
        self._steps = steps
        self._waiting: dict[int, _Waiting] = {}

    def timeout_s(self) -> int:
        """Return how long a reset may interrupt a transaction; 0: transactions do not outlive a reset."""
        found = self._station.variables.find(RESUMPTION_TIMEOUT)
        return WAIT_S if found is None else found

    def wait(self, transaction: Transaction) -> None:
        """Wait for the car of a transaction after a reset."""
        self._waiting[transaction.evse_id] = _Waiting(transaction, transaction.session, Cause.RESET)
        timer = ("resume", transaction.evse_id)
        self._station.start(timer, self._station.now + self.timeout_s(), lambda: self._give_up(transaction))

    def outlives_interruption(self, transaction: Transaction) -> bool:
        """Wait for the car of a transaction that power or software have left alone, if not for too long (E17, 2.1).

        The time is counted from when the transaction was last written down ([E17.FR.02]).
        """
        longest_s = self._station.variables.find(RESUMPTION_TIMEOUT) or 0
        away_s = (self._station.utc - (transaction.seen_at or transaction.started_at)).total_seconds()
        if self._station.version is not Version.V21 or longest_s == 0 or away_s > longest_s:
            return False
        self._waiting[transaction.evse_id] = _Waiting(transaction, transaction.session, Cause.INTERRUPTION)
        timer = ("resume", transaction.evse_id)
        self._station.start(
            timer, self._station.now + PRESENT_WITHIN_S, lambda: self._end_wait(self._steps.absent, transaction)
        )
        return True

    def holds_energy(self, transaction: Transaction, before: ChargingStateEnumType) -> bool:
        """Keep a car that goes on from charging; returns whether it is kept now. `before`: the state it was in.

        For good where that is not allowed ([E17.FR.12], [B13.FR.25]); otherwise for a while that differs from one
        transaction to the next, so that a street does not begin at once after an outage ([E17.FR.18]).
        """
        allowed = self._station.variables.find(ALLOW_ENERGY_TRANSFER_RESUMPTION) is not False
        range_s = self._station.variables.get(ENERGY_TRANSFER_RESUMPTION_RANDOM_RANGE)
        delay_s = crc32(transaction.transaction_id.encode()) % (range_s + 1)  # the ids are random
        concerned = (S.Charging,) if allowed else (S.Charging, S.SuspendedEV)
        if before not in concerned or (allowed and delay_s == 0):
            return False
        self._station.command(call(EvseManager.pause_charging), evse_id=transaction.evse_id)
        if allowed:
            resume = partial(self._station.command, call(EvseManager.resume_charging), evse_id=transaction.evse_id)
            self._station.start(("energy", transaction.transaction_id), self._station.now + delay_s, resume)
        return True

    def suspend(self, transaction: Transaction, session_id: str) -> None:
        """Wait for a car that was unplugged (E10): at a fixed cable for `EVConnectionTimeOut` ([E10.FR.02]).

        With 0, and at a socket, whose cable is the driver's, it takes as long as it takes.
        """
        self._waiting[transaction.evse_id] = _Waiting(transaction, session_id, Cause.UNPLUGGED)
        place = self._station.layout.find(transaction.evse_id, transaction.connector_id)
        has_socket = place is not None and place.kind is not None and place.kind.value.startswith("s")
        wait_s = self._station.variables.get(EV_CONNECTION_TIME_OUT)
        if wait_s > 0 and not has_socket:
            timer = ("resume", transaction.evse_id)
            self._station.start(
                timer, self._station.now + wait_s, lambda: self._end_wait(self._steps.left, transaction)
            )

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
                    self._steps.resumed(one, found.transaction, found.cause)
                    return True
                self._give_up(found.transaction)
                one.points.feed(TxInput.EV_CONNECTED, frozenset(), frozenset())
                one.state = S.EVConnected
                return False
            case E.SessionFinished if found.cause is not Cause.UNPLUGGED:
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
            self._steps.stopped(found.transaction)

    def _present(self, evse_id: int, token: ProvidedIdToken | None) -> None:
        """Present the token of a transaction whose car is there; a car presents its contract itself."""
        if token is not None and token.authorization_type is not AuthorizationType.PlugAndCharge:
            again = msgspec.structs.replace(token, connectors=[evse_id], prevalidated=True)
            self._station.publish(publish(AuthTokenProvider.provided_token, again))

    def forget(self, evse_id: int) -> None:
        """Nothing waits at an EVSE any more."""
        self._waiting.pop(evse_id, None)
        self._station.stop(("resume", evse_id))

    def _end_wait(self, step: Ended, transaction: Transaction) -> None:
        self.forget(transaction.evse_id)
        step(transaction)

    def _give_up(self, transaction: Transaction) -> None:
        cause = self._waiting[transaction.evse_id].cause
        self.forget(transaction.evse_id)
        self._steps.given_up(transaction, cause)

"""Sessions and transactions: ids, meter values and the events that report them."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec

from chargebyte_fw.contracts.types import evse_manager as types
from chargebyte_fw.contracts.types import units
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum, StartSessionReason
from chargebyte_fw.contracts.types.powermeter import Powermeter, TransactionRequestStatus, TransactionStopResponse
from chargebyte_fw.contracts.types.units_signed import SignedMeterValue
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.config import EvseConfig, SessionIdType
from chargebyte_fw.modules.evse.machine.effects import (
    LogLine,
    PublishSessionEvent,
    RaiseFault,
    SessionChanged,
    SetUpSession,
    StartMeter,
    StopMeter,
    StoreSessionId,
)
from chargebyte_fw.modules.evse.machine.events import MeterRead, MeterStarted, MeterStopped
from chargebyte_fw.modules.evse.machine.signals import (
    BeginSession,
    BeginTransaction,
    EndSession,
    EndTransaction,
    SessionEventDue,
    TransactionChanged,
)

Effects = list[Any]
OVER = "session is over"
"""Logged at the end of each session; `secc logs` finds the end by it."""


def session_id_from_uuid(kind: SessionIdType, uuid: str) -> str:
    """Write a random UUID as a session id: 36, 22 or 16 characters."""
    if kind is SessionIdType.UUID:
        return uuid
    data = UUID(uuid).bytes
    if kind is SessionIdType.SHORT_BASE64:
        data = data[:12]
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class SessionState(Enum):
    """Where the session is."""

    NoSession = "no session"
    Begun = "session without transaction"
    Starting = "meter starts the transaction"
    Running = "transaction runs"
    Ending = "meter ends the transaction"


READY = (SessionState.NoSession, SessionState.Begun, SessionState.Running)
ASKED = (SessionState.Starting, SessionState.Ending)
"""The meter was asked: what follows waits for its answer, so that events keep their order for billing."""
METER_FIELDS: dict[str, Callable[..., Any]] = {
    "charging_state_changed_event": types.ChargingStateChangedEvent,
    "authorization_event": types.AuthorizationEvent,
}
"""Fields of a session event that carry the meter's value."""


class Billed(msgspec.Struct):
    """One transaction at the meter."""

    beginning: BeginTransaction
    start_Wh: float = 0.0
    """The meter's reading at its start."""
    start_signed: SignedMeterValue | None = None
    ending: EndTransaction | None = None


class SessionMachine(Machine):
    """The session and its transaction."""

    initial = SessionState.NoSession

    def __init__(self, config: EvseConfig, new_uuid: Callable[[], str]) -> None:
        super().__init__()
        self._config = config
        self._new_uuid = new_uuid
        self.id = ""
        """Empty without a session."""
        self._meter = Powermeter(timestamp="", energy_Wh_import=units.Energy(total=0.0))
        """The last value; without a meter one without time, which the owner stamps."""
        self._billed: Billed | None = None
        self._postponed: deque[Any] = deque()

    @on(*SessionState, event=MeterRead)
    def meter_read(self, event: MeterRead, now: float) -> None:
        """Keep the meter's value for the events that carry it."""
        self._meter = event.value

    @on(*ASKED, event=SessionEventDue)
    @on(*ASKED, event=BeginSession)
    @on(*ASKED, event=EndSession)
    @on(*ASKED, event=BeginTransaction)
    @on(*ASKED, event=EndTransaction)
    def postpone(self, event: Any, now: float) -> None:
        """Wait for the meter's answer."""
        self._postponed.append(event)

    def _resume(self, now: float) -> Effects:
        effects: Effects = []
        while self._postponed and self.state in READY:
            effects += self.feed(self._postponed.popleft(), now)
        return effects

    @on(*READY, event=SessionEventDue)
    def note(self, event: SessionEventDue, now: float) -> Effects:
        """Publish a session event, with the meter's value where it has a field for it."""
        extra = dict(event.extra)
        if event.meter is not None:
            extra[event.meter] = METER_FIELDS[event.meter](meter_value=self._meter)
        effects: Effects = [PublishSessionEvent(event.event, self.id, extra)]
        if event.event is SessionEventEnum.Authorized:
            effects.insert(0, SetUpSession(external_only=True))
        return effects

    @on(SessionState.NoSession, event=BeginSession, to=SessionState.Begun)
    def begin_session(self, event: BeginSession, now: float) -> Effects:
        """Give the session an id, and begin its log."""
        self.id = session_id_from_uuid(self._config.session_id_type, self._new_uuid())
        reason = StartSessionReason.EVConnected if event.token is None else StartSessionReason.Authorized
        started = types.SessionStarted(
            reason=reason,
            meter_value=self._meter,
            id_tag=event.token,
            reservation_id=event.reservation_id,
        )
        return self.enter(
            SessionState.Begun,
            SetUpSession(external_only=event.token is not None),
            SessionChanged(self.id),
            LogLine(f"session begins: {reason.value}"),
            PublishSessionEvent(SessionEventEnum.SessionStarted, self.id, {"session_started": started}),
        )

    @on(SessionState.NoSession, event=EndSession)
    def no_session(self, _: EndSession, now: float) -> None:
        """There is none to end."""

    @on(SessionState.Begun, SessionState.Running, event=EndSession, to=SessionState.NoSession)
    def end_session(self, _: EndSession, now: float) -> Effects:
        """Report the end of the session; its log ends with it."""
        finished = types.SessionFinished(meter_value=self._meter)
        session_id, self.id = self.id, ""
        return self.enter(
            SessionState.NoSession,
            SetUpSession(external_only=False),
            PublishSessionEvent(SessionEventEnum.SessionFinished, session_id, {"session_finished": finished}),
            LogLine(OVER),
            SessionChanged(""),
        )

    @on(SessionState.Begun, event=BeginTransaction, to=SessionState.Starting)
    def begin_transaction(self, event: BeginTransaction, now: float) -> Effects:
        """Ask the meter to begin."""
        self._billed = Billed(event)
        return self.enter(SessionState.Starting, StartMeter(self.id, event.token, event.tariff_text))

    @on(SessionState.Starting, event=MeterStarted, to=(SessionState.Begun, SessionState.Running))
    def meter_started(self, event: MeterStarted, now: float) -> Effects:
        """The transaction runs, unless the meter has failed and must not."""
        assert self._billed is not None
        billed = self._billed
        answer = event.answer
        failed = answer is None or answer.status is TransactionRequestStatus.UNEXPECTED_ERROR
        if failed and self._config.fail_on_powermeter_errors:
            why = "no answer" if answer is None else answer.error or "no reason told"
            effects = self.enter(
                SessionState.Begun,
                LogLine(f"the meter did not start the transaction: {why}", "warning"),
                RaiseFault("PowermeterTransactionStartFailed", why, severity=Severity.Medium),
                TransactionChanged(False, True),
            )
            return effects + self._resume(now)
        billed.start_signed = answer.signed_meter_value if answer is not None else None
        billed.start_Wh = self._meter.energy_Wh_import.total
        started = types.TransactionStarted(
            id_tag=billed.beginning.token,
            meter_value=self._meter,
            signed_meter_value=billed.start_signed,
            reservation_id=billed.beginning.reservation_id,
        )
        effects = self.enter(
            SessionState.Running,
            StoreSessionId(self.id),
            PublishSessionEvent(SessionEventEnum.TransactionStarted, self.id, {"transaction_started": started}),
            LogLine("transaction begins"),
            TransactionChanged(True),
        )
        return effects + self._resume(now)

    @on(SessionState.Running, event=EndTransaction, to=SessionState.Ending)
    def end_transaction(self, event: EndTransaction, now: float) -> Effects:
        """Ask the meter to end."""
        assert self._billed is not None
        self._billed.ending = event
        return self.enter(SessionState.Ending, StopMeter(self.id))

    @on(SessionState.Ending, event=MeterStopped, to=SessionState.Begun)
    def meter_stopped(self, event: MeterStopped, now: float) -> Effects:
        """Report the end of the transaction, with the meter's signature where it has given one."""
        assert self._billed is not None and self._billed.ending is not None
        billed, ending, self._billed = self._billed, self._billed.ending, None
        answer = event.answer or TransactionStopResponse(status=TransactionRequestStatus.UNEXPECTED_ERROR)
        finished = types.TransactionFinished(
            meter_value=self._meter,
            start_signed_meter_value=answer.start_signed_meter_value or billed.start_signed,
            signed_meter_value=answer.signed_meter_value,
            reason=ending.reason,
            id_tag=ending.token,
        )
        end_Wh = self._meter.energy_Wh_import.total
        backwards = f"the meter counted backwards in this transaction: {billed.start_Wh:.0f} Wh, then {end_Wh:.0f} Wh"
        effects = self.enter(
            SessionState.Begun,
            StoreSessionId(""),
            *([LogLine(backwards, "warning")] if end_Wh < billed.start_Wh else []),
            PublishSessionEvent(SessionEventEnum.ChargingFinished, self.id, {}),
            PublishSessionEvent(SessionEventEnum.TransactionFinished, self.id, {"transaction_finished": finished}),
            LogLine(f"transaction is over: {ending.reason.value}, {end_Wh:.0f} Wh on the meter"),
            TransactionChanged(False),
        )
        return effects + self._resume(now)

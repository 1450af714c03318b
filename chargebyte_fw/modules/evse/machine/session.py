"""Sessions and transactions: ids, meter values and the events that tell of them."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable
from typing import Any
from uuid import UUID

from chargebyte_fw.contracts.types import evse_manager as types
from chargebyte_fw.contracts.types import units
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum, StartSessionReason
from chargebyte_fw.contracts.types.powermeter import Powermeter, TransactionRequestStatus, TransactionStopResponse
from chargebyte_fw.contracts.types.units_signed import SignedMeterValue
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.config import EvseConfig, SessionIdType
from chargebyte_fw.modules.evse.machine.effects import (
    Keep,
    Raise,
    Say,
    SessionIs,
    SetUpSession,
    StartMeter,
    StopMeter,
    Tell,
)
from chargebyte_fw.modules.evse.machine.events import Charging, MeterRead, MeterStarted, MeterStopped
from chargebyte_fw.modules.evse.machine.signals import (
    BeginSession,
    BeginTransaction,
    EndSession,
    EndTransaction,
    Note,
    TransactionIs,
)

Effects = list[Any]


def session_id_from_uuid(kind: SessionIdType, uuid: str) -> str:
    """Write a random UUID as a session id: 36, 22 or 16 characters."""
    if kind is SessionIdType.UUID:
        return uuid
    data = UUID(uuid).bytes
    if kind is SessionIdType.SHORT_BASE64:
        data = data[:12]
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Session(Machine):
    """The session and its transaction; while the meter has not answered, what follows waits."""

    def __init__(
        self, config: EvseConfig, new_uuid: Callable[[], str], *, logging_path: Callable[[str], str | None]
    ) -> None:
        super().__init__(Charging.Idle)
        self._config = config
        self._new_uuid = new_uuid
        self._logging_path = logging_path
        self.id = ""
        self.reservation_id: int | None = None
        self.meter = Powermeter(timestamp="", energy_Wh_import=units.Energy(total=0.0))
        """The last value; without a meter one without time, which the owner stamps."""
        self._token: Any = None
        self._start_signed: SignedMeterValue | None = None
        self._start_Wh = 0.0
        """The meter's reading at the start of the transaction."""
        self._ending: EndTransaction | None = None
        self._busy = False
        self._waiting: deque[Any] = deque()

    def feed(self, event: Any, now: float) -> list[Any]:
        """Take an event; while the meter is asked, keep it for later, except the meter's own."""
        if self._busy and not isinstance(event, MeterRead | MeterStarted | MeterStopped):
            self._waiting.append(event)
            return []
        effects = super().feed(event, now)
        while self._waiting and not self._busy:
            effects += super().feed(self._waiting.popleft(), now)
        return effects

    @on(event=MeterRead)
    def meter_read(self, event: MeterRead, now: float) -> Effects:
        self.meter = event.value
        return []

    @on(event=Note)
    def note(self, event: Note, now: float) -> Effects:
        extra = dict(event.extra)
        if event.meter is not None:
            kinds = {
                "charging_state_changed_event": types.ChargingStateChangedEvent,
                "authorization_event": types.AuthorizationEvent,
            }
            extra[event.meter] = kinds[event.meter](meter_value=self.meter)
        effects: Effects = [Tell(event.event, self.id, extra)]
        if event.event is SessionEventEnum.Authorized:
            effects.insert(0, SetUpSession(external_only=True))
        return effects

    @on(event=BeginSession)
    def begin_session(self, event: BeginSession, now: float) -> Effects:
        self.id = session_id_from_uuid(self._config.session_id_type, self._new_uuid())
        reason = StartSessionReason.EVConnected if event.token is None else StartSessionReason.Authorized
        started = types.SessionStarted(
            reason=reason,
            meter_value=self.meter,
            id_tag=event.token,
            reservation_id=self.reservation_id,
            logging_path=self._logging_path(self.id),
        )
        return [
            SetUpSession(external_only=event.token is not None),
            SessionIs(self.id),
            Say(f"session begins: {reason.value}"),
            Tell(SessionEventEnum.SessionStarted, self.id, {"session_started": started}),
        ]

    @on(event=EndSession)
    def end_session(self, _: EndSession, now: float) -> Effects:
        if not self.id:
            return []
        finished = types.SessionFinished(meter_value=self.meter)
        effects: Effects = [
            SetUpSession(external_only=False),
            Tell(SessionEventEnum.SessionFinished, self.id, {"session_finished": finished}),
            Say("session is over"),
            SessionIs(""),
        ]
        self.id = ""
        self.reservation_id = None
        return effects

    @on(event=BeginTransaction)
    def begin_transaction(self, event: BeginTransaction, now: float) -> Effects:
        self._busy = True
        self._token = event.token
        return [StartMeter(self.id, event.token, event.tariff_text)]

    @on(event=MeterStarted)
    def meter_started(self, event: MeterStarted, now: float) -> Effects:
        self._busy = False
        answer = event.answer
        failed = answer is None or answer.status is TransactionRequestStatus.UNEXPECTED_ERROR
        if failed and self._config.fail_on_powermeter_errors:
            why = "no answer" if answer is None else answer.error or "no reason told"
            fault = Raise("PowermeterTransactionStartFailed", why, severity=Severity.Medium)
            return [
                Say(f"the meter did not start the transaction: {why}", "warning"),
                fault,
                TransactionIs(False, True),
            ]
        self._start_signed = answer.signed_meter_value if answer is not None else None
        self._start_Wh = self.meter.energy_Wh_import.total
        started = types.TransactionStarted(
            id_tag=self._token,
            meter_value=self.meter,
            signed_meter_value=self._start_signed,
            reservation_id=self.reservation_id,
        )
        self.reservation_id = None
        return [
            Keep(self.id),
            Tell(SessionEventEnum.TransactionStarted, self.id, {"transaction_started": started}),
            Say("transaction begins"),
            TransactionIs(True),
        ]

    @on(event=EndTransaction)
    def end_transaction(self, event: EndTransaction, now: float) -> Effects:
        self._busy = True
        self._ending = event
        return [StopMeter(self.id)]

    @on(event=MeterStopped)
    def meter_stopped(self, event: MeterStopped, now: float) -> Effects:
        self._busy = False
        ending, self._ending = self._ending, None
        if ending is None:
            return []
        answer = event.answer or TransactionStopResponse(status=TransactionRequestStatus.UNEXPECTED_ERROR)
        finished = types.TransactionFinished(
            meter_value=self.meter,
            start_signed_meter_value=answer.start_signed_meter_value or self._start_signed,
            signed_meter_value=answer.signed_meter_value,
            reason=ending.reason,
            id_tag=ending.token,
        )
        self._start_signed = None
        end_Wh = self.meter.energy_Wh_import.total
        backwards = f"the meter counted backwards in this transaction: {self._start_Wh:.0f} Wh, then {end_Wh:.0f} Wh"
        return [
            Keep(""),
            *([Say(backwards, "warning")] if end_Wh < self._start_Wh else []),
            Tell(SessionEventEnum.ChargingFinished, self.id, {}),
            Tell(SessionEventEnum.TransactionFinished, self.id, {"transaction_finished": finished}),
            Say(f"transaction is over: {ending.reason.value}, {end_Wh:.0f} Wh on the meter"),
            TransactionIs(False),
        ]

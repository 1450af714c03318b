"""Authorization and transaction at the charging state machine."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum, StopTransactionReason
from chargebyte_fw.contracts.types.iso15118 import EvseError
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.kernel.machine import on
from chargebyte_fw.modules.evse.machine.effects import RaiseFault
from chargebyte_fw.modules.evse.machine.events import (
    Authorized,
    AvailabilityChanged,
    Cancel,
    Charging,
    UserPause,
    Withdrawn,
)
from chargebyte_fw.modules.evse.machine.facts import Availability, StopOrder, Transaction, TransactionState
from chargebyte_fw.modules.evse.machine.orders import ChargingOrders
from chargebyte_fw.modules.evse.machine.signals import (
    BeginSession,
    LockAuthorized,
    SessionEventDue,
    TransactionChanged,
)

BEFORE_TRANSACTION = (Charging.Disabled, Charging.Idle, Charging.WaitingForAuthentication)
STEPS = (Charging.TStepEF, Charging.TStepX1)
AUTHORIZABLE = (Charging.Idle, Charging.WaitingForAuthentication, *STEPS)


class TransactionRows(ChargingOrders):
    """Rows that concern who pays, and what is ordered for the transaction."""

    @on(event=Authorized)
    def authorize(self, event: Authorized, now: float) -> None:
        """Take an authorization, if the session has none."""
        facts = self.facts
        session, transaction = facts.session, facts.transaction
        if self.state not in AUTHORIZABLE or facts.disabled or transaction.cancelled:
            return
        if session.authorization is not None or transaction.state is TransactionState.Starting:
            # The meter may still start a transaction for an authorization that was withdrawn: that one ends first.
            return
        if not transaction.active:
            facts.transaction = Transaction()
        if not session.begun:
            session.begun = True
            self.emit(BeginSession(event.token, event.reservation_id))
        session.authorization, session.authorized_s = event, now
        self.emit(LockAuthorized(True))
        self.note(SessionEventEnum.Authorized, "authorization_event")
        self.info(f"authorized by {event.token.authorization_type.value}")

    @on(event=Withdrawn)
    def withdraw(self, _: Withdrawn, now: float) -> None:
        """The authorization ends; a transaction that is under way ends like one that was stopped."""
        facts = self.facts
        session, transaction = facts.session, facts.transaction
        if session.begun and session.authorization is not None:
            self.note(SessionEventEnum.Deauthorized, "authorization_event")
        step = self.state in STEPS and not transaction.active
        if self.state not in BEFORE_TRANSACTION and not step:
            return
        if session.authorization is None:
            self._authorization_timed_out()
            return
        if transaction.begun:
            # The transaction is under way: it ends like one that was stopped.
            transaction.stop = StopOrder(StopTransactionReason.DeAuthorized)
        session.authorization = None
        self.emit(LockAuthorized(False))
        if self.state is Charging.Idle or not facts.plug_in.plugged:
            self.end_session()

    def _authorization_timed_out(self) -> None:
        self.note(SessionEventEnum.PluginTimeout)
        self.info("no authorization in time")
        if self.config.raise_mrec9:
            self.emit(RaiseFault("MREC9AuthorizationTimeout", "no authorization within the connection timeout"))

    @on(event=TransactionChanged)
    def transaction_changed(self, event: TransactionChanged, now: float) -> None:
        """The meter has begun or ended the transaction."""
        self.facts.transaction.state = TransactionState.Running if event.active else TransactionState.Over

    @on(event=Cancel)
    def cancel(self, event: Cancel, now: float) -> None:
        """End the transaction for good."""
        facts = self.facts
        transaction = facts.transaction
        if not transaction.begun or transaction.state is TransactionState.Ending:
            return
        transaction.stop, transaction.cancelled = StopOrder(event.reason, event.token), True
        facts.session.authorization = None
        self.emit(LockAuthorized(False))
        self.info(f"transaction is stopped: {event.reason.value}")
        if event.reason is StopTransactionReason.EmergencyStop:
            self.hlc(call(Iso15118Charger.send_error, EvseError.Error_EmergencyShutdown))
        elif event.reason is StopTransactionReason.PowerLoss:
            self.hlc(call(Iso15118Charger.send_error, EvseError.Error_UtilityInterruptEvent))

    @on(event=UserPause)
    def pause(self, event: UserPause, now: float) -> None:
        """The user pauses or goes on."""
        if self.facts.transaction.begun:
            self.facts.transaction.paused_by_user = event.pause

    @on(event=AvailabilityChanged)
    def availability(self, event: AvailabilityChanged, now: float) -> None:
        """The EVSE is put into or out of service."""
        facts, transaction = self.facts, self.facts.transaction
        was_disabled = facts.disabled
        disabled = not (event.enabled and event.connector_enabled)
        facts.hardware.availability = Availability(disabled, event.source, event.connector_id)
        if event.enabled:
            stopped = transaction.stop is not None and transaction.stop.reason is StopTransactionReason.EVSEDisabled
            if not disabled and stopped and transaction.state is not TransactionState.Ending:
                transaction.stop = None
            self.emit(
                SessionEventDue(SessionEventEnum.Enabled, {"source": event.source, "connector_id": event.connector_id})
            )
        elif not was_disabled and transaction.begun:
            transaction.stop = StopOrder(StopTransactionReason.EVSEDisabled)
        if was_disabled and not disabled:
            self.emit(call(EvseBoardSupport.enable, True))

"""Where a session begins and ends: Disabled, Idle, Finished."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum, StopTransactionReason
from chargebyte_fw.contracts.types.slac import State as SlacState
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import ClearFault
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.facts import (
    Facts,
    HlcLink,
    IdleStay,
    Preparation,
    Session,
    Stop,
    StopOrder,
    Transaction,
    TransactionState,
)
from chargebyte_fw.modules.evse.machine.orders import ChargingOrders, ChargingState
from chargebyte_fw.modules.evse.machine.signals import EndTransaction, SessionEventDue, SupplyOff


class Disabled(ChargingState):
    """Out of service: state F."""

    to = (Charging.Idle,)

    def enter(self, machine: ChargingOrders, now: float) -> None:
        """Show F and report it."""
        availability = machine.facts.hardware.availability
        machine.show_f()
        machine.forbid_power()
        machine.emit(call(EvseBoardSupport.enable, False))
        extra = {"source": availability.source, "connector_id": availability.connector_id}
        machine.emit(SessionEventDue(SessionEventEnum.Disabled, extra))

    def next(self, machine: ChargingOrders, now: float) -> Charging | None:
        """Leave when enabled again."""
        return None if machine.facts.disabled else Charging.Idle


class Idle(ChargingState):
    """No session with an EV; a fault is shown as state F, once no EV is known to be plugged in."""

    to = (Charging.Disabled, Charging.WaitingForAuthentication)

    def enter(self, machine: ChargingOrders, now: float) -> None:
        """Forget everything about the last EV; our own faults end with it."""
        facts = machine.facts
        facts.idle = IdleStay()
        facts.session, facts.transaction = Session(), Transaction()
        facts.link = HlcLink(matching_seen=facts.hardware.slac is not SlacState.UNMATCHED)
        facts.preparation, facts.stop = Preparation(), Stop()
        machine.emit(ClearFault(""))
        self._show(machine)

    def next(self, machine: ChargingOrders, now: float) -> Charging | None:
        """An EV that is plugged in begins a session, unless a fault is active."""
        facts = machine.facts
        if facts.disabled:
            if facts.session.begun:
                machine.end_session()
            return Charging.Disabled
        self._show(machine)
        hardware = facts.hardware
        if not facts.plug_in.plugged or not hardware.plug_watched or facts.fatal or not hardware.started:
            return None
        if hardware.contactors_closed:
            # Without an order that may be a welded one: no EV is served through it.
            self._wait_for_contactor(machine, now)
            return None
        return Charging.WaitingForAuthentication

    @staticmethod
    def _wait_for_contactor(machine: ChargingOrders, now: float) -> None:
        stay = machine.facts.idle
        warn_s = machine.entered_s + timing.CONTACTOR_AFTER_UNPLUG_S
        if now < warn_s:
            machine.look_again(warn_s)
        elif not stay.closed_contactor_logged:
            stay.closed_contactor_logged = True
            machine.warn(
                "an EV is plugged in, but the contactors are reported closed: it has to wait until they are open"
            )

    @staticmethod
    def _show(machine: ChargingOrders) -> None:
        facts = machine.facts
        if not facts.hardware.started:
            return
        if not facts.fatal or facts.plug_in.plugged:
            # State F would hide the unplug of an EV whose session ended unseen, and a trip that waits for it.
            machine.show_x1()
        else:
            machine.show_f()


class Finished(ChargingState):
    """Charging is over for this plug-in: wait for the unplug."""

    to = (Charging.Idle, Charging.Disabled)

    def enter(self, machine: ChargingOrders, now: float) -> None:
        """End the transaction; no power."""
        self._end_transaction(machine)
        machine.emit(SupplyOff())
        machine.forbid_power()

    @staticmethod
    def _end_transaction(machine: ChargingOrders) -> None:
        facts = machine.facts
        transaction = facts.transaction
        if transaction.state is TransactionState.Running:
            transaction.state = TransactionState.Ending
            other = StopTransactionReason.EVDisconnected if facts.gone else StopTransactionReason.Other
            stop = transaction.stop or StopOrder(other)
            machine.emit(EndTransaction(stop.reason, stop.token))

    def next(self, machine: ChargingOrders, now: float) -> Charging | None:
        """The session ends with the unplug, once the meter has reported its last value."""
        self._end_transaction(machine)
        facts = machine.facts
        if facts.transaction.begun or not (facts.gone or facts.disabled or _was_disabled(facts)):
            return None
        machine.end_session()
        return Charging.Disabled if facts.disabled else Charging.Idle


def _was_disabled(facts: Facts) -> bool:
    """Whether it was enabled again before the meter had answered: the EV still plugged in may begin anew."""
    stop = facts.transaction.stop
    return stop is not None and stop.reason is StopTransactionReason.EVSEDisabled

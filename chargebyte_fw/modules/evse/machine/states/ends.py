"""Where a session begins and ends: Disabled, Idle, Finished."""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum, StopTransactionReason
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.context import Context
from chargebyte_fw.modules.evse.machine.effects import Call, Clear
from chargebyte_fw.modules.evse.machine.events import Charging, Shutdown
from chargebyte_fw.modules.evse.machine.signals import EndSession, EndTransaction, Note, SupplyOff
from chargebyte_fw.modules.evse.machine.states.state import Phase


class Disabled(Phase):
    """Out of service: state F."""

    def enter(self, c: Context, now: float) -> None:
        """Show F and tell so."""
        c.show_f()
        c.forbid_power()
        c.say(Call("bsp", "enable", (False,)))
        c.say(Note(SessionEventEnum.Disabled, {"source": c.source, "connector_id": c.source_connector}))

    def run(self, c: Context, now: float) -> Charging | None:
        """Leave when enabled again."""
        return None if c.disabled else Charging.Idle


class Idle(Phase):
    """No EV; a fault is shown as state F, once no EV is known to be plugged in."""

    def enter(self, c: Context, now: float) -> None:
        """Forget the last EV; a re-plug clears our own faults."""
        c.reset_for_next_car()
        c.say(Clear(""))
        self._show(c)

    def run(self, c: Context, now: float) -> Charging | None:
        """An EV that is plugged in begins a session, unless a fault is active."""
        if c.disabled:
            if c.session:
                c.session = False
                c.authorized = None
                c.say(EndSession())
            return Charging.Disabled
        self._show(c)
        if not c.plugged or not c.watched or c.fatal or not c.begun:
            return None
        if c.contactor_closed:
            # Without our word that may be a welded one: no EV is served through it.
            self._wait_for_contactor(c, now)
            return None
        return Charging.WaitingForAuthentication

    @staticmethod
    def _wait_for_contactor(c: Context, now: float) -> None:
        warn_s = c.entered_s + timing.CONTACTOR_AFTER_UNPLUG_S
        if now < warn_s:
            c.wait(warn_s)
        elif not c.warned_contactor:
            c.warned_contactor = True
            c.warn("an EV is plugged in, but the contactors are reported closed: it has to wait until they are open")

    @staticmethod
    def _show(c: Context) -> None:
        if not c.begun:
            return
        if c.shutdown is Shutdown.Nothing or c.plugged:
            # State F would hide the unplug of an EV whose session ended unseen, and a trip that waits for it.
            c.show_x1()
        else:
            c.show_f()


class Finished(Phase):
    """Charging is over for this plug-in: wait for the unplug."""

    def enter(self, c: Context, now: float) -> None:
        """End the transaction; no power."""
        self._end_transaction(c)
        c.say(SupplyOff())
        c.forbid_power()

    @staticmethod
    def _end_transaction(c: Context) -> None:
        if c.transaction and not c.transaction_ending:
            c.transaction_ending = True
            reason = StopTransactionReason.EVDisconnected if c.gone else StopTransactionReason.Other
            c.say(EndTransaction(c.stop_reason or reason, c.stop_token))

    def run(self, c: Context, now: float) -> Charging | None:
        """The session ends with the unplug, once the meter has told its last value."""
        self._end_transaction(c)
        # Enabled again before the meter has answered: the EV that is still plugged in may begin anew all the same.
        disabled = c.disabled or c.stop_reason is StopTransactionReason.EVSEDisabled
        if c.transaction or c.transaction_pending or not (c.gone or disabled):
            return None
        c.session = False
        c.authorized = None
        c.say(EndSession())
        return Charging.Disabled if c.disabled else Charging.Idle

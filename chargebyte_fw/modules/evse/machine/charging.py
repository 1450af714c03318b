"""The charging kernel: keeps the facts, and lets the phases look at them until none wants to move."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum, StopTransactionReason
from chargebyte_fw.contracts.types.iso15118 import EvseError
from chargebyte_fw.kernel.machine import Machine, Timeout, on
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.context import Context, Wiring
from chargebyte_fw.modules.evse.machine.effects import AskEnergy, Call, CancelReservation, LimitsChanged, Log, Raise
from chargebyte_fw.modules.evse.machine.events import (
    Authorized,
    Begin,
    Budget,
    BudgetOver,
    CableLimit,
    Cancel,
    Charging,
    Contactor,
    Enabling,
    EvIdentified,
    FaultSeen,
    PhasesWanted,
    Shutdown,
    SupplyTold,
    UserPause,
    Withdrawn,
)
from chargebyte_fw.modules.evse.machine.hlc import HlcLink
from chargebyte_fw.modules.evse.machine.signals import (
    BeginSession,
    CarLost,
    CarPluggedIn,
    CarRequests,
    CarUnplugged,
    EndSession,
    EvProven,
    LockAuthorized,
    Note,
    PlugUnwatched,
    PlugWatched,
    ShowX1,
    ShutdownIs,
    StateIs,
    SupplyOff,
    TransactionIs,
)
from chargebyte_fw.modules.evse.machine.states import PHASES

BEFORE_TRANSACTION = (Charging.Disabled, Charging.Idle, Charging.WaitingForAuthentication)
LIVE = (Charging.PrepareCharging, Charging.Charging, Charging.StoppingCharging)
"""States in which the contactors may be closed."""
EMERGENCY_STOP = "evse_board_support/MREC8EmergencyStop"
DIODE_FAULT = "evse_board_support/DiodeFault"
MAX_PASSES = 10


class Charger(HlcLink, Machine):
    """States of EVerest's EVSE manager. Rows only set facts; `PHASES` draw the conclusions."""

    def __init__(self, config: EvseConfig, wiring: Wiring) -> None:
        super().__init__(Charging.Idle)
        self.c = Context(config, wiring)
        self._limits: tuple[float, int] = (0.0, 0)

    def feed(self, event: Any, now: float) -> list[Any]:
        """Take a fact, then look."""
        c = self.c
        c.effects = []
        super().feed(event, now)
        self._resolve_doubt(now)
        self._age_of_doubt(now)
        if c.allowance.age(now):
            c.warn("the energy budget was not renewed in time: 0 A")
            c.say(BudgetOver())
        self._settle(now)
        return c.effects

    def _settle(self, now: float) -> None:
        c = self.c
        for passes in range(100):
            c.due_s = []
            self._track_asking(now)
            state = PHASES[self.state].run(c, now)
            if state is None or state is self.state:
                break
            if passes == MAX_PASSES:
                c.warn(f"the charging state does not settle ({self.state.value} to {state.value})")
            self._go(state, now)
        self._tell_limits()
        self._tell_energy(now)
        budget = c.allowance.budget
        if budget is not None and not c.allowance.expired:
            c.wait(budget.until_s + 1.0)
        self._wait_for_doubt(now)
        self.deadline = min(c.due_s, default=None)

    def _go(self, state: Charging, now: float) -> None:
        c = self.c
        if state is Charging.StoppingCharging:
            c.say(Log(f"Stop in {self.state.name}: [{', '.join(c.why_stop())}]"))
        c.before, self.state, c.entered_s = self.state, state, now
        c.say(StateIs(state))
        PHASES[state].enter(c, now)
        if state is Charging.Finished:
            c.say(AskEnergy())

    def _track_asking(self, now: float) -> None:
        """Note since when energy is asked for, and ask at once where nothing was asked before."""
        c = self.c
        if not c.asks_energy(self.state):
            c.asking_since_s = None
        elif c.asking_since_s is None:
            c.asking_since_s = now
            if c.config.request_zero_power_in_idle and self.state is not Charging.WaitingForAuthentication:
                c.say(AskEnergy())

    def _tell_energy(self, now: float) -> None:
        """One line when there is no energy for an EV that may charge, with the limit that rules; one when there is."""
        c = self.c
        missing = not c.power and not c.over and c.asks_energy(self.state)
        if not missing:
            c.no_energy_s = None
            if c.power and c.no_energy_told:
                c.no_energy_told = False
                c.info("there is energy again")
            return
        if c.no_energy_s is None:
            c.no_energy_s = now
        say_s = c.no_energy_s + timing.NO_ENERGY_S
        if c.no_energy_told:
            return
        if now < say_s:
            c.wait(say_s)
            return
        c.no_energy_told = True
        c.warn(f"no energy to charge with: {c.allowance.why_none}")

    def _tell_limits(self) -> None:
        c = self.c
        limits = (c.allowance.current_A, c.allowance.budget.phases if c.allowance.budget else 3)
        if limits != self._limits:
            if limits[0] != self._limits[0]:
                c.say(Call("bsp", "ac_set_overcurrent_limit_A", (limits[0],)))
            self._limits = limits
            c.say(LimitsChanged(*limits))

    @on(event=Timeout)
    def timeout(self, _: Timeout, now: float) -> None:
        """Time passes; the phases see it."""

    @on(event=Begin)
    def begin(self, _: Begin, now: float) -> None:
        c = self.c
        c.begun = True
        c.entered_s = now
        c.say(AskEnergy())

    # The plug: what belongs to one plug-in ends with it, also where the unplug cannot be seen.

    def _age_of_doubt(self, now: float) -> None:
        c = self.c
        if c.unwatched_s is not None and now >= c.unwatched_s + timing.PLUG_UNWATCHED_S and c.plugged:
            c.leave(now, f"the pilot has not shown the plug for {timing.PLUG_UNWATCHED_S:g} s")
        if c.proof_until_s is not None and self.state is Charging.ChargingPausedEVSE:
            # A pause of ours does not let the EV speak; nothing flows meanwhile.
            c.proof_until_s = now + timing.EV_PROOF_S
        elif c.proof_until_s is not None and now >= c.proof_until_s:
            c.leave(now, "the EV does not prove that it is still the same one")

    def _wait_for_doubt(self, now: float) -> None:
        c = self.c
        if not c.session or c.left:
            return
        if c.plugged and c.unwatched_s is not None:
            c.wait(c.unwatched_s + timing.PLUG_UNWATCHED_S)
        if c.proof_until_s is not None and self.state is not Charging.ChargingPausedEVSE:
            c.wait(c.proof_until_s)
        if c.doubt and now < c.calm_s:
            c.wait(c.calm_s)

    @on(event=PlugUnwatched)
    def unwatched(self, _: PlugUnwatched, now: float) -> None:
        self.c.watched = False
        self.c.unwatched_s = now

    @on(event=PlugWatched)
    def watched(self, event: PlugWatched, now: float) -> None:
        c = self.c
        c.watched, c.unwatched_s = True, None
        if c.session and (event.doubt or c.plugged):
            # After a state F of our own the EV need not name itself again, but if it does, by the same name.
            c.doubt = c.doubt or event.doubt
            c.ids_before, c.ids = c.ids_before | c.ids, {}

    def _resolve_doubt(self, now: float) -> None:
        """Once nothing blocks any more: an EV with a data link has to say who it is, any other session ends."""
        c = self.c
        if not c.doubt or c.fatal or not c.watched or c.left or c.ev_failed or now < c.calm_s:
            return
        c.doubt = False
        known = c.ids.keys() & c.ids_before.keys()
        if not c.ids_before or not (c.dc or c.five):
            c.leave(now, "the plug was not watched for a while")
        elif any(c.ids[by] != c.ids_before[by] for by in known):
            c.leave(now, "another EV is plugged in")
        elif known:
            c.proof_until_s = None
            c.ids_before = {}
            c.say(EvProven())
        elif c.proof_until_s is None:
            c.proof_until_s = now + timing.EV_PROOF_S

    @on(event=EvIdentified)
    def identified(self, event: EvIdentified, now: float) -> None:
        c = self.c
        c.ids[event.by] = event.mac
        if event.by not in c.ids_before:
            return
        if c.proof_until_s is not None or c.ids_before[event.by] != event.mac:
            c.doubt = True

    @on(event=FaultSeen)
    def fault_seen(self, event: FaultSeen, now: float) -> None:
        c = self.c
        if not c.session:
            return
        if event.type == EMERGENCY_STOP:
            c.emergency_stop = True
        if event.type == DIODE_FAULT and not c.ev_failed:
            # The duty cycle would bring the fault back at once.
            c.ev_failed = True
            c.info("the EV's diode has failed: no charging until it was unplugged")

    # The pilot and the contactors.

    @on(event=CarPluggedIn)
    def plugged_in(self, _: CarPluggedIn, now: float) -> None:
        self.c.plugged = True
        if self.state is Charging.Idle and not self.c.fatal:
            self.c.info("EV plugged in")

    @on(event=CarUnplugged)
    def unplugged(self, _: CarUnplugged, now: float) -> None:
        c = self.c
        c.plugged = c.requests = c.cp_shorted = False
        c.ids, c.proof_until_s, c.doubt = {}, None, False
        if self.state not in (Charging.Idle, Charging.Disabled):
            c.left_s = now if c.left_s is None else c.left_s
            c.left = True
            c.info("EV unplugged")
        c.say(SupplyOff(at_once=True))
        c.forbid_power()
        self.link_unplugged()

    @on(event=CarRequests)
    def requests(self, event: CarRequests, now: float) -> None:
        c = self.c
        was, c.requests = c.requests, event.power
        if self.state in (Charging.ChargingPausedEV, Charging.StoppingCharging) and was is not event.power:
            c.bcb.edge(event.power, now)
        if not event.power and c.dc and self.state in LIVE:
            # State B while the power path may be live: take the power away before the contactors open.
            c.say(SupplyOff(at_once=True))

    @on(event=CarLost)
    def car_lost(self, event: CarLost, now: float) -> None:
        if event.shorted and self.state is Charging.Charging:
            self.c.requests = False
            self.c.say(SupplyOff(at_once=True))
            self.c.forbid_power()
        self.link_car_lost()

    @on(event=Contactor)
    def contactor(self, event: Contactor, now: float) -> None:
        c = self.c
        was, c.contactor_closed = c.contactor_closed, event.closed
        self.link_contactor(event.closed, now)
        c.hlc("ac_contactor_closed", event.closed)
        if was and not event.closed and c.dc:
            # Whoever opened them: nothing may stay live on our side.
            c.say(SupplyOff(at_once=True))

    @on(event=CableLimit)
    def cable(self, event: CableLimit, now: float) -> None:
        self.c.allowance.cable_A = event.limit_A

    # Energy.

    @on(event=Budget)
    def budget(self, event: Budget, now: float) -> None:
        self.c.allowance.take(event)

    @on(event=SupplyTold)
    def supply(self, _: SupplyTold, now: float) -> None:
        if self.c.supply_s is None:
            self.c.supply_s = now

    @on(event=PhasesWanted)
    def phases(self, event: PhasesWanted, now: float) -> None:
        c = self.c
        if self.state is Charging.SwitchPhases:
            c.switch_to_three = event.three
        elif self.state is Charging.Charging and not c.hlc_leads:
            c.switch_to_three = event.three
            self._go(Charging.SwitchPhases, now)
        elif self.state is not Charging.Charging:
            c.say(Call("bsp", "ac_switch_three_phases_while_charging", (event.three,)))

    def can_switch_phases(self) -> bool:
        """Phases are not switched under HLC while charging."""
        return not (self.state is Charging.Charging and self.c.hlc_leads)

    # Authorization and transaction.

    @on(event=Authorized)
    def authorize(self, event: Authorized, now: float) -> None:
        c = self.c
        if c.cancelled or c.disabled or c.authorized is not None or self.state is Charging.Disabled:
            return
        if self.state not in (Charging.Idle, Charging.WaitingForAuthentication, Charging.TStepEF, Charging.TStepX1):
            return
        if c.transaction_pending:
            # The meter is still starting one for an authorization that was withdrawn: that one ends first.
            return
        c.stop_reason = c.stop_token = None
        if not c.session:
            c.session = True
            c.say(BeginSession(event.token))
        c.authorized, c.authorized_s = event, now
        c.transaction_asked = c.transaction
        c.say(LockAuthorized(True))
        c.note(SessionEventEnum.Authorized, "authorization_event")
        c.info(f"authorized by {event.token.authorization_type.value}")

    @on(event=Withdrawn)
    def withdraw(self, _: Withdrawn, now: float) -> None:
        c = self.c
        if c.session and c.authorized is not None:
            c.note(SessionEventEnum.Deauthorized, "authorization_event")
        step = self.state in (Charging.TStepEF, Charging.TStepX1) and not c.transaction
        if self.state not in BEFORE_TRANSACTION and not step:
            return
        if c.authorized is None:
            c.note(SessionEventEnum.PluginTimeout)
            c.info("nobody authorized in time")
            if c.config.raise_mrec9:
                c.say(Raise("MREC9AuthorizationTimeout", "nobody authorized within the connection timeout"))
            return
        if c.transaction_begun:
            # The transaction is under way: it ends like one that was stopped.
            c.stop_reason = StopTransactionReason.DeAuthorized
        c.authorized = None
        c.say(LockAuthorized(False))
        if self.state is Charging.Idle or not c.plugged:
            c.session = False
            c.say(EndSession())

    @on(event=TransactionIs)
    def transaction_is(self, event: TransactionIs, now: float) -> None:
        c = self.c
        c.transaction_pending = False
        c.transaction = event.active
        if not event.active:
            c.transaction_ending = False

    @on(event=Cancel)
    def cancel(self, event: Cancel, now: float) -> None:
        c = self.c
        if not c.transaction_begun or c.transaction_ending:
            return
        c.stop_reason, c.stop_token = event.reason, event.token
        c.authorized = None
        c.cancelled = True
        c.say(LockAuthorized(False))
        c.info(f"transaction is stopped: {event.reason.value}")
        if event.reason is StopTransactionReason.EmergencyStop:
            c.hlc("send_error", EvseError.Error_EmergencyShutdown)
        elif event.reason is StopTransactionReason.PowerLoss:
            c.hlc("send_error", EvseError.Error_UtilityInterruptEvent)

    @on(event=UserPause)
    def pause(self, event: UserPause, now: float) -> None:
        if self.c.transaction_begun:
            self.c.user_pause = event.pause

    @on(event=Enabling)
    def enabling(self, event: Enabling, now: float) -> None:
        c = self.c
        was = c.disabled
        c.source, c.source_connector = event.source, event.connector_id
        if event.enabled:
            c.disabled = not event.connector_enabled
            if not c.disabled and c.stop_reason is StopTransactionReason.EVSEDisabled and not c.transaction_ending:
                c.stop_reason = None
            c.say(Note(SessionEventEnum.Enabled, {"source": event.source, "connector_id": event.connector_id}))
        else:
            c.disabled = True
            if not was and c.transaction_begun:
                c.stop_reason = StopTransactionReason.EVSEDisabled
        if was and not c.disabled:
            c.say(Call("bsp", "enable", (True,)))

    # Faults.

    @on(event=ShutdownIs)
    def shutdown(self, event: ShutdownIs, now: float) -> None:
        c = self.c
        worse = event.kind.value > c.shutdown.value
        c.shutdown = event.kind
        if event.kind is Shutdown.Nothing:
            c.fault_shown = False
            c.unfit_ev = c.ev_failed
            c.calm_s = now + timing.FAULT_OVER_S
            c.hlc("reset_error")
            return
        if not worse:
            return
        c.fault_shown = False
        c.say(CancelReservation())
        c.say(SupplyOff(at_once=True))
        c.forbid_power()
        if self.state is Charging.Charging:
            # Clients of the reference see the state told again when its shutdown begins.
            c.note(SessionEventEnum.ChargingStarted, "charging_state_changed_event")
        if event.kind is Shutdown.Emergency and self._with_ev and (c.five or c.nominal_duty):
            c.nominal_duty = 0.0
            c.say(ShowX1())
        if self.state not in (Charging.Idle, Charging.Disabled):
            c.hlc("send_error", EvseError.Error_EmergencyShutdown)

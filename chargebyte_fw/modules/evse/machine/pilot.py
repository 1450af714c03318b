"""IEC 61851-1 on the pilot: what the EV's states mean, when the contactors may close, when the connector is locked."""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_board_support import PowerOnOff, PowerOnOffReason
from chargebyte_fw.kernel.machine import Machine, Timeout, on
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import Call, Say
from chargebyte_fw.modules.evse.machine.events import (
    Begin,
    Contactor,
    Cp,
    CpReported,
    FaultGone,
    FaultSeen,
    ForceUnlock,
)
from chargebyte_fw.modules.evse.machine.fault_policy import blocks
from chargebyte_fw.modules.evse.machine.signals import (
    AllowPower,
    CarBack,
    CarLost,
    CarPluggedIn,
    CarRequests,
    CarUnplugged,
    LockAuthorized,
    PlugUnwatched,
    PlugWatched,
    ShowDuty,
    ShowF,
    ShowX1,
)

BOARD = "evse_board_support/"
LINK_LOST = f"{BOARD}CommunicationFault"
CONNECTED = (Cp.B, Cp.C, Cp.D)
ASKING = (Cp.C, Cp.D)
Effects = list[object]


class Pilot(Machine):
    """The pilot of one connector. `state` is what the board sees; what was seen before `Begin` is looked at then."""

    def __init__(self, config: EvseConfig, *, has_lock: bool = False) -> None:
        super().__init__(Cp.Off)
        self._config = config
        self._has_lock = has_lock
        self._begun = False
        self._seen = Cp.Off
        self.plugged = False
        self.simplified = False
        self.contactor_closed = False
        self._requests = False
        self._output: object = "unknown"
        self._allowed: AllowPower = AllowPower(False)
        self._power_sent = False
        self._locked: bool | None = None
        self._force_unlocked = False
        self._authorized = False
        self._open_at: float | None = None
        self._unlock_at: float | None = None
        self._link_lost = False
        self._ventilation_told = False
        self._watched = False
        self._ordered_f = False
        """The plug is not watched because of a state F of our own."""
        self._f_ended_s = 0.0
        self._board_faults: set[tuple[str, str, str]] = set()

    @property
    def duty(self) -> float:
        """The duty cycle shown, 0 without one."""
        return self._output if isinstance(self._output, float) else 0.0

    @property
    def running(self) -> bool:
        """Whether there is a duty cycle; 0 and 100 % are none."""
        return 0.0 < self.duty < 1.0

    @on(event=Begin)
    def begin(self, _: Begin, now: float) -> Effects:
        self._begun = True
        return self._change(self._present, now) if self._seen is not Cp.Off else []

    @on(event=CpReported)
    def cp(self, event: CpReported, now: float) -> Effects:
        self._seen = event.state
        return self._look(now)

    @on(event=FaultSeen)
    def fault_seen(self, event: FaultSeen, now: float) -> Effects:
        if event.type.startswith(BOARD) and blocks(event.type):
            self._board_faults.add((event.type, event.sub_type, event.origin))
            self._ordered_f = False
        return self._link(True, now) if event.type == LINK_LOST else []

    @on(event=FaultGone)
    def fault_gone(self, event: FaultGone, now: float) -> Effects:
        self._board_faults.discard((event.type, event.sub_type, event.origin))
        return self._link(False, now) if event.type == LINK_LOST else []

    def _link(self, lost: bool, now: float) -> Effects:
        self._link_lost = lost
        return self._look(now)

    @property
    def _present(self) -> Cp:
        """The pilot's state; without a link to the board nothing is known of an EV: as in state F, the board's own."""
        hidden = self._link_lost and self._seen not in (Cp.A, Cp.Off)
        return Cp.F if hidden else self._seen

    def _look(self, now: float) -> Effects:
        cp = self._present
        return self._change(cp, now) if self._begun and cp is not self.state else []

    def _change(self, cp: Cp, now: float) -> Effects:
        before = Cp(self.state.value)
        self.state = cp
        # An empty connector is told as such before it is told to be watched: it begins no session.
        watch = self._watch(now)
        effects: Effects = [] if cp is Cp.A else watch
        if cp is not Cp.F:
            self._unlock_at = None
        if cp in ASKING:
            effects += self._plug(before, simplified=True)
            effects += [] if self._may_ask else self._wait_without_ventilation()
        elif cp is Cp.B:
            if before not in (Cp.A, Cp.B):
                effects += self._open()
                effects += self._stop_requesting(always=before is not Cp.Off or self.plugged)
            effects += self._plug(before, simplified=False)
        elif cp is Cp.A or cp is Cp.Off:
            effects += self._show_none(force=True)
            effects += self._open()
            self._requests = False
            self.simplified = self._ventilation_told = False
            if cp is Cp.A and self.plugged:
                self.plugged = False
                effects.append(CarUnplugged())
            effects += watch if cp is Cp.A else []
            self._force_unlocked = False
        elif cp is Cp.E:
            effects += self._open() + self._show_none()
            self._force_unlocked = False
        elif cp is Cp.F:
            effects += self._open()
            self._unlock_at = now + timing.UNLOCK_AFTER_F_S
        if before in CONNECTED and cp in (Cp.E, Cp.F):
            effects += self._stop_requesting(always=False)
            effects.append(CarLost(cp is Cp.E))
        if before in (Cp.E, Cp.F) and cp in CONNECTED and self.plugged:
            effects.append(CarBack())
        return effects + self._request() + self._power(now) + self._lock() + self._arm()

    def _watch(self, now: float) -> Effects:
        """Note from when to when the plug is hidden: by state E, by state F, by a lost link."""
        watched = self.state in (Cp.A, *CONNECTED)
        # A board with a fault of its own may hold state F for that, whatever is ordered.
        own = self.state is Cp.F and not self._board_faults
        if watched is self._watched:
            self._ordered_f = self._ordered_f and own
            return []
        self._watched = watched
        if not watched:
            self._ordered_f = own and self._output == "F"
            return [PlugUnwatched()]
        same = self._ordered_f and (self._output == "F" or now - self._f_ended_s <= timing.PILOT_FOLLOWS_S)
        return [PlugWatched(doubt=self.plugged and self.state is not Cp.A and not same)]

    def _plug(self, before: Cp, *, simplified: bool) -> Effects:
        if self.plugged or before not in (Cp.A, Cp.Off, Cp.F, Cp.E):
            return []
        self.plugged = True
        self.simplified = simplified
        return [CarPluggedIn()]

    @property
    def _may_ask(self) -> bool:
        """State C, or state D where there is ventilation."""
        return self.state is Cp.C or (self.state is Cp.D and self._config.has_ventilation)

    def _wait_without_ventilation(self) -> Effects:
        """State D without ventilation is answered like state B (IEC 61851-1 table A.4): the EV waits."""
        effects = self._stop_requesting(always=False)
        if not self._ventilation_told:
            self._ventilation_told = True
            effects.append(
                Say("the EV asks for ventilation (state D), which there is not: it gets no power", "warning")
            )
        return effects

    def _request(self) -> Effects:
        """An EV in state C asks for power; one that skipped state B only once a duty cycle is shown."""
        if not self._may_ask or self._requests or (self.simplified and not self.running):
            return []
        self._requests = True
        return [CarRequests(True)]

    def _stop_requesting(self, *, always: bool) -> Effects:
        if not self._requests and not always:
            return []
        self._requests = False
        return [CarRequests(False)]

    def _power(self, now: float) -> Effects:
        """Close in C or D with a duty cycle and permission (std: within 3 s); after the PWM went off, open in 6 s."""
        if not self._may_ask or not self._allowed.allowed:
            self._open_at = None
            return self._open() if self._power_sent else []
        if self.running:
            self._open_at = None
            if self._power_sent:
                return []
            self._power_sent = True
            return [Call("bsp", "allow_power_on", (PowerOnOff(allow_power_on=True, reason=self._allowed.reason),))]
        if self._power_sent and self._open_at is None:
            self._open_at = now + timing.POWER_OFF_UNDER_LOAD_S
        return []

    def _open(self) -> Effects:
        self._power_sent = False
        self._open_at = None
        return [Call("bsp", "allow_power_on", (PowerOnOff(allow_power_on=False, reason=PowerOnOffReason.PowerOff),))]

    def _lock(self) -> Effects:
        if not self._has_lock:
            return []
        should = self.state in ASKING or (
            self.state is Cp.B
            and self._config.lock_connector_in_state_b
            and (self._authorized or not self._config.unlock_when_deauthorized)
        )
        if self.state is Cp.F:
            should = bool(self._locked) and self._unlock_at is not None
        wanted = self.contactor_closed or (should and not self._force_unlocked)
        if wanted is self._locked:
            return []
        self._locked = wanted
        return [Call("lock", "lock" if wanted else "unlock")]

    def _show_none(self, *, force: bool = False) -> Effects:
        """No duty cycle without an EV or with a shorted pilot; state F stays, which the kernel alone shows and ends."""
        return [] if self._output == "F" else self._show(None, force=force)

    def _show(self, output: object, *, force: bool = False) -> Effects:
        if output == self._output and not force:
            return []
        self._output = output
        match output:
            case float():
                return [Call("bsp", "pwm_on", (output * 100.0,))]
            case "F":
                return [Call("bsp", "cp_state_F")]
            case _:
                self._output = None
                return [Call("bsp", "cp_state_X1")]

    def _end_f(self, now: float) -> None:
        if self._output == "F":
            self._f_ended_s = now

    @on(event=ShowDuty)
    def show_duty(self, event: ShowDuty, now: float) -> Effects:
        self._end_f(now)
        duty = event.duty
        if self.simplified and self._config.hack_simplified_mode_limit_10A and duty > timing.FIVE_PERCENT:
            duty = min(duty, timing.SIMPLIFIED_MODE_DUTY)
        shown = self._show(float(duty)) if 0.0 < duty < 1.0 else self._show(None)
        return shown + self._request() + self._power(now) + self._arm()

    @on(event=ShowX1)
    def show_x1(self, _: ShowX1, now: float) -> Effects:
        self._end_f(now)
        return self._show(None) + self._power(now) + self._arm()

    @on(event=ShowF)
    def show_f(self, _: ShowF, now: float) -> Effects:
        return self._show("F") + self._power(now) + self._arm()

    @on(event=AllowPower)
    def allow(self, event: AllowPower, now: float) -> Effects:
        self._allowed = event
        effects = self._power(now) if event.allowed else self._open()
        return effects + self._arm()

    @on(event=Contactor)
    def contactor(self, event: Contactor, now: float) -> Effects:
        self.contactor_closed = event.closed
        return self._lock()

    @on(event=LockAuthorized)
    def authorized(self, event: LockAuthorized, now: float) -> Effects:
        self._authorized = event.authorized
        return self._lock() if self._begun else []

    @on(event=ForceUnlock)
    def force_unlock(self, _: ForceUnlock, now: float) -> Effects:
        if self.contactor_closed or not self._has_lock:
            self._force_unlocked = self.state in CONNECTED
            return []
        self._force_unlocked = self.state in CONNECTED
        self._locked = False
        return [Call("lock", "unlock")]

    @on(event=Timeout)
    def timeout(self, _: Timeout, now: float) -> Effects:
        effects: Effects = []
        if self._open_at is not None and now >= self._open_at:
            effects += self._open()
            # The permission stays: a duty cycle that returns while still in C closes them again.
        if self._unlock_at is not None and now >= self._unlock_at:
            self._unlock_at = None
            effects += self._lock()
        return effects + self._arm()

    def _arm(self) -> Effects:
        self.deadline = min((at for at in (self._open_at, self._unlock_at) if at is not None), default=None)
        return []

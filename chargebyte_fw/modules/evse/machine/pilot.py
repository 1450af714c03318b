"""IEC 61851-1 on the pilot: what the EV's states mean, what is shown to it, and when the contactors may close."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.types.evse_board_support import PowerOnOff, PowerOnOffReason
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import LogLine
from chargebyte_fw.modules.evse.machine.events import CONNECTED, Cp, CpReported, FaultCleared, FaultRaised, StartUpDone
from chargebyte_fw.modules.evse.machine.fault_policy import blocks
from chargebyte_fw.modules.evse.machine.signals import (
    AllowPower,
    CarBack,
    CarLost,
    CarPluggedIn,
    CarRequests,
    CarUnplugged,
    PilotStateChanged,
    PlugUnwatched,
    PlugWatched,
    ShowDuty,
    ShowF,
    ShowX1,
)

BOARD = "evse_board_support/"
LINK_LOST = f"{BOARD}CommunicationFault"
SEEN = tuple(state for state in Cp if state is not Cp.Off)
HIDDEN = (Cp.E, Cp.F)
"""States that hide whether an EV is plugged in."""
FORBIDDEN = PowerOnOff(allow_power_on=False, reason=PowerOnOffReason.PowerOff)
Effects = list[Any]


class Output(Enum):
    """What is on the pilot where it is no duty cycle."""

    Unknown = "unknown"
    X1 = "X1"
    F = "F"


class Pilot(Machine):
    """The pilot of one connector.

    The state is what the board sees, `Off` before the start and until the board has reported one.
    """

    initial = Cp.Off

    def __init__(self, config: EvseConfig) -> None:
        super().__init__()
        self._config = config
        self._begun = False
        self._reported = Cp.Off
        self._link_lost = False
        self._plugged = False
        self._simplified = False
        """The EV came without state B (IEC 61851-1, simplified mode)."""
        self._requests = False
        self._ventilation_logged = False
        self._output: float | Output = Output.Unknown
        self._allowed = AllowPower(False)
        self._power_on = False
        """The board has the permission to close the contactors."""
        self._hidden = True
        self._hidden_by_order = False
        """The plug is hidden by a state F that the EVSE ordered itself."""
        self._f_ended_s = 0.0
        self._board_faults: set[tuple[str, str, str]] = set()

    @property
    def duty(self) -> float:
        """The duty cycle shown, 0..1; 0 without one."""
        return self._output if isinstance(self._output, float) else 0.0

    @property
    def letter(self) -> str:
        """The state that the board reports, A to F; empty before it has, and without a link to it."""
        return "" if self._reported is Cp.Off or self._link_lost else self._reported.value

    @property
    def duty_percent(self) -> float | None:
        """The duty cycle shown, 100 without one (X1); None in state F and before anything was shown."""
        if isinstance(self._output, float):
            return 100.0 * self._output
        return 100.0 if self._output is Output.X1 else None

    @property
    def running(self) -> bool:
        """Whether there is a duty cycle; 0 and 100 % are none."""
        return 0.0 < self.duty < 1.0

    # What the board reports.

    @on(Cp.Off, event=StartUpDone, to=SEEN)
    def begin(self, _: StartUpDone, now: float) -> Effects:
        """Look at what the board has reported so far."""
        self._begun = True
        return self._change(self._present, now) if self._reported is not Cp.Off else []

    @on(*Cp, event=CpReported, to=SEEN)
    def reported(self, event: CpReported, now: float) -> Effects:
        """The board sees another state."""
        self._reported = event.state
        return self._look(now)

    @on(*Cp, event=FaultRaised, to=Cp.F)
    def fault_raised(self, event: FaultRaised, now: float) -> Effects:
        """Without a link to the board nothing is known of an EV; with another fault the board may hold state F."""
        if event.type.startswith(BOARD) and blocks(event.type):
            self._board_faults.add((event.type, event.sub_type, event.origin))
            self._hidden_by_order = False
        return self._link(True, now) if event.type == LINK_LOST else []

    @on(*Cp, event=FaultCleared, to=SEEN)
    def fault_cleared(self, event: FaultCleared, now: float) -> Effects:
        """What the board reports counts again."""
        self._board_faults.discard((event.type, event.sub_type, event.origin))
        return self._link(False, now) if event.type == LINK_LOST else []

    def _link(self, lost: bool, now: float) -> Effects:
        self._link_lost = lost
        return self._look(now)

    @property
    def _present(self) -> Cp:
        """The pilot's state; without a link to the board nothing is known of an EV: as in state F, the board's own."""
        hidden = self._link_lost and self._reported not in (Cp.A, Cp.Off)
        return Cp.F if hidden else self._reported

    def _look(self, now: float) -> Effects:
        present = self._present
        return self._change(present, now) if self._begun and present is not self.state else []

    def _change(self, cp: Cp, now: float) -> Effects:
        before = Cp(self.state.value)
        self.enter(cp)
        watch = self._watch(now)
        match cp:
            case Cp.C | Cp.D:
                effects = watch + self._asking(before)
            case Cp.B:
                effects = watch + self._connected(before)
            case Cp.E:
                effects = watch + self._open() + self._show_none()
            case Cp.F:
                effects = watch + self._open()
            case _:
                # An empty connector is reported as such before it is reported to be watched: it begins no session.
                effects = self._empty(cp) + watch
        if before in CONNECTED and cp in HIDDEN:
            effects += [*self._stop_requesting(always=False), CarLost(cp is Cp.E)]
        if before in HIDDEN and cp in CONNECTED and self._plugged:
            effects.append(CarBack())
        return [*effects, *self._request(), *self._power(now), PilotStateChanged(cp)]

    def _asking(self, before: Cp) -> Effects:
        """State C or D."""
        effects = self._plug(before, simplified=True)
        return effects if self._may_ask else effects + self._wait_without_ventilation()

    def _connected(self, before: Cp) -> Effects:
        """State B: the EV asks for nothing."""
        effects: Effects = []
        if before not in (Cp.A, Cp.B):
            effects += self._open()
            effects += self._stop_requesting(always=before is not Cp.Off or self._plugged)
        return effects + self._plug(before, simplified=False)

    def _empty(self, cp: Cp) -> Effects:
        """State A: no EV."""
        effects = self._show_none(force=True) + self._open()
        self._requests = self._simplified = self._ventilation_logged = False
        if cp is Cp.A and self._plugged:
            self._plugged = False
            effects.append(CarUnplugged())
        return effects

    def _plug(self, before: Cp, *, simplified: bool) -> Effects:
        if self._plugged or before not in (Cp.A, Cp.Off, *HIDDEN):
            return []
        self._plugged = True
        self._simplified = simplified
        return [CarPluggedIn()]

    def _watch(self, now: float) -> Effects:
        """Note from when to when the plug is hidden: by state E, by state F, by a lost link."""
        hidden = self.state not in (Cp.A, *CONNECTED)
        # A board with a fault of its own may hold state F for that, whatever is ordered.
        by_order = self.state is Cp.F and not self._board_faults
        if hidden is self._hidden:
            self._hidden_by_order = self._hidden_by_order and by_order
            return []
        self._hidden = hidden
        if hidden:
            self._hidden_by_order = by_order and self._output is Output.F
            return [PlugUnwatched()]
        follows = self._output is Output.F or now - self._f_ended_s <= timing.PILOT_FOLLOWS_S
        same = self._hidden_by_order and follows
        return [PlugWatched(doubt=self._plugged and self.state is not Cp.A and not same)]

    # What the EV asks for.

    @property
    def _may_ask(self) -> bool:
        """State C, or state D where there is ventilation."""
        return self.state is Cp.C or (self.state is Cp.D and self._config.has_ventilation)

    def _wait_without_ventilation(self) -> Effects:
        """State D without ventilation is answered like state B (IEC 61851-1 table A.4): the EV waits."""
        effects = self._stop_requesting(always=False)
        if not self._ventilation_logged:
            self._ventilation_logged = True
            effects.append(
                LogLine("the EV asks for ventilation (state D), which there is not: it gets no power", "warning")
            )
        return effects

    def _request(self) -> Effects:
        """An EV in state C asks for power; one that skipped state B only once a duty cycle is shown."""
        if not self._may_ask or self._requests or (self._simplified and not self.running):
            return []
        self._requests = True
        return [CarRequests(True)]

    def _stop_requesting(self, *, always: bool) -> Effects:
        if not self._requests and not always:
            return []
        self._requests = False
        return [CarRequests(False)]

    # The contactors.

    def _power(self, now: float) -> Effects:
        """Close in C or D with a duty cycle and permission (IEC 61851-1: within 3 s); open 6 s after the PWM went off.

        A duty cycle that returns while the EV is still in C closes them again: the permission stays.
        """
        if not self._may_ask or not self._allowed.allowed:
            self.stop("open")
            return self._open() if self._power_on else []
        if not self.running:
            if self._power_on and self.due("open") is None:
                self.start("open", now + timing.POWER_OFF_UNDER_LOAD_S)
            return []
        self.stop("open")
        if self._power_on:
            return []
        self._power_on = True
        order = PowerOnOff(allow_power_on=True, reason=self._allowed.reason)
        return [call(EvseBoardSupport.allow_power_on, order)]

    def _open(self) -> Effects:
        self._power_on = False
        self.stop("open")
        return [call(EvseBoardSupport.allow_power_on, FORBIDDEN).urgently()]

    @on(Cp.C, Cp.D, timer="open")
    def open_under_load(self, now: float) -> Effects:
        """IEC 61851-1 sequence 10.2: the EV stays in C although the PWM went off."""
        return self._open()

    @on(*Cp, event=AllowPower)
    def allow(self, event: AllowPower, now: float) -> Effects:
        """The contactors may close, or open at once."""
        self._allowed = event
        return self._power(now) if event.allowed else self._open()

    # What is shown.

    def _show_none(self, *, force: bool = False) -> Effects:
        """No duty cycle without an EV or with a shorted pilot; state F stays: the charging state machine ends it."""
        return [] if self._output is Output.F else self._show(Output.X1, force=force)

    def _show(self, output: float | Output, *, force: bool = False) -> Effects:
        if output == self._output and not force:
            return []
        self._output = output
        if isinstance(output, float):
            return [call(EvseBoardSupport.pwm_on, output * 100.0)]
        return [call(EvseBoardSupport.cp_state_F if output is Output.F else EvseBoardSupport.cp_state_X1)]

    def _end_f(self, now: float) -> None:
        if self._output is Output.F:
            self._f_ended_s = now

    @on(*Cp, event=ShowDuty)
    def show_duty(self, event: ShowDuty, now: float) -> Effects:
        """Show a duty cycle; at most 10 A for an EV without state B, where so configured."""
        self._end_f(now)
        duty = event.duty
        if self._simplified and self._config.hack_simplified_mode_limit_10A and duty > timing.FIVE_PERCENT:
            duty = min(duty, timing.SIMPLIFIED_MODE_DUTY)
        shown = self._show(float(duty) if 0.0 < duty < 1.0 else Output.X1)
        return shown + self._request() + self._power(now)

    @on(*Cp, event=ShowX1)
    def show_x1(self, _: ShowX1, now: float) -> Effects:
        """Show +12 V."""
        self._end_f(now)
        return self._show(Output.X1) + self._power(now)

    @on(*Cp, event=ShowF)
    def show_f(self, _: ShowF, now: float) -> Effects:
        """Show -12 V."""
        return self._show(Output.F) + self._power(now)

"""The driver's rules for orders: what is put onto the pilot, when contactors may close, what is sent to the controller.

Contactors close only under a permission that was given after everything that opened them: a lost link, a reset, a safe
state, a disabled port, pilot E or F, an unplugged car and a stuck event loop each withdraw it. What the controller
reports is in `machine.py`.
"""

from __future__ import annotations

import logging
from enum import Enum, auto
from typing import Any

from chargebyte_fw.board import timing
from chargebyte_fw.board.driver.charge_state import (
    any_closed,
    emergency_input_tripped,
    is_normal,
    needs_reset,
)
from chargebyte_fw.board.driver.effects import (
    Log,
    PhasesAvailable,
    RequestAction,
    SelfTestAnswered,
    SetControl,
)
from chargebyte_fw.board.driver.events import (
    STATE_E,
    STATE_F,
    STATE_X1,
    AllowPowerOn,
    Enable,
    Halt,
    ResetTrip,
    SetPilot,
    StartSelfTest,
    SwitchPhases,
)
from chargebyte_fw.board.driver.facts import BoardSnapshot, ControllerFacts, HostOrders
from chargebyte_fw.board.driver.phase_switch import HLC_DUTY_PERCENT
from chargebyte_fw.board.driver.power_path import PowerPath
from chargebyte_fw.board.driver.reports import Reports
from chargebyte_fw.board.driver.safe_state_recovery import SafeStateRecovery
from chargebyte_fw.board.driver.wiring import PhaseWiring, Wiring
from chargebyte_fw.board.link.events import ActionResult, LinkUp
from chargebyte_fw.board.link.messages.charge_som import (
    ActionId,
    ChargeControl,
    ChargeState,
    CpState,
    RcmState,
)
from chargebyte_fw.board.link.messages.generations import LAST_OLD_CONTACTOR_BITS, TODAY, Generation
from chargebyte_fw.kernel.machine import Machine, on


class DriverState(Enum):
    """What is known of the controller."""

    NO_LINK = auto()
    STARTING = auto()
    """It is being reset, or has not reported its state since."""
    NORMAL = auto()
    SAFE_STATE = auto()
    """It has opened everything and holds the pilot at F until it is reset."""
    HALTED = auto()
    """The driver was halted; the link may still be up."""


_S = DriverState
REPORTING = (_S.NORMAL, _S.SAFE_STATE)
LINKED = (_S.STARTING, *REPORTING)
IN_SERVICE = (_S.NO_LINK, *LINKED)


class DriverOrders(Machine):
    """One board, as its orders see it.

    `socket`: the cable can be taken off; `names`: of the temperature channels; `speed`: of the clock (timing.patient);
    `three`: phases at first.
    """

    initial = DriverState.NO_LINK

    def __init__(
        self,
        socket: bool,
        names: tuple[str, ...],
        speed: float | None = 1.0,
        wiring: Wiring | None = None,
        three: bool = True,
    ) -> None:
        super().__init__()
        self.orders = HostOrders()
        self.link: LinkUp | None = None
        """The link that is up, or was last."""
        self.controller = ControllerFacts()
        self.wiring = wiring or Wiring()
        self.power_path = PowerPath(self.wiring, three, speed)
        self.reports = Reports(socket)
        self.recovery = SafeStateRecovery()
        self._names = names
        self._confirm_s = timing.patient(timing.DUTY_CONFIRM_S, speed)
        self._phases_published: tuple[bool, bool] | None = None

    @property
    def control(self) -> ChargeControl:
        """The image that the controller is to have."""
        orders = self.orders
        pilot = orders.pilot if orders.enabled and self.state is not _S.HALTED else STATE_F
        if self.power_path.phases.holds_pilot and pilot not in (STATE_E, STATE_F):
            pilot = STATE_X1
        first, second, third = self.power_path.orders
        return ChargeControl(pilot.pwm_active, pilot.duty_percent, third, second, first)

    @property
    def snapshot(self) -> BoardSnapshot:
        """What others may read."""
        facts, state = self.controller, self.controller.charge_state
        idle = state is None or (not any_closed(state) and (state.duty_percent == 0.0 or not is_normal(state)))
        return BoardSnapshot(
            facts.charge_state, facts.temperatures, self.control, self.power_path.orders, self.orders.permitted, idle
        )

    @property
    def _generation(self) -> Generation:
        return TODAY if self.link is None else self.link.generation

    @property
    def _emergency(self) -> bool:
        """Whether the controller needs a reset before anything goes on."""
        state = self.controller.charge_state
        return state is not None and needs_reset(state, self.reports.socket)

    def _send(self, now: float) -> list[Any]:
        """Send what is ordered now; the pilot follows within DUTY_CONFIRM_S."""
        if self.state in LINKED:
            self.start("duty", now + self._confirm_s)
        return [*self._advance(now), SetControl(self.control)]

    def _advance(self, now: float) -> list[Any]:
        """Let contactors and phases take every step that the last report allows; without one nothing is ordered."""
        state = self.controller.charge_state
        effects: list[Any] = []
        if state is None:
            self.power_path.release(now)
        else:
            effects = self.power_path.advance(state, self.orders.permitted, now)
        self._follow_power_path()
        return effects

    def _release(self, now: float) -> None:
        """The controller opens everything by itself."""
        self.power_path.release(now)
        self._follow_power_path()

    def _follow_power_path(self) -> None:
        at_s = self.power_path.deadline
        if at_s is None or self.controller.charge_state is None:
            self.stop("power path")
        else:
            self.start("power path", at_s)

    def _withdraw(self, why: str) -> list[Any]:
        if not self.orders.permitted:
            return []
        self.orders.permitted = False
        return [Log(logging.INFO, "contactors: permission withdrawn (%s)", (why,))]

    # The port and the pilot.

    @on(*IN_SERVICE, event=Enable)
    def _enable(self, event: Enable, now: float) -> list[Any]:
        """Put the ordered pilot out, or state F with contactors open."""
        self.orders.enabled = event.value
        return ([] if event.value else self._withdraw("port disabled")) + self._send(now)

    @on(_S.NO_LINK, _S.STARTING, event=SetPilot)
    def _keep_pilot(self, event: SetPilot, now: float) -> list[Any]:
        """Order another pilot."""
        self.orders.pilot = event.output
        effects = self._withdraw("pilot E or F") if event.output in (STATE_E, STATE_F) else []
        return effects + self._send(now)

    @on(*REPORTING, event=SetPilot)
    def _set_pilot(self, event: SetPilot, now: float) -> list[Any]:
        """Order another pilot; X1 leads a controller out of its safe state."""
        stopped = emergency_input_tripped(self.controller.charge_state)
        if event.output == STATE_X1 and self.orders.enabled and self._emergency and not stopped:
            self.start("reset", self.recovery.on_request(self.due("reset"), now))
        return self._keep_pilot(event, now)

    # The permission to close.

    @on(*IN_SERVICE, event=AllowPowerOn)
    def _allow_power_on(self, event: AllowPowerOn, now: float) -> list[Any]:
        """Permit the contactors to close, or open them."""
        refusal = self._refusal() if event.allowed else ""
        effects: list[Any] = []
        if refusal:
            effects.append(Log(logging.WARNING, "contactors stay open: %s", (refusal,)))
        elif event.allowed and not self.orders.permitted:
            effects.append(Log(logging.DEBUG, "contactors may close (%s)", (event.reason,)))
        self.orders.permitted = event.allowed and not refusal
        return effects + self._send(now)

    def _refusal(self) -> str:
        """Return why the contactors may not close; empty: they may."""
        state = self.controller.charge_state
        if state is None:
            return "the safety controller has not spoken"
        if not self.orders.enabled:
            return "the port is disabled"
        if self.reports.faults.contactor_unfit:
            return "a contactor has failed"
        if contradiction := self.wiring.contradiction(state):
            return contradiction
        return refusal_of(state, self.reports.socket, self.reports.residual_current.tripped)

    # Phases.

    @on(*IN_SERVICE, event=SwitchPhases)
    def _switch_phases(self, event: SwitchPhases, now: float) -> list[Any]:
        """Switch between three phases and one."""
        refusal = self._no_switching()
        if refusal:
            return [Log(logging.WARNING, "phases stay as they are: %s", (refusal,))]
        effects: list[Any] = []
        if event.three is not self.power_path.phases.three:
            effects.append(Log(logging.INFO, "switching to %s", ("three phases" if event.three else "one phase",)))
        effects += self.power_path.switch(event.three, self.controller.charge_state, self.orders.permitted, now)
        return [*effects, *self._send(now), *self._publish_phases()]

    def _no_switching(self) -> str:
        """Return why phases cannot be switched now; empty: they can."""
        if self.wiring.phases is PhaseWiring.none:
            return "this board cannot switch (switch_3ph1ph_wiring is none)"
        if self._generation.old_contactor_bits:
            newest = ".".join(str(number) for number in LAST_OLD_CONTACTOR_BITS)
            version = "" if self.link is None else self.link.version
            return f"that needs firmware newer than {newest} on the safety controller, which has {version}"
        pilot, (least, most) = self.orders.pilot, HLC_DUTY_PERCENT
        if self.orders.permitted and pilot.pwm_active and least <= pilot.duty_percent <= most:
            return "the car is under high-level communication"
        return ""

    def _publish_phases(self) -> list[Any]:
        """Return what changed of the phases; firmware must be known, and report contactors one by one."""
        now = (self.power_path.phases.three, self.link is not None and not self._generation.old_contactor_bits)
        if self.wiring.phases is PhaseWiring.none or now == self._phases_published:
            return []
        self._phases_published = now
        return [PhasesAvailable(*now)]

    # The residual current monitor.

    @on(*IN_SERVICE, _S.HALTED, event=ResetTrip)
    def _reset_trip(self, _: ResetTrip, now: float) -> None:
        """Forget a trip."""
        self.reports.residual_current.tripped = False

    @on(*IN_SERVICE, event=StartSelfTest)
    def _start_self_test(self, _: StartSelfTest, now: float) -> list[Any]:
        """Ask for a self-test."""
        return [RequestAction(ActionId.RCM_SELF_TEST)]

    @on(*LINKED, event=ActionResult)
    def _action_result(self, event: ActionResult, now: float) -> list[Any]:
        """Answer the order of a self-test; give the test its time."""
        if event.action is not ActionId.RCM_SELF_TEST:
            return []
        if event.confirmed:
            self.reports.residual_current.self_test.ordered = True
            self.start("self test", now + timing.SELF_TEST_LIMIT_S)
            return [SelfTestAnswered(True)]
        state = self.controller.charge_state
        refused = state is not None and state.rcm is not RcmState.NOT_CONFIGURED
        return [SelfTestAnswered(False), *(self.reports.residual_current.test_refused() if refused else [])]

    @on(_S.NO_LINK, _S.HALTED, event=ActionResult)
    def _no_action(self, event: ActionResult, now: float) -> list[Any]:
        """Answer the order of a self-test."""
        return [SelfTestAnswered(event.confirmed)] if event.action is ActionId.RCM_SELF_TEST else []

    @on(*LINKED, timer="self test")
    def _self_test_over(self, now: float) -> None:
        """A fault of the monitor is none of the self-test any more."""
        self.reports.residual_current.self_test.ordered = False

    # The end.

    @on(*IN_SERVICE, event=Halt, to=_S.HALTED)
    def _halt(self, _: Halt, now: float) -> list[Any]:
        """Put out pilot F and open the contactors, for good."""
        self.orders = HostOrders()
        effects = self.enter(_S.HALTED)
        self._advance(now)
        return [*effects, SetControl(self.control)]

    @on(_S.HALTED, event=AllowPowerOn)
    def _refuse_power(self, event: AllowPowerOn, now: float) -> list[Any]:
        """Refuse."""
        refused = Log(logging.WARNING, "contactors stay open: %s", ("the port is disabled",))
        return [refused] if event.allowed else []

    @on(_S.HALTED, event=StartSelfTest)
    def _refuse_self_test(self, _: StartSelfTest, now: float) -> list[Any]:
        """Refuse."""
        return [SelfTestAnswered(False)]

    @on(_S.HALTED, event=Enable)
    @on(_S.HALTED, event=SetPilot)
    @on(_S.HALTED, event=SwitchPhases)
    @on(_S.HALTED, event=Halt)
    def _ignore(self, _: Any, now: float) -> None:
        """Ignore the order: pilot F and open contactors stay."""


def refusal_of(state: ChargeState, socket: bool, tripped: bool) -> str:
    """Return why nothing may be switched on in this state; empty: it may. `tripped`: a residual current was seen."""
    if not is_normal(state):
        return f"the safety controller is in its safe state ({state.safe_state_reason.text})"
    if needs_reset(state, socket):
        return "the cable's proximity pilot cannot be read"
    if emergency_input_tripped(state):
        return "an emergency input is tripped"
    if tripped:
        return "the residual current monitor has tripped; unplug the car, or order ac_rcd.reset"
    if state.rcm is RcmState.ERROR:
        return "the residual current monitor has failed"
    if state.diode_fault or state.cp_short_circuit or state.cp_state is CpState.INVALID:
        return "the control pilot is faulty"
    return ""

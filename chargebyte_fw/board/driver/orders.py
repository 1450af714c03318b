"""The driver's rules for orders: what goes onto the pilot, when contactors may close, what the controller shall hear.

Contactors close only while a permission stands that was given after everything that opened them: a lost link, a reset,
a safe state, a disabled port, pilot E or F, an unplugged car and a stuck event loop each withdraw it. What the
controller says is in `driver_machine.py`.
"""

from __future__ import annotations

import logging
from enum import Enum, auto
from typing import Any

from chargebyte_fw.board import timing
from chargebyte_fw.board.driver.contactors import Contactors, Wiring
from chargebyte_fw.board.driver.events import (
    STATE_E,
    STATE_F,
    STATE_X1,
    AllowPowerOn,
    Enable,
    Halt,
    Log,
    PilotOutput,
    RequestAction,
    ResetTrip,
    SelfTestAnswered,
    SetControl,
    SetPilot,
    StartSelfTest,
    SwitchPhases,
)
from chargebyte_fw.board.driver.faults import SELF_TEST, Notices, any_closed
from chargebyte_fw.board.driver.phase_switch import PhaseSwitch
from chargebyte_fw.board.driver.safe_state_recovery import SafeStateRecovery, stopped
from chargebyte_fw.board.link import machine as lm
from chargebyte_fw.board.link.messages.charge_som import (
    ActionId,
    ChargeControl,
    ChargeState,
    Pt1000State,
    RcmState,
    SafeStateActive,
    SafeStateReason,
)
from chargebyte_fw.board.link.messages.generations import TODAY, Generation
from chargebyte_fw.kernel.machine import Machine, on


class DriverState(Enum):
    """What the driver knows of the controller."""

    NO_LINK = auto()
    """No link."""
    STARTING = auto()
    """It is being reset, or has not told its state since."""
    NORMAL = auto()
    SAFE_STATE = auto()
    """It has let go of everything."""
    HALTED = auto()
    """The driver has ended; the link may still be up."""


class DriverOrders(Machine):
    """One board, as those see it who order.

    `socket`: the cable can be taken off; `names`: the temperature channels; `three`: phases at first.
    """

    def __init__(
        self,
        socket: bool,
        names: tuple[str, ...],
        speed: float | None = 1.0,
        wiring: Wiring | None = None,
        three: bool = True,
    ) -> None:
        super().__init__(DriverState.NO_LINK)
        self.contactors = Contactors(wiring or Wiring(), three, speed)
        self.switch = PhaseSwitch(self.contactors)
        self._version = ""
        self.notices = Notices(socket)
        self._names = names
        self._confirm_s = timing.patient(timing.DUTY_CONFIRM_S, speed)
        self._generation: Generation = TODAY
        self.enabled = False
        self.wish: PilotOutput = STATE_X1
        self.permitted = False
        self.charge_state: ChargeState | None = None
        """What the controller said last; None before its first word since it was reset."""
        self.temperatures: Pt1000State | None = None
        self._stalled = False
        self._due: dict[str, float] = {}
        self._recovery = SafeStateRecovery()
        self._safe_reason = SafeStateReason.NO_SAFE_STATE

    @property
    def control(self) -> ChargeControl:
        """The image that the controller shall have."""
        wish = self.wish if self.enabled and self.state is not DriverState.HALTED else STATE_F
        if self.switch.holds_pilot and wish not in (STATE_E, STATE_F):
            wish = STATE_X1
        first, second, third = self.contactors.orders
        return ChargeControl(wish.pwm_active, wish.duty_percent, third, second, first)

    @property
    def at_rest(self) -> bool:
        """Whether nothing is on: no link to say otherwise, or contactors open and no PWM."""
        state = self.charge_state
        if state is None:
            return True
        return not any_closed(state) and (
            state.duty_percent == 0.0 or state.safe_state_active is not SafeStateActive.NORMAL
        )

    @property
    def emergency(self) -> bool:
        """Whether the controller needs a reset before anything goes on."""
        return self.charge_state is not None and self.notices.emergency(self.charge_state)

    def _send(self, now: float) -> list[Any]:
        self._due["duty"] = now + self._confirm_s
        effects = self._advance(now)
        return self._armed([*effects, SetControl(self.control)])

    def _advance(self, now: float) -> list[Any]:
        """Let contactors and phases take every step that they can."""
        effects: list[Any] = []
        before = None
        while before != (before := (self.switch.step, self.contactors.orders)):
            if self.charge_state is not None:
                effects += self.switch.look(self.charge_state, now)
            self.contactors.advance(self.permitted and not self.switch.holds_contactors, self.charge_state, now)
        return effects

    def _withdraw(self, why: str) -> list[Any]:
        if not self.permitted:
            return []
        self.permitted = False
        return [Log(logging.INFO, "contactors: permission withdrawn (%s)", (why,))]

    def _armed(self, effects: list[Any]) -> list[Any]:
        due = (self.contactors.deadline, self.switch.deadline, self._recovery.deadline)
        self.deadline = min((at for at in (*due, *self._due.values()) if at is not None), default=None)
        return effects

    @on(event=Enable)
    def _enable(self, event: Enable, now: float) -> list[Any]:
        self.enabled = event.value
        return ([] if event.value else self._withdraw("port disabled")) + self._send(now)

    @on(event=SetPilot)
    def _set_pilot(self, event: SetPilot, now: float) -> list[Any]:
        self.wish = event.wish
        effects = self._withdraw("pilot E or F") if event.wish in (STATE_E, STATE_F) else []
        if event.wish == STATE_X1 and self.enabled and self.emergency and not stopped(self.charge_state):
            self._recovery.asked(now)
        return effects + self._send(now)

    @on(event=AllowPowerOn)
    def _permit(self, event: AllowPowerOn, now: float) -> list[Any]:
        if not event.allowed:
            self.permitted = False
            return self._send(now)
        refusal = self._refusal()
        if refusal:
            self.permitted = False
            return [Log(logging.WARNING, "contactors stay open: %s", (refusal,)), *self._send(now)]
        if not self.permitted:
            self.permitted = True
            return [Log(logging.DEBUG, "contactors may close (%s)", (event.reason,)), *self._send(now)]
        return self._send(now)

    def _refusal(self) -> str:
        state = self.charge_state
        if state is None:
            return "the safety controller has not spoken"
        if not self.enabled or self.state is DriverState.HALTED:
            return "the port is disabled"
        if self.notices.contactor_unfit:
            return "a contactor has failed"
        if contradiction := self.contactors.wiring.contradiction(state):
            return contradiction
        return self.notices.unfit(state)

    @on(event=ResetTrip)
    def _reset_trip(self, _: ResetTrip, now: float) -> list[Any]:
        self.notices.tripped = False
        return []

    @on(event=SwitchPhases)
    def _switch_phases(self, event: SwitchPhases, now: float) -> list[Any]:
        wish = self.wish if self.permitted else None
        refusal = self.switch.refusal(self._generation, self._version, wish)
        if refusal:
            return [Log(logging.WARNING, "phases stay as they are: %s", (refusal,))]
        effects: list[Any] = []
        if event.three is not self.contactors.three:
            effects.append(Log(logging.INFO, "switching to %s", ("three phases" if event.three else "one phase",)))
        self.switch.ask(event.three, self.charge_state, self.permitted, now)
        return [*effects, *self._send(now), *self._armed(self._tell_phases())]

    def _tell_phases(self) -> list[Any]:
        return self.switch.tell(self._version != "" and not self._generation.old_contactor_bits)

    @on(event=StartSelfTest)
    def _self_test(self, _: StartSelfTest, now: float) -> list[Any]:
        return [RequestAction(ActionId.RCM_SELF_TEST)]

    @on(event=lm.ActionResult)
    def _acted(self, event: lm.ActionResult, now: float) -> list[Any]:
        if event.action is not ActionId.RCM_SELF_TEST:
            return []
        if event.confirmed:
            self.notices.self_test_running = True
            self._due["self test"] = now + timing.SELF_TEST_LIMIT_S
            return self._armed([SelfTestAnswered(True)])
        effects: list[Any] = [SelfTestAnswered(False)]
        if self.charge_state is not None and self.charge_state.rcm is not RcmState.NOT_CONFIGURED:
            why = "the safety controller did not accept the self-test"
            effects += self.notices.settle("self test", {SELF_TEST: why})
        return effects

    @on(event=Halt)
    def _halt(self, _: Halt, now: float) -> list[Any]:
        self.enabled = self.permitted = False
        self._due.clear()
        self._recovery.let_go()
        self.state = DriverState.HALTED
        self._advance(now)
        return self._armed([SetControl(self.control)])

"""The driver's rules: what is on the pilot, when contactors may close, how the controller leaves its safe state.

Contactors close only while a permission stands that was given after everything that opened them: a lost link, a reset,
a safe state, a disabled port, pilot E or F, an unplugged car and a stuck event loop each withdraw it.
"""

from __future__ import annotations

import logging
from enum import Enum, auto
from typing import Any

from chargebyte_fw.board import link_machine as lm
from chargebyte_fw.board import timing
from chargebyte_fw.board.contactors import ALL_OPEN, Contactors, Wiring
from chargebyte_fw.board.driver_words import (
    STATE_E,
    STATE_F,
    STATE_X1,
    Enable,
    Halt,
    Permit,
    ResetController,
    ResetTrip,
    RunAction,
    Say,
    SelfTest,
    SelfTestBegun,
    SetImage,
    SetPilot,
    SwitchPhases,
    Wish,
)
from chargebyte_fw.board.generations import TODAY, Generation
from chargebyte_fw.board.messages import (
    ActionId,
    ChargeControl,
    ChargeState,
    CpState,
    ErrorMessage,
    Pt1000State,
    RcmState,
    SafeStateActive,
)
from chargebyte_fw.board.notices import (
    COMMUNICATION,
    CONTACTOR,
    SELF_TEST,
    STALLED,
    WIRING,
    Notices,
    any_closed,
)
from chargebyte_fw.board.phase_switch import PhaseSwitch
from chargebyte_fw.board.way_out import WayOut, stopped
from chargebyte_fw.kernel.machine import Machine, Timeout, on

_NORMAL = SafeStateActive.NORMAL
DUTY_TOLERANCE_PERCENT = 0.1


class Driver(Enum):
    """What the driver knows of the controller."""

    DOWN = auto()
    """No link."""
    STARTING = auto()
    """It is being reset, or has not told its state since."""
    NORMAL = auto()
    SAFE = auto()
    """It has let go of everything."""
    HALTED = auto()
    """The driver has ended; the link may still be up."""


class DriverMachine(Machine):
    """One board. `socket`: the cable can be taken off; `names`: the temperature channels; `three`: phases at first."""

    def __init__(
        self,
        socket: bool,
        names: tuple[str, ...],
        speed: float | None = 1.0,
        wiring: Wiring | None = None,
        three: bool = True,
    ) -> None:
        super().__init__(Driver.DOWN)
        self.contactors = Contactors(wiring or Wiring(), three, speed)
        self.switch = PhaseSwitch(self.contactors)
        self._version = ""
        self.notices = Notices(socket)
        self._names = names
        self._confirm_s = timing.patient(timing.DUTY_CONFIRM_S, speed)
        self._generation: Generation = TODAY
        self.enabled = False
        self.wish: Wish = STATE_X1
        self.permitted = False
        self.charge_state: ChargeState | None = None
        """What the controller said last; None before its first word since it was reset."""
        self.temperatures: Pt1000State | None = None
        self._stalled = False
        self._due: dict[str, float] = {}
        self._way_out = WayOut()

    @property
    def control(self) -> ChargeControl:
        """The image that the controller shall have."""
        wish = self.wish if self.enabled and self.state is not Driver.HALTED else STATE_F
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
        return not any_closed(state) and (state.duty_percent == 0.0 or state.safe_state_active is not _NORMAL)

    @property
    def emergency(self) -> bool:
        """Whether the controller needs a reset before anything goes on."""
        return self.charge_state is not None and self.notices.emergency(self.charge_state)

    def _send(self, now: float) -> list[Any]:
        self._due["duty"] = now + self._confirm_s
        effects = self._advance(now)
        return self._armed([*effects, SetImage(self.control)])

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
        return [Say(logging.INFO, "contactors: permission withdrawn (%s)", (why,))]

    def _armed(self, effects: list[Any]) -> list[Any]:
        due = (self.contactors.deadline, self.switch.deadline, self._way_out.deadline)
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
            self._way_out.asked(now)
        return effects + self._send(now)

    @on(event=Permit)
    def _permit(self, event: Permit, now: float) -> list[Any]:
        if not event.allowed:
            self.permitted = False
            return self._send(now)
        refusal = self._refusal()
        if refusal:
            self.permitted = False
            return [Say(logging.WARNING, "contactors stay open: %s", (refusal,)), *self._send(now)]
        if not self.permitted:
            self.permitted = True
            return [Say(logging.DEBUG, "contactors may close (%s)", (event.reason,)), *self._send(now)]
        return self._send(now)

    def _refusal(self) -> str:
        state = self.charge_state
        if state is None:
            return "the safety controller has not spoken"
        if not self.enabled or self.state is Driver.HALTED:
            return "the port is disabled"
        if self.notices.contactor_failed:
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
            return [Say(logging.WARNING, "phases stay as they are: %s", (refusal,))]
        effects: list[Any] = []
        if event.three is not self.contactors.three:
            effects.append(Say(logging.INFO, "switching to %s", ("three phases" if event.three else "one phase",)))
        self.switch.ask(event.three, self.charge_state, self.permitted, now)
        return [*effects, *self._send(now), *self._armed(self._tell_phases())]

    def _tell_phases(self) -> list[Any]:
        return self.switch.tell(self._version != "" and not self._generation.old_contactor_bits)

    @on(event=SelfTest)
    def _self_test(self, _: SelfTest, now: float) -> list[Any]:
        return [RunAction(ActionId.RCM_SELF_TEST)]

    @on(event=lm.Acted)
    def _acted(self, event: lm.Acted, now: float) -> list[Any]:
        if event.action is not ActionId.RCM_SELF_TEST:
            return []
        if event.confirmed:
            self.notices.self_test_running = True
            self._due["self test"] = now + timing.SELF_TEST_LIMIT_S
            return self._armed([SelfTestBegun(True)])
        effects: list[Any] = [SelfTestBegun(False)]
        if self.charge_state is not None and self.charge_state.rcm is not RcmState.NOT_CONFIGURED:
            why = "the safety controller did not accept the self-test"
            effects += self.notices.settle("self test", {SELF_TEST: why})
        return effects

    @on(event=Halt)
    def _halt(self, _: Halt, now: float) -> list[Any]:
        self.enabled = self.permitted = False
        self._due.clear()
        self._way_out.let_go()
        self.state = Driver.HALTED
        self._advance(now)
        return self._armed([SetImage(self.control)])

    @on(event=lm.Up)
    def _up(self, event: lm.Up, now: float) -> list[Any]:
        version = ".".join(str(number) for number in event.firmware.version)
        git = event.git_hash.text
        platform, application = event.firmware.platform.text, event.firmware.application.text
        parameters = event.firmware.parameter_version
        self._generation, self._version = event.generation, version
        if self.state is not Driver.HALTED:
            self.state = Driver.STARTING
        return [
            Say(
                logging.INFO,
                "safety controller %s (g%s, %s, %s, Parameter Version: %s)",
                (version, git, platform, application, parameters),
            ),
            *self.notices.forget_warnings(),
            *self._tell_phases(),
            *self._send(now),
        ]

    @on(event=lm.Restarting)
    def _restarting(self, event: lm.Restarting, now: float) -> list[Any]:
        return [
            Say(logging.INFO, "safety controller is being reset: %s", (event.why,)),
            *self._void(Driver.STARTING, "reset"),
        ]

    @on(event=lm.Down)
    def _down(self, event: lm.Down, now: float) -> list[Any]:
        effects = self._void(Driver.DOWN, "link lost")
        told = f"no link to the safety controller: {event.why}"
        return [
            Say(logging.ERROR, "%s; contactors open, trying again", (told,)),
            *effects,
            *self.notices.settle("communication", {COMMUNICATION: told}),
        ]

    @on(event=lm.StillDown)
    def _still_down(self, event: lm.StillDown, now: float) -> list[Any]:
        return [Say(logging.WARNING, "still no link to the safety controller: %s", (event.why,))]

    def _void(self, state: Driver, why: str) -> list[Any]:
        """Forget what the controller said, and what it was told."""
        effects = self._withdraw(why)
        self.charge_state = self.temperatures = None
        self._way_out.let_go()
        self.notices.forget()
        self.contactors.let_go()
        self.switch.let_go()
        self._due.clear()
        if self.state is not Driver.HALTED:
            self.state = state
        return self._armed([*effects, *self._tell_phases()])

    @on(event=lm.Tripped)
    def _tripped(self, _: lm.Tripped, now: float) -> list[Any]:
        told = f"this program did not run for more than {timing.DEAD_MAN_S:g} s"
        say = Say(logging.ERROR, "%s: its link opened the contactors and took the pilot to F", (told,))
        effects: list[Any] = [say]
        self.contactors.let_go()  # nothing of a way to open is sent any more: it would close again
        if self.permitted:
            self._stalled = True
            effects += [*self._withdraw("stalled"), *self.notices.settle("stalled", {STALLED: told})]
        return effects + self._send(now)

    @on(event=lm.Strange)
    def _strange(self, event: lm.Strange, now: float) -> list[Any]:
        return [Say(logging.DEBUG, "ignored: COM id 0x%02X, %s", (event.frame.com_id, event.frame.payload.hex()))]

    @on(event=lm.Said)
    def _said(self, event: lm.Said, now: float) -> list[Any]:
        match event.message:
            case ChargeState() as state:
                return self._state(state, now)
            case Pt1000State() as temperatures:
                self.temperatures = temperatures
                return self.notices.temperatures(temperatures, self._names)
            case ErrorMessage() as error:
                return self.notices.error_message(error, self._generation)
            case other:
                return [Say(logging.DEBUG, "ignored: %s", (other,))]

    def _state(self, state: ChargeState, now: float) -> list[Any]:
        before, control = self.charge_state, self.control
        self.charge_state = state
        effects: list[Any] = self.notices.settle("communication", {})
        effects += self._advance(now)
        expect_e = self.control.pwm_active is False
        effects += self.notices.look(state, self.permitted, expect_e=expect_e, closing=self.contactors.closing)
        effects += self._unfaithful(state, now)
        if state.safe_state_active is _NORMAL:
            effects += self._normal(before, now)
        else:
            effects += self._safe(state, before, now)
        if self._stalled and not any_closed(state):
            self._stalled = False
            effects += self.notices.settle("stalled", {})
        if state.rcm is RcmState.MONITORING and (before is None or before.rcm is not RcmState.MONITORING):
            effects += self.notices.settle("self test", {})
        if not self.notices.self_test_running:
            self._due.pop("self test", None)
        if state.cp_state is CpState.A and self.permitted:
            effects += [*self._withdraw("car unplugged"), *self._advance(now)]
        effects += self._tell_phases()
        if self.control != control:
            effects.append(SetImage(self.control))
        if self._followed(state):
            self._due.pop("duty", None)
        return self._armed(effects)

    def _unfaithful(self, state: ChargeState, now: float) -> list[Any]:
        """A feedback that denies its order is a fault of the contactor; wiring that cannot be is one of the board."""
        contradiction = self.contactors.wiring.contradiction(state)
        effects = self.notices.settle("wiring", {WIRING: contradiction} if contradiction else {})
        why = self.contactors.denial
        if why and not self.notices.contactor_failed and state.safe_state_active is _NORMAL:
            self.notices.contactor_failed = True
            effects += [*self.notices.settle("contactor", {CONTACTOR: why}), *self._withdraw("a contactor has failed")]
            effects += self._advance(now)
        return effects

    def _followed(self, state: ChargeState) -> bool:
        wanted = self.control
        if not wanted.pwm_active:
            return not state.pwm_active
        return state.pwm_active and abs(state.duty_percent - wanted.duty_percent) <= DUTY_TOLERANCE_PERCENT

    def _normal(self, before: ChargeState | None, now: float) -> list[Any]:
        if self.state is not Driver.HALTED:
            self.state = Driver.NORMAL
        self._way_out.normal(now)
        if before is not None and before.safe_state_active is not _NORMAL:
            return self.notices.forget_warnings()
        return []

    def _safe(self, state: ChargeState, before: ChargeState | None, now: float) -> list[Any]:
        effects: list[Any] = []
        fresh = before is None or before.safe_state_active is _NORMAL
        if fresh:
            effects.append(
                Say(logging.ERROR, "safety controller went to its safe state: %s", (state.safe_state_reason.text,))
            )
        self._way_out.safe(state, now, fresh=fresh)
        if self.permitted or self.contactors.orders != ALL_OPEN:
            effects += self._withdraw("safe state")
            self.contactors.let_go()
        if self.state is Driver.HALTED:
            return effects
        self.state = Driver.SAFE
        self._way_out.plan(state, before, now)
        return effects

    @on(event=Timeout)
    def _timeout(self, _: Timeout, now: float) -> list[Any]:
        effects: list[Any] = []
        over = [what for what, at in self._due.items() if at <= now]
        for what in over:
            del self._due[what]
        if "self test" in over:
            self.notices.self_test_running = False
        if "duty" in over and self.charge_state is not None and self.state is Driver.NORMAL:
            state, wanted = self.charge_state, self.control
            text = "pilot did not follow: wanted %s, is %s"
            # A state that is as before is not told again: there and back within a cycle is no change.
            if not self._followed(state):
                effects.append(Say(logging.WARNING, text, (_in_words(wanted), _in_words(state))))
        if self.charge_state is not None:
            control = self.control
            effects += self._advance(now)
            effects += [*self._unfaithful(self.charge_state, now), *self._tell_phases()]
            if self.control != control:
                effects.append(SetImage(self.control))
        if self._way_out.deadline is not None and now >= self._way_out.deadline:
            self._way_out.deadline = None
            if self.emergency:
                assert self.charge_state is not None
                self._way_out.tried(now)
                effects.append(ResetController(f"to leave {self.charge_state.safe_state_reason.text}"))
        return self._armed(effects)


def _in_words(pilot: ChargeControl | ChargeState) -> str:
    return f"{pilot.duty_percent:.1f} %" if pilot.pwm_active else "0 V"

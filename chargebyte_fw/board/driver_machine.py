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
from chargebyte_fw.board.driver_words import (
    STATE_E,
    STATE_F,
    STATE_X1,
    Enable,
    Halt,
    Permit,
    ResetController,
    RunAction,
    Say,
    SelfTest,
    SelfTestBegun,
    SetImage,
    SetPilot,
    Wish,
)
from chargebyte_fw.board.generations import TODAY, Generation
from chargebyte_fw.board.messages import (
    ActionId,
    ChargeControl,
    ChargeState,
    CpState,
    ErrorMessage,
    EstopState,
    Pt1000State,
    RcmState,
    SafeStateActive,
    SafeStateReason,
)
from chargebyte_fw.board.notices import (
    COMMUNICATION,
    SELF_TEST,
    STALLED,
    Notices,
    any_closed,
    pp_is_measurable,
)
from chargebyte_fw.kernel.machine import Machine, Timeout, on

_NORMAL = SafeStateActive.NORMAL
DUTY_TOLERANCE_PERCENT = 0.1
CALM_S = 10.0
"""A controller that stayed out of its safe state this long gets its first attempts back."""


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
    """One board. `socket`: the cable can be taken off; `names`: the temperature channels."""

    def __init__(self, socket: bool, names: tuple[str, ...], speed: float | None = 1.0) -> None:
        super().__init__(Driver.DOWN)
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
        self._attempt = 0
        self._reset_at = -timing.ASKED_RESET_PAUSE_S
        self._normal_since: float | None = None

    @property
    def control(self) -> ChargeControl:
        """The image that the controller shall have."""
        wish = self.wish if self.enabled and self.state is not Driver.HALTED else STATE_F
        close = self.permitted
        return ChargeControl(wish.pwm_active, wish.duty_percent, close, close, close)

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
        state = self.charge_state
        if state is None:
            return False
        unreadable = self.notices.socket and not pp_is_measurable(state.pp_state)
        return state.safe_state_active is not SafeStateActive.NORMAL or unreadable

    def _send(self, now: float) -> list[Any]:
        self._due["duty"] = now + self._confirm_s
        return self._armed([SetImage(self.control)])

    def _withdraw(self, why: str) -> list[Any]:
        if not self.permitted:
            return []
        self.permitted = False
        return [Say(logging.INFO, "contactors: permission withdrawn (%s)", (why,))]

    def _armed(self, effects: list[Any]) -> list[Any]:
        self.deadline = min(self._due.values(), default=None)
        return effects

    @on(event=Enable)
    def _enable(self, event: Enable, now: float) -> list[Any]:
        self.enabled = event.value
        return ([] if event.value else self._withdraw("port disabled")) + self._send(now)

    @on(event=SetPilot)
    def _set_pilot(self, event: SetPilot, now: float) -> list[Any]:
        self.wish = event.wish
        effects = self._withdraw("pilot E or F") if event.wish in (STATE_E, STATE_F) else []
        if event.wish == STATE_X1 and self.enabled and self.emergency and not _stopped(self.charge_state):
            pause_s = timing.ASKED_RESET_PAUSE_S if self._attempt < 2 else self._pause_s
            asked = max(now, self._reset_at + pause_s)
            self._due["reset"] = min(asked, self._due.get("reset", asked))
        return effects + self._send(now)

    @property
    def _pause_s(self) -> float:
        pauses = timing.SAFE_STATE_PAUSES_S
        return pauses[min(self._attempt, len(pauses) - 1)]

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
        if state.safe_state_active is not SafeStateActive.NORMAL:
            return f"the safety controller is in its safe state ({state.safe_state_reason.text})"
        if self.emergency:
            return "the cable's proximity pilot cannot be read"
        if state.diode_fault or state.cp_short_circuit or state.cp_state is CpState.INVALID:
            return "the control pilot is faulty"
        return ""

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
        return [SetImage(self.control), *self.enter(Driver.HALTED)]

    @on(event=lm.Up)
    def _up(self, event: lm.Up, now: float) -> list[Any]:
        version = ".".join(str(number) for number in event.firmware.version)
        git = event.git_hash.text
        platform, application = event.firmware.platform.text, event.firmware.application.text
        parameters = event.firmware.parameter_version
        self._generation = event.generation
        if self.state is not Driver.HALTED:
            self.state = Driver.STARTING
        return [
            Say(
                logging.INFO,
                "safety controller %s (g%s, %s, %s, Parameter Version: %s)",
                (version, git, platform, application, parameters),
            ),
            *self.notices.forget_warnings(),
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
        self._normal_since = None
        self.notices.forget()
        self._due.clear()
        if self.state is not Driver.HALTED:
            self.state = state
        return self._armed(effects)

    @on(event=lm.Tripped)
    def _tripped(self, _: lm.Tripped, now: float) -> list[Any]:
        told = f"this program did not run for more than {timing.DEAD_MAN_S:g} s"
        say = Say(logging.ERROR, "%s: its link opened the contactors and took the pilot to F", (told,))
        effects: list[Any] = [say]
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
        before = self.charge_state
        self.charge_state = state
        effects: list[Any] = self.notices.settle("communication", {})
        effects += self.notices.look(state, self.permitted, expect_e=self.control.pwm_active is False)
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
            effects += [*self._withdraw("car unplugged"), SetImage(self.control)]
        if self._followed(state):
            self._due.pop("duty", None)
        return self._armed(effects)

    def _followed(self, state: ChargeState) -> bool:
        wanted = self.control
        if not wanted.pwm_active:
            return not state.pwm_active
        return state.pwm_active and abs(state.duty_percent - wanted.duty_percent) <= DUTY_TOLERANCE_PERCENT

    def _normal(self, before: ChargeState | None, now: float) -> list[Any]:
        if self.state is not Driver.HALTED:
            self.state = Driver.NORMAL
        if self._normal_since is None:
            self._normal_since = now
        self._due.pop("reset", None)
        if before is not None and before.safe_state_active is not _NORMAL:
            return self.notices.forget_warnings()
        return []

    def _safe(self, state: ChargeState, before: ChargeState | None, now: float) -> list[Any]:
        effects: list[Any] = []
        if before is None or before.safe_state_active is _NORMAL:
            effects.append(
                Say(logging.ERROR, "safety controller went to its safe state: %s", (state.safe_state_reason.text,))
            )
            if self._normal_since is not None and now - self._normal_since >= CALM_S:
                self._attempt = 0
        self._normal_since = None
        if self.permitted:
            effects += [*self._withdraw("safe state"), SetImage(self.control)]
        if self.state is Driver.HALTED:
            return effects
        self.state = Driver.SAFE
        self._plan_the_way_out(state, before, now)
        return effects

    def _plan_the_way_out(self, state: ChargeState, before: ChargeState | None, now: float) -> None:
        """Only a reset leads out of the safe state: plan the next attempt, none while it would be in vain."""
        if _stopped(state) or state.safe_state_reason is SafeStateReason.HIGH_VOLTAGE_SWITCH_MALFUNCTION:
            self._due.pop("reset", None)
        elif _stopped(before):
            self._due["reset"] = now + timing.ASKED_RESET_PAUSE_S
        elif "reset" not in self._due:
            missed_us = state.safe_state_reason is SafeStateReason.COMMUNICATION_TIMEOUT and self._attempt == 0
            self._due["reset"] = now + (0.0 if missed_us else self._pause_s)

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
        if "reset" in over and self.emergency:
            self._attempt += 1
            self._reset_at = now
            assert self.charge_state is not None
            effects.append(ResetController(f"to leave {self.charge_state.safe_state_reason.text}"))
        return self._armed(effects)


def _stopped(state: ChargeState | None) -> bool:
    """Whether an emergency input is tripped."""
    return state is not None and EstopState.TRIPPED in (state.estop_1, state.estop_2, state.estop_3)


def _in_words(pilot: ChargeControl | ChargeState) -> str:
    return f"{pilot.duty_percent:.1f} %" if pilot.pwm_active else "0 V"

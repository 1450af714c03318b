"""The driver's rules for what the controller says: faults, its safe state and the way out of it, its silence.

What is ordered is in `driver_orders.py`.
"""

from __future__ import annotations

import logging
from typing import Any

from chargebyte_fw.board import timing
from chargebyte_fw.board.driver.contactors import ALL_OPEN
from chargebyte_fw.board.driver.events import STATE_E, STATE_F, STATE_X1, Log, ResetController, SetControl
from chargebyte_fw.board.driver.faults import COMMUNICATION, STALLED, WIRING, any_closed
from chargebyte_fw.board.driver.orders import DriverOrders, DriverState
from chargebyte_fw.board.link import machine as lm
from chargebyte_fw.board.link.messages.charge_som import (
    ChargeControl,
    ChargeState,
    CpState,
    ErrorMessage,
    Pt1000State,
    RcmState,
    SafeStateActive,
    SafeStateReason,
)
from chargebyte_fw.kernel.machine import Timeout, on

_NORMAL = SafeStateActive.NORMAL
_CONSTANT = (STATE_E, STATE_F, STATE_X1)
DUTY_TOLERANCE_PERCENT = 0.1


class DriverMachine(DriverOrders):
    """One board: orders from above, words of its safety controller from below."""

    @on(event=lm.LinkUp)
    def _up(self, event: lm.LinkUp, now: float) -> list[Any]:
        version = ".".join(str(number) for number in event.firmware.version)
        git = event.git_hash.text
        platform, application = event.firmware.platform.text, event.firmware.application.text
        parameters = event.firmware.parameter_version
        self._generation, self._version = event.generation, version
        level = self._level(logging.INFO)
        if self.state is not DriverState.HALTED:
            self.state = DriverState.STARTING
        return [
            Log(
                level,
                "safety controller %s (g%s, %s, %s, Parameter Version: %s)",
                (version, git, platform, application, parameters),
            ),
            *self.notices.forget_warnings(),
            *self._tell_phases(),
            *self._send(now),
        ]

    @on(event=lm.ControllerReset)
    def _restarting(self, event: lm.ControllerReset, now: float) -> list[Any]:
        return [
            Log(self._level(logging.INFO), "safety controller is being reset: %s", (event.why,)),
            *self._void(DriverState.STARTING, "reset"),
        ]

    def _level(self, level: int) -> int:
        """Return the level of a line about the way out of a safe state; what is tried again is no news."""
        again = self._recovery.attempts > 1 and self.state is not DriverState.NO_LINK
        return logging.DEBUG if again else level

    @on(event=lm.LinkDown)
    def _down(self, event: lm.LinkDown, now: float) -> list[Any]:
        effects = self._void(DriverState.NO_LINK, "link lost")
        told = f"no link to the safety controller: {event.why}"
        return [
            Log(logging.ERROR, "%s; contactors open, trying again", (told,)),
            *effects,
            *self.notices.settle("communication", {COMMUNICATION: told}),
        ]

    @on(event=lm.LinkStillDown)
    def _still_down(self, event: lm.LinkStillDown, now: float) -> list[Any]:
        return [Log(logging.WARNING, "still no link to the safety controller: %s", (event.why,))]

    def _void(self, state: DriverState, why: str) -> list[Any]:
        """Forget what the controller said, and what it was told."""
        effects = self._withdraw(why)
        self.charge_state = self.temperatures = None
        self._recovery.let_go()
        self.notices.forget()
        self.contactors.let_go()
        self.switch.let_go()
        self._due.clear()
        if self.state is not DriverState.HALTED:
            self.state = state
        return self._armed([*effects, *self._tell_phases()])

    @on(event=lm.DeadManTripped)
    def _tripped(self, _: lm.DeadManTripped, now: float) -> list[Any]:
        told = f"this program did not run for more than {timing.DEAD_MAN_S:g} s"
        say = Log(logging.ERROR, "%s: its link opened the contactors and took the pilot to F", (told,))
        effects: list[Any] = [say]
        self.contactors.let_go()  # nothing of a way to open is sent any more: it would close again
        if self.permitted:
            self._stalled = True
            effects += [*self._withdraw("stalled"), *self.notices.settle("stalled", {STALLED: told})]
        return effects + self._send(now)

    @on(event=lm.UnknownFrame)
    def _strange(self, event: lm.UnknownFrame, now: float) -> list[Any]:
        return [Log(logging.DEBUG, "ignored: COM id 0x%02X, %s", (event.frame.com_id, event.frame.payload.hex()))]

    @on(event=lm.MessageReceived)
    def _said(self, event: lm.MessageReceived, now: float) -> list[Any]:
        match event.message:
            case ChargeState() as state:
                return self._state(state, now)
            case Pt1000State() as temperatures:
                self.temperatures = temperatures
                return self.notices.temperatures(temperatures, self._names)
            case ErrorMessage() as error:
                return self.notices.error_message(error, self._generation)
            case other:
                return [Log(logging.DEBUG, "ignored: %s", (other,))]

    def _state(self, state: ChargeState, now: float) -> list[Any]:
        before, control = self.charge_state, self.control
        self.charge_state = state
        effects: list[Any] = self._advance(now)
        expect_e = self.control.pwm_active is False
        effects += self.notices.look(state, self.permitted, expect_e=expect_e, closing=self.contactors.closing)
        effects += self._unfaithful(state, now)
        if state.safe_state_active is _NORMAL:
            effects += self._normal(state, before, now)
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
            effects.append(SetControl(self.control))
        if self._followed(state):
            self._due.pop("duty", None)
        # The link counts as lost until everything that the controller says is told: what was unseen comes first.
        effects += self.notices.settle("communication", {})
        return self._armed(effects)

    def _unfaithful(self, state: ChargeState, now: float) -> list[Any]:
        """A contactor that is not where it was ordered is its fault; wiring that cannot be is one of the board."""
        contradiction = self.contactors.wiring.contradiction(state)
        effects = self.notices.settle("wiring", {WIRING: contradiction} if contradiction else {})
        refused, closed = self.contactors.denial, self.contactors.closed_unordered
        if state.safe_state_active is not _NORMAL:
            refused = ""  # the controller has opened everything by itself
        effects += self.notices.contactors_are(refused, closed)
        if self.notices.contactor_unfit and (self.permitted or self.contactors.orders != ALL_OPEN):
            effects += [*self._withdraw("a contactor has failed"), *self._advance(now)]
        return effects

    def _followed(self, state: ChargeState) -> bool:
        wanted = self.control
        if not wanted.pwm_active:
            return not state.pwm_active
        return state.pwm_active and abs(state.duty_percent - wanted.duty_percent) <= DUTY_TOLERANCE_PERCENT

    def _normal(self, state: ChargeState, before: ChargeState | None, now: float) -> list[Any]:
        if self.state is not DriverState.HALTED:
            self.state = DriverState.NORMAL
        self._recovery.normal(state, now)
        if before is not None and before.safe_state_active is not _NORMAL:
            return self.notices.forget_warnings()
        return []

    def _safe(self, state: ChargeState, before: ChargeState | None, now: float) -> list[Any]:
        effects: list[Any] = []
        fresh = before is None or before.safe_state_active is _NORMAL
        self._recovery.safe(state, now, fresh=fresh)
        if fresh:
            again = self._recovery.attempts > 0 and state.safe_state_reason is self._safe_reason
            self._safe_reason = state.safe_state_reason
            level = logging.DEBUG if again else logging.ERROR
            effects.append(Log(level, "safety controller went to its safe state: %s", (state.safe_state_reason.text,)))
            if (
                state.safe_state_reason is SafeStateReason.CONTROL_PILOT_DIODE_NOT_DETECTED
                and self.wish not in _CONSTANT
            ):
                # A diode is judged by the negative half wave alone: +12 V lets the plug be watched after the reset.
                self.wish = STATE_X1
        if self.permitted or self.contactors.orders != ALL_OPEN:
            effects += self._withdraw("safe state")
            self.contactors.let_go()
        if self.state is DriverState.HALTED:
            return effects
        self.state = DriverState.SAFE_STATE
        self._recovery.plan(state, before, now)
        return effects

    @on(event=Timeout)
    def _timeout(self, _: Timeout, now: float) -> list[Any]:
        effects: list[Any] = []
        over = [what for what, at in self._due.items() if at <= now]
        for what in over:
            del self._due[what]
        if "self test" in over:
            self.notices.self_test_running = False
        if "duty" in over and self.charge_state is not None and self.state is DriverState.NORMAL:
            state, wanted = self.charge_state, self.control
            text = "pilot did not follow: wanted %s, is %s"
            # A state that is as before is not told again: there and back within a cycle is no change.
            if not self._followed(state):
                effects.append(Log(logging.WARNING, text, (_in_words(wanted), _in_words(state))))
        if self.charge_state is not None:
            control = self.control
            effects += self._advance(now)
            effects += [*self._unfaithful(self.charge_state, now), *self._tell_phases()]
            if self.control != control:
                effects.append(SetControl(self.control))
        if self._recovery.deadline is not None and now >= self._recovery.deadline:
            self._recovery.deadline = None
            if self.emergency:
                assert self.charge_state is not None
                self._recovery.tried(now)
                effects.append(ResetController(f"to leave {self.charge_state.safe_state_reason.text}"))
        return self._armed(effects)


def _in_words(pilot: ChargeControl | ChargeState) -> str:
    return f"{pilot.duty_percent:.1f} %" if pilot.pwm_active else "0 V"

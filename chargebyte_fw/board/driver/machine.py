"""The driver's rules for what the controller reports: faults, its safe state and the way out of it, its silence.

What is ordered is in `orders.py`.
"""

from __future__ import annotations

import logging
from typing import Any

from chargebyte_fw.board import timing
from chargebyte_fw.board.driver.charge_state import any_closed, is_normal
from chargebyte_fw.board.driver.effects import Log, ResetController, SetControl
from chargebyte_fw.board.driver.events import STATE_E, STATE_F, STATE_X1
from chargebyte_fw.board.driver.facts import ControllerFacts
from chargebyte_fw.board.driver.faults import COMMUNICATION, STALLED, WIRING
from chargebyte_fw.board.driver.orders import IN_SERVICE, LINKED, REPORTING, DriverOrders, DriverState
from chargebyte_fw.board.driver.wiring import ALL_OPEN
from chargebyte_fw.board.link.events import (
    ChargeStateReceived,
    ControllerReset,
    DeadManTripped,
    ErrorReceived,
    LinkDown,
    LinkStillDown,
    LinkUp,
    TemperaturesReceived,
    UnknownFrame,
)
from chargebyte_fw.board.link.messages.charge_som import (
    ChargeControl,
    ChargeState,
    CpState,
    RcmState,
    SafeStateReason,
)
from chargebyte_fw.kernel.machine import on

_S = DriverState
_NOT_PWM = (STATE_E, STATE_F, STATE_X1)
DUTY_TOLERANCE_PERCENT = 0.1


class DriverMachine(DriverOrders):
    """One board: orders of EVerest's interfaces, reports of its safety controller."""

    # The link.

    @on(*IN_SERVICE, event=LinkUp, to=_S.STARTING)
    def _link_up(self, event: LinkUp, now: float) -> list[Any]:
        """Log what runs on the controller; send what is ordered."""
        line = self._log_firmware(event)
        withdrawn = self._begin_life("link up", now)
        effects = self.enter(_S.STARTING, line, *withdrawn, *self.reports.errors.void(), *self._publish_phases())
        return effects + self._send(now)

    @on(_S.HALTED, event=LinkUp)
    def _link_up_halted(self, event: LinkUp, now: float) -> list[Any]:
        """Log what runs on the controller; send pilot F."""
        return [self._log_firmware(event), *self.reports.errors.void(), *self._publish_phases(), *self._send(now)]

    def _log_firmware(self, event: LinkUp) -> Log:
        firmware = event.firmware
        kind = (firmware.platform.text, firmware.application.text, firmware.parameter_version)
        self.link = event
        text = "safety controller %s (g%s, %s, %s, Parameter Version: %s)"
        return Log(self._level(logging.INFO), text, (event.version, event.git_hash.text, *kind))

    @on(*IN_SERVICE, event=ControllerReset, to=_S.STARTING)
    def _controller_reset(self, event: ControllerReset, now: float) -> list[Any]:
        """Void what the controller reported, and the permission."""
        line = Log(self._level(logging.INFO), "safety controller is being reset: %s", (event.why,))
        effects = self._void("reset", now)
        return self.enter(_S.STARTING, line, *effects)

    @on(*IN_SERVICE, event=LinkDown, to=_S.NO_LINK)
    def _link_down(self, event: LinkDown, now: float) -> list[Any]:
        """Void what the controller reported, and the permission; raise the fault."""
        effects = self._lost(event, now)
        return self.enter(_S.NO_LINK, *effects)

    @on(_S.HALTED, event=ControllerReset)
    def _controller_reset_halted(self, event: ControllerReset, now: float) -> list[Any]:
        """Void what the controller reported."""
        line = Log(self._level(logging.INFO), "safety controller is being reset: %s", (event.why,))
        return [line, *self._void("reset", now)]

    @on(_S.HALTED, event=LinkDown)
    def _link_down_halted(self, event: LinkDown, now: float) -> list[Any]:
        """Void what the controller reported; raise the fault."""
        return self._lost(event, now)

    def _lost(self, event: LinkDown, now: float) -> list[Any]:
        text = f"no link to the safety controller: {event.why}"
        return [
            Log(logging.ERROR, "%s; contactors open, trying again", (text,)),
            *self._void("link lost", now),
            *self.reports.faults.settle("communication", COMMUNICATION, text),
        ]

    @on(*IN_SERVICE, _S.HALTED, event=LinkStillDown)
    def _still_down(self, event: LinkStillDown, now: float) -> list[Any]:
        """Log why."""
        return [Log(logging.WARNING, "still no link to the safety controller: %s", (event.why,))]

    def _level(self, level: int) -> int:
        """Return the level of a line about the way out of a safe state; what is tried again is logged for debugging."""
        again = self.recovery.attempts > 1 and self.state is not _S.NO_LINK
        return logging.DEBUG if again else level

    def _void(self, why: str, now: float) -> list[Any]:
        """Begin a new life of the controller: nothing that it reported counts, and nothing that it was permitted."""
        return [*self._begin_life(why, now), *self._publish_phases()]

    def _begin_life(self, why: str, now: float) -> list[Any]:
        effects = self._withdraw(why)
        self.controller = ControllerFacts()
        self.reports.residual_current.controller_reset()
        for timer in ("duty", "self test", "reset"):
            self.stop(timer)
        self.power_path.abort(now)
        self._follow_power_path()
        return effects

    @on(*IN_SERVICE, _S.HALTED, event=DeadManTripped)
    def _dead_man_tripped(self, _: DeadManTripped, now: float) -> list[Any]:
        """Withdraw the permission: the link has opened the contactors in place of a stuck event loop."""
        text = f"this program did not run for more than {timing.DEAD_MAN_S:g} s"
        line = Log(logging.ERROR, "%s: its link opened the contactors and took the pilot to F", (text,))
        effects: list[Any] = [line]
        self._release(now)  # nothing of a sequence under way is sent any more: it would close again
        if self.orders.permitted:
            effects += [*self._withdraw("stalled"), *self.reports.faults.settle("stalled", STALLED, text)]
        return effects + self._send(now)

    # Reports.

    @on(*IN_SERVICE, _S.HALTED, event=UnknownFrame)
    def _unknown_frame(self, event: UnknownFrame, now: float) -> list[Any]:
        """Log it."""
        return [Log(logging.DEBUG, "ignored: COM id 0x%02X, %s", (event.frame.com_id, event.frame.payload.hex()))]

    @on(*LINKED, _S.HALTED, event=TemperaturesReceived)
    def _temperatures(self, event: TemperaturesReceived, now: float) -> list[Any]:
        """Raise or clear faults of the channels."""
        self.controller.temperatures = event.message
        return self.reports.faults.temperatures(event.message, self._names)

    @on(*LINKED, _S.HALTED, event=ErrorReceived)
    def _error(self, event: ErrorReceived, now: float) -> list[Any]:
        """Raise or clear a warning."""
        return self.reports.errors.take(event.message, self._generation)

    @on(*LINKED, event=ChargeStateReceived, to=REPORTING)
    def _charge_state(self, event: ChargeStateReceived, now: float) -> list[Any]:
        """Publish what changed; withdraw the permission where it no longer holds; leave a safe state in time."""
        state, before, control = event.message, self.controller.charge_state, self.control
        effects = self._look(state, now)
        effects += self._normal(state, before, now) if is_normal(state) else self._safe_state(state, before, now)
        return effects + self._conclude(state, before, control, now)

    @on(_S.HALTED, event=ChargeStateReceived)
    def _charge_state_halted(self, event: ChargeStateReceived, now: float) -> list[Any]:
        """Publish what changed, until contactors are open and the pilot is at F."""
        state, before, control = event.message, self.controller.charge_state, self.control
        effects = self._look(state, now)
        if not is_normal(state):
            effects += self._enter_safe_state(state, before, now)
        return effects + self._conclude(state, before, control, now)

    def _look(self, state: ChargeState, now: float) -> list[Any]:
        """Take a new state: contactors and phases go on, events and faults follow."""
        before = self.controller.charge_state
        self.controller.charge_state = state
        effects = self._advance(now)
        effects += self.reports.of_state(
            state,
            before,
            self.controller.published,
            permitted=self.orders.permitted,
            expect_e=not self.control.pwm_active,
            closing=self.power_path.is_closing(state, self.orders.permitted),
        )
        return effects + self._check_contactors(state, now)

    def _check_contactors(self, state: ChargeState, now: float) -> list[Any]:
        """A contactor that is not as ordered is its fault; wiring that cannot be is one of the board."""
        contradiction = self.wiring.contradiction(state)
        effects = self.reports.faults.settle("wiring", WIRING, contradiction)
        # In its safe state the controller has opened everything by itself.
        refused = self.power_path.did_not_close if is_normal(state) else ""
        effects += self.reports.faults.contactors(refused, self.power_path.did_not_open)
        if self.reports.faults.contactor_unfit and (self.orders.permitted or self.power_path.orders != ALL_OPEN):
            effects += [*self._withdraw("a contactor has failed"), *self._advance(now)]
        return effects

    def _normal(self, state: ChargeState, before: ChargeState | None, now: float) -> list[Any]:
        if self.state is not _S.NORMAL:
            self.start("calm", now + timing.SAFE_STATE_CALM_S)
        self.recovery.normal(state)
        self.stop("reset")
        self.enter(_S.NORMAL)
        return self.reports.errors.void() if before is not None and not is_normal(before) else []

    def _safe_state(self, state: ChargeState, before: ChargeState | None, now: float) -> list[Any]:
        effects = self._enter_safe_state(state, before, now)
        at_s = self.recovery.plan(state, before, self.due("reset"), now)
        if at_s is None:
            self.stop("reset")
        else:
            self.start("reset", at_s)
        return self.enter(_S.SAFE_STATE, *effects)

    def _enter_safe_state(self, state: ChargeState, before: ChargeState | None, now: float) -> list[Any]:
        """Withdraw the permission; log a new safe state."""
        effects: list[Any] = []
        reason = state.safe_state_reason
        if before is None or is_normal(before):
            level = logging.DEBUG if self.recovery.entered(reason) else logging.ERROR
            effects.append(Log(level, "safety controller went to its safe state: %s", (reason.text,)))
            no_diode = reason is SafeStateReason.CONTROL_PILOT_DIODE_NOT_DETECTED
            if no_diode and self.orders.pilot not in _NOT_PWM:
                # A diode is judged by the negative half wave alone: +12 V lets the plug be watched after the reset.
                self.orders.pilot = STATE_X1
        if self.orders.permitted or self.power_path.orders != ALL_OPEN:
            effects += self._withdraw("safe state")
            self._release(now)
            # A contactor that is still closed gets its time to open from now on, whatever is reported next.
            effects += self._advance(now)
        return effects

    def _conclude(
        self, state: ChargeState, before: ChargeState | None, control: ChargeControl, now: float
    ) -> list[Any]:
        """Clear what is over, open for a car that is unplugged, and send an image that differs from `control`."""
        effects: list[Any] = []
        if not any_closed(state):
            effects += self.reports.faults.settle("stalled", STALLED, "")
        if state.rcm is RcmState.MONITORING and (before is None or before.rcm is not RcmState.MONITORING):
            effects += self.reports.residual_current.monitoring_began()
        if not self.reports.residual_current.self_test.ordered:
            self.stop("self test")
        if state.cp_state is CpState.A and self.orders.permitted:
            effects += [*self._withdraw("car unplugged"), *self._advance(now)]
        effects += self._publish_phases()
        if self.control != control:
            effects.append(SetControl(self.control))
        if _followed(self.control, state):
            self.stop("duty")
        # The link counts as lost until all that the controller reports is published: what was unseen comes first.
        return effects + self.reports.faults.settle("communication", COMMUNICATION, "")

    # Timers.

    @on(*REPORTING, _S.HALTED, timer="power path")
    def _power_path_over(self, now: float) -> list[Any]:
        """Let contactors and phases go on; count a contactor that has not followed for too long."""
        control = self.control
        effects: list[Any] = self.power_path.wake(now)
        state = self.controller.charge_state
        if state is None:
            return effects
        effects += [*self._advance(now), *self._check_contactors(state, now), *self._publish_phases()]
        return effects if self.control == control else [*effects, SetControl(self.control)]

    @on(*LINKED, timer="duty")
    def _duty_over(self, now: float) -> list[Any]:
        """Log a pilot that did not follow its order."""
        state, wanted = self.controller.charge_state, self.control
        # A state that is as before is not reported again: there and back within a cycle is no change.
        if self.state is not _S.NORMAL or state is None or _followed(wanted, state):
            return []
        return [Log(logging.WARNING, "pilot did not follow: wanted %s, is %s", (_text(wanted), _text(state)))]

    @on(_S.NORMAL, timer="calm")
    def _calm(self, now: float) -> None:
        """Give the next safe state its first pauses again."""
        self.recovery.calm()

    @on(*REPORTING, timer="reset")
    def _reset_due(self, now: float) -> list[Any]:
        """Reset a controller that still needs it."""
        state = self.controller.charge_state
        if state is None or not self._emergency:
            return []
        self.recovery.reset(now)
        return [ResetController(f"to leave {state.safe_state_reason.text}")]


def _followed(wanted: ChargeControl, state: ChargeState) -> bool:
    if not wanted.pwm_active:
        return not state.pwm_active
    return state.pwm_active and abs(state.duty_percent - wanted.duty_percent) <= DUTY_TOLERANCE_PERCENT


def _text(pilot: ChargeControl | ChargeState) -> str:
    return f"{pilot.duty_percent:.1f} %" if pilot.pwm_active else "0 V"

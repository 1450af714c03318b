"""When the controller is reset out of its safe state: nothing else leads out; pauses grow while it is in vain."""

from __future__ import annotations

from chargebyte_fw.board import timing
from chargebyte_fw.board.driver.charge_state import PLUGGED_IN, emergency_input_tripped
from chargebyte_fw.board.link.messages.charge_som import ChargeState, CpState, SafeStateReason
from chargebyte_fw.kernel.backoff import Backoff


class SafeStateRecovery:
    """The attempts so far. Each method takes the second of the planned reset (None: none) and returns the new one."""

    def __init__(self) -> None:
        self._pauses = Backoff(timing.SAFE_STATE_PAUSES_S)
        self._reset_at_s = -timing.ASKED_RESET_PAUSE_S
        self._plugged_in = False
        self._reason = SafeStateReason.NO_SAFE_STATE

    @property
    def attempts(self) -> int:
        """Resets since the controller was out of its safe state for SAFE_STATE_CALM_S."""
        return self._pauses.failures

    @property
    def _pause_s(self) -> float:
        pause_s = self._pauses.pause_s
        return min(pause_s, timing.PLUG_LOOK_S) if self._plugged_in else pause_s

    def entered(self, reason: SafeStateReason) -> bool:
        """Take note of a new safe state; return whether it is the one that the last reset was to lead out of."""
        again = self.attempts > 0 and reason is self._reason
        self._reason = reason
        return again

    def on_request(self, planned_s: float | None, now: float) -> float:
        """Plan a reset that was asked for (`cp_state_X1`): sooner than by itself, but with a pause after the last."""
        pause_s = timing.ASKED_RESET_PAUSE_S if self.attempts < 2 else self._pause_s
        at_s = max(now, self._reset_at_s + pause_s)
        return at_s if planned_s is None else min(at_s, planned_s)

    def plan(self, state: ChargeState, before: ChargeState | None, planned_s: float | None, now: float) -> float | None:
        """Plan a reset in a safe state; none while an emergency input is tripped.

        After a failed contactor a reset gives no power back (the driver closes nothing any more), but the safe state's
        -12 V hides the plug: a car that leaves would never be seen to.
        """
        if emergency_input_tripped(state):
            return None
        if emergency_input_tripped(before):
            return now + timing.ASKED_RESET_PAUSE_S
        if planned_s is not None:
            return planned_s
        missed_host = state.safe_state_reason is SafeStateReason.COMMUNICATION_TIMEOUT and self.attempts == 0
        return now + (0.0 if missed_host else self._pause_s)

    def normal(self, state: ChargeState) -> None:
        """Take note of whether the pilot shows a car: the safe state hides it."""
        if state.cp_state in PLUGGED_IN or state.cp_state is CpState.A:
            self._plugged_in = state.cp_state in PLUGGED_IN

    def calm(self) -> None:
        """Begin with the first pauses again: the controller is out of its safe state for long enough."""
        self._pauses.reset()

    def reset(self, now: float) -> None:
        """Count a reset."""
        self._pauses.fail()
        self._reset_at_s = now

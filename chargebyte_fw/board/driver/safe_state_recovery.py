"""How a controller leaves its safe state: by a reset only, at pauses that grow while it does not help."""

from __future__ import annotations

from chargebyte_fw.board import timing
from chargebyte_fw.board.link.messages.charge_som import ChargeState, CpState, EstopState, SafeStateReason

_PLUGGED = (CpState.B, CpState.C, CpState.D)
CALM_S = 10.0
"""A controller that stayed out of its safe state this long gets its first attempts back."""


def stopped(state: ChargeState | None) -> bool:
    """Whether an emergency input is tripped."""
    return state is not None and EstopState.TRIPPED in (state.estop_1, state.estop_2, state.estop_3)


class SafeStateRecovery:
    """When the next reset is due."""

    def __init__(self) -> None:
        self.deadline: float | None = None
        self._attempt = 0
        self._reset_at = -timing.ASKED_RESET_PAUSE_S
        self._normal_since: float | None = None
        self._plugged = False

    @property
    def attempts(self) -> int:
        """How often it was tried since the controller was well for long enough."""
        return self._attempt

    @property
    def _pause_s(self) -> float:
        pauses = timing.SAFE_STATE_PAUSES_S
        pause_s = pauses[min(self._attempt, len(pauses) - 1)]
        return min(pause_s, timing.PLUG_LOOK_S) if self._plugged else pause_s

    def asked(self, now: float) -> None:
        """Somebody insists (`cp_state_X1`): sooner than planned, but never a storm."""
        pause_s = timing.ASKED_RESET_PAUSE_S if self._attempt < 2 else self._pause_s
        at = max(now, self._reset_at + pause_s)
        self.deadline = at if self.deadline is None else min(at, self.deadline)

    def normal(self, state: ChargeState, now: float) -> None:
        """Everything is well, and the pilot shows whether there is a car."""
        if state.cp_state in _PLUGGED or state.cp_state is CpState.A:
            self._plugged = state.cp_state in _PLUGGED
        if self._normal_since is None:
            self._normal_since = now
        elif now - self._normal_since >= CALM_S:
            self._attempt = 0
        self.deadline = None

    def safe(self, state: ChargeState, now: float, *, fresh: bool) -> None:
        """The controller is in its safe state, since just now if `fresh`."""
        if fresh and self._normal_since is not None and now - self._normal_since >= CALM_S:
            self._attempt = 0
        self._normal_since = None

    def plan(self, state: ChargeState, before: ChargeState | None, now: float) -> None:
        """Plan the next attempt, none while it would be in vain.

        After a failed contactor it gives no power back (the driver closes nothing any more), but the safe state's
        -12 V hides the plug: a car that leaves would never be seen to.
        """
        if stopped(state):
            self.deadline = None
        elif stopped(before):
            self.deadline = now + timing.ASKED_RESET_PAUSE_S
        elif self.deadline is None:
            missed_us = state.safe_state_reason is SafeStateReason.COMMUNICATION_TIMEOUT and self._attempt == 0
            self.deadline = now + (0.0 if missed_us else self._pause_s)

    def tried(self, now: float) -> None:
        """A reset is being made."""
        self._attempt += 1
        self._reset_at = now

    def let_go(self) -> None:
        """The link is down or the controller begins anew."""
        self.deadline = self._normal_since = None

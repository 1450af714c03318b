"""The plug lock's rules: a motor behind the safety controller, moved by actions, seen by CHARGE_STATE and errors.

What was ordered last stands: a controller that was reset gets the order again. The lock never opens while a contactor
is closed; the order waits.
"""

from __future__ import annotations

import logging
from enum import Enum, auto
from typing import Any

from chargebyte_fw.board import timing
from chargebyte_fw.board.driver.events import (
    ClearFault,
    FaultKey,
    Implementation,
    Log,
    MovePlugLock,
    RaiseFault,
    RequestAction,
)
from chargebyte_fw.board.driver.faults import PLUG_LOCK_MODULE, any_closed
from chargebyte_fw.board.link import machine as lm
from chargebyte_fw.board.link.messages.charge_som import ActionId, ChargeState, ErrorMessage, InletState
from chargebyte_fw.board.link.messages.generations import FIRST_PARAMETER_BLOCK_WITH_INLET, TODAY, Generation
from chargebyte_fw.kernel.machine import Machine, Timeout, on

NAMESPACE = "connector_lock"
_BY_REASON = {
    2: "ConnectorLockUnexpectedClose",
    3: "ConnectorLockFailedLock",
    4: "ConnectorLockUnexpectedOpen",
    5: "ConnectorLockFailedUnlock",
    7: "VendorWarning",
}
_ENDS = {True: (InletState.CLOSED,), False: (InletState.OPEN,)}
_MOVES = {True: ActionId.INLET_CLOSE, False: ActionId.INLET_OPEN}
LOCK_INPUTS = (lm.LinkUp, lm.ControllerReset, lm.LinkDown, lm.MessageReceived, lm.ActionResult)
"""What the link tells that concerns the lock."""


def lock_tape(module_id: str) -> str:
    """Return the recorder's name for the lock of a driver."""
    return f"{module_id} plug lock"


class LockState(Enum):
    """Where the lock is, as far as orders go."""

    UNAVAILABLE = auto()
    """No link, or a controller that cannot move a lock."""
    AT_REST = auto()
    WAITING = auto()
    """A contactor is closed: the plug stays locked."""
    ASKING = auto()
    MOVING = auto()


class PlugLock(Machine):
    """One plug lock. `speed` is the clock's (timing.patient)."""

    def __init__(self, speed: float | None = 1.0) -> None:
        super().__init__(LockState.UNAVAILABLE)
        self._limit_s = timing.patient(timing.LOCK_LIMIT_S, speed)
        self._generation: Generation = TODAY
        self._running = ""
        self._closed: bool | None = None
        """What was ordered last; None: nothing yet."""
        self._state: ChargeState | None = None
        self._tries = 0
        self._reasons: dict[int, str] = {}
        self._own: dict[FaultKey, str] = {}
        self._raised: dict[FaultKey, str] = {}

    # What is told.

    @on(event=lm.LinkUp)
    def _up(self, event: lm.LinkUp, now: float) -> list[Any]:
        self._generation = event.generation
        version = ".".join(str(number) for number in event.firmware.version)
        self._running = f"{version} with parameter block version {event.firmware.parameter_version}"
        self._state = None
        self._reasons.clear()
        self._own.clear()
        return [*self._go_away(), *(self._begin(now) if self._closed is not None else [])]

    @on(event=lm.ControllerReset)
    @on(event=lm.LinkDown)
    def _gone(self, _: Any, now: float) -> list[Any]:
        self._state = None
        self._running = ""
        return self._go_away()

    def _go_away(self) -> list[Any]:
        self._reasons.clear()
        return [*self.enter(LockState.UNAVAILABLE), *self._settle()]

    @on(event=lm.MessageReceived)
    def _said(self, event: lm.MessageReceived, now: float) -> list[Any]:
        match event.message:
            case ChargeState() as state if self._generation.has_inlet:
                return self._look(state, now)
            case ErrorMessage() as error if self._generation.error_text(error)[0] == PLUG_LOCK_MODULE:
                text = self._generation.error_text(error)[1]
                if error.active:
                    self._reasons[error.reason] = text
                else:
                    self._reasons.pop(error.reason, None)
                return self._settle()
        return []

    def _look(self, state: ChargeState, now: float) -> list[Any]:
        before, self._state = self._state, state
        effects: list[Any] = []
        if before is None or before.inlet is not state.inlet:
            effects.append(Log(logging.DEBUG, "plug lock: %s", (state.inlet.name,)))
            failed = self._key("MREC1ConnectorLockFailure")
            if state.inlet is InletState.ERROR:
                self._own[failed] = "the plug lock's position cannot be told"
            else:
                self._own.pop(failed, None)
        known = before is not None and before.inlet is not InletState.UNDEFINED
        resumed = not known and self.state is LockState.UNAVAILABLE and self._closed is not None
        if resumed or (self.state is LockState.WAITING and not any_closed(state)):
            effects += self._begin(now)
        elif self.state is LockState.MOVING and self._closed is not None and state.inlet in _ENDS[self._closed]:
            self._own.pop(self._failure, None)
            effects += [Log(logging.INFO, "plug %s", ("locked" if self._closed else "unlocked",))]
            self.enter(LockState.AT_REST)
        elif self.state is LockState.AT_REST and self._closed is not None and before is not None:
            self._watch_at_rest(before.inlet, state.inlet)
        elif self.state is LockState.MOVING and state.inlet is InletState.ERROR:
            effects += self._failed("the plug lock did not get there")
        return [*effects, *self._settle()]

    def _watch_at_rest(self, before: InletState, now: InletState) -> None:
        """A lock that leaves its place without an order is a fault until it is back, also without an error message."""
        moved = self._key("ConnectorLockUnexpectedOpen" if self._closed else "ConnectorLockUnexpectedClose")
        right, wrong = _ENDS[bool(self._closed)], _ENDS[not self._closed]
        if before not in wrong and now in wrong and self._failure not in self._own:
            self._own[moved] = f"the plug lock {'opened' if self._closed else 'closed'} without an order"
        elif now in right:
            self._own.pop(moved, None)

    # What is ordered.

    @on(event=MovePlugLock)
    def _move(self, event: MovePlugLock, now: float) -> list[Any]:
        effects: list[Any] = []
        if not event.close:
            # Who unlocks begins anew: what was wrong before is told again if it still is.
            self._reasons.clear()
            self._own.clear()
            effects += self._settle()
        if event.close is self._closed and self.state in (LockState.ASKING, LockState.MOVING):
            return effects
        self._closed = event.close
        return effects + self._begin(now, turned=self.state in (LockState.ASKING, LockState.MOVING))

    def _begin(self, now: float, *, turned: bool = False) -> list[Any]:
        """Take the order up, if the controller can and nothing is under load. `turned`: another is under way."""
        if not self._running:
            return self.enter(LockState.UNAVAILABLE)  # taken up when the link is there
        if not self._generation.has_inlet:
            return self._cannot(
                f"the plug lock needs firmware on the safety controller with parameter block version "
                f"{FIRST_PARAMETER_BLOCK_WITH_INLET} or newer; it has {self._running}"
            )
        state = self._state
        if state is None or state.inlet is InletState.UNDEFINED:
            return self.enter(LockState.UNAVAILABLE)
        if state.inlet is InletState.NOT_CONFIGURED:
            return self._cannot("the parameter block has no plug lock (`pluglock`)")
        if not self._closed and any_closed(state):
            self.enter(LockState.WAITING)
            return [Log(logging.WARNING, "the plug stays locked while a contactor is closed")]
        if state.inlet in _ENDS[bool(self._closed)] and not turned:
            return [*self.enter(LockState.AT_REST), *self._settle()]
        self._tries = 1
        return self._ask()

    def _cannot(self, why: str) -> list[Any]:
        """Refuse; a plug that shall be locked and cannot be is a fault, an unlocked one is as ordered."""
        self.enter(LockState.UNAVAILABLE)
        if not self._closed:
            return [Log(logging.DEBUG, "plug lock: %s", (why,)), *self._settle()]
        self._own[FaultKey(Implementation.LOCK, f"{NAMESPACE}/MREC1ConnectorLockFailure", "Unsupported")] = why
        return self._settle()

    def _ask(self) -> list[Any]:
        return [*self.enter(LockState.ASKING), RequestAction(_MOVES[bool(self._closed)])]

    @on(event=lm.ActionResult)
    def _acted(self, event: lm.ActionResult, now: float) -> list[Any]:
        if self.state is not LockState.ASKING or event.action is not _MOVES[bool(self._closed)]:
            return []
        if event.confirmed:
            return self.enter(LockState.MOVING, until=now + self._limit_s)
        if self._tries < timing.LOCK_TRIES:
            self._tries += 1
            return self.enter(LockState.ASKING, until=now + timing.LOCK_PAUSE_S)
        return self._failed("the safety controller does not accept the order")

    @on(LockState.ASKING, event=Timeout)
    def _again(self, _: Timeout, now: float) -> list[Any]:
        return self._ask()

    @on(LockState.MOVING, event=Timeout)
    def _late(self, _: Timeout, now: float) -> list[Any]:
        if self._state is not None and self._state.inlet in _ENDS[bool(self._closed)]:
            return self.enter(LockState.AT_REST)  # there and back between two reports
        return self._failed(f"the plug lock did not get there within {self._limit_s:g} s")

    def _failed(self, why: str) -> list[Any]:
        self.enter(LockState.AT_REST)
        self._own[self._failure] = why
        if self._state is not None and self._state.inlet is InletState.ERROR:
            self._own[self._key("MREC1ConnectorLockFailure")] = "the plug lock's position cannot be told"
        return self._settle()

    # Faults.

    @property
    def _failure(self) -> FaultKey:
        return self._key("ConnectorLockFailedLock" if self._closed else "ConnectorLockFailedUnlock")

    @staticmethod
    def _key(name: str) -> FaultKey:
        return FaultKey(Implementation.LOCK, f"{NAMESPACE}/{name}", PLUG_LOCK_MODULE)

    def _settle(self) -> list[Any]:
        """Raise what is new, clear what is over; what is cleared is forgotten, so that it can be raised again."""
        wanted = dict(self._own)
        for reason, text in self._reasons.items():
            wanted.setdefault(self._key(_BY_REASON.get(reason, "VendorError")), f"{PLUG_LOCK_MODULE}: {text}")
        before, self._raised = self._raised, wanted
        over = [ClearFault(key) for key in before if key not in wanted]
        return over + [RaiseFault(key, text) for key, text in wanted.items() if key not in before]

"""The plug lock: a motor behind the safety controller, moved by actions, seen by CHARGE_STATE and ERROR_MESSAGE.

What was ordered last stands: a controller that was reset gets the order again. The lock never opens while a contactor
is closed; the order waits.
"""

from __future__ import annotations

import logging
from enum import Enum, auto
from typing import Any

import msgspec

from chargebyte_fw.board import timing
from chargebyte_fw.board.driver.charge_state import any_closed
from chargebyte_fw.board.driver.effects import Log, RequestAction
from chargebyte_fw.board.driver.error_messages import PLUG_LOCK_MODULE
from chargebyte_fw.board.driver.events import MovePlugLock
from chargebyte_fw.board.driver.fault_table import FaultKey, FaultTable, Implementation
from chargebyte_fw.board.link.events import (
    ActionResult,
    ChargeStateReceived,
    ControllerReset,
    ErrorReceived,
    LinkDown,
    LinkUp,
)
from chargebyte_fw.board.link.messages.charge_som import ActionId, ChargeState, InletState
from chargebyte_fw.board.link.messages.generations import FIRST_PARAMETER_BLOCK_WITH_INLET
from chargebyte_fw.kernel.machine import Machine, on

_BY_REASON = {
    2: "ConnectorLockUnexpectedClose",
    3: "ConnectorLockFailedLock",
    4: "ConnectorLockUnexpectedOpen",
    5: "ConnectorLockFailedUnlock",
    7: "VendorWarning",
}
"""EVerest's errors by the reason in ERROR_MESSAGE of APP_INLET."""
_UNREADABLE = "the plug lock's position cannot be told"


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
    """The action is requested."""
    MOVING = auto()


_L = LockState
_BUSY = (_L.ASKING, _L.MOVING)
_BEGIN = (_L.UNAVAILABLE, _L.AT_REST, _L.WAITING, _L.ASKING)
"""Where an order that is taken up leads."""


class LockFacts(msgspec.Struct):
    """What is known of the lock; from the controller's reset to the next one or a lost link."""

    link: LinkUp | None = None
    state: ChargeState | None = None
    reasons: dict[int, str] = {}
    """Active reasons of ERROR_MESSAGE with their texts."""

    @property
    def inlet(self) -> InletState | None:
        """Where the controller reports the lock to be; None: not yet."""
        return None if self.state is None else self.state.inlet


class LockOrder(msgspec.Struct, frozen=True):
    """What was ordered last."""

    close: bool

    @property
    def action(self) -> ActionId:
        """The controller's action."""
        return ActionId.INLET_CLOSE if self.close else ActionId.INLET_OPEN

    @property
    def end(self) -> InletState:
        """Where it leads."""
        return InletState.CLOSED if self.close else InletState.OPEN

    @property
    def failure(self) -> FaultKey:
        """The fault of an order that is not followed."""
        return _key("ConnectorLockFailedLock" if self.close else "ConnectorLockFailedUnlock")


def _key(name: str, sub_type: str = PLUG_LOCK_MODULE) -> FaultKey:
    return FaultKey(Implementation.LOCK, f"connector_lock/{name}", sub_type)


_FAILURE = _key("MREC1ConnectorLockFailure")


class PlugLock(Machine):
    """One plug lock. `speed` is the clock's (timing.patient)."""

    initial = LockState.UNAVAILABLE

    def __init__(self, speed: float | None = 1.0) -> None:
        super().__init__()
        self._limit_s = timing.patient(timing.LOCK_LIMIT_S, speed)
        self._facts = LockFacts()
        self._order: LockOrder | None = None
        self._requests = 0
        """How often the action was requested for this order."""
        self._observed: dict[FaultKey, str] = {}
        """Faults beside those that the controller reports."""
        self._table = FaultTable()

    # The link.

    @on(*LockState, event=LinkUp, to=_BEGIN)
    def _link_up(self, event: LinkUp, now: float) -> list[Any]:
        """Begin anew with what was ordered last."""
        self._facts = LockFacts(event)
        self._observed.clear()
        effects = [*self.enter(_L.UNAVAILABLE), *self._settle()]
        return effects if self._order is None else [*effects, *self._begin(self._order)]

    @on(*LockState, event=ControllerReset, to=_L.UNAVAILABLE)
    @on(*LockState, event=LinkDown, to=_L.UNAVAILABLE)
    def _gone(self, _: Any, now: float) -> list[Any]:
        """Forget what was reported."""
        self._facts = LockFacts()
        return [*self.enter(_L.UNAVAILABLE), *self._settle()]

    # Reports.

    @on(*LockState, event=ErrorReceived)
    def _error(self, event: ErrorReceived, now: float) -> list[Any]:
        """Raise or clear a fault of the lock's module."""
        error, link = event.message, self._facts.link
        if link is None:
            return []
        module, text = link.generation.error_text(error)
        if module != PLUG_LOCK_MODULE:
            return []
        if error.active:
            self._facts.reasons[error.reason] = text
        else:
            self._facts.reasons.pop(error.reason, None)
        return self._settle()

    @on(_L.UNAVAILABLE, event=ChargeStateReceived, to=_BEGIN)
    def _available(self, event: ChargeStateReceived, now: float) -> list[Any]:
        """Take up what was ordered as soon as the controller reports a lock."""
        known = self._facts.inlet not in (None, InletState.UNDEFINED)
        effects = self._report(event.message)
        if self._has_inlet and not known and self._order is not None:
            effects += self._begin(self._order)
        return [*effects, *self._settle()]

    @on(_L.WAITING, event=ChargeStateReceived, to=_BEGIN)
    def _contactors_opened(self, event: ChargeStateReceived, now: float) -> list[Any]:
        """Unlock when no contactor is closed any more."""
        effects = self._report(event.message)
        if self._order is not None and not any_closed(event.message):
            effects += self._begin(self._order)
        return [*effects, *self._settle()]

    @on(_L.ASKING, event=ChargeStateReceived)
    def _still_asking(self, event: ChargeStateReceived, now: float) -> list[Any]:
        """Take note of the position."""
        return [*self._report(event.message), *self._settle()]

    @on(_L.MOVING, event=ChargeStateReceived, to=_L.AT_REST)
    def _moved(self, event: ChargeStateReceived, now: float) -> list[Any]:
        """Log a lock that has arrived; one that reports an error has failed."""
        effects, order = self._report(event.message), self._order
        assert order is not None
        if event.message.inlet is order.end:
            self._observed.pop(order.failure, None)
            line = Log(logging.INFO, "plug %s", ("locked" if order.close else "unlocked",))
            effects += self.enter(_L.AT_REST, line)
        elif event.message.inlet is InletState.ERROR:
            effects += self._fail(order, "the plug lock did not get there")
        return [*effects, *self._settle()]

    @on(_L.AT_REST, event=ChargeStateReceived)
    def _watch(self, event: ChargeStateReceived, now: float) -> list[Any]:
        """Raise a fault of a lock that leaves its place without an order, also without an error message."""
        before, order = self._facts.inlet, self._order
        effects = self._report(event.message)
        if order is not None and before is not None:
            inlet, wrong = event.message.inlet, LockOrder(not order.close).end
            moved = _key("ConnectorLockUnexpectedOpen" if order.close else "ConnectorLockUnexpectedClose")
            if before is not wrong and inlet is wrong and order.failure not in self._observed:
                self._observed[moved] = f"the plug lock {'opened' if order.close else 'closed'} without an order"
            elif inlet is order.end:
                self._observed.pop(moved, None)
        return [*effects, *self._settle()]

    @property
    def _has_inlet(self) -> bool:
        return self._facts.link is not None and self._facts.link.generation.has_inlet

    def _report(self, state: ChargeState) -> list[Any]:
        """Take a report; log and judge a new position. Firmware without a lock reports none."""
        if not self._has_inlet:
            return []
        before = self._facts.inlet
        self._facts.state = state
        if before is state.inlet:
            return []
        if state.inlet is InletState.ERROR:
            self._observed[_FAILURE] = _UNREADABLE
        else:
            self._observed.pop(_FAILURE, None)
        return [Log(logging.DEBUG, "plug lock: %s", (state.inlet.name,))]

    # Orders.

    @on(*LockState, event=MovePlugLock, to=_BEGIN)
    def _move(self, event: MovePlugLock, now: float) -> list[Any]:
        """Take up an order. An order to unlock forgets what was wrong before: it is raised again if it still is."""
        effects: list[Any] = []
        if not event.close:
            self._facts.reasons.clear()
            self._observed.clear()
            effects += self._settle()
        order, busy = LockOrder(event.close), self.state in _BUSY
        if busy and order == self._order:
            return effects
        self._order = order
        return effects + self._begin(order, turned=busy)

    def _begin(self, order: LockOrder, *, turned: bool = False) -> list[Any]:
        """Take the order up, if the controller can and nothing is under load. `turned`: another is under way."""
        link, state = self._facts.link, self._facts.state
        if link is None:
            return self.enter(_L.UNAVAILABLE)
        if not link.generation.has_inlet:
            return self._cannot(
                order,
                f"the plug lock needs firmware on the safety controller with parameter block version "
                f"{FIRST_PARAMETER_BLOCK_WITH_INLET} or newer; it has {link.version} with parameter block version "
                f"{link.firmware.parameter_version}",
            )
        if state is None or state.inlet is InletState.UNDEFINED:
            return self.enter(_L.UNAVAILABLE)
        if state.inlet is InletState.NOT_CONFIGURED:
            return self._cannot(order, "the parameter block has no plug lock (`pluglock`)")
        if not order.close and any_closed(state):
            return self.enter(_L.WAITING, Log(logging.WARNING, "the plug stays locked while a contactor is closed"))
        if state.inlet is order.end and not turned:
            return [*self.enter(_L.AT_REST), *self._settle()]
        self._requests = 0
        return self._request(order)

    def _cannot(self, order: LockOrder, why: str) -> list[Any]:
        """Refuse; a plug that is to be locked and cannot be is a fault, an unlocked one is as ordered."""
        effects: list[Any] = []
        if order.close:
            self._observed[_key("MREC1ConnectorLockFailure", "Unsupported")] = why
        else:
            effects.append(Log(logging.DEBUG, "plug lock: %s", (why,)))
        return [*self.enter(_L.UNAVAILABLE, *effects), *self._settle()]

    def _request(self, order: LockOrder) -> list[Any]:
        self._requests += 1
        self.stop("retry")
        return self.enter(_L.ASKING, RequestAction(order.action))

    @on(_L.ASKING, event=ActionResult, to=(_L.MOVING, _L.AT_REST))
    def _answered(self, event: ActionResult, now: float) -> list[Any]:
        """Give a confirmed movement its time; request a refused one again after a pause."""
        order = self._order
        if order is None or event.action is not order.action:
            return []
        if event.confirmed:
            self.start("limit", now + self._limit_s)
            return self.enter(_L.MOVING)
        if self._requests < timing.LOCK_TRIES:
            self.start("retry", now + timing.LOCK_PAUSE_S)
            return []
        return self._fail(order, "the safety controller does not accept the order") + self._settle()

    @on(_L.UNAVAILABLE, _L.AT_REST, _L.WAITING, _L.MOVING, event=ActionResult)
    def _not_asked(self, _: ActionResult, now: float) -> None:
        """Ignore the result of another order."""

    @on(_L.ASKING, timer="retry")
    def _retry(self, now: float) -> list[Any]:
        """Request the action again."""
        assert self._order is not None
        return self._request(self._order)

    @on(_L.MOVING, timer="limit", to=_L.AT_REST)
    def _late(self, now: float) -> list[Any]:
        """A lock that is not there in time has failed; one that went there and back between two reports is there."""
        order = self._order
        assert order is not None
        if self._facts.inlet is order.end:
            return self.enter(_L.AT_REST)
        return self._fail(order, f"the plug lock did not get there within {self._limit_s:g} s") + self._settle()

    def _fail(self, order: LockOrder, why: str) -> list[Any]:
        self._observed[order.failure] = why
        if self._facts.inlet is InletState.ERROR:
            self._observed[_FAILURE] = _UNREADABLE
        return self.enter(_L.AT_REST)

    def _settle(self) -> list[Any]:
        """Raise and clear faults: those observed, and those that the controller reports."""
        wanted = dict(self._observed)
        for reason, text in self._facts.reasons.items():
            wanted.setdefault(_key(_BY_REASON.get(reason, "VendorError")), f"{PLUG_LOCK_MODULE}: {text}")
        return self._table.settle("plug lock", wanted)

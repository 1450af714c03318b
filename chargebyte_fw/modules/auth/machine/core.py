"""What every part of authorization stands on: the EVSEs, the tokens on their way, the timers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import count
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.authorization import ProvidedIdToken, TokenValidationStatus, ValidationResult
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.auth.machine.evse import Evse
from chargebyte_fw.modules.auth.machine.reservations import Reservations
from chargebyte_fw.modules.auth.messages import (
    EvsesKnown,
    Log,
    ReleaseEvse,
    ReserveEvse,
    Rules,
    Say,
    StoreReservations,
    WithdrawAuthorization,
    value_of,
)

FOR_ANYBODY = -1
"""The number under which an EVSE is kept for one of several reservations without an EVSE of their own."""


class State(Enum):
    """Of authorization as a whole; each token has a stage of its own."""

    STARTING = "starting"
    READY = "ready"


class Stage(Enum):
    """How far a token has come."""

    VALIDATING = "validating"
    WAITING = "waiting for a plug-in"
    AUTHORIZING = "authorizing"
    STOPPING = "stopping"


class PendingToken(msgspec.Struct):
    """A token on its way."""

    id: int
    token: ProvidedIdToken
    references: list[int]
    """The EVSEs that the token means."""
    stage: Stage = Stage.VALIDATING
    results: list[ValidationResult] = msgspec.field(default_factory=list)
    """What validators granted and was not tried yet, the present one first."""
    until_s: float = 0.0
    evse_id: int = 0
    """Where it is being used."""
    stops: int = 0
    """Transactions that still have to say whether they end."""
    stopped: bool = False
    last: ProvidedIdToken | None = None
    """The token as it was told last: with its EVSE and its group."""


class Core(Machine):
    """Data and helpers; the rows are in the other files of this folder."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(State.STARTING)
        self.rules = rules
        self.evses: dict[int, Evse] = {}
        self.tokens: dict[int, PendingToken] = {}
        self.reservations = Reservations(self.evses)
        self.kept: set[int] = set()
        """EVSEs that keep themselves for one of several reservations."""
        self.releasing: dict[int, int] = {}
        """How often each EVSE was told to give up a reservation and has not answered yet."""
        self._wall_zero_at: datetime | None = None
        """The wall time at monotonic second 0; another one after each setting of the clock."""
        self._numbers = count(1)
        self._plug_ins = count(1)
        self._early: list[Any] = []

    def feed(self, event: Any, now: float) -> list[Any]:
        """Take one event; before all EVSEs are known it is kept, so that a car plugged in during the start charges."""
        if self.state is State.STARTING and not isinstance(event, EvsesKnown):
            self._early.append(event)
            return []
        effects = [*super().feed(event, now), *self._keep_needed()]
        self.deadline = min(self._deadlines(), default=None)
        return effects

    @on(State.STARTING, event=EvsesKnown)
    def begin(self, event: EvsesKnown, now: float) -> list[Any]:
        """Know the EVSEs, then take what came too early."""
        self.state = State.READY
        for evse_id, types in sorted(event.evses.items()):
            self.evses[evse_id] = Evse(evse_id, types)
        early, self._early = self._early, []
        return [effect for item in early for effect in super(Core, self).feed(item, now)]

    def _deadlines(self) -> Iterable[float]:
        yield from (pending.until_s for pending in self.tokens.values() if pending.stage is Stage.WAITING)
        for evse in self.evses.values():
            if evse.authorization is not None and not evse.transaction:
                yield evse.authorization.until_s
            if evse.plug_until_s is not None:
                yield evse.plug_until_s
        yield from (self.second_of(entry.until_at) for entry in self.reservations.entries)

    def note_wall(self, wall_at: datetime, now: float) -> None:
        """Know the wall time: absolute times are judged by it and waited for with it."""
        self._wall_zero_at = wall_at.astimezone(UTC) - timedelta(seconds=now)

    def second_of(self, at: datetime) -> float:
        """Return the monotonic second at which the wall clock, as it goes now, will show `at`."""
        assert self._wall_zero_at is not None, "an absolute time came before the wall time"
        return (at - self._wall_zero_at).total_seconds()

    def land(self, pending: PendingToken, status: TokenValidationStatus) -> list[Any]:
        """End a token's way with `status`."""
        self.tokens.pop(pending.id, None)
        return [Say(pending.last or pending.token, status)]

    def take_back(self, evse: Evse, status: TokenValidationStatus, why: str) -> list[Any]:
        """End an authorization that was not used."""
        assert evse.authorization is not None
        token, evse.authorization = evse.authorization.token, None
        for pending in [pending for pending in self.tokens.values() if pending.evse_id == evse.id]:
            del self.tokens[pending.id]
        return [
            WithdrawAuthorization(evse.id),
            Say(token, status),
            Log(f"the authorization of EVSE {evse.id} is over: {why}"),
        ]

    def keep_all(self) -> list[Any]:
        """Write the reservations down."""
        return [StoreReservations([entry.reservation for entry in self.reservations.entries])]

    def _keep_needed(self) -> list[Any]:
        """Have exactly those EVSEs kept free that reservations without an EVSE of their own need."""
        needed = self.reservations.needed()
        effects: list[Any] = []
        for evse_id in sorted(self.kept - needed):
            evse = self.evses[evse_id]
            # A car that came, or a reservation of its own, has taken the place of the promise already.
            free = evse.plugged is None and evse.available and self.reservations.bound(evse_id) is None
            effects += self.release(evse_id) if free else []
        effects += [ReserveEvse(evse_id, FOR_ANYBODY, None) for evse_id in sorted(needed - self.kept)]
        self.kept = needed
        return effects

    def release(self, evse_id: int) -> list[Any]:
        """Have an EVSE give its reservation up; what it says of that until it answers is no news."""
        self.releasing[evse_id] = self.releasing.get(evse_id, 0) + 1
        return [ReleaseEvse(evse_id)]


def named(token: ProvidedIdToken, evse_id: int, result: ValidationResult | None = None) -> ProvidedIdToken:
    """Return the token with its EVSE, and with the group that its validation told."""
    parent = result.parent_id_token if result is not None and value_of(result.parent_id_token) else None
    return msgspec.structs.replace(token, connectors=[evse_id], parent_id_token=parent or token.parent_id_token)


def described(token: ProvidedIdToken) -> str:
    """Write a token for the log, without what it says."""
    return f"{token.authorization_type.value} token"

"""The EVSEs: what hangs on each, who holds it, and whether it may be used."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chargebyte_fw.contracts.types.authorization import ProvidedIdToken, SelectionAlgorithm, ValidationResult
from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum
from chargebyte_fw.modules.auth.machine.connectors import Change, ConnectorState, after
from chargebyte_fw.modules.auth.messages import same, value_of


class Authorization(msgspec.Struct):
    """The token that an EVSE is authorized with."""

    token: ProvidedIdToken
    result: ValidationResult
    until_s: float
    """When the authorization is taken back unless a transaction has begun."""
    settled: bool = False
    """The EVSE has confirmed it."""

    @property
    def parent(self) -> str | None:
        """Identifier of the token's group."""
        return value_of(self.result.parent_id_token) or value_of(self.token.parent_id_token)

    def is_known_as(self, identifier: str) -> bool:
        """Tell whether the token or its group is called so."""
        return same(self.token.id_token.value, identifier) or (
            self.parent is not None and same(self.parent, identifier)
        )


class Evse(msgspec.Struct):
    """One EVSE."""

    id: int
    types: dict[int, ConnectorTypeEnum]
    connectors: dict[int, ConnectorState] = msgspec.field(default_factory=dict)
    authorization: Authorization | None = None
    transaction: bool = False
    engaged: bool = False
    """From the start of a transaction to the end of its session, also while the connector is disabled."""
    plugged: int | None = None
    """The plug-in that waits for a token: a number that grows with each one."""
    plug_until_s: float | None = None
    timed_out: bool = False
    """The car waited too long for a token; it must be unplugged first."""

    def __post_init__(self) -> None:
        self.connectors = dict.fromkeys(self.types, ConnectorState.AVAILABLE)

    def change(self, change: Change, connector_id: int | None = None) -> bool:
        """Apply a change to one connector (None: to each); returns whether anything changed."""
        before = dict(self.connectors)
        for number in self.connectors if connector_id is None else [connector_id]:
            if number in self.connectors:
                self.connectors[number] = after(self.connectors[number], change)
        return self.connectors != before

    @property
    def first_connector(self) -> int:
        """The connector that an event without a number means."""
        return next(iter(self.connectors))

    @property
    def disabled(self) -> bool:
        """No connector is enabled."""
        out = (ConnectorState.UNAVAILABLE, ConnectorState.UNAVAILABLE_FAULTED)
        return all(state in out for state in self.connectors.values())

    @property
    def occupied(self) -> bool:
        """A session holds it."""
        held = (ConnectorState.OCCUPIED, ConnectorState.FAULTED_OCCUPIED)
        return self.engaged or any(state in held for state in self.connectors.values())

    @property
    def available(self) -> bool:
        """A token can be used here."""
        free = any(state is ConnectorState.AVAILABLE for state in self.connectors.values())
        return free and not (self.occupied or self.transaction or self.timed_out or self.authorization is not None)


def choose(algorithm: SelectionAlgorithm, candidates: list[Evse], *, alone: bool) -> Evse | None:
    """Return the EVSE for a token, None when a plug-in must be waited for. `alone`: the token means this one only."""
    if not candidates:
        return None
    if alone:
        return candidates[0]
    waiting = sorted((evse for evse in candidates if evse.plugged is not None), key=lambda evse: evse.plugged or 0)
    if algorithm is SelectionAlgorithm.FindFirst:
        return next((evse for evse in candidates if evse.plugged is not None), candidates[0])
    if not waiting:
        return None
    return waiting[-1] if algorithm is SelectionAlgorithm.PlugEventsLIFO else waiting[0]


def held_by(evses: Iterable[Evse], identifier: str) -> Evse | None:
    """Return the EVSE that is authorized with a token, or a group, of this name; one with a transaction first."""
    found = [evse for evse in evses if evse.authorization is not None and evse.authorization.is_known_as(identifier)]
    return next((evse for evse in found if evse.transaction), found[0] if found else None)

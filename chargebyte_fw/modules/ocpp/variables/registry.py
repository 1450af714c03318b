"""Every declared component, in the order of the reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec
import msgspec.structs

from chargebyte_fw.modules.ocpp.variables.declaration import Component, Variable, VariableId
from chargebyte_fw.modules.ocpp.variables.standard import (
    authorization,
    communication,
    cost,
    internal,
    iso15118,
    legacy,
    metering,
    smart_charging,
    station,
    transactions,
)

COMPONENTS: tuple[Component, ...] = tuple(
    sorted(
        (
            *authorization.COMPONENTS,
            *communication.COMPONENTS,
            *cost.COMPONENTS,
            *internal.COMPONENTS,
            *iso15118.COMPONENTS,
            *legacy.COMPONENTS,
            *metering.COMPONENTS,
            *smart_charging.COMPONENTS,
            *station.COMPONENTS,
            *transactions.COMPONENTS,
        ),
        key=lambda component: component.id.name,
    )
)

SLOTS = (1, 2)
"""Slots of NetworkConfiguration that are shipped."""


def declared(
    slots: tuple[int, ...] = SLOTS, connectors: Mapping[int, int] | None = None, *, legacy_keys: bool = False
) -> Iterator[Variable[Any]]:
    """Return the shipped variables, each in its place.

    `connectors` is the number of connectors of each EVSE. `legacy_keys` adds the component of OCPP 1.6, of which a
    station that speaks 2.x has no use.
    """
    for component in COMPONENTS:
        if component is legacy.LEGACY and not legacy_keys:
            continue
        for variable in component.declared:
            if variable.shipped:
                yield from placed(component, variable, slots, connectors or {})


def placed(
    component: Component, variable: Variable[Any], slots: tuple[int, ...], connectors: Mapping[int, int]
) -> Iterator[Variable[Any]]:
    """Return a variable in every place that its component has."""
    match component.per:
        case "slot":
            yield from (variable.at(slot=slot) for slot in slots)
        case "evse":
            yield from (variable.at(evse) for evse in connectors)
        case "connector":
            for evse, count in connectors.items():
                yield from (variable.at(evse, connector) for connector in range(1, count + 1))
        case _:
            yield variable


def declaration(place: VariableId) -> Variable[Any] | None:
    """Return the declaration of a variable at its place, None for a variable that is not declared here."""
    wanted, here = place.folded, place.component
    per = "connector" if here.connector is not None else "evse" if here.evse is not None else ""
    for kind, variable in _index().get((wanted.component.name, wanted.name, wanted.instance), ()):
        if kind == per or (kind == "slot" and not per):
            return msgspec.structs.replace(variable, id=place)
    return None


@cache
def _index() -> dict[tuple[str, str, str], list[tuple[str, Variable[Any]]]]:
    found: dict[tuple[str, str, str], list[tuple[str, Variable[Any]]]] = {}
    for component in COMPONENTS:
        for variable in component.declared:
            folded = variable.id.folded
            key = folded.component.name, folded.name, folded.instance
            found.setdefault(key, []).append((component.per, variable))
    return found

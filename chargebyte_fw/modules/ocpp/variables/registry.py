"""Every declared component, in the order of the reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chargebyte_fw.modules.ocpp.variables.declaration import Component, Variable
from chargebyte_fw.modules.ocpp.variables.standard import (
    authorization,
    communication,
    internal,
    metering,
    transactions,
)

COMPONENTS: tuple[Component, ...] = tuple(
    sorted(
        (
            *authorization.COMPONENTS,
            *communication.COMPONENTS,
            *internal.COMPONENTS,
            *metering.COMPONENTS,
            *transactions.COMPONENTS,
        ),
        key=lambda component: component.id.name,
    )
)

SLOTS = (1, 2)
"""Slots of NetworkConfiguration that are shipped."""


def declared(slots: tuple[int, ...] = SLOTS) -> Iterator[Variable[Any]]:
    """Return the variables of the station as a whole, and of each network slot."""
    for component in COMPONENTS:
        for variable in component.declared:
            if component.per == "slot":
                yield from (variable.at(slot=slot) for slot in slots)
            elif not component.per:
                yield variable

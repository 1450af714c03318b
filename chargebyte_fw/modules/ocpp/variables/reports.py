"""What a report contains: base reports (B07), criteria and filters (B08). Pure, for any version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from chargebyte_fw.modules.ocpp.variables.declaration import ComponentId, Mutability
from chargebyte_fw.modules.ocpp.variables.model import Entry, Variables
from chargebyte_fw.modules.ocpp.variables.standard.station import STATION

CONFIGURATION_INVENTORY = "ConfigurationInventory"
FULL_INVENTORY = "FullInventory"
SUMMARY_INVENTORY = "SummaryInventory"

PROBLEMS = ("problem", "tripped", "overload", "fallback")
"""Variables of a component that is not as it should be: in the summary while they are true (B07.FR.09)."""


class Filter(msgspec.Struct, frozen=True):
    """One ComponentVariable of a request: what is absent matches everything (B08.FR.19 to 21, N02.FR.15 to 17)."""

    component: str
    instance: str | None = None
    evse: int | None = None
    connector: int | None = None
    variable: str | None = None
    variable_instance: str | None = None

    def matches(self, entry: Entry) -> bool:
        """Return whether the variable is meant."""
        here = entry.id.component
        return (
            self.component.lower() == here.name.lower()
            and _meant(self.instance, here.instance)
            and (self.evse is None or self.evse == here.evse)
            and (self.connector is None or self.connector == here.connector)
            and (self.variable is None or self.variable.lower() == entry.id.name.lower())
            and _meant(self.variable_instance, entry.id.instance)
        )


def _meant(wanted: str | None, instance: str) -> bool:
    return wanted is None or wanted.lower() == instance.lower()


def filtered(entries: Iterable[Entry], filters: Sequence[Filter]) -> Iterator[Entry]:
    """Return the variables that a filter means, or every one where there is no filter."""
    for entry in entries:
        if not filters or any(one.matches(entry) for one in filters):
            yield entry


def base_report(variables: Variables, base: str) -> list[Entry]:
    """Return the variables of a base report."""
    match base:
        case "ConfigurationInventory":
            return [entry for entry in variables if can_be_set(entry)]
        case "SummaryInventory":
            return [entry for entry in variables if is_summary(entry)]
        case _:
            return list(variables)


def can_be_set(entry: Entry) -> bool:
    """Return whether the CSMS can set the variable (B07.FR.07)."""
    return any(one.mutability is not Mutability.READ_ONLY for one in entry.attributes.values())


def is_summary(entry: Entry) -> bool:
    """Return whether the variable is in the summary: availability of the tiers, and what is wrong (B07.FR.09)."""
    name = entry.id.name.lower()
    if name == "availabilitystate":
        return entry.id.component.name.lower() in (STATION.id.name.lower(), "evse", "connector")
    return name in PROBLEMS and entry.text() == "true"


def custom_report(variables: Variables, criteria: Sequence[str], filters: Sequence[Filter]) -> list[Entry]:
    """Return the variables of GetReport: those of components that meet a criterion, and that a filter means."""
    allowed: dict[ComponentId, bool] = {}
    found = []
    for entry in filtered(variables, filters):
        component = entry.id.component
        if component not in allowed:
            allowed[component] = not criteria or meets(variables, component, criteria)
        if allowed[component]:
            found.append(entry)
    return found


def meets(variables: Variables, component: ComponentId, criteria: Sequence[str]) -> bool:
    """Return whether a component is Active, Available, Enabled, or has a Problem (B08.FR.07 to 10).

    A component without the variable, or without a value of it, is active, available and enabled.
    """
    entries = {entry.id.name.lower(): entry for entry in variables.component(component) or () if not entry.id.instance}
    for criterion in criteria:
        entry = entries.get(criterion.lower())
        value = None if entry is None else entry.text()
        if value == "true" or (not value and criterion != "Problem"):
            return True
    return False

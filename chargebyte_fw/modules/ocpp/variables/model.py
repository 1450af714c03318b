"""The device model: variables with their characteristics and values, whoever owns them. Pure.

Blocks of the station use declared variables::

    interval_s = variables.get(HEARTBEAT_INTERVAL)
    variables.set(ACTIVE_NETWORK_PROFILE, 2)
    variables.on_change(HEARTBEAT_INTERVAL, self.rearm)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from chargebyte_fw.modules.ocpp.variables.declaration import (
    ComponentId,
    DataType,
    Mutability,
    Variable,
    VariableId,
)

if TYPE_CHECKING:
    from chargebyte_fw.modules.ocpp.variables.files.legacy_file import LegacyFile
    from chargebyte_fw.modules.ocpp.variables.keys.configuration import Configuration

T = TypeVar("T")

ACTUAL = "Actual"
_MAY_BE_EMPTY = (DataType.STRING, DataType.OPTION, DataType.MEMBERS, DataType.SEQUENCE)
INTERNAL = "internal"
"""Source of values that the station itself sets."""


class Attribute:
    """One attribute of a variable: Actual, Target, MinSet or MaxSet."""

    __slots__ = ("mutability", "source", "value")

    def __init__(self, mutability: Mutability, value: str | None = None, source: str = "") -> None:
        self.mutability = mutability
        self.value = value
        self.source = source
        """Who set the value; empty: it is the initial one."""


class Entry:
    """One variable as it is: address, characteristics, attributes."""

    __slots__ = (
        "attributes",
        "computed",
        "data_type",
        "id",
        "kept",
        "maximum",
        "meaning",
        "minimum",
        "monitored",
        "monitors",
        "owner",
        "required",
        "separator",
        "unit",
        "values",
    )

    def __init__(self, variable: Variable[Any]) -> None:
        self.id = variable.id
        self.data_type = variable.data_type
        self.unit = variable.unit
        self.minimum = variable.minimum
        self.maximum = variable.maximum
        self.values = variable.values
        self.separator = variable.separator
        self.required = variable.required
        self.kept = variable.kept
        self.meaning = variable.meaning
        self.monitored = True
        self.monitors: tuple[Any, ...] = ()
        """Monitors that the configuration sets (`files.component_files.ConfiguredMonitor`)."""
        self.computed: Callable[[], str] | None = None
        self.owner: Callable[[str], Any] | None = None
        """Of a view of what another part of the charger keeps for its next start: takes the text, returns what has to
        be kept; None where the text is refused."""
        value = None if variable.initial is None else variable.format(variable.initial)
        self.attributes = {name: Attribute(variable.mutability) for name in variable.attributes}
        if ACTUAL in self.attributes:
            self.attributes[ACTUAL].value = value

    def text(self, attribute: str = ACTUAL) -> str | None:
        """Return the value of an attribute, None where it has none."""
        if attribute == ACTUAL and self.computed is not None:
            return self.computed()
        found = self.attributes.get(attribute)
        return found.value if found is not None else None


class Change:
    """A value that has changed."""

    __slots__ = ("after", "attribute", "before", "entry", "source")

    def __init__(self, entry: Entry, attribute: str, before: str | None, after: str | None, source: str) -> None:
        self.entry = entry
        self.attribute = attribute
        self.before = before
        self.after = after
        self.source = source


class Variables:
    """Every variable of the station.

    `save(entry, attribute)` keeps a value over a restart; it is called for each value that was set and is to be kept.
    """

    def __init__(self, declared: Iterable[Variable[Any]] = ()) -> None:
        self._entries: dict[VariableId, Entry] = {}
        self._components: dict[ComponentId, list[Entry]] = {}
        self._listeners: dict[VariableId, list[Callable[[Any], None]]] = {}
        self.late: dict[VariableId, tuple[str, str | None, str]] = {}
        """Attribute, value and source of variables that the last run has set and that are still to come."""
        self._watchers: list[Callable[[Change], None]] = []
        self._guards: dict[VariableId, list[Callable[[str], str]]] = {}
        self.save: Callable[[Entry, str], None] = lambda entry, attribute: None
        self.keys: Configuration | None = None
        """The keys of OCPP 1.6, of a station that speaks it."""
        self.addressed_by_keys = False
        """Other modules name variables by the keys of OCPP 1.6 alone, as in EVerest's module `OCPP`."""
        self.migration: Callable[[], list[str]] | None = None
        """Sets the variables to a configuration of OCPP 1.6, the first time that the station starts."""
        self.overlay: LegacyFile | None = None
        """The files of a station whose keys are not documents."""
        for variable in declared:
            if variable.shipped:
                self.add(variable)

    # Typed access.

    def get(self, variable: Variable[T]) -> T:
        """Return the value of a variable, `variable.absent` where it has none or is not in this configuration."""
        found = self.find(variable)
        return variable.absent if found is None else found

    def find(self, variable: Variable[T]) -> T | None:
        """Return the value of a variable, None where it has none or is not in this configuration."""
        entry = self._entries.get(variable.id.folded)
        text = entry.text() if entry is not None else None
        if text is None or (text == "" and variable.data_type not in _MAY_BE_EMPTY):
            return None
        try:
            return variable.parse(text)
        except ValueError:
            return None  # a file may have declared another type; the value of the code is used

    def set(self, variable: Variable[T], value: T, source: str = INTERNAL) -> None:
        """Set a value that the station itself knows; nothing is checked. A variable that is missing is added."""
        entry = self._entries.get(variable.id.folded) or self.add(variable)
        self.write(entry, ACTUAL, variable.format(value), source)

    def clear(self, variable: Variable[Any]) -> None:
        """Take the value of a variable away, as when the car that it was about has left."""
        entry = self._entries.get(variable.id.folded)
        if entry is not None:
            self.write(entry, ACTUAL, None, INTERNAL)

    def provide(self, variable: Variable[T], value: Callable[[], T]) -> None:
        """Compute the value of a variable whenever it is read."""
        entry = self._entries.get(variable.id.folded) or self.add(variable)
        entry.computed = lambda: variable.format(value())

    def maximum(self, variable: Variable[Any]) -> float | None:
        """Return the characteristic `maxLimit`: the capacity of a store, the greatest power of an EVSE."""
        entry = self._entries.get(variable.id.folded)
        return variable.maximum if entry is None else entry.maximum

    def set_maximum(self, variable: Variable[Any], maximum: float | None) -> None:
        """Set the characteristic `maxLimit`."""
        entry = self._entries.get(variable.id.folded) or self.add(variable)
        entry.maximum = maximum

    def values(self, variable: Variable[Any]) -> tuple[str, ...]:
        """Return the characteristic `valuesList`."""
        entry = self._entries.get(variable.id.folded)
        return variable.values if entry is None else entry.values

    def on_change(self, variable: Variable[T], callback: Callable[[T], None]) -> None:
        """Call `callback` with the new value, at once, whoever changes it; equal values are no change."""
        self._listeners.setdefault(variable.id.folded, []).append(lambda _: callback(self.get(variable)))

    def on_any_change(self, callback: Callable[[Change], None]) -> None:
        """Call `callback` for each value that changes."""
        self._watchers.append(callback)

    def guard(self, variable: Variable[Any], check: Callable[[str], str]) -> None:
        """Ask `check` before another party sets the variable: it returns why not, empty where it may be set."""
        self._guards.setdefault(variable.id.folded, []).append(check)

    # The model.

    def add(self, variable: Variable[Any]) -> Entry:
        """Add a variable, or put another in its place."""
        entry = Entry(variable)
        attribute, value, source = self.late.pop(entry.id.folded, ("", None, ""))
        if (found := entry.attributes.get(attribute)) is not None:
            found.value, found.source = value, source
        self.put(entry)
        return entry

    def put(self, entry: Entry) -> None:
        """Add a variable that is complete, or put it in the place of another."""
        folded = entry.id.folded
        self.remove(entry.id)
        self._entries[folded] = entry
        self._components.setdefault(folded.component, []).append(entry)

    def remove(self, place: VariableId) -> None:
        """Remove a variable; one that is missing is left alone."""
        folded = place.folded
        entry = self._entries.pop(folded, None)
        if entry is not None:
            rest = self._components[folded.component]
            rest.remove(entry)
            if not rest:
                del self._components[folded.component]

    def entry(self, place: VariableId) -> Entry | None:
        """Return a variable by its address."""
        return self._entries.get(place.folded)

    def component(self, place: ComponentId) -> list[Entry] | None:
        """Return the variables of a component, None where there is no such component."""
        return self._components.get(place.folded)

    def refusal(self, entry: Entry, text: str) -> str:
        """Return why a guard of the variable refuses a text, empty where none does."""
        for check in self._guards.get(entry.id.folded, ()):
            if reason := check(text):
                return reason
        return ""

    def write(self, entry: Entry, attribute: str, text: str | None, source: str) -> None:
        """Set an attribute, keep it over a restart where it is to be kept, and call who waits for changes."""
        place = entry.attributes.setdefault(attribute, Attribute(Mutability.READ_ONLY))
        before, place.value = place.value, text
        known = place.source == source and before == text
        place.source = source
        if entry.kept and not known:
            self.save(entry, attribute)
        if before == text:
            return
        if attribute == ACTUAL:
            for listener in tuple(self._listeners.get(entry.id.folded, ())):
                listener(text)
        for watcher in tuple(self._watchers):
            watcher(Change(entry, attribute, before, text, source))

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

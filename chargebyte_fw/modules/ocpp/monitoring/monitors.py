"""Every monitor of the station: those of the configuration, those of the CSMS, and what a base leaves (N03)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.modules.ocpp.monitoring.monitor import DELTA, Monitor, Origin, set_on
from chargebyte_fw.modules.ocpp.variables.declaration import VariableId
from chargebyte_fw.modules.ocpp.variables.model import Variables

TABLE = "monitors"
CLEARED = "cleared"
FIRST_CUSTOM = 1001
"""First id of a monitor of the CSMS; those of the configuration have 1, 2, ... in the order of the model."""
LIMIT = 500
"""Monitors that the CSMS may set."""
HARD_WIRED_ONLY, FACTORY_DEFAULT, ALL = "HardWiredOnly", "FactoryDefault", "All"


class Monitors:
    """The monitors; `save(key, value)` keeps a document over a restart, None deletes it."""

    def __init__(self, variables: Variables, save: Callable[[str, object], None]) -> None:
        self._variables = variables
        self._save = save
        self._configured: dict[int, Monitor] = {}
        self._custom: dict[int, Monitor] = {}
        """Those of the CSMS; one with the id of a preconfigured monitor stands for it (N04.FR.15)."""
        self._cleared: set[int] = set()
        """Preconfigured monitors that the CSMS has cleared."""
        self._only_hard_wired = False
        self._by_variable: dict[VariableId, list[Monitor]] = {}

    def configure(self) -> None:
        """Take the monitors of the configuration."""
        number = 0
        for entry in self._variables:
            for one in entry.monitors:
                number += 1
                origin = Origin.HARD_WIRED if one.hard_wired else Origin.PRECONFIGURED
                monitor = set_on(entry, number, origin, one.type, one.value, one.severity)
                monitor.transaction = one.transaction
                monitor.reference = one.reference or entry.text()
                self._configured[number] = monitor
        self._index()

    def restore(self, documents: dict[str, bytes], base: str) -> None:
        """Take what was kept: monitors on variables that are gone are removed (N07.FR.13)."""
        self._only_hard_wired = base == HARD_WIRED_ONLY
        for key, data in documents.items():
            try:
                if key == CLEARED:
                    self._cleared = set(decode_json(data, list[int]))
                    continue
                monitor = decode_json(data, Monitor)
            except msgspec.DecodeError:
                self._save(key, None)
                continue
            entry = self._variables.entry(monitor.place)
            if entry is None or not entry.monitored:
                self._save(key, None)
            elif monitor.origin is Origin.CUSTOM:
                self._custom[monitor.id] = monitor
            elif (configured := self._configured.get(monitor.id)) is not None and configured.kind == monitor.kind:
                configured.exceeded, configured.reference = monitor.exceeded, monitor.reference
        self._index()

    def __iter__(self) -> Iterator[Monitor]:
        """Every monitor that is active, by id."""
        numbers = sorted({*self._configured, *self._custom})
        return (monitor for number in numbers if (monitor := self.find(number)) is not None)

    def find(self, number: int) -> Monitor | None:
        """Return an active monitor by its id."""
        custom = self._custom.get(number)
        if custom is not None:
            return custom
        configured = self._configured.get(number)
        if configured is None or configured.origin is Origin.HARD_WIRED:
            return configured
        return None if self._only_hard_wired or number in self._cleared else configured

    def on(self, place: VariableId) -> list[Monitor]:
        """Return the active monitors of a variable."""
        return self._by_variable.get(place.folded, [])

    def is_full(self) -> bool:
        """Return whether the CSMS can set no further monitor."""
        return len(self._custom) >= LIMIT

    def new_id(self) -> int:
        """Return an id that no monitor has (N04.FR.11)."""
        number = FIRST_CUSTOM
        while number in self._custom or number in self._configured:
            number += 1
        return number

    def put(self, monitor: Monitor) -> None:
        """Set a monitor of the CSMS, or replace one."""
        self._custom[monitor.id] = monitor
        self.keep(monitor)
        self._index()

    def keep(self, monitor: Monitor) -> None:
        """Keep what a monitor remembers over a restart."""
        self._save(str(monitor.id), monitor)

    def clear(self, number: int) -> str:
        """Clear a monitor; returns ClearMonitoringStatusEnumType (N06)."""
        monitor = self.find(number)
        if monitor is None:
            return "NotFound"
        if monitor.origin is Origin.HARD_WIRED:
            return "Rejected"
        self._custom.pop(number, None)
        self._save(str(number), None)
        if number in self._configured:
            self._cleared.add(number)
            self._save(CLEARED, sorted(self._cleared))
        self._index()
        return "Accepted"

    def set_base(self, base: str) -> None:
        """Activate the monitors of a base: `All` alone keeps those of the CSMS (N03.FR.03 to 05)."""
        if base != ALL:
            for number in tuple(self._custom):
                del self._custom[number]
                self._save(str(number), None)
        self._cleared.clear()
        self._save(CLEARED, None)
        self._only_hard_wired = base == HARD_WIRED_ONLY
        for monitor in self:
            if monitor.type == DELTA and monitor.origin is not Origin.CUSTOM:
                entry = self._variables.entry(monitor.place)
                monitor.reference = None if entry is None else entry.text()
        self._index()

    def _index(self) -> None:
        self._by_variable = {}
        for monitor in self:
            self._by_variable.setdefault(monitor.place.folded, []).append(monitor)

"""Variables for other modules: the commands get_variables, set_variables and monitor_variables of interface `ocpp`.

A variable is named as the device model names it. Where the module is EVerest's `OCPP`, component and instance mean
nothing, and the name is a configuration key of OCPP 1.6; an empty component name has the same meaning everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.modules.ocpp.station import Block, Deferred, Station, receives, serves
from chargebyte_fw.modules.ocpp.station.events import Loaded
from chargebyte_fw.modules.ocpp.variables import access
from chargebyte_fw.modules.ocpp.variables.access import Status, Writing
from chargebyte_fw.modules.ocpp.variables.declaration import ComponentId, Mutability, VariableId
from chargebyte_fw.modules.ocpp.variables.elsewhere import when_kept
from chargebyte_fw.modules.ocpp.variables.model import ACTUAL, Change
from chargebyte_fw.modules.ocpp.version import Version

if TYPE_CHECKING:
    from chargebyte_fw.modules.ocpp.variables.keys.configuration import Configuration

MONITORED_LIMIT = 1000
"""Variables that modules may monitor."""


def variable_id(wanted: ocpp.ComponentVariable) -> VariableId:
    """Return the address that another module names."""
    component, variable = wanted.component, wanted.variable
    evse = component.evse
    here = ComponentId(
        component.name,
        component.instance or "",
        None if evse is None else evse.id,
        None if evse is None else evse.connector_id,
    )
    return VariableId(here, variable.name, variable.instance or "")


def _of_a_key(name: str) -> ocpp.ComponentVariable:
    return ocpp.ComponentVariable(component=ocpp.Component(name=""), variable=ocpp.Variable(name=name))


class IntegratorVariables(Block):
    """Serves the variables to other modules, and publishes the changes of those that they monitor."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._is_ready = False
        self._monitored: dict[VariableId, list[ocpp.ComponentVariable]] = {}
        self._ids = count(1)
        station.variables.on_any_change(self._changed)

    @receives(Loaded)
    def loaded(self, event: Loaded) -> None:
        """The values of the last run are in place: from now on there are answers."""
        self._is_ready = True

    def _keys(self, wanted: ocpp.ComponentVariable) -> Configuration | None:
        """Return the keys of 1.6, where the variable is named by one."""
        variables = self.station.variables
        return variables.keys if variables.addressed_by_keys or not wanted.component.name else None

    @serves(Ocpp.get_variables)
    def get_variables(self, requests: list[ocpp.GetVariableRequest]) -> list[ocpp.GetVariableResult]:
        """Read variables; the results have the order of the requests."""
        return [self._get(request) for request in requests]

    def _get(self, request: ocpp.GetVariableRequest) -> ocpp.GetVariableResult:
        wanted, attribute = request.component_variable, request.attribute_type
        keys = self._keys(wanted)
        if not self._is_ready:
            status, value = Status.REJECTED, None
        elif keys is not None:
            state = keys.read(wanted.variable.name)
            hidden = state is not None and state.hidden
            status = Status.UNKNOWN_VARIABLE if state is None else Status.REJECTED if hidden else Status.ACCEPTED
            value = None if state is None or hidden else state.value or ""
            # A key has one attribute, and neither component nor instance: they do not come back (EVerest).
            attribute = ocpp.AttributeEnum.Actual if status is Status.ACCEPTED else None
            wanted = _of_a_key(wanted.variable.name)
        else:
            reading = access.read(self.station.variables, variable_id(wanted), str(attribute or ACTUAL))
            status, value = reading.status, reading.value
        return ocpp.GetVariableResult(
            status=ocpp.GetVariableStatusEnumType(status),
            component_variable=wanted,
            attribute_type=attribute,
            value=value,
        )

    @serves(Ocpp.set_variables)
    def set_variables(
        self, requests: list[ocpp.SetVariableRequest], source: str
    ) -> list[ocpp.SetVariableResult] | Deferred:
        """Set variables, those as well that the CSMS may only read."""

        def answer(written: Sequence[Writing]) -> list[ocpp.SetVariableResult]:
            return list(map(self._set_result, requests, written))

        return when_kept(self.station, [self._set(request, source) for request in requests], answer)

    def _set(self, request: ocpp.SetVariableRequest, source: str) -> Writing:
        wanted = request.component_variable
        keys = self._keys(wanted)
        if not self._is_ready:
            return Writing(Status.REJECTED)
        if keys is not None:
            status, _ = keys.write(wanted.variable.name, request.value, source, read_only=True)
            return Writing(status)
        place, name = variable_id(wanted), str(request.attribute_type or ACTUAL)
        return access.write(self.station.variables, place, request.value, source, name, read_only=True)

    def _set_result(self, request: ocpp.SetVariableRequest, written: Writing) -> ocpp.SetVariableResult:
        wanted = request.component_variable
        by_key = self._is_ready and self._keys(wanted) is not None
        return ocpp.SetVariableResult(
            status=ocpp.SetVariableStatusEnumType(written.status),
            component_variable=wanted,
            attribute_type=None if by_key else request.attribute_type,
        )

    @serves(Ocpp.monitor_variables)
    def monitor_variables(self, component_variables: list[ocpp.ComponentVariable]) -> None:
        """Publish changes of these variables from now on, with the names under which they were asked for."""
        for wanted in component_variables:
            keys = self._keys(wanted)
            if keys is None:
                place = variable_id(wanted).folded
            else:
                key = keys.key(wanted.variable.name)
                if key is None:
                    continue
                place = key.variable.id.folded
            names = self._monitored.setdefault(place, [])
            if wanted not in names and sum(map(len, self._monitored.values())) < MONITORED_LIMIT:
                names.append(wanted)

    def _changed(self, change: Change) -> None:
        names = self._monitored.get(change.entry.id.folded) if self._monitored else None
        if not names or change.attribute != ACTUAL:
            return
        hidden = change.entry.attributes[ACTUAL].mutability is Mutability.WRITE_ONLY
        for name in names:
            keys = self._keys(name)
            state = None if keys is None else keys.read(name.variable.name)
            value = change.after if state is None else state.value
            event = ocpp.EventData(
                component_variable=name,
                event_id=0 if self.station.version == Version.V16 else next(self._ids),
                timestamp=rfc3339(self.station.utc),
                trigger=ocpp.EventTriggerEnum.Alerting,
                actual_value="" if hidden else access.reported(self.station.variables, value or ""),
                event_notification_type=ocpp.EventNotificationType.CustomMonitor,
            )
            self.station.publish(publish(Ocpp.event_data, event))

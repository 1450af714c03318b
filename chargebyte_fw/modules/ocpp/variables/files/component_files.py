"""EVerest's component files: `standardized/*.json` and `custom/*.json`, a component a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import msgspec.structs

from chargebyte_fw.kernel.names import closest
from chargebyte_fw.modules.ocpp.variables.access import ATTRIBUTES, value_fault
from chargebyte_fw.modules.ocpp.variables.declaration import ComponentId, DataType, Mutability, Variable, VariableId
from chargebyte_fw.modules.ocpp.variables.files.json_file import Findings, JsonFile, as_text
from chargebyte_fw.modules.ocpp.variables.model import ACTUAL, Attribute, Entry, Variables
from chargebyte_fw.modules.ocpp.variables.registry import declaration, declared

FOLDERS = ("standardized", "custom")
"""A component of `custom` replaces what `standardized` has for the same variables."""

Members = tuple[str | int, ...]
"""Members of a file, from the outside in."""

MONITOR_TYPES = (
    "UpperThreshold",
    "LowerThreshold",
    "Delta",
    "Periodic",
    "PeriodicClockAligned",
    "TargetDelta",
    "TargetDeltaRelative",
)


class ConfiguredMonitor(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor that the configuration sets on a variable."""

    type: str
    value: float
    severity: int
    transaction: bool = False
    hard_wired: bool = False
    """It cannot be changed; else it is preconfigured."""
    reference: str | None = None
    """Of a Delta monitor: the value from which it counts at first."""


def read_components(folder: Path, variables: Variables, connectors: Mapping[int, int], findings: Findings) -> None:
    """Add the variables of a folder to the model, then what the standard requires and the folder lacks.

    EVSEs and connectors that the station does not have are left out; components that the folder lacks altogether come
    from the declarations.
    """
    files = [(path, f"{name}/{path.name}") for name in FOLDERS for path in sorted((folder / name).glob("*.json"))]
    if not files:
        findings.error(str(folder), "no component files", "it has the folders standardized and custom")
    seen: set[ComponentId] = set()
    for path, _ in files:
        component = read_component(JsonFile(path, findings), variables, connectors)
        if component is not None:
            seen.add(component.folded)
    for variable in declared(connectors=connectors):
        if variables.entry(variable.id) is not None:
            continue
        if variable.id.component.folded not in seen:
            variables.add(variable)
        elif variable.required:
            findings.warning(str(folder), f"{variable.id} is missing", "the standard requires it; its default is used")
            variables.add(variable)


def read_component(file: JsonFile, variables: Variables, connectors: Mapping[int, int]) -> ComponentId | None:
    """Add the variables of a file to the model; return its component, None for one that the station does not have."""
    component = _component_of(file)
    if component is None or not _exists(component, connectors):
        return None
    properties = file.value.get("properties", {})
    if not isinstance(properties, dict):
        file.error(("properties",), "no JSON object")
        return component
    for name, content in properties.items():
        path: Members = ("properties", name)
        if not isinstance(content, dict):
            file.error(path, "no JSON object")
        elif (entry := _entry_of(file, path, component, content)) is not None:
            variables.put(entry)
    required = file.value.get("required", [])
    for name in required if isinstance(required, list) else ():
        content = properties.get(name)
        if content is None:
            file.error(("required",), f"{name} is required, and there is no such property", _nearest(name, properties))
    return component


def _nearest(name: Any, names: Any) -> str:
    found = closest(str(name), names)
    return f"did you mean {found}?" if found else ""


def _component_of(file: JsonFile) -> ComponentId | None:
    name = file.value.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= 50:
        if file.value:
            file.error(("name",), "a component has a name of 1 to 50 characters")
        return None
    tiers = [file.value.get(tier) for tier in ("evse_id", "connector_id")]
    if any(tier is not None and (not isinstance(tier, int) or tier < 0) for tier in tiers):
        file.error(("evse_id",), "evse_id and connector_id are numbers")
        return None
    return ComponentId(name, str(file.value.get("instance") or ""), *tiers)


def _exists(component: ComponentId, connectors: Mapping[int, int]) -> bool:
    if component.evse is None or component.evse == 0:
        return True
    count = connectors.get(component.evse)
    return count is not None and (component.connector is None or component.connector <= count)


def _entry_of(file: JsonFile, path: Members, component: ComponentId, content: dict[str, Any]) -> Entry | None:
    name = content.get("variable_name")
    if not isinstance(name, str) or not 0 < len(name) <= 50:
        file.error(path, "variable_name is missing")
        return None
    place = VariableId(component, name, str(content.get("instance") or ""))
    known = declaration(place)
    entry = _characterized(file, path, place, known, content.get("characteristics"))
    if entry is None:
        return None
    entry.meaning = str(content.get("description") or entry.meaning)
    _read_attributes(file, path, entry, content)
    entry.monitors = tuple(_monitors(file, path, content.get("monitors", [])))
    return entry


def _characterized(
    file: JsonFile, path: Members, place: VariableId, known: Variable[Any] | None, content: Any
) -> Entry | None:
    if not isinstance(content, dict):
        file.error(path, "characteristics are missing")
        return None
    try:
        data_type = DataType(str(content.get("dataType")))
    except ValueError:
        kinds = [str(one) for one in DataType]
        hint = _nearest(content.get("dataType"), kinds) or f"one of {', '.join(kinds)}"
        file.error((*path, "characteristics", "dataType"), "no data type of the standard", hint)
        return None
    if known is not None and data_type is not known.data_type and not _alike(data_type, known.data_type):
        file.warning((*path, "characteristics", "dataType"), f"{place} is {known.data_type}, {data_type} is ignored")
        data_type = known.data_type
    base: Variable[Any] = known or Variable(id=place, data_type=data_type, absent="")
    entry = Entry(msgspec.structs.replace(base, initial=None, data_type=data_type))
    entry.unit = str(content.get("unit") or entry.unit)
    entry.minimum = _limit(file, path, content, "minLimit", entry.minimum)
    entry.maximum = _limit(file, path, content, "maxLimit", entry.maximum)
    values = as_text(content.get("valuesList"))
    if values is not None:
        entry.values = tuple(part.strip() for part in values.replace(entry.separator, ",").split(",") if part.strip())
    entry.monitored = content.get("supportsMonitoring") is not False
    return entry


def _alike(one: DataType, other: DataType) -> bool:
    """Whether a value of one type reads as one of the other: files call lists and numbers by either name."""
    numbers = {DataType.INTEGER, DataType.DECIMAL}
    texts = {DataType.STRING, DataType.OPTION, DataType.SEQUENCE, DataType.MEMBERS, DataType.DATE_TIME}
    return {one, other} <= texts or {one, other} <= numbers


def _limit(file: JsonFile, path: Members, content: dict[str, Any], name: str, known: float | None) -> float | None:
    value = content.get(name)
    if value is None:
        return known
    try:
        return float(value)
    except (TypeError, ValueError):
        file.error((*path, "characteristics", name), "no number")
        return known


def _read_attributes(file: JsonFile, path: Members, entry: Entry, content: dict[str, Any]) -> None:
    attributes = content.get("attributes")
    if not isinstance(attributes, list) or not attributes:
        file.error(path, "attributes are missing")
        return
    mutability = entry.attributes[ACTUAL].mutability if ACTUAL in entry.attributes else Mutability.READ_WRITE
    entry.attributes = {}
    for number, one in enumerate(attributes):
        here: Members = (*path, "attributes", number)
        kind = one.get("type", ACTUAL) if isinstance(one, dict) else None
        if kind not in ATTRIBUTES:
            file.error(here, "no attribute type", f"one of {', '.join(ATTRIBUTES)}")
            continue
        try:
            allowed = Mutability(one.get("mutability", mutability))
        except ValueError:
            file.error((*here, "mutability"), "no mutability", f"one of {', '.join(Mutability)}")
            continue
        entry.attributes[kind] = Attribute(allowed)
        value = one.get("value")
        if value is None and kind == ACTUAL:
            value = content.get("default")
        text = as_text(value, entry.separator)
        if text is None:
            continue
        if fault := value_fault(entry, text):
            file.error((*here, "value"), f"{text!r} is no value of {entry.id}: {fault}")
        entry.attributes[kind].value = text


def _monitors(file: JsonFile, path: Members, content: Any) -> list[ConfiguredMonitor]:
    found = []
    for number, one in enumerate(content if isinstance(content, list) else ()):
        here: Members = (*path, "monitors", number)
        try:
            kind, value, severity = one["type"], float(one["value"]), int(one["severity"])
        except (KeyError, TypeError, ValueError):
            file.error(here, "a monitor has a type, a value and a severity")
            continue
        if kind not in MONITOR_TYPES or not 0 <= severity <= 9:
            what = f"no monitor of type {kind!r} with severity {severity}"
            file.error(here, what, f"{', '.join(MONITOR_TYPES)}; 0 to 9")
            continue
        found.append(
            ConfiguredMonitor(
                type=kind,
                value=value,
                severity=severity,
                transaction=one.get("transaction") is True,
                hard_wired=one.get("config_type") == "HardWiredMonitor",
                reference=as_text(one.get("reference_value")),
            )
        )
    return found

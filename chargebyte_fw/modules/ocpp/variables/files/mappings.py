"""`DeviceModelConfigMappings`: a YAML file with the variables that custom keys of OCPP 1.6 show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from chargebyte_fw.kernel import yaml_text
from chargebyte_fw.kernel.files import read_regular
from chargebyte_fw.modules.ocpp.variables.declaration import ComponentId, Mutability, Variable, VariableId
from chargebyte_fw.modules.ocpp.variables.files.json_file import Findings
from chargebyte_fw.modules.ocpp.variables.keys.key import Key
from chargebyte_fw.modules.ocpp.variables.model import ACTUAL, Variables

SIZE_LIMIT_BYTES = 256 * 1024


def read_mappings(path: Path, variables: Variables, findings: Findings) -> list[Key]:
    """Return the custom keys of a file; what is wrong with it is noted."""
    try:
        root = yaml_text.compose(yaml_text.decode(read_regular(path, SIZE_LIMIT_BYTES)))
    except OSError as error:
        findings.error(str(path), f"cannot be read: {error.strerror or error}")
        return []
    except yaml_text.YamlError as error:
        findings.error(error.where(str(path)), error.problem)
        return []
    rows = _member(root, "mappings")
    if not isinstance(rows, yaml.SequenceNode):
        findings.error(f"{path}:1:1", "no list of mappings", "mappings: [{ocpp16_key, component, variable}]")
        return []
    return [key for row in rows.value if (key := _key(row, str(path), variables, findings)) is not None]


def _key(row: Any, file: str, variables: Variables, findings: Findings) -> Key | None:
    where = str(yaml_text.place_of(row, file))
    name = _text(_member(row, "ocpp16_key"))
    component, variable = _member(row, "component"), _member(row, "variable")
    names = _text(_member(component, "name")), _text(_member(variable, "name"))
    if not name or not all(names):
        findings.error(where, "a mapping has ocpp16_key, component.name and variable.name")
        return None
    evse = _member(component, "evse")
    tiers = [_text(_member(evse, tier)) for tier in ("id", "connector_id")]
    here = ComponentId(
        names[0], _text(_member(component, "instance")), *(int(tier) if tier.isdecimal() else None for tier in tiers)
    )
    place = VariableId(here, names[1], _text(_member(variable, "instance")))
    entry = variables.entry(place)
    if entry is None:
        findings.error(where, f"{place} of key {name} is no variable of the device model")
        return None
    read_only = entry.attributes[ACTUAL].mutability is Mutability.READ_ONLY
    access = Mutability.READ_ONLY if read_only else Mutability.READ_WRITE
    shown: Variable[Any] = Variable(id=entry.id, data_type=entry.data_type, absent="", separator=entry.separator)
    return Key(name=name, section="Custom", variable=shown, access=access)


def _member(node: Any, name: str) -> Any:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if key.value == name), None)


def _text(node: Any) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""

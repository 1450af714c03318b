"""EVerest's files from our classes, read back and held against EVerest's schemas (framework: section 2)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chargebyte_fw.manager.export import contracts, everything
from chargebyte_fw.manager.manifest import definition_of, interface_file, manifest_of
from tests.manager.parts import Pump, Valve

FILES = everything({"Pump": Pump})


READ_ONLY = {"mutability": "ReadOnly"}


def test_a_manifest_declares_what_the_class_says() -> None:
    manifest = manifest_of(Pump)
    assert manifest["description"] == "Pumps."
    assert manifest["config"] == {
        "power_W": {"type": "number", "minimum": 0, "maximum": 1000, "description": "Power, in W.", **READ_ONLY},
        "speed": {"type": "integer", "exclusiveMinimum": 0, "description": "Speed.", **READ_ONLY, "default": 3},
        "quiet": {"type": "boolean", "description": "Whisper.", **READ_ONLY, "default": False},
        "mode": {"type": "string", "enum": ["Slow", "Fast"], "description": "How.", **READ_ONLY, "default": "Slow"},
        "label": {"type": "string", "pattern": "^[a-z]+$", "description": "Label.", **READ_ONLY, "default": "pump"},
    }
    assert manifest["provides"]["main"]["interface"] == "valve"
    assert manifest["provides"]["main"]["config"]["name"]["minLength"] == 2
    assert manifest["metadata"]["authors"] and "://" in manifest["metadata"]["license"]


def test_an_interface_file_has_descriptions_and_references_to_its_errors() -> None:
    file = interface_file(Valve)
    assert file["description"] == "A valve."
    assert file["vars"]["position"] == {"description": "Opening in percent.", "type": "number"}
    assert file["vars"]["opened"]["type"] == "null"
    assert file["cmds"]["turn"]["arguments"]["to"]["type"] == "integer"
    # EVerest expresses a void result by leaving it out.
    assert file["cmds"]["close"] == {"description": "Close it."}
    assert file["errors"] == [{"reference": "/errors/generic"}]


def test_a_definition_for_the_wire_is_complete_and_has_its_errors_expanded() -> None:
    definition = definition_of(Valve)
    assert set(definition) == {"cmds", "vars", "errors"}
    assert definition["cmds"]["close"] == {"arguments": {}, "result": {"type": "null"}}
    assert set(definition["errors"]["generic"]["VendorError"]) == {"name", "description", "namespace"}


@pytest.mark.parametrize("name", list(contracts()))
def test_every_contract_makes_a_file_that_everest_reads(name: str) -> None:
    file = FILES[f"interfaces/{name}.yaml"]
    assert set(file) <= {"description", "cmds", "vars", "errors"} and len(file["description"]) >= 2
    for command in file.get("cmds", {}).values():
        assert set(command) <= {"description", "arguments", "result"}
        for schema in [*command.get("arguments", {}).values(), *([command["result"]] if "result" in command else [])]:
            assert schema["type"] != "null" and len(schema["description"]) >= 2
    for schema in file.get("vars", {}).values():
        assert "type" in schema and "description" in schema
    for reference in file.get("errors", []):
        assert re.fullmatch(r"/errors/[a-z][a-zA-Z0-9_]*(#/[A-Z][A-Za-z0-9]*)?", reference["reference"])


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [one for value in node.values() for one in references(value)]
    return [one for value in node for one in references(value)] if isinstance(node, list) else []


def test_every_reference_leads_to_a_type() -> None:
    for path, content in FILES.items():
        for reference in references(content):
            file, _, name = reference.partition("#/")
            assert name in FILES[f"types{file}.yaml"]["types"], f"{path}: {reference}"


def test_every_type_has_a_type_and_a_description() -> None:
    for path, content in FILES.items():
        if path.startswith("types/"):
            assert all("type" in one and len(one["description"]) >= 2 for one in content["types"].values()), path


def test_everests_own_values_fit_the_schemas() -> None:
    limits = FILES["types/energy.yaml"]["types"]["LimitsReq"]
    assert limits["properties"]["total_power_W"]["$ref"] == "/energy#/NumberWithSource"
    phases = limits["properties"]["ac_number_of_active_phases"]
    assert (phases["minimum"], phases["maximum"]) == (1, 3)
    assert "required" not in limits
    assert FILES["types/energy.yaml"]["types"]["NumberWithSource"]["required"] == ["value", "source"]

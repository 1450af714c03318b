"""Configuration files: component files, the keys of OCPP 1.6 with their overlay, mappings, migration."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.declaration import ComponentId, VariableId
from chargebyte_fw.modules.ocpp.variables.device_model import DeviceModel
from chargebyte_fw.modules.ocpp.variables.files.json_file import Findings
from chargebyte_fw.modules.ocpp.variables.files.loading import MIGRATION, Model, Sources, load, take_over_profiles
from chargebyte_fw.modules.ocpp.variables.keys.block import ConfigurationKeys
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.variables.standard import (
    authorization,
    communication,
    internal,
    iso15118,
    legacy,
    metering,
    station,
)
from chargebyte_fw.modules.ocpp.variables.standard.communication import NETWORK_URL
from chargebyte_fw.modules.ocpp.variables.storage import MIGRATIONS, TABLE, VariableStorage, WriteOverlay
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.variables import shipped_files
from tests.ocpp.variables.talk import Talk

SHIPPED = shipped_files.MODULES
PROFILES = (
    '[{"configurationSlot":1,"connectionData":{"ocppCsmsUrl":"wss://csms/a","messageTimeout":30,"securityProfile":2}}]'
)
CONNECTORS = {1: 1, 2: 1}
SHAPE = ("data_type", "unit", "minimum", "maximum", "values", "required", "monitored", "kept", "separator")


def test_the_shipped_files_are_those_of_the_declarations() -> None:
    wanted, found = shipped_files.expected(), shipped_files.actual()
    differing = [str(path) for path in {**wanted, **found} if wanted.get(path) != found.get(path)]
    assert differing == [], "script/ocpp-files --write"


def shape(variables: Variables) -> dict[str, Any]:
    """Everything that a model has, by address."""
    return {
        str(entry.id): (
            [getattr(entry, name) for name in SHAPE],
            {name: (one.mutability, one.value) for name, one in entry.attributes.items()},
        )
        for entry in variables
    }


def test_the_shipped_files_make_the_model_of_the_declarations() -> None:
    model = load(Sources(components=SHIPPED / "OCPP201/component_config"), CONNECTORS)
    assert [str(one) for one in model.warnings] == []
    wanted = Variables(declared(connectors=CONNECTORS))
    take_over_profiles(wanted, Findings())
    assert wanted.get(NETWORK_URL.at(slot=1)) == "ws://localhost:9000"
    assert shape(model.variables) == shape(wanted)
    model = load(Sources(components=SHIPPED / "OCPPmulti/component_config", version_16=True), CONNECTORS)
    assert {entry.id.folded for entry in model.variables} == {
        variable.id.folded for variable in declared(connectors=CONNECTORS, legacy_keys=True)
    }


def test_loading_is_quick() -> None:
    began = time.process_time()
    load(Sources(components=SHIPPED / "OCPP201/component_config"), CONNECTORS)
    assert time.process_time() - began < 0.5


def test_without_a_folder_the_model_is_that_of_the_declarations(tmp_path: Path) -> None:
    model = load(Sources(components=tmp_path / "none"), {1: 2})
    assert model.variables.entry(station.CONNECTOR_TYPE.at(1, 2).id) is not None


def property_of(name: str, data_type: str = "string", value: Any = None, **rest: Any) -> dict[str, Any]:
    attribute = {"type": "Actual", "mutability": rest.pop("mutability", "ReadWrite")}
    if value is not None:
        attribute["value"] = value
    characteristics = {"dataType": data_type, "supportsMonitoring": True} | rest.pop("characteristics", {})
    return {"variable_name": name, "characteristics": characteristics, "attributes": [attribute]} | rest


def component(folder: Path, name: str, properties: dict[str, Any], place: str = "standardized", **rest: Any) -> Path:
    path = folder / place / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"name": name.partition("_")[0], "properties": properties} | rest, indent=2))
    return folder


def test_a_file_decides_which_variables_its_component_has(tmp_path: Path) -> None:
    component(tmp_path, "AuthCacheCtrlr", {"AuthCacheCtrlrEnabled": property_of("Enabled", "boolean", False)})
    model = load(Sources(components=tmp_path), CONNECTORS)
    assert model.variables.find(authorization.AUTH_CACHE_ENABLED) is False
    assert model.variables.entry(authorization.AUTH_CACHE_LIFE_TIME.id) is None
    assert model.variables.entry(communication.HEARTBEAT_INTERVAL.id) is not None


def test_a_custom_component_and_its_values(tmp_path: Path) -> None:
    properties = {
        "A": property_of("Limit", "decimal", 1.5, characteristics={"minLimit": 1, "maxLimit": "2", "unit": "A"}),
        "B": property_of("Mode", "OptionList", "x", characteristics={"valuesList": "x,y"}, instance="one"),
        "C": property_of("Items", "MemberList", ["x", "y"], characteristics={"valuesList": ["x", "y", "z"]}),
        "D": property_of("Fallback", "integer", default="7"),
    }
    component(tmp_path, "Special", properties, "custom", evse_id=2, connector_id=1)
    component(tmp_path, "Elsewhere", {"A": property_of("A")}, "custom", evse_id=3)
    talk = Talk(DeviceModel, variables=load(Sources(components=tmp_path), CONNECTORS).variables)
    evse = {"id": 2, "connectorId": 1}
    asked = [("Limit", None), ("Mode", "one"), ("Items", None), ("Fallback", None)]
    data = [
        {"component": {"name": "Special", "evse": evse}, "variable": {"name": name} | ({"instance": i} if i else {})}
        for name, i in asked
    ]
    results = talk.ask("GetVariables", {"getVariableData": data})["getVariableResult"]
    assert [one["attributeValue"] for one in results] == ["1.5", "x", "x,y", "7"]
    statuses = talk.ask(
        "SetVariables", {"setVariableData": [data[0] | {"attributeValue": v} for v in ("2", "2.1", "0.9")]}
    )["setVariableResult"]
    assert [one["attributeStatus"] for one in statuses] == ["Accepted", "Rejected", "Rejected"]
    assert talk.variables.component(ComponentId("Elsewhere", evse=3)) is None


def test_a_custom_file_has_the_last_word(tmp_path: Path) -> None:
    component(tmp_path, "TxCtrlr", {"EVConnectionTimeOut": property_of("EVConnectionTimeOut", "integer", 60)})
    component(tmp_path, "TxCtrlr", {"EVConnectionTimeOut": property_of("EVConnectionTimeOut", "integer", 30)}, "custom")
    variables = load(Sources(components=tmp_path), CONNECTORS).variables
    entry = variables.entry(VariableId(ComponentId("TxCtrlr"), "EVConnectionTimeOut"))
    assert entry is not None and entry.text() == "30"


def test_what_the_standard_requires_is_there_with_a_warning(tmp_path: Path) -> None:
    component(tmp_path, "ClockCtrlr", {"TimeZone": property_of("TimeZone")})
    model = load(Sources(components=tmp_path), CONNECTORS)
    assert model.variables.get(station.TIME_SOURCE) == ("Heartbeat",)
    assert {str(one.what) for one in model.warnings} == {
        "ClockCtrlr.DateTime is missing",
        "ClockCtrlr.TimeSource is missing",
    }


def test_every_finding_has_its_place(tmp_path: Path) -> None:
    properties = {
        "One": property_of("Limit", "number"),
        "Two": property_of("Interval", "integer", "soon"),
        "Three": property_of("Flag", "boolean", True, mutability="Writable"),
        "Four": {"characteristics": {"dataType": "string"}},
        "Five": property_of("Watched", "integer", 1, monitors=[{"type": "Upper", "value": 1, "severity": 1}, {}]),
    }
    component(tmp_path, "Special", properties, required=["Ones"])
    (tmp_path / "standardized/Broken.json").write_text('{"name": ')
    with pytest.raises(ConfigError) as caught:
        load(Sources(components=tmp_path), CONNECTORS)
    lines = [str(one).removeprefix(f"{tmp_path}/standardized/") for one in caught.value.findings]
    text = (tmp_path / "standardized/Special.json").read_text().split("\n")
    places = [text[int(line.split(":")[1]) - 1].strip() for line in lines if line.startswith("Special.json:")]
    assert any(line.startswith("Broken.json:1:10: error: no JSON") for line in lines)
    whats = "\n".join(lines)
    assert "no data type of the standard" in whats and "did you mean One?" in whats
    assert "'soon' is no value of Special.Interval: not an integer of 32 bit" in whats
    assert "no mutability (one of ReadOnly, WriteOnly, ReadWrite)" in whats
    assert "variable_name is missing" in whats and "no monitor of type 'Upper'" in whats
    assert '"dataType": "number",' in places and '"value": "soon"' in places and '"Four": {' in places
    assert '"mutability": "Writable",' in places


def test_monitors_of_the_configuration(tmp_path: Path) -> None:
    monitors = [
        {"type": "UpperThreshold", "value": 21950, "severity": 1, "config_type": "HardWiredMonitor"},
        {
            "type": "Delta",
            "value": 100,
            "severity": 2,
            "reference_value": "10700",
            "config_type": "PreconfiguredMonitor",
        },
    ]
    component(tmp_path, "Special", {"A": property_of("Power", "decimal", 0, monitors=monitors)})
    entry = load(Sources(components=tmp_path), CONNECTORS).variables.entry(VariableId(ComponentId("Special"), "Power"))
    assert entry is not None
    assert [(one.type, one.value, one.hard_wired, one.reference) for one in entry.monitors] == [
        ("UpperThreshold", 21950.0, True, None),
        ("Delta", 100.0, False, "10700"),
    ]


def test_connections_of_the_time_before_network_configuration_are_taken_over(tmp_path: Path) -> None:
    component(
        tmp_path,
        "InternalCtrlr",
        {"NetworkConnectionProfiles": property_of("NetworkConnectionProfiles", value=PROFILES)},
    )
    variables = load(Sources(components=tmp_path), CONNECTORS).variables
    assert variables.get(communication.NETWORK_URL.at(slot=1)) == "wss://csms/a"
    assert variables.get(communication.NETWORK_SECURITY_PROFILE.at(slot=1)) == 2
    assert variables.get(communication.NETWORK_MESSAGE_TIMEOUT.at(slot=1)) == 30


# OCPP 1.6

CONFIG: dict[str, Any] = json.loads((SHIPPED / "OCPP/ocpp-config.json").read_text())


def legacy_sources(folder: Path, change: dict[str, Any] | None = None, **rest: Any) -> Sources:
    content: dict[str, Any] = {name: dict(section) for name, section in CONFIG.items()}
    for name, section in (change or {}).items():
        content[name] = {**content.get(name, {}), **section} if section is not None else section
    content = {name: section for name, section in content.items() if section is not None}
    (folder / "ocpp-config.json").write_text(json.dumps(content, indent=2))
    sources: dict[str, Any] = {"version_16": True, "backend": "legacy", "legacy": folder / "ocpp-config.json"}
    return Sources(**{**sources, "overlay": folder / "user_config.json", **rest})


def talk_of(model: Model, saved: dict[str, dict[str, bytes]] | None = None) -> Talk:
    return Talk(VariableStorage, ConfigurationKeys, version=Version.V16, variables=model.variables, saved=saved)


def keys_of(talk: Talk) -> dict[str, Any]:
    return {one["key"]: one.get("value") for one in talk.ask("GetConfiguration")["configurationKey"]}


def test_the_shipped_configuration_of_1_6_has_no_finding(tmp_path: Path) -> None:
    model = load(legacy_sources(tmp_path), {1: 1})
    assert [str(one) for one in model.warnings] == []
    keys = keys_of(talk_of(model))
    for section in CONFIG.values():
        for name, value in section.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            assert name == "AuthorizationKey" or keys[name] == text, name


def test_values_defaults_and_keys_that_are_missing(tmp_path: Path) -> None:
    change: dict[str, Any] = {
        "Internal": {"SupportedCiphers13": ["A", "B"], "SupportedMeasurands": "SoC,Voltage"},
        "Core": {
            "MeterValuesSampledData": "SoC,Voltage.L1",
            "MeterValuesAlignedData": "SoC",
            "StopTxnSampledData": "SoC",
        },
    }
    change["Core"] |= {"StopTxnAlignedData": "SoC", "MeterValuesSampledDataMaxLength": 3}
    model = load(legacy_sources(tmp_path, change), {1: 1})
    assert [str(one) for one in model.warnings] == []
    keys = keys_of(talk_of(model))
    assert (
        keys["RetryBackoffRandomRange"] == "10" and model.variables.get(communication.RETRY_BACK_OFF_RANDOM_RANGE) == 10
    )
    assert keys["SupportedCiphers13"] == "A,B" and model.variables.get(internal.SUPPORTED_CIPHERS_13) == ("A", "B")
    assert keys["SupportedMeasurands"] == "SoC,Voltage" and keys["MeterValuesSampledData"] == "SoC,Voltage.L1"
    assert model.variables.values(metering.SAMPLED_DATA_TX_ENDED_MEASURANDS) == ("SoC", "Voltage")
    assert keys["MeterValuesSampledDataMaxLength"] == "3" and "MeterValuesAlignedDataMaxLength" not in keys
    assert "ConnectorSwitch3to1PhaseSupported" not in keys and keys["BlinkRepeat"] is None


def test_a_section_that_is_missing_disables_its_profile(tmp_path: Path) -> None:
    model = load(legacy_sources(tmp_path, {"SmartCharging": None, "Reservation": None}), {1: 1})
    assert model.variables.get(legacy.SUPPORTED_FEATURE_PROFILES) == (
        "Core",
        "FirmwareManagement",
        "RemoteTrigger",
        "LocalAuthListManagement",
    )
    assert "ChargeProfileMaxStackLevel" not in keys_of(talk_of(model))
    (warning,) = model.warnings
    assert warning.what == "Reservation,SmartCharging in SupportedFeatureProfiles, and there is no such section"


def test_findings_of_the_file_have_their_place(tmp_path: Path) -> None:
    change = {
        "Core": {"HeartbeatInterval": "soon", "HartbeatInterval": 1, "LocalPreAuthorize": {}},
        "Securty": {},
        "PnC": {"CertificateStoreMaxLength": 1000},
    }
    with pytest.raises(ConfigError) as caught:
        load(legacy_sources(tmp_path, change), {1: 1})
    text = (tmp_path / "ocpp-config.json").read_text().split("\n")
    found = {}
    for one in caught.value.findings:
        _, line, _ = one.where.rsplit(":", 2)
        found[text[int(line) - 1].strip().partition(":")[0]] = (one.severity, one.what, one.hint)
    assert found['"HeartbeatInterval"'][1] == "'soon' is no value of HeartbeatInterval: not an integer of 32 bit"
    assert found['"HartbeatInterval"'] == (
        "warning",
        "no key HartbeatInterval in section Core",
        "did you mean HeartbeatInterval?",
    )
    assert found['"LocalPreAuthorize"'][:2] == ("error", "LocalPreAuthorize takes another kind of value")
    assert found['"Securty"'][2] == "did you mean Security?"
    assert found['"CertificateStoreMaxLength"'][2] == "Security.CertificateStoreMaxLength stands for it"


def test_the_number_of_connectors_is_that_of_the_station(tmp_path: Path) -> None:
    model = load(legacy_sources(tmp_path), {1: 2, 2: 1})
    assert model.variables.get(legacy.NUMBER_OF_CONNECTORS) == 3
    assert [one.what for one in model.warnings] == ["NumberOfConnectors is 1, the station has 3"]


def overlay_of(talk: Talk) -> dict[str, Any]:
    *_, last = [one for one in talk.other if isinstance(one, WriteOverlay)]
    found: dict[str, Any] = json.loads(last.content)
    return found


def test_changed_keys_are_in_the_overlay_and_there_after_a_restart(tmp_path: Path) -> None:
    sources = legacy_sources(
        tmp_path, {"CostAndPrice": {"CustomDisplayCostAndPrice": True, "SupportedLanguages": "en, nl"}}
    )
    talk = talk_of(load(sources, {1: 1}))
    changes = {"HeartbeatInterval": "77", "LocalPreAuthorize": "false", "SupplyVoltage": "231.5"}
    changes |= {"DefaultPriceText,nl": '{"priceText":"Prijs"}', "AuthorizationKey": "DEADBEEF", "TimeOffset": "+02:00"}
    for key, text in changes.items():
        assert talk.ask("ChangeConfiguration", {"key": key, "value": text}) == {"status": "Accepted"}
    assert overlay_of(talk) == {
        "Core": {"HeartbeatInterval": 77, "LocalPreAuthorize": False},
        "Internal": {"SupplyVoltage": 231.5},
        "Security": {"AuthorizationKey": "DEADBEEF"},
        "CostAndPrice": {
            "DefaultPriceText": {"priceTexts": [{"priceText": "Prijs", "language": "nl"}]},
            "TimeOffset": "+02:00",
        },
    }
    assert TABLE not in talk.tables
    (tmp_path / "user_config.json").write_text(json.dumps(overlay_of(talk)))
    again = talk_of(load(sources, {1: 1}))
    keys = keys_of(again)
    assert [keys[name] for name in changes if name in CONFIG["Core"]] == ["77", "false"]
    assert keys["SupplyVoltage"] == "231.5"
    assert keys["DefaultPriceText,nl"] == '{"priceText":"Prijs"}'
    assert again.variables.get(communication.NETWORK_BASIC_AUTH_PASSWORD.at(slot=1)) == "DEADBEEF"


def test_variables_that_are_no_keys_are_documents_and_equal_values_are_not_written(tmp_path: Path) -> None:
    talk = talk_of(load(legacy_sources(tmp_path), {1: 1}))
    talk.variables.set(communication.ACTIVE_NETWORK_PROFILE, 2)
    talk.variables.set(communication.HEARTBEAT_INTERVAL, 1800)
    talk.settle()
    assert list(talk.tables[TABLE]) == ["OCPPCommCtrlr.ActiveNetworkProfile Actual"]
    assert not any(isinstance(one, WriteOverlay) for one in talk.other)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"Core": 1}', '{"Core": {"HeartbeatInterval": "x"}}'])
def test_a_damaged_overlay_costs_the_changes_and_not_the_start(tmp_path: Path, content: str) -> None:
    (tmp_path / "user_config.json").write_text(content)
    model = load(legacy_sources(tmp_path), {1: 1})
    assert all(one.severity == "warning" for one in model.warnings)
    assert model.variables.get(communication.HEARTBEAT_INTERVAL) == 1800


def test_keys_of_the_integrator(tmp_path: Path) -> None:
    schema = {
        "ExampleConfigurationKey": {"type": "string", "readOnly": False, "maxLength": 10},
        "Number": {"type": "integer", "minimum": 1, "readOnly": True},
    }
    path = tmp_path / "profile_schemas/custom/Custom.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"type": "object", "properties": schema}))
    change = {"Custom": {"ExampleConfigurationKey": "example", "Number": 5, "Free": True}}
    sources = legacy_sources(tmp_path, change, share=tmp_path)
    talk = talk_of(load(sources, {1: 1}))
    keys = keys_of(talk)
    assert [keys[name] for name in ("ExampleConfigurationKey", "Number", "Free")] == ["example", "5", "true"]
    statuses = {
        (key, text): talk.ask("ChangeConfiguration", {"key": key, "value": text})["status"]
        for key, text in (
            ("ExampleConfigurationKey", "new"),
            ("ExampleConfigurationKey", "much too long"),
            ("Number", "6"),
            ("Free", "no"),
        )
    }
    assert list(statuses.values()) == ["Accepted", "Rejected", "Rejected", "Rejected"]
    assert overlay_of(talk) == {"Custom": {"ExampleConfigurationKey": "new"}}


def test_migration_to_the_device_model_happens_once(tmp_path: Path) -> None:
    change = {
        "Core": {"HeartbeatInterval": 77, "MeterValuesSampledData": "Voltage.L1"},
        "Security": {"AuthorizationKey": "DEADBEEF"},
    }
    sources = legacy_sources(tmp_path, change, backend=MIGRATION)
    (tmp_path / "user_config.json").write_text('{"Core": {"ConnectionTimeOut": 33}}')
    first = talk_of(load(sources, {1: 1}))
    keys = keys_of(first)
    assert (keys["HeartbeatInterval"], keys["ConnectionTimeOut"], keys["ChargePointId"]) == ("77", "33", "cp001")
    assert keys["MeterValuesSampledData"] == "Voltage.L1"
    assert first.variables.get(communication.NETWORK_BASIC_AUTH_PASSWORD.at(slot=1)) == "DEADBEEF"
    assert first.variables.get(communication.NETWORK_INTERFACE.at(slot=1)) == "Any", "1.6 names none"
    assert "ocpp1.6" in first.tables[MIGRATIONS]
    assert first.ask("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "88"}) == {"status": "Accepted"}
    legacy_sources(tmp_path, {"Core": {"HeartbeatInterval": 11}})
    again = talk_of(load(sources, {1: 1}), saved=first.tables)
    assert (keys_of(again)["HeartbeatInterval"], keys_of(again)["ConnectionTimeOut"]) == ("88", "33")


def test_mappings_of_custom_keys(tmp_path: Path) -> None:
    (tmp_path / "mappings.yaml").write_text(
        "mappings:\n"
        "  - ocpp16_key: VendorKey\n"
        "    component: {name: ISO15118Ctrlr}\n"
        "    variable: {name: MaxPriceElements}\n"
        "  - ocpp16_key: Slot2\n"
        "    component: {name: NetworkConfiguration, instance: '2'}\n"
        "    variable: {name: Identity}\n"
    )
    sources = Sources(version_16=True, mappings=tmp_path / "mappings.yaml")
    model = load(sources, {1: 1})
    talk = talk_of(model)
    assert talk.ask("ChangeConfiguration", {"key": "Slot2", "value": "cp2"}) == {"status": "Accepted"}
    assert model.variables.get(communication.NETWORK_IDENTITY.at(slot=2)) == "cp2"
    model.variables.set(iso15118.MAX_PRICE_ELEMENTS, 5)
    assert keys_of(talk)["VendorKey"] == "5"
    assert talk.ask("ChangeConfiguration", {"key": "VendorKey", "value": "6"}) == {"status": "Rejected"}


def test_the_shipped_mapping_shows_its_example_which_a_migrated_file_sets(tmp_path: Path) -> None:
    change = {"Custom": {"ExampleConfigurationKey": "example"}}
    mappings = shipped_files.MODULES / "OCPPmulti/ocpp16-custom-config-mappings.yaml"
    sources = legacy_sources(tmp_path, change, backend=MIGRATION, mappings=mappings)
    talk = talk_of(load(sources, {1: 1}))
    assert keys_of(talk)["ExampleConfigurationKey"] == "example"
    assert talk.ask("ChangeConfiguration", {"key": "ExampleConfigurationKey", "value": "new"}) == {"status": "Accepted"}


def test_a_mapping_to_nothing_is_an_error_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mappings.yaml"
    path.write_text("mappings:\n- ocpp16_key: A\n  component: {name: No}\n  variable: {name: Such}\n- ocpp16_key: B\n")
    with pytest.raises(ConfigError) as caught:
        load(Sources(version_16=True, mappings=path), {1: 1})
    assert [str(one).removeprefix(str(path)) for one in caught.value.findings] == [
        ":2:3: error: No.Such of key A is no variable of the device model [C221]",
        ":5:3: error: a mapping has ocpp16_key, component.name and variable.name [C221]",
    ]


def test_a_device_model_that_is_wrong_may_fall_back_to_the_keys(tmp_path: Path) -> None:
    component(tmp_path / "components", "Special", {"One": {}})
    broken: dict[str, Any] = {"backend": "device_model", "components": tmp_path / "components"}
    with pytest.raises(ConfigError):
        load(legacy_sources(tmp_path, **broken), {1: 1})
    model = load(legacy_sources(tmp_path, fall_back=True, **broken), {1: 1})
    assert model.variables.overlay is not None and model.warnings[0].severity == "warning"

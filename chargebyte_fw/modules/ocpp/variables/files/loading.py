"""The device model of a module, put together from its configuration: declarations, files, and what the stack has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.kernel.errors import ConfigError, Finding
from chargebyte_fw.kernel.files import folder_oddity
from chargebyte_fw.modules.ocpp.variables.files.component_files import read_components
from chargebyte_fw.modules.ocpp.variables.files.json_file import Findings, JsonFile, as_text
from chargebyte_fw.modules.ocpp.variables.files.legacy_file import LegacyFile, migrate
from chargebyte_fw.modules.ocpp.variables.files.mappings import read_mappings
from chargebyte_fw.modules.ocpp.variables.keys.configuration import Configuration
from chargebyte_fw.modules.ocpp.variables.model import ACTUAL, Variables
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.variables.standard import communication, internal, legacy

LEGACY, DEVICE_MODEL, MIGRATION = "legacy", "device_model", "device_model_with_migration"
CUSTOM_SCHEMA = "profile_schemas/custom/Custom.json"
"""Schema of the integrator's keys, below the module's share folder."""


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where the configuration of a module is. Paths are complete; None: there is none."""

    version_16: bool = False
    """The keys of OCPP 1.6 are wanted."""
    backend: str = DEVICE_MODEL
    """`ConfigBackend`, of a module that speaks 1.6."""
    components: Path | None = None
    """`DeviceModelConfigPath`; without the folder the model is that of the declarations."""
    legacy: Path | None = None
    """`ChargePointConfigPath`."""
    overlay: Path | None = None
    """`UserConfigPath`."""
    mappings: Path | None = None
    """`DeviceModelConfigMappings`."""
    share: Path | None = None
    """The module's share folder."""
    slot: int = 1
    """`Ocpp16NetworkConfigSlot`."""
    addressed_by_keys: bool = False
    """Other modules name variables by the keys of 1.6: the module is `OCPP`."""
    fall_back: bool = False
    """`EnableDeviceModelFallbackToLegacyJson`."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """What a station begins with."""

    variables: Variables
    warnings: list[Finding]


def load(sources: Sources, connectors: Mapping[int, int]) -> Model:
    """Return the model; raises ConfigError with everything that must be changed."""
    findings = Findings()
    model = _load(sources, connectors, findings)
    model.variables.addressed_by_keys = sources.addressed_by_keys
    return model


def _load(sources: Sources, connectors: Mapping[int, int], findings: Findings) -> Model:
    uses_file = sources.version_16 and sources.backend == LEGACY
    if not uses_file:
        model = _device_model(sources, connectors, findings)
        if not findings.errors:
            return model
        if not (sources.version_16 and sources.fall_back):
            raise ConfigError(findings.found)
        findings.found = [msgspec.structs.replace(one, severity="warning") for one in findings.found]
    model = _legacy(sources, connectors, findings)
    if findings.errors:
        raise ConfigError(findings.found)
    return model


def _legacy(sources: Sources, connectors: Mapping[int, int], findings: Findings) -> Model:
    variables = Variables(declared(connectors=connectors, legacy_keys=True))
    file = _legacy_file(sources, findings)
    variables.keys = file.apply(variables)
    variables.overlay = file
    _check_connectors(variables, connectors, file)
    return Model(variables=variables, warnings=findings.found)


def _legacy_file(sources: Sources, findings: Findings) -> LegacyFile:
    base = JsonFile(sources.legacy or Path("ocpp-config.json"), findings)
    overlay = None
    if sources.overlay is not None and sources.overlay.exists():
        # The station itself writes it: what is wrong with it costs the changes, not the start.
        own = Findings()
        overlay = JsonFile(sources.overlay, own)
        findings.found += [msgspec.structs.replace(one, severity="warning") for one in own.found]
    schema = {}
    if sources.share is not None and (path := sources.share / CUSTOM_SCHEMA).is_file():
        schema = JsonFile(path, findings).value.get("properties", {})
    return LegacyFile(base, overlay, schema if isinstance(schema, dict) else {}, sources.slot)


def _check_connectors(variables: Variables, connectors: Mapping[int, int], file: LegacyFile) -> None:
    count = sum(connectors.values())
    configured = variables.get(legacy.NUMBER_OF_CONNECTORS)
    if configured != count:
        what = f"NumberOfConnectors is {configured}, the station has {count}"
        file.file.warning(("Core", "NumberOfConnectors"), what, "the number of the station is used")
        entry = variables.entry(legacy.NUMBER_OF_CONNECTORS.id)
        if entry is not None:
            entry.attributes[ACTUAL].value = str(count)


def _device_model(sources: Sources, connectors: Mapping[int, int], findings: Findings) -> Model:
    folder = sources.components
    if folder is None or (not folder.exists() and not folder_oddity(folder)):
        variables = Variables(declared(connectors=connectors, legacy_keys=sources.version_16))
    else:
        variables = Variables()
        read_components(folder, variables, connectors, findings)
        if sources.version_16:
            for variable in legacy.LEGACY.declared:
                if variables.entry(variable.id) is None:
                    variables.add(variable)
    take_over_profiles(variables, findings)
    if sources.version_16:
        _set_number_of_connectors(variables, connectors)
        custom = [] if sources.mappings is None else read_mappings(sources.mappings, variables, findings)
        variables.keys = Configuration(variables, custom, sources.slot)
        if sources.backend == MIGRATION:
            file = _legacy_file(sources, findings)
            variables.migration = lambda: migrate(file, variables)
    return Model(variables=variables, warnings=findings.found)


def _set_number_of_connectors(variables: Variables, connectors: Mapping[int, int]) -> None:
    entry = variables.entry(legacy.NUMBER_OF_CONNECTORS.id)
    if entry is not None and connectors:
        entry.attributes[ACTUAL].value = str(sum(connectors.values()))


def take_over_profiles(variables: Variables, findings: Findings) -> None:
    """Give the slots what `InternalCtrlr.NetworkConnectionProfiles` has, where no slot has an URL.

    It is a JSON text of the time before NetworkConfiguration: a list of slots with NetworkConnectionProfileType.
    """
    text = variables.get(internal.NETWORK_CONNECTION_PROFILES)
    slots = [int(name) for name in variables.get(communication.NETWORK_CONFIGURATION_PRIORITY) if name.isdecimal()]
    if not text or any(variables.get(communication.NETWORK_URL.at(slot=slot)) for slot in slots):
        return
    try:
        profiles = decode_json(text, list[dict[str, object]])
    except msgspec.DecodeError as error:
        findings.warning("InternalCtrlr.NetworkConnectionProfiles", f"no list of connections: {error}", "it is ignored")
        return
    for profile in profiles:
        data, slot = profile.get("connectionData"), profile.get("configurationSlot")
        if not isinstance(data, dict) or not isinstance(slot, int):
            continue
        for variable in communication.NETWORK.declared:
            name = variable.id.name
            value = as_text(data.get(name[0].lower() + name[1:]))
            entry = variables.entry(variable.at(slot=slot).id)
            if value is not None and entry is not None:
                entry.attributes[ACTUAL].value = value

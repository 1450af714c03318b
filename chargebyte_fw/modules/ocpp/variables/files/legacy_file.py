"""The configuration of OCPP 1.6: a JSON file of sections with keys, and an overlay of the keys that were changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.kernel.names import closest
from chargebyte_fw.modules.ocpp.variables.access import value_fault
from chargebyte_fw.modules.ocpp.variables.declaration import DataType, Mutability, Variable, VariableId
from chargebyte_fw.modules.ocpp.variables.files.json_file import JsonFile, as_text
from chargebyte_fw.modules.ocpp.variables.keys.configuration import Configuration, placed
from chargebyte_fw.modules.ocpp.variables.keys.key import Key, Part
from chargebyte_fw.modules.ocpp.variables.keys.table import KEYS, SECTIONS
from chargebyte_fw.modules.ocpp.variables.model import ACTUAL, Entry, Variables
from chargebyte_fw.modules.ocpp.variables.standard import communication, legacy

OBSOLETE = {
    "MultiLanguageSupportedLanguages": "SupportedLanguages",
    "CertificateSignedMaxChainSize": "Security.CertificateSignedMaxChainSize",
    "CertificateStoreMaxLength": "Security.CertificateStoreMaxLength",
}
"""Keys of older configuration files, in sections that do not have them now, and what stands for them."""

PROFILES_OF_SECTIONS = ("FirmwareManagement", "LocalAuthListManagement", "Reservation", "SmartCharging")
_KINDS = {"boolean": DataType.BOOLEAN, "integer": DataType.INTEGER, "number": DataType.DECIMAL}


class LegacyFile:
    """The files of one configuration: `file` is the base, `overlay` what was changed since."""

    def __init__(
        self,
        file: JsonFile,
        overlay: JsonFile | None = None,
        custom_schema: Mapping[str, Any] | None = None,
        slot: int = 1,
    ) -> None:
        self.file = file
        self.overlay: dict[str, dict[str, Any]] = {}
        self._overlay_file = overlay
        if overlay is not None:
            self.overlay = {name: dict(one) for name, one in overlay.value.items() if isinstance(one, dict)}
        self.sections = [name for name in SECTIONS if isinstance(file.value.get(name), dict)]
        self._schema = dict(custom_schema or {})
        self.slot = slot
        self.custom = [self._custom_key(name) for name in self.members("Custom")]

    def members(self, section: str) -> dict[str, Any]:
        """Return the keys of a section, the changed ones with their new value."""
        base = self.file.value.get(section, {})
        changed = self.overlay.get(section, {})
        return {**base, **changed} if isinstance(base, dict) else {}

    def apply(self, variables: Variables) -> Configuration:
        """Give the variables of the model the values of the files; return the keys."""
        for key in self.custom:
            variables.add(key.variable)
        configuration = Configuration(variables, self.custom, self.slot, self.sections)
        self._check_names(configuration)
        for section in self.sections:
            members = self.members(section)
            # Limits and lists of values come first: the values are checked against them.
            keys = sorted((key for key in configuration.keys if key.section == section), key=_after_its_limits)
            for key in keys:
                self._apply(configuration, key, members.get(key.name))
        self._drop_profiles(variables)
        return configuration

    def _apply(self, configuration: Configuration, key: Key, value: Any) -> None:
        entry = configuration.variables.entry(key.variable.id) or configuration.variables.add(key.variable)
        text = self._text(key, value)
        if text is None and value is not None:
            self.file.error((key.section, key.name), f"{key.name} takes another kind of value")
            return
        if text is None:
            text = key.default
        if text is None:
            self._lacks(key, entry)
            return
        if value is not None and (fault := configuration.fault(key, entry, text)) and not self._is_lenient(key):
            self._report(key, f"{text[:100]!r} is no value of {key.name}: {fault}")
            return
        place(configuration.variables, key, entry, key.model_text(text))

    def _report(self, key: Key, what: str) -> None:
        """Note a wrong value: an error in the file of the integrator, a warning in that of the station itself."""
        if key.name in self.overlay.get(key.section, {}) and self._overlay_file is not None:
            self._overlay_file.warning((key.section, key.name), what, "the default is used")
        else:
            self.file.error((key.section, key.name), what)

    @staticmethod
    def _is_lenient(key: Key) -> bool:
        """Whether a value that the CSMS could not set may be in a file: EVerest checks these on writing alone."""
        return key.name in ("ConnectorPhaseRotation", "AuthorizationKey", "SecurityProfile", "ConnectorEvseIds")

    def _lacks(self, key: Key, entry: Entry) -> None:
        if key.required:
            self.file.warning((key.section,), f"{key.name} is missing", "it is required; its default is used")
        elif key.part is Part.VALUE:
            entry.attributes[ACTUAL].value = None
        elif key.part is Part.LIMIT:
            entry.maximum = None

    def _text(self, key: Key, value: Any) -> str | None:
        if isinstance(value, dict | list) and key.variable.data_type is DataType.STRING:
            return msgspec.json.encode(value).decode()
        return as_text(value)

    def _custom_key(self, name: str) -> Key:
        value = self.members("Custom")[name]
        schema = self._schema.get(name)
        if not isinstance(schema, dict):
            schema = {}
        kind = schema.get("type")
        data_type = _KINDS.get(str(kind)) or _kind_of(value)
        variable: Variable[Any] = Variable(
            id=VariableId(legacy.LEGACY.id, name),
            data_type=data_type,
            absent="",
            minimum=_bound(schema, "minimum" if data_type in _KINDS.values() else "minLength"),
            maximum=_bound(schema, "maximum" if data_type in _KINDS.values() else "maxLength"),
            values=tuple(schema.get("enum", ())) if data_type is DataType.OPTION else (),
            meaning=str(schema.get("description", "A key of the integrator.")),
        )
        access = Mutability.READ_ONLY if schema.get("readOnly") is True else Mutability.READ_WRITE
        return Key(name=name, section="Custom", variable=variable, access=access)

    def _check_names(self, configuration: Configuration) -> None:
        known: dict[str, set[str]] = {}
        for key in configuration.keys:
            known.setdefault(key.section, set()).add(key.name)
        for section, members in self.file.value.items():
            if section.startswith("$"):
                continue
            if section not in SECTIONS:
                self.file.warning((section,), f"no section {section}", _nearest(section, SECTIONS))
                continue
            if not isinstance(members, dict):
                self.file.error((section,), "a section is a JSON object")
                continue
            names = known.get(section, set())
            for name in members:
                if name not in names:
                    hint = f"{OBSOLETE[name]} stands for it" if name in OBSOLETE else _nearest(name, names)
                    self.file.warning((section, name), f"no key {name} in section {section}", hint)

    def _drop_profiles(self, variables: Variables) -> None:
        profiles = variables.get(legacy.SUPPORTED_FEATURE_PROFILES)
        missing = [one for one in PROFILES_OF_SECTIONS if one in profiles and one not in self.sections]
        if missing:
            what = f"{','.join(missing)} in SupportedFeatureProfiles, and there is no such section"
            self.file.warning(("Core", "SupportedFeatureProfiles"), what, "the profile is not used")
            kept = [one for one in profiles if one not in missing]
            entry = variables.entry(legacy.SUPPORTED_FEATURE_PROFILES.id)
            if entry is not None:
                entry.attributes[ACTUAL].value = ",".join(kept)

    def changed(self, configuration: Configuration, entry: Entry) -> bytes | None:
        """Note a variable that was set; return the new overlay.

        It is None for a variable that is no key of the file, and empty where the file has the value.
        """
        key = configuration.key_of(entry)
        if key is None or key.section not in self.sections:
            return None
        value = typed(key, key.text(entry))
        if key.name in self.members(key.section) and self.members(key.section)[key.name] == value:
            return b""
        self.overlay.setdefault(key.section, {})[key.name] = value
        return msgspec.json.format(msgspec.json.encode(self.overlay), indent=4) + b"\n"


def _after_its_limits(key: Key) -> int:
    order = [Part.VALUES, Part.LIMIT, Part.VALUE]
    late = key.name in ("Language", "ConnectorEvseIds", "ConnectorPhaseRotation")
    return order.index(key.part) + late


def place(variables: Variables, key: Key, entry: Entry, stored: str) -> None:
    """Give a variable its initial value."""
    match key.part:
        case Part.LIMIT:
            entry.maximum = float(stored)
        case Part.VALUES:
            for variable in (key.variable, *key.also):
                if (other := variables.entry(variable.id)) is not None:
                    other.values = tuple(stored.split(","))
        case _:
            entry.attributes[ACTUAL].value = stored


def typed(key: Key, text: str | None) -> Any:
    """Return the value of a key as the file has it."""
    if text is None:
        return None
    if key.part is Part.LIMIT or key.variable.data_type is DataType.INTEGER:
        return int(text)
    match key.variable.data_type:
        case DataType.BOOLEAN:
            return text == "true"
        case DataType.DECIMAL:
            return float(text)
    if key.name in ("DefaultPrice", "DefaultPriceText", "MeterPublicKeys") and text:
        return decode_json(text)
    return text


def migrate(file: LegacyFile, variables: Variables) -> list[str]:
    """Set the variables of a device model to the values of a configuration of 1.6; return the names of the keys."""
    source = Variables(key.variable for key in (*(placed(key, file.slot) for key in KEYS), *file.custom))
    configuration = file.apply(source)
    done = []
    for key in configuration.keys:
        value = file.members(key.section).get(key.name)
        origin, target = source.entry(key.variable.id), variables.entry(key.variable.id)
        if value is None or origin is None or target is None:
            continue
        if key.part is Part.VALUE:
            text = origin.text()
            if text is not None and (key.check is not None or not value_fault(target, text)):
                variables.write(target, ACTUAL, text, "migration")
                done.append(key.name)
    # 1.6 names no interface. One that the device model has on its own is kept.
    interface = communication.NETWORK_INTERFACE.at(slot=file.slot)
    if variables.find(interface) == interface.initial:
        variables.set(interface, "Any")
    return done


def _kind_of(value: Any) -> DataType:
    match value:
        case bool():
            return DataType.BOOLEAN
        case int():
            return DataType.INTEGER
        case float():
            return DataType.DECIMAL
        case _:
            return DataType.STRING


def _bound(schema: Mapping[str, Any], name: str) -> float | None:
    value = schema.get(name)
    return float(value) if isinstance(value, int | float) else None


def _nearest(name: str, names: Iterable[str]) -> str:
    found = closest(name, names)
    return f"did you mean {found}?" if found else "it is ignored"

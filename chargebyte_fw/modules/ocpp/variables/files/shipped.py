"""The shipped configuration files, written from the declarations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.variables.declaration import Component, DataType, Variable
from chargebyte_fw.modules.ocpp.variables.files.legacy_file import typed
from chargebyte_fw.modules.ocpp.variables.keys.key import Key
from chargebyte_fw.modules.ocpp.variables.keys.table import KEYS, SECTIONS
from chargebyte_fw.modules.ocpp.variables.model import Entry
from chargebyte_fw.modules.ocpp.variables.registry import COMPONENTS, SLOTS, placed
from chargebyte_fw.modules.ocpp.variables.standard import iso15118, legacy, station
from chargebyte_fw.modules.ocpp.variables.standard.communication import NETWORK

CONNECTORS = {1: 1, 2: 1}
"""EVSEs and connectors that have a file."""

STACK_OWNED = (
    iso15118.EVSE_ISO15118,
    iso15118.CONNECTED_EV,
    iso15118.V2X,
    iso15118.AC_DER.component,
    iso15118.DC_DER.component,
)
"""Components of which the stack knows all: no file sets them."""

NAMED_BY_COMPONENT = {"Enabled", "Available", "Storage", "Problem", "AvailabilityState", "Active"}
PREFIXES = {
    "AlignedDataCtrlr": "AlignedData",
    "SampledDataCtrlr": "SampledData",
    "AuthCacheCtrlr": "AuthCache",
    "LocalAuthListCtrlr": "LocalAuthList",
    "EVSE": "EVSE",
    "Connector": "Connector",
    "ChargingStation": "ChargingStation",
}
PROPERTY_NAMES = {
    ("OCPPCommCtrlr", "MessageTimeout", "Default"): "MessageTimeout",
    ("OCPPCommCtrlr", "MessageAttempts", "TransactionEvent"): "MessageAttempts",
    ("OCPPCommCtrlr", "MessageAttemptInterval", "TransactionEvent"): "MessageAttemptInterval",
    ("OCPPCommCtrlr", "FieldLength", "Get15118EVCertificateResponse.exiResponse"): "FieldLength",
    ("LocalAuthListCtrlr", "BytesPerMessage", ""): "BytesPerMessageSendLocalList",
    ("LocalAuthListCtrlr", "ItemsPerMessage", ""): "ItemsPerMessageSendLocalList",
    ("AuthCacheCtrlr", "Storage", ""): "AuthCacheStorage",
    ("ChargingStation", "AllowNewSessionsPendingFirmwareUpdate", ""): "AllowNewSessionsPendingFirmwareUpdate",
    ("ClockCtrlr", "DateTime", ""): "ClockCtrlrDateTime",
    ("Connector", "ChargeProtocol", ""): "ChargeProtocol",
    ("ISO15118Ctrlr", "CountryName", ""): "ISO15118CtrlrCountryName",
    ("ISO15118Ctrlr", "OrganizationName", ""): "ISO15118CtrlrOrganizationName",
    ("LocalAuthListCtrlr", "Entries", ""): "LocalAuthListCtrlrEntries",
    ("LocalAuthListCtrlr", "DisablePostAuthorize", ""): "LocalAuthListCtrlrDisablePostAuthorize",
    ("ReservationCtrlr", "NonEvseSpecific", ""): "ReservationCtrlrNonEvseSpecific",
    ("SampledDataCtrlr", "RegisterValuesWithoutPhases", ""): "RegisterValuesWithoutPhases",
    ("SecurityCtrlr", "Identity", ""): "SecurityCtrlrIdentity",
    ("SmartChargingCtrlr", "ProfileStackLevel", ""): "ChargingProfileMaxStackLevel",
    ("SmartChargingCtrlr", "RateUnit", ""): "ChargingScheduleChargingRateUnit",
    ("SmartChargingCtrlr", "UpdateRateLimit", ""): "ChargingProfileUpdateRateLimit",
    ("SmartChargingCtrlr", "SupportsFeature", "DynamicProfiles"): "SupportsDynamicProfiles",
    ("SmartChargingCtrlr", "SupportsFeature", "UseLocalTime"): "SupportsUseLocalTime",
    ("SmartChargingCtrlr", "SupportsFeature", "RandomizedDelay"): "SupportsRandomizedDelay",
    ("SmartChargingCtrlr", "SupportsFeature", "LimitAtSoC"): "SupportsLimitAtSoC",
    ("SmartChargingCtrlr", "SupportsFeature", "EvseSleep"): "SupportsEvseSleep",
    ("TariffCostCtrlr", "Currency", ""): "TariffCostCtrlrCurrency",
    ("TariffCostCtrlr", "OfflineChargingPrice", "hourPrice"): "OfflineChargingPriceHourPrice",
    ("TariffCostCtrlr", "TariffFallbackMessage", "de"): "TariffFallbackMessageDe",
    ("TariffCostCtrlr", "TariffFallbackMessage", "nl"): "TariffFallbackMessageNl",
    ("TariffCostCtrlr", "TariffFallbackMessage", "en-US"): "TariffFallbackMessageEn",
    ("TariffCostCtrlr", "OfflineTariffFallbackMessage", "en"): "OfflineTariffFallbackMessageEn",
    ("TariffCostCtrlr", "TotalCostFallbackMessage", "en-US"): "TotalCostFallbackMessageEn",
    ("DisplayMessageCtrlr", "DisplayMessages", ""): "NumberOfDisplayMessages",
    ("DisplayMessageCtrlr", "SupportedFormats", ""): "DisplayMessageSupportedFormats",
    ("DisplayMessageCtrlr", "SupportedPriorities", ""): "DisplayMessageSupportedPriorities",
    ("DisplayMessageCtrlr", "SupportedStates", ""): "DisplayMessageSupportedStates",
    ("DisplayMessageCtrlr", "Language", ""): "DisplayMessageLanguage",
    (
        "CustomizationCtrlr",
        "CustomImplementationEnabled",
        "org.openchargealliance.costmsg",
    ): "CustomImplementationCaliforniaPricingEnabled",
    (
        "CustomizationCtrlr",
        "CustomImplementationEnabled",
        "org.openchargealliance.multilanguage",
    ): "CustomImplementationMultiLanguageEnabled",
    ("EVSE", "EvseId", ""): "EvseId",
    ("EVSE", "ISO15118EvseId", ""): "ISO15118EvseId",
    ("EVSE", "DCInputPhaseControl", ""): "DCInputPhaseControl",
    ("Connector", "ConnectorType", ""): "ConnectorType",
}
"""Names of properties that the rules do not give."""

JSON_TYPES = {DataType.BOOLEAN: "boolean", DataType.INTEGER: "integer", DataType.DECIMAL: "number"}


def property_name(variable: Variable[Any]) -> str:
    """Return the name of a variable's property in its file; it is that of the configuration variable in 2.0.1."""
    component, name, instance = variable.id.component.name, variable.id.name, variable.id.instance
    special = PROPERTY_NAMES.get((component, name, instance))
    if special is not None:
        return special
    prefix = PREFIXES.get(component, "")
    if name in NAMED_BY_COMPONENT:
        prefix = component
    return f"{prefix}{name}{instance}"


def component_files() -> Iterator[tuple[str, str]]:
    """Return path below `component_config` and text of each component file."""
    for component in COMPONENTS:
        if component in STACK_OWNED:
            continue
        for place, variables in _by_place(component).items():
            custom = component.per or component in (station.INDICATOR, legacy.LEGACY)
            folder = "custom" if custom and component is not NETWORK else "standardized"
            yield f"{folder}/{place}.json", _component_text(component, variables)


def _by_place(component: Component) -> dict[str, list[Variable[Any]]]:
    """Return the variables of a component by the name of the file: `EVSE_1`, `Connector_1_1`."""
    found: dict[str, list[Variable[Any]]] = {}
    for variable in component.declared:
        if variable.shipped:
            for one in placed(component, variable, SLOTS, CONNECTORS):
                here = one.id.component
                parts = (here.name, here.instance, here.evse, here.connector)
                found.setdefault("_".join(str(part) for part in parts if part), []).append(one)
    return found


def _component_text(component: Component, variables: list[Variable[Any]]) -> str:
    here = variables[0].id.component
    content: dict[str, Any] = {"description": f"Variables of {here}", "name": here.name}
    if here.instance:
        content["instance"] = here.instance
    if here.evse is not None:
        content["evse_id"] = here.evse
    if here.connector is not None:
        content["connector_id"] = here.connector
    content["type"] = "object"
    content["properties"] = {property_name(variable): _property(variable) for variable in variables}
    content["required"] = [property_name(variable) for variable in variables if variable.required]
    return _text(content)


def _property(variable: Variable[Any]) -> dict[str, Any]:
    characteristics: dict[str, Any] = {"supportsMonitoring": True, "dataType": str(variable.data_type)}
    if variable.unit:
        characteristics["unit"] = variable.unit
    for name, limit in (("minLimit", variable.minimum), ("maxLimit", variable.maximum)):
        if limit is not None:
            characteristics[name] = int(limit) if float(limit).is_integer() else limit
    if variable.values:
        characteristics["valuesList"] = ",".join(variable.values)
    attributes = []
    for name in variable.attributes:
        attribute: dict[str, Any] = {"type": name, "mutability": str(variable.mutability)}
        if name == "Actual" and variable.initial is not None:
            attribute["value"] = _value(variable, variable.initial)
        attributes.append(attribute)
    content: dict[str, Any] = {"variable_name": variable.id.name}
    if variable.id.instance:
        content["instance"] = variable.id.instance
    content |= {"characteristics": characteristics, "attributes": attributes, "description": variable.meaning}
    if variable.since:
        content["ocpp_version"] = variable.since
    return content | {"type": JSON_TYPES.get(variable.data_type, "string")}


def _value(variable: Variable[Any], value: Any) -> Any:
    return value if variable.data_type in JSON_TYPES else variable.format(value)


EXAMPLE_KEYS = {
    "ChargePointId": "cp001",
    "CentralSystemURI": "ws://localhost:9000",
    "MeterValuesSampledData": "Energy.Active.Import.Register,Current.Import,Voltage,Power.Active.Import,SoC",
}
"""Values of keys that no default fits."""
OPTIONAL_KEYS = (
    "AllowOfflineTxForUnknownId",
    "AuthorizationCacheEnabled",
    "WebSocketPingInterval",
    "SupportedFileTransferProtocols",
    "ReserveConnectorZeroSupported",
    "CpoName",
    "CustomDisplayCostAndPrice",
    "MaxEnergyOnInvalidId",
)
"""Keys that the shipped file has beside the required ones."""
FILE_SECTIONS = tuple(one for one in SECTIONS if one not in ("CostAndPrice", "RemoteTrigger", "Custom"))


def legacy_text() -> str:
    """Return the text of `ocpp-config.json`: the required keys, and those that people want to see."""
    content: dict[str, dict[str, Any]] = {section: {} for section in FILE_SECTIONS}
    for key in KEYS:
        if key.section in content and (key.required or key.name in OPTIONAL_KEYS or key.name in EXAMPLE_KEYS):
            content[key.section][key.name] = _key_value(key)
    return _text(content)


def _key_value(key: Key) -> Any:
    entry = Entry(key.variable)
    text = EXAMPLE_KEYS.get(key.name) or key.default or key.text(entry)
    return typed(key, "" if text is None else text)


def _text(content: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n"

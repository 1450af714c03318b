"""GetConfiguration and ChangeConfiguration of OCPP 1.6."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.keys.block import ConfigurationKeys
from chargebyte_fw.modules.ocpp.variables.keys.configuration import Configuration
from chargebyte_fw.modules.ocpp.variables.keys.table import KEYS, SECTIONS
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.variables.standard import communication, legacy, metering, smart_charging
from chargebyte_fw.modules.ocpp.variables.storage import VariableStorage
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.variables.talk import Talk

PRICE = '{"priceText":"0.15/kWh","priceTextOffline":"offline","chargingPrice":{"kWhPrice":3.14,"hourPrice":0.42}}'


@pytest.fixture
def talk() -> Talk:
    talk = Talk(VariableStorage, ConfigurationKeys, version=Version.V16)
    talk.variables.set(legacy.SUPPORTED_LANGUAGES, ("en", "nl", "de"))
    talk.variables.set(legacy.NUMBER_OF_CONNECTORS, 2)
    talk.settle()
    return talk


def get(talk: Talk, *keys: str) -> tuple[dict[str, Any], list[str]]:
    answer = talk.ask("GetConfiguration", {"key": list(keys)} if keys else {})
    known = {one["key"]: one for one in answer.get("configurationKey", [])}
    return known, answer.get("unknownKey", [])


def value(talk: Talk, key: str) -> str | None:
    known, _ = get(talk, key)
    found: str | None = known[key].get("value")
    return found


def change(talk: Talk, key: str, text: str) -> str:
    status: str = talk.ask("ChangeConfiguration", {"key": key, "value": text})["status"]
    return status


@pytest.mark.ocpp("1.6 §5.8")
def test_keys_are_returned_and_unknown_ones_are_listed(talk: Talk) -> None:
    known, unknown = get(talk, "HeartbeatInterval", "NumberOfConnectors", "NoSuchKey")
    assert known == {
        "HeartbeatInterval": {"key": "HeartbeatInterval", "readonly": False, "value": "1800"},
        "NumberOfConnectors": {"key": "NumberOfConnectors", "readonly": True, "value": "2"},
    }
    assert unknown == ["NoSuchKey"]


@pytest.mark.ocpp("1.6 §5.8")
@pytest.mark.parametrize("payload", [{}, {"key": []}])
def test_no_key_and_an_empty_list_ask_for_all_of_them(talk: Talk, payload: dict[str, Any]) -> None:
    answer = talk.ask("GetConfiguration", payload)
    assert "unknownKey" not in answer
    names = [one["key"] for one in answer["configurationKey"]]
    assert len(names) > 100 and len(set(names)) == len(names)
    assert {"HeartbeatInterval", "SupportedFeatureProfiles", "MeterValuesSampledData"} <= set(names)
    assert not {"AuthorizationKey", "MeterPublicKeys", "DefaultPriceText"} & set(names)


def test_names_of_keys_ignore_case(talk: Talk) -> None:
    assert change(talk, "heartbeatinterval", "77") == "Accepted"
    assert list(get(talk, "HEARTBEATINTERVAL")[0]) == ["HeartbeatInterval"]


@pytest.mark.ocpp("1.6 §5.3")
@pytest.mark.parametrize("text", ["-2", "01asdf", "99999999999999", "", "1.5", "-1"])
def test_a_value_that_is_none_is_rejected_and_changes_nothing(talk: Talk, text: str) -> None:
    seen: list[int] = []
    talk.variables.on_change(communication.HEARTBEAT_INTERVAL, seen.append)
    assert change(talk, "HeartbeatInterval", text) == "Rejected"
    assert (value(talk, "HeartbeatInterval"), seen) == ("1800", [])


@pytest.mark.ocpp("1.6 §5.3")
def test_a_value_is_set_kept_and_notified(talk: Talk) -> None:
    seen: list[int] = []
    talk.variables.on_change(communication.HEARTBEAT_INTERVAL, seen.append)
    assert change(talk, "HeartbeatInterval", "120") == "Accepted"
    assert (value(talk, "HeartbeatInterval"), seen) == ("120", [120])
    again = Talk(VariableStorage, ConfigurationKeys, version=Version.V16, saved=talk.tables)
    assert value(again, "HeartbeatInterval") == "120"


@pytest.mark.ocpp("1.6 §5.3")
def test_unknown_keys_are_not_supported_and_read_only_ones_rejected(talk: Talk) -> None:
    assert change(talk, "NoSuchKey", "1") == "NotSupported"
    assert change(talk, "NumberOfConnectors", "3") == "Rejected"
    assert change(talk, "ConnectorSwitch3to1PhaseSupported", "true") == "NotSupported"
    assert get(talk, "ConnectorSwitch3to1PhaseSupported")[1] == ["ConnectorSwitch3to1PhaseSupported"]


def test_a_key_that_may_be_set_is_known_without_a_value(talk: Talk) -> None:
    assert get(talk, "BlinkRepeat") == ({"BlinkRepeat": {"key": "BlinkRepeat", "readonly": False}}, [])
    assert change(talk, "BlinkRepeat", "3") == "Accepted"
    assert value(talk, "BlinkRepeat") == "3"


GOOD = [
    ("AuthorizeRemoteTxRequests", "true"),
    ("LightIntensity", "100"),
    ("MeterValuesSampledData", "Energy.Active.Import.Register,SoC"),
    ("MeterValuesAlignedData", "Voltage.L1,Current.Import-L2, Frequency"),
    ("StopTxnSampledData", ""),
    ("ConnectorPhaseRotation", "0.RST,1.RTS, 2.NotApplicable"),
    ("ConnectorEvseIds", "DE*PNX*100001,DE*PNX*100002"),
    ("SeccLeafSubjectCommonName", "DEPNX100001"),
    ("SeccLeafSubjectCountry", "DE"),
    ("Language", "nl"),
    ("TimeOffset", "+02:00"),
    ("NextTimeOffsetTransitionDateTime", "2024-03-31T01:00:00Z"),
    ("WaitForSetUserPriceTimeout", "30000"),
    ("OcspRequestInterval", "86400"),
    ("CompositeScheduleDefaultLimitAmps", "47.5"),
    ("IgnoredProfilePurposesOffline", "ChargePointMaxProfile,TxProfile"),
    ("DefaultPrice", PRICE),
    ("SecurityProfile", "2"),
    ("AuthorizationKey", "DEADBEEFDEADBEEF"),
    ("AuthorizationKey", "12345678"),
]
BAD = [
    ("AuthorizeRemoteTxRequests", "True"),
    ("AuthorizeRemoteTxRequests", "1"),
    ("LightIntensity", "101"),
    ("MeterValuesSampledData", "Energy.Active.Import.Register,Nonsense"),
    ("MeterValuesAlignedData", "Voltage.L4"),
    ("MeterValuesAlignedData", "Voltage,,SoC"),
    ("ConnectorPhaseRotation", "RST"),
    ("ConnectorPhaseRotation", "3.RST"),
    ("ConnectorPhaseRotation", "1.RSX"),
    ("ConnectorEvseIds", "DE*PNX*100001"),
    ("ConnectorEvseIds", "DE*PNX*100001,short"),
    ("SeccLeafSubjectCommonName", "short"),
    ("SeccLeafSubjectCommonName", "x" * 65),
    ("SeccLeafSubjectCountry", "DEU"),
    ("Language", "fr"),
    ("TimeOffset", "two hours"),
    ("NextTimeOffsetTransitionDateTime", "2024-02-30T01:00:00Z"),
    ("WaitForSetUserPriceTimeout", "30001"),
    ("OcspRequestInterval", "86399"),
    ("CompositeScheduleDefaultLimitAmps", "NaN"),
    ("CompositeScheduleDefaultLimitAmps", "-1"),
    ("CompositeScheduleDefaultNumberPhases", "4"),
    ("IgnoredProfilePurposesOffline", "AllProfiles"),
    ("DefaultPrice", "cheap"),
    ("DefaultPrice", '{"priceText":1}'),
    ("DefaultPrice", '{"priceText":"a","chargingPrice":{"kWhPrice":"b"}}'),
    ("SecurityProfile", "4"),
    ("AuthorizationKey", "1234567"),
    ("DefaultPriceText", "{}"),
    ("MeterPublicKeys", "[]"),
]


@pytest.mark.ocpp("1.6 §5.3")
@pytest.mark.parametrize(("key", "text"), GOOD)
def test_values_that_each_key_takes(talk: Talk, key: str, text: str) -> None:
    assert change(talk, key, text) == "Accepted"
    assert (value(talk, key) or "").replace(" ", "") == ("" if key == "AuthorizationKey" else text.replace(" ", ""))


@pytest.mark.ocpp("1.6 §5.3")
@pytest.mark.parametrize(("key", "text"), BAD)
def test_values_that_a_key_does_not_take(talk: Talk, key: str, text: str) -> None:
    before = get(talk, key)
    assert change(talk, key, text) == "Rejected"
    assert get(talk, key) == before


@pytest.mark.ocpp("1.6 security §2.1")
def test_the_security_profile_is_never_lowered(talk: Talk) -> None:
    statuses = [change(talk, "SecurityProfile", text) for text in ("2", "1", "2", "3", "0")]
    assert statuses == ["Accepted", "Rejected", "Accepted", "Accepted", "Rejected"]


@pytest.mark.ocpp("1.6 security §A.1")
def test_the_authorization_key_is_never_shown(talk: Talk) -> None:
    assert change(talk, "AuthorizationKey", "DEADBEEFDEADBEEF") == "Accepted"
    assert get(talk, "AuthorizationKey") == ({"AuthorizationKey": {"key": "AuthorizationKey", "readonly": False}}, [])
    assert talk.variables.get(communication.NETWORK_BASIC_AUTH_PASSWORD.at(slot=1)) == "DEADBEEFDEADBEEF"


def test_a_list_may_be_as_long_as_the_station_takes_it(talk: Talk) -> None:
    talk.variables.set_maximum(metering.SAMPLED_DATA_TX_UPDATED_MEASURANDS, 2)
    assert value(talk, "MeterValuesSampledDataMaxLength") == "2"
    assert change(talk, "MeterValuesSampledData", "SoC,Voltage") == "Accepted"
    assert change(talk, "MeterValuesSampledData", "SoC,Voltage,Frequency") == "Rejected"


def test_measurands_with_a_phase_survive_a_restart(talk: Talk) -> None:
    assert change(talk, "MeterValuesSampledData", "Voltage.L1,SoC") == "Accepted"
    again = Talk(VariableStorage, ConfigurationKeys, version=Version.V16, saved=talk.tables)
    assert value(again, "MeterValuesSampledData") == "Voltage.L1,SoC"


def test_values_of_other_versions_are_shown_as_1_6_has_them(talk: Talk) -> None:
    assert value(talk, "ChargingScheduleAllowedChargingRateUnit") == "Current,Power"
    talk.variables.set(smart_charging.RATE_UNIT, ("W",))
    assert value(talk, "ChargingScheduleAllowedChargingRateUnit") == "Power"
    assert value(talk, "SupportedCiphers13") == "TLS_AES_256_GCM_SHA384,TLS_AES_128_GCM_SHA256"
    assert value(talk, "MaxChargingProfilesInstalled") == "500"
    assert "Current.Import" in (value(talk, "SupportedMeasurands") or "").split(",")


def test_default_price_texts_are_a_key_for_each_language(talk: Talk) -> None:
    texts = '{"priceText":"Dit is de prijs","priceTextOffline":"offline"}'
    assert change(talk, "DefaultPriceText,nl", texts) == "Accepted"
    assert change(talk, "DefaultPriceText,en", '{"priceText":"This is the price"}') == "Accepted"
    assert value(talk, "DefaultPriceText,nl") == texts
    assert {name for name in get(talk)[0] if name.startswith("DefaultPriceText")} == {
        "DefaultPriceText,nl",
        "DefaultPriceText,en",
    }
    assert change(talk, "DefaultPriceText,nl", '{"priceText":"Nieuw"}') == "Accepted"
    assert value(talk, "DefaultPriceText,nl") == '{"priceText":"Nieuw"}'
    assert value(talk, "DefaultPriceText,de") == ""
    for key, text in (("DefaultPriceText,fr", texts), ("DefaultPriceText,nl", "text"), ("DefaultPriceText,nl", "{}")):
        assert change(talk, key, text) == "Rejected"
    known, unknown = get(talk, "DefaultPriceText,fr", "DefaultPriceText")
    assert known["DefaultPriceText,fr"] == {"key": "DefaultPriceText,fr", "readonly": True, "value": ""}
    assert unknown == ["DefaultPriceText"]


def test_meter_public_keys_are_a_key_for_each_connector(talk: Talk) -> None:
    talk.variables.set(legacy.METER_PUBLIC_KEYS, '["AAAA","BBBB"]')
    known, unknown = get(
        talk, "MeterPublicKey1", "MeterPublicKey2", "MeterPublicKey3", "MeterPublicKey", "MeterPublicKey01"
    )
    assert known == {
        "MeterPublicKey1": {"key": "MeterPublicKey1", "readonly": True, "value": "AAAA"},
        "MeterPublicKey2": {"key": "MeterPublicKey2", "readonly": True, "value": "BBBB"},
    }
    assert unknown == ["MeterPublicKey3", "MeterPublicKey", "MeterPublicKey01"]
    assert change(talk, "MeterPublicKey1", "CCCC") == "Rejected"
    assert change(talk, "MeterPublicKey9", "CCCC") == "NotSupported"
    assert {"MeterPublicKey1", "MeterPublicKey2"} <= set(get(talk)[0])


def test_keys_of_another_slot_and_of_sections_that_are_missing() -> None:
    variables = Variables(declared(legacy_keys=True))
    configuration = Configuration(variables, slot=2, sections=("Internal", "Core", "Security"))
    assert configuration.write("AuthorizationKey", "12345678", "csms")[0] == "Accepted"
    assert variables.get(communication.NETWORK_BASIC_AUTH_PASSWORD.at(slot=2)) == "12345678"
    assert variables.get(communication.NETWORK_BASIC_AUTH_PASSWORD.at(slot=1)) == ""
    assert configuration.read("LocalAuthListEnabled") is None
    assert configuration.write("LocalAuthListEnabled", "true", "csms")[0] == "UnknownVariable"


def test_a_long_value_is_cut_for_the_message(talk: Talk) -> None:
    talk.variables.set(communication.NETWORK_URL.at(slot=1), "ws://" + "x" * 600)
    assert len(value(talk, "CentralSystemURI") or "") == 500


def test_the_table_is_sound() -> None:
    names = [key.name.lower() for key in KEYS]
    assert len(set(names)) == len(names) and len(names) > 125
    places = {variable.id.folded for variable in declared(legacy_keys=True)}
    for key in KEYS:
        assert key.section in SECTIONS and len(key.name) <= 50
        assert key.variable.id.folded in places, key.name
        assert key.default is None or Configuration(Variables(declared(legacy_keys=True))).read(key.name) is not None

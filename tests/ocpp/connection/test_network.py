"""Variables and keys as settings of connection and queue, and what the CSMS may change of them (B09, B10, A01, A05)."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.connection.configured import Options, connection_settings
from chargebyte_fw.modules.ocpp.connection.network import Network
from chargebyte_fw.modules.ocpp.connection.network_v2 import Network2
from chargebyte_fw.modules.ocpp.connection.network_v16 import Network16
from chargebyte_fw.modules.ocpp.connection.settings import Profile
from chargebyte_fw.modules.ocpp.provisioning.events import SecurityEventRaised
from chargebyte_fw.modules.ocpp.station import Block, Station, effects, events, receives
from chargebyte_fw.modules.ocpp.variables.device_model import DeviceModel
from chargebyte_fw.modules.ocpp.variables.keys.block import ConfigurationKeys
from chargebyte_fw.modules.ocpp.variables.standard import communication as comm
from chargebyte_fw.modules.ocpp.variables.standard import internal
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.variables.talk import Talk


class Raised(Block):
    """Keeps the security events."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.types: list[str] = []

    @receives(SecurityEventRaised)
    def raised(self, event: SecurityEventRaised) -> None:
        self.types.append(event.type)


class Bench(Talk):
    """A station whose slot 1 is in use."""

    def __init__(self, version: Version = Version.V201, *, security_profile: int = 1, **more: Any) -> None:
        blocks = (DeviceModel, Network2) if version.is_2 else (ConfigurationKeys, Network16)
        super().__init__(*blocks, Raised, version=version, **more)
        it = self.variables
        it.set(comm.NETWORK_URL.at(slot=1), "ws://one" if security_profile < 2 else "wss://one")
        it.set(comm.NETWORK_SECURITY_PROFILE.at(slot=1), security_profile)
        it.set(comm.NETWORK_IDENTITY.at(slot=1), "cp001")
        it.set(comm.SECURITY_PROFILE, security_profile)
        password = comm.BASIC_AUTH_PASSWORD if version.is_2 else comm.NETWORK_BASIC_AUTH_PASSWORD.at(slot=1)
        it.set(password, "DEADBEEFDEADBEEF")
        self.block: Network = self.station.block(Network2 if version.is_2 else Network16)
        self.block.options = Options(resume_delay_s=3.0, uses_configure_network=True)
        self.feed(events.Started())
        self.feed(events.CredentialsKnown(csms_root=False, client_certificate=False))
        subprotocol = version.value
        self.feed(events.Connected(1, "ws://one", "cp001", security_profile, subprotocol))

    def took(self, kind: type) -> list[Any]:
        """Return, and forget, the effects of a kind."""
        found = [one for one in self.other if isinstance(one, kind)]
        self.other.clear()
        return found

    def connection(self) -> Any:
        return self.took(effects.ConfigureConnection)[-1].settings

    def set(self, component: str, name: str, value: str, *, instance: str = "") -> tuple[str, str]:
        where: dict[str, Any] = {"name": component}
        if instance:
            where["instance"] = instance
        data = {"component": where, "variable": {"name": name}, "attributeValue": value}
        [result] = self.ask("SetVariables", {"setVariableData": [data]})["setVariableResult"]
        return result["attributeStatus"], result.get("attributeStatusInfo", {}).get("reasonCode", "")

    def network_profile(self, slot: int = 2, **how: Any) -> tuple[str, str]:
        data = {
            "ocppVersion": "OCPP20",
            "ocppTransport": "JSON",
            "ocppCsmsUrl": "ws://two:9000",
            "messageTimeout": 17,
            "securityProfile": 1,
            "ocppInterface": "Wireless0",
            **how,
        }
        answer = self.ask("SetNetworkProfile", {"configurationSlot": slot, "connectionData": data})
        return answer["status"], answer.get("statusInfo", {}).get("reasonCode", "")


def test_the_settings_of_2_x() -> None:
    it = Bench()
    found = it.connection()
    assert found.profiles[1] == Profile(1, "ws://one", "cp001", 1, b"DEADBEEFDEADBEEF", "Wired0")
    assert found.priority == (1,) and found.versions == (Version.V21, Version.V201)
    assert found.uses_configure_network and found.last_slot is None and found.ping_interval_s == 10.0
    assert found.tls.ciphers_tls12[0] == "ECDHE-ECDSA-AES128-GCM-SHA256" and found.tls.key_log == ""


def test_the_settings_of_1_6() -> None:
    it = Bench(Version.V16)
    (queue,) = it.took(effects.ConfigureQueue)
    assert (queue.settings.message_timeout_s, queue.settings.resume_delay_s) == (30.0, 3.0)
    it.variables.set(comm.NETWORK_HOST_NAME.at(slot=1), "host")
    it.settle()
    found = it.connection()
    assert found.profiles[1].password == bytes.fromhex("DEADBEEFDEADBEEF")
    assert found.versions == (Version.V16,) and found.profiles[1].host_name == "host"


def test_a_change_counts_at_once_and_the_same_again_does_not() -> None:
    it = Bench()
    it.other.clear()
    assert it.set("OCPPCommCtrlr", "WebSocketPingInterval", "20")[0] == "Accepted"
    assert it.connection().ping_interval_s == 20.0
    it.variables.set(internal.MESSAGE_QUEUE_SIZE_THRESHOLD, 5)
    it.settle()
    (queue,) = it.took(effects.ConfigureQueue)
    assert queue.settings.size_threshold == 5
    it.set("OCPPCommCtrlr", "WebSocketPingInterval", "20")
    assert it.took(effects.ConfigureConnection) == []


def test_the_time_out_is_that_of_the_slot() -> None:
    it = Bench()
    it.variables.set(comm.NETWORK_MESSAGE_TIMEOUT.at(slot=1), 7)
    it.settle()
    assert it.took(effects.ConfigureQueue)[-1].settings.message_timeout_s == 7.0


@pytest.mark.ocpp("A05")
def test_a_confirmed_slot_is_kept_and_lower_ones_are_not_used() -> None:
    it = Bench()
    it.feed(events.SlotConfirmed(1, 2))
    found = it.connection()
    assert (found.last_slot, found.least_security_profile) == (1, 2)
    assert it.variables.get(comm.ACTIVE_NETWORK_PROFILE) == 1 and it.variables.get(comm.SECURITY_PROFILE) == 2


@pytest.mark.ocpp("1.6 security §A01", "A01", "A01.FR.01", "A01.FR.02", "B09.FR.27")
@pytest.mark.parametrize("version", [Version.V16, Version.V201])
def test_a_new_password_is_used_after_the_answer(version: Version) -> None:
    it = Bench(version)
    it.other.clear()
    if version.is_2:
        assert it.set("SecurityCtrlr", "BasicAuthPassword", "x" * 15)[0] == "Rejected"
        assert it.set("SecurityCtrlr", "BasicAuthPassword", "x" * 41)[0] == "Rejected"
        assert it.took(effects.Reconnect) == []
        assert it.set("SecurityCtrlr", "BasicAuthPassword", "x" * 16)[0] == "Accepted"
    else:
        answer = it.ask("ChangeConfiguration", {"key": "AuthorizationKey", "value": "x" * 16})
        assert answer == {"status": "Accepted"}
    kinds = [type(one) for one in it.other]
    assert kinds.count(effects.Reconnect) == 1
    assert it.connection().profiles[1].password == b"x" * 16
    assert it.station.block(Raised).types == ["ReconfigurationOfSecurityParameters"]


def test_a_password_that_is_not_in_use_changes_no_connection() -> None:
    it = Bench(Version.V16)
    it.feed(events.Connected(1, "ws://one", "cp001", 0, "ocpp1.6"))
    it.ask("ChangeConfiguration", {"key": "AuthorizationKey", "value": "x" * 16})
    assert it.took(effects.Reconnect) == []


@pytest.mark.ocpp("1.6 security §A05")
def test_a_security_profile_of_1_6_is_raised_where_it_can_work() -> None:
    it = Bench(Version.V16)

    def change(value: str) -> str:
        return str(it.ask("ChangeConfiguration", {"key": "SecurityProfile", "value": value})["status"])

    it.variables.set(internal.USE_SSL_DEFAULT_VERIFY_PATHS, False)
    assert change("0") == change("2") == change("3") == change("4") == "Rejected"
    it.feed(events.CredentialsKnown(csms_root=True, client_certificate=False))
    assert change("3") == "Rejected"
    it.other.clear()
    assert change("2") == "Accepted"
    (switch,) = [one for one in it.other if isinstance(one, effects.SwitchSecurityProfile)]
    assert (switch.security_profile, switch.timeout_s) == (2, 20.0)
    assert not [one for one in it.other if isinstance(one, effects.ConfigureConnection)], "not before it has connected"
    it.feed(events.SecurityProfileSwitched(2, succeeded=True))
    assert it.connection().profiles[1].security_profile == 2


def test_and_lowered_again_where_it_did_not() -> None:
    it = Bench(Version.V16)
    it.feed(events.CredentialsKnown(csms_root=True, client_certificate=False))
    it.ask("ChangeConfiguration", {"key": "SecurityProfile", "value": "2"})
    it.feed(events.SecurityProfileSwitched(1, succeeded=False))
    assert it.variables.get(comm.NETWORK_SECURITY_PROFILE.at(slot=1)) == 1


@pytest.mark.ocpp("B09.FR.01")
def test_set_network_profile() -> None:
    it = Bench()
    assert it.network_profile() == ("Accepted", "")
    it.variables.set(comm.NETWORK_CONFIGURATION_PRIORITY, ("2", "1"))
    it.settle()
    found = it.connection()
    assert found.priority == (2, 1)
    two = found.profiles[2]
    assert (two.url, two.interface, two.message_timeout_s) == ("ws://two:9000", "Wireless0", 17.0)
    assert it.station.block(Raised).types == ["ReconfigurationOfSecurityParameters"]


@pytest.mark.ocpp("B09.FR.02", "B09.FR.04", "B09.FR.05")
@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"slot": 3}, "InvalidConfSlot"),
        ({"slot": 0}, "InvalidConfSlot"),
        ({"securityProfile": 0}, "NoSecurityDowngrade"),
        ({"ocppTransport": "SOAP"}, "InvalidNetworkConf"),
        ({"ocppCsmsUrl": "wss://two"}, "InvalidNetworkConf"),
        ({"ocppCsmsUrl": "http://two"}, "InvalidNetworkConf"),
        ({"ocppCsmsUrl": ""}, "InvalidNetworkConf"),
        ({"securityProfile": 2, "ocppCsmsUrl": "ws://two"}, "InvalidNetworkConf"),
        ({"securityProfile": 2, "ocppCsmsUrl": "wss://two"}, "InvalidNetworkConf"),
        ({"securityProfile": 4, "ocppCsmsUrl": "wss://two"}, "InvalidNetworkConf"),
    ],
)
def test_a_profile_that_cannot_work_is_rejected(how: dict[str, Any], reason: str) -> None:
    it = Bench()
    assert it.network_profile(**how) == ("Rejected", reason)
    assert not it.variables.get(comm.NETWORK_URL.at(slot=2))


def test_a_profile_with_tls_needs_its_certificates() -> None:
    it = Bench()
    it.feed(events.CredentialsKnown(csms_root=True, client_certificate=False))
    assert it.network_profile(securityProfile=2, ocppCsmsUrl="wss://two")[0] == "Accepted"
    assert it.network_profile(securityProfile=3, ocppCsmsUrl="wss://two")[0] == "Rejected"
    it.feed(events.CredentialsKnown(csms_root=True, client_certificate=True))
    assert it.network_profile(securityProfile=3, ocppCsmsUrl="wss://two")[0] == "Accepted"


@pytest.mark.ocpp("B09.FR.22", "B09.FR.23", "B09.FR.33", "B09.FR.34", "B09.FR.35", "B10.FR.01", "B10.FR.02")
def test_slots_by_set_variables() -> None:
    it = Bench()
    assert it.set("NetworkConfiguration", "OcppCsmsUrl", "ws://x", instance="1") == ("Rejected", "PriorityNetworkConf")
    assert it.set("OCPPCommCtrlr", "NetworkConfigurationPriority", "1,2") == ("Rejected", "InvalidNetworkConf")
    assert it.set("NetworkConfiguration", "OcppCsmsUrl", "ws://two", instance="2")[0] == "Accepted"
    assert it.set("NetworkConfiguration", "SecurityProfile", "0", instance="2") == ("Rejected", "NoSecurityDowngrade")
    assert it.set("NetworkConfiguration", "SecurityProfile", "2", instance="2") == ("Rejected", "InvalidNetworkConf")
    assert it.set("OCPPCommCtrlr", "NetworkConfigurationPriority", "2,1")[0] == "Accepted"
    assert it.set("NetworkConfiguration", "OcppCsmsUrl", "ws://y", instance="2") == ("Rejected", "PriorityNetworkConf")


@pytest.mark.ocpp("A05", "A05.FR.09", "B09.FR.31", "B09.FR.32", "A00.FR.005")
def test_a_lower_security_profile_where_the_station_allows_it() -> None:
    it = Bench(security_profile=3)
    it.feed(events.CredentialsKnown(csms_root=True, client_certificate=True))
    it.variables.set(comm.ALLOW_SECURITY_PROFILE_DOWNGRADE, True)
    assert it.network_profile(securityProfile=2, ocppCsmsUrl="wss://two")[0] == "Accepted"
    assert it.network_profile(securityProfile=1) == ("Rejected", "NoSecurityDowngrade")
    assert it.set("NetworkConfiguration", "SecurityProfile", "1", instance="2") == ("Rejected", "NoSecurityDowngrade")
    assert it.set("NetworkConfiguration", "SecurityProfile", "2", instance="2")[0] == "Accepted"


def read(it: Bench, name: str, slot: int) -> str | None:
    data = {"component": {"name": "NetworkConfiguration", "instance": str(slot)}, "variable": {"name": name}}
    [found] = it.ask("GetVariables", {"getVariableData": [data]})["getVariableResult"]
    value: str | None = found.get("attributeValue")
    return value


@pytest.mark.ocpp("A05.FR.06")
@pytest.mark.parametrize("may_lower", [False, True])
def test_a_csms_over_a_higher_security_profile_ends_the_lower_ones(may_lower: bool) -> None:
    it = Bench(Version.V21, security_profile=2)
    it.feed(events.CredentialsKnown(csms_root=True, client_certificate=True))
    it.variables.set(comm.ALLOW_SECURITY_PROFILE_DOWNGRADE, may_lower)
    assert it.network_profile(securityProfile=3, ocppCsmsUrl="wss://two", identity="cp002")[0] == "Accepted"
    assert it.set("OCPPCommCtrlr", "NetworkConfigurationPriority", "2,1")[0] == "Accepted"
    it.feed(events.Connected(2, "wss://two", "cp002", 3, "ocpp2.1"))
    assert it.variables.get(comm.SECURITY_PROFILE) == 2 and read(it, "OcppCsmsUrl", 1) == "wss://one", "not yet"
    it.feed(events.SlotConfirmed(2, 3))
    assert it.variables.get(comm.SECURITY_PROFILE) == 3
    assert it.variables.get(comm.NETWORK_CONFIGURATION_PRIORITY) == (("2", "1") if may_lower else ("2",))
    assert read(it, "OcppCsmsUrl", 1) == ("wss://one" if may_lower else "")
    assert set(it.connection().profiles) == ({1, 2} if may_lower else {2})
    assert (read(it, "OcppCsmsUrl", 2), read(it, "Identity", 2)) == ("wss://two", "cp002")


@pytest.mark.parametrize(
    ("version", "name"),
    [(Version.V16, "InvalidCentralSystemCertificate"), (Version.V201, "InvalidCsmsCertificate")],
)
def test_what_the_connection_finds_is_a_security_event(version: Version, name: str) -> None:
    it = Bench(version)
    it.feed(events.SecurityEventFound("InvalidCsmsCertificate", "expired"))
    assert it.station.block(Raised).types == [name]


def test_1_6_uses_the_slots_behind_its_own_one_where_the_system_sets_up_networks() -> None:
    it = Bench(Version.V16)
    it.variables.set(comm.NETWORK_URL.at(slot=2), "ws://two")
    it.variables.set(comm.NETWORK_CONFIGURATION_PRIORITY, ("2", "1"))
    found = connection_settings(it.variables, Version.V16, Options(uses_configure_network=True))
    assert found.priority == (1, 2) and found.profiles[2].url == "ws://two"
    assert connection_settings(it.variables, Version.V16, Options()).priority == (1,)

"""Requirements of authorization, cache and local list that no session shows (C, D)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types.authorization import AuthorizationType, IdTokenType
from chargebyte_fw.contracts.types.evse_security import CertificateValidationResult
from chargebyte_fw.modules.ocpp.authorization.cache import key_of
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.variables.standard import authorization as declared
from chargebyte_fw.modules.ocpp.variables.standard import cost, iso15118
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.requirements_v2.scenarios import quiet
from tests.ocpp.stack import E, meter, token
from tests.ocpp.station2 import Station2
from tests.ocpp.test_authorization_v2 import contract, validated

LIST, CACHE = declared.LOCAL_AUTH_LIST_ENABLED, declared.AUTH_CACHE_ENABLED


def asked(station: Station2) -> int:
    return len(station.requests("Authorize"))


def status_of(station: Station2, value: str) -> str:
    return str(station.present(value).authorization_status.value)


def send(station: Station2, version: int, kind: str, *entries: tuple[str, str | None]) -> str:
    """Send a local list: the identifier and the status of each entry, None to remove it."""
    found = [
        {"idToken": {"idToken": name, "type": "ISO14443"}, **({} if one is None else {"idTokenInfo": {"status": one}})}
        for name, one in entries
    ]
    payload: dict[str, Any] = {"versionNumber": version, "updateType": kind}
    if found:
        payload["localAuthorizationList"] = found
    return str(station.ask("SendLocalList", payload)["status"])


@pytest.mark.ocpp("C01.FR.02", "C01.FR.04", "C06.FR.02", "C06.FR.03", "C08.FR.01")
@pytest.mark.parametrize("kind", [IdTokenType.ISO14443, IdTokenType.Local, IdTokenType.KeyCode, IdTokenType.MacAddress])
def test_the_csms_is_asked_about_a_token_that_is_not_known_and_about_nothing_else(kind: Any) -> None:
    station = quiet(LocalPreAuthorize=True)
    presented = token("CAFE")
    presented.id_token.type = kind
    assert validated(station, presented).authorization_status.value == "Accepted"
    [payload] = station.payloads_of("Authorize")
    assert payload["idToken"] == {"idToken": "CAFE", "type": kind.value}
    station.requests()
    station.plug_in()
    station.event(E.ChargingStarted)
    assert asked(station) == 0


@pytest.mark.ocpp("C01.FR.05", "C12.FR.02", "C12.FR.04")
def test_a_token_of_the_cache_is_not_asked_about_and_its_transaction_has_it() -> None:
    station = quiet(LocalPreAuthorize=True)
    station.present("DEADBEEF")
    station.requests()
    assert status_of(station, "DEADBEEF") == "Accepted" and asked(station) == 0
    station.charge()
    assert station.events()[0]["idToken"]["idToken"] == "DEADBEEF"


@pytest.mark.ocpp("C10.FR.01", "C10.FR.03", "C12.FR.05")
def test_a_token_that_was_not_accepted_is_kept_and_asked_about_again() -> None:
    station = quiet(LocalPreAuthorize=True, OfflineTxForUnknownIdEnabled=True)
    station.answers["Authorize"]["idTokenInfo"]["status"] = "Blocked"
    assert status_of(station, "CAFE") == "Blocked" and asked(station) == 1
    assert status_of(station, "CAFE") == "Blocked" and asked(station) == 1
    station.disconnect()
    assert status_of(station, "CAFE") == "Blocked", "the cache has it"


@pytest.mark.ocpp("C10.FR.05", "C12.FR.06")
def test_the_answer_to_an_event_changes_the_cache() -> None:
    station = quiet(LocalPreAuthorize=True)
    station.present("DEADBEEF")
    station.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Expired"}}
    station.charge()
    station.requests()
    station.disconnect()
    assert status_of(station, "DEADBEEF") == "Expired"


@pytest.mark.ocpp("C10.FR.02", "C10.FR.13")
def test_the_cache_outlives_a_restart_and_ends_with_the_date_of_the_csms() -> None:
    station = quiet(LocalPreAuthorize=True)
    station.answers["Authorize"]["idTokenInfo"]["cacheExpiryDateTime"] = "2023-11-15T00:10:00Z"
    station.present("CAFE")
    again = station.restart(LocalPreAuthorize=True)
    again.requests()
    assert status_of(again, "CAFE") == "Accepted" and asked(again) == 0
    again.pass_s(601)
    again.present("CAFE")
    assert asked(again) == 1


@pytest.mark.ocpp("C10.FR.11", "C11.FR.04")
def test_a_cache_that_is_switched_off_is_neither_filled_nor_cleared() -> None:
    station = quiet(LocalPreAuthorize=True)
    station.variables.set(CACHE, False)
    for _ in range(2):
        station.present("CAFE")
    assert asked(station) == 2
    assert station.ask("ClearCache") == {"status": "Rejected"}


@pytest.mark.ocpp("C02.FR.03", "C03.FR.02", "C05.FR.02")
@pytest.mark.parametrize("kind", [IdTokenType.NoAuthorization, IdTokenType.Central])
def test_what_is_no_token_of_a_driver_is_not_cached(kind: Any) -> None:
    station = quiet(LocalPreAuthorize=True)
    station.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Accepted"}}
    begun = token("X" if kind is IdTokenType.Central else "")
    begun.id_token.type = kind
    before = len(station.tables.get("AUTH_CACHE", {}))
    station.plug_in()
    station.event(
        E.TransactionStarted, transaction_started=evse.TransactionStarted(id_tag=begun, meter_value=meter(1000))
    )
    assert len(station.tables.get("AUTH_CACHE", {})) == before


@pytest.mark.ocpp("C10.FR.09")
def test_the_price_of_a_driver_is_not_cached() -> None:
    station = quiet(LocalPreAuthorize=True)
    station.variables.set(cost.TARIFF_ENABLED, True)
    station.answers["Authorize"]["idTokenInfo"]["personalMessage"] = {"format": "UTF8", "content": "0.42 EUR/kWh"}
    station.present("CAFE")
    assert b"0.42" not in repr(station.tables.get("AUTH_CACHE", {})).encode()


@pytest.mark.ocpp("C01.FR.01", "C06.FR.01")
def test_energy_is_offered_after_the_authorization_alone() -> None:
    station = quiet()
    station.answers["Authorize"]["idTokenInfo"]["status"] = "Invalid"
    station.plug_in()
    assert status_of(station, "CAFE") == "Invalid"
    assert station.events() == []


# Contracts.


@pytest.mark.ocpp("C07.FR.09", "C07.FR.10", "C07.FR.11")
@pytest.mark.parametrize("place", ["list", "cache"])
def test_offline_the_contract_of_a_valid_chain_is_looked_up(place: str) -> None:
    station = quiet(ContractValidationOffline=True, LocalAuthorizeOffline=True)
    station.results["verify_certificate"] = CertificateValidationResult.Valid
    presented = contract()
    if place == "list":
        entry = {
            "idToken": {"idToken": presented.id_token.value, "type": "eMAID"},
            "idTokenInfo": {"status": "Accepted"},
        }
        payload = {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": [entry]}
        assert station.ask("SendLocalList", payload)["status"] == "Accepted"
    else:
        station.results["get_mo_ocsp_request_data"] = None
        assert validated(station, contract()).authorization_status.value == "Accepted"
    station.disconnect()
    assert validated(station, contract()).authorization_status.value == "Accepted"


@pytest.mark.ocpp("C07.FR.12")
def test_offline_an_unknown_contract_may_charge_where_unknown_tokens_may() -> None:
    station = quiet(ContractValidationOffline=True, LocalAuthorizeOffline=True, OfflineTxForUnknownIdEnabled=True)
    station.results["verify_certificate"] = CertificateValidationResult.Valid
    station.disconnect()
    assert validated(station, contract()).authorization_status.value == "Accepted"


# Groups and the master pass.


@pytest.mark.ocpp("C09.FR.05", "C09.FR.04", "C09.FR.11")
def test_the_group_of_another_token_is_asked_about_and_one_that_is_not_accepted_stops_nothing() -> None:
    station = quiet(LocalPreAuthorize=True)
    station.charge()
    station.requests()
    station.answers["Authorize"]["idTokenInfo"] = {
        "status": "Blocked",
        "groupIdToken": {"idToken": "GROUP", "type": "Central"},
    }
    assert status_of(station, "OTHER") == "Blocked" and asked(station) == 1
    assert "Ended" not in [one["eventType"] for one in station.events()]


# The local list.


@pytest.mark.ocpp("C13.FR.01", "C14.FR.01", "C14.FR.02", "C13.FR.03")
def test_the_list_goes_before_the_cache() -> None:
    station = quiet(LocalPreAuthorize=True)
    station.present("CAFE")
    assert send(station, 1, "Full", ("CAFE", "Blocked"), ("BABE", "Accepted")) == "Accepted"
    station.requests()
    assert status_of(station, "BABE") == "Accepted" and asked(station) == 0
    station.disconnect()
    assert status_of(station, "CAFE") == "Blocked", "the cache has Accepted"
    assert status_of(station, "BABE") == "Accepted"


@pytest.mark.ocpp("C14.FR.03")
def test_an_entry_of_the_list_that_is_not_accepted_is_asked_about() -> None:
    station = quiet(LocalPreAuthorize=True)
    send(station, 1, "Full", ("CAFE", "Blocked"))
    assert status_of(station, "CAFE") == "Accepted" and asked(station) == 1


@pytest.mark.ocpp("C13.FR.02", "C13.FR.04")
@pytest.mark.parametrize("unknown", [False, True])
def test_offline_the_list_decides_and_unknown_tokens_are_as_configured(unknown: bool) -> None:
    station = quiet(OfflineTxForUnknownIdEnabled=unknown)
    send(station, 1, "Full", ("GOOD", "Accepted"), ("BAD", "Invalid"))
    station.disconnect()
    found = [status_of(station, value) for value in ("GOOD", "BAD", "NEW")]
    assert found == ["Accepted", "Invalid", "Accepted" if unknown else "Unknown"]


@pytest.mark.ocpp("D01.FR.02", "D01.FR.15", "D01.FR.16", "D01.FR.17", "D01.FR.04", "D01.FR.05", "D01.FR.06")
def test_a_list_is_replaced_changed_and_emptied() -> None:
    station = quiet(LocalPreAuthorize=True)

    def known() -> list[str]:
        station.requests()
        found = [value for value in ("A", "B", "C") if status_of(station, value) and not asked(station)]
        station.ask("ClearCache")
        return found

    assert send(station, 1, "Full", ("A", "Accepted"), ("B", "Accepted")) == "Accepted" and known() == ["A", "B"]
    assert send(station, 2, "Differential", ("C", "Accepted"), ("A", None)) == "Accepted" and known() == ["B", "C"]
    assert send(station, 3, "Differential") == "Accepted" and known() == ["B", "C"]
    assert send(station, 4, "Full", ("A", "Accepted"), ("A", "Blocked")) == "Failed" and known() == ["B", "C"]
    assert send(station, 4, "Full", ("A", "Accepted")) == "Accepted" and known() == ["A"]
    assert send(station, 5, "Full") == "Accepted" and known() == []


@pytest.mark.ocpp("D01.FR.18", "D01.FR.19")
def test_versions_of_a_list() -> None:
    station = quiet()
    assert send(station, 0, "Full", ("A", "Accepted")) == "Failed"
    assert send(station, 7, "Full", ("A", "Accepted")) == "Accepted"
    assert [send(station, version, "Differential") for version in (6, 7)] == ["VersionMismatch"] * 2
    assert send(station, 3, "Full", ("A", "Accepted")) == "Accepted"


@pytest.mark.ocpp("D01.FR.09", "D01.FR.10")
def test_a_list_is_changed_by_the_csms_alone_and_outlives_a_restart() -> None:
    station = quiet(LocalPreAuthorize=True)
    send(station, 1, "Full", ("CAFE", "Blocked"))
    assert status_of(station, "CAFE") == "Accepted", "the CSMS was asked"
    station.disconnect()
    assert status_of(station, "CAFE") == "Blocked"
    again = station.restart(LocalPreAuthorize=True)
    again.disconnect()
    assert status_of(again, "CAFE") == "Blocked"
    assert again.ask("GetLocalListVersion") == {"versionNumber": 1}


@pytest.mark.ocpp("D01.FR.11", "D01.FR.12", "D01.FR.13")
def test_the_device_model_has_the_bounds_and_the_size_of_the_list() -> None:
    station = quiet()
    send(station, 1, "Full", ("A", "Accepted"), ("B", "Accepted"))

    def value(name: str) -> str:
        data = {"component": {"name": "LocalAuthListCtrlr"}, "variable": {"name": name}}
        [found] = station.ask("GetVariables", {"getVariableData": [data]})["getVariableResult"]
        return str(found["attributeValue"])

    assert [value(name) for name in ("Entries", "Enabled", "ItemsPerMessage", "BytesPerMessage")] == [
        "2",
        "true",
        "250",
        "65536",
    ]


@pytest.mark.ocpp("D02.FR.01", "D02.FR.02", "D02.FR.03")
def test_the_version_is_0_without_a_list_and_without_the_use_of_it() -> None:
    station = quiet()
    assert station.ask("GetLocalListVersion") == {"versionNumber": 0}
    send(station, 4, "Full", ("A", "Accepted"))
    assert station.ask("GetLocalListVersion") == {"versionNumber": 4}
    station.variables.set(LIST, False)
    assert station.ask("GetLocalListVersion") == {"versionNumber": 0}


@pytest.mark.ocpp("Q01.FR.02")
def test_the_evcc_id_goes_along_with_the_token_in_2_1() -> None:
    station = quiet(version=Version.V21)
    station.feed(events.FactReceived("evse_manager", "ev_info", evse.EVInfo(evcc_id="0123456789AB"), 1))
    presented = token("CAFE", connectors=[1])
    assert presented.authorization_type is AuthorizationType.RFID
    validated(station, presented)
    [payload] = station.payloads_of("Authorize")
    car = [{"additionalIdToken": "0123456789AB", "type": "EVCCID"}]
    assert payload["idToken"]["additionalInfo"] == car
    station.charge()
    assert [one["idToken"]["additionalInfo"] for one in station.events() if "idToken" in one] == [car]
    station.unplug()
    station.charge(session="s2")
    assert "additionalInfo" not in next(one["idToken"] for one in station.events() if "idToken" in one)


@pytest.mark.ocpp("C13.FR.05", "C14.FR.04", "C14.FR.05")
@pytest.mark.parametrize(("ends", "known"), [("2023-11-14T00:00:00Z", False), ("2023-11-16T00:00:00Z", True)])
def test_an_entry_of_the_list_ends_with_its_date(ends: str, known: bool) -> None:
    station = quiet(LocalPreAuthorize=True, LocalAuthorizeOffline=True, OfflineTxForUnknownIdEnabled=False)
    entry = {
        "idToken": {"idToken": "CAFE", "type": "ISO14443"},
        "idTokenInfo": {"status": "Accepted", "cacheExpiryDateTime": ends},
    }
    wanted = {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": [entry]}
    assert station.ask("SendLocalList", wanted) == {"status": "Accepted"}
    station.disconnect()
    assert (station.present("CAFE").authorization_status.value == "Accepted") is known
    station.connect()
    station.requests()
    station.present("CAFE")
    assert (station.requests("Authorize") == []) is known


ONE_WAY = {"AC_single_phase_core", "AC_two_phase", "AC_three_phase_core", "DC", "DC_extended", "MCS", "DC_ACDP", "WPT"}


def v2x(version: Version = Version.V21, *, enabled: bool = True, **rest: Any) -> Station2:
    """A station with an EVSE that can discharge."""
    station = quiet(version=version, **rest)
    station.variables.set(iso15118.V2X_AVAILABLE.at(1), True)
    station.variables.set(iso15118.V2X_ENABLED.at(1), enabled)
    return station


def allowed(station: Station2, value: str = "CAFE") -> set[str] | None:
    """The energy services that come with an accepted token."""
    result = station.present(value)
    assert result.authorization_status.value == "Accepted"
    modes = result.allowed_energy_transfer_modes
    return None if modes is None else {mode.value for mode in modes}


@pytest.mark.ocpp("Q01")
@pytest.mark.parametrize(
    ("answered", "modes"),
    [
        (["DC"], {"DC", "DC_extended", "MCS"}),
        (["DC_BPT"], {"DC_BPT", "MCS_BPT", "DC", "DC_extended", "MCS"}),
        (["AC_BPT", "AC_three_phase"], {"AC_BPT", "AC_three_phase_core", "AC_single_phase_core"}),
        (["AC_DER"], {"AC_DER_IEC", "AC_DER_SAE", "AC_three_phase_core", "AC_single_phase_core"}),
    ],
)
@pytest.mark.parametrize("enabled", [True, False])
def test_a_car_is_offered_what_the_csms_allows_with_its_token(
    enabled: bool, answered: list[str], modes: set[str]
) -> None:
    """And beside a bidirectional service the one that only charges: a car without the former charges all the same."""
    station = v2x(enabled=enabled)
    station.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted"}, "allowedEnergyTransfer": answered}
    assert allowed(station) == modes


@pytest.mark.ocpp("Q02")
def test_a_car_only_charges_where_the_csms_has_not_stated_what_it_allows() -> None:
    """Q01.FR.08; also with a token that the station knows itself, and without the CSMS."""
    assert allowed(v2x()) == ONE_WAY
    station = v2x(LocalPreAuthorize=True, LocalAuthorizeOffline=True)
    station.variables.set(CACHE, True)
    station.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted"}, "allowedEnergyTransfer": ["DC_BPT"]}
    assert "DC_BPT" in (allowed(station) or ())
    assert allowed(station) == ONE_WAY and asked(station) == 1
    station.disconnect()
    assert allowed(station) == ONE_WAY


def test_nothing_is_narrowed_where_v2x_is_not_for_the_csms_to_allow() -> None:
    assert allowed(v2x(enabled=False)) is None
    assert allowed(v2x(Version.V201)) is None
    assert allowed(quiet(version=Version.V21)) is None


@pytest.mark.ocpp("C13.FR.06")
def test_offline_an_entry_of_the_list_that_is_over_is_no_unknown_token() -> None:
    station = quiet(LocalAuthorizeOffline=True, OfflineTxForUnknownIdEnabled=True)
    entries = [
        {
            "idToken": {"idToken": name, "type": "ISO14443"},
            "idTokenInfo": {"status": status, "cacheExpiryDateTime": f"2023-11-{day}T00:00:00Z"},
        }
        for name, status, day in (("OVER", "Accepted", 14), ("GOOD", "Accepted", 16), ("BAD", "Blocked", 16))
    ]
    wanted = {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": entries}
    assert station.ask("SendLocalList", wanted) == {"status": "Accepted"}
    station.disconnect()
    found = [status_of(station, value) for value in ("GOOD", "OVER", "BAD", "NEW")]
    assert found == ["Accepted", "Expired", "Blocked", "Accepted"]


@pytest.mark.ocpp("C10.FR.14")
@pytest.mark.parametrize("action", ["Authorize", "TransactionEvent"])
def test_the_cache_has_the_whole_answer_without_additional_information(action: str) -> None:
    station = quiet(version=Version.V21, LocalPreAuthorize=True)
    info = {
        "status": "Accepted",
        "cacheExpiryDateTime": "2023-11-16T00:00:00Z",
        "chargingPriority": 3,
        "groupIdToken": {
            "idToken": "FLEET",
            "type": "Central",
            "additionalInfo": [{"additionalIdToken": "SECRET", "type": "x"}],
        },
        "language1": "nl",
        "language2": "de",
        "evseId": [1, 2],
        "personalMessage": {"format": "HTML", "language": "nl", "content": "<b>Welkom</b>"},
    }
    station.answers[action] = {"idTokenInfo": info}
    if action == "Authorize":
        station.present("DEADBEEF")
    else:
        station.charge()
    [(key, row)] = station.tables["AUTH_CACHE"].items()
    assert key == key_of("DEADBEEF", "ISO14443"), "token and type, as a hash ([C10.FR.12])"
    known = json.loads(row)["known"]
    assert known == {
        "status": "Accepted",
        "expires_at": "2023-11-16T00:00:00Z",
        "parent": "FLEET",
        "parent_type": "Central",
        "evse_ids": [1, 2],
        "language": "nl",
        "language2": "de",
        "priority": 3,
        "message": "<b>Welkom</b>",
        "message_format": "HTML",
        "message_language": "nl",
    }
    station.requests()
    result = station.present("DEADBEEF")
    assert asked(station) == 0
    [message] = result.tariff_messages
    assert (message.content, message.format, message.language) == ("<b>Welkom</b>", "HTML", "nl")


@pytest.mark.ocpp("C01.FR.23")
def test_a_transaction_that_is_not_authorized_any_more_takes_no_other_token() -> None:
    station = quiet(TxStopPoint=("EVConnected",))
    station.charge()
    validated(station, token("OTHER", connectors=[1]))
    station.finish(evse.StopTransactionReason.Local, id_tag=token())
    assert [one["eventType"] for one in station.events()][-1] == "Updated", "it goes on until the car leaves"
    assert station.present("OTHER").evse_ids == [2]
    assert station.present("DEADBEEF").evse_ids is None, "its own token may authorize it again"
    station.unplug()
    assert station.present("OTHER").evse_ids is None

"""Tokens and local list of OCPP 1.6 as a CSMS sees them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ocpp.station16 import Station16


@pytest.mark.ocpp("1.6 §4.1", "1.6 §5.4")
def test_an_unknown_token_is_asked_about_and_then_known() -> None:
    station = Station16()
    assert station.present("CAFE").authorization_status.value == "Accepted"
    assert len(station.requests("Authorize")) == 1
    station.ask("ChangeConfiguration", {"key": "LocalPreAuthorize", "value": "true"})
    assert station.present("cafe").authorization_status.value == "Accepted"
    assert station.requests("Authorize") == []
    assert station.ask("ClearCache") == {"status": "Accepted"}
    station.present("CAFE")
    assert len(station.requests("Authorize")) == 1


@pytest.mark.parametrize("status", ["Invalid", "Blocked", "Expired", "ConcurrentTx"])
def test_a_refused_token_does_not_charge_and_is_asked_about_again(status: str) -> None:
    station = Station16(LocalPreAuthorize=True)
    station.answers["Authorize"]["idTagInfo"]["status"] = status
    for _ in range(2):
        assert station.present("CAFE").authorization_status.value == status
    assert len(station.requests("Authorize")) == 2


def test_a_token_that_the_message_has_no_room_for_is_invalid_without_a_frame() -> None:
    station = Station16()
    station.requests()
    assert station.present("A" * 21).authorization_status.value == "Invalid"
    assert station.requests() == []


@pytest.mark.parametrize(("allowed", "status"), [(True, "Accepted"), (False, "Invalid")])
def test_offline_an_unknown_token_is_as_the_configuration_has_it(allowed: bool, status: str) -> None:
    station = Station16(OfflineTxForUnknownIdEnabled=allowed)
    station.disconnect()
    assert station.present("CAFE").authorization_status.value == status


@pytest.mark.ocpp("1.6 §5.10", "1.6 §5.15")
def test_a_local_list_from_full_to_restart() -> None:
    station = Station16(LocalPreAuthorize=True)

    def send(version: int, kind: str, *entries: dict[str, Any]) -> str:
        payload = {"listVersion": version, "updateType": kind, "localAuthorizationList": list(entries)}
        return str(station.ask("SendLocalList", payload)["status"])

    def version() -> int:
        return int(station.ask("GetLocalListVersion")["listVersion"])

    accepted = {"idTagInfo": {"status": "Accepted"}}
    assert version() == 0
    assert send(5, "Full", {"idTag": "deadbeef", **accepted}, {"idTag": "B", **accepted}) == "Accepted"
    assert station.present("DEADBEEF").authorization_status.value == "Accepted"
    assert station.requests("Authorize") == []
    station = station.restart(LocalPreAuthorize=True)
    assert version() == 5
    blocked = {"idTag": "B", "idTagInfo": {"status": "Blocked"}}
    assert send(6, "Differential", blocked, {"idTag": "C", **accepted}) == "Accepted"
    assert send(6, "Differential", {"idTag": "D", **accepted}) == "VersionMismatch"
    assert send(7, "Differential", {"idTag": "deadbeef"}) == "Accepted"
    assert send(8, "Full", {"idTag": "X", **accepted}, {"idTag": "x", **accepted}) == "Failed"
    assert send(9, "Full") == "Accepted" and version() == 0


def test_a_parent_learned_from_the_start_reaches_the_stack() -> None:
    station = Station16()
    station.answers["StartTransaction"]["idTagInfo"]["parentIdTag"] = "PARENT"
    station.plug_in()
    station.other.clear()
    station.start()
    [update] = station.published("validate_result_update")
    assert update.validation_result.parent_id_token.value == "PARENT" and update.connector_id == 1


@pytest.mark.parametrize(("stops", "command"), [(True, "stop_transaction"), (False, "pause_charging")])
def test_a_token_that_the_csms_does_not_accept_afterwards(stops: bool, command: str) -> None:
    station = Station16(StopTxOnInvalidId=stops)
    station.answers["StartTransaction"]["idTagInfo"]["status"] = "Invalid"
    station.charge()
    [(name, evse_id, _)] = station.commanded("stop_transaction", "pause_charging")
    assert (name, evse_id) == (command, 1)

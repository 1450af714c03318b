"""Remote control of OCPP 2.x as a CSMS sees it: start, stop, reset, unlock, reservations, data."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.contracts.types.reservation import ReservationCheckStatus, ReservationResult
from chargebyte_fw.contracts.types.system import ResetType
from tests.ocpp.stack import E, meter
from tests.ocpp.station2 import Station2
from tests.ocpp.variables.talk import Refused

Reason = evse.StopTransactionReason


CARD = {"idToken": "CAFE", "type": "ISO14443"}


# Remote control.


@pytest.mark.ocpp("F01", "F02", "F01.FR.06", "F02.FR.14")
def test_a_remote_start_is_the_first_event_with_its_id() -> None:
    station = Station2()
    station.requests()
    answer = station.ask("RequestStartTransaction", {"idToken": CARD, "remoteStartId": 42, "evseId": 2})
    assert answer == {"status": "Accepted"}
    [presented] = station.published("provided_token")
    assert (presented.id_token.value, presented.request_id, presented.connectors) == ("CAFE", 42, [2])
    station.plug_in(evse_id=2)
    started = evse.TransactionStarted(id_tag=presented, meter_value=meter(1000))
    station.event(E.TransactionStarted, evse_id=2, transaction_started=started)
    [first] = station.events()
    assert (first["triggerReason"], first["transactionInfo"]["remoteStartId"]) == ("RemoteStart", 42)


@pytest.mark.parametrize(
    ("change_of", "reason"),
    [
        ({"evseId": 1}, "TxInProgress"),
        ({"evseId": 2, "chargingProfile": "TxDefaultProfile"}, "InvalidValue"),
        ({"chargingProfile": "TxProfile"}, "NoProfileAllowed"),
    ],
)
@pytest.mark.ocpp("F01", "K05", "F01.FR.24", "F02.FR.26")
def test_a_remote_start_that_cannot_begin(change_of: dict[str, Any], reason: str) -> None:
    station = Station2()
    station.charge()
    payload: dict[str, Any] = {"idToken": CARD, "remoteStartId": 1, **change_of}
    if "chargingProfile" in payload:
        payload["chargingProfile"] = {
            "id": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": payload["chargingProfile"],
            "chargingProfileKind": "Relative",
            "chargingSchedule": [
                {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}]}
            ],
        }
    answer = station.ask("RequestStartTransaction", payload)
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", reason)


def test_a_remote_start_at_an_evse_that_does_not_exist() -> None:
    with pytest.raises(Refused, match="OccurrenceConstraintViolation"):
        Station2().ask("RequestStartTransaction", {"idToken": CARD, "remoteStartId": 1, "evseId": 9})


@pytest.mark.ocpp("F01")
def test_reserved_evses_are_left_to_their_tokens() -> None:
    station = Station2()
    station.results["exists_reservation"] = ReservationCheckStatus.ReservedForOtherToken
    answer = station.ask("RequestStartTransaction", {"idToken": CARD, "remoteStartId": 1})
    assert answer["statusInfo"]["reasonCode"] == "NoEvseAvailable"


@pytest.mark.ocpp("F03", "F03.FR.07", "F03.FR.08")
def test_a_remote_stop_ends_its_transaction_and_no_other() -> None:
    station = Station2()
    station.charge()
    station.commanded()
    assert station.ask("RequestStopTransaction", {"transactionId": "old"}) == {"status": "Rejected"}
    assert station.ask("RequestStopTransaction", {"transactionId": "s1"}) == {"status": "Accepted"}
    [(name, evse_id, (request,))] = station.commanded()
    assert (name, evse_id, request.reason.value) == ("stop_transaction", 1, "Remote")
    station.event(E.ChargingPausedEVSE)
    station.finish(Reason.Remote)
    assert [one["triggerReason"] for one in station.events()][-2:] == ["RemoteStop", "RemoteStop"]


@pytest.mark.ocpp("B12", "B11.FR.01", "B12.FR.02", "B12.FR.04")
def test_an_immediate_reset_ends_transactions_first() -> None:
    station = Station2()
    station.charge()
    station.commanded()
    assert station.ask("Reset", {"type": "Immediate"}) == {"status": "Accepted"}
    station.pass_s(0)
    [(_, _, (request,))] = station.commanded("stop_transaction")
    station.finish(request.reason)
    ended = station.events()[-1]
    assert (ended["triggerReason"], ended["transactionInfo"]["stoppedReason"]) == ("ResetCommand", "ImmediateReset")
    station.pass_s(1)
    assert station.commanded("reset") == [("reset", None, (ResetType.Hard, False))]


@pytest.mark.ocpp("B12", "B12.FR.01", "B12.FR.03")
def test_a_reset_on_idle_waits_for_the_transaction() -> None:
    station = Station2()
    station.charge()
    station.commanded()
    assert station.ask("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
    assert [evse_id for _, evse_id, _ in station.commanded("enable_disable")] == [2]
    station.pass_s(1000)
    assert station.commanded("reset") == []
    station.finish(Reason.Local)
    station.pass_s(1)
    assert station.commanded("reset") == [("reset", None, (ResetType.Soft, True))]


@pytest.mark.ocpp("F05", "F05.FR.01", "F05.FR.02", "F05.FR.03", "F05.FR.04", "F05.FR.05", "F05.FR.06")
def test_unlocking() -> None:
    station = Station2()
    where = {"evseId": 1, "connectorId": 1}
    assert station.ask("UnlockConnector", where) == {"status": "Unlocked"}
    station.results["force_unlock"] = False
    assert station.ask("UnlockConnector", where) == {"status": "UnlockFailed"}
    assert station.ask("UnlockConnector", {"evseId": 1, "connectorId": 2}) == {"status": "UnknownConnector"}
    station.charge()
    assert station.ask("UnlockConnector", where) == {"status": "OngoingAuthorizedTransaction"}


# Reservations and data.


@pytest.mark.parametrize("result", list(ReservationResult))
@pytest.mark.ocpp("H01", "H01.FR.03")
def test_a_reservation_is_what_its_owner_answers(result: ReservationResult) -> None:
    station = Station2()
    station.results["reserve_now"] = result
    wanted = {"id": 4, "expiryDateTime": "2023-11-15T01:00:00Z", "idToken": CARD, "evseId": 1}
    assert station.ask("ReserveNow", wanted) == {"status": result.value}


@pytest.mark.ocpp("H01", "H01.FR.11", "H01.FR.19")
def test_a_reservation_that_cannot_be() -> None:
    station = Station2()
    wanted = {"id": 4, "expiryDateTime": "2023-11-15T01:00:00Z", "idToken": CARD}
    station.plug_in()
    assert station.ask("ReserveNow", {**wanted, "evseId": 1}) == {"status": "Occupied"}
    assert station.ask("ReserveNow", {**wanted, "evseId": 7}) == {"status": "Rejected"}
    station.set("NonEvseSpecific", False)
    assert station.ask("ReserveNow", wanted) == {"status": "Rejected"}
    assert station.commanded("reserve_now") == []


@pytest.mark.ocpp("P01", "P01.FR.05")
@pytest.mark.parametrize(
    ("data", "text"), [("text", '"text"'), ({"a": [1, 2.5]}, '{"a":[1,2.5]}'), ([True], "[true]"), (7, "7")]
)
def test_data_of_any_kind_reaches_the_integrator_and_back(data: Any, text: str) -> None:
    station = Station2()
    assert station.ask("DataTransfer", {"vendorId": "x"}) == {"status": "UnknownVendorId"}
    station.results["data_transfer"] = ocpp.DataTransferResponse(status=ocpp.DataTransferStatus.Accepted, data=text)
    assert station.ask("DataTransfer", {"vendorId": "x", "data": data}) == {"status": "Accepted", "data": data}
    assert station.commanded("data_transfer")[-1][2][0].data == text

"""Remote control of OCPP 1.6 as a CSMS sees it: start, stop, reset, unlock, triggers, reservations."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types.reservation import ReservationCheckStatus, ReservationResult
from chargebyte_fw.contracts.types.system import ResetType
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from tests.ocpp.stack import fault
from tests.ocpp.station16 import E, Station16
from tests.ocpp.variables.talk import Refused

Reason = evse.StopTransactionReason


PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}],
    },
}


# Remote control.


@pytest.mark.ocpp("1.6 §5.11")
def test_a_remote_start_presents_its_token_at_the_connector() -> None:
    station = Station16()
    payload = {"idTag": "CAFE", "connectorId": 2, "chargingProfile": PROFILE}
    assert station.ask("RemoteStartTransaction", payload) == {"status": "Accepted"}
    [presented] = station.published("provided_token")
    assert (presented.id_token.value, presented.connectors, presented.prevalidated) == ("CAFE", [2], False)


@pytest.mark.parametrize(
    "change",
    [
        {"connectorId": 0},
        {"connectorId": 1},
        {"chargingProfile": {**PROFILE, "chargingProfilePurpose": "TxDefaultProfile"}},
    ],
)
def test_a_remote_start_that_cannot_begin_is_rejected(change: dict[str, Any]) -> None:
    station = Station16()
    station.charge(evse_id=1)
    assert station.ask("RemoteStartTransaction", {"idTag": "A", "connectorId": 2, **change}) == {"status": "Rejected"}


@pytest.mark.parametrize(
    ("keys", "connectors"),
    [({}, [1, 2]), ({"RemoteStartTransactionWithoutConnectorIdFindFirst": True}, [1])],
)
def test_a_remote_start_without_a_connector(keys: dict[str, Any], connectors: list[int]) -> None:
    station = Station16(**keys)
    assert station.ask("RemoteStartTransaction", {"idTag": "A"}) == {"status": "Accepted"}
    assert station.published("provided_token")[0].connectors == connectors
    refusing = Station16(RejectRemoteStartTransactionWithoutConnectorId=True)
    assert refusing.ask("RemoteStartTransaction", {"idTag": "A"}) == {"status": "Rejected"}


@pytest.mark.parametrize(
    ("owner", "is_authorized", "status"),
    [
        ("ReservedForToken", False, "Accepted"),
        ("ReservedForOtherToken", True, "Rejected"),
        # Its parent is known once it is authorized.
        ("ReservedForOtherTokenAndHasParentToken", True, "Accepted"),
        ("ReservedForOtherTokenAndHasParentToken", False, "Rejected"),
    ],
)
def test_a_reserved_connector_starts_for_its_token_alone(owner: str, is_authorized: bool, status: str) -> None:
    station = Station16(AuthorizeRemoteStart=is_authorized)
    station.event(E.ReservationStart)
    station.results["exists_reservation"] = ReservationCheckStatus(owner)
    assert station.ask("RemoteStartTransaction", {"idTag": "A", "connectorId": 1}) == {"status": status}


@pytest.mark.ocpp("1.6 §5.12")
def test_a_remote_stop_ends_the_transaction_of_its_number_and_no_other() -> None:
    station = Station16()
    station.charge()
    station.commanded()
    assert station.ask("RemoteStopTransaction", {"transactionId": 6}) == {"status": "Rejected"}
    assert station.commanded() == []
    assert station.ask("RemoteStopTransaction", {"transactionId": 7}) == {"status": "Accepted"}
    [(name, evse_id, (request,))] = station.commanded()
    assert (name, evse_id, request.reason.value) == ("stop_transaction", 1, "Remote")
    station.finish(Reason.Remote)
    assert station.ask("RemoteStopTransaction", {"transactionId": 7}) == {"status": "Rejected"}


@pytest.mark.ocpp("1.6 §5.14")
@pytest.mark.parametrize(("kind", "reason"), [("Soft", "SoftReset"), ("Hard", "HardReset")])
def test_a_reset_waits_until_the_csms_has_the_end_of_the_transaction(kind: str, reason: str) -> None:
    station = Station16()
    station.charge()
    station.commanded()
    assert station.ask("Reset", {"type": kind}) == {"status": "Accepted"}
    station.pass_s(0)
    [(_, _, (request,))] = station.commanded("stop_transaction")
    assert request.reason.value == reason
    station.finish(Reason(reason))
    station.pass_s(0)
    assert station.commanded("reset") == [("reset", None, (ResetType(kind), False))]
    assert do.Disconnect("reset") in station.other


def test_a_reset_does_not_wait_for_ever() -> None:
    station = Station16(WaitForStopTransactionsOnResetTimeout=5)
    station.charge()
    station.ask("Reset", {"type": "Soft"})
    station.pass_s(14)
    assert station.commanded("reset") == []
    station.pass_s(1.1)
    assert len(station.commanded("reset")) == 1


def test_a_reset_that_the_system_does_not_allow_is_rejected() -> None:
    station = Station16()
    station.results["is_reset_allowed"] = False
    assert station.ask("Reset", {"type": "Soft"}) == {"status": "Rejected"}
    station.pass_s(100)
    assert station.commanded("reset") == []


@pytest.mark.ocpp("1.6 §5.18")
@pytest.mark.parametrize(("result", "status"), [(True, "Unlocked"), (False, "NotSupported")])
def test_unlocking_is_what_the_stack_answers(result: bool, status: str) -> None:
    station = Station16(StopTransactionIfUnlockNotSupported=True)
    station.charge()
    station.commanded()
    station.results["force_unlock"] = result
    assert station.ask("UnlockConnector", {"connectorId": 1}) == {"status": status}
    stops = [args[0].reason.value for _, _, args in station.commanded("stop_transaction")]
    assert stops == ([] if result else ["UnlockCommand"])


def test_triggered_meter_values_have_their_context_and_one_message_a_connector() -> None:
    station = Station16()
    assert station.ask("TriggerMessage", {"requestedMessage": "MeterValues"}) == {"status": "Rejected"}
    for evse_id in (1, 2):
        station.measure(1000, evse_id)
    station.requests()
    assert station.ask("TriggerMessage", {"requestedMessage": "MeterValues"}) == {"status": "Accepted"}
    values = station.requests("MeterValues")
    assert [one.connector_id for one in values] == [1, 2]
    assert {one.meter_value[0].sampled_value[0].context.value for one in values} == {"Trigger"}


@pytest.mark.ocpp("1.6 §5.17")
@pytest.mark.parametrize(
    "message", ["Heartbeat", "FirmwareStatusNotification", "DiagnosticsStatusNotification", "BootNotification"]
)
def test_each_message_can_be_triggered(message: str) -> None:
    station = Station16()
    station.requests()
    assert station.ask("TriggerMessage", {"requestedMessage": message}) == {"status": "Accepted"}
    assert station.requests()[0].action_name == message


# Reservation (§5.13).


@pytest.mark.ocpp("1.6 §5.13")
@pytest.mark.parametrize("result", list(ReservationResult))
def test_a_reservation_is_what_its_owner_answers(result: ReservationResult) -> None:
    station = Station16()
    station.results["reserve_now"] = result
    wanted = {"connectorId": 1, "expiryDate": "2023-11-15T01:00:00Z", "idTag": "A", "reservationId": 4}
    assert station.ask("ReserveNow", wanted) == {"status": result.value}
    [(_, _, (request,))] = station.commanded("reserve_now")
    assert (request.reservation_id, request.evse_id, request.expiry_time) == (4, 1, "2023-11-15T01:00:00.000Z")


def test_a_connector_in_use_faulted_or_out_of_use_is_not_reserved() -> None:
    station = Station16()
    wanted = {"connectorId": 1, "expiryDate": "2023-11-15T01:00:00Z", "idTag": "A", "reservationId": 4}
    station.plug_in()
    assert station.ask("ReserveNow", wanted) == {"status": "Occupied"}
    station.feed(events.ErrorRaised(fault()))
    assert station.ask("ReserveNow", wanted) == {"status": "Faulted"}
    assert station.ask("ReserveNow", {**wanted, "connectorId": 0}) == {"status": "Rejected"}
    assert station.commanded("reserve_now") == []


def test_the_end_of_a_reservation_shows_available_unless_the_connector_is_out_of_use() -> None:
    station = Station16()
    station.requests()
    station.event(E.ReservationStart)
    station.event(E.ReservationEnd)
    assert [status for _, status in station.statuses()] == ["Reserved", "Available"]
    station.event(E.ReservationStart)
    station.ask("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    station.event(E.Disabled)
    station.event(E.ReservationEnd)
    assert [status for _, status in station.statuses()] == ["Reserved", "Unavailable"]


def test_a_profile_that_is_not_in_use_is_not_supported() -> None:
    station = Station16(SupportedFeatureProfiles=("Core",))
    for action, payload in (
        ("CancelReservation", {"reservationId": 4}),
        ("GetDiagnostics", {"location": "ftp://x/y"}),
    ):
        with pytest.raises(Refused, match="NotSupported"):
            station.ask(action, payload)
    # These answers have a value for it.
    reservation = {"connectorId": 1, "expiryDate": "2023-11-15T01:00:00Z", "idTag": "A", "reservationId": 4}
    assert station.ask("ReserveNow", reservation) == {"status": "Rejected"}
    assert station.ask("GetLocalListVersion") == {"listVersion": -1}
    assert station.ask("SendLocalList", {"listVersion": 1, "updateType": "Full"}) == {"status": "NotSupported"}

"""When transactions of OCPP 2.x begin and end, and what the CSMS decides about them (E01 to E17, C15)."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types.authorization import IdTokenType
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.station.layout import Layout
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.requirements_v2.scenarios import (
    Reason,
    by_card,
    by_the_ev,
    heads,
    quiet,
    remote_start,
    start,
    stop,
    swipe_first,
)
from tests.ocpp.stack import SIGNED, E, meter, token
from tests.ocpp.station2 import Station2


@pytest.mark.ocpp("E01.FR.02", "E02.FR.06", "E02.FR.01", "E02.FR.20", "E01.FR.10", "E01.FR.16")
def test_with_ev_connected_the_cable_starts_it_and_the_token_follows() -> None:
    station = quiet(TxStartPoint=("EVConnected",))
    station.plug_in()
    [started] = station.events()
    assert heads([started]) == [("Started", "CablePluggedIn")]
    assert started["evse"] == {"id": 1, "connectorId": 1} and "idToken" not in started
    station.start()
    [authorized] = station.events()
    assert heads([authorized]) == [("Updated", "Authorized")]
    assert authorized["idToken"] == {"idToken": "DEADBEEF", "type": "ISO14443"} and "evse" not in authorized


@pytest.mark.ocpp("E01.FR.03", "E03.FR.01", "E01.FR.10")
def test_with_authorized_the_token_starts_it() -> None:
    station = quiet(TxStartPoint=("Authorized",))
    swipe_first(station)
    [started] = station.events()
    assert heads([started]) == [("Started", "Authorized")] and started["idToken"]["idToken"] == "DEADBEEF"


@pytest.mark.ocpp("E01.FR.04")
def test_with_data_signed_the_signed_reading_starts_it() -> None:
    station = quiet(TxStartPoint=("DataSigned",), SignReadings=True)
    station.plug_in()
    assert station.events() == []
    station.start(signed_meter_value=SIGNED)
    assert heads(station.events()) == [("Started", "SignedDataReceived")]


@pytest.mark.ocpp("E01.FR.05")
def test_with_power_path_closed_it_takes_cable_and_token() -> None:
    station = quiet(TxStartPoint=("PowerPathClosed",))
    station.plug_in()
    assert station.events() == []
    station.start()
    assert heads(station.events()) == [("Started", "Authorized")]
    other = quiet(TxStartPoint=("PowerPathClosed",))
    swipe_first(other)
    assert other.events() == []
    other.start()
    assert heads(other.events()) == [("Started", "CablePluggedIn")]


@pytest.mark.ocpp("E01.FR.06", "E06.FR.07")
def test_with_energy_transfer_the_energy_starts_and_ends_it() -> None:
    station = quiet(TxStartPoint=("EnergyTransfer",), TxStopPoint=("EnergyTransfer",))
    station.plug_in()
    station.start()
    assert station.events() == []
    station.event(E.ChargingStarted)
    assert heads(station.events()) == [("Started", "ChargingStateChanged")]
    station.event(E.ChargingPausedEV)
    assert heads(station.events()) == [("Ended", "ChargingStateChanged")]


@pytest.mark.ocpp("E01.FR.08", "E02.FR.08")
def test_the_id_of_a_transaction_is_that_of_its_session_over_a_restart_too() -> None:
    station = quiet()
    station.charge(session="9a8f5e1c-0000-4000-8000-000000000001")
    station.finish(session="9a8f5e1c-0000-4000-8000-000000000001")
    station.unplug(session="9a8f5e1c-0000-4000-8000-000000000001")
    first = {one["transactionInfo"]["transactionId"] for one in station.events()}
    again = station.restart()
    again.requests()
    again.charge(session="9a8f5e1c-0000-4000-8000-000000000002")
    second = {one["transactionInfo"]["transactionId"] for one in again.events()}
    assert len(first) == len(second) == 1 and first != second


@pytest.mark.ocpp("E03.FR.05", "F02.FR.07")
@pytest.mark.parametrize("remote", [False, True])
def test_a_token_that_no_car_comes_for_ends_its_transaction(remote: bool) -> None:
    station = quiet(TxStartPoint=("Authorized",), TxStopPoint=("Authorized",))
    if remote:
        remote_start(station, cable_first=False)
    else:
        swipe_first(station)
    station.finish(Reason.Timeout)
    ended = station.events()[-1]
    assert heads([ended]) == [("Ended", "EVConnectTimeout")] and ended["transactionInfo"]["stoppedReason"] == "Timeout"


@pytest.mark.ocpp("E03.FR.15", "F02.FR.08")
def test_it_goes_on_where_the_parking_bay_ends_it() -> None:
    station = quiet(TxStartPoint=("Authorized",), TxStopPoint=("ParkingBayOccupancy",))
    swipe_first(station)
    station.finish(Reason.Timeout)
    assert heads(station.events())[-1] == ("Updated", "EVConnectTimeout")


@pytest.mark.ocpp("E04.FR.01", "E04.FR.02", "E04.FR.03", "E08.FR.05", "E08.FR.06", "E08.FR.07")
@pytest.mark.ocpp("E11.FR.01", "E11.FR.02", "E12.FR.01", "E12.FR.02")
def test_what_happened_offline_is_queued_and_marked() -> None:
    station = quiet()
    station.disconnect()
    station.charge()
    by_card(station)
    found = station.events()
    assert heads(found) == [
        ("Started", "Authorized"),
        ("Updated", "ChargingStateChanged"),
        ("Ended", "StopAuthorized"),
    ]
    assert [one["offline"] for one in found] == [True] * 3


@pytest.mark.ocpp("E06.FR.02")
def test_with_ev_connected_it_ends_when_the_car_leaves() -> None:
    station = quiet(TxStopPoint=("EVConnected",))
    station.charge()
    by_card(station)
    assert heads(station.events())[-1] == ("Updated", "StopAuthorized")
    station.unplug()
    assert heads(station.events()) == [("Ended", "EVCommunicationLost")]


@pytest.mark.ocpp("E06.FR.03", "E07.FR.05", "E06.FR.09", "E07.FR.04", "E08.FR.04")
def test_with_authorized_it_ends_with_the_card_and_the_reason_is_local() -> None:
    station = quiet(TxStopPoint=("Authorized",))
    station.charge()
    by_card(station)
    ended = station.events()[-1]
    assert heads([ended]) == [("Ended", "StopAuthorized")] and ended["transactionInfo"]["stoppedReason"] == "Local"


@pytest.mark.ocpp("E15.FR.05")
@pytest.mark.parametrize("stop_point", ["EVConnected", "ParkingBayOccupancy"])
def test_a_car_that_ends_its_session_ends_the_authorization_where_it_does_not_end_the_transaction(
    stop_point: str,
) -> None:
    station = quiet(TxStopPoint=(stop_point,))
    station.charge()
    by_the_ev(station)
    stopped = station.events()[-1]
    assert heads([stopped]) == [("Updated", "StopAuthorized")] and "stoppedReason" not in stopped["transactionInfo"]
    station.unplug()
    assert heads(station.events()) == [("Ended", "EVCommunicationLost")]


@pytest.mark.ocpp("E01.FR.14")
def test_an_evse_has_one_transaction_whichever_of_its_connectors_is_used() -> None:
    layout = Layout([evse.Evse(id=1, connectors=[evse.Connector(id=1), evse.Connector(id=2)])])
    station = quiet(layout=layout, TxStartPoint=("EVConnected",))
    station.plug_in()
    for again in range(2):
        started = evse.SessionStarted(reason=evse.StartSessionReason.EVConnected, meter_value=meter(1000))
        happened = evse.SessionEvent(
            uuid=f"other{again}",
            timestamp="2023-11-15T00:00:00Z",
            event=E.SessionStarted,
            connector_id=2,
            session_started=started,
        )
        station.feed(events.SessionEventReceived(1, happened))
    found = [(one["eventType"], one["transactionInfo"]["transactionId"]) for one in station.events()]
    assert found == [
        ("Started", "s1"),
        ("Ended", "s1"),
        ("Started", "other0"),
        ("Ended", "other0"),
        ("Started", "other1"),
    ]
    remote = {"idToken": {"idToken": "CAFE", "type": "ISO14443"}, "remoteStartId": 42, "evseId": 1}
    station.start(session="other1")
    assert station.ask("RequestStartTransaction", remote)["status"] == "Rejected"


@pytest.mark.ocpp("E06.FR.06")
@pytest.mark.parametrize("reason", [Reason.EVDisconnected, Reason.Local, Reason.DeAuthorized])
def test_with_power_path_closed_it_ends_with_cable_or_token(reason: Any) -> None:
    station = quiet(TxStopPoint=("PowerPathClosed",))
    station.charge()
    station.finish(reason)
    assert station.events()[-1]["eventType"] == "Ended"


@pytest.mark.ocpp("E06.FR.08", "E07.FR.06", "E06.FR.16")
@pytest.mark.parametrize(
    ("reason", "trigger"),
    [
        (Reason.EmergencyStop, "AbnormalCondition"),
        (Reason.GroundFault, "AbnormalCondition"),
        (Reason.OvercurrentFault, "AbnormalCondition"),
        (Reason.PowerQuality, "AbnormalCondition"),
    ],
)
def test_a_fault_ends_it_as_an_abnormal_condition_with_its_reason(reason: Any, trigger: str) -> None:
    station = quiet()
    station.charge()
    station.finish(reason)
    ended = station.events()[-1]
    assert heads([ended]) == [("Ended", trigger)] and ended["transactionInfo"]["stoppedReason"] == reason.value


@pytest.mark.ocpp("E09.FR.01")
def test_unplugged_at_the_car_it_ends_and_the_next_needs_a_token() -> None:
    station = stop("E09")
    assert heads(station.events())[-1] == ("Ended", "EVCommunicationLost")
    station.plug_in(session="s2")
    assert station.events() == []
    station.start(session="s2")
    assert heads(station.events()) == [("Started", "Authorized")]


def refused(status: str = "Invalid", **values: Any) -> Station2:
    """A station that charges; the CSMS does not accept the token of the transaction."""
    station = quiet(**values)
    station.answers["TransactionEvent"] = {"idTokenInfo": {"status": status}}
    station.measure(1000)
    station.charge()
    station.answers["TransactionEvent"] = {}
    return station


@pytest.mark.ocpp("E05.FR.10", "E06.FR.04", "C15.FR.04")
@pytest.mark.parametrize("stop_point", ["Authorized", "PowerPathClosed", "EnergyTransfer"])
@pytest.mark.parametrize("offline", [False, True])
def test_a_token_that_is_not_accepted_ends_it(stop_point: str, offline: bool) -> None:
    station = quiet(TxStopPoint=(stop_point,), StopTxOnInvalidId=True)
    station.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Invalid"}}
    if offline:
        station.set("OfflineTxForUnknownIdEnabled", True)
    station.charge()
    [(_, evse_id, (request,)), *_] = station.commanded("stop_transaction")
    assert evse_id == 1
    station.finish(request.reason)
    ended = station.events()[-1]
    assert heads([ended]) == [("Ended", "Deauthorized")]
    assert ended["transactionInfo"]["stoppedReason"] == "DeAuthorized"


@pytest.mark.ocpp("E05.FR.09", "C15.FR.03")
def test_it_goes_on_without_energy_where_the_car_ends_it() -> None:
    station = refused(TxStopPoint=("EVConnected",), StopTxOnInvalidId=True)
    [(_, _, (request,)), *_] = station.commanded("stop_transaction")
    station.finish(request.reason)
    last = station.events()[-1]
    assert heads([last]) == [("Updated", "Deauthorized")] and last["transactionInfo"]["chargingState"] == "EVConnected"


@pytest.mark.ocpp("E05.FR.02", "C15.FR.06")
def test_it_is_suspended_where_it_may_go_on() -> None:
    station = refused(StopTxOnInvalidId=False, MaxEnergyOnInvalidId=0)
    assert "pause_charging" in [name for name, _, _ in station.commanded("pause_charging", "stop_transaction")]
    station.event(E.ChargingPausedEVSE)
    last = station.events()[-1]
    assert heads([last]) == [("Updated", "ChargingStateChanged")]
    assert last["transactionInfo"]["chargingState"] == "SuspendedEVSE"


@pytest.mark.ocpp("E05.FR.03", "C15.FR.07", "E05.FR.02")
def test_it_has_the_energy_that_is_configured_and_is_suspended_then() -> None:
    station = refused(StopTxOnInvalidId=False, MaxEnergyOnInvalidId=500)
    station.measure(1499)
    station.pass_s(5)
    assert station.commanded("stop_transaction", "pause_charging") == []
    station.measure(1500)
    station.pass_s(1)
    assert [name for name, _, _ in station.commanded("stop_transaction", "pause_charging")] == ["pause_charging"]
    station.pass_s(30)
    assert station.commanded("stop_transaction", "pause_charging") == [], "once"


@pytest.mark.ocpp("C15.FR.01", "C15.FR.08", "C15.FR.02")
def test_an_unknown_token_offline_is_accepted_not_cached_and_reported() -> None:
    station = quiet(OfflineTxForUnknownIdEnabled=True, LocalPreAuthorize=True)
    station.disconnect()
    assert station.present("NEW").authorization_status.value == "Accepted"
    station.charge()
    station.connect()
    assert heads(station.events())[0] == ("Started", "Authorized")
    station.present("NEW")
    assert len(station.requests("Authorize")) == 1, "it is not in the cache"


@pytest.mark.ocpp("E14.FR.01", "E14.FR.02", "E14.FR.03", "E14.FR.05", "E14.FR.08")
def test_the_status_of_transactions_without_messages_in_the_queue() -> None:
    station = quiet()

    def status(**wanted: str) -> Any:
        return station.ask("GetTransactionStatus", dict(wanted))

    assert status(transactionId="never") == {"ongoingIndicator": False, "messagesInQueue": False}
    assert status() == {"messagesInQueue": False}
    station.charge()
    assert status(transactionId="s1") == {"ongoingIndicator": True, "messagesInQueue": False}
    station.finish()
    assert status(transactionId="s1") == {"ongoingIndicator": False, "messagesInQueue": False}


@pytest.mark.ocpp("E17.FR.01", "E17.FR.10", "E17.FR.14")
def test_a_transaction_is_resumed_after_an_interruption_and_reported() -> None:
    station = start("E01", version=Version.V21, ResumeTransactionsOnBoot=True)
    assert "TRANSACTIONS" in station.tables
    again = station.restart(resumed=frozenset({"s1"}), ResumeTransactionsOnBoot=True)
    [resumed] = [one for one in again.events() if one["triggerReason"] == "TxResumed"]
    assert resumed["eventType"] == "Updated" and resumed["transactionInfo"]["transactionId"] == "s1"
    assert resumed["transactionInfo"]["chargingState"] == "Charging"


@pytest.mark.ocpp("E17.FR.20", "E17.FR.21")
def test_what_the_stack_has_not_resumed_ends_with_the_power_loss() -> None:
    station = start("E01", version=Version.V21, ResumeTransactionsOnBoot=True)
    [ended] = [one for one in station.restart(ResumeTransactionsOnBoot=True).events() if one["eventType"] == "Ended"]
    assert heads([ended]) == [("Ended", "AbnormalCondition")]
    assert ended["transactionInfo"]["stoppedReason"] == "PowerLoss"


@pytest.mark.ocpp(
    "I03.FR.01", "C05.FR.05", "F01.FR.03", "F01.FR.04", "F01.FR.05", "F02.FR.01", "F02.FR.05", "F02.FR.11"
)
@pytest.mark.ocpp("F02.FR.12", "F02.FR.13", "F02.FR.21", "C05.FR.03", "F01.FR.25")
@pytest.mark.parametrize("use_case", ["F01", "F02"])
def test_a_remote_start_has_its_token_and_its_id_in_the_first_event(use_case: str) -> None:
    station = start(use_case)
    station.finish(Reason.Remote)
    found = station.events()
    assert found[0]["idToken"] == {"idToken": "CAFE", "type": "ISO14443"}
    assert found[0]["transactionInfo"]["remoteStartId"] == 42 and found[0]["triggerReason"] == "RemoteStart"
    # EVerest's tests look for the id in the last event, too.
    assert found[-1]["eventType"] == "Ended" and found[-1]["transactionInfo"]["remoteStartId"] == 42


@pytest.mark.ocpp("F03.FR.02", "F04.FR.02", "F04.FR.03")
def test_a_remote_stop_that_does_not_end_it_is_an_update_and_the_end_has_its_reason() -> None:
    station = stop("F04")
    found = [one for one in station.events() if one["triggerReason"] in ("RemoteStop", "EVCommunicationLost")]
    assert [one["eventType"] for one in found] == ["Updated", "Updated", "Ended"]
    assert found[-1]["transactionInfo"]["stoppedReason"] == "Remote"


@pytest.mark.ocpp("E01.FR.13", "E02.FR.03", "E03.FR.03", "H01.FR.15", "F02.FR.06")
@pytest.mark.parametrize("reservation_id", [0, 17])
def test_the_reservation_that_was_used_is_in_the_first_event(reservation_id: int) -> None:
    station = quiet()
    station.plug_in()
    station.start(reservation_id=reservation_id)
    [started] = station.events()
    assert started["reservationId"] == reservation_id
    station.event(E.ChargingStarted)
    assert "reservationId" not in station.events()[0]


@pytest.mark.ocpp("C02.FR.01")
def test_a_start_by_button_has_an_empty_token() -> None:
    station = quiet()
    station.plug_in()
    pressed = token("")
    pressed.id_token.type = IdTokenType.NoAuthorization
    begun = evse.TransactionStarted(id_tag=pressed, meter_value=meter(1000))
    station.event(E.TransactionStarted, transaction_started=begun)
    [started] = station.events()
    assert started["idToken"] == {"idToken": "", "type": "NoAuthorization"}

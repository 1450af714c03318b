"""Sessions of OCPP 2.x as a CSMS sees them: transactions, meter values, power loss."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from tests.ocpp.stack import SIGNED, E, meter, token
from tests.ocpp.station2 import Station2

Reason = evse.StopTransactionReason


def heads(found: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(one["eventType"], one["triggerReason"], one["transactionInfo"]["chargingState"]) for one in found]


# Transactions.


@pytest.mark.ocpp("E02", "E01.FR.16", "E03", "E07", "G01")
def test_a_session_with_the_default_points() -> None:
    station = Station2()
    station.requests()
    station.charge()
    station.pass_s(100)
    station.event(E.ChargingPausedEV)
    station.finish(Reason.Local, id_tag=token())
    found = station.events()
    assert heads(found) == [
        ("Started", "Authorized", "EVConnected"),
        ("Updated", "ChargingStateChanged", "Charging"),
        ("Updated", "ChargingStateChanged", "SuspendedEV"),
        ("Ended", "StopAuthorized", "EVConnected"),
    ]
    assert [one["seqNo"] for one in found] == [0, 1, 2, 3]
    started, _, paused, ended = found
    assert started["evse"] == {"id": 1, "connectorId": 1}
    assert started["idToken"]["idToken"] == ended["idToken"]["idToken"] == "DEADBEEF"
    assert [("evse" in one, "idToken" in one) for one in found[1:3]] == [(False, False)] * 2
    assert paused["transactionInfo"]["timeSpentCharging"] == 100
    assert ended["transactionInfo"]["stoppedReason"] == "Local"
    assert {one["transactionInfo"]["transactionId"] for one in found} == {"s1"}


@pytest.mark.ocpp("E02", "E06")
def test_from_plug_to_unplug_with_the_points_of_the_cable() -> None:
    station = Station2(TxStartPoint=("EVConnected",), TxStopPoint=("EVConnected",))
    station.requests()
    station.charge()
    station.finish(Reason.Local, id_tag=token())
    station.unplug()
    found = station.events()
    assert heads(found) == [
        ("Started", "CablePluggedIn", "EVConnected"),
        ("Updated", "Authorized", "EVConnected"),
        ("Updated", "ChargingStateChanged", "Charging"),
        ("Updated", "StopAuthorized", "EVConnected"),
        ("Ended", "EVCommunicationLost", "Idle"),
    ]
    assert ["idToken" in one for one in found] == [False, True, False, True, False]
    assert found[-1]["transactionInfo"]["stoppedReason"] == "EVDisconnected"


@pytest.mark.ocpp("E03", "E01.FR.16")
def test_token_first_with_the_point_authorized() -> None:
    station = Station2(TxStartPoint=("Authorized",))
    station.requests()
    started = evse.SessionStarted(reason=evse.StartSessionReason.Authorized, meter_value=meter(1000), id_tag=token())
    station.event(E.SessionStarted, session_started=started)
    station.start()
    found = station.events()
    assert heads(found) == [("Started", "Authorized", "Idle"), ("Updated", "CablePluggedIn", "EVConnected")]
    assert found[1]["evse"] == {"id": 1, "connectorId": 1}, "the first event after the EV is connected"


@pytest.mark.parametrize(
    ("reason", "trigger", "stopped"),
    [
        (Reason.EVDisconnected, "EVCommunicationLost", "EVDisconnected"),
        (Reason.Remote, "RemoteStop", "Remote"),
        (Reason.DeAuthorized, "Deauthorized", "DeAuthorized"),
        (Reason.EnergyLimitReached, "EnergyLimitReached", "EnergyLimitReached"),
        (Reason.EmergencyStop, "AbnormalCondition", "EmergencyStop"),
        (Reason.HardReset, "ResetCommand", "Other"),
    ],
)
@pytest.mark.ocpp("E06", "E09", "F03")
def test_each_reason_has_its_trigger(reason: Any, trigger: str, stopped: str) -> None:
    station = Station2()
    station.charge()
    station.finish(reason)
    ended = station.events()[-1]
    assert (ended["eventType"], ended["triggerReason"]) == ("Ended", trigger)
    assert ended["transactionInfo"]["stoppedReason"] == stopped and "idToken" not in ended
    assert ended["transactionInfo"]["chargingState"] == "EVConnected", "the last event before had Charging"


@pytest.mark.parametrize(
    ("paused", "state"), [(E.ChargingPausedEV, "SuspendedEV"), (E.ChargingPausedEVSE, "SuspendedEVSE")]
)
@pytest.mark.ocpp("E06")
def test_a_transaction_that_ends_with_the_energy_transfer_has_the_state_after_it(paused: Any, state: str) -> None:
    station = Station2(TxStopPoint=("EnergyTransfer",))
    station.charge()
    station.event(paused)
    ended = station.events()[-1]
    assert (ended["eventType"], ended["transactionInfo"]["chargingState"]) == ("Ended", state)


@pytest.mark.ocpp("E04", "E12", "E11")
def test_events_of_an_outage_are_marked_and_numbered_without_a_gap() -> None:
    station = Station2()
    station.requests()
    station.charge()
    station.disconnect()
    station.event(E.ChargingPausedEVSE, charging_paused_evse=None)
    station.connect()
    station.event(E.ChargingStarted)
    found = station.events()
    assert [one["seqNo"] for one in found] == [0, 1, 2, 3]
    assert [one["offline"] for one in found] == [False, False, True, False]


@pytest.mark.ocpp("J02")
def test_values_of_begin_updates_and_end() -> None:
    station = Station2(TxUpdatedInterval=60, TxUpdatedMeasurands=("Energy.Active.Import.Register",), TxEndedInterval=0)
    station.measure(1200)
    station.charge()
    station.pass_s(125)
    station.finish(energy_Wh=2500.5)
    found = [one for one in station.events() if one.get("meterValue")]
    contexts = [(one["triggerReason"], one["meterValue"][-1]["sampledValue"][0]["context"]) for one in found]
    assert contexts == [
        ("Authorized", "Transaction.Begin"),
        ("MeterValuePeriodic", "Sample.Periodic"),
        ("MeterValuePeriodic", "Sample.Periodic"),
        ("EVCommunicationLost", "Transaction.End"),
    ]
    energies = [one["meterValue"][-1]["sampledValue"][0]["value"] for one in found]
    assert energies == [1000.4, 1200.0, 1200.0, 2500.5]


@pytest.mark.ocpp("J01")
@pytest.mark.parametrize(("idle_only", "actions"), [(False, ["MeterValues", "TransactionEvent"]), (True, [])])
def test_aligned_values_with_and_without_a_transaction(idle_only: bool, actions: list[str]) -> None:
    station = Station2(
        Interval=900, Measurands=("Voltage",), SendDuringIdle=idle_only, TxUpdatedInterval=0, TxEndedInterval=0
    )
    for evse_id in (1, 2):
        station.measure(1000, evse_id)
    station.charge()
    station.requests()
    station.pass_s(905)
    found = station.requests("MeterValues", "TransactionEvent")
    assert sorted(one.action_name for one in found) == actions
    clocks = [one.trigger_reason.value for one in found if one.action_name == "TransactionEvent"]
    assert clocks == ["MeterValueClock"] * len(clocks)


def test_signed_readings_of_begin_and_end_go_out_byte_for_byte() -> None:
    station = Station2(TxStartedMeasurands=(), TxEndedMeasurands=(), TxEndedInterval=0)
    station.plug_in()
    station.start(signed_meter_value=SIGNED)
    station.finish(signed_meter_value=SIGNED)
    started, ended = station.events()
    for one, context in ((started, "Transaction.Begin"), (ended, "Transaction.End")):
        [value] = one["meterValue"][-1]["sampledValue"]
        assert value["context"] == context
        assert value["signedMeterValue"]["signedMeterData"] == SIGNED.signed_meter_data


@pytest.mark.ocpp("E08", "E17", "E17.FR.20", "E17.FR.21")
def test_a_power_loss_ends_a_transaction_with_the_stored_meter_or_resumes_it() -> None:
    station = Station2(ResumeTransactionsOnBoot=True)
    station.charge()
    station.measure(1700)
    station.pass_s(65)
    ended = station.restart().events()[-1]
    assert (ended["eventType"], ended["triggerReason"]) == ("Ended", "AbnormalCondition")
    assert ended["transactionInfo"]["stoppedReason"] == "PowerLoss"
    assert ended["meterValue"][0]["sampledValue"][0]["value"] == 1700.0
    resumed = station.restart(resumed=frozenset({"s1"}), ResumeTransactionsOnBoot=True)
    resumed.finish()
    assert [one["eventType"] for one in resumed.events()][-2:] == ["Updated", "Ended"]


def test_a_session_that_has_gone_on_without_the_station_is_continued_silently() -> None:
    station = Station2()
    station.charge()
    before = station.events()
    again = station.restart(going_on=frozenset({"s1"}))
    assert again.events() == []
    again.finish()
    (ended,) = again.events()
    assert (ended["eventType"], ended["seqNo"]) == ("Ended", before[-1]["seqNo"] + 1)
    assert ended["transactionInfo"]["transactionId"] == "s1"


def test_a_session_of_a_stack_that_has_begun_anew_ends_what_it_had_left_open() -> None:
    station = Station2()
    station.charge()
    station.events()
    station.charge(session="s2")
    found = [(one["eventType"], one["transactionInfo"]["transactionId"]) for one in station.events()]
    assert found[:2] == [("Ended", "s1"), ("Started", "s2")]


@pytest.mark.ocpp("E14", "E14.FR.02", "E14.FR.03", "E14.FR.04", "E14.FR.06", "E14.FR.07")
def test_the_status_of_a_transaction() -> None:
    station = Station2()
    station.charge()
    assert station.ask("GetTransactionStatus", {"transactionId": "S1"}) == {
        "messagesInQueue": False,
        "ongoingIndicator": True,
    }
    station.disconnect()
    station.finish()
    assert station.ask("GetTransactionStatus", {"transactionId": "s1"}) == {
        "messagesInQueue": True,
        "ongoingIndicator": False,
    }
    assert station.ask("GetTransactionStatus") == {"messagesInQueue": True}
    assert station.ask("GetTransactionStatus", {"transactionId": "x"})["ongoingIndicator"] is False


@pytest.mark.ocpp("E05")
@pytest.mark.parametrize(
    ("values", "command"),
    [
        ({"StopTxOnInvalidId": True}, "stop_transaction"),
        ({"StopTxOnInvalidId": False, "MaxEnergyOnInvalidId": 0}, "pause_charging"),
    ],
)
def test_a_token_that_the_csms_does_not_accept_afterwards(values: dict[str, Any], command: str) -> None:
    station = Station2(**values)
    station.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Invalid"}}
    station.plug_in()
    station.start()
    [(name, evse_id, _)] = station.commanded("stop_transaction", "pause_charging")
    assert (name, evse_id) == (command, 1)


def test_an_invalid_token_may_have_the_energy_that_is_configured() -> None:
    station = Station2(StopTxOnInvalidId=False, MaxEnergyOnInvalidId=500)
    station.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Invalid"}}
    station.measure(1000)
    station.charge()
    station.measure(1499)
    station.pass_s(5)
    assert station.commanded("stop_transaction", "pause_charging") == []
    station.measure(1500)
    station.pass_s(1)
    assert [name for name, _, _ in station.commanded("stop_transaction", "pause_charging")] == ["pause_charging"]

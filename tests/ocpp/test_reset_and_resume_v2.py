"""A reset that transactions outlive (B13): what is kept, how the car goes on, and what ends a transaction after all."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.modules.ocpp.station.layout import Layout
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.requirements_v2.scenarios import ENERGY, SAMPLED, quiet, read, values_of
from tests.ocpp.stack import SIGNED, E, meter, token
from tests.ocpp.station2 import Station2


def reset(*, version: Version = Version.V21, limit: dict[str, float] | None = None) -> Station2:
    """Return the station after a reset that its transaction is to outlive."""
    station = Station2(version=version)
    if limit:
        station.answers["TransactionEvent"] = {"transactionLimit": limit}
    station.measure(1_000.4)
    station.charge()
    station.measure(2_000.0)
    station.events()
    station.commanded()
    assert station.ask("Reset", {"type": "ImmediateAndResume"}) == {"status": "Accepted"}
    station.pass_s(1)
    commands = station.commanded("stop_transaction", "reset")
    assert [(name, str(args[0])) for name, _, args in commands] == [("reset", "Hard")]
    [told] = station.events()
    assert (told["eventType"], told["triggerReason"]) == ("Updated", "ResetCommand")
    again = station.restart(connects=False)
    # The stack ends what the reset has cut off, under the name of the old session.
    again.event(E.SessionResumed)
    again.finish(evse.StopTransactionReason.PowerLoss)
    again.connect()
    assert again.events() == []
    return again


@pytest.mark.ocpp("B13", "B13.FR.03", "B13.FR.21", "B13.FR.30", "B13.FR.04")
def test_a_transaction_goes_on_when_its_car_is_still_there() -> None:
    station = reset()
    station.plug_in(session="s2")
    [presented] = station.published("provided_token")
    assert (presented.id_token.value, presented.prevalidated, presented.connectors) == ("DEADBEEF", True, [1])
    station.start(session="s2")
    station.event(E.ChargingStarted, "s2")
    resumed, charging = station.events()
    assert (resumed["triggerReason"], resumed["transactionInfo"]["transactionId"]) == ("TxResumed", "s1")
    assert charging["transactionInfo"]["chargingState"] == "Charging"
    station.finish(session="s2")
    station.unplug(session="s2")
    [ended] = station.events()
    assert (ended["eventType"], ended["transactionInfo"]["transactionId"]) == ("Ended", "s1")
    assert resumed["seqNo"] < charging["seqNo"] < ended["seqNo"]
    station.charge(session="s3")
    assert station.events()[0]["transactionInfo"]["transactionId"] == "s3"


@pytest.mark.ocpp("B13")
def test_a_transaction_outlives_more_than_one_restart() -> None:
    station = reset()
    station.plug_in(session="s2")
    station.start(session="s2")
    station.events()
    away = station.restart(going_on=frozenset({"s2"}))
    assert away.events() == []
    away.ask("Reset", {"type": "ImmediateAndResume"})
    away.pass_s(1)
    again = away.restart()
    again.event(E.SessionResumed, "s2")
    again.finish(evse.StopTransactionReason.PowerLoss, session="s2")
    again.plug_in(session="s3")
    again.start(session="s3")
    [resumed] = again.events()
    assert (resumed["triggerReason"], resumed["transactionInfo"]["transactionId"]) == ("TxResumed", "s1")


@pytest.mark.ocpp("B13")
def test_a_transaction_ends_when_its_car_has_left() -> None:
    station = reset()
    station.pass_s(299)
    assert station.events() == []
    station.pass_s(1)
    [ended] = station.events()
    assert (ended["eventType"], ended["triggerReason"]) == ("Ended", "ResetCommand")
    assert ended["transactionInfo"]["stoppedReason"] == "ImmediateReset"
    [value] = ended["meterValue"]
    assert value["sampledValue"][0]["value"] == 2000.0
    station.charge(session="s2")
    assert [one["transactionInfo"]["transactionId"] for one in station.events()][:1] == ["s2"]


@pytest.mark.ocpp("B13")
def test_another_driver_begins_a_transaction_of_his_own() -> None:
    station = reset()
    station.plug_in(session="s2")
    started = evse.TransactionStarted(id_tag=token("OTHER"), meter_value=meter(2_000))
    station.event(E.TransactionStarted, "s2", transaction_started=started)
    sent = [(one["eventType"], one["transactionInfo"]["transactionId"]) for one in station.events()]
    assert sent[:2] == [("Ended", "s1"), ("Started", "s2")]
    unplugged = reset()
    unplugged.plug_in(session="s2")
    unplugged.unplug(session="s2")
    assert [one["eventType"] for one in unplugged.events()] == ["Ended"]


@pytest.mark.ocpp("B13", "E16")
def test_its_limit_is_counted_from_the_begin_of_the_transaction() -> None:
    station = reset(limit={"maxEnergy": 1500.0})
    station.plug_in(session="s2")
    station.start(session="s2")
    station.measure(2_400.0)
    station.pass_s(1)
    assert not station.commanded("pause_charging")
    station.measure(2_500.4)
    station.pass_s(1)
    assert len(station.commanded("pause_charging")) == 1


@pytest.mark.ocpp("B13", "B13.FR.01", "B13.FR.02")
def test_where_no_interruption_is_allowed_such_a_reset_is_refused() -> None:
    station = Station2(version=Version.V21, ResumptionTimeout=0)
    assert station.ask("Reset", {"type": "ImmediateAndResume"})["status"] == "Rejected"
    idle = Station2(version=Version.V21)
    assert idle.ask("Reset", {"type": "ImmediateAndResume"}) == {"status": "Accepted"}
    idle.pass_s(1)
    assert len(idle.commanded("reset")) == 1


def test_a_reset_that_fails_leaves_the_transaction_as_it_is() -> None:
    station = Station2(version=Version.V21)
    station.charge()
    station.ask("Reset", {"type": "ImmediateAndResume"})
    station.pass_s(120)
    station.events()
    station.finish()
    assert station.events()[-1]["eventType"] == "Ended"


def test_a_session_that_the_reset_did_not_end_goes_on() -> None:
    station = Station2(version=Version.V21)
    station.charge()
    station.ask("Reset", {"type": "ImmediateAndResume"})
    station.pass_s(1)
    again = station.restart(going_on=frozenset({"s1"}))
    again.finish()
    assert [one["eventType"] for one in again.events()] == ["Ended"]


# Unplugged at the EV.


def unplugged(**values: Any) -> Station2:
    """Return a station at which a car was unplugged while it charged, with the transaction suspended."""
    station = Station2(
        version=Version.V21, StopTxOnEVSideDisconnect=False, **{"TxStopPoint": ("Authorized",), **values}
    )
    station.measure(1_000.4)
    station.charge()
    station.events()
    station.finish()
    station.unplug()
    return station


@pytest.mark.ocpp("E10")
def test_a_transaction_is_suspended_while_its_car_is_unplugged() -> None:
    station = unplugged()
    [lost] = station.events()
    assert (lost["eventType"], lost["triggerReason"]) == ("Updated", "EVCommunicationLost")
    assert lost["transactionInfo"]["chargingState"] == "Idle"
    station.pass_s(119)
    station.plug_in(session="s2")
    [presented] = station.published("provided_token")
    assert (presented.id_token.value, presented.prevalidated) == ("DEADBEEF", True)
    station.start(session="s2")
    station.event(E.ChargingStarted, "s2")
    plugged, charging = [one for one in station.events() if "MeterValue" not in one["triggerReason"]]
    assert (plugged["triggerReason"], plugged["transactionInfo"]["chargingState"]) == ("CablePluggedIn", "EVConnected")
    assert charging["transactionInfo"] == {"transactionId": "s1", "chargingState": "Charging"}
    station.finish(evse.StopTransactionReason.Local, session="s2")
    assert station.events()[-1]["eventType"] == "Ended"


@pytest.mark.ocpp("E10")
def test_a_suspended_transaction_ends_by_its_token_or_by_the_csms() -> None:
    station = unplugged()
    station.events()
    authorized = evse.SessionStarted(reason=evse.StartSessionReason.Authorized, id_tag=token(), meter_value=meter(2000))
    station.event(E.SessionStarted, "s2", session_started=authorized)
    [ended] = station.events()
    assert (ended["triggerReason"], ended["transactionInfo"]["stoppedReason"]) == ("StopAuthorized", "Local")
    remote = unplugged()
    remote.events()
    assert remote.ask("RequestStopTransaction", {"transactionId": "s1"})["status"] == "Accepted"
    [ended] = remote.events()
    assert (ended["triggerReason"], ended["transactionInfo"]["stoppedReason"]) == ("RemoteStop", "Remote")
    remote.charge(session="s3")
    assert remote.events()[0]["transactionInfo"]["transactionId"] == "s3"


@pytest.mark.ocpp("E10.FR.02")
def test_at_a_fixed_cable_the_transaction_ends_when_no_car_is_plugged_in_in_time() -> None:
    station = unplugged(EVConnectionTimeOut=60)
    station.events()
    station.pass_s(59)
    assert station.events() == []
    station.pass_s(1)
    [ended] = station.events()
    assert (ended["eventType"], ended["triggerReason"]) == ("Ended", "EVCommunicationLost")
    assert ended["transactionInfo"]["stoppedReason"] == "EVDisconnected"
    station.plug_in(session="s2")
    assert station.published("provided_token") == [], "another car is not authorized"
    socket = Layout([evse.Evse(id=1, connectors=[evse.Connector(id=1, type=evse.ConnectorTypeEnum.sType2)])])
    for values in ({"layout": socket}, {"EVConnectionTimeOut": 0}):
        waits = unplugged(**values)
        waits.events()
        waits.pass_s(3600)
        assert "Ended" not in [one["eventType"] for one in waits.events()]


@pytest.mark.ocpp("E10.FR.03", "E10.FR.04", "E10.FR.07")
def test_events_of_a_suspended_transaction_are_numbered_measured_and_signed() -> None:
    station = quiet(StopTxOnEVSideDisconnect=False, **{**SAMPLED, "TxStopPoint": ("Authorized",), "SignReadings": True})
    read(station, 1000.4, signed=True)
    station.charge()
    station.finish()
    station.unplug()
    read(station, 1800.0, signed=True)
    station.pass_s(61)
    station.plug_in(session="s2")
    station.start(session="s2")
    station.event(E.ChargingStarted, "s2")
    station.finish(evse.StopTransactionReason.Local, session="s2", signed_meter_value=SIGNED)
    found = station.events()
    assert [one["seqNo"] for one in found] == list(range(len(found)))
    assert found[-1]["eventType"] == "Ended" and values_of(found[-1]) == [("Transaction.End", ENERGY, 2500.0)]
    periodic = [one for one in found if one["triggerReason"] == "MeterValuePeriodic"]
    for one in (*periodic, found[-1]):
        signed = [value["signedMeterValue"] for value in one["meterValue"][-1]["sampledValue"][:1]]
        assert [one["signedMeterData"] for one in signed] == [SIGNED.signed_meter_data]
    assert periodic, "while it is suspended, too"


@pytest.mark.ocpp("E10", "E09")
def test_where_unplugging_is_a_stop_point_the_transaction_ends() -> None:
    station = Station2(version=Version.V21, StopTxOnEVSideDisconnect=False)
    station.charge()
    station.events()
    station.finish()
    assert station.events()[-1]["transactionInfo"]["stoppedReason"] == "EVDisconnected"


# The master pass.


@pytest.mark.ocpp("C16", "C16.FR.08")
def test_a_transaction_that_the_master_pass_ended_is_reported_as_such() -> None:
    station = Station2(version=Version.V21, MasterPassGroupId="MASTER")
    assert [args for name, _, args in station.commanded("set_master_pass_group_id")] == [("MASTER",)]
    station.charge()
    station.charge(evse_id=2, session="s2")
    station.events()
    for evse_id, session in ((1, "s1"), (2, "s2")):
        station.finish(evse.StopTransactionReason.MasterPass, evse_id=evse_id, session=session, id_tag=token("POLICE"))
    ended = [one for one in station.events() if one["eventType"] == "Ended"]
    assert [one["transactionInfo"]["stoppedReason"] for one in ended] == ["MasterPass", "MasterPass"]
    assert {one["idToken"]["idToken"] for one in ended} == {"POLICE"}

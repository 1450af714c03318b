"""Sessions of OCPP 1.6 as a CSMS sees them: transactions, meter values, power loss."""

from __future__ import annotations

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from tests.ocpp.station16 import SIGNED, Station16, meter, token

Reason = evse.StopTransactionReason


# A session (§4.8, §4.10).


@pytest.mark.ocpp("1.6 §4.8", "1.6 §4.10")
def test_a_whole_session_in_the_order_of_the_standard() -> None:
    station = Station16()
    station.requests()
    station.charge()
    station.pass_s(300)
    station.finish(Reason.EVDisconnected)
    station.unplug()
    sent = station.requests("StartTransaction", "StopTransaction", "StatusNotification")
    words = [getattr(one, "status", one.action_name) for one in sent]
    assert [str(getattr(one, "value", one)) for one in words] == [
        "Preparing",
        "StartTransaction",
        "Charging",
        "StopTransaction",
        "Available",
    ]
    start, stop = sent[1], sent[3]
    assert (start.connector_id, start.id_tag, start.meter_start_Wh, start.reservation_id) == (1, "DEADBEEF", 1000, None)
    assert (stop.meter_stop_Wh, stop.reason.value, stop.id_tag) == (2500, "EVDisconnected", None)
    assert (stop.timestamp - start.timestamp).total_seconds() == 300


def test_a_local_stop_has_the_token_and_its_reason_and_the_connector_finishes() -> None:
    station = Station16()
    station.charge()
    station.requests()
    station.finish(Reason.Local, id_tag=token("CAFE"))
    station.unplug()
    [stop] = station.requests("StopTransaction")
    assert stop.reason == "Local" and stop.id_tag == "CAFE"


@pytest.mark.parametrize(
    ("reason", "word"),
    [(Reason.EnergyLimitReached, "Other"), (Reason.Remote, "Remote"), (Reason.EmergencyStop, "EmergencyStop")],
)
def test_reasons_that_1_6_has_no_word_for_are_other(reason: evse.StopTransactionReason, word: str) -> None:
    station = Station16()
    station.charge()
    station.finish(reason)
    [stop] = station.requests("StopTransaction")
    assert stop.reason.value == word


def test_a_reservation_that_was_used_stands_in_the_start() -> None:
    station = Station16()
    station.plug_in()
    station.start(reservation_id=179)
    assert station.payloads[-1]["reservationId"] == 179


def test_signed_values_go_out_byte_for_byte() -> None:
    station = Station16(TxEndedMeasurands=())
    station.plug_in()
    station.start(signed_meter_value=SIGNED)
    [begin] = station.requests("MeterValues")
    [value] = begin.meter_value[0].sampled_value
    assert (value.format.value, value.context.value, value.value) == (
        "SignedData",
        "Transaction.Begin",
        SIGNED.signed_meter_data,
    )
    station.finish(signed_meter_value=SIGNED)
    [stop] = station.requests("StopTransaction")
    assert [one.sampled_value[0].context.value for one in stop.transaction_data] == ["Transaction.End"]
    assert stop.transaction_data[0].sampled_value[0].value == SIGNED.signed_meter_data


def test_a_signed_register_takes_the_place_of_the_bare_one() -> None:
    """As in EVerest: the begin and the end are in `transactionData` once."""
    station = Station16(TxEndedMeasurands=("Energy.Active.Import.Register", "Current.Import"))
    station.charge()
    station.requests()
    station.finish(signed_meter_value=SIGNED, start_signed_meter_value=SIGNED)
    [stop] = station.requests("StopTransaction")
    registers = [
        (one.context.value, one.format.value)
        for value in stop.transaction_data
        for one in value.sampled_value
        if one.measurand.value == "Energy.Active.Import.Register"
    ]
    assert registers == [("Transaction.Begin", "SignedData"), ("Transaction.End", "SignedData")]
    assert any(
        one.measurand.value == "Current.Import" for value in stop.transaction_data for one in value.sampled_value
    )


def test_without_signed_and_wanted_values_there_is_no_transaction_data() -> None:
    station = Station16(TxEndedMeasurands=())
    station.charge()
    station.finish()
    [stop] = station.requests("StopTransaction")
    assert stop.transaction_data is None


@pytest.mark.ocpp("1.6 §4.7")
def test_sampled_values_follow_their_interval_also_when_it_changes() -> None:
    station = Station16(TxUpdatedInterval=60, TxUpdatedMeasurands=("Energy.Active.Import.Register",))
    station.measure(1200)
    station.charge()
    station.requests()
    station.pass_s(185)
    values = station.requests("MeterValues")
    assert [one.meter_value[0].sampled_value[0].value for one in values] == ["1200"] * 3
    assert {one.meter_value[0].sampled_value[0].context.value for one in values} == {"Sample.Periodic"}
    station.ask("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "10"})
    station.pass_s(30)
    assert len(station.requests("MeterValues")) == 3
    station.finish()
    station.requests()
    station.pass_s(100)
    assert station.requests("MeterValues") == []


@pytest.mark.ocpp("1.6 §4.7")
def test_aligned_values_come_on_the_raster_from_midnight() -> None:
    station = Station16(connects=False, Interval=900, Measurands=("Voltage",))
    station.now = 100.0
    station.connect()
    station.measure(1000)
    station.requests()
    station.pass_s(1810)
    values = station.requests("MeterValues")
    assert sorted({one.meter_value[0].timestamp.strftime("%H:%M:%S") for one in values}) == ["00:15:00", "00:30:00"]
    assert [one.meter_value[0].sampled_value[0].context.value for one in values] == ["Sample.Clock"] * 2


# Power loss (§4.10).


def test_a_transaction_that_a_power_loss_cut_is_stopped_with_the_meter_that_was_written_down() -> None:
    station = Station16()
    station.charge()
    station.measure(1700)
    station.pass_s(65)
    station.measure(9999)
    again = station.restart()
    [stop] = again.requests("StopTransaction")
    assert (stop.reason.value, stop.meter_stop_Wh) == ("PowerLoss", 1700)
    assert stop.timestamp.strftime("%M:%S") == "01:00"
    assert again.restart().requests("StopTransaction") == [], "once"


def test_a_session_that_is_resumed_goes_on() -> None:
    station = Station16()
    station.charge()
    again = station.restart(resumed=frozenset({"s1"}))
    assert again.requests("StopTransaction") == []
    again.finish()
    assert len(again.requests("StopTransaction")) == 1


def test_a_session_that_has_gone_on_without_the_station_is_continued() -> None:
    station = Station16()
    station.charge()
    again = station.restart(going_on=frozenset({"s1"}))
    assert again.requests("StopTransaction") == []
    again.finish()
    assert [stop.reason.value for stop in again.requests("StopTransaction")] == ["EVDisconnected"]


def test_a_session_of_a_stack_that_has_begun_anew_ends_what_it_had_left_open() -> None:
    station = Station16()
    station.charge()
    station.charge(session="s2")
    assert [stop.reason.value for stop in station.requests("StopTransaction")] == ["PowerLoss"]
    station.finish(session="s2")
    assert [stop.reason.value for stop in station.requests("StopTransaction")] == ["EVDisconnected"]


# The meter of the stack.


def test_the_end_of_the_session_ends_a_transaction_that_the_stack_forgot() -> None:
    station = Station16()
    station.charge()
    station.unplug()
    [stop] = station.requests("StopTransaction")
    assert stop.meter_stop_Wh == meter(2500).energy_Wh_import.total

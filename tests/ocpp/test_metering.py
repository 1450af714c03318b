"""Measurands of a reading and clock-aligned intervals (OCPP 1.6 §5.3 and §9.1; use case J01)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from chargebyte_fw.contracts.types import temperature, units, units_signed
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.modules.ocpp.metering.aligned import Averages, next_boundary, rounded
from chargebyte_fw.modules.ocpp.metering.samples import Offered, Reading, Sample, decimal, integer_Wh, known, samples

AT = datetime(2026, 5, 1, 10, 15, 1, 200_000, tzinfo=UTC)
METER = Powermeter(
    timestamp="2026-05-01T10:15:01.200Z",
    energy_Wh_import=units.Energy(total=1625.0000000000002, L1=500.5),
    power_W=units.Power(total=-3000.0, L1=-1000.0),
    voltage_V=units.Voltage(L1=230.123, L2=231.0, L3=229.0),
    current_A=units.Current(L1=0.00001, L2=16.0, L3=16.0, N=0.5),
    frequency_Hz=units.Frequency(L1=50.02),
    temperatures=[temperature.Temperature(temperature=31.5)],
)
READING = Reading(AT, METER, soc_percent=42.0, offered=Offered(current_A=16.0, power_W=11040.0))


def values(reading: Reading, *wanted: str) -> list[tuple[str, str | None, str, str]]:
    return [(one.measurand, one.phase, one.text, one.unit) for one in samples(reading, wanted)]


def test_a_measurand_is_its_total_and_then_its_phases() -> None:
    assert values(READING, "Energy.Active.Import.Register", "Voltage", "Current.Import") == [
        ("Energy.Active.Import.Register", None, "1625", "Wh"),
        ("Energy.Active.Import.Register", "L1", "500.5", "Wh"),
        ("Voltage", "L1", "230.123", "V"),
        ("Voltage", "L2", "231", "V"),
        ("Voltage", "L3", "229", "V"),
        ("Current.Import", "L1", "0", "A"),
        ("Current.Import", "L2", "16", "A"),
        ("Current.Import", "L3", "16", "A"),
        ("Current.Import", "N", "0.5", "A"),
    ]


@pytest.mark.parametrize("name", ["Current.Import.L2", "Current.Import-L2", " Current.Import.L2 "])
def test_one_phase_of_a_measurand_can_be_asked_for(name: str) -> None:
    assert values(READING, name) == [("Current.Import", "L2", "16", "A")]
    assert known(name) and not known("RPM") and not known("Current.Import.L9")


def test_power_has_one_direction_at_a_time() -> None:
    assert values(READING, "Power.Active.Import", "Power.Active.Export") == [
        ("Power.Active.Import", None, "0", "W"),
        ("Power.Active.Import", "L1", "0", "W"),
        ("Power.Active.Export", None, "3000", "W"),
        ("Power.Active.Export", "L1", "1000", "W"),
    ]


def test_values_of_the_car_and_of_the_offer_have_no_phases() -> None:
    assert values(READING, "SoC", "Temperature", "Current.Offered", "Power.Offered", "Frequency") == [
        ("SoC", None, "42", "Percent"),
        ("Temperature", None, "31.5", "Celsius"),
        ("Current.Offered", None, "16", "A"),
        ("Power.Offered", None, "11040", "W"),
        ("Frequency", "L1", "50.02", "Hertz"),
    ]


def test_what_nothing_measures_is_left_out() -> None:
    nothing = Reading(AT)
    assert values(nothing, "Energy.Active.Import.Register", "SoC", "Current.Offered", "RPM", "") == []


def test_what_the_meter_signed_stays_with_its_value() -> None:
    signature = units_signed.SignedMeterValue(
        signed_meter_data="OCMF|{}|{}", signing_method="ECDSA", encoding_method="OCMF"
    )
    meter = msgspec.structs.replace(METER, energy_Wh_import_signed=units_signed.Energy(total=signature))
    first, second = samples(Reading(AT, meter), ["Energy.Active.Import.Register"])
    assert first.signed == signature and second.signed is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(1625.0000000000002, "1625"), (0.00001, "0"), (361234.6, "361234.6"), (-0.0001, "0"), (1e7, "10000000")],
)
def test_numbers_have_no_exponent_and_no_binary_tail(value: float, text: str) -> None:
    assert decimal(value) == text


@pytest.mark.parametrize(("value", "whole"), [(1625.0000000000002, 1625), (361234.6, 361235)])
def test_the_meter_of_a_transaction_of_1_6_is_a_whole_number(value: float, whole: int) -> None:
    assert integer_Wh(msgspec.structs.replace(METER, energy_Wh_import=units.Energy(total=value))) == whole


@pytest.mark.parametrize(
    ("at", "interval_s", "expected"),
    [
        ("10:15:01", 900, "10:30:00"),
        ("10:30:00", 900, "10:45:00"),
        ("23:59:59", 900, "00:00:00"),
        ("23:58:00", 7000, "00:00:00"),
    ],
)
@pytest.mark.ocpp("J01")
def test_intervals_are_counted_from_midnight(at: str, interval_s: int, expected: str) -> None:
    found = next_boundary(datetime.fromisoformat(f"2026-05-01T{at}+00:00"), interval_s)
    assert found.strftime("%H:%M:%S") == expected


def test_a_time_is_rounded_to_the_raster() -> None:
    assert rounded(AT, 900).isoformat() == "2026-05-01T10:15:00+00:00"


def test_what_can_be_averaged_is_averaged_over_the_interval() -> None:
    averages = Averages()
    for volts in (220.0, 240.0):
        averages.add([Sample("Voltage", volts, "V", "L1"), Sample("Energy.Active.Import.Register", volts, "Wh")])
    end = [Sample("Voltage", 240.0, "V", "L1"), Sample("Energy.Active.Import.Register", 240.0, "Wh")]
    assert [one.value for one in averages.averaged(end)] == [230.0, 240.0]
    averages.clear()
    assert [one.value for one in averages.averaged(end)] == [240.0, 240.0], "an interval has its own sums"

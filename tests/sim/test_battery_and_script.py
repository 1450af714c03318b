"""The car's battery follows its curve; the car's script is checked before it runs."""

from __future__ import annotations

import pytest

from chargebyte_fw.sim.battery import Battery
from chargebyte_fw.sim.script import Command, ScriptError, parse


def test_a_battery_that_takes_in_its_capacity_is_full_and_accepts_little_more() -> None:
    battery = Battery(capacity_Wh=1000, soc_percent=50)
    assert battery.draw(1000, 1800) == 500
    assert battery.soc_percent == 100
    assert battery.accepted_power_W <= 0.05 * battery.max_power_W


def test_voltage_rises_with_charge_and_with_current() -> None:
    low, high = Battery(soc_percent=10), Battery(soc_percent=90)
    assert low.open_circuit_V < high.open_circuit_V < high.terminal_V(100)
    assert high.target_voltage_V <= high.max_voltage_V


def test_the_charging_curve_falls_towards_the_end() -> None:
    powers = [Battery(soc_percent=soc).accepted_power_W for soc in (55, 80, 95, 100)]
    assert powers == sorted(powers, reverse=True)


@pytest.mark.parametrize("values", [{"capacity_Wh": 0}, {"soc_percent": 101}, {"soc_percent": -1}])
def test_an_impossible_battery_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"battery|state of charge"):
        Battery(**values)


def test_a_script_is_split_at_semicolons_and_arguments_at_commas() -> None:
    assert parse("Sleep 1;iso_start_v2g_session DC 86400 0;\ndraw_power_regulated 16,3;") == [
        Command("sleep", ("1",)),
        Command("iso_start_v2g_session", ("dc", "86400", "0")),
        Command("draw_power_regulated", ("16", "3")),
    ]


def test_a_double_blank_is_an_empty_argument() -> None:
    assert parse("iso_start_v2g_session DC  86400 0")[0].arguments == ("dc", "", "86400", "0")


def test_an_empty_script_has_no_commands() -> None:
    assert parse(" ;; \n") == []


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("fly 1", "Command not found: fly"),
        ("sleep", "expected 1 got 0"),
        ("unplug 3", "expected 0 got 1"),
        ("sleep soon", "sleep: 'soon' is not a number"),
    ],
)
def test_a_wrong_script_is_refused_with_the_command_named(script: str, message: str) -> None:
    with pytest.raises(ScriptError, match=message):
        parse(script)

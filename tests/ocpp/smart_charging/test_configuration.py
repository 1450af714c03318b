"""Rules and local time as variables and keys have them."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.smart_charging.configuration import is_configured, local_time_of, phases_of, rules_of
from chargebyte_fw.modules.ocpp.smart_charging.profile import Mode, Purpose, RateUnit
from chargebyte_fw.modules.ocpp.smart_charging.rules import V16, V21, V201, LocalTime
from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.variables.standard import internal, iso15118, legacy
from chargebyte_fw.modules.ocpp.variables.standard import smart_charging as smart
from chargebyte_fw.modules.ocpp.variables.standard import station as of_station
from tests.ocpp.smart_charging.helpers import at


def variables(values: dict[Any, Any] | None = None) -> Variables:
    made = Variables(declared(connectors={1: 1}, legacy_keys=True))
    for variable, value in (values or {}).items():
        made.set(variable, value)
    return made


def test_shipped_rules() -> None:
    rules = rules_of(variables(), V21, [1])
    assert rules.available and rules.dynamic and rules.modes is None
    assert (rules.default_limit_A, rules.default_limit_W, rules.default_phases, rules.voltage_V) == (48, 33120, 3, 230)
    assert rules.additional_purposes == {Purpose.PRIORITY, Purpose.LOCAL_GENERATION}
    assert rules.persisted == set(Purpose) and rules.max_profiles == 500


def test_names_of_16() -> None:
    changed = variables(
        {
            smart.RATE_UNIT: ("Power",),
            smart.IGNORED_PROFILE_PURPOSES_OFFLINE: ("ChargePointMaxProfile", "TxProfile", "Nothing"),
            internal.SUPPORTED_CHARGING_PROFILE_PURPOSE_TYPES: ("ChargePointMaxProfile",),
            legacy.ALLOW_PROFILE_WITHOUT_START_SCHEDULE: True,
        }
    )
    rules = rules_of(changed, V16)
    assert rules.units == {RateUnit.W} and rules.allow_no_start and rules.purposes == {Purpose.STATION_MAX}
    assert rules.ignored_offline == {Purpose.STATION_MAX, Purpose.TX}
    assert not rules_of(changed, V201).allow_no_start
    assert rules_of(variables({smart.RATE_UNIT: ("kW",)}), V16).units == set(RateUnit)


def test_rules_of_v2x() -> None:
    changed = variables(
        {
            iso15118.V2X_AVAILABLE.at(1): True,
            iso15118.V2X_ENABLED.at(1): True,
            iso15118.SUPPORTED_OPERATION_MODES.at(1): ("Idle", "CentralSetpoint"),
            smart.PROFILE_PERSISTENCE_TX: False,
            smart.SUPPLY_VOLTAGE: 0.0,
        }
    )
    rules = rules_of(changed, V21, [1])
    assert rules.modes == {Mode.IDLE, Mode.CENTRAL_SETPOINT} and rules_of(changed, V201, [1]).modes is None
    assert Purpose.TX not in rules.persisted and rules.voltage_V == 230.0


def test_default_that_is_configured() -> None:
    assert not is_configured(variables(), smart.DEFAULT_LIMIT_A)
    assert is_configured(variables({smart.DEFAULT_LIMIT_A: 16.0}), smart.DEFAULT_LIMIT_A)


def test_phases_of_the_supply() -> None:
    assert phases_of(variables(), 1) == 3 and phases_of(variables(), 9) == 3
    for phases in (0, 1, 3):
        assert phases_of(variables({of_station.EVSE_SUPPLY_PHASES.at(1): phases}), 1) == phases


@pytest.mark.parametrize(
    ("offset", "transition", "after", "expected"),
    [
        ("", "", "", LocalTime()),
        ("+01:00", "", "", LocalTime(3600)),
        ("-03:30", "", "+02:00", LocalTime(-12600)),
        ("+01:00", "2024-03-31T01:00:00Z", "+02:00", LocalTime(3600, at("2024-03-31 01:00"), 7200)),
        ("+01:00", "soon", "+02:00", LocalTime(3600)),
        ("Europe/Berlin", "", "", LocalTime()),
        ("+1x:00", "", "", LocalTime()),
        ("02", "", "", LocalTime(7200)),
    ],
)
def test_local_time(offset: str, transition: str, after: str, expected: LocalTime) -> None:
    changed = variables(
        {
            of_station.TIME_OFFSET: offset,
            of_station.NEXT_TIME_OFFSET_TRANSITION: transition,
            of_station.TIME_OFFSET_NEXT: after,
        }
    )
    assert local_time_of(changed) == expected

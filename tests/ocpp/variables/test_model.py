"""Typed access to the device model."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.registry import COMPONENTS, declared
from chargebyte_fw.modules.ocpp.variables.standard.authorization import AUTH_CACHE_LIFE_TIME, LOCAL_AUTH_LIST_ENTRIES
from chargebyte_fw.modules.ocpp.variables.standard.communication import (
    HEARTBEAT_INTERVAL,
    NETWORK_SECURITY_PROFILE,
    NETWORK_URL,
    RETRY_BACK_OFF_WAIT_MINIMUM,
)
from chargebyte_fw.modules.ocpp.variables.standard.internal import SUPPORTED_CIPHERS_13
from chargebyte_fw.modules.ocpp.variables.standard.metering import SAMPLED_DATA_TX_STARTED_MEASURANDS
from chargebyte_fw.modules.ocpp.variables.values import fault_of


@pytest.fixture
def variables() -> Variables:
    return Variables(declared())


def test_values_have_the_type_of_their_declaration(variables: Variables) -> None:
    assert variables.get(HEARTBEAT_INTERVAL) == 1800
    assert variables.get(SAMPLED_DATA_TX_STARTED_MEASURANDS) == ("Energy.Active.Import.Register", "Current.Import")
    assert variables.get(SUPPORTED_CIPHERS_13) == ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256")


def test_a_variable_without_a_value_is_none_or_what_the_station_uses_then(variables: Variables) -> None:
    assert variables.find(AUTH_CACHE_LIFE_TIME) is None
    assert variables.get(AUTH_CACHE_LIFE_TIME) == 0
    assert Variables().get(RETRY_BACK_OFF_WAIT_MINIMUM) == 1


def test_slots_are_instances_of_a_component(variables: Variables) -> None:
    variables.set(NETWORK_URL.at(slot=2), "ws://localhost:9000")
    assert variables.get(NETWORK_URL.at(slot=1)) == ""
    assert variables.get(NETWORK_URL.at(slot=2)) == "ws://localhost:9000"
    assert variables.get(NETWORK_SECURITY_PROFILE.at(slot=2)) == 1
    assert str(NETWORK_URL.at(slot=2).id) == "NetworkConfiguration[2].OcppCsmsUrl"


def test_a_change_is_notified_once_with_the_new_value(variables: Variables) -> None:
    values: list[int] = []
    variables.on_change(HEARTBEAT_INTERVAL, values.append)
    for interval_s in (60, 60, 90):
        variables.set(HEARTBEAT_INTERVAL, interval_s)
    assert values == [60, 90]


def test_what_is_set_is_saved_where_it_is_to_be_kept(variables: Variables) -> None:
    saved: list[str] = []
    variables.save = lambda entry, attribute: saved.append(f"{entry.id}={entry.text(attribute)}")
    variables.set(HEARTBEAT_INTERVAL, 60)
    variables.set(LOCAL_AUTH_LIST_ENTRIES, 7)
    assert saved == ["OCPPCommCtrlr.HeartbeatInterval=60"]


def test_names_ignore_case(variables: Variables) -> None:
    entry = variables.entry(HEARTBEAT_INTERVAL.id.folded)
    assert entry is not None and entry.id == HEARTBEAT_INTERVAL.id


def test_a_computed_value_is_read_when_it_is_asked_for(variables: Variables) -> None:
    values = iter((1, 2))
    variables.provide(LOCAL_AUTH_LIST_ENTRIES, lambda: next(values))
    assert [variables.get(LOCAL_AUTH_LIST_ENTRIES) for _ in range(2)] == [1, 2]


def all_declared() -> list[Any]:
    return [variable for component in COMPONENTS for variable in component.declared]


@pytest.mark.parametrize("variable", all_declared(), ids=lambda variable: str(variable.id))
def test_each_declaration_is_sound(variable: Any) -> None:
    assert variable.meaning.endswith(".") and len(variable.meaning) < 120
    assert len(variable.id.name) <= 50 and len(variable.id.instance) <= 50
    for value in (variable.initial, variable.absent or None):
        if value is not None:
            text = variable.format(value)
            assert variable.parse(text) == value
            if value is variable.initial:
                limits = variable.minimum, variable.maximum, variable.values, variable.separator
                assert fault_of(text, variable.data_type, *limits) == ""


def test_no_variable_is_declared_twice() -> None:
    places = [(component.per, variable.id.folded) for component in COMPONENTS for variable in component.declared]
    assert len(set(places)) == len(places)

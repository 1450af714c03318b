"""The second round of a session: what was published in the first one is published again, and limits stay in order."""

from __future__ import annotations

import pytest

from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.physical import number
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from tests.v2g.talk import demand, ev_status, parameters, power, precharge, talk


def test_the_targets_of_the_next_pre_charge_are_published_also_where_they_are_the_old_ones() -> None:
    it = talk("iso2", State.CHARGING)
    request = demand(iso2)
    it.ask(request)
    it.ask(power(iso2, "Renegotiate"))
    it.ask(parameters(iso2))
    it.ask(iso2.CableCheckReq(DC_EVStatus=ev_status(iso2)))
    it.change(cable_check=True, isolation="Valid")
    it.ask(iso2.CableCheckReq(DC_EVStatus=ev_status(iso2)))
    before = it.charger.names().count("dc_ev_target_voltage_current")
    same = precharge(iso2)
    same.EVTargetVoltage, same.EVTargetCurrent = request.EVTargetVoltage, request.EVTargetCurrent
    it.ask(same)
    assert it.charger.names().count("dc_ev_target_voltage_current") == before + 1


@pytest.mark.parametrize("kind", ["din", "iso2"])
def test_the_least_values_are_never_above_the_greatest_ones(kind: str) -> None:
    it = talk(kind, State.CHARGE_PARAMETERS, dc_max_current_A=0.0, dc_max_power_W=0.0, dc_max_voltage_V=150.0)
    told = it.ask(parameters(it.m)).EVSEChargeParameter
    assert number(told.EVSEMaximumCurrentLimit) == number(told.EVSEMinimumCurrentLimit) == 0.0
    assert number(told.EVSEMinimumVoltageLimit) == number(told.EVSEMaximumVoltageLimit) == 150.0

"""Power from the car by SAE J2847/2 in ISO 15118-2: the services of V2G and V2H, negative limits and currents."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.physical import number
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from tests.v2g.talk import (
    Talk,
    authorization,
    dc_parameters,
    demand,
    ev_status,
    parameters,
    power,
    precharge,
    quantity,
    selection,
    talk,
)

SERVICES = {"V2H": 28472, "V2G": 28473}


def selected(mode: str, *, services: bool = True, **facts: Any) -> Talk:
    """A session in which the service of `mode` is selected, up to the charge parameters."""
    it = talk("iso2", State.SERVICE_SELECTION, bidirectional_mode=mode, **facts)
    assert it.ask(selection(iso2, (1, SERVICES[mode]) if services else (1,))).ResponseCode == "OK"
    it.facts.session.authorized = True
    it.ask(authorization(iso2))
    return it


@pytest.mark.parametrize("mode", ["V2G", "V2H"])
def test_the_service_of_the_mode_is_offered_and_reported_when_selected(mode: str) -> None:
    it = talk("iso2", State.SERVICE_DISCOVERY, bidirectional_mode=mode)
    (service,) = it.ask(iso2.ServiceDiscoveryReq()).ServiceList.Service
    assert (service.ServiceID, service.ServiceCategory, service.FreeService) == (SERVICES[mode], "OtherCustom", True)
    assert it.ask(iso2.ServiceDetailReq(ServiceID=SERVICES[mode])).ResponseCode == "OK"
    other = SERVICES["V2H" if mode == "V2G" else "V2G"]
    assert it.ask(iso2.ServiceDetailReq(ServiceID=other)).ResponseCode == "FAILED_ServiceIDInvalid"
    assert it.ask(selection(iso2, (1, other))).ResponseCode == "FAILED_ServiceSelectionInvalid"
    assert it.ask(selection(iso2, (1, SERVICES[mode]))).ResponseCode == "OK"
    assert it.charger.names()[-1] == "sae_bidi_mode_active"


@pytest.mark.parametrize(("mode", "code"), [("V2H", "OK"), ("V2G", "FAILED_WrongChargeParameter")])
def test_negative_limits_of_the_car_belong_to_v2h(mode: str, code: str) -> None:
    it = selected(mode)
    content = dc_parameters(iso2, amperes=-40)
    content.EVMaximumPowerLimit = quantity(iso2, -16_000, "W")
    assert it.ask(parameters(iso2, content=content)).ResponseCode == code
    ((_, limits),) = it.charger.published("dc_ev_maximum_limits")
    assert (limits.dc_ev_maximum_current_limit, limits.dc_ev_maximum_power_limit) == (40.0, 16_000.0)


def charging(it: Talk) -> None:
    it.ask(parameters(iso2))
    it.ask(iso2.CableCheckReq(DC_EVStatus=ev_status(iso2)))
    it.change(cable_check=True, isolation="Valid")
    it.ask(iso2.CableCheckReq(DC_EVStatus=ev_status(iso2)))
    it.ask(precharge(iso2))
    assert it.ask(power(iso2, "Start")).ResponseCode == "OK"


@pytest.mark.parametrize("mode", ["V2G", "V2H"])
def test_the_charger_turns_the_current_round(mode: str) -> None:
    it = selected(mode)
    charging(it)
    response = it.ask(demand(iso2, volts=400, amperes=50))
    assert number(response.EVSEMaximumCurrentLimit) == 200.0
    it.change(dc_max_current_A=-30.0, dc_max_power_W=-11_000.0, present_current_A=-25.0)
    response = it.ask(demand(iso2, volts=400, amperes=-25))
    assert number(response.EVSEMaximumCurrentLimit) == -30.0
    assert number(response.EVSEMaximumPowerLimit) == -11_000.0
    assert number(response.EVSEPresentCurrent) == -25.0
    assert (response.EVSECurrentLimitAchieved, response.EVSEPowerLimitAchieved) == (False, False)
    _, target = it.charger.published("dc_ev_target_voltage_current")[-1]
    assert (target.dc_ev_target_voltage, target.dc_ev_target_current) == (400.0, 25.0)
    response = it.ask(demand(iso2, volts=400, amperes=-30))
    assert (response.EVSECurrentLimitAchieved, response.EVSEPowerLimitAchieved) == (True, True)


def test_without_the_service_a_negative_current_is_none() -> None:
    it = selected("V2G", services=False)
    charging(it)
    it.ask(demand(iso2, amperes=-25))
    _, target = it.charger.published("dc_ev_target_voltage_current")[-1]
    assert target.dc_ev_target_current == -2.0, "EVerest's lower end, which no supply follows"

"""Which energy service a car selects: a function of what is offered, the parameter sets, and the car's wishes."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.v2g.evcc import CarSettings
from chargebyte_fw.modules.v2g.evcc.iso20 import services
from chargebyte_fw.modules.v2g.evcc.iso20.selection import NoService, Selected, Undescribed, select
from chargebyte_fw.modules.v2g.evcc.iso20.services import AC, AC_BPT, AC_DER_IEC, DC, DC_BPT, MCS, MCS_BPT
from tests.v2g.evcc.station20 import parameter_set

SCHEDULED = [parameter_set(0, ControlMode=1)]
DYNAMIC = [parameter_set(1, ControlMode=2)]


def chosen(outcome: Any) -> tuple[int, int, str]:
    assert isinstance(outcome, Selected)
    return outcome.service.service_id, outcome.service.parameter_set_id, outcome.passed_over


@pytest.mark.parametrize(
    ("mode", "discharge_W", "wishes"),
    [
        ("DC_extended", 0.0, (DC,)),
        ("DC_BPT", 10e3, (DC_BPT, DC)),
        ("DC_BPT", 0.0, (DC,)),
        ("AC_BPT", 10e3, (AC_BPT, AC)),
        ("MCS_BPT", 10e3, (MCS_BPT, MCS, DC_BPT, DC)),
        ("MCS_BPT", 0.0, (MCS, DC)),
        ("AC_DER_IEC", 10e3, (AC_DER_IEC, AC_BPT, AC)),
        ("WPT", 0.0, ()),
    ],
)
def test_a_car_wishes_for_what_its_mode_and_its_power_allow(
    mode: str, discharge_W: float, wishes: tuple[int, ...]
) -> None:
    assert services.wishes(CarSettings(energy_transfer_mode=mode, max_discharge_power_W=discharge_W)) == wishes


def test_the_best_service_is_described_first_and_others_only_where_it_does_not_suit() -> None:
    wishes, settings = (DC_BPT, DC), CarSettings(control_mode="Dynamic")
    assert select((DC, DC_BPT), {}, wishes, settings) == Undescribed(DC_BPT)
    assert chosen(select((DC, DC_BPT), {DC_BPT: DYNAMIC}, wishes, settings)) == (DC_BPT, 1, "")
    assert select((DC, DC_BPT), {DC_BPT: SCHEDULED}, wishes, settings) == Undescribed(DC)
    both = {DC_BPT: SCHEDULED, DC: DYNAMIC}
    assert chosen(select((DC, DC_BPT), both, wishes, settings)) == (DC, 1, "no set of DC_BPT suits")


def test_a_service_that_is_not_offered_is_passed_over() -> None:
    assert select((DC,), {}, (DC_BPT, DC), CarSettings()) == Undescribed(DC)
    outcome = select((DC,), {DC: SCHEDULED}, (DC_BPT, DC), CarSettings())
    assert chosen(outcome) == (DC, 0, "DC_BPT is not offered")
    # What was described before it was withdrawn is no offer.
    assert chosen(select((DC,), {DC_BPT: SCHEDULED, DC: SCHEDULED}, (DC_BPT, DC), CarSettings()))[0] == DC


@pytest.mark.parametrize(
    ("offered", "described", "reason"),
    [
        ((AC, 3), {}, "the charger offers AC, 3, the car takes DC_BPT, DC"),
        ((), {}, "the charger offers nothing, the car takes DC_BPT, DC"),
        ((DC,), {DC: SCHEDULED}, "the charger has no set of DC with Dynamic control that suits"),
        ((DC,), {DC: []}, "the charger has no set of DC with Dynamic control that suits"),
    ],
)
def test_what_a_charger_lacks_is_named(offered: tuple[int, ...], described: Any, reason: str) -> None:
    assert select(offered, described, (DC_BPT, DC), CarSettings(control_mode="Dynamic")) == NoService(reason)

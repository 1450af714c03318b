"""Car and charger of ISO 15118-20: under the grid's rules (AC_DER_IEC), and with the parking status."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import grid_support, iso15118, iso15118_vas, units
from chargebyte_fw.contracts.types.grid_support import DERUnit, DirectiveType
from chargebyte_fw.modules.v2g.evcc import CarSettings
from chargebyte_fw.modules.v2g.secc.facts import Settings
from chargebyte_fw.modules.v2g.v2gtp import Receiver
from tests.v2g.pair import Pair
from tests.v2g.secc.test_iso20_der import VOLT_VAR, directive, facts
from tests.v2g.test_iso20_pair import BOTH, end, pair

PARKING = 66


def der_pair(*directives: Any, **changes: Any) -> Pair:
    values: dict[str, Any] = {
        "protocols": ("ISO15118D20",),
        "energy_transfer_mode": "AC_DER_IEC",
        "control_mode": "Dynamic",
        "max_current_A": 16.0,
        "max_power_W": None,
        "max_discharge_power_W": 11_000.0,
        "max_reactive_power_var": 4_000.0,
    }
    settings = Settings(without_tls=True, iso20=BOTH)
    return Pair(facts(*directives), CarSettings(**{**values, **changes}), settings=settings)


@pytest.mark.parametrize("control_mode", ["Scheduled", "Dynamic"])
def test_a_car_under_the_grids_rules_charges_and_gives_energy_back(control_mode: str) -> None:
    it = der_pair(VOLT_VAR, control_mode=control_mode)
    it.charge()
    assert "under the grid's rules, VoltVar" in [getattr(effect, "what", "") for _, effect in it.car_log]
    needs = dict(it.charger.published("charging_needs"))["charging_needs"]
    assert (needs.requested_energy_transfer, needs.der_charging_parameters.max_charge_reactive_power) == (
        "AC_DER_IEC",
        4_000.0,
    )
    for power_W in (6_900.0, -3_450.0):
        target = iso15118.AcTargetValues(target_active_power=units.Power(total=power_W))
        it.charger.facts.iso20.ac_target = target
        it.run(2.0)
        assert it.car_facts.charger.ac_max_current_A == pytest.approx(power_W / 690.0)
    it.wish(stop=True)
    assert end(it) == ("terminated", "") and it.charger.broken() == []


def test_the_set_points_of_the_grid_bound_the_car() -> None:
    limit = directive(DirectiveType.LimitMaxDischarge, limit_max_discharge=limit_of(50.0))
    fixed = directive(
        DirectiveType.FixedVar, fixed_var=grid_support.FixedVarParams(setpoint=20.0, unit=DERUnit.PctMaxVar)
    )
    it = der_pair(limit, fixed)
    it.charge()
    target = iso15118.AcTargetValues(target_active_power=units.Power(total=-5_520.0))
    it.charger.facts.iso20.ac_target = target
    it.run(2.0)
    assert it.car_facts.charger.max_discharge_power_W == 2_760.0, "half of what the charger takes back"
    assert it.car_facts.charger.ac_max_current_A == pytest.approx(-4.0)
    assert it.car_facts.charger.reactive_power_var == 1_000.0


def limit_of(percent: float) -> Any:
    return grid_support.LimitMaxDischargeParams(pct_max_discharge_power=percent)


def test_an_event_of_the_grid_is_an_alarm_and_its_end_ends_it() -> None:
    it = der_pair()
    it.charge()
    it.wish(grid_event=3)
    it.run(2.0)
    it.wish(grid_event=0)
    it.run(2.0)
    assert [value.alarm_ended for _, value in it.charger.published("alarm")] == [False, True]


def test_a_car_without_the_function_of_a_curve_does_not_take_the_set() -> None:
    """Field case 65: only a set that is supported as a whole."""
    it = der_pair(VOLT_VAR, der_functions=0xFFF & ~0x8)
    it.start()
    assert end(it) == ("failed", "the charger has no set of AC_DER_IEC with Dynamic control that suits")


# -- parking status


def parking_pair(which: str, mode: str = "DC_extended", kinds: tuple[int, ...] = (1, 2)) -> Pair:
    offered = {PARKING: iso15118_vas.OfferedService(service_id=PARKING)}
    it = pair(mode, parking=which, control_mode="Dynamic", charger={"offered_services": offered})

    def value(number: int) -> Any:
        return iso15118_vas.ParameterValue(int_value=number)

    it.services[PARKING] = [
        iso15118_vas.ParameterSet(
            set_id=kind,
            parameters=[
                iso15118_vas.Parameter(name="IntendedService", value=value(kind)),
                iso15118_vas.Parameter(name="ParkingStatusType", value=value(4)),
            ],
        )
        for kind in kinds
    ]
    return it


def payload_types(it: Pair, request: str) -> set[int]:
    receiver = Receiver()
    sent = [effect for _, effect in it.car_log if type(effect).__name__ == "Send" and effect.name == request]
    return {frame.payload_type for one in sent for frame in receiver.feed(one.data)}


@pytest.mark.parametrize("mode", ["DC_extended", "AC_three_phase_core"])
@pytest.mark.parametrize(("which", "ins", "outs"), [("in", 2, 0), ("out", 0, 2), ("both", 2, 2), ("", 0, 0)])
def test_a_car_checks_in_after_the_services_and_out_before_it_leaves(
    which: str, ins: int, outs: int, mode: str
) -> None:
    it = parking_pair(which, mode)
    it.charge()
    it.wish(stop=True)
    assert end(it) == ("terminated", "") and it.charger.broken() == []
    requests = it.requests
    assert (requests.count("VehicleCheckInReq"), requests.count("VehicleCheckOutReq")) == (ins, outs)
    if ins:
        at = requests.index("VehicleCheckInReq")
        assert requests[at - 1] == "ServiceSelectionReq" and "ChargeParameterDiscovery" in requests[at + 2]
        assert payload_types(it, "VehicleCheckInReq") == {0x8104}
    if outs:
        assert requests[-3:] == ["VehicleCheckOutReq", "VehicleCheckOutReq", "SessionStopReq"]
        assert payload_types(it, "VehicleCheckOutReq") == {0x8104}
        statuses = [str(one.EVSECheckOutStatus) for one in it.charger.sent() if hasattr(one, "EVSECheckOutStatus")]
        assert statuses == ["Scheduled", "Completed"]


def test_a_car_that_pauses_does_not_check_out() -> None:
    it = parking_pair("both")
    it.charge()
    it.wish(pause=True)
    assert end(it)[0] == "paused" and "VehicleCheckOutReq" not in it.requests


def test_what_the_charger_does_not_offer_is_not_selected() -> None:
    it = parking_pair("both", kinds=(1,))
    it.charge()
    it.wish(stop=True)
    assert end(it) == ("terminated", "")
    assert "VehicleCheckInReq" in it.requests and "VehicleCheckOutReq" not in it.requests

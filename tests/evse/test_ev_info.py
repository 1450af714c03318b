"""What HLC reports of the EV is in the variable `ev_info`, under the reference's names, until the session ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_manager import EVInfo
from chargebyte_fw.contracts.types.iso15118 import (
    AcEvDynamicModeValues,
    AcEvPowerLimits,
    AcEvPresentPowerValues,
    DcChargeDynamicModeValues,
    DcEvErrorCode,
    DcEvMaximumLimits,
    DcEvRemainingTime,
    DcEvStatus,
    DcEvTargetValues,
    DisplayParameters,
)
from chargebyte_fw.contracts.types.units import Power
from tests.evse.world import Assemble, Run, World

DEPARTURE, FULL, BULK = "2026-01-01T08:00:00.000Z", "2026-01-01T01:00:00.000Z", "2026-01-01T00:30:00.000Z"
ENERGY = {"target_energy_request": 20_000.0, "max_energy_request": 60_000.0, "min_energy_request": 5_000.0}
DYNAMIC = DcChargeDynamicModeValues(
    **ENERGY,
    max_charge_power=50_000.0,
    min_charge_power=0.0,
    max_charge_current=125.0,
    max_voltage=450.0,
    min_voltage=300.0,
)
LIMITS = AcEvPowerLimits(
    max_charge_power=Power(total=11_000.0),
    min_charge_power=Power(total=1_400.0),
    max_discharge_power=Power(total=7_000.0),
    min_discharge_power=Power(total=100.0),
)


def power(active_W: float, reactive_VA: float | None) -> AcEvPresentPowerValues:
    reactive = None if reactive_VA is None else Power(total=reactive_VA)
    return AcEvPresentPowerValues(present_active_power=Power(total=active_W), present_reactive_power=reactive)


BOTH: list[tuple[str, Any, dict[str, Any]]] = [
    ("evcc_id", "56:2F:33:97:B3:74", {"evcc_id": "56:2F:33:97:B3:74"}),
    ("departure_time", DEPARTURE, {"departure_time": DEPARTURE}),
    (
        "display_parameters",
        DisplayParameters(present_soc=30.0, target_soc=85.0, battery_energy_capacity=70_000.0),
        {"soc": 30.0, "battery_full_soc": 85.0, "battery_capacity": 70_000.0},
    ),
    ("display_parameters", DisplayParameters(present_soc=31.0, inlet_hot=False), {"soc": 31.0}),
]
AC: list[tuple[str, Any, dict[str, Any]]] = [
    *BOTH,
    ("ac_eamount", 12_000.0, {"remaining_energy_needed": 12_000.0}),
    ("ac_ev_max_voltage", 250.0, {"maximum_voltage_limit": 250.0}),
    ("ac_ev_max_current", 32.0, {"maximum_current_limit": 32.0}),
    ("ac_ev_min_current", 6.0, {"minimum_current_limit": 6.0}),
    (
        "ac_ev_power_limits",
        LIMITS,
        {
            "ac_max_charge_power": 11_000.0,
            "ac_min_charge_power": 1_400.0,
            "ac_max_discharge_power": 7_000.0,
            "ac_min_discharge_power": 100.0,
        },
    ),
    ("ac_ev_power_limits", AcEvPowerLimits(max_charge_power=Power(total=3_680.0)), {"ac_max_charge_power": 3_680.0}),
    (
        "ac_ev_present_powers",
        power(6_900.0, -50.0),
        {"ac_present_active_power": 6_900.0, "ac_present_reactive_power": -50},
    ),
    ("ac_ev_present_powers", power(6_900.0, None), {"ac_present_active_power": 6_900.0}),
    ("ac_ev_dynamic_control_mode", AcEvDynamicModeValues(**ENERGY), ENERGY),
]
DC: list[tuple[str, Any, dict[str, Any]]] = [
    *BOTH,
    (
        "dc_ev_target_voltage_current",
        DcEvTargetValues(dc_ev_target_voltage=400.0, dc_ev_target_current=50.0),
        {"target_voltage": 400.0, "target_current": 50.0},
    ),
    (
        "dc_ev_maximum_limits",
        DcEvMaximumLimits(
            dc_ev_maximum_voltage_limit=450.0, dc_ev_maximum_current_limit=125.0, dc_ev_maximum_power_limit=50_000.0
        ),
        {"maximum_voltage_limit": 450.0, "maximum_current_limit": 125.0, "maximum_power_limit": 50_000.0},
    ),
    ("dc_ev_maximum_limits", DcEvMaximumLimits(dc_ev_maximum_voltage_limit=450.0), {"maximum_voltage_limit": 450.0}),
    ("d20_dc_dynamic_charge_mode", DYNAMIC, ENERGY),
    (
        "dc_ev_remaining_time",
        DcEvRemainingTime(ev_remaining_time_to_full_soc=FULL, ev_remaining_time_to_full_bulk_soc=BULK),
        {"estimated_time_full": FULL, "estimated_time_bulk": BULK},
    ),
    (
        "dc_ev_status",
        DcEvStatus(dc_ev_ready=True, dc_ev_error_code=DcEvErrorCode.NO_ERROR, dc_ev_ress_soc=30.0),
        {"soc": 30.0},
    ),
    ("dc_ev_energy_capacity", 70_000.0, {"battery_capacity": 70_000.0}),
    ("dc_ev_energy_request", 12_000.0, {"remaining_energy_needed": 12_000.0}),
    ("dc_full_soc", 100.0, {"battery_full_soc": 100.0}),
    ("dc_bulk_soc", 80.0, {"battery_bulk_soc": 80.0}),
]


def known(w: World) -> dict[str, Any]:
    """Return what is known of the EV, without what the supply measures."""
    info = w.m.evse.ev_info.value
    assert info is not None
    fields = {name: getattr(info, name) for name in info.__struct_fields__}
    return {name: value for name, value in fields.items() if value is not None and not name.startswith("present_")}


@pytest.mark.parametrize("dc", [False, True])
def test_what_hlc_reports_of_the_ev_is_published_until_it_leaves(assemble: Assemble, run: Run, dc: bool) -> None:
    async def story() -> None:
        w = await World(assemble, dc=dc, hlc=True).start()
        for variable, value, fields in DC if dc else AC:
            w.bsp.cp("B")
            await w.until_state("WaitingForAuthentication")
            assert known(w) == {}, "nothing of the EV before"
            w.hlc.publish(variable, value)
            await asyncio.sleep(0.01)
            assert known(w) == fields, variable
            await w.unplug()
            await w.until_state("Idle")
            assert w.m.evse.ev_info.value == EVInfo()

    run(story())


def test_limits_that_a_message_does_not_name_stay_as_the_ev_sent_them_before(assemble: Assemble, run: Run) -> None:
    """DIN 70121 and ISO 15118-2: the limits of the EV are optional in each message of the loop."""

    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.plug_and_match()
        w.hlc.publish("dc_ev_maximum_limits", DcEvMaximumLimits(dc_ev_maximum_voltage_limit=450.0))
        w.hlc.publish("dc_ev_maximum_limits", DcEvMaximumLimits(dc_ev_maximum_current_limit=125.0))
        w.hlc.publish("dc_ev_maximum_limits", DcEvMaximumLimits(dc_ev_maximum_power_limit=50_000.0))
        await asyncio.sleep(0.01)
        limits = {"maximum_voltage_limit": 450.0, "maximum_current_limit": 125.0, "maximum_power_limit": 50_000.0}
        assert known(w) == limits
        kept = w.now.power_path.ev_maximum
        assert (kept.voltage_V, kept.current_A, kept.power_W) == (450.0, 125.0, 50_000.0)
        w.hlc.publish("dc_ev_maximum_limits", DcEvMaximumLimits(dc_ev_maximum_current_limit=100.0))
        await asyncio.sleep(0.01)
        assert known(w) == {**limits, "maximum_current_limit": 100.0}

    run(story())


def test_a_repetition_is_not_published_again(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.plug_and_match()
        seen: list[EVInfo] = []
        w.m.evse.ev_info.subscribe(seen.append, replay=False)
        for _ in range(3):
            w.parameters()
            await asyncio.sleep(0.1)
        assert len(seen) == 2, "once the limits, once the state of charge"

    run(story())

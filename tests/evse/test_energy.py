"""The leaf of the energy tree: what it asks for, and the random delay."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from chargebyte_fw.contracts.types.dc_external_derate import ExternalDerating
from chargebyte_fw.contracts.types.energy import EnergyFlowRequest
from chargebyte_fw.modules.evse.machine.dc.limits import derated, limits_from_budget, maximum_for_hlc
from chargebyte_fw.modules.evse.machine.random_delay import RandomDelay
from tests.evse.fakes import SUPPLY
from tests.evse.test_ac import charging
from tests.evse.world import Assemble, Run, World


def draw(longest: int) -> int:
    return random.Random(1).randint(0, longest)


def requests(w: World) -> list[EnergyFlowRequest]:
    seen: list[EnergyFlowRequest] = []
    w.m.energy_grid.energy_flow_request.subscribe(seen.append)
    return seen


def test_requests_once_a_second_and_at_once_where_it_matters(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = World(assemble)
        seen = requests(w)
        await w.start(settle_s=0.5)
        assert seen[0].priority_request is True
        await asyncio.sleep(10.0)
        assert 9 <= len([one for one in seen if not one.priority_request]) <= 11
        w.bsp.cp("B")
        await asyncio.sleep(0.05)
        assert (seen[-1].priority_request, seen[-1].evse_state) == (True, "WaitForAuth")

    run(story())


def test_request_of_an_ac_evse(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        request = w.m.energy_grid.energy_flow_request.value
        assert request is not None
        (entry,) = request.schedule_import
        root = entry.limits_to_root
        assert (request.uuid, request.node_type, request.evse_state) == ("evse", "Evse", "Unplugged")
        assert root.ac_max_current_A is not None and root.ac_max_current_A.value == 32.0
        assert root.ac_max_current_A.source == "evse/evse_board_support_caps"
        assert root.ac_min_current_A is not None and root.ac_min_current_A.value == 6.0
        assert root.ac_number_of_active_phases == 3
        assert entry.limits_to_leaves.ac_max_current_A is not None
        exported = request.schedule_export[0].limits_to_leaves
        assert exported.ac_max_current_A is not None and exported.ac_max_current_A.value == 0.0
        assert entry.timestamp.endswith(":00:00.000Z")
        assert request.energy_usage_root is not None and request.energy_usage_leaves is None

    run(story())


def test_request_of_a_dc_evse_in_watts(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        request = w.m.energy_grid.energy_flow_request.value
        assert request is not None
        leaves = request.schedule_import[0].limits_to_leaves
        assert leaves.total_power_W is not None and leaves.total_power_W.value == 60_000.0
        assert leaves.ac_max_current_A is None
        assert request.energy_usage_leaves is not None

    run(story())


@pytest.mark.parametrize(("zero", "wanted_A"), [(True, 0.0), (False, 32.0)])
def test_idle_asks_for_nothing_if_so_configured(assemble: Assemble, run: Run, zero: bool, wanted_A: float) -> None:
    async def story() -> None:
        w = await World(assemble, request_zero_power_in_idle=zero).start()
        request = w.m.energy_grid.energy_flow_request.value
        assert request is not None
        current = request.schedule_import[0].limits_to_leaves.ac_max_current_A
        assert current is not None and current.value == wanted_A

    run(story())


def test_limits_for_others_are_not_ours(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        from chargebyte_fw.contracts.types.energy import EnforcedLimits, LimitsRes

        w = await World(assemble).start()
        foreign = EnforcedLimits(uuid="somebody", valid_for=10, limits_root_side=LimitsRes(), schedule=[])
        await w.m.energy_grid.enforce_limits(foreign)
        assert w.now.allowed_current_A == 32.0

    run(story())


def test_watts_limit_an_ac_evse_too(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = World(assemble)
        w.limits_W = 6900.0
        await charging(w)
        assert w.pilot() == pytest.approx(10.0 / 0.6)

    run(story())


def test_random_delay_holds_a_change(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble, uk_smartcharging_random_delay_enable=True))
        w.m.runtime.random = random.Random(3)
        counts: list[Any] = []
        await w.m.random_delay.cancel()
        await asyncio.sleep(6.0)
        w.m.random_delay.countdown.subscribe(counts.append, replay=False)
        w.limits_A = 10.0
        await asyncio.sleep(2.0)
        assert w.now.allowed_current_A == 32.0
        assert counts[0].start_time is not None
        assert (counts[0].current_limit_during_delay_A, counts[0].current_limit_after_delay_A) == (32.0, 10.0)
        assert counts[-1].countdown_s < counts[0].countdown_s
        await w.m.random_delay.cancel()
        await asyncio.sleep(0.1)
        assert w.now.allowed_current_A == 10.0
        assert counts[-1].countdown_s == 0

    run(story())


def test_random_delay_of_length_zero_is_none() -> None:
    delay = RandomDelay(draw, enabled=True, longest_s=0, any_change=True)
    assert delay.limit(10.0, 0.0, active=True) == 10.0
    assert delay.limit(20.0, 1.0, active=True) == 20.0


def test_random_delay_only_from_and_to_zero() -> None:
    delay = RandomDelay(draw, enabled=True, longest_s=600, any_change=False)
    delay.limit(10.0, 0.0, active=False)
    assert delay.limit(20.0, 1.0, active=True) == 20.0
    assert delay.limit(0.0, 2.0, active=True) == 20.0
    assert delay.limit(0.0, 700.0, active=True) == 0.0


def test_dc_limits_follow_efficiency_and_voltage() -> None:
    """The grid's watts are not the EV's watts."""
    from msgspec.structs import replace

    supply = replace(SUPPLY, conversion_efficiency_export=0.9)
    limits = limits_from_budget(supply, granted_W=20_000.0, target_V=400.0, present_V=0.0, bidirectional=False)
    assert (limits.power_W, limits.current_A) == (18_000.0, 45.0)
    assert maximum_for_hlc(limits, bidirectional=False).evse_maximum_discharge_current_limit is None
    nothing = limits_from_budget(supply, granted_W=0.0, target_V=0.0, present_V=0.0, bidirectional=False)
    assert (nothing.power_W, nothing.current_A) == (0.0, 0.0)


def test_derating_derives_the_missing_partner() -> None:
    half = derated(SUPPLY, ExternalDerating(max_export_power_W=20_000.0), present_V=400.0)
    assert (half.max_export_power_W, half.max_export_current_A) == (20_000.0, 50.0)
    still = derated(SUPPLY, ExternalDerating(max_export_power_W=20_000.0), present_V=0.0)
    assert (still.max_export_power_W, still.max_export_current_A) == (20_000.0, 200.0)


def test_until_the_first_grant_it_is_named_as_missing_and_after_two_minutes_as_silent(
    assemble: Assemble, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """The energy management may start later: for 120 s this is no silence."""

    async def story() -> None:
        w = World(assemble)
        w.energy_on = False
        await w.start()
        allowance = w.charging.facts.energy.allowance
        assert allowance.why_none == "the energy management has granted nothing yet"
        await asyncio.sleep(110.0)
        assert not allowance.expired and allowance.current_A == 0.0
        await asyncio.sleep(10.0)
        assert allowance.expired and allowance.why_none == "the energy management is silent"

    run(story())


def test_the_random_delay_is_enabled_and_disabled_by_command(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        delay = w.m.machines._energy.delay
        assert not delay.enabled
        await w.m.random_delay.enable()
        assert delay.enabled
        await w.m.random_delay.disable()
        assert not delay.enabled

    run(story())


@pytest.mark.parametrize(("longest_s", "delayed_s"), [(5, 5.0), (0, 0.0), (-3, 0.0)])
def test_the_longest_random_delay_is_set_by_command(
    assemble: Assemble, run: Run, monkeypatch: pytest.MonkeyPatch, longest_s: int, delayed_s: float
) -> None:
    async def story() -> None:
        w = await charging(World(assemble, uk_smartcharging_random_delay_enable=True))
        monkeypatch.setattr(w.m.runtime.random, "randint", lambda _, longest: longest)
        await w.m.random_delay.cancel()
        await w.m.random_delay.set_duration_s(longest_s)
        assert w.m.machines._energy.delay.longest_s == max(0, longest_s)
        await asyncio.sleep(6.0)
        w.limits_A = 10.0
        await w.until(lambda: w.m.energy_grid.energy_flow_request.value is not None)
        changed_s = asyncio.get_running_loop().time()
        await w.until(lambda: w.now.allowed_current_A == 10.0, 30.0)
        taken_s = asyncio.get_running_loop().time() - changed_s
        assert delayed_s <= taken_s <= delayed_s + 2.1, "the grants come once a second"

    run(story())

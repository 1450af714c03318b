"""Standing orders of RpcApi: they hold over sessions, can be repeated, and a failing one leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_manager import Limits, SessionEventEnum
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.modules.api.rpc_methods import Methods
from tests.api.helpers import enforced, event
from tests.api.test_rpc_api import Bench

Story = Callable[[Bench, Methods], Awaitable[None]]
DONE, REFUSED = {"error": "NoError"}, {"error": "ErrorValuesNotApplied"}
FAILS = CommandError("HandlerException", "no")


@pytest.fixture
def with_methods(run: Any, runtime: Any) -> Callable[[Story], None]:
    """Run a story with the methods of an RpcApi beside one EVSE and one energy node."""

    def go(story: Story) -> None:
        async def main() -> None:
            bench = Bench(runtime)
            await bench.start()
            await story(bench, bench.assembly.modules["api"].methods)
            await bench.assembly.stop()

        run(main())

    return go


async def happens(bench: Bench, kind: SessionEventEnum) -> None:
    bench.evse.session_event.publish(event(kind))
    await asyncio.sleep(0.1)


async def allowed(methods: Methods) -> bool:
    return bool((await methods.get_status(1))["status"]["charging_allowed"])


@pytest.mark.parametrize(
    "kind",
    [
        SessionEventEnum.Enabled,
        SessionEventEnum.AuthRequired,
        SessionEventEnum.PrepareCharging,
        SessionEventEnum.ChargingStarted,
        SessionEventEnum.StoppingCharging,
        SessionEventEnum.ChargingPausedEV,
        SessionEventEnum.ChargingPausedEVSE,
        SessionEventEnum.ChargingFinished,
    ],
)
def test_denied_and_allowed_again_in_any_state_has_the_same_effect(with_methods: Any, kind: SessionEventEnum) -> None:
    async def story(bench: Bench, methods: Methods) -> None:
        await methods.set_dc_charging_power(1, 5000.0)
        await happens(bench, kind)
        for _ in range(2):
            assert await methods.set_charging_allowed(1, False) == DONE
            assert bench.sink.in_force() == (0.0, None, None)
            assert bench.evse.calls[-1] == ("pause_charging",) and not await allowed(methods)
        for _ in range(2):
            assert await methods.set_charging_allowed(1, True) == DONE
            assert bench.sink.in_force() == (None, 5000.0, None)
            assert bench.evse.calls[-1] == ("resume_charging",) and await allowed(methods)

    with_methods(story)


def test_a_denial_holds_for_the_next_session_and_against_other_interfaces(with_methods: Any) -> None:
    async def story(bench: Bench, methods: Methods) -> None:
        await happens(bench, SessionEventEnum.ChargingStarted)
        await methods.set_charging_allowed(1, False)
        for kind in (SessionEventEnum.SessionFinished, SessionEventEnum.AuthRequired):
            await happens(bench, kind)
        bench.evse.calls.clear()
        await happens(bench, SessionEventEnum.TransactionStarted)
        assert bench.evse.calls == [("pause_charging",)]
        await happens(bench, SessionEventEnum.ChargingPausedEVSE)
        assert bench.evse.calls == [("pause_charging",)]
        # Another interface resumes the session and opens the limit.
        await bench.sink.set_external_limits(bench.sink.limits[0])
        await happens(bench, SessionEventEnum.PrepareCharging)
        assert bench.evse.calls == [("pause_charging",)] * 2
        assert bench.sink.in_force() == (0.0, None, None)
        await methods.set_charging_allowed(1, True)
        await happens(bench, SessionEventEnum.PrepareCharging)
        assert bench.evse.calls[2:] == [("resume_charging",)]

    with_methods(story)


def test_limits_set_while_charging_is_denied_hold_once_it_is_allowed(with_methods: Any) -> None:
    async def story(bench: Bench, methods: Methods) -> None:
        await methods.set_charging_allowed(1, False)
        assert await methods.set_ac_charging_current(1, 11.0) == DONE
        assert await methods.set_ac_charging_phase_count(1, 1) == DONE
        assert bench.sink.in_force() == (0.0, None, None)
        await methods.set_charging_allowed(1, True)
        assert bench.sink.in_force() == (11.0, None, 1)

    with_methods(story)


def test_phases_ordered_back_while_the_switch_is_under_way_are_ordered_back(with_methods: Any) -> None:
    async def story(bench: Bench, methods: Methods) -> None:
        bench.evse.limits.publish(Limits(max_current=16.0, nr_of_phases_available=3))
        await asyncio.sleep(0.1)
        assert await methods.set_ac_charging_phase_count(1, 1) == DONE
        assert bench.sink.in_force()[2] == 1
        # The board still reports three.
        assert await methods.set_ac_charging_phase_count(1, 3) == DONE
        assert bench.sink.in_force()[2] == 3

    with_methods(story)


def test_the_last_limit_holds_and_keeps_the_phases(with_methods: Any) -> None:
    async def story(bench: Bench, methods: Methods) -> None:
        await methods.set_ac_charging_phase_count(1, 1)
        await methods.set_dc_charging_power(1, 3000.0)
        assert bench.sink.in_force() == (None, 3000.0, 1)
        bench.evse.enforced_limits.publish(enforced(6.0))
        await methods.set_ac_charging_current(1, 8.0)
        assert bench.sink.in_force() == (8.0, None, 1)

    with_methods(story)


# What fails leaves nothing behind.


@pytest.mark.parametrize("order", ["current", "phases", "power"])
def test_a_limit_that_the_node_refuses_is_forgotten(with_methods: Any, order: str) -> None:
    async def story(bench: Bench, methods: Methods) -> None:
        bench.evse.enforced_limits.publish(enforced(6.0))
        await methods.set_ac_charging_current(1, 16.0)
        bench.sink.refuses = 1
        told = {
            "current": lambda: methods.set_ac_charging_current(1, 9.0),
            "phases": lambda: methods.set_ac_charging_phase_count(1, 1),
            "power": lambda: methods.set_dc_charging_power(1, 700.0),
        }
        assert await told[order]() == REFUSED
        assert bench.sink.in_force() == (16.0, None, None)
        await methods.set_charging_allowed(1, False)
        await methods.set_charging_allowed(1, True)
        assert bench.sink.in_force() == (16.0, None, None)

    with_methods(story)


def test_a_current_that_does_not_come_into_force_is_taken_back_at_the_node(with_methods: Any) -> None:
    async def story(bench: Bench, methods: Methods) -> None:
        bench.evse.enforced_limits.publish(enforced(20.0))
        await methods.set_dc_charging_power(1, 9000.0)
        began_s = asyncio.get_running_loop().time()
        assert await methods.set_ac_charging_current(1, 6.0) == REFUSED
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(5.0, abs=0.1)
        assert bench.sink.in_force() == (None, 9000.0, None)

    with_methods(story)


def test_an_order_given_meanwhile_survives_the_failure_of_the_one_before(with_methods: Any) -> None:
    async def story(bench: Bench, methods: Methods) -> None:
        bench.evse.enforced_limits.publish(enforced(20.0))
        waiting = asyncio.ensure_future(methods.set_ac_charging_current(1, 6.0))
        await asyncio.sleep(1.0)
        assert await methods.set_ac_charging_current(1, 25.0) == DONE
        assert await methods.set_ac_charging_phase_count(1, 1) == DONE
        assert await waiting == REFUSED
        assert bench.sink.in_force() == (25.0, None, 1)

    with_methods(story)


@pytest.mark.parametrize("allow", [False, True])
@pytest.mark.parametrize("fails", ["limit", "pause"])
def test_an_allowance_that_fails_half_way_is_taken_back_as_a_whole(with_methods: Any, allow: bool, fails: str) -> None:
    async def story(bench: Bench, methods: Methods) -> None:
        await methods.set_dc_charging_power(1, 5000.0)
        await methods.set_charging_allowed(1, not allow)
        limit = bench.sink.in_force()
        bench.evse.calls.clear()
        if fails == "limit":
            bench.sink.refuses = 1
        else:
            bench.evse.answers["resume_charging" if allow else "pause_charging"] = FAILS
        assert await methods.set_charging_allowed(1, allow) == REFUSED
        assert await allowed(methods) is not allow
        assert bench.sink.in_force() == limit
        if fails == "pause":
            assert bench.evse.calls == [("resume_charging",), ("pause_charging",)][:: 1 if allow else -1]
        bench.evse.answers.clear()
        assert await methods.set_charging_allowed(1, allow) == DONE
        assert await allowed(methods) is allow

    with_methods(story)


@pytest.mark.parametrize("failure", [FAILS, "another source decides"])
@pytest.mark.parametrize("ordered_before", [False, True])
def test_an_enabling_that_does_not_win_does_not_stay_in_the_table(
    with_methods: Any, failure: Any, ordered_before: bool
) -> None:
    async def story(bench: Bench, methods: Methods) -> None:
        if ordered_before:
            assert await methods.enable_connector(1, 1, True, 7) == DONE
        bench.evse.answers["enable_disable"] = failure if failure is FAILS else True
        for _ in range(2):
            bench.evse.calls.clear()
            assert await methods.enable_connector(1, 1, False, 9000) == REFUSED
            (_, _, wanted), (_, connector_id, restored) = bench.evse.calls
            assert (wanted.enable_state.value, wanted.enable_priority) == ("Disable", 9000)
            expected = ("Enable", 7) if ordered_before else ("Unassigned", 9000)
            assert (connector_id, restored.enable_state.value, restored.enable_priority) == (1, *expected)
            assert restored.enable_source is wanted.enable_source

    with_methods(story)

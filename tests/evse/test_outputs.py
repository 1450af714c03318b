"""Commands to one module: their order, what overtakes, what is dropped and what is replaced, with their times."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_board_support import PowerOnOff
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason, StopTransactionRequest
from chargebyte_fw.contracts.types.power_supply_DC import Mode
from chargebyte_fw.kernel.effects import Call
from chargebyte_fw.modules.evse.machine import timing
from tests.evse.world import Assemble, Run, World

SLOW_S = 2.0


def slow_board(w: World, *, opening_s: float = 0.0, closing_s: float = 0.0) -> list[tuple[float, bool]]:
    """Let the board take its time for the contactors; returns when which order reached it."""
    orders: list[tuple[float, bool]] = []

    async def allow(value: PowerOnOff) -> None:
        orders.append((asyncio.get_running_loop().time(), value.allow_power_on))
        w.bsp.allow(value.allow_power_on)
        await asyncio.sleep(closing_s if value.allow_power_on else opening_s)

    setattr(w.bsp.main, "allow_power_on", allow)  # noqa: B010
    return orders


def test_opening_overtakes_a_closing_that_is_under_way(assemble: Assemble, run: Run) -> None:
    """IEC 61851-1: contactors open within 100 ms of leaving state C, whatever the board is busy with."""

    async def story() -> None:
        w = await World(assemble).start()
        await w.to_preparation()
        orders = slow_board(w, closing_s=SLOW_S)
        w.bsp.cp("C")
        await asyncio.sleep(0.5)
        assert [closed for _, closed in orders] == [True]
        left_s = asyncio.get_running_loop().time()
        w.bsp.cp("B")
        await asyncio.sleep(0.05)
        assert (left_s, False) in [(pytest.approx(at, abs=0.01), closed) for at, closed in orders]
        await asyncio.sleep(2 * SLOW_S)
        assert orders[-1][1] is False, "and again after it"
        assert orders[-1][0] == pytest.approx(orders[0][0] + SLOW_S, abs=0.01)
        assert not w.bsp.closed

    run(story())


def test_opening_drops_a_closing_that_still_waits(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        await w.to_preparation()
        orders = slow_board(w, opening_s=SLOW_S)
        for state in ("C", "B", "C", "B"):
            w.bsp.cp(state)
            await asyncio.sleep(0.1)
        await asyncio.sleep(4 * SLOW_S)
        assert orders[0][1] is True
        assert [closed for _, closed in orders[1:]] == [False] * (len(orders) - 1), "the second closing is void"
        assert not w.bsp.closed

    run(story())


def test_only_the_newest_value_waits(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        seen: list[tuple[str, Any]] = []

        def slow(name: str) -> Any:
            async def command(value: Any = None) -> None:
                seen.append((name, value))
                await asyncio.sleep(1.0)

            return command

        for name in ("update_meter_info", "stop_charging", "update_isolation_status"):
            setattr(w.hlc.main, name, slow(name))

        def call(interface: str, command: str, args: tuple[Any, ...]) -> None:
            w.m.commands.send(Call(interface, command, args, latest=command.startswith("update_")))

        call("ISO15118_charger", "update_meter_info", (0,))
        await asyncio.sleep(0.1)
        for number in range(1, 100):
            call("ISO15118_charger", "update_meter_info", (number,))
            if number in (30, 60):
                call("ISO15118_charger", "stop_charging", (number == 30,))
        call("ISO15118_charger", "update_isolation_status", ("Valid",))
        await asyncio.sleep(10.0)
        assert seen == [
            ("update_meter_info", 0),
            ("update_meter_info", 99),
            ("stop_charging", True),
            ("stop_charging", False),
            ("update_isolation_status", "Valid"),
        ]

    run(story())


def test_the_supply_is_off_after_twenty_seconds_of_stopping_also_with_a_closed_contactor(
    assemble: Assemble, run: Run
) -> None:
    """The supply goes off by the time alone: neither the EV nor the contactor's feedback is needed for it."""

    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.bsp.welded = True
        w.commands.clear()
        begin_s = asyncio.get_running_loop().time()
        await w.m.evse.stop_transaction(StopTransactionRequest(reason=StopTransactionReason.Remote))
        await asyncio.sleep(timing.STOPPING_S - 0.1)
        assert w.supply.mode is Mode.Export, "until then the EV leads the current down"
        await asyncio.sleep(0.2)
        assert w.supply.mode is Mode.Off and w.bsp.closed
        off_s = [
            at for at, who, name, args in w.commands if who == "supply" and name == "setMode" and args[0] is Mode.Off
        ]
        open_s = [at for at, who, name, args in w.commands if name == "allow_power_on" and not args[0].allow_power_on]
        assert off_s[0] == pytest.approx(begin_s + timing.STOPPING_S, abs=0.01)
        assert off_s[0] <= open_s[0] == pytest.approx(begin_s + timing.STOPPING_S, abs=0.01)
        await asyncio.sleep(5.0)
        assert w.supply.mode is Mode.Off

    run(story())

"""A module owns its tasks; a failure of one is the module's; stop reaches everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.kernel.module import Module, provides, requires_optional
from chargebyte_fw.kernel.pump import Pump
from tests.kernel.test_machine import Example, Start, State

Run = Callable[[Any], Any]


class Plain(Module):
    """Does nothing."""

    async def stop(self) -> None:
        order: Any = self.runtime.wires.find("log")
        order.append(self.id)


class Hangs(Plain):
    """Never stops."""

    async def stop(self) -> None:
        await asyncio.sleep(1e9)


class Breaks(Plain):
    """Fails while stopping."""

    async def stop(self) -> None:
        raise RuntimeError("broken")


def test_a_failing_task_fails_its_module(run: Run, assemble: Any) -> None:
    async def main() -> None:
        assembly = assemble(a=(Plain,))

        async def fail() -> None:
            raise KeyError("x")

        assembly.modules["a"].spawn(fail())
        module_id, error = await assembly.failure()
        assert module_id == "a" and isinstance(error, KeyError)

    run(main())


def test_modules_stop_in_reverse_order_and_one_that_hangs_or_fails_does_not_keep_the_others(
    run: Run, assemble: Any, runtime: Any
) -> None:
    async def main() -> None:
        stopped: list[str] = []
        runtime.wires.plug("log", stopped)
        assembly = assemble(a=(Plain,), b=(Hangs,), c=(Breaks,), d=(Plain,))
        await assembly.start()
        assembly.modules["a"].spawn(asyncio.sleep(1e9))
        await assembly.stop()
        assert stopped == ["d", "a"]
        assert len(asyncio.all_tasks()) == 1

    run(main())


def test_a_pump_gives_a_machine_its_events_and_its_wake_ups(run: Run) -> None:
    async def main() -> None:
        seen: list[Any] = []
        machine = Example()
        pump = Pump(machine, seen.append, lambda error: seen.append(error))
        pump.feed(Start())
        await asyncio.sleep(1.9)
        assert seen == ["waiting"]
        await asyncio.sleep(0.2)
        assert seen == ["waiting", "late"] and machine.state is State.DONE

    run(main())


def test_an_event_caused_by_an_effect_is_fed_after_all_effects(run: Run) -> None:
    class Chain(Machine):
        def __init__(self) -> None:
            super().__init__(State.OFF)

        @on(event=str)
        def text(self, event: str, _now: float) -> list[Any]:
            return [f"{event}1", f"{event}2"] if len(event) == 1 else []

    async def main() -> None:
        seen: list[str] = []

        def act(effect: str) -> None:
            seen.append(effect)
            if effect == "a1":
                pump.feed("b")

        pump = Pump(Chain(), act, lambda error: None)
        pump.feed("a")
        assert seen == ["a1", "a2", "b1", "b2"]

    run(main())


def test_a_failing_effect_goes_to_the_guard(run: Run) -> None:
    async def main() -> None:
        failures: list[BaseException] = []

        def act(_effect: Any) -> None:
            raise OSError("no hands")

        Pump(Example(), act, failures.append).feed(Start())
        assert [str(error) for error in failures] == ["no hands"]

    run(main())


def test_a_requirement_may_have_the_id_of_an_implementation() -> None:
    class Both(Module):
        """Provides and requires the same interface under one id, as OCPP does with data_transfer."""

        transfer = provides(Kvs)
        integrator = requires_optional(Kvs, id="transfer")

    assert Both.provisions["transfer"].interface == "kvs"
    assert Both.requirements["transfer"].attribute == "integrator"

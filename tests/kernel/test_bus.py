"""Variables are facts, commands are wishes with a deadline, faults are states."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import pytest

from chargebyte_fw.kernel import bus
from chargebyte_fw.kernel.contract import Contract, Var
from chargebyte_fw.kernel.errors import CommandError, CommandTimeout, PeerError
from chargebyte_fw.kernel.module import Module, provides, requires, requires_many, requires_optional

Run = Callable[[Any], Any]


class Valve(Contract, interface="valve", errors=("generic",)):
    position: Var[int]

    @abstractmethod
    async def turn(self, to: int) -> int: ...


class MainValve(Valve):
    module: ValveModule

    async def turn(self, to: int) -> int:
        if to == 1000:
            raise PeerError("clause 1", "too far")
        if to == 2000:
            raise ZeroDivisionError("ours")
        await asyncio.sleep(to / 10)
        self.module.turned.append(to)
        self.position.publish(to)
        return to


class ValveModule(Module):
    """Turns."""

    main = provides(MainValve)

    def __init__(self) -> None:
        super().__init__()
        self.turned: list[int] = []


class User(Module):
    """Wants turning."""

    valve = requires(Valve)
    spare = requires_optional(Valve)
    more = requires_many(Valve)


def pair(assemble: Any) -> tuple[ValveModule, User, Any]:
    assembly = assemble(v=(ValveModule,), u=(User, {}, {"valve": "v.main", "more": ["v.main", "v.main"]}))
    return assembly.modules["v"], assembly.modules["u"], assembly


def test_a_consumer_is_handed_an_object_of_the_contract_whose_commands_run_in_the_provider(
    run: Run, assemble: Any
) -> None:
    async def main() -> None:
        valve, user, _ = pair(assemble)
        assert isinstance(user.valve, Valve) and not isinstance(user.valve, MainValve)
        assert await user.valve.turn(7) == 7
        assert valve.turned == [7]
        assert user.spare is None and len(user.more) == 2

    run(main())


def test_the_last_value_is_kept_and_a_late_subscriber_gets_it_at_once(run: Run, assemble: Any) -> None:
    async def main() -> None:
        valve, user, _ = pair(assemble)
        valve.main.position.publish(1)
        valve.main.position.publish(2)
        heard: list[int] = []
        stop = user.valve.position.subscribe(heard.append)
        await asyncio.sleep(0)
        assert heard == [2] and user.valve.position.value == 2
        valve.main.position.publish(3)
        await asyncio.sleep(0)
        stop()
        valve.main.position.publish(4)
        await asyncio.sleep(0)
        assert heard == [2, 3]

    run(main())


def test_a_callback_never_runs_inside_publish(run: Run, assemble: Any) -> None:
    async def main() -> None:
        valve, user, _ = pair(assemble)
        heard: list[int] = []
        user.valve.position.subscribe(heard.append)
        valve.main.position.publish(1)
        assert heard == []

    run(main())


def test_a_consumer_cannot_publish_a_providers_fact(run: Run, assemble: Any) -> None:
    async def main() -> None:
        _, user, _ = pair(assemble)
        with pytest.raises(TypeError, match="belongs to its provider"):
            user.valve.position.publish(1)

    run(main())


def test_a_callers_cancellation_does_not_stop_what_the_handler_began(run: Run, assemble: Any) -> None:
    async def main() -> None:
        valve, user, _ = pair(assemble)
        call = asyncio.create_task(user.valve.turn(10))
        await asyncio.sleep(0.1)
        call.cancel()
        await asyncio.sleep(2)
        assert valve.turned == [10]

    run(main())


def test_a_command_that_misses_its_deadline_fails_at_the_caller(run: Run, assemble: Any) -> None:
    async def main() -> None:
        _, user, _ = pair(assemble)
        with pytest.raises(CommandTimeout, match=r"v\.main\.turn: no answer in 30 s"):
            await user.valve.turn(500)

    run(main())


def test_a_peers_fault_fails_the_command_and_not_the_module(run: Run, assemble: Any) -> None:
    async def main() -> None:
        valve, user, _ = pair(assemble)
        with pytest.raises(CommandError, match="too far"):
            await user.valve.turn(1000)
        assert valve.failed is not None and not valve.failed.done()

    run(main())


def test_a_fault_of_ours_in_a_handler_brings_down_the_provider_and_not_the_caller(run: Run, assemble: Any) -> None:
    async def main() -> None:
        _, user, assembly = pair(assemble)
        with pytest.raises(CommandError, match="ZeroDivisionError"):
            await user.valve.turn(2000)
        module_id, error = await assembly.failure()
        assert module_id == "v" and isinstance(error, ZeroDivisionError)

    run(main())


def test_a_failing_callback_is_the_subscribers_failure(run: Run, assemble: Any) -> None:
    async def main() -> None:
        valve, user, assembly = pair(assemble)

        def divide(value: int) -> None:
            assert 1 // value

        user.valve.position.subscribe(divide)
        valve.main.position.publish(0)
        module_id, error = await assembly.failure()
        assert module_id == "u" and isinstance(error, ZeroDivisionError)

    run(main())


def test_waiting_for_a_fact_counts_the_one_that_is_already_there(run: Run, assemble: Any) -> None:
    async def main() -> None:
        valve, user, _ = pair(assemble)
        valve.main.position.publish(5)
        assert await user.valve.position.wait_for(lambda value: value > 4) == 5

    run(main())


def test_a_fault_is_raised_once_told_to_late_listeners_and_cleared_once(run: Run, assemble: Any) -> None:
    async def main() -> None:
        valve, user, _ = pair(assemble)
        told: list[tuple[str, str]] = []
        first = valve.main.faults.raise_fault("generic/VendorError", "stuck", sub_type="gear")
        assert valve.main.faults.raise_fault("generic/VendorError", "stuck", sub_type="gear") is None
        user.valve.faults.subscribe(
            lambda fault: told.append(("raised", fault.uuid)),
            lambda fault: told.append((fault.state.value, fault.uuid)),
        )
        assert user.valve.faults.is_active("generic/VendorError")
        valve.main.faults.clear("generic/VendorError")
        assert user.valve.faults.is_active("generic/VendorError", "gear")
        valve.main.faults.clear("generic/VendorError", "gear")
        assert first is not None and told == [("raised", first.uuid), ("ClearedByModule", first.uuid)]
        assert first.origin.module_id == "v" and first.origin.implementation_id == "main"

    run(main())


def test_an_error_that_the_interface_does_not_declare_cannot_be_raised(run: Run, assemble: Any) -> None:
    async def main() -> None:
        valve, _, _ = pair(assemble)
        with pytest.raises(ValueError, match="evse_manager/Internal is not an error of this interface"):
            valve.main.faults.raise_fault("evse_manager/Internal", "no")

    run(main())


def test_a_provider_that_lacks_a_command_cannot_be_built() -> None:
    class Lazy(Valve):
        pass

    with pytest.raises(TypeError, match="turn"):
        Lazy()  # type: ignore[abstract]


def test_the_commands_and_variables_of_a_contract_are_what_its_class_declares() -> None:
    assert (Valve.interface, Valve.commands, Valve.variables) == ("valve", ("turn",), ("position",))
    assert MainValve.declaration() is Valve
    face = bus._consumer_class(Valve)
    assert face.declaration() is Valve

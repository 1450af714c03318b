"""Commands keep their order, the latest replaces what waits, an urgent one overtakes; failures are logged once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from chargebyte_fw.kernel.command_queue import CommandQueue
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.module import Module, provides

Run = Callable[[Any], Any]
ANSWER_S = 1.0


class Supply(Contract, interface="supply"):
    """A provider with commands."""

    async def set_mode(self, mode: str) -> None:
        """Switch."""

    async def set_limits(self, limit_A: int) -> None:
        """Limit."""


class SlowSupply(Supply):
    """Takes a second for each command, and notes when it begins."""

    module: SupplyModule

    async def set_mode(self, mode: str) -> None:
        await self._run(mode)

    async def set_limits(self, limit_A: int) -> None:
        await self._run(f"{limit_A} A")

    async def _run(self, what: str) -> None:
        self.module.begun.append((asyncio.get_running_loop().time() - self.module.since_s, what))
        await asyncio.sleep(ANSWER_S)
        if self.module.broken:
            raise CommandError("HandlerException", "no supply")


class SupplyModule(Module):
    """The module of the provider and of the queue."""

    main = provides(SlowSupply)
    broken = False

    async def init(self) -> None:
        self.begun: list[tuple[float, str]] = []
        self.since_s = asyncio.get_running_loop().time()


@pytest.fixture
def supply(run: Run, assemble: Any) -> Callable[[Any], None]:
    def play(story: Any) -> None:
        async def main() -> None:
            assembly = assemble(supply=(SupplyModule,))
            await assembly.start()
            module = assembly.modules["supply"]
            await story(module, CommandQueue("supply", module.main, module))
            await assembly.stop()

        run(main())

    return play


def test_each_command_waits_for_the_answer_to_the_one_before(supply: Any) -> None:
    async def story(module: SupplyModule, queue: CommandQueue) -> None:
        for mode in ("on", "off", "on"):
            queue.send("set_mode", (mode,))
        await asyncio.sleep(5)
        assert module.begun == [(0.0, "on"), (1.0, "off"), (2.0, "on")]

    supply(story)


def test_the_latest_takes_the_place_of_a_waiting_one_of_the_same_name(supply: Any) -> None:
    async def story(module: SupplyModule, queue: CommandQueue) -> None:
        for limit_A in range(10):
            queue.send("set_limits", (limit_A,), latest=True)
            await asyncio.sleep(0)
        queue.send("set_mode", ("on",))
        queue.send("set_limits", (10,), latest=True)
        await asyncio.sleep(5)
        assert [what for _, what in module.begun] == ["0 A", "10 A", "on"]

    supply(story)


def test_an_urgent_command_drops_what_waits_and_is_sent_at_once_and_again(supply: Any) -> None:
    async def story(module: SupplyModule, queue: CommandQueue) -> None:
        queue.send("set_mode", ("on",))
        queue.send("set_limits", (16,))
        await asyncio.sleep(0.5)
        queue.send("set_mode", ("off",), urgent=True)
        await asyncio.sleep(5)
        assert module.begun == [(0.0, "on"), (0.5, "off"), (1.0, "off")]

    supply(story)


def test_an_urgent_command_to_an_idle_provider_is_sent_once(supply: Any) -> None:
    async def story(module: SupplyModule, queue: CommandQueue) -> None:
        queue.send("set_mode", ("off",), urgent=True)
        await asyncio.sleep(5)
        assert module.begun == [(0.0, "off")]

    supply(story)


def test_a_closed_queue_sends_nothing_more(supply: Any) -> None:
    async def story(module: SupplyModule, queue: CommandQueue) -> None:
        queue.send("set_mode", ("on",))
        queue.send("set_mode", ("off",))
        await asyncio.sleep(0.5)
        queue.close()
        queue.send("set_mode", ("on",), urgent=True)
        await asyncio.sleep(5)
        assert module.begun == [(0.0, "on")]

    supply(story)


def test_a_failure_is_logged_once_and_its_end_too(supply: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "secc")

    async def story(module: SupplyModule, queue: CommandQueue) -> None:
        module.broken = True
        for _ in range(3):
            queue.send("set_mode", ("on",))
        await asyncio.sleep(2.5)
        module.broken = False
        queue.send("set_mode", ("off",))
        await asyncio.sleep(5)

    supply(story)
    lines = [record.getMessage() for record in caplog.records if "carr" in record.getMessage()]
    assert lines == [
        "supply did not carry out set_mode: HandlerException: no supply",
        "supply carries out set_mode again",
    ]


def test_a_report_takes_the_place_of_the_log(supply: Any, caplog: pytest.LogCaptureFixture) -> None:
    reports: list[tuple[str, str]] = []

    async def story(module: SupplyModule, _: CommandQueue) -> None:
        def report(command: str, error: CommandError | None) -> None:
            reports.append((command, "" if error is None else error.message))

        queue = CommandQueue("supply", module.main, module, report)
        module.broken = True
        queue.send("set_mode", ("on",))
        await asyncio.sleep(1.5)
        module.broken = False
        queue.send("set_limits", (1,))
        await asyncio.sleep(1.5)

    supply(story)
    assert reports == [("set_mode", "no supply"), ("set_limits", "")]
    assert "set_mode" not in caplog.text

"""The controller on the bench: opens UART and lines (or the virtual board), stops the stack if that was asked for."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from chargebyte_fw.cli.mcu_options import wiring_of

if TYPE_CHECKING:
    from chargebyte_fw.board.flash.programmer import Programmer
    from chargebyte_fw.board.flash.record import FlashRecord
    from chargebyte_fw.kernel.paths import Root
    from chargebyte_fw.kernel.runtime import Runtime

T = TypeVar("T")
RETRY_S = 0.2


def note(text: str) -> None:
    """Print a line for people beside the result."""
    print(f"secc mcu: {text}", file=sys.stderr)


def run(job: Callable[[Programmer, FlashRecord], Awaitable[T]], arguments: argparse.Namespace) -> T:
    """Carry out `job` with the controller that was named; SIGTERM and a hang-up end it as Ctrl-C does: in order."""
    from chargebyte_fw.kernel import clock

    ended_by = 0

    async def main() -> T:
        from chargebyte_fw.board.flash.record import FlashRecord

        task = asyncio.current_task()
        assert task is not None

        def end(number: int) -> None:
            nonlocal ended_by
            ended_by = number
            task.cancel()

        for number in (signal.SIGTERM, signal.SIGHUP):
            # One that is ignored (nohup) stays so; signals come to the main thread only.
            ignored = signal.getsignal(number) is signal.SIG_IGN
            if not ignored and threading.current_thread() is threading.main_thread():
                asyncio.get_running_loop().add_signal_handler(number, end, number)
        runtime = runtime_of(arguments)
        async with opened(runtime, arguments) as programmer:
            return await job(programmer, FlashRecord(runtime.root, arguments.uart))

    speed = (arguments.sim_speed or None) if arguments.sim is not None else 1.0
    try:
        return clock.run(main(), speed=speed)
    except asyncio.CancelledError:
        raise SystemExit(128 + ended_by) from None


def runtime_root(arguments: argparse.Namespace) -> Root:
    """Return where the charger's files are; with a virtual board they are in its folder."""
    from chargebyte_fw.kernel.paths import Root, root_at

    return root_at(arguments.root, hardware=True) if arguments.sim is None else Root(arguments.sim, arguments.sim)


def runtime_of(arguments: argparse.Namespace) -> Runtime:
    """Return the surroundings: the charger's, or those of the virtual board."""
    from chargebyte_fw.kernel.runtime import Runtime

    if arguments.sim is None:
        return Runtime(root=runtime_root(arguments))
    from chargebyte_fw.sim import board

    arguments.sim.mkdir(parents=True, exist_ok=True)
    runtime = Runtime(root=runtime_root(arguments))
    board.on_wires(
        runtime.wires,
        board.chip_in(arguments.sim / board.CHIP_FOLDER),
        board.power_cut(arguments.sim_power_cut) if arguments.sim_power_cut is not None else None,
        uart=arguments.uart,
        reset=arguments.reset_gpio,
        mode=arguments.md_gpio,
    )
    return runtime


@asynccontextmanager
async def opened(runtime: Runtime, arguments: argparse.Namespace) -> AsyncIterator[Programmer]:
    """Own the controller; a stack that was stopped for it is started again at the end."""
    from chargebyte_fw.board.flash import port_holders
    from chargebyte_fw.board.flash.programmer import Programmer
    from chargebyte_fw.cli.mcu_view import Bar
    from chargebyte_fw.kernel.log import ModuleLog, set_up

    if arguments.verbose:
        set_up("DEBUG")
    units: list[str] = []
    log = ModuleLog("mcu")
    with Bar() as bar:
        programmer = Programmer(runtime, wiring_of(arguments), log, bar)
        try:
            try:
                await programmer.__aenter__()
            except port_holders.Busy as busy:
                if not arguments.stop_stack or not busy.holders:
                    raise
                _stop(busy.holders, units)
                await _open_patiently(programmer)
            async with _closing(programmer):
                yield programmer
        finally:
            for unit in units:
                note(f"{unit} is started again")
                port_holders.start(unit)


@asynccontextmanager
async def _closing(programmer: Programmer) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await programmer.__aexit__(None, None, None)


def _stop(holders: list[Any], units: list[str]) -> None:
    """Stop each holder; `units` gets what is to be started again, also if a later one cannot be stopped."""
    from chargebyte_fw.board.flash import port_holders

    for holder in holders:
        try:
            unit = port_holders.stop(holder)
        except ProcessLookupError:
            note(f"{holder} has ended by itself meanwhile")
            continue
        note(f"{holder} is asked to stop")
        if unit:
            units.append(unit)
        else:
            note(f"process {holder.pid} belongs to no unit: start it again yourself afterwards")


async def _open_patiently(programmer: Programmer) -> None:
    """Open when the holder has let go of UART and lines: it leads the board to its safe state first."""
    from chargebyte_fw.board.flash import port_holders
    from chargebyte_fw.kernel.errors import Unavailable

    loop = asyncio.get_running_loop()
    until = loop.time() + port_holders.STACK_STOP_S
    while True:
        try:
            await programmer.__aenter__()
            return
        except Unavailable:
            if loop.time() > until:
                raise
            await asyncio.sleep(RETRY_S)

"""`secc mcu monitor`: a terminal for the service console; keys may also come from a pipe."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli import mcu_bench
from chargebyte_fw.cli.table import Block, Size, fit, is_plain, size

if TYPE_CHECKING:
    from chargebyte_fw.board.flash.programmer import Programmer
    from chargebyte_fw.board.flash.record import FlashRecord
    from chargebyte_fw.board.flash.screen import Screen

DRAW_S = 0.1
"""The screen is drawn again this long after something changed."""
PIPE_PAUSE_S = 0.25
"""Between two keys that come from a pipe, so that each one's effect can be seen."""


def run(arguments: argparse.Namespace) -> int:
    """Show and control until `q`; afterwards the controller is reset, unless that was not wanted."""

    async def work(programmer: Programmer, _: FlashRecord) -> int:
        return await _Terminal(programmer, arguments).run()

    return mcu_bench.run(work, arguments)


class _Terminal:
    def __init__(self, programmer: Programmer, arguments: argparse.Namespace) -> None:
        from chargebyte_fw.board.can_mirror import CanMirror
        from chargebyte_fw.kernel.log import ModuleLog

        self._programmer = programmer
        self._arguments = arguments
        self._over = asyncio.Event()
        self._failure: BaseException | None = None
        self._pump: Any = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._screen: Screen | None = None
        self._drawing: asyncio.TimerHandle | None = None
        self._mirror = CanMirror(arguments.can_mirror, ModuleLog("mcu")) if arguments.can_mirror else None

    async def run(self) -> int:
        from chargebyte_fw.board.flash.monitor import KEYS, KEYS_MCS, Begin, Monitor
        from chargebyte_fw.board.flash.screen import Screen
        from chargebyte_fw.board.link.messages.generations import generation_of
        from chargebyte_fw.kernel.pump import Pump

        if not self._arguments.no_reset:
            await self._programmer.application()
        running = await self._programmer.running()
        if running is None:
            mcu_bench.note("the controller does not answer")
            return 1
        generation = generation_of(running.firmware)
        if self._wants_screen:
            self._screen = Screen(running, generation, KEYS_MCS if generation.is_mcs else KEYS)
        else:
            self._print(running.text)
        if self._mirror is not None:
            self._mirror.open()
        automatic = not self._arguments.no_charge_control
        machine = Monitor(generation, automatic=automatic, wait=self._arguments.sync, every=self._arguments.verbose)
        self._pump = Pump(machine, self._act, self._broken)
        self._listen()
        with _keys(self._key):
            self._pump.feed(Begin())
            await self._over.wait()
        self._pump.close()
        if self._drawing is not None:
            self._drawing.cancel()
        for task in self._tasks:
            task.cancel()
        if self._mirror is not None:
            self._mirror.close()
        if self._failure is not None:
            raise self._failure
        if not self._arguments.no_reset:
            await self._programmer.application()
        return 0

    @property
    def _wants_screen(self) -> bool:
        as_lines = self._arguments.verbose or self._arguments.no_dump
        return sys.stdin.isatty() and not is_plain() and not as_lines

    def _listen(self) -> None:
        from chargebyte_fw.board.flash.monitor import FrameReceived
        from chargebyte_fw.board.link.messages.framing import Receiver
        from chargebyte_fw.kernel.clock import utc_now

        receiver = Receiver()

        def received(data: bytes) -> None:
            for frame in receiver.feed(data):
                if self._mirror is not None:
                    self._mirror.send(frame)
                if self._screen is not None:
                    self._screen.take(frame, f"{utc_now().astimezone():%H:%M:%S.%f}"[:-3])
                    self._draw_soon()
                self._pump.feed(FrameReceived(frame))

        self._programmer.port.receive, self._programmer.port.broken = received, self._broken

    def _broken(self, error: BaseException) -> None:
        self._failure = error
        self._over.set()

    def _key(self, key: str) -> None:
        from chargebyte_fw.board.flash.monitor import Key

        self._pump.feed(Key(key))

    def _act(self, effect: Any) -> None:
        from chargebyte_fw.board.flash import monitor
        from chargebyte_fw.board.link.messages.framing import Frame

        match effect:
            case monitor.Send(message):
                self._programmer.port.send(effect.data)
                if self._mirror is not None:
                    self._mirror.send(Frame(message.com_id, message.payload()))
            case monitor.Show(text) if self._screen is not None:
                if text not in (monitor.KEYS, monitor.KEYS_MCS):
                    self._screen.note(text)
                self._draw_soon()
            case monitor.Show(text):
                if self._arguments.verbose or not self._arguments.no_dump or text.startswith("->"):
                    self._print(text)
            case monitor.Reset():
                task = asyncio.get_running_loop().create_task(self._reset())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case monitor.Quit():
                self._over.set()

    async def _reset(self) -> None:
        from chargebyte_fw.board.flash.monitor import Begin

        await self._programmer.application()
        self._listen()
        self._pump.feed(Begin())

    def _draw_soon(self) -> None:
        if self._drawing is None:
            self._drawing = asyncio.get_running_loop().call_later(DRAW_S, self._draw)

    def _draw(self) -> None:
        from chargebyte_fw.board.flash.screen import CLEAR

        self._drawing = None
        assert self._screen is not None
        machine = self._pump.machine
        parts = self._screen.blocks(machine.control, automatic=machine.automatic)
        blocks = [Block(rank, lines) for rank, lines in parts if lines]
        # The cursor stands in the last line.
        columns, lines = size()
        self._print(CLEAR + fit(blocks, Size(columns, lines - 1)))

    def _print(self, text: str) -> None:
        print(text, flush=True)


@contextlib.contextmanager
def _keys(press: Any) -> Iterator[None]:
    """Call `press(key)` for each key of the terminal, or of what standard input is."""
    if not sys.stdin.isatty():
        task = asyncio.get_running_loop().create_task(_from_pipe(sys.stdin.fileno(), press))
        try:
            yield
        finally:
            task.cancel()
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    loop = asyncio.get_running_loop()

    def typed() -> None:
        for key in os.read(terminal, 64).decode(errors="replace"):
            press(key)

    loop.add_reader(terminal, typed)
    try:
        yield
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


async def _from_pipe(pipe: int, press: Any) -> None:
    """Press each key that comes from a pipe or a file, and `q` at its end."""
    loop, typed = asyncio.get_running_loop(), asyncio.Queue[str]()

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended before the pipe did
            while data := os.read(pipe, 64):
                loop.call_soon_threadsafe(typed.put_nowait, data.decode(errors="replace"))
            loop.call_soon_threadsafe(typed.put_nowait, "q")

    # A daemon thread, which is not joined: a file cannot be polled, and a pipe may stay open after the end.
    threading.Thread(target=read, daemon=True, name="keys").start()
    while True:
        for key in await typed.get():
            if key != "\n":
                await asyncio.sleep(PIPE_PAUSE_S)
                press(key)

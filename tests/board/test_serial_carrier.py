"""The serial port's thread by itself: what is sent is sent at once, whatever the thread waits for."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import tty
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.board import timing
from chargebyte_fw.board.link.carriers import CarrierListener
from chargebyte_fw.board.link.cycle import SAFE_FRAME, ZERO_FRAME
from chargebyte_fw.board.link.messages.charge_som import ChargeControl, ChargeState, GitHash, Inquiry
from chargebyte_fw.board.link.messages.framing import FRAME_BYTES, Frame, encode_message
from chargebyte_fw.board.link.serial_carrier import SWITCH_INTERVAL_S, SerialCarrier
from chargebyte_fw.kernel import clock

QUESTION = encode_message(Inquiry(GitHash.com_id))
IMAGE = ChargeControl(pwm_active=True, duty_percent=5.0)
LONG_CYCLE_S = 60.0
"""No frame of the cycle but the first is due in a test."""
PIPE_BYTES = 65536
"""Wake-ups that a pipe of Linux holds (pipe(7))."""


class Line:
    """A carrier on a pseudo-terminal whose far end is the test."""

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.sent = b""
        self.received = b""
        self.frames: list[Frame] = []
        self.failures: list[str] = []
        self.epochs: list[int] = []
        self.held = threading.Event()
        self.held.set()
        """Cleared: the carrier's thread stops at the next bytes that it sends."""
        listener = CarrierListener(self.frames.extend, self.failures.append, self.epochs.append, self._tap)
        path = Path(os.ttyname(self._slave))
        self.carrier = SerialCarrier(lambda: path, listener)
        asyncio.get_running_loop().add_reader(self.master, self._readable)

    def _tap(self, ours: bool, data: bytes) -> None:
        if ours:
            self.held.wait(20.0)
        else:
            self.received += data

    def _readable(self) -> None:
        self.sent += os.read(self.master, 4096)

    async def until(self, condition: Callable[[], object], limit_s: float = 5.0) -> None:
        async with asyncio.timeout(limit_s):
            while not condition():
                await asyncio.sleep(0.01)

    async def idle(self) -> None:
        """Open the port and let its thread wait for whatever comes next."""
        self.carrier.open()
        self.carrier.send(QUESTION)
        await self.until(lambda: self.sent == QUESTION)
        await asyncio.sleep(0.1)
        self.sent = b""

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.master)
        os.close(self.master)
        os.close(self._slave)


def on_a_line(story: Callable[[Line], Awaitable[None]]) -> None:
    async def main() -> None:
        line = Line()
        try:
            await story(line)
        finally:
            line.held.set()
            line.carrier.close()
            await line.carrier.closed()
            line.close()
        assert line.failures == []

    clock.run(main(), speed=1.0)


def test_a_frame_goes_out_at_once_also_before_the_cycle_has_begun() -> None:
    async def story(line: Line) -> None:
        line.carrier.open()
        line.carrier.send(QUESTION)
        await line.until(lambda: line.sent == QUESTION)

    on_a_line(story)


def test_the_cycle_begins_at_once_with_the_image_at_zero(monkeypatch: Any) -> None:
    monkeypatch.setattr(timing, "CYCLE_S", LONG_CYCLE_S)

    async def story(line: Line) -> None:
        await line.idle()
        line.carrier.begin()
        await line.until(lambda: line.sent == ZERO_FRAME)

    on_a_line(story)


def test_a_new_image_goes_out_at_once_and_not_with_the_next_cycle(monkeypatch: Any) -> None:
    monkeypatch.setattr(timing, "CYCLE_S", LONG_CYCLE_S)

    async def story(line: Line) -> None:
        await line.idle()
        epoch = line.carrier.begin()
        await line.until(lambda: line.sent == ZERO_FRAME)
        await asyncio.sleep(0.1)
        frame = line.carrier.set_image(IMAGE, epoch)
        assert frame == encode_message(IMAGE)
        await line.until(lambda: line.sent == ZERO_FRAME + frame)

    on_a_line(story)


def test_after_the_end_nothing_is_sent_and_the_next_begin_starts_with_the_image_at_zero() -> None:
    async def story(line: Line) -> None:
        await line.idle()
        line.carrier.set_image(IMAGE, line.carrier.begin())
        await line.until(lambda: line.sent.endswith(encode_message(IMAGE) * 2))
        line.carrier.end()
        await asyncio.sleep(0.1)
        line.sent = b""
        await asyncio.sleep(5 * timing.CYCLE_S)
        assert line.sent == b""
        line.carrier.begin()
        await line.until(lambda: len(line.sent) >= 2 * FRAME_BYTES)
        assert line.sent[: 2 * FRAME_BYTES] == ZERO_FRAME * 2

    on_a_line(story)


def test_a_loop_that_runs_is_alive_without_another_call() -> None:
    async def story(line: Line) -> None:
        await line.idle()
        line.carrier.set_image(IMAGE, line.carrier.begin())
        await asyncio.sleep(2 * timing.DEAD_MAN_S)
        assert SAFE_FRAME not in line.sent
        assert line.epochs == []

    on_a_line(story)


def test_what_came_in_before_a_reset_is_no_part_of_a_frame_after_it() -> None:
    old, new = encode_message(ChargeState()), encode_message(ChargeState(pwm_active=True))

    async def story(line: Line) -> None:
        await line.idle()
        os.write(line.master, old[:7])
        await line.until(lambda: line.received == old[:7])
        line.carrier.discard()
        os.write(line.master, old[7:] + new)
        await line.until(lambda: line.frames)
        assert line.frames == [Frame(ChargeState.com_id, new[2:10])]
        os.write(line.master, old[:7])
        await line.until(lambda: line.received.endswith(new + old[:7]))
        os.write(line.master, old[7:])
        await line.until(lambda: len(line.frames) == 2)
        assert line.frames[1] == Frame(ChargeState.com_id, old[2:10]), "a discard counts once"

    on_a_line(story)


def test_a_thread_that_is_held_up_does_not_hold_up_those_who_send() -> None:
    """A pipe that is full of wake-ups wakes as well."""

    async def story(line: Line) -> None:
        await line.idle()
        line.held.clear()
        line.carrier.send(QUESTION)
        await line.until(lambda: line.sent == QUESTION)
        sender = threading.Thread(
            target=lambda: [line.carrier.send(QUESTION) for _ in range(PIPE_BYTES + 1)], daemon=True
        )
        sender.start()
        sender.join(10.0)
        assert not sender.is_alive()

    on_a_line(story)


def test_the_interpreter_changes_threads_quickly_only_while_the_port_is_open() -> None:
    async def story(line: Line) -> None:
        usual_s = sys.getswitchinterval()
        assert usual_s > SWITCH_INTERVAL_S
        line.carrier.open()
        assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S)
        line.carrier.close()
        await line.carrier.closed()
        assert sys.getswitchinterval() == usual_s

    on_a_line(story)

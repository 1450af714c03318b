"""Instruments that speak SCPI over TCP; a rig file has the instrument's question for `duty_percent`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.kernel.errors import PeerError, Unavailable
from chargebyte_fw.kernel.module import ModuleConfig
from hil.drivers import Driver, Resource, Stage
from hil.drivers.scpi_dialogue import DONE, Dialogue, number

ANSWER_S = 2.0
OUT_OF_RANGE_S = 1.0
"""How long a measurement may be out of range: the instrument changes its range, a line stops swinging."""

_log = logging.getLogger("secc.hil")


class OutOfRange(Unavailable):
    """The instrument answered that it has no measurement: overflow, or no number."""


class Scpi(Resource):
    """One instrument; one question at a time."""

    class Options(ModuleConfig):
        """Where it is and how it is asked."""

        host: Annotated[str, Meta(description="Its address.")]
        port: Annotated[int, Meta(ge=1, le=65535, description="Its TCP port.")] = 5025
        setup: Annotated[list[str], Meta(description="Said once before the first question.")] = []
        questions: Annotated[dict[str, str], Meta(description="By the name of what is measured.")] = {}

    _writer: asyncio.StreamWriter | None = None
    _reading: asyncio.Task[None] | None = None

    async def activate(self, stage: Stage) -> None:
        """Connect and set it up; raises Unavailable."""
        self._turn = asyncio.Lock()
        self._synchronised = True
        self._out_since: float | None = None
        await self._connect()
        if await self._exchange(self._dialogue.synchronise(clear=False)) is None:
            _log.warning(
                "%s does not answer %s: late answers are told from others by a new connection", self.name, DONE
            )
            self._synchronised = False
            await self._connect()
        for line in self.options.setup:
            self._send([line])
        await super().activate(stage)

    async def deactivate(self) -> None:
        """Disconnect."""
        self._disconnect()
        await super().deactivate()

    def knows(self, name: str) -> bool:
        """Return whether the rig file has a question for it."""
        return name in self.options.questions

    async def ask(self, name: str) -> float:
        """Return a measurement; raises Unavailable (OutOfRange when there is none), PeerError for what is no number."""
        question = self.options.questions.get(name)
        if question is None:
            raise Unavailable(f"{self.name} has no question for {name} in the rig file")
        async with self._turn:
            await self._in_step()
            line = await self._exchange(self._dialogue.ask(question))
        if line is None:
            gone = self._writer is None
            raise Unavailable(f"{self.name} {'closes the connection on' if gone else 'does not answer'} {question}")
        try:
            value = number(line)
        except ValueError:
            raise PeerError("SCPI-99, numeric response", f"{self.name} answered {line!r} to {question}") from None
        if value is None:
            raise OutOfRange(f"{self.name} has no measurement for {question}: it answered {line}")
        return value

    async def measure(self, *names: str) -> tuple[float, ...] | None:
        """Ask for several; None while one of them is out of range. Raises what `ask` does, OutOfRange when it lasts."""
        try:
            values = tuple([await self.ask(name) for name in names])
        except OutOfRange:
            now = asyncio.get_running_loop().time()
            self._out_since = now if self._out_since is None else self._out_since
            if now - self._out_since >= OUT_OF_RANGE_S:
                raise
            return None
        self._out_since = None
        return values

    async def _in_step(self) -> None:
        """Bring questions and answers together again; raises Unavailable."""
        if (
            self._writer is not None
            and self._dialogue.out_of_step
            and (not self._synchronised or await self._exchange(self._dialogue.synchronise()) is None)
        ):
            self._disconnect()
        if self._writer is None:
            await self._connect()

    async def _connect(self) -> None:
        self._disconnect()
        options = self.options
        try:
            async with asyncio.timeout(ANSWER_S):
                reader, self._writer = await asyncio.open_connection(options.host, options.port)
        except (OSError, TimeoutError) as error:
            raise Unavailable(f"{self.name} at {options.host}:{options.port}: {error or 'no answer'}") from error
        self._warned = False
        self._dialogue = Dialogue(synchronised=self._synchronised)
        self._answer: asyncio.Future[str | None] | None = None
        self._reading = asyncio.get_running_loop().create_task(self._read(reader, self._writer))

    def _disconnect(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError):  # gone, or a line of more than 64 KiB
            while line := await reader.readline():
                answer = self._dialogue.received(line.decode("ascii", "replace").strip())
                if answer is not None and self._answer is not None and not self._answer.done():
                    self._answer.set_result(answer)
                self._drop_superfluous()
        writer.close()
        if self._writer is writer:
            self._writer = None
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(None)

    def _drop_superfluous(self) -> None:
        for text in self._dialogue.superfluous:
            level = logging.DEBUG if self._warned else logging.WARNING
            _log.log(level, "%s: %r answers no question and is dropped", self.name, text)
            self._warned = True
        self._dialogue.superfluous.clear()

    def _send(self, lines: list[str]) -> None:
        if self._writer is not None:
            self._writer.write("".join(f"{line}\n" for line in lines).encode())

    async def _exchange(self, lines: list[str]) -> str | None:
        """Send and return the answer; None when there is none in time, or the connection is closed."""
        self._answer = asyncio.get_running_loop().create_future()
        self._send(lines)
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._answer
        except TimeoutError:
            self._dialogue.gave_up()
            return None
        finally:
            self._answer = None


class ScpiMeter(Driver):
    """Voltage and current at the inlet: an electronic load or a power analyser with the questions `V` and `A`."""

    protocol = "Meter"
    bindings = {"instrument": "Scpi"}

    class Options(ModuleConfig):
        """How often it is asked."""

        period_s: Annotated[float, Meta(gt=0, description="Time between two measurements, in s.")] = 0.05

    async def activate(self, stage: Stage) -> None:
        """Begin to measure."""
        await super().activate(stage)
        self._last = (0.0, 0.0)
        self.spawn(self._measure())

    def read(self) -> tuple[float, float]:
        """Return what was measured last, V and A."""
        return self._last

    async def _measure(self) -> None:
        instrument: Scpi = self.bound["instrument"]
        while True:
            if (measured := await instrument.measure("V", "A")) is not None:
                voltage_V, current_A = measured
                self._last = (voltage_V, current_A)
                self.recorder.put(voltage_V=voltage_V, current_A=current_A)
            await asyncio.sleep(self.options.period_s)

"""Instruments that speak SCPI over TCP; a rig file says what to ask for `duty_percent` in the instrument's words."""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.kernel.errors import PeerError, Unavailable
from chargebyte_fw.kernel.module import ModuleConfig
from hil.drivers import Driver, Resource, Stage

ANSWER_S = 2.0
NO_READING = 9.9e37
"""What SCPI says for a measurement that cannot be taken."""


class Scpi(Resource):
    """One instrument; one question at a time."""

    class Options(ModuleConfig):
        """Where it is and how it is asked."""

        host: Annotated[str, Meta(description="Its address.")]
        port: Annotated[int, Meta(ge=1, le=65535, description="Its TCP port.")] = 5025
        setup: Annotated[list[str], Meta(description="Said once before the first question.")] = []
        questions: Annotated[dict[str, str], Meta(description="By the name of what is measured.")] = {}

    async def activate(self, stage: Stage) -> None:
        """Connect and set it up; raises Unavailable."""
        options = self.options
        try:
            async with asyncio.timeout(ANSWER_S):
                self._reader, self._writer = await asyncio.open_connection(options.host, options.port)
        except (OSError, TimeoutError) as error:
            raise Unavailable(f"{self.name} at {options.host}:{options.port}: {error or 'no answer'}") from error
        self._turn = asyncio.Lock()
        for line in options.setup:
            self._writer.write(line.encode() + b"\n")
        await super().activate(stage)

    async def deactivate(self) -> None:
        """Disconnect."""
        if self.stage is not None:
            self._writer.close()
        await super().deactivate()

    def knows(self, name: str) -> bool:
        """Tell whether the rig file has a question for it."""
        return name in self.options.questions

    async def ask(self, name: str) -> float:
        """Return a measurement; raises Unavailable, or PeerError for an answer that is no number."""
        question = self.options.questions.get(name)
        if question is None:
            raise Unavailable(f"{self.name} has no question for {name} in the rig file")
        async with self._turn:
            self._writer.write(question.encode() + b"\n")
            try:
                async with asyncio.timeout(ANSWER_S):
                    line = await self._reader.readline()
            except (OSError, TimeoutError) as error:
                raise Unavailable(f"{self.name} does not answer {question}") from error
        if not line:
            raise Unavailable(f"{self.name} has closed the connection")
        try:
            value = float(line)
        except ValueError:
            raise PeerError("SCPI-99, numeric response", f"{self.name} answered {line!r} to {question}") from None
        return 0.0 if value >= NO_READING else value


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
            self._last = (await instrument.ask("V"), await instrument.ask("A"))
            self.recorder.put(voltage_V=self._last[0], current_A=self._last[1])
            await asyncio.sleep(self.options.period_s)

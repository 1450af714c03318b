"""Instruments that answer late, twice, or not at all: each answer belongs to its question; overflow is no number."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.errors import Unavailable
from hil.drivers import Stage, scpi
from hil.drivers.scpi import OutOfRange, Scpi, ScpiMeter
from hil.drivers.scpi_dialogue import Dialogue, number
from hil.recorder import Recorder
from tests.hil.bench import shipped

VALUES = {"V?": "391.25", "A?": "24.5", "N?": "1"}


class Odd:
    """An instrument on a real TCP port. `odd(question)` returns what it sends instead of its answer, and how late."""

    def __init__(self, odd: Callable[[str], list[tuple[float, str]] | None], *, knows_opc: bool = True) -> None:
        self.odd = odd
        self.knows_opc = knows_opc
        self.heard: list[str] = []
        self.connections = 0

    async def __aenter__(self) -> Odd:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while line := (await reader.readline()).decode().strip():
            self.heard.append(line)
            answers = self.odd(line)
            if answers is None:
                known = {**VALUES, "*OPC?": "1"} if self.knows_opc else VALUES
                answers = [(0.0, known[line])] if line in known else []
            for delay_s, text in answers:
                await asyncio.sleep(delay_s)
                writer.write(text.encode() + b"\n")
        writer.close()

    async def scpi(self, *setup: str) -> Scpi:
        questions = {question.rstrip("?"): question for question in VALUES}
        options = Scpi.Options(host="127.0.0.1", port=self.port, setup=list(setup), questions=questions)
        instrument = Scpi("scope", options, {})
        await instrument.activate(Stage(Recorder(), shipped("iso2-session"), Path(__file__).parents[2]))
        return instrument


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scpi, "ANSWER_S", 0.5)
    monkeypatch.setattr(scpi, "OUT_OF_RANGE_S", 0.2)


@pytest.mark.parametrize("knows_opc", [True, False], ids=["knows *OPC?", "does not know *OPC?"])
def test_a_late_answer_is_not_the_answer_to_the_next_question(knows_opc: bool) -> None:
    once = [0.6]

    def odd(line: str) -> list[tuple[float, str]] | None:
        return [(once.pop(), VALUES["V?"])] if line == "V?" and once else None

    async def main() -> None:
        async with Odd(odd, knows_opc=knows_opc) as instrument:
            meter = await instrument.scpi("INPut ON")
            with pytest.raises(Unavailable, match=r"scope does not answer V\?"):
                await meter.ask("V")
            assert [await meter.ask(name) for name in ("A", "V", "A", "N")] == [24.5, 391.25, 24.5, 1.0]
            assert instrument.heard.count("INPut ON") == 1
            assert instrument.connections == (1 if knows_opc else 3)
            await meter.deactivate()

    asyncio.run(main())


@pytest.mark.parametrize(
    "extra",
    [
        [(0.0, "391.25"), (0.0, "391.25")],
        [(0.0, '-113,"Undefined header"'), (0.0, "391.25")],
        [(0.0, ""), (0.0, "391.25")],
    ],
    ids=["twice", "an error message before it", "an empty line before it"],
)
def test_a_superfluous_line_shifts_nothing_and_is_logged(extra: list[Any], caplog: Any) -> None:
    def odd(line: str) -> list[tuple[float, str]] | None:
        return extra if line == "V?" else None

    async def main() -> None:
        async with Odd(odd) as instrument:
            meter = await instrument.scpi()
            for _ in range(3):
                assert [await meter.ask(name) for name in ("V", "A", "N")] == [391.25, 24.5, 1.0]
            await meter.deactivate()

    caplog.set_level(logging.WARNING)
    asyncio.run(main())
    assert caplog.text.count("answers no question") == (1 if extra[0][1] else 0), "the first of a connection"


@pytest.mark.parametrize("knows_opc", [True, False], ids=["knows *OPC?", "does not know *OPC?"])
def test_a_line_between_two_questions_answers_none(knows_opc: bool) -> None:
    async def main() -> None:
        async with Odd(lambda _: None, knows_opc=knows_opc) as instrument:
            meter = await instrument.scpi()
            assert await meter.ask("V") == 391.25
            instrument.odd = lambda line: [(0.0, "24.5"), (0.05, "99")] if line == "A?" else None
            assert await meter.ask("A") in (24.5, 99.0) if knows_opc else await meter.ask("A") == 24.5
            await asyncio.sleep(0.1)
            assert await meter.ask("V") == 391.25
            await meter.deactivate()

    asyncio.run(main())


def test_an_instrument_that_never_comes_back_into_step_is_connected_anew() -> None:
    mute: list[bool] = []

    def odd(line: str) -> list[tuple[float, str]] | None:
        return [] if mute else None

    async def main() -> None:
        async with Odd(odd) as instrument:
            meter = await instrument.scpi()
            mute.append(True)
            with pytest.raises(Unavailable, match="does not answer"):
                await meter.ask("V")
            with pytest.raises(Unavailable, match="does not answer"):
                await meter.ask("V")
            assert instrument.connections == 2
            mute.clear()
            assert await meter.ask("A") == 24.5
            await meter.deactivate()

    asyncio.run(main())


@pytest.mark.parametrize("text", ["9.9E37", "+9.90000000E+37", "-9.9E37", "9.91E37", "NAN", "INF", "-INF"])
def test_overflow_and_no_number_are_no_measurement(text: str) -> None:
    assert number(text) is None

    async def main() -> None:
        async with Odd(lambda line: [(0.0, text)] if line == "V?" else None) as instrument:
            meter = await instrument.scpi()
            with pytest.raises(OutOfRange, match=r"no measurement for V\?"):
                await meter.ask("V")
            assert await meter.ask("A") == 24.5
            await meter.deactivate()

    asyncio.run(main())


def test_a_meter_out_of_range_records_nothing_and_fails_when_it_lasts() -> None:
    over: list[str] = []

    async def main() -> None:
        async with Odd(lambda line: [(0.0, over[0])] if over and line == "A?" else None) as instrument:
            resource = await instrument.scpi()
            meter = ScpiMeter("Meter", ScpiMeter.Options(period_s=0.01), {"instrument": resource})
            stage = Stage(Recorder(), shipped("iso2-session"), Path(__file__).parents[2])
            await meter.activate(stage)
            await asyncio.sleep(0.1)
            over.append("9.9E37")
            await asyncio.sleep(0.1)
            over.clear()
            await asyncio.sleep(0.1)
            assert meter.read() == (391.25, 24.5) and meter.failure is None
            over.append("9.9E37")
            await asyncio.sleep(0.5)
            assert isinstance(meter.failure, OutOfRange)
            assert {value for _, value in stage.recorder.series["current_A"]} == {0.0, 24.5}
            assert stage.recorder.now["current_A"] == 24.5
            await meter.deactivate()
            await resource.deactivate()

    asyncio.run(main())


def test_a_bare_one_is_a_measurement_as_well_as_a_confirmation() -> None:
    dialogue = Dialogue(synchronised=True)
    assert dialogue.ask("N?") == ["N?", "*OPC?"]
    assert [dialogue.received(line) for line in ("1", "1")] == [None, "1"]
    dialogue.ask("N?")
    dialogue.gave_up()
    assert dialogue.out_of_step
    dialogue.synchronise()
    assert [dialogue.received(line) for line in ("7", "1", "1")] == [None, None, ""]
    assert dialogue.superfluous == ["7"] and not dialogue.out_of_step

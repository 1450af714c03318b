"""What stands between car, board and rig: a line that goes dead, samples with a stamp, and what nobody caught."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.kernel import memory
from chargebyte_fw.sim.net import MemoryNet
from hil.drivers.sim_net import LineNet
from hil.judge import Verdict, Watch
from hil.recorder import Recorder
from hil.scenario import Expectation
from tests.hil.bench import run as run_on_rig
from tests.hil.bench import shipped


class Who:
    def __init__(self) -> None:
        self.heard: list[Any] = []

    def connected(self) -> None:
        self.heard.append("up")

    def received(self, data: bytes) -> None:
        self.heard.append(data)

    def disconnected(self, reason: str) -> None:
        self.heard.append(reason)


async def connected() -> tuple[LineNet, Any, Who, memory.StreamEnd, list[bytes]]:
    charger, car = memory.link()
    accepted: list[memory.StreamEnd] = []
    port = charger.listen(accepted.append)
    net, who, at_charger = LineNet(MemoryNet(car)), Who(), list[bytes]()
    net.open(lambda _data: None)
    line = net.connect(charger.address, port, who)
    (end,) = accepted
    end.receive = at_charger.append
    await asyncio.sleep(0.01)
    return net, line, who, end, at_charger


def test_a_dead_line_holds_what_a_connection_carries_and_gives_it_back_in_order(run: Any) -> None:
    async def main() -> None:
        net, line, who, end, at_charger = await connected()
        net.dead = True
        line.send(b"1")
        line.send(b"2")
        end.send(b"answer")
        await asyncio.sleep(1)
        assert who.heard == ["up"] and at_charger == []
        net.dead = False
        await asyncio.sleep(1)
        assert who.heard == ["up", b"answer"] and at_charger == [b"1", b"2"]

    run(main())


def test_a_car_that_falls_silent_hears_nothing_and_its_connection_stands(run: Any) -> None:
    async def main() -> None:
        net, line, who, end, _ = await connected()
        gone: list[bool] = []
        end.closed = lambda: gone.append(True)
        line.abandon()
        net.close()
        end.send(b"anybody there?")
        await asyncio.sleep(1)
        assert who.heard == ["up"] and gone == []
        net.end()

    run(main())


def test_a_sample_counts_for_the_moment_at_which_it_was_seen(run: Any) -> None:
    from hil import conditions

    async def main() -> None:
        recorder = Recorder()
        expected = Expectation(conditions.parse("contactors is closed"), 0.1, "x")
        await asyncio.sleep(1.0)
        watch = Watch(0, expected, recorder.at_s, recorder.now)
        recorder.on_sample.append(lambda at_s: watch.look(at_s, recorder.now))
        await asyncio.sleep(0.3)
        recorder.put_at(1.04, {"contactors": "closed"})  # a quarter of a second on its way
        found = watch.finding()
        assert found.verdict is Verdict.PASSED and found.measured_s == pytest.approx(0.04)
        assert recorder.series["contactors"][-1] == (1.04, "closed")

    run(main())


def test_what_was_seen_before_the_event_and_told_after_it_is_no_reaction(run: Any) -> None:
    from hil import conditions

    async def main() -> None:
        recorder = Recorder()
        await asyncio.sleep(1.0)
        watch = Watch(0, Expectation(conditions.parse("contactors is closed"), 0.1, "x"), 1.0, recorder.now)
        recorder.on_sample.append(lambda at_s: watch.look(at_s, recorder.now))
        recorder.put_at(0.99, {"contactors": "closed"})
        recorder.look()
        assert watch.finding().verdict is Verdict.WRONG and "before the event" in watch.finding().note

    run(main())


def test_a_slow_meter_makes_too_early_milder(run: Any) -> None:
    from hil import conditions

    async def main() -> None:
        recorder = Recorder()
        expected = Expectation(conditions.parse("contactors is closed"), 1.0, "x", not_before_s=0.05)
        strict, mild = (Watch(0, expected, 0.0, recorder.now, resolution_s) for resolution_s in (0.0, 0.06))
        recorder.put_at(0.01, {"contactors": "closed"})
        for watch in (strict, mild):
            watch.look(0.01, recorder.now)
        assert strict.finding().verdict is Verdict.WRONG and mild.finding().verdict is Verdict.PASSED

    run(main())


def test_an_exception_that_nobody_caught_fails_the_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reactions may all have come in time: a charger that breaks inside is not right."""
    from hil.drivers.sim_board import SimSafety

    real = SimSafety.emergency_stop

    async def press(self: SimSafety, pressed: bool) -> None:
        def broken() -> None:
            raise ZeroDivisionError("deep inside")

        asyncio.get_running_loop().call_soon(broken)
        await real(self, pressed)

    monkeypatch.setattr(SimSafety, "emergency_stop", press)
    (result,) = run_on_rig(shipped("din-emergency-stop"))
    assert result.verdict is Verdict.FAILED and "deep inside" in result.note

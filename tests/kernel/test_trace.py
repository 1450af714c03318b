"""The black box: bounded in bytes, cheap, never in the way; what it saves is a documented CBOR sequence."""

from __future__ import annotations

import asyncio
import errno
import os
import tracemalloc
from collections.abc import Callable, Iterator
from enum import Enum, auto
from pathlib import Path
from typing import Any

import cbor2
import msgspec
import pytest

from chargebyte_fw.contracts.types.authorization import IdToken, IdTokenType
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.trace import BLOCK_BYTES, LARGEST_ENTRY, MOST_NAMES, SNAPSHOT_S, FullTape, Tape, Trace

Run = Callable[[Any], Any]


def sequence(path: Path) -> Iterator[list[Any]]:
    with path.open("rb") as file:
        while file.peek(1):
            yield cbor2.load(file)


def test_an_entry_is_time_kind_source_data(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        trace = Trace()
        trace.record("uart", "host", b"\xa5")
        await asyncio.sleep(1.5)
        trace.record("var", "bsp.main.duty", {"percent": 5.0})
        assert trace.entries() == [(0.0, "uart", "host", b"\xa5"), (1.5, "var", "bsp.main.duty", {"percent": 5.0})]
        assert len(trace) == 2
        assert trace.save(tmp_path / "t", "request") == 2

    run(main())
    head, *rest = sequence(tmp_path / "t")
    assert head[:3] == [1.5, "trace", "head"]
    assert head[3] == {"format": 1, "wall": "2026-01-01T00:00:01.500Z", "why": "request", "past": 0}
    assert rest == [[0.0, "uart", "host", b"\xa5"], [1.5, "var", "bsp.main.duty", {"percent": 5.0}]]


def test_the_ring_is_bounded_in_bytes_and_keeps_the_newest(run: Run) -> None:
    async def main() -> None:
        trace = Trace(ring_bytes=4 * BLOCK_BYTES)
        for number in range(20_000):
            trace.record("uart", "mcu", number.to_bytes(4, "big") * 8)
            assert trace.bytes_held <= 5 * BLOCK_BYTES
        kept = [int.from_bytes(data[:4], "big") for _, _, _, data in trace.entries()]
        assert kept[-1] == 19_999 and kept == list(range(kept[0], 20_000))
        assert len(kept) > 3000

    run(main())


def test_a_full_ring_takes_no_more_memory(run: Run) -> None:
    """Pieces that are allocated again and again leave holes in the heap: a process grows although nothing is kept."""

    async def main() -> None:
        trace = Trace(ring_bytes=8 * BLOCK_BYTES)

        def fill(rings: int) -> None:
            for number in range(rings * 4000):
                trace.record("uart", "mcu", bytes(number % 400))

        fill(2)
        tracemalloc.start()
        fill(1)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        fill(3)
        after, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert abs(after - before) < 2000
        assert peak - before < BLOCK_BYTES // 4

    run(main())


def test_what_is_being_saved_is_not_written_again(run: Run, tmp_path: Path) -> None:
    """Another thread writes the file while the charger goes on."""

    async def main() -> None:
        trace = Trace(ring_bytes=4 * BLOCK_BYTES)
        for number in range(3000):
            trace.record("uart", "mcu", number.to_bytes(4, "big") * 20)
        kept = trace.entries()
        snapshot = trace.snapshot("request")
        for number in range(9000):
            trace.record("uart", "host", number.to_bytes(4, "big") * 20)
        assert snapshot.write(tmp_path / "t") == len(kept)
        assert [tuple(entry) for entry in sequence(tmp_path / "t")][1 + len(snapshot.past) :] == kept
        assert {source for _, _, source, _ in trace.entries()} == {"host"}

    run(main())


def test_what_was_known_when_the_ring_begins_is_in_the_file_too(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        trace = Trace(ring_bytes=4 * BLOCK_BYTES)
        trace.record("var", "slac.main.state", "UNMATCHED")
        trace.record("var", "slac.main.state", "MATCHED")
        trace.record("uart", "mcu", b"\x10 state", key=0x10)
        trace.record("uart", "mcu", b"\x11 temperatures", key=0x11)
        await asyncio.sleep(1)
        for _ in range(3000):
            trace.record("v2g", "car", bytes(100))
        trace.save(tmp_path / "t")

    run(main())
    head, *rest = sequence(tmp_path / "t")
    assert head[3]["past"] == 4
    assert [entry[3] for entry in rest[:3]] == ["MATCHED", b"\x10 state", b"\x11 temperatures"]
    assert rest[3][1] == "v2g", "of the car's frames, the last that was let go"


def test_entries_never_change_after_the_fact(run: Run) -> None:
    async def main() -> None:
        trace = Trace()
        living = {"limit_A": 16.0}
        trace.record("var", "m.main.limit", living)
        living["limit_A"] = 0.0
        assert trace.entries()[0][3] == {"limit_A": 16.0}

    run(main())


@pytest.mark.parametrize("data", [object(), 2**80, "\ud800", float("nan"), {(1, 2): 3}, ValueError("x"), [[]] * 9])
def test_whatever_is_recorded_the_recorder_does_not_fail(run: Run, data: Any, tmp_path: Path) -> None:
    async def main() -> None:
        trace = Trace()
        trace.record("var", "m.main.odd", data)
        endless: list[Any] = []
        endless.append(endless)
        trace.record("var", "m.main.endless", endless)
        assert trace.save(tmp_path / "t") == 2

    run(main())
    assert len(list(sequence(tmp_path / "t"))) == 3


def test_a_huge_entry_is_cut_and_a_flood_of_names_is_bounded(run: Run) -> None:
    async def main() -> None:
        trace = Trace()
        trace.record("v2g", "car", bytes(1_000_000))
        trace.record("var", "m.main.text", "x" * 1_000_000)
        assert all(len(data) <= LARGEST_ENTRY for _, _, _, data in trace.entries())
        for number in range(MOST_NAMES + 100):
            trace.record("cmd", f"m.main.{number}", None)
        assert trace.entries()[-1][1:3] == ("other", "other")

    run(main())


def test_secrets_do_not_get_into_a_file_and_tokens_cannot_be_read(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        trace = Trace()
        token = IdToken(value="04AABBCC", type=IdTokenType.ISO14443)
        trace.record("cmd", "a", ["b", {"password": "hunter2", "nested": [{"private_key": "PEM"}], "user": "eve"}])
        trace.record("var", "c", {"id_token": token})
        trace.record("var", "d", {"parent_id_token": token, "id_tag": {"id_token": token}})
        trace.record("cmd", "e", {"location": "ftp://eve:qw@rt/y7@host/file", "body": '{"idTag": "04AABBCC"}'})
        trace.save(tmp_path / "t")

    run(main())
    text = (tmp_path / "t").read_bytes()
    assert b"qw@rt" not in text and b"y7@" not in text and b"@host/file" in text
    assert b"hunter2" not in text and b"PEM" not in text and b"04AABBCC" not in text and b"eve" in text
    _, _, one, other, _ = sequence(tmp_path / "t")
    hidden = one[3]["id_token"]["value"]
    assert hidden == other[3]["parent_id_token"]["value"] == other[3]["id_tag"]["id_token"]["value"]
    assert one[3]["id_token"]["type"] == "ISO14443"


def test_a_file_is_complete_or_not_there(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def main() -> None:
        trace = Trace()
        trace.record("uart", "host", b"\xa5")
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            trace.save(tmp_path / "t")

    run(main())
    assert list(tmp_path.iterdir()) == []


def test_off_means_off(run: Run) -> None:
    async def main() -> None:
        trace = Trace()
        trace.on = False
        trace.record("uart", "host", b"\xa5")
        assert len(trace) == 0 and trace.bytes_held == 0

    run(main())


class Lamp(Enum):
    OFF = auto()
    ON = auto()


class Press:
    """Event: the button."""


class Timer(Machine):
    @on(Lamp.OFF, event=Press, to=Lamp.ON)
    def light(self, _: Press, now: float) -> list[Any]:
        self.start("light", now + 3)
        return self.enter(Lamp.ON)

    @on(Lamp.ON, timer="light", to=Lamp.OFF)
    def dark(self, now: float) -> list[Any]:
        return self.enter(Lamp.OFF)


def failed(error: BaseException) -> None:
    raise error


def test_a_tape_records_states_and_wakings(run: Run) -> None:
    async def main() -> None:
        trace = Trace()
        pump = Pump(Timer(Lamp.OFF), lambda effect: None, failed, Tape(trace, "lamp", lambda: "aside"))
        pump.feed(Press())
        pump.feed(Press())
        await asyncio.sleep(5)
        assert trace.entries() == [
            (0.0, "state", "lamp", "ON"),
            (3.0, "wake", "lamp", "aside"),
            (3.0, "state", "lamp", "OFF"),
        ]

    run(main())


class Told(msgspec.Struct, frozen=True):
    """Effect: with what was heard."""

    limit_A: float


class Limit(msgspec.Struct, frozen=True):
    """Event: a limit in A."""

    limit_A: float


class Keeper(Machine):
    def __init__(self) -> None:
        super().__init__(Lamp.OFF)
        self.limit_A = 0.0

    @on(Lamp.OFF, event=Limit)
    def take(self, event: Limit, now: float) -> list[Any]:
        self.limit_A = event.limit_A
        self.start("limit", now + 3)
        return [Told(event.limit_A)]

    @on(Lamp.OFF, timer="limit")
    def over(self, now: float) -> list[Any]:
        return [Told(0.0)]


def test_a_full_tape_records_all_that_a_machine_is_told_and_wants(run: Run) -> None:
    async def main() -> None:
        trace = Trace()
        machine = Keeper()
        tape = FullTape(trace, "m", {"config": "c"}, (machine,), elsewhere=(Press,))
        pump = Pump(machine, lambda effect: None, failed, tape)
        pump.feed(Limit(16.0))
        pump.feed(Press())
        await asyncio.sleep(5)
        (start, *rest) = trace.entries()
        assert start[:3] == (0.0, "start", "m")
        assert start[3]["config"] == "c" and start[3]["fresh"] and start[3]["known"][0]["limit_A"] == 0.0
        assert rest == [
            (0.0, "event", "m.Limit", {"limit_A": 16.0}),
            (0.0, "effect", "m.Told", {"limit_A": 16.0}),
            (3.0, "wake", "m", None),
            (3.0, "effect", "m.Told", {"limit_A": 0.0}),
        ]

    run(main())


def test_what_a_machine_knows_is_recorded_again_now_and_then(run: Run) -> None:
    async def main() -> None:
        trace = Trace()
        machine = Keeper()
        pump = Pump(machine, lambda effect: None, failed, FullTape(trace, "m", {}, (machine,)))
        for number in range(4):
            pump.feed(Limit(float(number)))
            await asyncio.sleep(SNAPSHOT_S / 2)
        starts = [(t_s, data) for t_s, kind, _, data in trace.entries() if kind == "start"]
        assert [(t_s, data["fresh"], data["known"][0]["limit_A"]) for t_s, data in starts] == [
            (0.0, True, 0.0),
            (SNAPSHOT_S, False, 1.0),
        ]

    run(main())


def test_a_machine_that_cannot_be_written_down_goes_on(run: Run) -> None:
    async def main() -> None:
        trace = Trace()
        machine = Keeper()
        endless: list[Any] = []
        endless.append(endless)
        vars(machine)["endless"] = endless
        pump = Pump(machine, lambda effect: None, failed, FullTape(trace, "m", {}, (machine,)))
        pump.feed(Limit(16.0))
        assert "RecursionError" in trace.entries()[0][3]["known"]
        assert trace.entries()[-1] == (0.0, "effect", "m.Told", {"limit_A": 16.0})

    run(main())

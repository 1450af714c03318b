"""Lines by name: of a chip, of a simulated world in this process or another one, or of none with a warning."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import select
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from chargebyte_fw.board import gpio
from chargebyte_fw.board.driver.stop_watch import watch
from chargebyte_fw.board.gpio import find_line, open_input, open_output, read_input, take_output
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.sim.gpio import SimulatedLine

LOG = ModuleLog("bsp")
NAME = "nSAFETY_RESET_INT"


@pytest.mark.parametrize(("active_low", "levels"), [(True, [False, True]), (False, [True, False])])
def test_active_is_the_level_of_the_configuration(runtime: Runtime, active_low: bool, levels: list[bool]) -> None:
    told: list[bool] = []
    runtime.wires.plug(f"gpio:{NAME}", told.append)
    line = open_output(runtime, NAME, active_low, LOG)
    line.set(True)
    line.set(False)
    line.close()
    assert told == levels


def test_a_line_of_another_process_is_told_each_level(runtime: Runtime, tmp_path: Path) -> None:
    async def main() -> None:
        told: list[bool] = []
        other = SimulatedLine(tmp_path, NAME, told.append)
        line = open_output(runtime, NAME, True, LOG)
        line.set(True)
        line.set(False)
        await asyncio.sleep(0.05)
        assert told == [False, True]
        line.close()
        other.close()
        assert not other.path.exists()

    clock.run(main())


def test_a_line_works_in_a_folder_deeper_than_a_sockets_path_may_be(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)

    async def main() -> None:
        levels: list[bool] = []
        other = SimulatedLine(deep, NAME, levels.append)
        line = open_output(Runtime(root=Root(deep, deep)), NAME, True, LOG)
        line.set(True)
        await asyncio.sleep(0.05)
        assert levels == [False]
        line.close()
        other.close()

    clock.run(main())


def test_a_line_that_is_nowhere_is_one_warning_and_may_come_later(
    runtime: Runtime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        line = open_output(runtime, NAME, True, LOG)
        line.set(True)
        line.set(False)
        assert len(caplog.records) == 1
        assert NAME in caplog.text
        told: list[bool] = []
        other = SimulatedLine(tmp_path, NAME, told.append)
        line.set(True)
        await asyncio.sleep(0.05)
        assert told == [False]
        line.close()
        other.close()

    caplog.set_level(logging.WARNING)
    clock.run(main())


def test_an_empty_name_is_no_line_by_choice(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    line = open_output(runtime, "", True, LOG)
    line.set(True)
    line.close()
    assert not caplog.records


@pytest.mark.parametrize(
    ("content", "active_low", "active"), [("1\n", False, True), ("0", False, False), ("0", True, True)]
)
def test_a_simulated_input_is_a_file(
    runtime: Runtime, tmp_path: Path, content: str, active_low: bool, active: bool
) -> None:
    file = tmp_path / "run/secc/gpio/GRID"
    file.parent.mkdir(parents=True)
    file.write_text(content)
    assert read_input(runtime, "GRID", active_low, LOG) is active


def test_an_input_that_is_nowhere_is_unknown(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    assert read_input(runtime, "GRID", False, LOG) is None
    assert "GRID" in caplog.text


class FakeGpiod:
    """The operating system's side: two chips, the wanted line on the second."""

    def __init__(self) -> None:
        self.values: list[tuple[int, str]] = []
        self.requested: dict[str, Any] = {}
        self.released = False
        self.level = "active"
        self.edges, self._tell = os.pipe()
        line = ModuleType("gpiod.line")
        line.Direction = SimpleNamespace(OUTPUT="out", INPUT="in")  # type: ignore[attr-defined]
        line.Edge = SimpleNamespace(BOTH="both")  # type: ignore[attr-defined]
        line.Value = SimpleNamespace(ACTIVE="active", INACTIVE="inactive")  # type: ignore[attr-defined]
        module = ModuleType("gpiod")
        module.line = line  # type: ignore[attr-defined]
        module.Chip = self._chip  # type: ignore[attr-defined]
        module.LineSettings = lambda **settings: settings  # type: ignore[attr-defined]
        module.request_lines = self._request  # type: ignore[attr-defined]
        self.modules = {"gpiod": module, "gpiod.line": line}

    def _chip(self, device: str) -> Any:
        def offset(name: str) -> int:
            if device.endswith("gpiochip1") and name == NAME:
                return 28
            raise OSError(2, "entry not found")

        chip = SimpleNamespace(line_offset_from_id=offset)
        chip.__enter__ = lambda: chip

        class Manager:
            def __enter__(self) -> Any:
                return chip

            def __exit__(self, *_: object) -> None:
                """Nothing to close."""

        return Manager()

    def _request(self, device: str, *, consumer: str, config: dict[int, Any]) -> Any:
        self.requested = {"device": device, "consumer": consumer, "config": config}
        return SimpleNamespace(
            set_value=lambda offset, value: self.values.append((offset, value)),
            get_value=lambda offset: self.level,
            release=lambda: setattr(self, "released", True),
            fd=self.edges,
            wait_edge_events=lambda timeout: bool(select.select([self.edges], [], [], timeout)[0]),
            read_edge_events=lambda: os.read(self.edges, 64),
        )

    def change(self, level: str) -> None:
        """Change the input's level; the kernel tells of the edge."""
        self.level = level
        os.write(self._tell, b"!")

    def close(self) -> None:
        os.close(self.edges)
        os.close(self._tell)


@pytest.fixture
def chips(mocker: Any, tmp_path: Path) -> Iterator[FakeGpiod]:
    fake = FakeGpiod()
    mocker.patch.dict(sys.modules, fake.modules)
    for number in (0, 1):
        (tmp_path / f"gpiochip{number}").touch()
    mocker.patch.object(find_line, "__defaults__", (tmp_path,))
    yield fake
    fake.close()


def test_a_chips_line_is_found_by_name_over_all_chips_and_active_from_the_start(
    runtime: Runtime, chips: FakeGpiod, tmp_path: Path
) -> None:
    line = open_output(runtime, NAME, True, LOG)
    settings = chips.requested["config"][28]
    assert chips.requested["device"] == str(tmp_path / "gpiochip1")
    assert settings == {"direction": "out", "active_low": True, "output_value": "active"}
    line.set(False)
    line.set(True)
    line.close()
    assert chips.values == [(28, "inactive"), (28, "active")]
    assert chips.released


def test_a_chips_input_is_read_once_and_released(runtime: Runtime, chips: FakeGpiod) -> None:
    assert read_input(runtime, NAME, False, LOG) is True
    chips.level = "inactive"
    assert read_input(runtime, NAME, False, LOG) is False
    assert chips.released


def test_a_watched_input_tells_of_its_edges_and_a_bounce_is_none(runtime: Runtime, chips: FakeGpiod) -> None:
    chips.level = "inactive"
    line = open_input(runtime, NAME, True, LOG)
    assert line is not None
    assert chips.requested["config"][28]["edge_detection"] == "both"
    assert line.events == chips.edges, "it is read when an edge comes, not from time to time"
    presses: list[float] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        watching = loop.create_task(watch(NAME, line, lambda: presses.append(loop.time()), LOG))
        await asyncio.sleep(0.1)
        for level in ("active", "inactive"):  # a bounce
            chips.change(level)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert not presses
        chips.change("active")
        await asyncio.sleep(0.2)
        assert len(presses) == 1
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching

    asyncio.run(main())
    assert chips.released


def test_an_input_that_the_kernel_holds_is_a_warning_that_says_so(
    runtime: Runtime, chips: FakeGpiod, mocker: Any, caplog: pytest.LogCaptureFixture
) -> None:
    mocker.patch.object(gpio, "_request", side_effect=OSError(16, "Device or resource busy"))
    assert open_input(runtime, NAME, True, LOG) is None
    assert "gpio-keys" in caplog.text


def test_a_line_that_another_program_lets_go_of_is_taken_with_the_level_that_is_wanted(
    runtime: Runtime, chips: FakeGpiod, mocker: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    real = gpio._request
    busy = mocker.patch.object(gpio, "_request", side_effect=OSError(16, "Device or resource busy"))
    line = open_output(runtime, NAME, True, LOG)
    line.set(True)
    assert chips.values == []
    busy.side_effect = real
    line.set(False)
    assert chips.requested["config"][28]["output_value"] == "inactive", "no pulse while it is taken"
    line.set(True)
    assert chips.values == [(28, "inactive"), (28, "active")]
    line.close()
    assert chips.released
    assert caplog.text.count("cannot be taken yet") == caplog.text.count("is ours now") == 1


def test_a_simulated_line_has_one_owner_as_well(runtime: Runtime, tmp_path: Path) -> None:
    async def main() -> None:
        told: list[bool] = []
        other = SimulatedLine(tmp_path, NAME, told.append)
        tool = take_output(runtime, NAME, None, LOG)
        with pytest.raises(Unavailable, match="another process drives it"):
            take_output(runtime, NAME, None, LOG)
        driver = open_output(runtime, NAME, True, LOG)
        driver.set(True)
        await asyncio.sleep(0.05)
        assert told == []
        tool.close()
        driver.set(True)
        await asyncio.sleep(0.05)
        assert told == [False]
        driver.close()
        take_output(runtime, NAME, None, LOG).close()
        other.close()

    clock.run(main())


def test_a_line_that_another_program_holds_is_a_warning(
    runtime: Runtime, chips: FakeGpiod, mocker: Any, caplog: pytest.LogCaptureFixture
) -> None:
    mocker.patch.object(gpio, "_request", side_effect=OSError(16, "Device or resource busy"))
    open_output(runtime, NAME, True, LOG).set(True)
    assert read_input(runtime, NAME, True, LOG) is None
    assert caplog.text.count("busy") == 2

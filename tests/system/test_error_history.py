"""ErrorHistory: what was raised and cleared, found again by every filter, beyond restarts, damage and full disks."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.interfaces.auth_token_provider import AuthTokenProvider
from chargebyte_fw.contracts.types.error_history import (
    FilterArguments,
    ImplementationIdentifier,
    SeverityFilter,
    State,
    TimeperiodFilter,
)
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.bus import run_command
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.modules.system import error_rows
from chargebyte_fw.modules.system.error_history import RETRY_S, WAITING_LIMIT, ErrorHistory

PATH = "/tmp/error_history.db"


class Troubled(Module):
    """Has faults."""

    main = provides(AuthTokenProvider)
    other = provides(AuthTokenProvider)


def history(assemble: Callable[..., Any]) -> Any:
    return assemble(
        troubled=(Troubled,), error_history=(ErrorHistory, {}, {}, {"error_history": {"database_path": PATH}})
    )


async def errors(world: Any, **filters: Any) -> list[Any]:
    found: list[Any] = await run_command(
        world.provider("error_history", "error_history"), "get_errors", (FilterArguments(**filters),), {}
    )
    return found


def test_a_fault_is_recorded_with_all_it_says_and_its_end(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = history(assemble)
        await world.start()
        assert await errors(world) == []
        faults = world.provider("troubled", "main").faults
        raised = faults.raise_fault("generic/VendorError", "the reader is silent", sub_type="reader")
        (found,) = await errors(world)
        assert (found.type, found.sub_type, found.message) == ("generic/VendorError", "reader", "the reader is silent")
        assert (found.state, found.severity, found.uuid) == (State.Active, "High", raised.uuid)
        assert (found.origin.module_id, found.origin.implementation_id) == ("troubled", "main")
        assert (found.description, found.timestamp) == (raised.description, "2026-01-01T00:00:00.000Z")
        await asyncio.sleep(10)
        faults.clear("generic/VendorError", "reader")
        (found,) = await errors(world)
        assert (found.state, found.timestamp) == (State.ClearedByModule, "2026-01-01T00:00:00.000Z")
        await world.stop()

    run(main())


def test_the_same_fault_twice_is_two_entries(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = history(assemble)
        await world.start()
        faults = world.provider("troubled", "main").faults
        for _ in range(2):
            faults.raise_fault("generic/VendorError", "again")
            faults.clear_all()
        assert [entry.state for entry in await errors(world)] == [State.ClearedByModule] * 2
        await world.stop()

    run(main())


@pytest.mark.parametrize(
    ("filters", "messages"),
    [
        ({}, ["one", "two", "three"]),
        ({"state_filter": State.Active}, ["one", "three"]),
        ({"state_filter": State.ClearedByModule}, ["two"]),
        ({"type_filter": "generic/VendorError"}, ["one", "three"]),
        ({"origin_filter": ImplementationIdentifier(module_id="troubled", implementation_id="other")}, ["three"]),
        ({"severity_filter": SeverityFilter.HIGH_GE}, ["three"]),
        ({"severity_filter": SeverityFilter.MEDIUM_GE}, ["two", "three"]),
        ({"severity_filter": SeverityFilter.LOW_GE}, ["one", "two", "three"]),
        (
            {
                "timeperiod_filter": TimeperiodFilter(
                    timestamp_from="2026-01-01T00:00:05Z", timestamp_to="2026-01-01T01:00:15+01:00"
                )
            },
            ["two"],
        ),
        ({"type_filter": "generic/VendorError", "severity_filter": SeverityFilter.HIGH_GE}, ["three"]),
        ({"handle_filter": "no such uuid"}, []),
        ({"type_filter": "x' OR '1'='1"}, []),
    ],
)
def test_filters_narrow_together(run: Any, assemble: Any, filters: dict[str, Any], messages: list[str]) -> None:
    async def main() -> None:
        world = history(assemble)
        await world.start()
        first, second = (world.provider("troubled", name).faults for name in ("main", "other"))
        first.raise_fault("generic/VendorError", "one", severity=Severity.Low)
        await asyncio.sleep(10)
        first.raise_fault("generic/VendorWarning", "two", severity=Severity.Medium)
        first.clear("generic/VendorWarning")
        await asyncio.sleep(10)
        second.raise_fault("generic/VendorError", "three")
        assert [entry.message for entry in await errors(world, **filters)] == messages
        await world.stop()

    run(main())


def test_a_handle_finds_its_entry(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = history(assemble)
        await world.start()
        faults = world.provider("troubled", "main").faults
        raised = faults.raise_fault("generic/VendorError", "one")
        faults.raise_fault("generic/VendorWarning", "two")
        assert [entry.message for entry in await errors(world, handle_filter=raised.uuid)] == ["one"]
        await world.stop()

    run(main())


def test_a_time_that_is_none_is_refused_and_nothing_breaks(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = history(assemble)
        await world.start()
        with pytest.raises(CommandError, match="'yesterday' is no time"):
            await errors(world, timeperiod_filter=TimeperiodFilter(timestamp_from="yesterday", timestamp_to="now"))
        assert not world.modules["error_history"].failed.done()
        await world.stop()

    run(main())


def test_what_a_kill_left_open_is_cleared_by_reboot(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        world = history(assemble)
        await world.start()
        world.provider("troubled", "main").faults.raise_fault("generic/VendorError", "before")
        await asyncio.sleep(0)
        # Killed: nobody stops anything, and the next process knows of no fault.
        runtime.all_faults.clear()
        again = history(assemble)
        await again.start()
        again.provider("troubled", "main").faults.raise_fault("generic/VendorError", "after")
        found = {entry.message: entry.state for entry in await errors(again)}
        assert found["before"] is State.ClearedByReboot
        assert found["after"] is State.Active
        await again.stop()

    run(main())


def test_a_fault_raised_before_the_history_listens_is_in_it(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = history(assemble)
        world.provider("troubled", "main").faults.raise_fault("generic/VendorError", "early")
        await world.start()
        assert [entry.message for entry in await errors(world)] == ["early"]
        await world.stop()

    run(main())


def test_a_damaged_file_is_kept_aside_and_what_is_active_is_recorded_anew(
    run: Any, assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / PATH[1:]

    async def main() -> None:
        world = history(assemble)
        await world.start()
        faults = world.provider("troubled", "main").faults
        faults.raise_fault("generic/VendorError", "one")
        await asyncio.sleep(0)
        await world.modules["error_history"].database.close()
        for extra in path.parent.glob(path.name + "-*"):
            extra.unlink()
        path.write_bytes(b"garbage" * 1000)
        faults.raise_fault("generic/VendorWarning", "two")
        await asyncio.sleep(1)
        assert [entry.message for entry in await errors(world)] == ["one", "two"]
        await world.stop()

    run(main())
    assert len(list(path.parent.glob("*.damaged-*"))) == 1
    assert [r.exc_info for r in caplog.records if r.levelname == "ERROR"] == [None]


def test_while_the_file_cannot_be_written_errors_wait_and_charging_goes_on(
    run: Any, assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / PATH[1:]
    path.mkdir(parents=True)

    async def main() -> None:
        world = history(assemble)
        await world.start()
        faults = world.provider("troubled", "main").faults
        for _ in range(50):
            faults.raise_fault("generic/VendorError", "waits")
            await asyncio.sleep(1)
            faults.clear_all()
        with pytest.raises(CommandError, match="unable to open"):
            await errors(world)
        path.rmdir()
        await asyncio.sleep(RETRY_S + 1)
        assert [entry.state for entry in await errors(world)] == [State.ClearedByModule] * 50
        assert not world.modules["error_history"].failed.done()
        await world.stop()

    run(main())
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 1
    assert "errors cannot be recorded for now" in told[0]


def test_active_errors_come_from_memory_while_the_disk_is_full_and_two_lines_are_logged(
    run: Any, assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / PATH[1:]
    path.mkdir(parents=True)
    caplog.set_level("INFO")

    async def main() -> None:
        world = history(assemble)
        await world.start()
        faults = world.provider("troubled", "main").faults
        faults.raise_fault("generic/VendorError", "one", sub_type="reader")
        await asyncio.sleep(10)
        world.provider("troubled", "other").faults.raise_fault("generic/VendorWarning", "two", severity=Severity.Low)
        for _ in range(300):
            await asyncio.sleep(1)
            assert [entry.message for entry in await errors(world, state_filter=State.Active)] == ["one", "two"]
        (first,) = await errors(world, state_filter=State.Active, severity_filter=SeverityFilter.HIGH_GE)
        assert (first.message, first.sub_type, first.timestamp) == ("one", "reader", "2026-01-01T00:00:00.000Z")
        faults.clear_all()
        assert [entry.message for entry in await errors(world, state_filter=State.Active)] == ["two"]
        path.rmdir()
        await asyncio.sleep(RETRY_S + 1)
        assert [entry.state for entry in await errors(world)] == [State.ClearedByModule, State.Active]
        await world.stop()

    run(main())
    lines = [record.getMessage() for record in caplog.records if record.name == "secc.error_history"]
    assert len(lines) == 2 and "errors cannot be recorded for now" in lines[0] and "recorded again" in lines[1]


def test_what_had_to_be_given_up_is_counted(
    run: Any, assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / PATH[1:]
    path.mkdir(parents=True)
    caplog.set_level("INFO")

    async def main() -> None:
        world = history(assemble)
        await world.start()
        faults = world.provider("troubled", "main").faults
        for number in range(WAITING_LIMIT // 2 + 50):
            faults.raise_fault("generic/VendorError", f"{number}")
            faults.clear_all()
        path.rmdir()
        await asyncio.sleep(RETRY_S + 1)
        await world.stop()

    run(main())
    assert "errors are recorded again; 100 changes from before are lost" in caplog.text


def test_the_table_is_the_one_of_everest(run: Any, assemble: Any, tmp_path: Path) -> None:
    async def main() -> None:
        world = history(assemble)
        await world.start()
        await world.stop()
        with sqlite3.connect(tmp_path / PATH[1:]) as other:
            columns = [(row[1], row[2], row[3], row[5]) for row in other.execute("PRAGMA table_info(errors)")]
        other.close()
        assert columns[0] == ("uuid", "TEXT", 0, 1)
        assert [name for name, *_ in columns[1:]] == [
            "type",
            "description",
            "message",
            "origin_module",
            "origin_implementation",
            "timestamp",
            "severity",
            "state",
            "sub_type",
            "vendor_id",
        ]
        assert {tuple(rest) for _, *rest in columns[1:]} == {("TEXT", 1, 0)}

    run(main())


def test_in_real_time_a_thread_writes_and_nothing_is_lost(assemble: Any) -> None:
    async def main() -> None:
        world = history(assemble)
        await world.start()
        faults = world.provider("troubled", "main").faults
        for number in range(60):
            faults.raise_fault("generic/VendorError", f"fault {number}")
            faults.clear_all()
            if number % 10 == 0:
                await asyncio.sleep(0.001)
        assert {entry.message for entry in await errors(world)} == {f"fault {number}" for number in range(60)}
        faults.raise_fault("generic/VendorWarning", "last words")
        await world.stop()
        again = history(assemble)
        await again.start()
        assert "last words" in {entry.message for entry in await errors(again)}
        await again.stop()

    clock.run(main())


def test_what_is_forgotten_is_what_changed_first_whatever_the_clock_said(
    run: Any, assemble: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_rows, "KEPT_ROWS", 2)

    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        world = history(assemble)
        await world.start()
        faults = world.provider("troubled", "main").faults
        right_at = clock.utc_now()
        for number, wall_at in enumerate([right_at + timedelta(days=2000), right_at, right_at]):
            loop.set_wall(wall_at)
            faults.raise_fault("generic/VendorError", f"{number}")
            await asyncio.sleep(1)
            faults.clear_all()
            await asyncio.sleep(1)
        await world.stop()
        again = history(assemble)
        await again.start()
        assert {entry.message for entry in await errors(again)} == {"1", "2"}
        await again.stop()

    run(main())

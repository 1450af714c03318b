"""When the recorder saves: at faults, not too often; on request, without stopping anything; never to anybody's harm."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import socket
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel import clock, trace
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.faults import Fault, Faults, FaultState, Origin, Severity
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager import recording
from chargebyte_fw.manager.control import Control, ask
from chargebyte_fw.manager.recording import Recorder, files, read

Run = Callable[[Any], Any]


def book() -> Faults:
    def make(type: str, sub_type: str, message: str, severity: Severity) -> Fault:
        return Fault(type, sub_type, message, "", severity, Origin("bsp", "main"), FaultState.Active, "", "")

    return Faults(frozenset(("a/Stop", "a/Warning")), make)


def recorder(runtime: Runtime, *books: Faults) -> Recorder:
    made = Recorder(runtime, ModuleLog("manager"))
    made.watch(books)
    return made


def saved(runtime: Runtime) -> list[Path]:
    return files(runtime.root)


def test_a_fault_is_saved_with_what_it_led_to(run: Run, runtime: Runtime) -> None:
    async def main() -> None:
        faults = book()
        recorder(runtime, faults)
        runtime.trace.record("state", "bsp", "BEFORE")
        faults.raise_fault("a/Stop", "pressed")
        await asyncio.sleep(1)
        runtime.trace.record("state", "bsp", "AFTER")
        assert saved(runtime) == []
        await asyncio.sleep(recording.AFTERMATH_S)

    run(main())
    (path,) = saved(runtime)
    assert path.name.endswith("-bsp-a-Stop.cbor")
    assert [entry[3] for entry in read(path).entries[1:]] == ["BEFORE", "AFTER"]


def test_a_low_fault_is_none_to_save(run: Run, runtime: Runtime) -> None:
    async def main() -> None:
        faults = book()
        recorder(runtime, faults)
        faults.raise_fault("a/Warning", "dusty", severity=Severity.Low)
        await asyncio.sleep(10)

    run(main())
    assert saved(runtime) == []


def test_faults_that_go_on_make_fewer_and_fewer_files(run: Run, runtime: Runtime) -> None:
    moments: list[float] = []

    async def main() -> None:
        faults = book()
        made = recorder(runtime, faults)
        made.save_soon = lambda why: moments.append(asyncio.get_running_loop().time())  # type: ignore[method-assign]
        for _ in range(4 * 3600):
            faults.raise_fault("a/Stop", "again")
            await asyncio.sleep(0.5)
            faults.clear("a/Stop")
            await asyncio.sleep(0.5)

    run(main())
    assert moments[:4] == [2.0, 62.0, 182.0, 422.0]
    assert len(moments) <= 10


def test_number_and_size_of_files_are_bounded(run: Run, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        made = recorder(runtime)
        for _ in range(recording.KEPT + 5):
            await asyncio.sleep(1)
            await made.save("request")
        assert len(saved(runtime)) == recording.KEPT
        runtime.trace.record("v2g", "car", bytes(10_000))
        monkeypatch.setattr(recording, "KEPT_BYTES", 25_000)
        for _ in range(5):
            await asyncio.sleep(1)
            await made.save("request")

    run(main())
    assert sum(path.stat().st_size for path in saved(runtime)) <= 25_000 and len(saved(runtime)) >= 2


def test_the_latest_file_stays_although_the_clock_was_years_ahead_before(run: Run, runtime: Runtime) -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        made = recorder(runtime)
        right_at = utc_now()
        loop.set_wall(right_at + timedelta(days=2000))
        for _ in range(recording.KEPT):
            await asyncio.sleep(1)
            await made.save("request")
        loop.set_wall(right_at)
        for _ in range(3):
            path, _ = await made.save("request")
            assert path.exists() and len(saved(runtime)) == recording.KEPT
            await asyncio.sleep(1)

    run(main())


def test_a_full_disk_costs_one_line(
    run: Run, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def main() -> None:
        faults = book()
        made = recorder(runtime, faults)
        monkeypatch.setattr(os, "fsync", full)
        faults.raise_fault("a/Stop", "pressed")
        await asyncio.sleep(5)
        made.save_now("evse")
        assert await made.try_to_save("request") is None

    run(main())
    assert list((runtime.root.state / "var/lib/secc/traces").iterdir()) == []
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "the trace could not be saved: [Errno 28] No space left on device"
    ] * 3


def test_what_is_due_is_saved_when_the_charger_stops(run: Run, runtime: Runtime) -> None:
    async def main() -> None:
        faults = book()
        made = recorder(runtime, faults)
        faults.raise_fault("a/Stop", "pressed")
        await made.close()

    run(main())
    assert len(saved(runtime)) == 1


def test_a_name_cannot_lead_out_of_the_folder(run: Run, runtime: Runtime) -> None:
    async def main() -> None:
        target, _ = await recorder(runtime).save("../../etc/x y\0" + 200 * "z")
        assert target.parent == runtime.root.state / "var/lib/secc/traces" and target.exists()

    run(main())


# -- the control socket


def asked(runtime: Runtime, *lines: bytes) -> list[Any]:
    """Ask a charger's ear that listens in a loop of its own."""

    async def main() -> list[Any]:
        control = Control(runtime.root, recorder(runtime), ModuleLog("manager"))
        await control.start()
        runtime.trace.record("uart", "host", b"\xa5")
        try:
            return [await asyncio.to_thread(one, line) for line in lines]
        finally:
            await control.stop()

    def one(line: bytes) -> Any:
        with socket.socket(socket.AF_UNIX) as ear:
            folder = os.open(runtime.root.state / "run/secc", os.O_PATH)
            try:
                ear.connect(f"/proc/self/fd/{folder}/control")
            finally:
                os.close(folder)
            ear.settimeout(20)
            ear.sendall(line)
            ear.shutdown(socket.SHUT_WR)
            answer = ear.makefile("rb").readline()
            return json.loads(answer) if answer else None

    return clock.run(main())


def test_who_asks_gets_the_file(runtime: Runtime) -> None:
    (answer,) = asked(runtime, b'{"do": "save trace", "why": "look"}\n')
    assert answer["entries"] == 1 and answer["file"].endswith("-look.cbor")
    assert read(Path(answer["file"])).entries[1][3] == b"\xa5"


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b"[1]\n", b"\xff\xfe\n", b"[" * 4000 + b"\n", b"x" * 9000, b'"a'])
def test_nonsense_is_refused_and_the_next_request_is_served(runtime: Runtime, line: bytes) -> None:
    refused, served = asked(runtime, line, b'{"do": "save trace"}\n')
    assert "error" in refused and "file" in served


def test_the_socket_is_the_owners_alone_and_gone_with_the_charger(runtime: Runtime) -> None:
    async def main() -> None:
        control = Control(runtime.root, recorder(runtime), ModuleLog("manager"))
        await control.start()
        path = runtime.root.state / "run/secc/control"
        assert path.stat().st_mode & 0o777 == 0o600
        again = Control(runtime.root, recorder(runtime), ModuleLog("manager"))
        await again.start()
        answer = await asyncio.to_thread(ask, runtime.root, {"do": "save trace"})
        assert "file" in answer
        await again.stop()
        await control.stop()
        assert not path.exists()

    clock.run(main())
    with pytest.raises(Unavailable, match="no charger runs here"):
        ask(runtime.root, {"do": "save trace"})


def test_a_root_without_room_for_a_socket_does_not_keep_a_charger_from_running(runtime: Runtime) -> None:
    (runtime.root.state / "run").write_text("a file")

    async def main() -> None:
        control = Control(runtime.root, recorder(runtime), ModuleLog("manager"))
        await control.start()
        await control.stop()

    clock.run(main())


def without_cbor2(monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    monkeypatch.setitem(sys.modules, "cbor2", None)
    return "the Python package cbor2 is not installed: pip install 'chargebyte-fw[recorder]'"


def on_a_read_only_disk(monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    (folder / "var").write_text("a file in the place of the folder")
    return "Not a directory"


def with_a_full_disk(monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    return "No space left on device"


def with_an_error_of_ours(monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    def broken(*_: Any) -> bytes:
        raise KeyError("whatever")

    monkeypatch.setattr(trace, "_decode", broken)
    return "KeyError: 'whatever'"


@pytest.mark.parametrize("speed", [None, 1.0], ids=["in place", "in a thread"])
@pytest.mark.parametrize("trouble", [without_cbor2, on_a_read_only_disk, with_a_full_disk, with_an_error_of_ours])
def test_saving_the_trace_of_a_failure_never_fails_itself(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any, trouble: Any, speed: float | None
) -> None:
    async def main() -> None:
        ours = recorder(runtime)
        runtime.trace.record("state", "bsp", "FAILED")
        with monkeypatch.context() as patched:
            why = trouble(patched, tmp_path)
            ours.save_now("bsp")
            assert await ours.try_to_save("bsp") is None
            for line in (one.getMessage() for one in caplog.records):
                assert line.startswith("the trace could not be saved: ") and why in line and "\n" not in line
            assert len(caplog.records) == 2
        if (tmp_path / "var").is_file():
            (tmp_path / "var").unlink()
        assert await ours.try_to_save("bsp") is not None
        await ours.close()

    caplog.set_level(logging.ERROR)
    clock.run(main(), speed=speed)


def test_who_asks_for_a_trace_hears_what_is_not_installed(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = without_cbor2(monkeypatch, tmp_path)

    async def main() -> None:
        control = Control(runtime.root, recorder(runtime), ModuleLog("manager"))
        await control.start()
        try:
            answer = await asyncio.to_thread(ask, runtime.root, {"do": "save trace"})
            assert answer == {"error": f"the trace could not be saved: {why}"}
        finally:
            await control.stop()

    clock.run(main())

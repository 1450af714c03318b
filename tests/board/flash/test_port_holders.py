"""Who holds the UART: found, named, stopped only when asked."""

from __future__ import annotations

import asyncio
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.board.cb_charge_som_driver import CbChargeSOMDriver
from chargebyte_fw.board.flash import port_holders
from chargebyte_fw.board.flash.port_holders import Busy, Holder
from chargebyte_fw.board.flash.programmer import Programmer, Wiring
from chargebyte_fw.cli import mcu_bench
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.runtime import Runtime

HOLD = """import fcntl, sys, time
port = open(sys.argv[1], "rb+", 0)
fcntl.flock(port, fcntl.LOCK_EX)
print(flush=True)
time.sleep(60)
"""


@pytest.fixture
def line(runtime: Runtime) -> Iterator[Path]:
    """A pseudo-terminal where the UART is."""
    master, slave = pty.openpty()
    path = runtime.root.write("/dev/ttyLP2")
    path.symlink_to(os.ttyname(slave))
    yield path
    os.close(master)
    os.close(slave)


@pytest.fixture
def stack(line: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that owns the UART, as the driver does."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(line)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


async def use(runtime: Runtime) -> None:
    async with Programmer(runtime, Wiring(), ModuleLog("mcu")):
        pass


def test_the_holder_is_named_and_left_alone(runtime: Runtime, line: Path, stack: subprocess.Popen[bytes]) -> None:
    (holder,) = port_holders.holders(line)
    assert holder.pid == stack.pid and "python" in holder.command
    with pytest.raises(Busy, match=rf"held by process {stack.pid} \(.*python.*\); .*--stop-stack"):
        clock.run(use(runtime))
    assert stack.poll() is None


def test_the_driver_names_the_holder_and_takes_the_port_when_it_is_free(
    runtime: Runtime, line: Path, stack: subprocess.Popen[bytes], assemble: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        assembly = assemble(bsp=(CbChargeSOMDriver, {}))
        await assembly.start()
        while "held by" not in caplog.text:
            await asyncio.sleep(0.05)
        stack.kill()
        while "no answer" not in caplog.text:
            await asyncio.sleep(0.05)
        await assembly.stop()

    clock.run(main())
    assert f"dev/ttyLP2: held by process {stack.pid} (" in caplog.text


def test_a_holder_without_a_unit_is_asked_to_end(line: Path, stack: subprocess.Popen[bytes]) -> None:
    (holder,) = port_holders.holders(line)
    assert port_holders.stop(Holder(holder.pid, holder.command)) == ""
    assert stack.wait(10) == -15
    assert port_holders.holders(line) == []


READ = """import os, sys, time
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
print(flush=True)
while True:
    os.read(port, 1)
    time.sleep(0.01)
"""


@pytest.fixture
def reader(line: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that reads from the UART without a lock, such as `cat`."""
    process = subprocess.Popen([sys.executable, "-c", READ, str(line)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_reader_is_named_before_anything_is_sent(
    runtime: Runtime, line: Path, reader: subprocess.Popen[bytes]
) -> None:
    what = rf"ttyLP2 is also open in process {reader.pid} \(.*python.*\), which would take answers away; .*--stop-stack"
    with pytest.raises(Busy, match=what):
        clock.run(use(runtime))
    assert [one.pid for one in port_holders.readers(line)] == [reader.pid] and reader.poll() is None


def test_the_driver_names_a_second_reader_when_nothing_answers(
    runtime: Runtime, line: Path, reader: subprocess.Popen[bytes], assemble: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        assembly = assemble(bsp=(CbChargeSOMDriver, {}))
        await assembly.start()
        async with asyncio.timeout(30):
            while "also open" not in caplog.text:
                await asyncio.sleep(0.05)
        await assembly.stop()

    clock.run(main())
    assert f"the UART is also open in process {reader.pid} (" in caplog.text


def test_a_second_reader_under_another_name_of_the_device_is_named(
    runtime: Runtime, line: Path, reader: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    other = tmp_path / "safety-mcu"
    try:
        os.mknod(other, 0o600 | stat.S_IFCHR, line.stat().st_rdev)
    except PermissionError:
        other.symlink_to(line.resolve())
    assert [one.pid for one in port_holders.readers(other)] == [reader.pid]


def test_who_has_ended_was_not_stopped(line: Path, stack: subprocess.Popen[bytes], mocker: Any, capsys: Any) -> None:
    (holder,) = port_holders.holders(line)
    stack.kill()
    stack.wait()
    with pytest.raises(ProcessLookupError):
        port_holders.stop(holder)
    mocker.patch.object(port_holders, "has_systemd", return_value=True)
    inactive = mocker.patch.object(subprocess, "run", return_value=subprocess.CompletedProcess([], 3, "", ""))
    units: list[str] = []
    mcu_bench._stop([holder, Holder(holder.pid, "secc run", "everest.service")], units)
    assert units == [] and [call.args[0][1] for call in inactive.call_args_list] == ["is-active"]
    said = capsys.readouterr().err
    assert said.count("has ended by itself meanwhile") == 2
    assert "asked to stop" not in said and "start it again" not in said


def test_a_unit_that_starts_its_process_again_is_stopped_all_the_same(mocker: Any, capsys: Any) -> None:
    mocker.patch.object(port_holders, "has_systemd", return_value=True)
    mocker.patch.object(port_holders, "_exists", return_value=False)
    ran = mocker.patch.object(subprocess, "run", return_value=subprocess.CompletedProcess([], 0, "", ""))
    units: list[str] = []
    mcu_bench._stop([Holder(1234, "secc run", "everest.service")], units)
    assert units == ["everest.service"] and ran.call_args.args[0] == ["systemctl", "stop", "everest.service"]
    assert "process 1234 (secc run, everest.service) is asked to stop" in capsys.readouterr().err


def test_a_holder_of_a_unit_is_stopped_by_systemd(mocker: Any) -> None:
    mocker.patch.object(port_holders, "has_systemd", return_value=True)
    ran = mocker.patch.object(subprocess, "run", return_value=subprocess.CompletedProcess([], 0, "", ""))
    assert port_holders.stop(Holder(os.getpid(), "secc run", "everest.service")) == "everest.service"
    assert ran.call_args.args[0] == ["systemctl", "stop", "everest.service"]
    port_holders.start("everest.service")
    assert ran.call_args.args[0] == ["systemctl", "start", "everest.service"]
    ran.return_value = subprocess.CompletedProcess([], 5, "", "Access denied\n")
    with pytest.raises(OSError, match=r"systemctl start everest.service: Access denied"):
        port_holders.start("everest.service")


def test_a_process_says_its_unit(tmp_path: Path) -> None:
    (tmp_path / "77").mkdir()
    (tmp_path / "77/cmdline").write_bytes(b"/usr/bin/secc\0run\0")
    (tmp_path / "77/cgroup").write_text("0::/system.slice/everest.service\n")
    assert str(port_holders.describe(77, tmp_path)) == "process 77 (/usr/bin/secc run, everest.service)"
    assert str(port_holders.describe(78, tmp_path)) == "process 78 (?)"


def test_without_a_lock_those_who_have_it_open_are_named(tmp_path: Path) -> None:
    device = tmp_path / "tty"
    device.touch()
    (tmp_path / "proc/42/fd").mkdir(parents=True)
    (tmp_path / "proc/42/fd/3").symlink_to(device)
    (tmp_path / "proc/43/fd").mkdir(parents=True)
    (tmp_path / "proc/locks").write_text("1: FLOCK  ADVISORY  WRITE 99 00:00:1 0 EOF\n")
    assert [holder.pid for holder in port_holders.holders(device, tmp_path / "proc")] == [42]
    assert port_holders.holders(tmp_path / "nowhere", tmp_path / "proc") == []


def test_the_locks_of_the_kernel_name_the_holder(tmp_path: Path) -> None:
    """/proc/locks (proc_locks(5)): of many locks the ones on this file, of living processes other than this one."""
    device = tmp_path / "tty"
    device.touch()
    there = device.stat()
    place = f"{os.major(there.st_dev):02x}:{os.minor(there.st_dev):02x}:{there.st_ino}"
    (tmp_path / "locks").write_text(
        f"1: FLOCK  ADVISORY  WRITE 42 {place} 0 EOF\n"
        f"1: -> FLOCK  ADVISORY  WRITE 43 {place} 0 EOF\n"
        f"2: POSIX  ADVISORY  WRITE 44 {place} 0 EOF\n"
        f"3: FLOCK  ADVISORY  WRITE 45 {place}1 0 EOF\n"
        f"4: FLOCK  ADVISORY  WRITE -1 {place} 0 EOF\n"
        f"5: FLOCK  ADVISORY  WRITE 0 {place} 0 EOF\n"
        f"6: FLOCK  ADVISORY  WRITE {os.getpid()} {place} 0 EOF\n"
        "7: FLOCK  ADVISORY  WRITE 46\n"
        "\n"
    )
    assert port_holders.holders(device, tmp_path) == [Holder(42, "?")]


def test_a_uart_that_is_not_there_is_told(runtime: Runtime) -> None:
    with pytest.raises(Unavailable, match="ttyLP2: No such file"):
        clock.run(use(runtime))


def test_a_board_without_the_lines_is_told_before_anything_is_sent(runtime: Runtime, line: Path) -> None:
    with pytest.raises(Unavailable, match="no GPIO chip has a line named SAFETY_BOOTMODE_SET"):
        clock.run(use(runtime))
    assert port_holders.holders(line) == []


def test_a_chip_that_was_named_and_is_not_there_is_told(runtime: Runtime, line: Path) -> None:
    async def main() -> None:
        wiring = Wiring(gpiochip="/nowhere/gpiochip9")
        async with Programmer(runtime, wiring, ModuleLog("mcu")):
            pass

    with pytest.raises(Unavailable, match="/nowhere/gpiochip9 has no line named SAFETY_BOOTMODE_SET"):
        clock.run(main())

"""`secc mcu` as a person types it, on the virtual board; its clock does not wait."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.board.params import layout
from chargebyte_fw.cli.main import main
from chargebyte_fw.sim.chip import firmware_image

NEW = firmware_image((0, 5, 0), size=8192)
YAML = """\
version: 1
pt1000s: [off, off, 85.0 °C, 85.0 °C]
contactors: [without-feedback, without-feedback, none]
estops: [active-low, off, off]
"""
BLOCK = "0df001c00100ff1fff1f5203520300000000000000000101000000000000000100000df001c042"

Mcu = Callable[..., int]


@pytest.fixture
def mcu(tmp_path: Path) -> Mcu:
    """Run `secc mcu` on a board whose flash stays from one call to the next."""

    def call(*words: Any) -> int:
        return main(["mcu", *map(str, words), "--sim", str(tmp_path / "board"), "--sim-speed", "0"])

    return call


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Files that a person has."""
    (tmp_path / "new.bin").write_bytes(NEW)
    (tmp_path / "p.yaml").write_text(YAML)
    (tmp_path / "p.bin").write_bytes(bytes.fromhex(BLOCK))
    return tmp_path


def info(mcu: Mcu, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    mcu("info", "--json")
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_flash_shows_each_step_and_what_runs_then(mcu: Mcu, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mcu("flash", files / "new.bin") == 0
    shown = capsys.readouterr()
    assert shown.out == "0.5.0 (g7470cd6cb7945af7, Charge SOM, firmware, parameter version 1) is running\n"
    steps = ["reading parameters: 2048", "erasing: 131072", "writing: 8192", "verifying: 8192"]
    assert shown.err.splitlines() == [f"{step} bytes" for step in steps]
    told = info(mcu, capsys)
    assert told["flash"]["version"] == told["running"]["version"] == "0.5.0"
    assert (told["parameter_block_version"], told["interrupted"]) == (1, False)


def test_a_power_cut_at_half_and_the_same_again(mcu: Mcu, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mcu("flash", files / "new.bin", "--sim-power-cut", 50) == 1
    said = capsys.readouterr().err
    assert "does not answer (write, after 4096 of 8192 bytes)" in said
    assert "the same command once more repairs that" in said
    told = info(mcu, capsys)
    assert told["running"] is None and told["interrupted"]
    assert mcu("info") == 1
    assert "[ INVALID ]" in capsys.readouterr().out, "half a firmware is none, whatever its first block says"
    assert mcu("flash", files / "new.bin") == 0
    assert info(mcu, capsys)["running"]["version"] == "0.5.0"


@pytest.mark.parametrize(("moment", "said"), [("erase", "(erase)"), ("verify", "(read, after 4096 of 8192 bytes)")])
def test_a_power_cut_while_erasing_or_comparing(
    mcu: Mcu, files: Path, capsys: pytest.CaptureFixture[str], moment: str, said: str
) -> None:
    assert mcu("flash", files / "new.bin", "--sim-power-cut", moment) == 1
    assert said in capsys.readouterr().err
    assert info(mcu, capsys)["interrupted"]
    assert mcu("flash", files / "new.bin") == 0
    assert not info(mcu, capsys)["interrupted"]


@pytest.mark.parametrize("moment", ["101", "-1", "half"])
def test_a_power_cut_at_no_moment(mcu: Mcu, capsys: pytest.CaptureFixture[str], moment: str) -> None:
    with pytest.raises(SystemExit):
        mcu("info", f"--sim-power-cut={moment}")
    assert f"{moment!r} is no percentage, erase or verify" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (NEW[:5000], "truncated: it has 5000 bytes, the firmware is 8192"),
        (NEW[:4000] + b"\0\0\0\0" + NEW[4004:], "damaged: its CRC is"),
        (firmware_image((0, 5, 0), 0x82, size=8192), "is for Charge Control Y, this is a Charge SOM"),
        (firmware_image((0, 5, 0), size=0x20004), "131076 bytes do not fit into the 131072"),
        (b"#!/bin/sh\n" * 500, "no firmware of a safety controller"),
        (b"", "the file is empty"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_and_the_board_is_as_it_was(
    mcu: Mcu, files: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    (files / "x.bin").write_bytes(content)
    assert mcu("flash", files / "x.bin") == 1
    assert said in capsys.readouterr().err
    assert info(mcu, capsys)["running"]["version"] == "0.4.1"


def test_a_file_that_is_not_there(mcu: Mcu, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mcu("flash", files / "nowhere.bin") == 1
    assert f"{files / 'nowhere.bin'}: No such file" in capsys.readouterr().err


def test_info_of_a_file_says_what_it_is_and_whether_it_is_whole(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mcu", "info", str(files / "new.bin")]) == 0
    assert "Firmware Version:          0.5.0" in capsys.readouterr().out
    (files / "cut.bin").write_bytes(NEW[:-4])
    assert main(["mcu", "fw-info", str(files / "cut.bin")]) == 1
    shown = capsys.readouterr()
    assert "0.5.0" in shown.out and "truncated" in shown.err


def test_the_lines_that_scripts_compare_are_where_they_were(
    mcu: Mcu, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `ra-update fw-info | tail -n +3 | head -n 6` of a file and of the controller."""
    assert mcu("flash", files / "new.bin") == 0
    capsys.readouterr()
    told = []
    for words in (("fw_info", files / "new.bin"), ("fw-info",)):
        assert mcu(*words) == 0
        told.append(capsys.readouterr().out.splitlines())
    names = ["Firmware Size", "Firmware Checksum (CRC32)", "Firmware Version", "Firmware Platform Type",
             "Firmware Application Type", "Git Hash"]  # fmt: skip
    assert [line.partition(":")[0] for line in told[0][2:8]] == names
    assert told[0][2:8] == told[1][2:8]
    assert told[0][10] == told[1][10] == 36 * "=" + "[ VALID ]=="


def test_info_of_the_board_in_words(mcu: Mcu, capsys: pytest.CaptureFixture[str]) -> None:
    assert mcu("info") == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[0] == "==[ Current MCU Firmware ]====================="
    assert "Running:         0.4.1 (g7470cd6cb7945af7, Charge SOM" in shown
    assert "R7FA2E1A93CFM (128 kB, -40 to 105 °C, industrial)" in shown


def test_chipinfo(mcu: Mcu, capsys: pytest.CaptureFixture[str]) -> None:
    assert mcu("chipinfo") == 0
    shown = capsys.readouterr().out
    assert "== Area 0 (code) ==\nStart Address: 0x00000000\nEnd Address: 0x0001ffff\n  => Size: 131072 (0x000" in shown
    assert "Recommended Maximum UART Baudrate [bps]: 1500000" in shown
    assert mcu("chipinfo", "--json") == 0
    assert [area["kind"] for area in json.loads(capsys.readouterr().out)["areas"]] == ["code", "data", "config"]


@pytest.mark.parametrize("words", [("-a", "data", "dump"), ("dump", "-a", "DATA")])
def test_the_options_of_ra_update_stand_where_one_likes(mcu: Mcu, files: Path, words: tuple[str, ...]) -> None:
    assert mcu(*words, files / "out.bin") == 0
    content = (files / "out.bin").read_bytes()
    assert len(content) == 2048 and layout.identify(content) == (1, 39)


@pytest.mark.parametrize("words", [(), ("flash",), ("monitor",), ("params", "create"), ("params", "write")])
def test_each_command_tells_its_version(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["mcu", *words, "-V"])
    assert ended.value.code == 0 and capsys.readouterr().out.startswith("secc ")


def test_dump_and_erase(mcu: Mcu, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mcu("dump", files / "code.bin") == 0
    assert (files / "code.bin").read_bytes()[:58448] == firmware_image()
    assert mcu("erase") == 0
    assert info(mcu, capsys)["flash"] is None
    assert mcu("flash", files / "new.bin") == 0


@pytest.mark.parametrize("command", ["reset", "bootloader"])
def test_the_lines_alone(mcu: Mcu, command: str) -> None:
    assert mcu(command) == 0


def test_environment_and_options_name_the_wires(
    mcu: Mcu, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAFETY_MCU_UART", "/dev/ttyLP1")
    monkeypatch.setenv("SAFETY_MCU_RESET_GPIO", "nSAFETY2_RESET_INT")
    monkeypatch.setenv("SAFETY_MCU_MD_GPIO", "SAFETY2_BOOTMODE_SET")
    assert mcu("reset") == 0
    missing = main(["mcu", "reset", "--root", "/nowhere"])
    assert missing == 1 and "/nowhere/dev/ttyLP1: No such file" in capsys.readouterr().err
    assert main(["mcu", "reset", "--root", "/nowhere", "-d", "/dev/ttyX"]) == 1
    assert "/nowhere/dev/ttyX" in capsys.readouterr().err


# Parameter blocks


def test_create_dump_and_check(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mcu", "params", "create", str(files / "p.yaml"), "-o", str(files / "out.bin")]) == 0
    assert (files / "out.bin").read_bytes().hex() == BLOCK
    assert "version 1 (as the file says), 39 bytes, CRC 0x42" in capsys.readouterr().err
    assert main(["mcu", "params", "dump", str(files / "out.bin")]) == 0
    (files / "again.yaml").write_text(capsys.readouterr().out)
    assert main(["mcu", "params", "create", "-i", str(files / "again.yaml"), "-o", str(files / "again.bin")]) == 0
    assert (files / "again.bin").read_bytes().hex() == BLOCK
    assert main(["mcu", "params", "check", str(files / "out.bin")]) == 0
    assert main(["mcu", "params", "check", str(files / "p.yaml")]) == 0
    assert "fits whole into version 0, 1, 2" in capsys.readouterr().out


def test_check_and_create_agree_about_the_version_and_about_what_would_be_lost(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monitor = "rcm: {fault-polarity: active-low, test-polarity: active-high, test-trigger-time: 60 ms, "
    text = YAML + monitor + "test-check-tripped-time: 80 ms, test-check-normal-time: 100 ms}\n"
    file, out = files / "rcm.yaml", files / "o.bin"

    def both(text: str, *options: str) -> tuple[set[int], str, str]:
        file.write_text(text)
        statuses = {main(["mcu", "params", "check", str(file), *options])}
        statuses.add(main(["mcu", "params", "create", str(file), "-o", str(out), *options]))
        printed = capsys.readouterr()
        return statuses, printed.out, printed.err

    statuses, _, said = both(text)
    assert statuses == {78} and not out.exists()
    lost = "rcm fault-polarity (active-low) would be lost: a block of version 1 does not have it"
    assert said.count(f"error: {lost} (it is in version 2; --leave-out drops it)") == 2
    statuses, printed, said = both(text, "--leave-out")
    whole = "39 bytes: no problems; fits whole into version 2"
    assert statuses == {0} and f"version 1 (as the file says), {whole}" in printed
    assert "version 1 (as the file says), 39 bytes, CRC" in said and "is left out" in said
    for newest in (text.replace("version: 1", "version: 2"), text.replace("version: 1\n", "")):
        statuses, printed, said = both(newest)
        assert statuses == {0} and "version 2 (" in printed and "version 2 (" in said and out.stat().st_size == 44
    assert both(text, "--version", "2")[0] == {0}
    assert both(text.replace("version: 1", "version: 3"))[0] == {78}


def test_check_as_json(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mcu", "params", "check", str(files / "p.yaml"), "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert (plain["version"], plain["bytes"], plain["fits"], plain["findings"]) == (1, 39, [0, 1, 2], [])
    assert main(["mcu", "params", "check", str(files / "p.bin"), "--version", "2", "--json"]) == 1
    plain = json.loads(capsys.readouterr().out)
    assert plain["findings"][0]["what"] == "this is a block of version 1, not 2"
    assert plain["findings"][0]["number"] == "C314"


def test_the_example_of_the_manual_is_whole(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manual = (Path(__file__).parents[2] / "docs/mcu.md").read_text("utf-8")
    (files / "manual.yaml").write_text(re.findall(r"```yaml\n(version.*?)```", manual, re.DOTALL)[0], "utf-8")
    assert main(["mcu", "params", "check", str(files / "manual.yaml")]) == 0
    assert "no problems" in capsys.readouterr().out


def test_create_shows_where_each_value_goes(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["mcu", "params", "create", "-D", "-i", str(files / "p.yaml"), "-o", str(files / "out.bin")]
    assert main(words) == 0
    said = capsys.readouterr().err
    assert "byte 10: pt1000s 3 abort-temperature: 85.0 °C\n" in said and "byte 31: estops 1: active-low\n" in said


@pytest.mark.parametrize(("version", "size"), [(0, 22), (1, 39), (2, 44)])
def test_each_version_can_be_asked_for(files: Path, version: int, size: int) -> None:
    words = ["mcu", "params", "create", str(files / "p.yaml"), "-o", str(files / "o.bin"), "--version", str(version)]
    assert main(words) == 0
    assert len((files / "o.bin").read_bytes()) == size


def test_a_version_that_cannot_be_written_is_told_with_its_place(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "3.yaml").write_text(YAML.replace("version: 1", "version: 3"))
    assert main(["mcu", "params", "create", str(files / "3.yaml"), "-o", str(files / "o.bin")]) == 78
    assert "3.yaml:1:10: error: a block of version 3 cannot be written" in capsys.readouterr().err
    assert not (files / "o.bin").exists()
    words = ["mcu", "params", "create", str(files / "3.yaml"), "-o", str(files / "o.bin"), "--version-override", "1"]
    assert main(words) == 0
    with pytest.raises(SystemExit):
        main(["mcu", "params", "create", str(files / "p.yaml"), "--version", "4"])


def test_mistakes_are_told_with_line_and_column_and_nothing_is_written(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "bad.yaml").write_text(YAML.replace("85.0 °C, 85.0 °C", "85.0 C, 85.0  °C"))
    for words in (["create", "-o", str(files / "o.bin")], ["check"]):
        assert main(["mcu", "params", words[0], str(files / "bad.yaml"), *words[1:]]) == 78
        said = capsys.readouterr().err
        assert "bad.yaml:2:21: error: pt1000s 3 abort-temperature" in said or "bad.yaml:2:21: error: pt1000s 3" in said
        assert "bad.yaml:2:29: error: pt1000s 4" in said
    assert not (files / "o.bin").exists()


def test_a_block_with_a_wrong_crc_is_shown_and_fails(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "bad.bin").write_bytes(bytes.fromhex(BLOCK)[:-1] + b"\0")
    for action in ("dump", "check"):
        assert main(["mcu", "params", action, str(files / "bad.bin")]) == 1
    shown = capsys.readouterr()
    assert "abort-temperature: 85.0 °C" in shown.out and "the CRC is wrong" in shown.err
    (files / "none.bin").write_bytes(b"\0" * 40)
    assert main(["mcu", "params", "dump", str(files / "none.bin")]) == 1
    assert "no parameter block" in capsys.readouterr().err


def test_a_block_of_version_3_is_named_and_not_interpreted(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    block = layout.MARKER + b"\x03\0" + bytes(60) + layout.MARKER
    (files / "3.bin").write_bytes(block + bytes((layout.crc8(block),)))
    assert main(["mcu", "params", "check", str(files / "3.bin")]) == 0
    assert "version 3, 71 bytes, layout not known" in capsys.readouterr().out
    assert main(["mcu", "params", "dump", str(files / "3.bin")]) == 1
    shown = capsys.readouterr()
    assert shown.out == "" and "kept as they are" in shown.err


def test_standard_input_and_output(files: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> None:
    def stdin(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    stdin(YAML.encode())
    assert main(["mcu", "params", "create", "-"]) == 0
    assert capfdbinary.readouterr().out.hex() == BLOCK
    stdin(bytes.fromhex(BLOCK).ljust(2048, b"\xff"))
    assert main(["mcu", "params", "dump"]) == 0
    assert b"85.0" in capfdbinary.readouterr().out


@pytest.mark.parametrize("name", ["p.yaml", "p.bin"])
def test_a_block_is_written_and_found_in_the_board(
    mcu: Mcu, files: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert mcu("params", "write", files / name) == 0
    assert "parameter block (version 1, 39 bytes) written and verified" in capsys.readouterr().out
    assert mcu("params", "dump", "--device") == 0
    assert "abort-temperature: 85.0 °C" in capsys.readouterr().out


def test_ra_updates_way_to_write_a_block(mcu: Mcu, files: Path) -> None:
    assert mcu("-a", "data", "flash", files / "p.bin") == 0


def test_yaml_becomes_the_version_that_the_running_firmware_needs(
    mcu: Mcu, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "v2.bin").write_bytes(firmware_image((0, 6, 0), parameter_version=2, size=8192))
    assert mcu("flash", files / "v2.bin") == 0
    assert "the controller will stay in its safe state" in capsys.readouterr().err
    assert mcu("params", "write", files / "p.yaml") == 0
    assert "version 2, 44 bytes" in capsys.readouterr().out


def test_a_block_of_another_version_is_refused_before_anything_is_written(
    mcu: Mcu, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["mcu", "params", "create", str(files / "p.yaml"), "-o", str(files / "2.bin"), "--version", "2"]
    assert main(words) == 0
    for wrong in ((files / "2.bin",), (files / "p.yaml", "--version", "2")):
        capsys.readouterr()
        assert mcu("params", "write", *wrong) == 78
        said = capsys.readouterr().err
        assert "the block has version 2, the running firmware needs version 1" in said and "--version 1" in said
        assert "erasing" not in said
    assert mcu("params", "write", files / "2.bin", "--force") == 0


def test_firmware_that_needs_an_unknown_version_gets_nothing_made_from_yaml(
    mcu: Mcu, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "v3.bin").write_bytes(firmware_image((0, 9, 0), parameter_version=3, size=8192))
    assert mcu("flash", files / "v3.bin", "--migrate-parameters") == 1
    assert "the layout of version 3 is not known" in capsys.readouterr().err
    assert mcu("flash", files / "v3.bin") == 0
    assert mcu("params", "write", files / "p.yaml") == 78
    assert "needs version 3, whose layout is not known" in capsys.readouterr().err


def test_a_damaged_block_is_not_written(mcu: Mcu, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "bad.bin").write_bytes(bytes.fromhex(BLOCK)[:-1] + b"\0")
    assert mcu("params", "write", files / "bad.bin") == 78
    assert "the CRC is wrong" in capsys.readouterr().err


# At boot


def test_auto_update_tells_the_journal(mcu: Mcu, files: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = files / "ra-utils"
    folder.mkdir()
    assert mcu("auto-update", "--folder", folder) == 1
    assert "ERROR   mcu: safety controller: not updated: no firmware file (*_fw_*.bin) in" in capfd.readouterr().err
    (folder / "chargesom_fw_v_00_05_00.bin").write_bytes(NEW)
    assert mcu("auto-update", "--folder", folder) == 0
    said = capfd.readouterr().err
    assert "INFO    mcu: safety controller: 0.4.1 (" in said and "0.5.0 flashed, verified and running" in said
    assert mcu("auto-update", "--folder", folder) == 0
    assert "runs, as in chargesom_fw_v_00_05_00.bin" in capfd.readouterr().err


# Over a real pseudo-terminal, with processes of their own


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Path]:
    """The virtual controller as a process: returns the charger's root."""
    root = tmp_path / "charger"
    words = [sys.executable, "-m", "chargebyte_fw.sim.board", "--root", str(root)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"the safety controller is at ")
    yield root
    process.terminate()
    process.wait(10)
    process.stdout.close()


def test_flash_over_a_pseudo_terminal(board: Path, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "small.bin").write_bytes(firmware_image((0, 5, 0), size=2048))
    assert main(["mcu", "flash", str(files / "small.bin"), "--root", str(board), "-p", "50"]) == 0
    assert "0.5.0" in capsys.readouterr().out


def test_the_monitor_takes_keys_from_a_pipe(board: Path) -> None:
    words = [sys.executable, "-m", "chargebyte_fw.cli.main", "mcu", "monitor", "--root", str(board), "-p", "50"]
    done = subprocess.run(words, input="er1q", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "0.4.1 (g7470cd6cb7945af7, Charge SOM" in done.stdout
    assert "-> ChargeControl pwm_active duty_percent=5 contactor_1_close" in done.stdout
    assert "ChargeState pwm_active duty_percent=5 cp_state=A" in done.stdout


def test_the_monitor_has_a_screen_on_a_terminal(board: Path) -> None:
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "chargebyte_fw.cli.main", "mcu", "monitor", "--root", str(board), "-p", "50"]
    process = subprocess.Popen(words, stdin=theirs, stdout=theirs)
    os.close(theirs)
    seen, pressed = b"", b""
    try:
        while True:
            seen = (seen + os.read(ours, 65536))[-8192:]
            if not pressed and b"Control Pilot:   E" in seen:
                pressed = b"r"
                os.write(ours, pressed)
            if pressed and b"Current Duty Cycle:   5.0%" in seen:
                break
        assert b"Requested Duty Cycle:   5.0%" in seen and b"-> ChargeControl pwm_active duty_percent=5" in seen
        os.write(ours, b"q")
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait(10)
        os.close(ours)


HOLD = """import fcntl, sys, time
port = open(sys.argv[1], "rb+", 0)
fcntl.flock(port, fcntl.LOCK_EX)
print(flush=True)
time.sleep(60)
"""


def test_the_stack_is_named_and_stopped_only_when_asked(board: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [sys.executable, "-c", HOLD, str(board / "dev/ttyLP2")]
    stack = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert stack.stdout is not None
    stack.stdout.readline()
    try:
        assert main(["mcu", "reset", "--root", str(board), "-p", "50"]) == 1
        assert f"held by process {stack.pid}" in capsys.readouterr().err
        assert stack.poll() is None
        assert main(["mcu", "reset", "--root", str(board), "-p", "50", "--stop-stack"]) == 0
        assert f"process {stack.pid} belongs to no unit: start it again yourself" in capsys.readouterr().err
        assert stack.wait(10) == -15
    finally:
        stack.kill()
        stack.stdout.close()


def test_the_monitor_shows_while_its_pipe_stays_open(board: Path) -> None:
    words = [sys.executable, "-m", "chargebyte_fw.cli.main", "mcu", "monitor", "--root", str(board), "-p", "50"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    assert "0.4.1" in process.stdout.readline()
    process.stdin.write("r")
    process.stdin.flush()
    while "ChargeState pwm_active duty_percent=5" not in process.stdout.readline():
        assert process.poll() is None
    process.stdin.write("q")
    process.stdin.flush()
    assert process.wait(10) == 0
    process.stdin.close()
    process.stdout.close()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_hold_ends_with_ctrl_c_and_lets_go(board: Path, number: int, status: int) -> None:
    words = [sys.executable, "-m", "chargebyte_fw.cli.main", "mcu", "hold", "--root", str(board)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "held in reset until Ctrl-C" in process.stderr.readline()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.7)
    os.kill(process.pid, number)
    assert process.wait(10) == status
    process.stderr.close()
    assert main(["mcu", "info", "--root", str(board), "-p", "50"]) == 0

"""Output paths are checked before the work; whatever happens to a file, a pipe or a device is one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chargebyte_fw.cli import outputs
from chargebyte_fw.cli.main import main
from chargebyte_fw.cli.outputs import CannotWrite, output_file, output_file_in_new_folders, output_folder


def reason(kind: object, text: str) -> str:
    with pytest.raises(CannotWrite) as refused:
        kind(text)  # type: ignore[operator]
    return str(refused.value).removeprefix(f"{text}: ")


def test_a_path_that_can_be_written_is_taken_and_nothing_is_made(tmp_path: Path) -> None:
    for kind in (output_file, output_file_in_new_folders, output_folder):
        assert kind(str(tmp_path / "new")) == tmp_path / "new"
    assert output_file_in_new_folders(str(tmp_path / "a/b/new")) == tmp_path / "a/b/new"
    assert output_folder(str(tmp_path / "a/b")) == tmp_path / "a/b"
    assert output_file("-") == Path("-") and output_file("/dev/null") == Path("/dev/null")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_refused_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert reason(output_file, str(tmp_path)) == "this is a folder, not a file"
    assert reason(output_file, str(tmp_path / "no/x")) == f"there is no folder {tmp_path}/no"
    assert reason(output_file, str(tmp_path / "link")) == "this link leads to nothing"
    assert reason(output_file, f"{tmp_path}/file/x") == "Not a directory"
    assert reason(output_file_in_new_folders, f"{tmp_path}/file/a/x") == "Not a directory"
    assert reason(output_folder, str(tmp_path / "file")) == f"{tmp_path}/file is a file, not a folder"
    assert reason(output_file, str(tmp_path / ("n" * 300))) == "File name too long"
    assert reason(output_file, "") == "the name is empty"
    assert reason(output_file, "a\0b") == "no name of a file has a zero character"


def test_what_this_user_may_not_write_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert reason(output_file, str(tmp_path / "file")) == "this file cannot be written"
    assert reason(output_folder, str(tmp_path)) == f"the folder {tmp_path} cannot be written"


def test_an_error_in_the_middle_of_a_write_names_the_file() -> None:
    with pytest.raises(OSError, match="No space") as failed:
        outputs.write_text(Path("/dev/full"), "text")
    assert failed.value.filename == "/dev/full"


def secc(line: str) -> subprocess.CompletedProcess[str]:
    command = line.replace("secc", f"{sys.executable} -m chargebyte_fw.cli.main")
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False, timeout=60
    )


FULL = "standard output: No space left on device"


@pytest.mark.parametrize(
    ("line", "status", "printed"),
    [
        ("secc --help >/dev/full", 1, f"secc --help: {FULL}"),
        ("secc version >/dev/full", 1, f"secc version: {FULL}"),
        ("secc version --json | true", 0, ""),
        ("secc modules --help | true", 0, ""),
        ("secc version >&-", 0, ""),
        ("secc version >&- 2>&- <&-", 0, ""),
        ("LC_ALL=C PYTHONIOENCODING=ascii secc check /tmp/M\u00fcnchen.yaml", 78, ""),
    ],
)
def test_streams_that_are_full_or_closed_cost_a_line(line: str, status: int, printed: str) -> None:
    done = secc(line)
    assert (done.returncode, done.stderr.strip()) == (status, printed)


def test_ctrl_c_ends_a_verb_without_a_traceback() -> None:
    command = [sys.executable, "-m", "chargebyte_fw.cli.main", "decode"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("01fe80010000000480400040\n")
    process.stdin.flush()
    assert process.stdout.readline()  # it runs
    os.kill(process.pid, signal.SIGINT)
    _, printed = process.communicate(timeout=30)
    assert process.returncode == 130 and printed == ""


def test_an_error_of_the_system_in_a_verb_is_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_arguments: object) -> int:
        raise PermissionError(13, "Permission denied", "/etc/x")

    monkeypatch.setattr("chargebyte_fw.cli.version.run", fail)
    assert main(["version"]) == 1
    assert capsys.readouterr().err == "secc version: /etc/x: Permission denied\n"

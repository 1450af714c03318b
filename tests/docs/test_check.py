"""The shell into which the check of the pages types: state, statuses, what runs on, and what is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.site.check import Shell, Stuck, processes

LIMIT_S = 20


def test_a_page_is_one_shell(tmp_path: Path) -> None:
    shell = Shell(tmp_path, tmp_path / "home")
    assert shell.type("export X=1; mkdir inner; cd inner", LIMIT_S) == ("", 0)
    assert shell.type('echo "$X $PWD" >&2', LIMIT_S) == (f"1 {tmp_path}/inner\n", 0)
    assert shell.type("cat <<E\n$X\nE", LIMIT_S) == ("1\n", 0)
    assert shell.type("cat; (exit 78)", LIMIT_S) == ("", 78)
    assert shell.type("echo $HOME", LIMIT_S) == (f"{tmp_path}/home\n", 0)
    assert shell.close() == []


def test_what_runs_on_ends_with_the_page(tmp_path: Path) -> None:
    shell = Shell(tmp_path, tmp_path / "home")
    assert "ready" in shell.start("echo ready; sleep 60", "ready")
    assert shell.type("echo next", LIMIT_S) == ("next\n", 0)
    assert shell.close() == []
    assert list(processes(tmp_path / "home")) == []


def test_a_process_that_is_left_is_found_and_ended(tmp_path: Path) -> None:
    shell = Shell(tmp_path, tmp_path / "home")
    shell.type("sleep 60 &", LIMIT_S)
    assert shell.close() == ["sleep 60"]
    assert list(processes(tmp_path / "home")) == []


def test_a_command_that_does_not_end_is_stuck(tmp_path: Path) -> None:
    shell = Shell(tmp_path, tmp_path / "home")
    with pytest.raises(Stuck, match="sleep 60: not done"):
        shell.type("sleep 60", 0.2)
    shell.close()
    assert list(processes(tmp_path / "home")) == []

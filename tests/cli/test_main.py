"""The command `secc`: what it prints, and its exit status 0, 1, 2 and 78."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from chargebyte_fw import VERSION
from chargebyte_fw.cli.main import command_names, main

SOUND = """\
active_modules:
  energy_manager:
    module: EnergyManager
    connections:
      energy_trunk: [{module_id: grid, implementation_id: energy_grid}]
  grid:
    module: EnergyNode
    mapping: {module: {evse: 1}}
    config_module: {fuse_limit_A: 16}
    connections:
      energy_consumer: [{module_id: leaf, implementation_id: energy_grid}]
  leaf:
    module: EnergyNode
    config_module: {fuse_limit_A: 16}
    connections:
      energy_consumer: [{module_id: leaf2, implementation_id: energy_grid}]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc/everest").mkdir(parents=True)
    power = "active_modules:\n  supply:\n    module: DCSupplySimulator\n  imd:\n    module: IMDSimulator\n"
    (tmp_path / "etc/everest/config.yaml").write_text(power)
    (tmp_path / "etc/everest/broken.yaml").write_text(SOUND)
    return tmp_path


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out == f"secc {VERSION}\n"


def test_help_lists_every_subcommand(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    out = capsys.readouterr().out
    assert ended.value.code == 0
    assert {"check", "run", "modules", "manifests"} <= set(command_names())
    assert all(name in out for name in command_names())


@pytest.mark.parametrize("name", command_names())
def test_every_subcommand_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0 and f"secc {name}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["check"], ["run", "--nonsense"]])
def test_called_wrongly_is_exit_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and "usage: secc" in capsys.readouterr().err


def test_check_prints_what_would_run(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "config", "--root", str(root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["id", "module", "EVSE", "connected", "to", "from"]
    assert lines[2].split()[:2] == ["supply", "DCSupplySimulator"]
    assert lines[-1] == f"{root}/etc/everest/config.yaml: 2 modules, 0 errors, 0 warnings"


def test_check_prints_every_finding_and_exits_with_78(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(root / "etc/everest/broken.yaml")
    assert main(["check", file, "--root", str(root)]) == 78
    assert capsys.readouterr().out.splitlines() == [
        f"{file}:16:37: error: there is no module leaf2 (did you mean leaf?) [C064]",
        "    16 |       energy_consumer: [{module_id: leaf2, implementation_id: energy_grid}]",
        "       |                                     ^",
        f"{file}: 1 error, 0 warnings",
    ]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a:\n\tb: 1\n", ["     2 | \N{RIGHTWARDS ARROW TO BAR}b: 1", "       | ^"]),
        ("a:\n  b:\u00a01\n c: 2\n", ["     2 |   b:\N{OPEN BOX}1", "       |     ^"]),
        ("a: " + "x" * 100 + ": 1\n", ["     1 | " + "x" * 50 + ": 1", "       | " + " " * 50 + "^"]),
        ("- a\n" * 70_000, []),
    ],
)
def test_the_line_is_shown_with_a_caret_below_the_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], written: str, shown: list[str]
) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(written)
    assert main(["check", str(file)]) == 78
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if " | " in line][: len(shown)] == shown


def test_check_as_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "/etc/everest/broken.yaml", "--root", str(root), "--json"]) == 78
    told = json.loads(capsys.readouterr().out)
    assert not told["ok"] and told["findings"][0]["line"] == 16 and told["findings"][0]["hint"] == "did you mean leaf?"
    assert [one["id"] for one in told["modules"]] == ["energy_manager", "grid", "leaf"]


def test_a_file_that_is_not_there_is_told_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "/nowhere/x.yaml"]) == 78
    assert "/nowhere/x.yaml:1:1: error: there is no such file" in capsys.readouterr().out


def test_run_with_a_wrong_configuration_prints_every_finding_and_exits_with_78(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--root", str(root), "--config", "broken"]) == 78
    assert ":16:37: error: there is no module leaf2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--broker", "http://x"], "--broker: error: http:// is not spoken here"),
        (["--log-level", "LOUD"], "--log-level: error: LOUD is no level"),
    ],
)
def test_run_with_a_wrong_option_says_what_to_write(
    root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    assert main(["run", "--root", str(root), *arguments]) == 78
    assert text in capsys.readouterr().err


def test_modules_lists_name_version_and_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["modules", "EnergyNode"]) == 0
    line = capsys.readouterr().out.splitlines()[2]
    assert line.split()[:2] == ["EnergyNode", "chargebyte_fw"]
    assert f" {VERSION} " in line
    assert "energy_grid:energy" in line and "energy_consumer+" in line and "powermeter?" in line


def test_modules_verbose_shows_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["modules", "--verbose", "EnergyNode"]) == 0
    out = capsys.readouterr().out
    assert "fuse_limit_A: number (mandatory)" in out and "phase_count: integer = 3" in out


def test_modules_that_are_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["modules", "EnergyNoode"]) == 1
    assert "EnergyNoode is not installed. did you mean EnergyNode?" in capsys.readouterr().out


def test_manifests_are_files_that_yaml_reads(tmp_path: Path) -> None:
    main(["manifests", "--out", str(tmp_path)])
    manifest = yaml.safe_load((tmp_path / "modules/EnergyNode/manifest.yaml").read_text())
    assert manifest["provides"]["energy_grid"]["interface"] == "energy"
    assert yaml.safe_load((tmp_path / "interfaces/slac.yaml").read_text())["cmds"]["reset"]
    assert yaml.safe_load((tmp_path / "errors/generic.yaml").read_text())["errors"]
    assert json.loads((tmp_path / "schemas/types/energy.json").read_text())["EvseState"]["enum"]


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m chargebyte_fw.cli.main modules --verbose EnergyNode | true"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, timeout=60, check=False)
    assert b"Traceback" not in done.stderr


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    code = (
        "import sys, chargebyte_fw.cli.main as m; m.parser_for(m.command_names());"
        "print([n for n in ('yaml','msgspec','paho','asyncio','rich','amqtt','cryptography') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", b"/tmp/M\xfcnchen.yaml"],
        ["run", b"/tmp/M\xfcnchen.yaml"],
        ["update", b"/tmp/M\xfcnchen.image"],
        ["auth", "list", "--file", b"/tmp/M\xfcnchen.csv"],
        ["decode", b"/tmp/M\xfcnchen.pcap"],
        ["trace", "show", b"/tmp/M\xfcnchen.cbor"],
        ["mcu", "params", "check", b"/tmp/M\xfcnchen.yaml"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_name_that_is_not_utf_8_is_told_in_words(arguments: list[str | bytes]) -> None:
    command = [sys.executable, "-m", "chargebyte_fw.cli.main", *arguments]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"}, check=False)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode in (1, 2, 78) and "nchen" in said, said
    assert "Traceback" not in said and "UnicodeEncodeError" not in said

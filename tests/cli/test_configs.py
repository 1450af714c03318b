"""`secc configs`, and as everest-config-tool: the slots that `secc manager --db` starts from (framework: 3.7)."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from chargebyte_fw.cli.main import main
from chargebyte_fw.kernel.paths import PrefixRoot
from chargebyte_fw.manager.everest.options import Options
from chargebyte_fw.manager.everest.source import source_of

VALIDATOR = "active_modules: {validator: {module: DummyTokenValidator}}\n"
STORE = "active_modules: {store: {module: YamlStore, config_module: {file: /srv/store.yaml}}}\n"
WRONG = "active_modules: {store: {module: YamlStor}}\n"

Call = Callable[[str], tuple[int, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Return what runs `secc configs` in a folder with three configurations."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name, text in (("validator", VALIDATOR), ("store", STORE), ("wrong", WRONG)):
        (tmp_path / f"{name}.yaml").write_text(text)

    def run(line: str) -> tuple[int, str]:
        status = main(["configs", *line.split()])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return run


def slots(call: Call) -> list[tuple[int, bool, int, str]]:
    listed = json.loads(call("list -d c.db --json")[1])
    return [(one["slot"], one["next_boot"], one["modules"], Path(one["file"]).name) for one in listed]


def test_each_configuration_has_a_slot_of_its_own_and_the_first_one_is_started(call: Call) -> None:
    assert call("add --config validator.yaml --db c.db") == (
        0,
        "validator.yaml is slot 0 of c.db: 1 module; the next start is from slot 0\n",
    )
    assert call("add -c store.yaml -d c.db")[1].endswith("slot 1 of c.db: 1 module; the next start is from slot 0\n")
    assert slots(call) == [(0, True, 1, "validator.yaml"), (1, False, 1, "store.yaml")]
    table = [line.split() for line in call("list -d c.db")[1].splitlines()]
    assert table[0][:5] == ["slot", "next", "start", "modules", "stored"]
    assert table[2][:3] == ["0", "yes", "1"] and table[3][:2] == ["1", "1"]


def test_the_manager_reads_the_slot_of_the_next_start_whole(call: Call, tmp_path: Path) -> None:
    call("add -c validator.yaml -d c.db")
    call("add -c store.yaml -d c.db")

    def started() -> dict[str, object]:
        options = Options(prefix=tmp_path, database=tmp_path / "c.db")
        found = source_of(options, PrefixRoot(tmp_path, tmp_path / "var")).read()
        assert not found.findings
        return {plan.id: plan.config for plan in found.plans}

    assert started().keys() == {"validator"}
    assert call("choose -d c.db -s 1") == (0, "the next start is from slot 1 of c.db\n")
    assert started()["store"].file == "/srv/store.yaml"  # type: ignore[attr-defined]


def test_the_slot_of_the_next_start_stays_and_every_other_one_goes(call: Call, tmp_path: Path) -> None:
    for name in ("validator", "store", "store"):
        call(f"add -c {name}.yaml -d c.db")
    refused = "secc configs: the next start is from slot 0 of c.db; choose another one for it first\n"
    assert call("delete -d c.db -s 0") == (1, refused)
    assert call("delete --db c.db --slot 1") == (0, "slot 1 of c.db is deleted\n")
    assert [one[0] for one in slots(call)] == [0, 2]
    with closing(sqlite3.connect(tmp_path / "c.db")) as database:
        for table in ("CONFIG_META", "MODULE", "CONFIGURATION"):
            of = "ID" if table == "CONFIG_META" else "CONFIG_ID"
            assert not database.execute(f"SELECT * FROM {table} WHERE {of} = 1").fetchall(), table
    assert call("add -c validator.yaml -d c.db")[1].startswith("validator.yaml is slot 3 of c.db")


@pytest.mark.parametrize("command", ["delete", "choose"])
def test_a_slot_that_is_not_there_is_named_with_those_that_are(call: Call, command: str) -> None:
    call("add -c validator.yaml -d c.db")
    call("add -c store.yaml -d c.db")
    assert call(f"{command} -d c.db -s 7") == (1, "secc configs: c.db has no slot 7; there are 0, 1\n")


def test_what_is_wrong_is_stored_nowhere(call: Call, tmp_path: Path) -> None:
    status, text = call("add -c wrong.yaml -d c.db")
    assert status == 78 and "did you mean YamlStore?" in text and "[C046]" in text
    assert not (tmp_path / "c.db").exists()
    call("add -c store.yaml -d c.db")
    call("add -c wrong.yaml -d c.db")
    assert len(slots(call)) == 1


def test_a_configuration_is_validated_by_its_short_name_in_the_prefix(call: Call, tmp_path: Path) -> None:
    (tmp_path / "p/etc/everest").mkdir(parents=True)
    (tmp_path / "p/etc/everest/short.yaml").write_text(STORE)
    wanted = (0, f"{tmp_path}/p/etc/everest/short.yaml is sound: 1 module\n")
    assert call("-p p validate -c short") == call("validate -c short --prefix p") == wanted
    assert call("validate -c wrong.yaml")[0] == 78
    assert [path.name for path in tmp_path.glob("*.db")] == []


@pytest.mark.parametrize("line", ["list -d none.db", "delete -d none.db -s 0", "choose -d none.db -s 0"])
def test_a_database_that_is_not_there_is_not_made(call: Call, tmp_path: Path, line: str) -> None:
    wanted = "secc: there is no file none.db; `secc configs add` and `secc manager --db` make it\n"
    assert call(line) == (1, wanted)
    assert not (tmp_path / "none.db").exists()


def test_a_file_that_is_no_database_of_configurations_is_named_with_what_to_do(call: Call, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database\n" * 100)
    with closing(sqlite3.connect(tmp_path / "new.db")) as other:
        other.execute("CREATE TABLE CONFIG (ID)")
        other.execute("PRAGMA user_version = 5")
    for name, text in (
        ("text.db", "cannot be used: file is not a database; name another file"),
        ("new.db", "of schema version 5, this product has 4; name another file"),
        (".", "cannot be used: unable to open database file; name a file"),
        ("none/c.db", "cannot be used: unable to open database file; name a file"),
    ):
        status, printed = call(f"add -c store.yaml -d {name}")
        assert status == 1 and text in printed and name in printed, printed


def test_the_program_of_a_prefix_has_everest_s_exit_statuses(tmp_path: Path) -> None:
    prefix = tmp_path / "p"
    assert main(["prefix", str(prefix), "--no-certificates"]) == 0
    (prefix / "etc/everest/wrong.yaml").write_text(WRONG)
    tool, database = str(prefix / "bin/everest-config-tool"), str(tmp_path / "c.db")

    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=100, check=False)
        return done.returncode, done.stdout + done.stderr

    assert run("add", "--config", "config-sil-dc", "--db", database)[0] == 0
    status, text = run("list", "--db", database)
    assert status == 0 and ["0", "yes"] in [line.split()[:2] for line in text.splitlines()]
    assert run("validate", "--config", "wrong")[0] == 1
    assert run("delete", "--db", database, "--slot", "0")[0] == 1
    assert run("delete", "--db", database)[0] == 1
    assert run("--prefix", str(tmp_path), "validate", "--config", "config-sil-dc")[0] == 1
    assert run("--help")[0] == 0

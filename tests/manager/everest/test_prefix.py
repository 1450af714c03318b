"""The prefix has what EVerest's tools look for; its manager checks and dumps configurations."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from chargebyte_fw.cli.main import main
from chargebyte_fw.kernel.paths import PrefixRoot
from chargebyte_fw.sim.stations_of_two import STATIONS, configuration


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("prefix") / "p"
    assert main(["prefix", str(directory), "--no-certificates"]) == 0
    return directory


def loaded(path: Path) -> Any:
    return yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def test_every_file_fits_its_schema(prefix: Path) -> None:
    share = prefix / "share/everest"
    folders = {
        "interface": share / "interfaces",
        "type": share / "types",
        "error-declaration-list": share / "errors",
    }
    for name, folder in folders.items():
        schema = loaded(share / f"schemas/{name}.yaml")
        files = list(folder.glob("*.yaml"))
        assert files
        for path in files:
            jsonschema.validate(loaded(path), schema)
    schema = loaded(share / "schemas/manifest.yaml")
    manifests = list((prefix / "libexec/everest/modules").glob("*/manifest.yaml"))
    assert {path.parent.name for path in manifests} >= {"EvseManager", "Auth", "EnergyManager", "OCPP201"}
    for path in manifests:
        jsonschema.validate(loaded(path), schema)
    schema = loaded(share / "schemas/config.yaml")
    for name in STATIONS:
        jsonschema.validate(loaded(prefix / f"etc/everest/{name}.yaml"), schema)


def test_what_programs_need_is_there(prefix: Path) -> None:
    for path in ("etc/everest/default_logging.cfg", "share/everest/www", "lib/everest/everestpy/everest/framework"):
        assert (prefix / path).exists(), path
    assert (prefix / "share/everest/version_information.txt").read_text().startswith("chargebyte_fw ")


def test_the_manager_checks_and_dumps(prefix: Path, tmp_path: Path) -> None:
    (tmp_path / "sound.yaml").write_text("active_modules: {store: {module: YamlStore, config_module: {}}}")
    wrong = prefix / "etc/everest/wrong.yaml"
    wrong.write_text("active_modules: {a: {module: NoSuchModule}}")
    manager = [str(prefix / "bin/manager")]
    asked = [*manager, "--config", "wrong", "--check"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "NoSuchModule" in done.stderr
    done = subprocess.run([*manager, "--chek"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    done = subprocess.run([*manager, "--version"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and done.stdout.startswith("chargebyte_fw ")
    assert main(["manager", "--prefix", str(prefix), "--dumpmanifests", str(tmp_path / "manifests")]) == 0
    manifest = json.loads((tmp_path / "manifests/Auth.json").read_text())
    assert manifest["provides"]["main"]["interface"] == "auth"


def test_a_root_of_a_prefix_has_the_prefix_s_files_alone(tmp_path: Path) -> None:
    root = PrefixRoot(tmp_path / "p", tmp_path / "state")
    (tmp_path / "p/share/everest").mkdir(parents=True)
    assert root.read("/etc/everest/certs") == tmp_path / "p/etc/everest/certs"
    assert root.read("/usr/share/everest") == tmp_path / "p/share/everest"
    assert root.read("/usr/bin/env") == Path("/usr/bin/env")
    assert root.write("/var/lib/secc/x") == tmp_path / "state/var/lib/secc/x"
    assert root.read("/tmp/error_history.db") == Path("/tmp/error_history.db")
    assert root.read("everest.db") == Path("everest.db")


def test_a_station_is_made_anew_each_time() -> None:
    made = configuration("config-sil")
    made["active_modules"].clear()
    assert configuration("config-sil")["active_modules"]


def test_files_are_as_cpp_everest_reads_them(prefix: Path) -> None:
    """It resolves neither aliases of YAML nor references in manifests, and fills in what is absent by its schemas."""
    for path in prefix.rglob("*.yaml"):
        assert not any(isinstance(token, yaml.AliasToken) for token in yaml.scan(path.read_text())), path
    for path in (prefix / "libexec/everest/modules").glob("*/manifest.yaml"):
        assert "$ref" not in path.read_text(), path
    command = loaded(prefix / "share/everest/schemas/interface.yaml")["properties"]["cmds"]["patternProperties"]
    (declared,) = command.values()
    assert declared["properties"]["result"]["default"]["type"] == "null"
    assert declared["properties"]["arguments"]["default"] == {}

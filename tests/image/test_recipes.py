"""The recipes against the source, against BitBake's parser, and against what each series has."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw import VERSION
from tests.image import bitbake

ROOT = bitbake.ROOT
TABLE = Path(__file__).parent / "recipes-per-series.txt"


def series() -> dict[str, dict[str, str]]:
    """Return name, series and version."""
    rows = [line.split() for line in TABLE.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return {row[0]: dict(zip(bitbake.SERIES, row[1:], strict=True)) for row in rows}


def ours() -> dict[str, str]:
    """Return the recipes of this repository, by package name."""
    return {recipe.stem.partition("_")[0]: recipe.stem.partition("_")[2] for recipe in bitbake.recipes()}


def own_packages() -> set[str]:
    return {package for recipe in bitbake.recipes() for package in bitbake.packages(bitbake.read(recipe))}


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def test_every_import_of_the_source_is_a_dependency_of_its_package() -> None:
    done = subprocess.run([sys.executable, ROOT / "script/recipe-packages"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("recipe", bitbake.recipes(), ids=lambda path: path.stem)
def test_bitbake_reads_the_recipe(recipe: Path) -> None:
    data = bitbake.read(recipe)
    for name in ("SUMMARY", "DESCRIPTION", "HOMEPAGE", "LICENSE"):
        assert data.getVar(name), f"{recipe.name} has no {name}"
    # Expressions are evaluated when a variable is read, so read them all.
    for name in data:
        if not name.startswith(("do_", "__", "BB_")) and not data.getVarFlag(name, "func", False):
            data.getVar(name)


@pytest.mark.parametrize("recipe", bitbake.recipes(), ids=lambda path: path.stem)
def test_files_that_a_recipe_names_are_there(recipe: Path) -> None:
    data = bitbake.read(recipe)
    places = [Path(p) for p in (data.getVar("FILESEXTRAPATHS") or "").replace("__default:", "").split(":") if p]
    places += [recipe.parent / "files", recipe.parent / recipe.stem.partition("_")[0], recipe.parent]
    for uri in re.findall(r"file://([^;\s]+)", data.getVar("SRC_URI") or ""):
        assert any((place / uri).exists() for place in places), f"{recipe.name}: {uri}"


@pytest.mark.parametrize("recipe", bitbake.recipes(), ids=lambda path: path.stem)
def test_what_a_recipe_needs_exists_in_both_series(recipe: Path) -> None:
    table, own = series(), ours().keys() | own_packages()
    for name in bitbake.needs(bitbake.read(recipe)) - own:
        assert name in table, f"{recipe.name} needs {name}: not in {TABLE.name}"
        missing = [one for one, version in table[name].items() if version == "-"]
        assert not missing, f"{recipe.name} needs {name}, which {' and '.join(missing)} lack: bring a recipe"


def test_the_floors_of_setup_cfg_are_met_in_both_series() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    extras = setup["options.extras_require"]
    on_target = {"demo", "test"}
    lines = setup["options"]["install_requires"].splitlines()
    lines += [line for key in extras if key not in on_target for line in extras[key].splitlines()]
    table, own = series(), ours()
    checked = 0
    for line in lines:
        found = re.match(r"([A-Za-z0-9_.-]+)\s*(?:>=\s*([\d.]+))?", line.strip())
        if not found or line.strip().startswith("chargebyte-fw") or not found[2]:
            continue
        name = "python3-" + found[1].lower().removeprefix("python-").replace("_", "-")
        if name not in table:
            continue
        for one, version in table[name].items():
            there = own.get(name, version)
            assert there != "-" and numbers(there) >= numbers(found[2]), f"{line.strip()}: {one} has {there}"
            checked += 1
    assert checked >= 10


def test_one_version_everywhere() -> None:
    assert ours()["chargebyte-fw"] == VERSION
    text = (bitbake.LAYER / "conf/chargebyte-defaults.inc").read_text()
    assert f'CHARGEBYTE_RELEASE = "{VERSION}"' in text


def test_the_version_rule() -> None:
    data = bitbake.read(next(path for path in bitbake.recipes() if path.stem.startswith("chargebyte-fw_")))
    assert data.getVar("CHARGEBYTE_VERSION") == VERSION
    data.setVar("CHARGEBYTE_BUILD_ID", "12.gabcdef0")
    assert data.getVar("CHARGEBYTE_VERSION") == f"{VERSION}+12.gabcdef0"


def test_a_build_is_called_by_what_it_is_made_of(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        person = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(tmp_path), *person, *words], check=True, capture_output=True)

    def version(*options: str) -> str:
        script = tmp_path / "script/version"
        return subprocess.run([script, *options], check=True, capture_output=True, text=True).stdout.strip()

    (tmp_path / "script").mkdir()
    (tmp_path / "chargebyte_fw").mkdir()
    for name in ("version", "help.sh"):
        shutil.copy(ROOT / "script" / name, tmp_path / "script")
    (tmp_path / "chargebyte_fw/__init__.py").write_text('VERSION = "1.2.0"\n')
    assert (version(), version("--build-id")) == ("1.2.0", "")  # no repository: an archive of the source
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    assert re.fullmatch(r"1\.2\.0\+1\.g[0-9a-f]{7}", version())
    git("tag", "v1.2.0")
    assert (version(), version("--build-id")) == ("1.2.0", "")
    git("commit", "-qm", "two", "--allow-empty")
    assert re.fullmatch(r"1\.g[0-9a-f]{7}", version("--build-id"))
    (tmp_path / "chargebyte_fw/__init__.py").write_text('VERSION = "1.2.0"\n\n')
    assert re.fullmatch(r"1\.2\.0\+1\.g[0-9a-f]{7}\.changed", version())


def test_the_layer_says_which_series_it_is_for() -> None:
    text = (bitbake.LAYER / "conf/layer.conf").read_text()
    assert re.search(r'(?m)^LAYERSERIES_COMPAT_chargebyte-fw = "scarthgap wrynose"$', text)


@pytest.mark.parametrize("name", ["charge-som.yml", "wrynose.yml"])
def test_the_kas_file_fits_its_schema_and_pins_commits(name: str) -> None:
    import jsonschema
    import yaml

    content: Any = yaml.safe_load((bitbake.LAYER / "kas" / name).read_text())
    jsonschema.validate(content, json.loads(files("kas").joinpath("schema-kas.json").read_text()))
    for repo, entry in content["repos"].items():
        if repo != "chargebyte-fw":
            assert re.fullmatch(r"[0-9a-f]{40}", entry["commit"]), repo


def test_the_core_needs_no_house() -> None:
    data = bitbake.read(next(path for path in bitbake.recipes() if path.stem.startswith("chargebyte-fw_")))
    assert [name for name in bitbake.words(data, "RDEPENDS:chargebyte-fw") if name.startswith("chargebyte")] == []
    assert "chargebyte-fw" in bitbake.words(data, "RDEPENDS:chargebyte-fw-v2g")


def test_what_stands_in_for_others_has_every_name_that_our_recipes_want() -> None:
    names, tools = (bitbake.read(path) for path in sorted((ROOT / "tests/image/stand-in").rglob("*.bb"), reverse=True))
    ran = [recipe for recipe in bitbake.recipes() if recipe.parts[-3] == "recipes"]
    assert {recipe.stem.partition("_")[0] for recipe in ran} >= {"chargebyte-fw", "example-module", "example-program"}
    for recipe in ran:
        data = bitbake.read(recipe)
        runtime = {name for package in bitbake.packages(data) for name in bitbake.words(data, f"RDEPENDS:{package}")}
        missing = runtime - set(bitbake.words(names, "PACKAGES")) - own_packages()
        assert missing == set(), recipe.name
        assert set(bitbake.words(data, "DEPENDS")) <= set(bitbake.words(tools, "PROVIDES")), recipe.name


def test_the_linter_has_nothing_to_say() -> None:
    files = [*bitbake.recipes(), *bitbake.LAYER.rglob("*.bbappend")]
    options = ["--quiet", "--hide", "info", "--release", "scarthgap", "--suppress", "oelint.vars.homepageping"]
    # `inherit chargebyte-module` is how a vendor's layer is to read.
    options += ["--suppress", "oelint.bbclass.underscores", f"--constantmods=+{bitbake.LAYER}/oelint-variables.json"]
    command: list[str | Path] = [Path(sys.executable).parent / "oelint-adv", *options, *files]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr

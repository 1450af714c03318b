"""A vendor's module, laid out by its recipe and our class, baked into the image: listed, and it serves a session."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests import netns
from tests.image import bitbake
from tests.image.conftest import ROOT, SITE, Image
from tests.image.session import CHARGED, LIMIT_S, Session, place

__all__ = ["place"]

EXAMPLE = ROOT / "recipes/example-module"


def recipe(name: str) -> Any:
    """Return a recipe of the example as BitBake reads it."""
    return bitbake.read(next(EXAMPLE.glob(f"{name}_*.bb")))


def install(name: str, image: Image, work: Path) -> None:
    """Take a recipe's tasks from unpack to install: what SRC_URI names, the wheel, then our class's own function."""
    import bb.data

    data = recipe(name)
    source = work / data.getVar("BP")
    for path, options in re.findall(r"file://([^;\s]+)(\S*)", data.getVar("SRC_URI")):
        assert options == f";subdir={data.getVar('BP')}", "scarthgap and wrynose agree on no other place"
        target = source / path
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (EXAMPLE / "files" / path).is_dir() else shutil.copy
        copy(EXAMPLE / "files" / path, target)
    if bb.data.inherits_class("python_setuptools_build_meta", data):
        build = "import setuptools.build_meta as b, sys; b.build_wheel(sys.argv[1])"
        subprocess.run([sys.executable, "-c", build, str(work)], cwd=source, check=True, capture_output=True)
        options = ["--prefix", "/usr", "--destdir", str(image.root), str(next(work.glob("*.whl")))]
        subprocess.run([str(image.python), "-m", "installer", *options], check=True, capture_output=True)
    data.setVar("S", str(source))
    data.setVar("D", str(image.root))
    for function in (data.getVarFlag("do_install", "postfuncs") or "").split():
        script = 'bbfatal() { echo "$@" >&2; exit 1; }\nset -e\n' + data.getVar(function)
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def baked_with(name: str, configuration: str, pristine: Image, place: Path) -> Image:
    """Bake an image in which a vendor's recipe is installed."""
    shutil.copytree(pristine.root, place / "root", symlinks=True)
    image = Image(place / "root", pristine.python)
    (place / "work").mkdir()
    install(name, image, place / "work")
    done = image.script("bake", image.root, "--site", SITE, "--config", configuration)
    assert done.returncode == 0, done.stderr
    return image


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "configuration", "module"),
    [("example-module", "guests", "GuestList"), ("example-program", "guests-program", "GuestListProgram")],
    ids=["in process", "foreign"],
)
def test_the_example_is_listed_and_serves_a_session(
    name: str, configuration: str, module: str, pristine: Image, place: Path
) -> None:
    image = baked_with(name, configuration, pristine, place)
    listed = json.loads(image.secc("modules", "--json").stdout)
    row = next(one for one in listed["modules"] if one["name"] == module)
    assert row["provides"] == {"main": "auth_token_validator"} and listed["problems"] == []
    assert (image.root / "etc/everest/config.yaml").readlink() == Path(f"{configuration}.yaml")
    assert (image.root / f"usr/libexec/everest/modules/{module}/manifest.yaml").is_file()
    with netns.require(), netns.joined("eth1", "car0") as (charger, car):
        session = Session(image, charger, car, place / "work")
        said = session.wait(CHARGED)
        if module == "GuestList":
            assert "token_validator: a guest" in said
        else:
            assert session.answers() == ["Accepted"], said


@pytest.mark.slow
def test_who_is_not_on_the_examples_list_does_not_charge(pristine: Image, place: Path) -> None:
    image = baked_with("example-program", "guests-program", pristine, place)
    path = image.root / "etc/everest/guests-program.yaml"
    path.write_text(path.read_text().replace("guests: DEADBEEF CAFE0001", "guests: CAFE0001"))
    with netns.require(), netns.joined("eth1", "car0") as (charger, car):
        session = Session(image, charger, car, place / "work")
        for _ in range(LIMIT_S * 10):
            if session.answers():
                break
            time.sleep(0.1)
        assert session.answers()[0] == "Invalid"
        assert "transaction begins" not in session.said.read_text()


@pytest.mark.parametrize("name", ["example-module", "example-program"])
def test_a_recipe_with_a_module_is_ten_lines(name: str) -> None:
    text = next(EXAMPLE.glob(f"{name}_*.bb")).read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) <= 10, lines


@pytest.mark.parametrize(("missing", "told"), [("manifest.yaml", "no manifest.yaml"), ("module.py", "neither")])
def test_a_foreign_module_that_is_not_whole_ends_the_build(
    missing: str, told: str, python: Path, tmp_path: Path
) -> None:
    data = recipe("example-program")
    shutil.copytree(EXAMPLE / "files/GuestListProgram", tmp_path / "source/GuestListProgram")
    (tmp_path / "source/GuestListProgram" / missing).unlink()
    data.setVar("S", str(tmp_path / "source"))
    data.setVar("D", str(tmp_path / "image"))
    script = 'bbfatal() { echo "$@" >&2; exit 1; }\nset -e\n' + data.getVar("chargebyte_module_install")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True)
    assert done.returncode == 1 and told in done.stderr
    with suppress(FileNotFoundError):
        assert list((tmp_path / "image").rglob("module.py")) == []

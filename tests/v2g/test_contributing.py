"""CONTRIBUTING.md, "Add a V2G message", followed to the letter in a copy of the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VECTORS = "tests/captures/v2g/recorded-frames.jsonl"
DECLARATIONS = "chargebyte_fw/modules/v2g/messages/din.py"


def section() -> str:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    found = re.search(r"^## Add a V2G message$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def blocks(kind: str) -> list[str]:
    return [textwrap.dedent(block) for block in re.findall(rf"^ *```{kind}\n(.*?)^ *```$", section(), re.M | re.S)]


def apply(diff: str, tree: Path) -> None:
    """Replace the lines of a change, which stand once in its file."""
    head, change = diff.split("@@\n")
    name = head.splitlines()[0].removeprefix("--- a/")
    before = "".join(line[1:] for line in change.splitlines(keepends=True) if line[0] != "+")
    after = "".join(line[1:] for line in change.splitlines(keepends=True) if line[0] != "-")
    text = (tree / name).read_text("utf-8")
    assert text.count(before) == 1, f"{name} has changed: {before}"
    (tree / name).write_text(text.replace(before, after), "utf-8")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for folder in ("chargebyte_fw", "tests/v2g", "tests/captures"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "tests/__init__.py", "tests/conftest.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_section_adds_a_message(tree: Path) -> None:
    declaration, new_test = blocks("python")
    assert declaration in (ROOT / DECLARATIONS).read_text("utf-8")
    with (tree / VECTORS).open("a", encoding="utf-8") as vectors:
        vectors.writelines(blocks("json"))
    changes = blocks("diff")
    assert len(changes) == 2
    for change in changes:
        apply(change, tree)
    (name,) = re.findall(r"`(tests/v2g/secc/test_\w+\.py)`", section())
    (tree / name).write_text(new_test, "utf-8")
    run(tree, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", *wanted(tree, name))


def wanted(tree: Path, new_test: str) -> list[str]:
    """Return what the section runs, as far as it is about the message."""
    return [
        new_test,
        "tests/v2g/exi/test_streams.py",
        "tests/v2g/secc/test_sequence.py",
        "-k",
        "receipt or Receipt or turn",
    ]


def run(tree: Path, *arguments: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *arguments], cwd=tree, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_event_codes_are_as_the_section_writes_them() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.v2g.exi.event_counts"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == (ROOT / "tests/v2g/exi/event_counts.txt").read_text("utf-8")

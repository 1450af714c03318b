"""CONTRIBUTING.md followed to the letter in a copy of the tree: a module, a scenario (a message: tests/v2g)."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import textwrap
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
COPIED = ("chargebyte_fw", "hil", "etc", "usr", "tests/auth")
FILES = ("setup.cfg", "setup.py", "pyproject.toml", "ruff.toml", "README.md", "LICENSE", "MANIFEST.in")
TEST_FILES = ("tests/__init__.py", "tests/conftest.py")
START_LIMIT_S = 30


class Block(NamedTuple):
    """A block of code of the document."""

    kind: str
    text: str


def section(title: str) -> list[Block]:
    """The blocks of a section, in their order."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    found = re.search(rf"^## {title}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    blocks = re.findall(r"^ *```(\w+)\n(.*?)^ *```$", found[1], re.MULTILINE | re.DOTALL)
    return [Block(kind, textwrap.dedent(block)) for kind, block in blocks]


class Copy:
    """A copy of the tree with an environment of its own, over the packages of this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tree"
        for name in COPIED:
            shutil.copytree(ROOT / name, self.folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        for name in (*FILES, *TEST_FILES):
            shutil.copy(ROOT / name, self.folder / name)
        environment = folder / "venv"
        venv.create(environment, with_pip=False)
        (packages,) = environment.glob("lib/python*/site-packages")
        (packages / "outer.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
        path = os.pathsep.join([f"{environment}/bin", str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        self.environment.pop("PYTHONPATH", None)

    def write(self, text: str) -> None:
        """Write a block to the path in its first line."""
        first, _, rest = text.partition("\n")
        path = self.folder / first.removeprefix("# ")
        assert not path.exists(), f"{path} is there already"
        path.write_text(rest if path.suffix == ".py" else text, "utf-8")

    def change(self, diff: str) -> None:
        """Replace the lines of a change, which stand once in its file."""
        head, change = diff.split("@@\n")
        path = self.folder / head.splitlines()[0].removeprefix("--- a/")
        before = "".join(line[1:] for line in change.splitlines(keepends=True) if line[0] != "+")
        after = "".join(line[1:] for line in change.splitlines(keepends=True) if line[0] != "-")
        text = path.read_text("utf-8")
        assert text.count(before) == 1, f"{path} has changed: {before}"
        path.write_text(text.replace(before, after), "utf-8")

    def run(self, command: str) -> str:
        """Run a command of the document and return what it prints."""
        done = subprocess.run(
            command, shell=True, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=100
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def start(self, command: str) -> Iterator[str]:
        """Start a command of the document and yield its lines until the caller has seen enough; it ends on SIGTERM."""
        process = subprocess.Popen(
            command.split(),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        try:
            yield from process.stdout
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=START_LIMIT_S)
        assert process.returncode == 0

    def follow(self, blocks: list[Block]) -> dict[str, str]:
        """Apply blocks in their order; returns what each command printed. `secc run` is left to the caller."""
        printed = {}
        for block in blocks:
            match block.kind:
                case "python" | "yaml":
                    self.write(block.text)
                case "diff":
                    self.change(block.text)
                case "sh":
                    for command in block.text.splitlines():
                        printed[command] = "" if command.startswith("secc run ") else self.run(command)
        return printed


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_a_module_is_found_and_started(copy: Copy) -> None:
    printed = copy.follow(section("Add a module"))
    assert "FileTokenProvider" in printed["secc modules"]
    (command,) = [command for command in printed if command.startswith("secc run ")]
    assert any("token from /run/secc/token" in line for line in copy.start(command))


def test_a_scenario_runs_and_holds(copy: Copy) -> None:
    copy.run("python -m pip install -q --no-deps --no-build-isolation -e .")
    printed = copy.follow(section("Add a scenario"))
    (run,) = [text for command, text in printed.items() if command.startswith("secc hil run ")]
    assert "basic-unplugged-in-pause" in run


def test_the_document_has_each_section() -> None:
    kinds = {block.kind for title in ("Add a module", "Add a scenario") for block in section(title)}
    assert kinds == {"python", "diff", "sh", "yaml"}


def test_the_changelog_keeps_its_form() -> None:
    """https://keepachangelog.com: releases, the newest first, with sections of a known name."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    releases = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d{2}-\d{2}))?$", text, re.MULTILINE)
    assert releases[0] == ("Unreleased", "") and all(date for _, date in releases[1:])
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= kinds

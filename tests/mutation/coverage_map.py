"""Which test runs which line, and how long each test takes: recorded once, kept until a file changes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any

TESTS = (
    "tests/evse",
    "tests/board",
    "tests/v2g",
    "tests/auth",
    "tests/session",
    "tests/replay",
)
"""Folders of tests that run the houses in their own process; each is recorded by itself."""
UNKNOWN_S = 10.0
"""For a file of tests that was not recorded."""
NEAR = 8
"""A change on a continued line counts as run when the statement's first line is."""


@dataclass
class CoverageMap:
    """Tests by file and line. A test is a function: its parameters count as one."""

    tests: list[str]
    durations_s: list[float]
    lines: dict[str, dict[int, list[int]]]

    def of(self, path: str, line: int) -> list[str]:
        """Return the tests that run a line, the fastest first."""
        lines = self.lines.get(path, {})
        for near in range(line, max(0, line - NEAR), -1):
            if near in lines:
                return [self.tests[one] for one in sorted(lines[near], key=lambda one: self.durations_s[one])]
        return []

    def duration_s(self, tests: list[str]) -> float:
        """Return how long tests take together."""
        known = dict(zip(self.tests, self.durations_s, strict=True))
        return sum(known.get(test, UNKNOWN_S) for test in tests)


def key_of(tree: Path, tests: str) -> str:
    """Return what changes with any Python file of the product or of a folder of tests, and with the recorder."""
    digest = hashlib.blake2b((tree / "tests/mutation/recorder.py").read_bytes(), digest_size=8)
    for folder in ("chargebyte_fw", tests):
        for path in sorted((tree / folder).rglob("*.py")):
            digest.update(str(path.relative_to(tree)).encode() + path.read_bytes())
    return digest.hexdigest()


def recorded(trees: Sequence[Path], cache: Path, *, stale: bool = False, skip: Sequence[str] = ()) -> CoverageMap:
    """Return the map: each folder of tests out of the cache, or recorded now, one a tree at a time.

    `stale` accepts what was recorded for other sources.
    """
    cache.mkdir(parents=True, exist_ok=True)
    paths = {tests: _kept(trees[0], tests, cache, stale) for tests in TESTS if tests not in skip}
    missing: Queue[str] = Queue()
    for tests, path in paths.items():
        if not path.exists():
            missing.put(tests)

    def serve(tree: Path) -> None:
        while not missing.empty():
            tests = missing.get_nowait()
            print(f"recording which lines {tests} runs", file=sys.stderr, flush=True)
            _record(tree, tests, paths[tests])

    threads = [threading.Thread(target=serve, args=(tree,)) for tree in trees]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _merged([json.loads(path.read_text()) for path in paths.values()])


def _kept(tree: Path, tests: str, cache: Path, stale: bool) -> Path:
    stem = f"lines-{tests.replace('/', '-')}"
    path = cache / f"{stem}-{key_of(tree, tests)}.json"
    if stale and not path.exists():
        older = sorted(cache.glob(f"{stem}-*.json"), key=lambda one: one.stat().st_mtime)
        path = older[-1] if older else path
    return path


def _merged(parts: Sequence[dict[str, Any]]) -> CoverageMap:
    merged = CoverageMap([], [], {})
    for part in parts:
        first = len(merged.tests)
        merged.tests += part["tests"]
        merged.durations_s += part["durations_s"]
        for file, lines in part["lines"].items():
            known = merged.lines.setdefault(file, {})
            for line, tests in lines.items():
                known.setdefault(int(line), []).extend(first + one for one in tests)
    return merged


def _record(tree: Path, tests: str, target: Path) -> None:
    results = tree / f"recorded-{target.name}"
    command = [sys.executable, "-m", "tests.mutation.recorder", str(results), tests]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(command, cwd=tree, env=environment, stdout=subprocess.DEVNULL, check=False)
    if not results.exists():
        raise SystemExit(f"{tests} could not be recorded (status {done.returncode})")
    shutil.move(results, target)

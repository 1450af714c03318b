"""Which test runs which line, and how long each test takes: recorded once, kept until a file changes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TESTS = ("tests/board", "tests/evse", "tests/v2g", "tests/auth", "tests/session", "tests/replay", "tests/sim")
"""Tests that run the houses in their own process."""
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
        return sum(known[test] for test in tests)


def key_of(tree: Path) -> str:
    """Return what changes with any Python file of a tree."""
    digest = hashlib.blake2b(digest_size=12)
    for folder in ("chargebyte_fw", "hil", "tests"):
        for path in sorted((tree / folder).rglob("*.py")):
            digest.update(str(path.relative_to(tree)).encode() + path.read_bytes())
    return digest.hexdigest()


def recorded(tree: Path, cache: Path, *, stale: bool = False) -> CoverageMap:
    """Return the map of a tree: out of the cache, or recorded now; `stale` accepts any that is there."""
    path = cache / f"coverage-{key_of(tree)}.json"
    if stale and not path.exists():
        older = sorted(cache.glob("coverage-*.json"), key=lambda one: one.stat().st_mtime)
        path = older[-1] if older else path
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        print("recording which test runs which line (once for these sources)", file=sys.stderr, flush=True)
        path.write_text(json.dumps(_record(tree)))
    data = json.loads(path.read_text())
    lines = {file: {int(line): tests for line, tests in found.items()} for file, found in data["lines"].items()}
    return CoverageMap(data["tests"], data["durations_s"], lines)


def _record(tree: Path) -> dict[str, object]:
    results = tree / "recorded.json"
    command = [sys.executable, "-m", "tests.mutation.recorder", str(results), *TESTS]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(command, cwd=tree, env=environment, stdout=subprocess.DEVNULL, check=False)
    if not results.exists():
        raise SystemExit(f"the tests could not be recorded (status {done.returncode})")
    found: dict[str, object] = json.loads(results.read_text())
    return found

"""A warm process in a copy of the tree: each mutant is written, tested in a forked child, and taken back.

Reads one JSON line a mutant from its standard input and answers with one: `killed`, `timed out` or `survived`.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

WARM = ("pytest", "hypothesis", "msgspec", "yaml", "cbor2", "websockets.asyncio.server", "asyncio", "sqlite3")
ABOVE_THE_HOUSES = ("chargebyte_fw.kernel", "chargebyte_fw.contracts")
"""Import none of the houses under test (the walls keep that), so that they may be loaded before."""
WALL_FACTOR = 8
"""A busy machine gives a child a part of a core."""


def warm_up() -> None:
    """Import what no mutant touches."""
    for name in WARM:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    for package in ABOVE_THE_HOUSES:
        module = importlib.import_module(package)
        for found in pkgutil.walk_packages(module.__path__, f"{package}."):
            importlib.import_module(found.name)


def run_tests(tests: list[str], cpu_s: int) -> int:
    """Run tests in this (forked) process; returns pytest's status."""
    import pytest

    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    quiet = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(quiet, descriptor)
    options = ["-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    return int(pytest.main([*options, f"--timeout={max(60, cpu_s * WALL_FACTOR)}", *tests]))


def outcome_of(tests: list[str], cpu_s: int) -> str:
    """Fork, run the tests in the child, and say how they ended."""
    child = os.fork()
    if child == 0:
        status = 70
        try:
            os.setsid()
            status = run_tests(tests, cpu_s)
        finally:
            os._exit(status)
    end_s = time.monotonic() + max(120, cpu_s * WALL_FACTOR)
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > end_s:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "timed out"
        time.sleep(0.02)
    if os.WIFSIGNALED(status):
        return "timed out"
    return "survived" if os.WEXITSTATUS(status) == 0 else "killed"


def main() -> int:
    """Serve until the input ends."""
    sys.path.insert(0, str(Path.cwd()))
    warm_up()
    for line in sys.stdin:
        job: dict[str, Any] = json.loads(line)
        path = Path(job["path"])
        before = path.read_text(encoding="utf-8")
        path.write_text(job["source"], encoding="utf-8")
        try:
            answer = outcome_of(job["tests"], job["cpu_s"])
        finally:
            path.write_text(before, encoding="utf-8")
        print(json.dumps({"name": job["name"], "outcome": answer}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

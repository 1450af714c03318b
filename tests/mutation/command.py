"""Small changes of the source that some test must notice: `script/mutate`."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from tests.mutation.coverage_map import TESTS, CoverageMap, recorded
from tests.mutation.judged import FILE, judged
from tests.mutation.mutants import Mutant
from tests.mutation.sample import HOUSES, all_mutants, sample

ROOT = Path(__file__).parents[2]
CACHE = ROOT / "build/mutation"
LEAST_SHARE = 0.9
ALIVE = ("survived", "not run")
MOST_TESTS_S = 40.0
"""The slowest tests are left out once those before them take so long together."""


@dataclass
class Tried:
    """What became of a mutant."""

    house: str
    mutant: Mutant
    outcome: str
    tests: int


class Outcomes:
    """What became of mutants before, for as long as their file stays as it is; a survivor is tried again."""

    def __init__(self, path: Path, tree: Path) -> None:
        self._path = path
        self._tree = tree
        self._known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    def _key(self, mutant: Mutant) -> str:
        digest = hashlib.blake2b((self._tree / mutant.path).read_bytes(), digest_size=8).hexdigest()
        return f"{digest} {mutant.name}"

    def of(self, mutant: Mutant) -> str:
        """Return `killed` or `timed out`; empty where the mutant is to be tried."""
        return self._known.get(self._key(mutant), "")

    def take(self, one: Tried) -> None:
        """Keep an outcome."""
        if one.outcome not in ALIVE:
            self._known[self._key(one.mutant)] = one.outcome
            self._path.write_text(json.dumps(self._known))


def copy_of_the_tree(target: Path) -> None:
    """Copy every file that git knows or would take, and compile them so that a changed file is noticed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        source, copy = ROOT / name, target / name
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    compileall = ["-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "chargebyte_fw", "hil", "tests"]
    subprocess.run([sys.executable, *compileall], cwd=target, check=True)


class Worker:
    """A warm process of its own in a copy of the tree."""

    def __init__(self, tree: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "tests.mutation.worker"]
        self._process = subprocess.Popen(
            command, cwd=tree, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def outcome(self, mutant: Mutant, source: str, tests: list[str], cpu_s: int) -> str:
        """Return what becomes of a mutant."""
        assert self._process.stdin is not None and self._process.stdout is not None
        job = {"name": mutant.name, "path": mutant.path, "source": source, "tests": tests, "cpu_s": cpu_s}
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer: str = json.loads(self._process.stdout.readline())["outcome"]
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def chosen_tests(covered: CoverageMap, mutant: Mutant, tree: Path) -> list[str]:
    """Return the tests for a mutant, the fastest first, within the time for one.

    A line that runs only at import, or in another process, has no test of its own in the map: then the files of tests
    are taken that name the module or the class.
    """
    tests: list[str] = []
    total_s = 0.0
    for test in covered.of(mutant.path, mutant.line):
        total_s += covered.duration_s([test])
        if tests and total_s > MOST_TESTS_S:
            break
        tests.append(test)
    return tests or _naming(mutant, tree)


def _naming(mutant: Mutant, tree: Path) -> list[str]:
    classes = [name for name in mutant.function.split(".") if name[:1].isupper()]
    words = "|".join((Path(mutant.path).stem, *classes))
    named = re.compile(rf"\b({words})\b")
    files = [path for folder in TESTS for path in sorted((tree / folder).rglob("test_*.py"))]
    return [str(path.relative_to(tree)) for path in files if named.search(path.read_text(encoding="utf-8"))]


def tried(work: Sequence[tuple[str, Mutant]], covered: CoverageMap, trees: Sequence[Path]) -> Iterator[Tried]:
    """Try mutants, one worker a tree, in the order of their end."""
    waiting: Queue[tuple[str, Mutant]] = Queue()
    results: Queue[Tried | BaseException] = Queue()
    for one in work:
        waiting.put(one)

    def serve(tree: Path) -> None:
        try:
            worker = Worker(tree)
            while not waiting.empty():
                house, mutant = waiting.get_nowait()
                tests = chosen_tests(covered, mutant, tree)
                source = mutant.apply((tree / mutant.path).read_text(encoding="utf-8"))
                cpu_s = int(30 + 4 * covered.duration_s(tests))
                outcome = worker.outcome(mutant, source, tests, cpu_s) if tests else "not run"
                results.put(Tried(house, mutant, outcome, len(tests)))
            worker.close()
        except BaseException as error:
            results.put(error)

    for tree in trees:
        threading.Thread(target=serve, args=(tree,), daemon=True).start()
    for _ in work:
        result = results.get()
        if isinstance(result, BaseException):
            raise result
        yield result


def report(results: Sequence[Tried], verdicts: dict[str, str], elapsed_s: float) -> tuple[list[str], bool]:
    """Return the lines of the table, and whether the run is good."""
    lines: list[str] = []
    survivors = sorted((one for one in results if one.outcome in ALIVE), key=lambda one: one.mutant.name)
    unjudged = 0
    for one in survivors:
        verdict = verdicts.get(one.mutant.name, "")
        unjudged += not verdict
        lines.append(f"{one.outcome}: {one.mutant.name}")
        lines.append(f"    {one.mutant.path}:{one.mutant.line}, {one.tests} tests; {verdict or 'NOT JUDGED'}")
    lines.append(
        f"{'house':10} {'mutants':>8} {'killed':>8} {'timed out':>10} {'survived':>9} {'not run':>8} {'share':>7}"
    )
    shares: list[float] = []
    for house in (*HOUSES, "all"):
        mine = [one for one in results if house in (one.house, "all")]
        if not mine:
            continue
        counts = {
            name: sum(one.outcome == name for one in mine) for name in ("killed", "timed out", "survived", "not run")
        }
        share = (counts["killed"] + counts["timed out"]) / len(mine)
        shares.append(share)
        lines.append(
            f"{house:10} {len(mine):8} {counts['killed']:8} {counts['timed out']:10} {counts['survived']:9} "
            f"{counts['not run']:8} {share:7.1%}"
        )
    good = bool(shares) and shares[-1] >= LEAST_SHARE and unjudged == 0
    lines.append(
        f"{unjudged} survivors are not judged; {elapsed_s / 60:.1f} min, {len(results) / elapsed_s:.2f} mutants/s"
    )
    return lines, good


def main(arguments: Sequence[str] | None = None, out: Callable[[str], None] = print) -> int:
    """Try mutants; return 1 when too many survive, or one that nobody has judged."""
    parser = argparse.ArgumentParser(prog="script/mutate", description=__doc__)
    parser.add_argument("--mutants", type=int, default=330, help="how many are drawn")
    parser.add_argument("--seed", type=int, default=7, help="of the sample")
    parser.add_argument("--house", action="append", choices=list(HOUSES), default=[], help="only these; repeatable")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes")
    parser.add_argument("--only", metavar="TEXT", help="every mutant whose name contains this, in place of a sample")
    parser.add_argument("--survivors", action="store_true", help="only those that survived the last time")
    parser.add_argument("--list", action="store_true", help="print the mutants and end")
    parser.add_argument("--skip", action="append", choices=TESTS, default=[], help="leave a folder of tests out")
    parser.add_argument("--again", action="store_true", help="also what was tried for the same file before")
    parser.add_argument("--stale", action="store_true", help="take the coverage of an older tree")
    options = parser.parse_args(arguments)
    houses = tuple(options.house or HOUSES)
    work = _work(options, houses)
    if options.list:
        for _, mutant in work:
            out(f"{mutant.name} ({mutant.path}:{mutant.line})")
        return 0
    verdicts = judged(FILE.read_text(encoding="utf-8"))
    began_s = time.monotonic()
    results: list[Tried] = []
    with tempfile.TemporaryDirectory(prefix="secc-mutate-") as folder:
        trees = [Path(folder) / str(number) for number in range(max(1, options.jobs))]
        for tree in trees:
            copy_of_the_tree(tree)
        covered = recorded(trees, CACHE, stale=options.stale, skip=options.skip)
        known = Outcomes(CACHE / "outcomes.json", trees[0])
        results += [
            Tried(house, mutant, outcome, 0)
            for house, mutant in work
            if (outcome := known.of(mutant)) and not options.again
        ]
        done = {one.mutant.name for one in results}
        for one in tried([pair for pair in work if pair[1].name not in done], covered, trees):
            results.append(one)
            known.take(one)
            if one.outcome in ALIVE:
                print(f"{one.outcome}: {one.mutant.name}", file=sys.stderr, flush=True)
            _progress(results, len(work), began_s)
    lines, good = report(results, verdicts, time.monotonic() - began_s)
    for line in lines:
        out(line)
    _remember(results)
    return 0 if good else 1


def _work(options: argparse.Namespace, houses: tuple[str, ...]) -> list[tuple[str, Mutant]]:
    if options.only:
        found = [(house, one) for house in houses for one in all_mutants(ROOT, HOUSES[house])]
        return [(house, one) for house, one in found if options.only in one.name]
    drawn = [
        (house, one) for house, some in sample(ROOT, options.mutants, options.seed, houses).items() for one in some
    ]
    if options.survivors:
        names = set((CACHE / "survivors.txt").read_text(encoding="utf-8").split("\n"))
        drawn = [(house, one) for house, one in drawn if one.name in names]
    return drawn


def _remember(results: Sequence[Tried]) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    names = [one.mutant.name for one in results if one.outcome in ALIVE]
    (CACHE / "survivors.txt").write_text("\n".join(names), encoding="utf-8")


def _progress(results: Sequence[Tried], count: int, began_s: float) -> None:
    terminal = sys.stderr.isatty()
    if not terminal and len(results) % 10:
        return
    alive = sum(one.outcome in ALIVE for one in results)
    text = f"{len(results)} of {count} mutants, {alive} survive, {(time.monotonic() - began_s) / 60:.1f} min"
    print(f"{text:79}", end="\r" if terminal else "\n", file=sys.stderr, flush=True)

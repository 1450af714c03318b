"""Random lives of whole chargers on the virtual clock: `script/soak`."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection
from multiprocessing.context import SpawnContext
from pathlib import Path

from tests.soak.life import Life, invent
from tests.soak.play import Outcome, play
from tests.soak.shrink import kind_of, shrunk
from tests.soak.table import Tally
from tests.soak.vocabulary import KINDS

TWICE = 20
"""One life of so many is played a second time: its trace must be the same."""


@dataclass
class Played:
    """What a worker process reports of one life."""

    outcome: Outcome
    same: bool
    pid: int
    memory_MiB: float


def play_once(seed: int, kind: str) -> Played:
    """Play one life in a worker; now and then play it again and compare."""
    life = invent(seed, kind)
    outcome = safely(life)
    same = seed % TWICE != 0 or safely(life).digest == outcome.digest
    if not outcome.findings:
        outcome.story.clear()  # nobody reads it; it is long
    return Played(outcome, same, os.getpid(), memory_MiB())


def safely(life: Life) -> Outcome:
    """Play a life; what breaks the driver itself is a finding, too."""
    try:
        return play(life)
    except Exception as error:
        return Outcome(life, findings=[f"DRIVER: {error!r}"])


def memory_MiB() -> float:
    """Return what this process holds in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def played(seeds: Sequence[int], kinds: Sequence[str], jobs: int) -> Iterator[Played]:
    """Play lives in worker processes, in the order of their end; a process that dies is a finding of its life."""
    work = [(seed, kinds[seed % len(kinds)] if kinds else "") for seed in seeds]
    if jobs <= 1:
        yield from (play_once(*one) for one in work)
        return
    context = multiprocessing.get_context("spawn")
    slices = [work[number::jobs] for number in range(jobs)]
    workers = {number: _Worker(context, mine) for number, mine in enumerate(slices) if mine}
    while workers:
        ready = connection.wait([worker.results for worker in workers.values()])
        for number, worker in tuple(workers.items()):
            if worker.results not in ready:
                continue
            one = worker.next()
            if one is not None:
                yield one
            elif worker.left:
                yield worker.lost()
                if worker.left:
                    workers[number] = _Worker(context, worker.left)
                else:
                    del workers[number]
            else:
                worker.process.join()
                del workers[number]


class _Worker:
    """A process that plays lives one after the other."""

    def __init__(self, context: SpawnContext, work: list[tuple[int, str]]) -> None:
        self.left = list(work)
        self.results, theirs = context.Pipe(duplex=False)
        self.process = context.Process(target=_work, args=(self.left, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def next(self) -> Played | None:
        """Return the next result, None when there will be none."""
        try:
            one: Played = self.results.recv()
        except EOFError:
            return None
        self.left.pop(0)
        return one

    def lost(self) -> Played:
        """Return what is known of the life in which the process died."""
        self.process.join()
        seed, kind = self.left.pop(0)
        how = f"DRIVER: the process died with status {self.process.exitcode}"
        return Played(Outcome(invent(seed, kind), findings=[how]), True, 0, 0.0)


def _work(work: Sequence[tuple[int, str]], results: connection.Connection) -> None:
    for one in work:
        results.send(play_once(*one))
    results.close()


def progress(tally: Tally, count: int, began_s: float) -> None:
    """Write one line that replaces the one before on a terminal."""
    if not sys.stderr.isatty() and tally.lives % 100:
        return
    elapsed_s = time.monotonic() - began_s
    rate = tally.lives / elapsed_s if elapsed_s else 0.0
    end = "\r" if sys.stderr.isatty() else "\n"
    text = f"{tally.lives} of {count} lives, {len(tally.found)} kinds of finding, {rate:.1f} lives/s"
    print(f"{text:79}", end=end, file=sys.stderr, flush=True)


def one_life(seed: int, kind: str, shrink: bool) -> int:
    """Play one life and print its story."""
    life = invent(seed, kind)
    outcome = play(life)
    if shrink and outcome.findings:
        life = shrunk(life, kind_of(outcome.findings[0]), partial(_findings))
        outcome = play(life)
    print(f"charger {life.kind}, keys {life.keys}, board {list(life.board)}")
    print("\n".join(outcome.story))
    for step in life.steps:
        print(f"  step: {step}")
    for finding in outcome.findings:
        print(f"finding: {finding}")
    return 1 if outcome.findings else 0


def _findings(life: Life) -> list[str]:
    return safely(life).findings


def main(arguments: Sequence[str] | None = None, out: Callable[[str], None] = print) -> int:
    """Play lives; return 1 when something did not hold."""
    parser = argparse.ArgumentParser(prog="script/soak", description=__doc__)
    parser.add_argument("--lives", type=int, default=200, help="how many lives")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first life; the next ones count on")
    parser.add_argument(
        "--config", action="append", choices=list(KINDS), default=[], help="kind of charger; repeatable"
    )
    parser.add_argument("--jobs", type=int, default=2, help="worker processes")
    parser.add_argument("--life", type=int, help="play this one life and print its story")
    parser.add_argument("--shrink", action="store_true", help="drop the steps that a finding does not need")
    options = parser.parse_args(arguments)
    if options.life is not None:
        return one_life(options.life, options.config[0] if options.config else "", options.shrink)
    tally, began_s = Tally(), time.monotonic()
    seeds = range(options.seed, options.seed + options.lives)
    for one in played(seeds, options.config, options.jobs):
        for finding in tally.take(one.outcome, same=one.same, worker=one.pid, memory_MiB=one.memory_MiB):
            life = one.outcome.life
            print(f"{finding}: script/soak --life {life.seed} --config {life.kind}", file=sys.stderr, flush=True)
        progress(tally, options.lives, began_s)
    shorten = partial(_short_life, options.config) if options.shrink else None
    for line in tally.report(time.monotonic() - began_s, shorten):
        out(line)
    return 1 if tally.bad else 0


def _short_life(_kinds: Sequence[str], outcome: Outcome, kind: str) -> Life:
    return shrunk(outcome.life, kind, _findings)

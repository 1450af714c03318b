"""The count of all lives, and the table at the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from tests.soak.life import Life
from tests.soak.play import Outcome
from tests.soak.shrink import kind_of
from tests.soak.vocabulary import FAULTS

EXAMPLES = 3
SETTLED = 60
"""A worker's memory counts after so many lives: before, caches fill."""
GROWTH_MIB = 10.0


class Tally:
    """What all lives were like."""

    def __init__(self) -> None:
        self.lives = 0
        self.twice_different: list[int] = []
        self.found: dict[str, list[Outcome]] = {}
        self.texts: dict[str, str] = {}
        self.injected: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.sessions = self.transactions = 0
        self.simulated_s = 0.0
        self._memory: dict[int, list[float]] = defaultdict(list)

    def take(self, outcome: Outcome, *, same: bool, worker: int, memory_MiB: float) -> list[str]:
        """Count one life; returns what was found in none before."""
        self.lives += 1
        self.kinds[outcome.life.kind] += 1
        self.injected += outcome.injected
        self.done += outcome.done
        self.sessions += outcome.sessions
        self.transactions += outcome.transactions
        self.simulated_s += outcome.duration_s
        self._memory[worker].append(memory_MiB)
        if not same:
            self.twice_different.append(outcome.life.seed)
        new: list[str] = []
        for finding in outcome.findings:
            kind = kind_of(finding)
            self.found.setdefault(kind, []).append(outcome)
            if kind not in self.texts:
                self.texts[kind] = finding
                new.append(finding)
        return new

    @property
    def growth_MiB(self) -> float:
        """How much the memory of a worker has grown at most since its caches were full."""
        grown = [
            min(one[-20:]) - min(one[SETTLED : SETTLED + 20]) for one in self._memory.values() if len(one) > 2 * SETTLED
        ]
        return max(grown, default=0.0)

    @property
    def bad(self) -> bool:
        """Whether anything did not hold."""
        return bool(self.found or self.twice_different or self.growth_MiB > GROWTH_MIB)

    def count(self, word: str) -> int:
        """Return how many lives have a finding that begins with this word."""
        lives = {id(one) for kind, outcomes in self.found.items() if kind.startswith(word) for one in outcomes}
        return len(lives)

    def report(self, elapsed_s: float, shorten: Callable[[Outcome, str], Life] | None = None) -> Iterator[str]:
        """Return the table, and for each finding how to repeat it."""
        yield from self._findings(shorten)
        width = max(len(name) for name in FAULTS)
        yield f"{'fault':{width}}  lives"
        for name in FAULTS:
            yield f"{name:{width}}  {self.injected[name]:5}"
        yield ""
        numbers = {
            "lives": self.lives,
            **{f"  of {kind}": count for kind, count in sorted(self.kinds.items())},
            "kinds of fault": sum(1 for name in FAULTS if self.injected[name]),
            "faults injected": sum(self.injected.values()),
            "commands and acts of cars": sum(self.done.values()),
            "sessions": self.sessions,
            "transactions": self.transactions,
            "hours simulated": round(self.simulated_s / 3600, 1),
            "unsafe": self.count("UNSAFE"),
            "stuck": self.count("STUCK"),
            "unmatched sessions": self.count("UNMATCHED"),
            "uncaught": self.count("UNCAUGHT"),
            "log": self.count("LOG"),
            "leaks": self.count("LEAK"),
            "other findings": self.count("DRIVER") + self.count("SIMULATION"),
            "played twice, other trace": len(self.twice_different),
            "memory growth, MiB": round(self.growth_MiB, 1),
            "lives/s": round(self.lives / elapsed_s, 2) if elapsed_s else 0.0,
        }
        for name, value in numbers.items():
            yield f"{name:{width}}  {value:>5}"

    def _findings(self, shorten: Callable[[Outcome, str], Life] | None) -> Iterator[str]:
        for kind, outcomes in sorted(self.found.items()):
            yield f"{self.texts[kind]} ({len(outcomes)} lives)"
            for outcome in sorted(outcomes, key=lambda one: len(one.life.steps))[:EXAMPLES]:
                yield f"  script/soak --life {outcome.life.seed} --config {outcome.life.kind}"
            first = min(outcomes, key=lambda one: len(one.life.steps))
            life = first.life if shorten is None else shorten(first, kind)
            yield f"    board {list(life.board)}, keys {life.keys}"
            yield from (f"    {step}" for step in life.steps)
            yield from (f"      {line}" for line in first.story[-8:])
        for seed in self.twice_different:
            yield f"another trace the second time: script/soak --life {seed}"

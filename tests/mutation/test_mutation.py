"""The engine of the mutants: what is changed, that the sample stays, that survivors are judged in words."""

from __future__ import annotations

import pytest

from tests.mutation.command import ROOT, Tried, report
from tests.mutation.judged import FILE, BadLine, judged
from tests.mutation.mutants import mutants
from tests.mutation.sample import HOUSES, sample

SOURCE = """
class Valve:
    def feed(self, level, now):
        if not self.open and level >= 3:
            self.log.info("level %s", level + 1)
            self.open = True
        return [level]
"""


def test_conditions_numbers_assignments_and_results_change_and_words_do_not() -> None:
    names = [one.name.partition("Valve.feed: ")[2] for one in mutants("valve.py", SOURCE)]
    assert sorted(names) == sorted(
        [
            "not self.open and level >= 3: and -> or",
            "not self.open -> bool(self.open)",
            "level >= 3: >= -> >",
            "level >= 3: >= -> <",
            "3 -> 4",
            "drop self.open = True",
            "True -> False",
            "return [level] -> None",
        ]
    )


def test_a_mutant_is_one_change_of_the_text() -> None:
    (one,) = [one for one in mutants("valve.py", SOURCE) if one.change == "level >= 3: >= -> >"]
    assert one.apply(SOURCE) == SOURCE.replace(">= 3", "> 3")


def test_the_sample_is_large_enough_and_the_same_every_time() -> None:
    drawn = sample(ROOT, 330, 7)
    assert set(drawn) == set(HOUSES) and sum(len(some) for some in drawn.values()) >= 300
    assert [one.name for one in drawn["auth"]] == [one.name for one in sample(ROOT, 330, 7, ("auth",))["auth"]]


def test_a_survivor_without_a_verdict_fails_the_run() -> None:
    one = mutants("valve.py", SOURCE)[0]
    results = [*(Tried("board", one, "killed", 1) for _ in range(19)), Tried("board", one, "survived", 1)]
    assert report(results, {}, 1.0)[1] is False
    assert report(results, {one.name: "equivalent: it is a test"}, 1.0)[1] is True
    assert report(results[15:], {one.name: "equivalent: it is a test"}, 1.0)[1] is False, "only 80 % are killed"


def test_the_verdicts_can_be_read() -> None:
    assert all(verdict.startswith(("equivalent: ", "gap: ")) for verdict in judged(FILE.read_text()).values())
    with pytest.raises(BadLine):
        judged("x => perhaps: not\n")

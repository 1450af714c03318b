"""The shortest life that still shows a finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.soak.life import Life, Step


def kind_of(finding: str) -> str:
    """Return what two findings have in common when they are the same: the text without numbers and names in it."""
    return finding.partition("(")[0][:70]


def shrunk(life: Life, kind: str, findings: Callable[[Life], list[str]]) -> Life:
    """Drop steps, keys and parts of the board while `kind` is still found."""

    def shows(other: Life) -> bool:
        return any(kind_of(finding) == kind for finding in findings(other))

    for size in (4, 2, 1):
        place = 0
        while place < len(life.steps):
            shorter = life.without(place, size)
            if shows(shorter):
                life = shorter
            else:
                place += size
    for module, values in tuple(life.keys.items()):
        for name in tuple(values):
            left = {key: value for key, value in life.keys[module].items() if key != name}
            simpler = replace(life, keys=life.keys | {module: left})
            if shows(simpler):
                life = simpler
    for part in life.board:
        simpler = replace(life, board=tuple(other for other in life.board if other != part))
        if shows(simpler):
            life = simpler
    for place, step in enumerate(life.steps):
        for wait_s in (0.0, 1.0, 3.0):
            steps = (*life.steps[:place], Step(step.what, wait_s), *life.steps[place + 1 :])
            if wait_s < step.wait_s and shows(replace(life, steps=steps)):
                life = replace(life, steps=steps)
                break
    return life

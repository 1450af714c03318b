"""Which mutants are tried: a sample by a seed that does not change where other code changes."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

from tests.mutation.mutants import Mutant, mutants

HOUSES = {
    "board": "chargebyte_fw/board",
    "evse": "chargebyte_fw/modules/evse",
    "secc": "chargebyte_fw/modules/v2g/secc",
    "auth": "chargebyte_fw/modules/auth",
}
"""The houses under test, each with its folder."""
SHARES = {"board": 90, "evse": 110, "secc": 70, "auth": 60}
"""How many of 330 mutants each house gets."""
NO_BEHAVIOUR = frozenset(("<module>",))


def sample(root: Path, count: int, seed: int, houses: tuple[str, ...] = tuple(HOUSES)) -> dict[str, list[Mutant]]:
    """Return mutants by house: those whose digest with the seed is least."""
    total = sum(SHARES.values())
    return {house: _of_house(root, house, round(count * SHARES[house] / total), seed) for house in houses}


def _of_house(root: Path, house: str, count: int, seed: int) -> list[Mutant]:
    found = _with_sources(root, HOUSES[house])
    every = [(mutant, source) for mutant, source in found if mutant.function not in NO_BEHAVIOUR]
    every.sort(key=lambda one: hashlib.blake2b(f"{seed} {one[0].name}".encode(), digest_size=8).digest())
    chosen: list[Mutant] = []
    places: set[tuple[str, int]] = set()
    for mutant, source in every:
        # One mutant a line: a sample of many lines finds more than many changes of one.
        if len(chosen) == count:
            break
        if (mutant.path, mutant.line) in places or not _is_python(mutant.apply(source)):
            continue
        places.add((mutant.path, mutant.line))
        chosen.append(mutant)
    return chosen


def all_mutants(root: Path, folder: str) -> list[Mutant]:
    """Return every mutant of a folder that is still Python."""
    return [mutant for mutant, source in _with_sources(root, folder) if _is_python(mutant.apply(source))]


def _with_sources(root: Path, folder: str) -> list[tuple[Mutant, str]]:
    """Return the mutants of a folder, not checked, each with the text of its file: a check costs a parse of it."""
    found: list[tuple[Mutant, str]] = []
    for path in sorted((root / folder).rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        found += [(mutant, source) for mutant in mutants(str(path.relative_to(root)), source)]
    return found


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True

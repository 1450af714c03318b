"""Tables of cases that others have, each with the tests of ours that show it: `upstream_rows`, `field_cases`.

A line at the margin is a case; the lines below it are a file and names of its tests, or a remark.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import msgspec

TESTS = Path(__file__).parents[1]
HERE = Path(__file__).parent


class Case(msgspec.Struct):
    """A case and where it is shown."""

    source: str
    """A file of EVerest's test suite, or a number."""
    what: str
    tests: list[tuple[str, str]]
    """File and name."""
    remark: str = ""


def cases(name: str) -> list[Case]:
    """Read a table."""
    found: list[Case] = []
    for line in (HERE / f"{name}.txt").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            source, _, what = line.partition(" | ")
            found.append(Case(source, what, []))
            continue
        file, *names = line.split()
        if file.endswith(".py"):
            found[-1].tests += [(file, one) for one in names]
        else:
            found[-1].remark = line.strip()
    return found


@cache
def names_in(file: str) -> frozenset[str]:
    """Return the names of the tests of a file."""
    path = TESTS / file
    tree = ast.parse(path.read_text() if path.exists() else "")
    return frozenset(one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))

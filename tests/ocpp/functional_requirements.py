"""The functional requirements of OCPP 2.0.1 and 2.1 by the numbering of libocpp: docs/ocpp-requirements.md.

A requirement is done when a test is marked with it. `python -m tests.ocpp.use_cases --write` writes the page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.ocpp.requirements import TESTS, covered
from tests.ocpp.requirements_left import CSMS, LEFT, NOT_APPLICABLE, UNREADABLE

PAGE = TESTS.parent / "docs/ocpp-requirements.md"
LIST = Path(__file__).with_name("functional_requirements.txt")
DONE, OTHER, OPEN, OPEN_21 = "done", "other actor", "open", "open (2.1)"
UPSTREAM = {"done": DONE, "other": OTHER, "open": OPEN, "open-2.1": OPEN_21}
SHOWN_TESTS = 3


class Requirement(NamedTuple):
    """A row of the status list."""

    rule: str
    """As `@pytest.mark.ocpp` names it; ` (2.1)` follows where the list has a second row for 2.1."""
    upstream: str
    """The state in libocpp."""

    @property
    def use_case(self) -> str:
        """`A01`, or `FR` of the general rules."""
        return self.rule.split(".")[0]


def numbers(text: str) -> Iterator[str]:
    """Return each number of `01-03,05`."""
    for part in text.split(","):
        first, _, last = part.partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield f"{number:0{len(first)}}"


def requirements(path: Path = LIST) -> list[Requirement]:
    """Return the rows of the list, in its order: by use case, then by number."""
    found: list[Requirement] = []
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        use_case, *groups = line.split()
        states: dict[str, str] = {}
        for group in groups:
            state, _, text = group.partition("=")
            for number in numbers(text):
                rule = f"{use_case}.{number}" if use_case in ("FR", "V2X") else f"{use_case}.FR.{number}"
                states[f"{rule} (2.1)" if rule in states else rule] = UPSTREAM[state]
        found += [Requirement(rule, state) for rule, state in sorted(states.items(), key=order)]
    return found


def order(row: tuple[str, str]) -> tuple[int, str]:
    """Return the key by which the rows of a use case are sorted."""
    number = re.search(r"\.(\d+)( |$)", row[0])
    assert number is not None
    return int(number[1]), row[0]


def state_of(one: Requirement, marked: Mapping[str, Sequence[str]]) -> tuple[str, str]:
    """Return the state here and what else the row has: the tests, or why there is none."""
    tests = marked.get(one.rule)
    if tests:
        names = [f"`{test.removeprefix('tests/').removeprefix('ocpp/')}`" for test in tests]
        more = [f"and {len(names) - SHOWN_TESTS} more"] if len(names) > SHOWN_TESTS else []
        return DONE, ", ".join(names[:SHOWN_TESTS] + more)
    if one.rule in CSMS:
        return OTHER, "of the CSMS"
    if one.rule in NOT_APPLICABLE:
        return OTHER, NOT_APPLICABLE[one.rule]
    why = LEFT.get(one.rule) or LEFT.get(one.use_case)
    if why is None and one.rule in UNREADABLE:
        return OPEN, "its text was not to be found"
    return OPEN, why or "no test asserts it"


def page() -> str:
    """Return the text of the page."""
    marked = covered()
    rows = [(one, *state_of(one, marked)) for one in requirements()]
    ours, theirs = Counter(state for _, state, _ in rows), Counter(one.upstream for one, _, _ in rows)
    lines = [
        "# OCPP 2.0.1 and 2.1: functional requirements",
        "",
        "<!-- written by python -m tests.ocpp.use_cases --write -->",
        "",
        "The functional requirements of Part 2 by the numbering of libocpp's status list. *Done* means that a test of",
        "`tests/ocpp/` (or of the path that is named) asserts the requirement; it carries the number as a mark.",
        "",
        "| | here | libocpp |",
        "| --- | --- | --- |",
        f"| done | {ours[DONE]} | {theirs[DONE]} |",
        f"| duty of another actor, or not applicable | {ours[OTHER]} | {theirs[OTHER]} |",
        f"| open | {ours[OPEN]} | {theirs[OPEN] + theirs[OPEN_21]} |",
    ]
    use_case = ""
    for one, state, text in rows:
        if one.use_case != use_case:
            use_case = one.use_case
            title = {"FR": "General", "V2X": "V2X, general"}.get(use_case, use_case)
            lines += [
                "",
                f"## {title}",
                "",
                "| requirement | here | libocpp | tests, or why not |",
                "| --- | --- | --- | --- |",
            ]
        lines.append(f"| {one.rule} | {state} | {one.upstream} | {text} |")
    return "\n".join([*lines, ""])

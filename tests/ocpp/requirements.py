"""Which rules of OCPP the tests assert: the arguments of `@pytest.mark.ocpp`, read from the source of the tests.

A rule is named as its document names it:

- `B05.FR.04`: a functional requirement of OCPP 2.0.1 or 2.1, Part 2; `A00.FR.310` of the security profiles, `FR.06` of
  the general rules, `V2X.03` of those of block Q;
  ` (2.1)` follows where the rule has another text in 2.1;
- `N11`: what a use case describes, where the text of its requirements is not at hand;
- `1.6 §5.3`: a clause of OCPP 1.6 edition 2; `1.6J §4.1` of its JSON specification, `1.6 security §A.2` of the security
  white paper.

`python -m tests.ocpp.requirements` prints them, a line a rule: the rule, a tab, the tests.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
RULE = re.compile(
    r"[A-S][0-9]{2}|(?:(?:[A-S][0-9]{2}\.)?FR\.[0-9]{2,3}|V2X\.[0-9]{2})(?: \(2\.1\))?"
    r"|1\.6(?:J| security)? §[A-Z0-9]+(?:\.[0-9]+)*"
)


def rules_of(decorators: list[ast.expr]) -> Iterator[str]:
    """Return the arguments of each `pytest.mark.ocpp(...)` among the decorators."""
    for one in decorators:
        if isinstance(one, ast.Call) and ast.unparse(one.func) == "pytest.mark.ocpp":
            for argument in one.args:
                if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
                    raise ValueError(f"line {argument.lineno}: a rule is written out as a string")
                yield argument.value


def marked(path: Path) -> Iterator[tuple[str, str]]:
    """Return rule and test (`tests/ocpp/test_x.py::test_y`) of each marked test of a file."""
    tree = ast.parse(path.read_text("utf-8"), str(path))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for rule in rules_of(node.decorator_list):
                yield rule, f"{path.relative_to(TESTS.parent)}::{node.name}"


@cache
def covered() -> Mapping[str, Sequence[str]]:
    """Return the tests of each rule, in the order of the rules."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        if "mark.ocpp(" in path.read_text("utf-8"):
            for rule, test in marked(path):
                found.setdefault(rule, []).append(test)
    return dict(sorted(found.items()))


if __name__ == "__main__":
    for rule, tests in covered().items():
        print(rule, " ".join(tests), sep="\t")

"""The names of rules in `@pytest.mark.ocpp` are names that the documents have."""

from __future__ import annotations

import ast

import pytest

from tests.ocpp.requirements import RULE, covered, rules_of


def test_every_rule_has_the_name_of_its_document() -> None:
    assert [rule for rule in covered() if RULE.fullmatch(rule) is None] == []


@pytest.mark.parametrize(
    "name", ["B05.FR.04", "N11", "A00.FR.310", "FR.06", "1.6 §5.3", "1.6J §4.2.1", "1.6 security §A.2"]
)
def test_names_of_the_documents(name: str) -> None:
    assert RULE.fullmatch(name) is not None


@pytest.mark.parametrize("name", ["B5.FR.4", "B5", "B05.FR.4 ", "T01.FR.01", "1.6", "case 59"])
def test_other_names_are_noticed(name: str) -> None:
    assert RULE.fullmatch(name) is None


def test_rules_are_read_from_the_decorators() -> None:
    tree = ast.parse('@pytest.mark.ocpp("B05.FR.04", "B05.FR.05")\n@pytest.mark.slow\ndef test() -> None: ...')
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    assert list(rules_of(function.decorator_list)) == ["B05.FR.04", "B05.FR.05"]

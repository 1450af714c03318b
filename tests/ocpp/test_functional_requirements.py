"""The table of functional requirements in docs/ocpp-requirements.md is that of the marked tests."""

from __future__ import annotations

from collections import Counter

from tests.ocpp import functional_requirements as table
from tests.ocpp.requirements import covered
from tests.ocpp.requirements_left import CSMS, LEFT, NOT_APPLICABLE, UNREADABLE


def test_the_page_is_current() -> None:
    assert table.page() == table.PAGE.read_text("utf-8"), "run python -m tests.ocpp.use_cases --write"


def test_the_list_has_the_counts_of_libocpp() -> None:
    counts = Counter(one.upstream for one in table.requirements())
    assert counts == {table.DONE: 782, table.OTHER: 410, table.OPEN: 597, table.OPEN_21: 110}
    rules = [one.rule for one in table.requirements()]
    assert len(rules) == len(set(rules))


def test_every_marked_requirement_is_in_the_list() -> None:
    listed = {one.rule for one in table.requirements()}
    assert {rule for rule in covered() if "FR." in rule} - listed == set()


def test_what_cannot_be_met_has_no_test() -> None:
    listed, marked = table.requirements(), covered()
    rules, use_cases = {one.rule for one in listed}, {one.use_case for one in listed}
    assert CSMS | set(NOT_APPLICABLE) | UNREADABLE <= rules
    assert set(LEFT) <= rules | use_cases
    assert [rule for rule in (*NOT_APPLICABLE, *UNREADABLE) if rule in marked] == []

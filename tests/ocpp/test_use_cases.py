"""The tables of use cases in docs/ocpp.md are those of the marked tests."""

from __future__ import annotations

import re

from tests.ocpp import use_cases
from tests.ocpp.requirements import TESTS, covered

OF_2 = re.compile(r"[A-S][0-9]{2}")


def test_the_tables_are_current() -> None:
    assert use_cases.page() == use_cases.PAGE.read_text("utf-8"), "run python -m tests.ocpp.use_cases --write"


def test_what_is_done_has_a_test() -> None:
    marked = covered()
    assert [
        one
        for one in use_cases.rows()
        if one.state == use_cases.DONE and not one.tests(marked) and not (one.files and not one.rule)
    ] == []


def test_what_is_not_done_has_a_reason_and_what_is_left_out_no_test() -> None:
    marked = covered()
    for one in use_cases.rows():
        assert one.state in use_cases.STATES, one
        assert one.state == use_cases.DONE or one.why, one
        assert one.state != use_cases.LEFT_OUT or not one.tests(marked), one
        assert use_cases.UNTESTED not in one.why or not one.tests(marked), one


def test_files_are_there() -> None:
    assert [file for one in use_cases.rows() for file in one.files if not (TESTS.parent / file).is_file()] == []


def test_every_use_case_that_a_test_is_marked_with_has_a_row() -> None:
    listed = [one.rule for one in use_cases.rows() if one.rule]
    assert len(listed) == len(set(listed))
    of_2 = {rule[:3] for rule in covered() if OF_2.match(rule)} - {"A00"}
    assert of_2 - set(listed) == set()

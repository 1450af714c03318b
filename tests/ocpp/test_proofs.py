"""Each case that others have names tests of ours, and these exist."""

from __future__ import annotations

import pytest

from tests.ocpp.proofs import cases, names_in


@pytest.mark.parametrize(("name", "count"), [("upstream_rows", 140), ("field_cases", 57)])
def test_each_case_has_tests_that_exist(name: str, count: int) -> None:
    found = cases(name)
    assert len(found) == len({(one.source, one.what) for one in found}) == count
    assert [one for one in found if not one.tests] == []
    missing = [(file, test) for one in found for file, test in one.tests if test not in names_in(file)]
    assert missing == []

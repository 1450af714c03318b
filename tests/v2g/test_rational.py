"""RationalNumberType: exact where it can be, and rounded to the safe side where it cannot (ISO 15118-20)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargebyte_fw.modules.v2g.messages.iso20_types import RationalNumberType
from chargebyte_fw.modules.v2g.rational import maximum, minimum, number, rational


@pytest.mark.parametrize(
    ("value", "exponent", "whole"),
    [
        *((211, 0, 211), (0.211, -3, 211), (-22080, 0, -22080), (32767, 0, 32767), (3_750_000, 3, 3750), (0, 0, 0)),
        *((55.2, -1, 552), (11_040, 0, 11040), (150_000, 1, 15000), (-32768, 0, -32768), (0.25, -2, 25)),
    ],
)
def test_numbers_that_fit_are_exact(value: float, exponent: int, whole: int) -> None:
    one = rational(value)
    assert (one.Exponent, one.Value) == (exponent, whole)
    assert number(one) == value


def test_limits_that_do_not_fit_are_rounded_to_the_safe_side() -> None:
    assert maximum(32768) == RationalNumberType(Exponent=1, Value=3276)
    assert minimum(123_456) == RationalNumberType(Exponent=1, Value=12346)


def test_other_codings_of_the_same_number_are_equal() -> None:
    three = [(2, 300), (4, 3), (0, 30000)]
    assert {number(RationalNumberType(Exponent=e, Value=v)) for e, v in three} == {30000.0}
    assert number(RationalNumberType(Exponent=-7, Value=5)) == pytest.approx(5e-7)
    assert number(None) == 0.0


@given(st.floats(min_value=-32_000_000, max_value=32_000_000))
def test_every_number_keeps_four_digits(value: float) -> None:
    one = rational(value)
    assert -3 <= one.Exponent <= 3 and -32768 <= one.Value <= 32767
    assert number(one) == pytest.approx(value, rel=2e-4, abs=6e-4)
    assert number(maximum(value)) <= value + 1e-6 * abs(value) + 1e-6
    assert number(minimum(value)) >= value - 1e-6 * abs(value) - 1e-6


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="no number"):
        rational(value)


def test_what_is_beyond_the_range_is_clipped() -> None:
    assert number(rational(1e12)) == 32_767_000.0
    assert number(rational(-1e12)) == -32_768_000.0

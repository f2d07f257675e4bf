"""From numbers to places: whatever the numbers are, all of them are on the picture, in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.writers.html_report.axis import Axis

numbers = st.floats(-1e12, 1e12, allow_subnormal=False).map(lambda x: 0.0 if abs(x) < 1e-9 else x)


@given(st.lists(numbers, min_size=1, max_size=20), st.booleans())
def test_every_number_has_a_place_in_order(values, zero):
    axis = Axis.over(values, 10, 110, zero=zero)
    places = [axis.place(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(10 <= place <= 110 for place in places)
    assert axis.low <= min(values) + 1e-9 * abs(min(values))
    assert axis.high >= max(values) - 1e-9 * abs(max(values))
    assert not zero or axis.low <= 0 <= axis.high


@given(st.lists(numbers, min_size=1, max_size=20))
def test_ticks_are_few_and_on_the_axis(values):
    axis = Axis.over(values, 0, 100)
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 22
    assert ticks == sorted(ticks)
    span = axis.high - axis.low
    assert all(axis.low - 1e-6 * span <= tick <= axis.high + 1e-6 * span for tick in ticks)


def test_a_wide_range_of_positive_numbers_is_logarithmic():
    assert Axis.over([0.5, 200], 0, 1).log
    assert not Axis.over([5, 20], 0, 1).log
    assert not Axis.over([-1, 200], 0, 1).log

"""Items of an answer: when the first came, and how many a second after it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pytest_mlgates.gates.p99_latency.record import _stream


def record(*calls):
    """Calls of (first item in ns, items, wall time in ns)."""
    return SimpleNamespace(
        marks=[(0, first, items) for first, items, _ in calls],
        rows=[(0, 0, wall) for _, _, wall in calls],
    )


def test_the_rate_is_of_the_items_after_the_first():
    found = _stream(record((1e8, 11, 1.1e9), (1e8, 21, 1.1e9)))
    assert found["items"] == 16
    assert found["items_per_s"]["p1"] == pytest.approx(10)
    assert found["items_per_s"]["p50"] == pytest.approx(10)


def test_one_item_and_no_time_after_the_first_have_no_rate():
    assert "items_per_s" not in _stream(record((1e8, 1, 1.1e9), (1e9, 5, 1e9)))
    assert _stream(record((1e8, 1, 1e9), (1e8, 3, 1.1e9)))["items_per_s"]["p1"] == pytest.approx(2)
    assert _stream(record((-1, 0, 1e9))) is None

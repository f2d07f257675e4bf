"""Every unit is worth what a table of one's own says."""

from __future__ import annotations

import pytest

from pytest_mlgates.gates.grounding.entities import _shipped_names, entities_of

WORTH = {
    "kg": 1000, "g": 1, "gram": 1, "grams": 1, "mg": 1 / 1000, "milligram": 1 / 1000,
    "milligrams": 1 / 1000, "mcg": 1e-6, "ug": 1e-6, "\u00b5g": 1e-6, "\u03bcg": 1e-6,
    "microgram": 1e-6, "micrograms": 1e-6, "l": 1, "ml": 1 / 1000, "milliliter": 1 / 1000,
    "milliliters": 1 / 1000, "dl": 1 / 10, "unit": 1, "units": 1, "unt": 1, "iu": 1, "meq": 1,
    "%": 1, "percent": 1, "mmhg": 1,
}  # fmt: skip


@pytest.mark.parametrize("unit", WORTH)
def test_a_unit_is_worth_what_it_is(unit):
    ((value, _),) = entities_of(f"takes 40 {unit} daily", _shipped_names()).doses
    assert value == pytest.approx(40 * WORTH[unit])

"""Count who is selected, by sex, race or ethnicity and their intersections."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.core.details import plain
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.records import Measurement
from pytest_mlgates.core.words import a, percent, plural
from pytest_mlgates.gates.impact_ratio.details import (
    MAX_CATEGORIES,
    AttributeTable,
    CategoryRow,
    Labelled,
    Seen,
    ratio_of,
)
from pytest_mlgates.gates.impact_ratio.judge import headline
from pytest_mlgates.reading.attributes import attributes_of, known_labels
from pytest_mlgates.reading.labels import units_of
from pytest_mlgates.reading.records import records
from pytest_mlgates.reading.slices import NO_NAME, label, unique_labels

__all__ = ["MAX_ATTRIBUTES", "Plan", "measure_ratio"]

MAX_ATTRIBUTES = 4
_TRUE, _FALSE = frozenset({"true", "yes"}), frozenset({"false", "no"})
_HOW = "a decision or a score for each applicant (a list, a Series, one column of a table)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How applicants are counted."""

    basis: str
    positive: str | None
    attributes: tuple[str, ...]
    unknown: tuple[str, ...]
    intersections: bool
    left_out_below: float | None
    reason_left_out: str
    lower_error: float
    upper_error: float


@dataclass(frozen=True, slots=True)
class _Applicant:
    selected: bool
    groups: tuple[str | None, ...]
    right: bool | None


def measure_ratio(
    selected: object, groups: object, labels: object, unit_of: object, plan: Plan
) -> Measurement:
    """Count, and return the table."""
    answers = [_scalar(value) for value in records(selected, "selected", _HOW, values=True)]
    n = len(answers)
    columns = attributes_of(groups, n, "groups", plan.attributes, "applicant")
    if len(columns) > MAX_ATTRIBUTES:
        raise Unmeasurable(
            f"groups has {len(columns)} attributes ({', '.join(list(columns)[:6])} …): name at most"
            f" {MAX_ATTRIBUTES} in `attributes`"
        )
    right = None if labels is None else _right_to_select(labels, n, plan.positive)
    rows = _by_unit(units_of(unit_of, n, "applicant"))
    basis, chosen, median = _who_is_selected(answers, plan)
    known = {name: known_labels(values, plan.unknown) for name, values in columns.items()}
    people = [_merged(list(known.values()), chosen, right, unit, list(known)) for unit in rows]
    seen = Seen(
        basis=basis,
        selected=sum(person.selected for person in people),
        tables=tuple(_attribute_tables(list(known), people, plan)),
        median=median,
        repeated=n - len(people),
        reason_left_out=plan.reason_left_out,
    )
    seen = _with_findings(seen, len(people))
    return headline(seen, plan.lower_error, plan.upper_error).measurement(plain(seen))


def _scalar(value: Any) -> object:
    if isinstance(value, dict):
        raise Unmeasurable(f"selected is a table of several columns: give {_HOW}")
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return value.item() if getattr(value, "shape", None) in ((), (1,)) else value


def _who_is_selected(answers: Sequence[object], plan: Plan) -> tuple[str, list[bool], float | None]:
    """Return what counts as selected: a yes, or a score above the median of all scores."""
    if plan.positive is not None:
        return (
            "selection",
            [_is(value, plan.positive, at) for at, value in enumerate(answers)],
            None,
        )
    numbers = [_score_of(value, at, "selected") for at, value in enumerate(answers)]
    decisions = all(number in (0, 1) for number in numbers)
    if plan.basis == "selection" and not decisions:
        at = next(at for at, number in enumerate(numbers) if number not in (0, 1))
        raise Unmeasurable(
            f"selected: applicant {at} has a score, not a decision (true, false, 1, 0): set `basis`"
            " to scoring, or hand in decisions"
        )
    if decisions and plan.basis != "scoring":
        return "selection", [number == 1 for number in numbers], None
    mixed = {isinstance(value, bool) for value in answers}
    if len(mixed) > 1:
        raise Unmeasurable("selected mixes true and false with scores: give one or the other")
    median = statistics.median(numbers) if numbers else 0.0
    return "scoring", [number > median for number in numbers], median


def _score_of(value: object, at: int, what: str) -> float:
    if isinstance(value, (bool, int, float)) and math.isfinite(value):
        return float(value)
    if isinstance(value, str):
        folded = value.strip().casefold()
        if folded in _TRUE | _FALSE:
            return float(folded in _TRUE)
        try:
            number = float(value)
        except ValueError:
            raise Unmeasurable(
                f"{what}: applicant {at} has a text: set `positive` to the text that stands for yes,"
                " or give true and false, 1 and 0, or scores"
            ) from None
        if math.isfinite(number):
            return number
    kind = "NaN" if isinstance(value, float) and math.isnan(value) else a(type(value).__name__)
    raise Unmeasurable(
        f"{what}: applicant {at} has {kind}: give true or false, 1 or 0, or a finite score, or leave"
        " the applicant out yourself"
    )


def _is(value: object, positive: str, at: int) -> bool:
    name = label(value)
    if name == NO_NAME:
        raise Unmeasurable(f"selected: applicant {at} has no decision: give one for each applicant")
    return name == label(positive)


def _right_to_select(labels: object, n: int, positive: str | None) -> list[bool]:
    how = "for each applicant whether selecting is right (true, false, 1, 0)"
    values = [_scalar(value) for value in records(labels, "labels", how, values=True)]
    if len(values) != n:
        raise Unmeasurable(
            f"labels has {plural(len(values), 'value')} for {plural(n, 'applicant')}"
        )
    if positive is not None and all(isinstance(value, str) for value in values):
        return [_is(value, positive, at) for at, value in enumerate(values)]
    numbers = [_score_of(value, at, "labels") for at, value in enumerate(values)]
    for at, number in enumerate(numbers):
        if number not in (0, 1):
            raise Unmeasurable(
                f"labels: applicant {at} has a number other than 0 and 1: give {how}"
            )
    return [number == 1 for number in numbers]


def _merged(
    columns: Sequence[Sequence[str | None]],
    chosen: Sequence[bool],
    right: Sequence[bool] | None,
    unit: Sequence[int],
    names: Sequence[str],
) -> _Applicant:
    """Return one applicant: selected where any of the rows is."""
    groups = []
    for name, column in zip(names, columns, strict=True):
        values = {column[at] for at in unit} - {None}
        if len(values) > 1:
            raise Unmeasurable(
                f"groups: rows {unit[0]} and {unit[-1]} are one applicant by unit_of and differ in"
                f" {name!r}"
            )
        groups.append(next(iter(values), None))
    true = None if right is None else any(right[at] for at in unit)
    return _Applicant(any(chosen[at] for at in unit), tuple(groups), true)


def _attribute_tables(
    names: Sequence[str], people: Sequence[_Applicant], plan: Plan
) -> Iterator[AttributeTable]:
    sizes = range(1, len(names) + 1 if plan.intersections else 2)
    for places in (p for size in sizes for p in itertools.combinations(range(len(names)), size)):
        attribute = " & ".join(names[at] for at in places)
        found: dict[str, list[_Applicant]] = {}
        unknown = 0
        for person in people:
            values = [person.groups[at] for at in places]
            if None in values:
                unknown += 1
                continue
            pairs = zip((names[at] for at in places), values, strict=True)
            found.setdefault(" & ".join(f"{k}={v}" for k, v in pairs), []).append(person)
        if len(found) > MAX_CATEGORIES:
            raise Unmeasurable(
                f"groups has {len(found)} categories of {attribute!r}, {MAX_CATEGORIES} are allowed:"
                " name the columns that count in `attributes`, or put values together"
            )
        yield AttributeTable(
            attribute=attribute,
            unknown=unknown,
            categories=tuple(_category_rows(found, len(people), plan)),
        )


def _category_rows(found: dict[str, list[_Applicant]], n: int, plan: Plan) -> Iterator[CategoryRow]:
    shown = unique_labels(sorted(found))
    small = {
        name
        for name, members in found.items()
        if plan.left_out_below is not None and len(members) / n < plan.left_out_below
    }
    rates = {
        name: sum(p.selected for p in members) / len(members) for name, members in found.items()
    }
    best = max((rate for name, rate in rates.items() if name not in small), default=0.0)
    for name in sorted(found):
        members = found[name]
        yield CategoryRow(
            category=shown[name],
            n=len(members),
            selected=sum(person.selected for person in members),
            rate=rates[name],
            ratio=None if name in small else ratio_of(rates[name], best),
            left_out=name in small,
            labelled=_labelled(members),
        )


def _labelled(members: Sequence[_Applicant]) -> Labelled | None:
    if any(person.right is None for person in members):
        return None
    right = [person for person in members if person.right]
    return Labelled(
        right=len(right),
        right_selected=sum(person.selected for person in right),
        wrong=len(members) - len(right),
        wrong_selected=sum(person.selected for person in members if not person.right),
    )


def _with_findings(seen: Seen, n: int) -> Seen:
    lines = []
    for table in seen.tables:
        for row in sorted(table.categories, key=lambda row: row.rate):
            ratio = (
                "left out" if row.left_out else f"ratio {row.ratio:.3f}" if row.ratio else "ratio 0"
            )
            lines.append(
                f"{row.category}: {row.selected:,} of {row.n:,} selected, {percent(row.rate)}, {ratio}"
            )
        if table.unknown:
            of = percent(table.unknown / n)
            lines.append(
                f"{table.attribute}: unknown of {plural(table.unknown, 'applicant')}, {of}"
            )
    if seen.repeated:
        lines.append(f"{plural(seen.repeated, 'row')} repeat an applicant, who counts once")
    return Seen(
        basis=seen.basis,
        selected=seen.selected,
        tables=seen.tables,
        median=seen.median,
        repeated=seen.repeated,
        reason_left_out=seen.reason_left_out,
        findings=tuple(lines),
    )


def _by_unit(units: Sequence[int]) -> list[list[int]]:
    """Return the rows of each unit."""
    found: dict[int, list[int]] = {}
    for at, unit in enumerate(units):
        found.setdefault(unit, []).append(at)
    return list(found.values())

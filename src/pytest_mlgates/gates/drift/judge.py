"""Whether any feature is surely too far from the reference, or none can be. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import first, number, plural
from pytest_mlgates.gates.drift.details import Compared, Moments, Seen
from pytest_mlgates.stats.distances import REACH, mean_error
from pytest_mlgates.stats.stability import psi, psi_law

__all__ = [
    "MIN_ROWS",
    "REFERENCE_SHARE",
    "Limits",
    "headline",
    "judge",
    "most_apart",
    "rows_needed",
]

#: the part of alpha that a stream's bets spend on the means of the reference
REFERENCE_SHARE = 0.25

#: fewer rows of a side than this tell nothing
MIN_ROWS = 50
MAX_NAMED = 3
#: nearer to a limit than this part of it
CLOSE = 0.05
#: rows that equal others: most of the current ones, hardly any of the reference
_MOSTLY, _HARDLY = 0.5, 0.1
#: an expected count below which the law of the index does not hold
_LEAST_IN_A_BIN = 5
#: that law is right to within this factor, so that a verdict takes so much less
_LAW_OFF = 2.0
#: of a mean that is bounded, how far one observation can be from its expectation
_FARTHEST = {"number": 2 * REACH, "category": 1.0, "shape": 2.0}
_VARIANCE = {"category": 0.25, "shape": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What must hold, None where nothing must."""

    distance: float | None
    age: float | None
    psi: float | None
    shape: float | None
    alpha: float
    beta: float

    @property
    def rows(self) -> bool:
        """Whether any limit is about rows."""
        return (self.distance, self.psi, self.shape) != (None, None, None)


def headline(seen: Seen, about: str) -> Headline:
    """Return the number that the policy is about, as the details give it; ``about`` is its field."""
    rows = seen.current_rows
    if about == "max_age":
        n = rows if seen.of_rows else int(seen.age_days is not None)
        return Headline(value=seen.age_days or 0.0, unit="days", n=n)
    if about == "max_psi":
        bins = [np.array(c.bins).T for c in seen.features if c.bins]
        return Headline(value=max((psi(*b) for b in bins), default=0.0), unit="PSI", n=rows)
    of = seen.shapes if about == "max_shape" else seen.features
    return Headline(value=max((c.distance for c in of), default=0.0), unit="apart", n=rows)


def judge(seen: Seen, n: int, limits: Limits) -> Verdict:
    """FAIL where a limit is surely broken, PASS where each surely holds."""
    verdicts = list(_age(seen, limits))
    if limits.rows:
        if n != seen.current_rows or not seen.of_rows:
            raise Unfit(f"details.current_rows: {seen.current_rows} rows, n is {n}")
        verdicts += _doubts(seen)
        if not verdicts or not _nothing_to_judge(seen):
            verdicts += _features(seen, limits)
    worst = Verdict.gravest(verdicts, MAX_NAMED)
    if worst.outcome != Outcome.PASS:
        return worst
    told = [verdict.reason for verdict in verdicts]
    return Verdict(Outcome.PASS, "; ".join(told))


def _age(seen: Seen, limits: Limits) -> Iterator[Verdict]:
    if limits.age is None:
        return
    if seen.age_days is None:
        yield Verdict(
            Outcome.INCONCLUSIVE,
            f"when the model was trained was not handed in (max_age {limits.age:g} days): give"
            " trained_at",
        )
        return
    text = f"the model is {number(seen.age_days)} days old (limit {limits.age:g})"
    if seen.age_days > limits.age:
        yield Verdict(Outcome.FAIL, text, (BrokenLimit("max_age", seen.age_days),))
    else:
        yield Verdict(Outcome.PASS, text)


def _nothing_to_judge(seen: Seen) -> bool:
    return min(seen.reference_rows, seen.current_rows) == 0 or seen.same or not seen.features


def _doubts(seen: Seen) -> Iterator[Verdict]:
    """Yield what keeps a run from passing, whatever the distances are."""
    for text in _reasons(seen):
        yield Verdict(Outcome.INCONCLUSIVE, text)


def _reasons(seen: Seen) -> Iterator[str]:
    for side, rows in (("reference", seen.reference_rows), ("current", seen.current_rows)):
        if rows < MIN_ROWS:
            yield f"{side} has {plural(rows, 'row')}: {MIN_ROWS} or more tell something"
    if seen.same and seen.current_rows:
        yield "current holds the same rows as reference: nothing is compared"
    elif seen.copies is not None and _is_copied(seen, *seen.copies):
        yield (
            f"{seen.copies[1]:,} of {plural(seen.current_rows, 'row')} stand in the reference or repeat"
            " an earlier one, where rows of the reference hardly do: they are no new draws"
        )
    for names, here, there in (
        (seen.only_reference, "reference", "current"),
        (seen.only_current, "current", "reference"),
    ):
        if names:
            which = ", ".join(first(map(repr, names), MAX_NAMED))
            yield f"{which} is in {here} and not in {there}: name the features that count"
    if seen.unusable:
        which = ", ".join(first(map(repr, seen.unusable), MAX_NAMED))
        yield (
            f"{which} can't be compared (empty, or a value of its own in nearly each row): name the"
            " features that count in `features`"
        )
    if not seen.features and min(seen.reference_rows, seen.current_rows):
        yield "both sides have no feature in common"


def _is_copied(seen: Seen, before: int, now: int) -> bool:
    """Tell whether most current rows were there before, where chance makes few rows equal."""
    return now > _MOSTLY * seen.current_rows and before < _HARDLY * seen.reference_rows


def _features(seen: Seen, limits: Limits) -> Iterator[Verdict]:
    """Judge each limit that is set, on each feature, and all of a stream."""
    claims = len(seen.features) * ((limits.distance is not None) + (limits.psi is not None))
    claims += len(seen.shapes) * (limits.shape is not None)
    streams = [c for c in seen.features if c.alarm is not None] if limits.distance else []
    # where bets on a stream rest on the reference's means, a quarter is theirs
    whole = limits.alpha * (1 - REFERENCE_SHARE if streams else 1)
    alpha = whole / max(1, claims + len(streams))
    if limits.distance is not None:
        yield _all(seen.features, "max_distance", limits.distance, alpha, limits.beta)
        if streams:
            yield from _alarms(streams, seen, limits.distance, alpha)
    if limits.shape is not None:
        if seen.shapes:
            yield _all(seen.shapes, "max_shape", limits.shape, alpha, limits.beta)
        else:
            text = "max_shape takes two or more features that are numbers, without gaps"
            yield Verdict(Outcome.INCONCLUSIVE, text)
    if limits.psi is not None:
        yield _all_psi(seen.features, limits.psi, alpha, limits.beta)


def _all(
    compared: Sequence[Compared], field: str, limit: float, alpha: float, beta: float
) -> Verdict:
    """Hold each distance against its limit."""
    if (against := {c.tolerance for c in compared}) != {limit}:
        raise Unfit(f"details.tolerance: bets were against {against}, not {limit:g}: measure again")
    far = [c for c in compared if c.log_e_beyond >= -math.log(alpha) and min(c.rows) >= MIN_ROWS]
    if far:
        worst = max(far, key=lambda c: c.distance)
        more = f", and {plural(len(far) - 1, 'more')}" if len(far) > 1 else ""
        return Verdict(
            Outcome.FAIL,
            f"{worst.where} moved by {number(worst.distance)} {_unit(worst)}, surely more than"
            f" {limit:g} ({field}){more}, over {plural(worst.rows[1], 'row')}",
            tuple(BrokenLimit(field, c.distance, c.where) for c in far),
        )
    most = {c.where: most_apart(c, beta) for c in compared}
    open_ = [c for c in compared if most[c.where] > limit]
    if not open_:
        worst = max(compared, key=lambda c: most[c.where])
        return Verdict(
            Outcome.PASS,
            f"of {plural(len(compared), 'comparison')} none is over {limit:g} ({field}); {worst.where}"
            f" moved by {number(worst.distance)} {_unit(worst)}, at most {number(most[worst.where])}",
        )
    worst = max(open_, key=lambda c: (c.distance, most[c.where]))
    near = abs(worst.distance - limit) < CLOSE * limit
    way = "so close to it that few samples would tell" if near else "more rows would tell"
    return Verdict(
        Outcome.INCONCLUSIVE,
        f"{worst.where} moved by {number(worst.distance)} {_unit(worst)} and could have by"
        f" {number(most[worst.where])} ({field} {limit:g}), over {plural(worst.rows[1], 'row')}"
        f" against {worst.rows[0]:,}: {way}",
    )


def _unit(compared: Compared) -> str:
    return {"number": "spreads", "category": "of the rows", "shape": "(MMD)"}[compared.kind]


def most_apart(compared: Compared, beta: float) -> float:
    """Return what the distance is at most, but for the chance ``beta``."""
    squares = (compared.reference_squares, compared.current_squares)
    farthest = _FARTHEST[compared.kind]
    errors = (
        mean_error(rows, _variance(compared.kind, side, beta / 4), farthest, beta / 4)
        for rows, side in zip(compared.rows, squares, strict=True)
    )
    return compared.distance + sum(errors)


def rows_needed(limit: float, beta: float) -> int:
    """Return how many rows of each side show that a number has not moved by ``limit``.

    Where it has not moved at all, and is spread as a normal one is.

    >>> rows_needed(0.3, 1e-3) < 2000 < rows_needed(0.1, 1e-3)
    True
    """
    rows = MIN_ROWS
    # of two samples alike, 0.8 standard errors of their difference are seen on average
    while 2 * mean_error(rows, 1.2, 2 * REACH, beta / 4) + 0.8 * math.sqrt(2 / rows) > limit:
        rows = math.ceil(rows * 1.05)
    return rows


def _variance(kind: str, squares: Moments | None, error: float) -> float:
    """Bound the variance of any function of the class: that of the number itself, or of a share."""
    if squares is None:
        return _VARIANCE[kind]
    if not squares.n:
        return REACH**2
    return float(squares.sums.mean_below(REACH**2, error))


def _alarms(
    streams: Sequence[Compared], seen: Seen, limit: float, alpha: float
) -> Iterator[Verdict]:
    """Judge the bets on the stream: a change within it, whenever it came."""
    needed = math.log(max(1, seen.current_rows)) - math.log(alpha)
    rung = [c for c in streams if c.alarm is not None and c.alarm.log_e >= needed]
    if rung:
        told = [
            f"{c.name} moved by more than {limit:g} from about row {c.alarm.begin + 1:,} on"
            for c in rung
            if c.alarm is not None
        ]
        broken = tuple(BrokenLimit("max_distance", None, c.name) for c in rung)
        yield Verdict(Outcome.FAIL, "; ".join(first(told, MAX_NAMED)), broken)


def _all_psi(compared: Sequence[Compared], limit: float, alpha: float, beta: float) -> Verdict:
    """Hold each index against its limit, by its law."""
    found = []
    for c in compared:
        bins = np.array(c.bins or (), int).reshape(-1, 2)
        bins = bins[bins.sum(1) > 0]
        if len(bins) < 2:
            continue
        expected = bins.sum(1, keepdims=True) * bins.sum(0) / bins.sum()
        index = psi(bins[:, 0], bins[:, 1])
        if expected.min() < _LEAST_IN_A_BIN:
            found.append((Outcome.INCONCLUSIVE, index, c))
            continue
        large, small = psi_law(bins[:, 0], bins[:, 1], limit)
        kind = Outcome.FAIL if large <= alpha / _LAW_OFF else Outcome.INCONCLUSIVE
        found.append((Outcome.PASS if small <= beta / _LAW_OFF else kind, index, c))
    if not found:
        return Verdict(Outcome.INCONCLUSIVE, "no feature has two bins that an index could compare")
    for outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS):
        mine = [(index, c) for kind, index, c in found if kind == outcome]
        if mine:
            index, worst = max(mine, key=lambda pair: pair[0])
            words = {
                Outcome.FAIL: "surely more than",
                Outcome.INCONCLUSIVE: "too near, or too few rows a bin, to tell from",
                Outcome.PASS: "surely less than",
            }[outcome]
            text = f"the PSI of {worst.where} is {number(index)}, {words} {limit:g} (max_psi)"
            broken = tuple(BrokenLimit("max_psi", i, c.where) for i, c in mine)
            return Verdict(outcome, text, broken if outcome == Outcome.FAIL else ())
    raise AssertionError  # found has one of the three

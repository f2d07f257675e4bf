"""What is decided on the recall that an index lost. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.observations import Histogram, mean_bounds
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import percent, plural
from pytest_mlgates.gates.recall_retention.details import BANDS, LossRow, Seen

__all__ = ["Limits", "headline", "judge"]

#: rows that a verdict names
MAX_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What must hold, None where nothing must."""

    k: int
    max_drop: float
    max_slice_drop: float
    max_size_ratio: float | None
    slices: tuple[str, ...]
    alpha: float
    beta: float


def headline(seen: Seen, lower_error: float, upper_error: float) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    lost = seen.whole.lost
    low, high = mean_bounds(lost, lower_error, upper_error)
    interval = (min(low, lost.mean), max(high, lost.mean)) if lost.n else None
    return Headline(value=lost.mean, unit="recall lost", n=lost.n, interval=interval)


def judge(seen: Seen, n: int, limits: Limits) -> Verdict:
    """FAIL where a row lost more than allowed, PASS where each surely lost less."""
    if seen.k != limits.k:
        raise Unfit(f"details.k: recall at {seen.k} was measured, not at {limits.k}: measure again")
    if n != seen.whole.lost.n:
        raise Unfit(f"details.whole: {seen.whole.lost.n} observations, n is {n}")
    if n == 0:
        what = "no query was asked" if not seen.calls else "exact search answered nothing"
        return Verdict(Outcome.INCONCLUSIVE, f"{what}, so nothing is known")
    rows = (seen.whole, *seen.slices)
    claims = sum(1 + (row.drop is not None) for row in rows)
    verdicts = [v for row in rows for v in _judge_losses(row, limits, limits.alpha / claims)]
    verdicts += [*_size(seen, limits), *_doubts(seen, limits)]
    worst = Verdict.gravest(verdicts, MAX_NAMED)
    if worst.outcome != Outcome.PASS:
        return worst
    passed = [v.reason for v in verdicts if v.outcome == Outcome.PASS]
    own = 1 + (seen.whole.drop is not None)
    said = [*passed[:own], *(v.reason for v in _size(seen, limits))]
    also = f"; so for {', '.join(row.name for row in seen.slices[:6])}" if seen.slices else ""
    return Verdict(Outcome.PASS, "; ".join(said) + also)


def _judge_losses(row: LossRow, limits: Limits, alpha: float) -> Iterator[Verdict]:
    where = _among(row)
    most = limits.max_slice_drop if row.name else limits.max_drop
    if row.lost.n:
        low, high = mean_bounds(row.lost, alpha, limits.beta)
        head = f"{percent(row.lost.mean)} of the exact {limits.k}{where} are lost"
        head += f" over {plural(row.lost.n, 'query', 'queries')}"
        yield _drop_between(head, low, high, most, _broken(row, row.lost.mean))
    elif not row.name:
        yield Verdict(Outcome.INCONCLUSIVE, "exact search answered nothing")
    if row.drop is not None:
        yield from _judge_next_events(row, row.drop, (alpha, limits.beta), most)


def _judge_next_events(
    row: LossRow, drop: Histogram, errors: tuple[float, float], most: float
) -> Iterator[Verdict]:
    """Judge how many fewer of the next events are found, query by query."""
    if not drop.n:
        if not row.name:
            yield Verdict(Outcome.INCONCLUSIVE, "no query has a label: give what came next")
        return
    low, high = (2 * end - 1 for end in mean_bounds(drop, *errors))
    fell, found = 2 * drop.mean - 1, row.found or 0.0
    head = (
        f"of the next events{_among(row)} exact search finds {percent(found)}, the index"
        f" {percent(max(0.0, found - fell))}, over {plural(drop.n, 'query', 'queries')}"
    )
    verdict = _drop_between(head, low, high, most, _broken(row, fell))
    # in a slice there may be little to find; over all there must be more than may be lost
    if verdict.outcome == Outcome.PASS and not row.name and found <= most:
        yield Verdict(
            Outcome.INCONCLUSIVE,
            f"exact search finds {percent(found)} of the next events, {percent(most)} may"
            " be lost: it could lose them all, so these labels can't tell",
        )
        return
    yield verdict


def _among(row: LossRow) -> str:
    if not row.name:
        return ""
    return f" among {row.name} items" if row.name in BANDS else f" in the slice {row.name!r}"


def _broken(row: LossRow, drop: float) -> BrokenLimit:
    return BrokenLimit("max_slice_drop" if row.name else "max_drop", drop, row.name)


def _drop_between(head: str, low: float, high: float, most: float, broken: BrokenLimit) -> Verdict:
    limit = f"limit {most:g}"
    if low > most:
        return Verdict(Outcome.FAIL, f"{head}: a drop of at least {low:.3g} ({limit})", (broken,))
    if high <= most:
        return Verdict(Outcome.PASS, f"{head}: a drop of at most {max(0.0, high):.3g} ({limit})")
    text = f"a drop between {max(0.0, low):.3g} and {high:.3g} ({limit}), more queries would tell"
    return Verdict(Outcome.INCONCLUSIVE, f"{head}: {text}")


def _size(seen: Seen, limits: Limits) -> Iterator[Verdict]:
    if limits.max_size_ratio is None:
        return
    if seen.sizes is None:
        raise Unfit("details.sizes: is missing, and max_size_ratio is set: measure again")
    small = seen.sizes.ratio <= limits.max_size_ratio
    yield Verdict(
        Outcome.PASS if small else Outcome.FAIL,
        f"the index has {percent(seen.sizes.ratio)} of the bytes, {seen.sizes.index:,} of"
        f" {seen.sizes.exact:,} (limit {percent(limits.max_size_ratio)})",
        () if small else (BrokenLimit("max_size_ratio", seen.sizes.ratio),),
    )


def _doubts(seen: Seen, limits: Limits) -> Iterator[Verdict]:
    """Yield what keeps a run from passing, whatever the numbers are."""
    smaller = seen.sizes is not None and seen.sizes.ratio < 1
    for there, text in (
        (seen.doubts.same, "search is the exact search, or a copy of it: nothing is compared"),
        (
            seen.doubts.identical and not seen.doubts.same and not smaller,
            "every answer is that of exact search, in its order: give sizes that show the index smaller",
        ),
        (seen.doubts.constant, "exact search answers all queries alike: no query can be missed"),
        (
            seen.doubts.random,
            "the queries are independent random numbers, which tell nothing of recall: ask real ones",
        ),
        (
            bool(seen.unlabelled) and 2 * seen.unlabelled > seen.whole.queries,
            f"{plural(seen.unlabelled, 'query has', 'queries have')} no label: more than half",
        ),
        (bool(seen.unnamed), f"{plural(seen.unnamed, 'query', 'queries')} belong to no slice"),
    ):
        if there:
            yield Verdict(Outcome.INCONCLUSIVE, text)
    if gone := [name for name in limits.slices if name not in {row.name for row in seen.slices}]:
        yield Verdict(Outcome.INCONCLUSIVE, f"no query tells of the slice {', '.join(gone)}")

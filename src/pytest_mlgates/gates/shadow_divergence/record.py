"""Write down what a shadow run showed: all that the verdict and a later report read."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from math import log
from typing import Any

from pytest_mlgates.core.canonical import Json
from pytest_mlgates.core.details import plain
from pytest_mlgates.core.records import Measurement
from pytest_mlgates.core.words import percent
from pytest_mlgates.gates.shadow_divergence.details import OVERALL, Order, Row, Seen
from pytest_mlgates.gates.shadow_divergence.judge import (
    Limits,
    direction,
    headline,
    leaving,
    scope,
)
from pytest_mlgates.gates.shadow_divergence.tally import Tally, Worst

__all__ = ["Models", "State", "measurement"]

#: slices that are recorded by name, and kinds of differences
MAX_NAMED, MAX_KINDS = 60, 10
#: slices and kinds of differences that are findings
MAX_FINDINGS = 3

#: slices that a search came up with, each with its worst inputs
Found = tuple[tuple[Row, list[Worst]], ...]


@dataclass(frozen=True, slots=True)
class Models:
    """What is known of the two; ``twins`` are the same by code and state."""

    control: str
    control_digest: str | None
    twins: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far a run has come; ``inputs`` is how many were given, where that is known."""

    ended: bool
    order: Order
    inputs: int | None
    models: Models


def measurement(
    tally: Tally,
    found: Found,
    state: State,
    digests: Mapping[int, str],
    limits: Limits,
    measured_with: Mapping[str, Json],
) -> Measurement:
    """Return what was seen so far; ``digests`` are those of inputs, by place."""
    named, others = _slice_rows(tally, limits)
    seen = Seen(
        measured_with=measured_with,
        ended=state.ended,
        order=state.order,
        inputs=state.inputs,
        **asdict(state.models),
        blank=tally.all_blank and tally.run > 0,
        rate=tally.rate(),
        overall=tally.whole_row(),
        slices=(*named, *(row for row, _ in found)),
        others=tuple(others),
        why=dict(tally.why.most_common(MAX_KINDS)),
        labelled=tally.labelled or None,
        excused=tally.excused if tally.labelled else None,
        run=tally.run,
    )
    lines = _divergence_lines(tally, seen, _worst_slice(tally, found), digests, limits)
    return headline(seen, limits).measurement(plain(replace(seen, findings=tuple(lines))))


def _slice_rows(tally: Tally, limits: Limits) -> tuple[list[Row], list[Row]]:
    """Return the slices that are recorded by name, and the others grouped by their counts."""
    shares = tally.shares()
    shown = tally.shown()
    wanted = {name for name in shown if shown[name] in limits.required}
    alike: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for name, count in tally.slices.items():
        needed = name in wanted or shares[name] >= limits.min_share
        alike[(needed, *count.key())].append(name)

    def row(name: str, needed: bool, **changes: object) -> Row:
        return tally.slices[name].row(shown[name], shares[name], needed=needed, **changes)

    kept = wanted if len(shares) > MAX_NAMED else set(shares)
    if len(shares) > MAX_NAMED:
        first = [row(names[0], needed) for (needed, *_), names in alike.items()]
        groups = list(zip(first, alike.values(), strict=True))
        groups.sort(
            key=lambda group: -(group[0].log_e_above(limits.max_rate) + log(group[0].weight))
        )
        kept.update(_first_divergence(groups))
        short = [group for group in groups if group[0].needed]
        kept.update(
            _first_divergence(
                sorted(short, key=lambda group: group[0].log_e_below(limits.max_rate))
            )
        )
    named, others = [], []
    for (needed, *_), names in alike.items():
        named += [row(name, needed) for name in names if name in kept]
        if size := sum(name not in kept for name in names):
            blank = row(names[0], needed)
            blank = replace(blank, name="", share=0.0, count=size)
            others.append(replace(blank, shadow_right=0, control_right=0))
    return named, others


def _first_divergence(groups: list[tuple[Row, list[str]]]) -> list[str]:
    names = itertools.chain.from_iterable(names for _, names in groups)
    return list(itertools.islice(names, MAX_NAMED // 2))


def _worst_slice(tally: Tally, found: Found) -> dict[str, list[Worst]]:
    shown = tally.shown()
    by_name = {shown[name]: count.worst for name, count in tally.slices.items() if count.worst}
    return {**by_name, OVERALL: tally.whole.worst, **{row.name: worst for row, worst in found}}


def _divergence_lines(
    tally: Tally,
    seen: Seen,
    worst: Mapping[str, list[Worst]],
    digests: Mapping[int, str],
    limits: Limits,
) -> Iterator[str]:
    whole, alpha = tally.whole, limits.alpha
    if seen.twins:
        yield "control and shadow are the same by code and state: was the new one loaded?"
    if tally.run and (kinds := tally.why.most_common(MAX_FINDINGS)):
        yield "how they differ: " + ", ".join(f"{kind} ({count})" for kind, count in kinds)
    named = leaving(seen, limits)[1]
    for row in [row for row in named if row != seen.overall][:MAX_FINDINGS] or named:
        low, high = limits.bounds(row)
        yield (
            f"{row.name or '(a slice)'}: {row.divergent} of {row.n} diverge, {percent(row.rate)}"
            f" (from {percent(low)} to {percent(high)}; limit {percent(limits.max_rate)})"
        )
        yield from (
            _slice_line(one, digests) for one in sorted(worst.get(row.name, ()), reverse=True)
        )
        if labels := direction(row.shadow_right, row.control_right, alpha):
            yield f"  {labels}"
    if not named and whole.divergent:
        yield from (_slice_line(one, digests) for one in sorted(whole.worst, reverse=True))
    if tally.labelled and (labels := direction(whole.shadow_right, whole.control_right, alpha)):
        yield f"{scope(seen)}, {labels}"
    if tally.excused:
        yield (
            f"{tally.excused} divergences do not count: there the label confirms the shadow and not"
            " the control (allow_improvement)"
        )
    if 2 * whole.distinct < whole.n:
        yield f"only {whole.distinct} of {whole.n} inputs differ from each other"


def _slice_line(worst: Worst, digests: Mapping[int, str]) -> str:
    _, place, why, shown = worst
    digest = f" (digest {digests[-place]})" if -place in digests else ""
    return f"  input {-place}{digest}: {why}" + (f", {shown}" if shown else "")

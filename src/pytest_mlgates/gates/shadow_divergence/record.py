"""Write down what a shadow run showed: all that the verdict and a later report read."""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from math import log
from typing import TYPE_CHECKING, Any

from pytest_mlgates.core import Measurement
from pytest_mlgates.gates.shadow_divergence.details import OVERALL, Row, Seen
from pytest_mlgates.gates.shadow_divergence.judge import deciding, direction, leaving, share
from pytest_mlgates.gates.shadow_divergence.tally import Tally, Worst

if TYPE_CHECKING:
    from pytest_mlgates.gates.shadow_divergence.gate import ShadowDivergence

__all__ = ["measurement"]

_NAMED = 60
_TOLD = 3


def measurement(
    gate: ShadowDivergence,
    tally: Tally,
    found: tuple[tuple[Row, list[Worst]], ...],
    about: dict[str, Any],
    digests: dict[int, str],
) -> Measurement:
    """Return what was seen so far; ``found`` are slices of a search, with their worst inputs."""
    named, others = _rows(gate, tally)
    details: dict[str, Any] = {
        "measured_with": gate.measured_with(),
        **about,
        "blank": tally.all_blank and tally.whole.n > 0,
        "rate": tally.rate(),
        "overall": tally.whole_row().to_dict(),
        "slices": [row.to_dict() for row in (*named, *(row for row, _ in found))],
        "others": [row.to_dict() for row in others],
        "why": dict(tally.why.most_common(10)),
    }
    if tally.labelled:
        details["labelled"] = tally.labelled
        details["excused"] = tally.excused
    seen = Seen.read(details, tally.whole.n)
    details["findings"] = _findings(
        gate, tally, seen, _worst(tally, found), digests, twins=about["twins"]
    )
    row = deciding(gate, seen)
    low, high = gate.bounds(row)
    return Measurement(
        value=row.rate,
        unit="of inputs",
        n=tally.whole.n,
        interval=(min(low, row.rate), max(high, row.rate)),
        details=details,
    )


def _rows(gate: ShadowDivergence, tally: Tally) -> tuple[list[Row], list[Row]]:
    """Return the slices that are recorded by name, and the others grouped by their counts."""
    shares = tally.shares()
    shown = tally.shown()
    wanted = {name for name in shown if shown[name] in gate.wanted}
    alike: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for name, count in tally.slices.items():
        needed = name in wanted or shares[name] >= gate.min_share
        alike[(needed, *count.key())].append(name)

    def row(name: str, needed: bool, **changes: Any) -> Row:
        return tally.slices[name].row(shown[name], shares[name], needed=needed, **changes)

    kept = wanted if len(shares) > _NAMED else set(shares)
    if len(shares) > _NAMED:
        first = [row(names[0], needed) for (needed, *_), names in alike.items()]
        groups = list(zip(first, alike.values(), strict=True))
        groups.sort(key=lambda group: -(group[0].over(gate.max_rate) + log(group[0].weight)))
        kept.update(_first(groups))
        short = [group for group in groups if group[0].needed]
        kept.update(_first(sorted(short, key=lambda group: group[0].under(gate.max_rate))))
    named, others = [], []
    for (needed, *_), names in alike.items():
        named += [row(name, needed) for name in names if name in kept]
        if size := sum(name not in kept for name in names):
            blank = row(names[0], needed)
            blank = dataclasses.replace(blank, name="", share=0.0, count=size)
            others.append(dataclasses.replace(blank, shadow_right=0, control_right=0))
    return named, others


def _first(groups: list[tuple[Row, list[str]]]) -> list[str]:
    names = itertools.chain.from_iterable(names for _, names in groups)
    return list(itertools.islice(names, _NAMED // 2))


def _worst(tally: Tally, found: tuple[tuple[Row, list[Worst]], ...]) -> dict[str, list[Worst]]:
    shown = tally.shown()
    by_name = {shown[name]: count.worst for name, count in tally.slices.items() if count.worst}
    return {**by_name, OVERALL: tally.whole.worst, **{row.name: worst for row, worst in found}}


def _findings(
    gate: ShadowDivergence,
    tally: Tally,
    seen: Seen,
    worst: dict[str, list[Worst]],
    digests: dict[int, str],
    *,
    twins: bool,
) -> tuple[str, ...]:
    lines = []
    if twins:
        lines.append("control and shadow are the same by code and state: was the new one loaded?")
    if tally.whole.n and (kinds := tally.why.most_common(_TOLD)):
        told = ", ".join(f"{kind} ({count})" for kind, count in kinds)
        lines.append(f"how they differ: {told}")
    named = leaving(gate, seen)[1]
    for row in [row for row in named if row != seen.overall][:_TOLD] or named:
        low, high = gate.bounds(row)
        lines.append(
            f"{row.name or '(a slice)'}: {row.divergent} of {row.n} diverge, {share(row.rate)}"
            f" (from {share(low)} to {share(high)}; limit {share(gate.max_rate)})"
        )
        lines += [_told(one, digests) for one in sorted(worst.get(row.name, ()), reverse=True)]
        if told := direction(row.shadow_right, row.control_right, gate.alpha):
            lines.append(f"  {told}")
    if not named and tally.whole.divergent:
        lines += [_told(one, digests) for one in sorted(tally.whole.worst, reverse=True)]
    whole = tally.whole
    if tally.labelled and (told := direction(whole.shadow_right, whole.control_right, gate.alpha)):
        lines.append(f"over all inputs, {told}")
    if tally.excused:
        lines.append(
            f"{tally.excused} divergences do not count: there the label confirms the shadow and not"
            " the control (allow_improvement)"
        )
    if 2 * whole.distinct < whole.n:
        lines.append(f"only {whole.distinct} of {whole.n} inputs differ from each other")
    return tuple(lines)


def _told(worst: Worst, digests: dict[int, str]) -> str:
    _, place, why, shown = worst
    digest = f" (digest {digests[-place]})" if -place in digests else ""
    return f"  input {-place}{digest}: {why}" + (f", {shown}" if shown else "")

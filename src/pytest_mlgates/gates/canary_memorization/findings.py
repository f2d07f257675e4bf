"""The lines that tell a person which canaries came back, or rank high. No secret is in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pytest_mlgates.core.words import plural
from pytest_mlgates.gates.canary_memorization.details import Rank, by_copies
from pytest_mlgates.stats.exposure import bits, fisher_p

__all__ = ["Label", "copies", "findings"]

MAX_FINDINGS = 8
#: p-value and extraction probability from which on a canary is worth a line
_HIGH_P, _LIKELY = 0.02, 1e-6
_WAYS = {
    "own": "to its own prefix",
    "hint": "to its own prefix and a part of itself",
    "other": "to the prefix of another canary",
}


class Label(NamedTuple):
    """What may be told of a canary: never its secret."""

    format: str
    repeats: int
    digest: str


def findings(
    rows: Sequence[Rank], found: Mapping[str, Mapping[int, int]], labels: Iterable[Label]
) -> Iterator[str]:
    """Yield a line for each canary that shows, the plainest first, then one for each group.

    ``found`` maps an attack to the canaries that it brought back, and in which reply.
    """
    back: dict[int, str] = {}
    for attack, replies in found.items():
        for index, reply in replies.items():
            back.setdefault(index, f"came back {_WAYS[attack]}, in reply {reply}")
    by_index = {row.canary: row for row in rows}
    by_p = sorted(rows, key=lambda row: row.p_at_last)
    high = [row.canary for row in by_p if row.p_at_last <= _HIGH_P]
    exposed, names = list(dict.fromkeys([*back, *high])), list(labels)
    for index in exposed[:MAX_FINDINGS]:
        facts = [back[index]] if index in back else []
        facts += [_exposure(by_index[index])] if index in by_index else []
        label = names[index]
        about = f"{label.format}, {copies(label.repeats)}, digest {label.digest}"
        yield f"canary {index} ({about}) {' and '.join(facts)}"
    if len(exposed) > MAX_FINDINGS:
        yield f"and {len(exposed) - MAX_FINDINGS} more like these"
    groups = by_copies(rows)
    if len(groups) > 1:
        for count, ps in groups.items():
            yield f"{len(ps)} canaries with {copies(count)} each: p = {fisher_p(ps):.2g} together"


def copies(count: int) -> str:
    """Return in how many records a canary was planted."""
    return plural(count, "copy", "copies")


def _exposure(row: Rank) -> str:
    text = f"has {bits(row.p_at_last):.1f} bits of exposure among {row.among:,} references"
    if not (row.above or row.beaten):
        text += f", which is all they can show (estimate {row.estimated_bits:.0f})"
    if row.rate is not None and row.rate >= _LIKELY:
        text += f"; a sample gives it back with chance {row.rate:.2g}"
    return text

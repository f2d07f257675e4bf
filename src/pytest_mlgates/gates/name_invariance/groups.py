"""Groups of names against each other, pair by pair: what each block of scores says of them.

In a block every name has one score. The names of two groups are matched at random, and each match
gives one difference. Over a whole round (each name once on each template) a product of bets on
them is expected to be no larger than bets on the difference of the two means: the mean over
matchings is one of elementary symmetric means (Maclaurin's inequality). So the bounds of
:mod:`pytest_mlgates.stats.betting` hold for *these* names and templates, with no word on how names
or noise are spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from pytest_mlgates.gates.name_invariance.details import Differences, Gap
from pytest_mlgates.gates.name_invariance.table import Name

__all__ = ["GroupPairs"]

#: pairs of groups that are recorded: those that are least surely alike
MAX_GAPS = 60

Floats = NDArray[np.float64]


class GroupPairs:
    """Differences between the groups of names, by pair; names of share 0 are in no group."""

    def __init__(self, names: Sequence[Name]) -> None:
        groups = sorted({name.group for name in names})
        self.members = {
            group: np.array(
                [i for i, n in enumerate(names) if n.group == group and n.share > 0], int
            )
            for group in groups
        }
        self.pairs = list(combinations(groups, 2))
        self._sums = np.zeros((len(self.pairs), 5))

    @property
    def fewest(self) -> int:
        """How many matches the smallest two groups give in one block."""
        return min((len(members) for members in self.members.values()), default=0)

    def add(self, row: Floats, rng: np.random.Generator) -> None:
        """Match the names of every two groups at random and count the differences."""
        drawn = {group: row[rng.permutation(own)] for group, own in self.members.items()}
        for sums, (first, second) in zip(self._sums, self.pairs, strict=True):
            a, b = drawn[first], drawn[second]
            d = a[: len(b)] - b[: len(a)]
            if d.size:
                least, most = d.min(), d.max()
                if sums[0]:
                    least, most = min(least, sums[3]), max(most, sums[4])
                sums[:3] += d.size, d.sum(), (d**2).sum()
                sums[3:] = least, most

    def gaps(self, means: Floats, limit: float, width: float) -> tuple[Gap, ...]:
        """Return the pairs, those first that are least surely within ``limit`` of each other.

        ``means`` holds the mean score of each name, ``width`` is the largest difference there is.
        """
        found = []
        for sums, (first, second) in zip(self._sums, self.pairs, strict=True):
            a, b = means[self.members[first]], means[self.members[second]]
            spread = (
                a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b) if min(len(a), len(b)) > 1 else None
            )
            found.append(
                Gap(
                    groups=(first, second),
                    names=(len(a), len(b)),
                    gap=float(a.mean() - b.mean()) if len(a) and len(b) else 0.0,
                    se=None if spread is None else float(np.sqrt(spread)),
                    calls=Differences(int(sums[0]), *map(float, sums[1:])),
                    by_name=Differences.of(a[: len(b)] - b[: len(a)]),
                )
            )
        found.sort(key=lambda gap: (gap.log_e_within(limit, width), -abs(gap.gap)))
        return tuple(found[:MAX_GAPS])

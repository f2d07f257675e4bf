"""What a random sample of every file tells about all records.

From each stretch ``f`` of a data set, ``k_f`` of its ``N_f`` records are drawn at random. The records
found dirty are a sum of independent draws (a hypergeometric count is one: Vatutin and Mikhailov,
Theory Probab. Appl. 27, 1982), and such a sum spreads no wider than a binomial one of the same mean
(Hoeffding, Ann. Math. Stat. 27, 1956). Where nothing is found,

    prod (1 - d_f)^k_f  <=  (1 - D)^n',    n' = min k_f N / N_f over what was not read in full,

for the share ``D`` of dirty records in all and ``d_f`` in a stretch, by concavity of the logarithm.
So the bound holds whichever files the leak is in: that each file is drawn from does it, and the
unit of independence is a record drawn, nothing that would have to be assumed of the data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytest_mlgates.stats.binomial import upper

__all__ = ["chance_found", "draws_needed", "effective_draws", "rate_below"]


def effective_draws(drawn: Sequence[tuple[int, int]]) -> int:
    """Return ``n'`` from the records that are there, and were drawn, of each stretch.

    >>> effective_draws([(1000, 10), (1000, 10)]), effective_draws([(1000, 10), (4000, 10)])
    (20, 12)
    >>> effective_draws([(5, 5), (1000, 10)])  # what was read in full can't hide a record
    10
    """
    there = sum(held for held, _ in drawn)
    partial = [k * there / held for held, k in drawn if k < held]
    return math.floor(min(partial)) if partial else there


def rate_below(dirty: int, drawn: Sequence[tuple[int, int]], error: float) -> float:
    """Return what the share of dirty records is below, but for a chance ``error``.

    >>> round(rate_below(0, [(1_000_000, 3000)], 0.05), 6)
    0.000998
    """
    n, effective = sum(k for _, k in drawn), effective_draws(drawn)
    if not n or not effective:
        return 1.0
    if all(k >= held for held, k in drawn):
        return dirty / n
    return min(1.0, upper(dirty, n, error) * max(1.0, n / effective))


def chance_found(rate: float, share_of_files: float, draws: int) -> float:
    """Return with what chance a leak is seen that is ``rate`` of all records, in a share of files.

    ``draws`` are spread evenly, so that ``draws * share_of_files`` fall into files that leak.

    >>> round(chance_found(1e-4, 0.02, 30_000), 3)
    0.951
    """
    inside = min(1.0, rate / share_of_files)
    if inside >= 1.0:
        return 1.0 if draws else 0.0
    return -math.expm1(draws * share_of_files * math.log1p(-inside))


def draws_needed(rate: float, share_of_files: float, chance: float) -> int:
    """Return how many records are drawn so that such a leak is seen with a chance.

    >>> draws_needed(1e-4, 0.02, 0.95)
    29883
    """
    inside = min(1.0 - 1e-12, rate / share_of_files)
    return math.ceil(math.log1p(-chance) / math.log1p(-inside) / share_of_files)

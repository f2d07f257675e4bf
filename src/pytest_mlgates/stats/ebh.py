"""Many hypotheses at once, by their e-values: which of them to reject.

e-BH keeps the share of false rejections at a level whatever the dependence between the e-values
(Wang and Ramdas, J. R. Stat. Soc. B 84, 2022), and at any stopping time where they are values of
e-processes. Where every null hypothesis holds, a rejection of any of them has a chance of at most
the level, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, log

__all__ = ["ebh"]


def ebh(log_e: Sequence[float], level: float, weights: Sequence[float] | None = None) -> list[int]:
    """Return the indices that e-BH rejects at ``level``, the largest evidence first.

    ``log_e`` are natural logs of e-values; ``weights`` are shares of the level fixed before the
    data, with a sum of at most 1 (equal shares where absent).

    >>> ebh([9.0, 0.0, 6.0, -2.0], 0.01)             # e-values of 8103, 1, 403, 0.14
    [0, 2]
    >>> ebh([5.9, 0.0, 0.0, 0.0], 0.01), ebh([5.9, 0.0], 0.01, weights=[0.9, 0.1])
    ([], [0])
    """
    if not 0 < level < 1:
        raise ValueError(f"no test at level {level!r}")
    m = len(log_e)
    shares = [1.0 / max(1, m)] * m if weights is None else list(weights)
    if len(shares) != m or any(not 0 < share <= 1 for share in shares) or fsum(shares) > 1 + 1e-9:
        raise ValueError("weights are shares of one, one for each e-value")
    scores = [value + log(share) for value, share in zip(log_e, shares, strict=True)]
    order = sorted(range(m), key=lambda i: -scores[i])
    count = 0
    for rank, i in enumerate(order, start=1):
        if scores[i] + log(rank) >= -log(level):
            count = rank
    return order[:count]

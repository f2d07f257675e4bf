"""The numbers by which a name audit spends its calls."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

__all__ = ["Plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many calls there are, and where a closer look is worth some of them.

    ``confirm_gap`` is the width from which on a gap is asked for again, ``trial_gap`` the mean
    difference that a trial of one pair has to exceed, with an error of ``trial_level``;
    ``group_gap`` is the distance of a group from which on more calls are spent. ``upper_level`` is
    the error of the upper bound of a noisy scorer, split over its looks.
    """

    placeholder: str
    names_per_group: int
    max_calls: int
    max_repeats: int
    timeout_s: float
    concurrency: int
    confirm_gap: float
    trial_gap: float
    trial_level: float
    group_gap: float
    upper_level: float
    score_range: tuple[float, float] | None
    seed: int

    @property
    def trial_log_e(self) -> float:
        """The logarithm of the e-value that ends a trial."""
        return -math.log(self.trial_level)

    @property
    def width(self) -> float:
        """The largest gap that two scores can have."""
        low, high = self.score_range or (0.0, math.inf)
        return high - low

    def repeats_needed(self, noise_sd: float, cells: int, looks: int, repeats: int) -> int:
        """Return about how many repeats bound the gap, if all names score the same in truth.

        ``cells`` is the number of names times that of templates, ``repeats`` how many there were so far.
        """
        reach = math.sqrt(2) * float(stats.norm.isf(self.upper_level / looks))
        reach += 2 * math.sqrt(2 * math.log(cells))
        ratio = min(reach * noise_sd / self.trial_gap, 1e150)  # its square is finite
        return max(2 * repeats, math.ceil(ratio**2))

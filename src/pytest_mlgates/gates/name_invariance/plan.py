"""The numbers by which a name audit spends its calls."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

from pytest_mlgates.stats.betting import fewest_equal
from pytest_mlgates.stats.zero_tolerance import tries

__all__ = ["Plan"]


#: from one look to the next
_GROWTH = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many calls there are, and where a closer look is worth some of them.

    ``confirm_gap`` is the width from which on a gap is asked for again, ``trial_gap`` the mean
    difference that a trial of one pair has to exceed, with an error of ``trial_level``;
    ``group_gap`` is the distance of two groups from which on more calls are spent, None where there
    are no groups. ``upper_level`` is the error of the upper bound of a noisy scorer, split over its
    looks; ``gap_share`` the share of a name's calls in which a gap may show.
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
    group_gap: float | None
    gap_share: float
    upper_level: float
    score_range: tuple[float, float] | None
    seed: int

    @property
    def width(self) -> float:
        """The largest gap that two scores can have."""
        low, high = self.score_range or (0.0, math.inf)
        return high - low

    def bound(self, seen: float) -> float:
        """Return what bounds a difference: the declared range, or else what was seen."""
        return self.width if math.isfinite(self.width) else seen

    def rounds_needed(self, templates: int, fewest: int | None) -> int:
        """Return how many rounds (all names on all templates) a PASS takes at least.

        ``fewest`` is how many matches the smallest two groups give in a block, None without groups.
        """
        rounds = math.ceil(tries(self.gap_share, 1.0, self.upper_level) / templates)
        if self.group_gap is not None and fewest and math.isfinite(self.width):
            matches = fewest_equal(self.group_gap, self.width, self.upper_level)
            rounds = max(rounds, math.ceil(matches / (fewest * templates)))
        return rounds

    def looks(self, first: int, most: int) -> list[int]:
        """Return the numbers of rounds after which a PASS may be due, from ``first`` to ``most``."""
        planned, rounds = [], first
        while rounds <= most:
            planned.append(rounds)
            rounds = math.ceil(rounds * _GROWTH)
        return planned or [most]

    def repeats_needed(self, noise_sd: float, cells: int, looks: int, repeats: int) -> int:
        """Return about how many repeats bound the gap, if all names score the same in truth.

        ``cells`` is the number of names times that of templates, ``repeats`` how many there were so far.
        """
        reach = math.sqrt(2) * float(stats.norm.isf(self.upper_level / looks))
        reach += 2 * math.sqrt(2 * math.log(cells))
        ratio = min(reach * noise_sd / self.trial_gap, 1e150)  # its square is finite
        return max(2 * repeats, math.ceil(ratio**2))

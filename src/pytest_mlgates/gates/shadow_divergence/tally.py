"""Count divergences by slice."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pytest_mlgates.core.digests import digest_of
from pytest_mlgates.gates.shadow_divergence.compare import Difference
from pytest_mlgates.gates.shadow_divergence.details import OVERALL, Row
from pytest_mlgates.gates.shadow_divergence.feed import Case, Feed
from pytest_mlgates.gates.shadow_divergence.models import is_flat
from pytest_mlgates.reading.slices import unique_labels

__all__ = ["MAX_FOUND", "MAX_WORST", "Count", "Tally", "Worst", "fingerprint"]

#: slices that a search may come up with
MAX_FOUND = 3
#: of the error, what slices share that a stream shows later than at its beginning
_LATE = 0.1
#: inputs named of a slice
MAX_WORST = 3

#: how far apart, the place of the input (negative: the first of equals), kind, what is shown
Worst = tuple[float, int, str, str]


@dataclass(slots=True)
class Count:
    """What was seen of one slice."""

    weight: float
    n: int = 0
    divergent: int = 0
    distinct: int = 0
    distinct_divergent: int = 0
    shadow_right: int = 0
    control_right: int = 0
    worst: list[Worst] = field(default_factory=list)

    def key(self) -> tuple[float, ...]:
        """Return what two slices share that were counted alike."""
        return (self.weight, self.n, self.divergent, self.distinct, self.distinct_divergent)

    def row(self, name: str, share: float, **flags: Any) -> Row:
        """Return the record of this slice."""
        return Row(
            name=name,
            share=share,
            weight=self.weight,
            n=self.n,
            divergent=self.divergent,
            distinct=self.distinct,
            distinct_divergent=self.distinct_divergent,
            shadow_right=self.shadow_right,
            control_right=self.control_right,
            **flags,
        )


@dataclass(frozen=True, slots=True)
class _Ran:
    """What running one input showed."""

    digest: str | None
    diverged: bool
    right: str


def fingerprint(item: object) -> str | None:
    """Return a digest of an input, or None where its content can't be told.

    >>> fingerprint({"speed": 3}) == fingerprint({"speed": 3}) != fingerprint({"speed": "3"})
    True
    """
    if is_flat(item):
        return hashlib.blake2b(repr(item).encode("utf-8", "replace"), digest_size=16).hexdigest()
    return digest_of(item)


class Tally:
    """Counts by slice. The error of a FAIL is split over slices before the first is run.

    Slices known beforehand share it equally (with the whole, and with those a search may find);
    those that a stream shows later share what was kept for such, the sooner the more.
    """

    def __init__(self, feed: Feed, required: Iterable[str], *, search: bool, repeats: bool) -> None:
        names = list(dict.fromkeys([*required, *feed.known]))
        late = _LATE if feed.total is None and names else 0.0
        parts = 1 + len(names) + (MAX_FOUND if search else 0)
        self.weight = (1.0 - late) / parts
        self.slices = {name: Count(self.weight) for name in names}
        self.whole = Count(self.weight)
        self.strata: dict[tuple[str, ...], list[int]] = {}
        self.why: Counter[str] = Counter()
        self.excused = 0
        self.labelled = 0
        self.all_blank = True
        self._feed = feed
        self._late = late
        self._number_late = 0
        self._shown: dict[str, str] = {}
        self._repeats = repeats
        self.run = 0
        self._seen: dict[tuple[str | None, str], bool] = {}
        # what was run and may not count yet, and how far each slice has counted
        self._waiting: dict[int, _Ran] = {}
        self._counted: Counter[str | None] = Counter()

    def add(
        self, case: Case, difference: Difference | None, right: str = "", *, blank: bool = False
    ) -> str | None:
        """Count one input; ``right`` says which model the label confirms. Returns its digest."""
        self.all_blank = self.all_blank and blank
        diverged = difference is not None
        digest = None if self._repeats else fingerprint(case.item)
        self.run += 1
        stratum = self.strata.setdefault(case.names, [0, 0])
        stratum[0] += 1
        stratum[1] += diverged
        ran = _Ran(digest, diverged, right)
        if self._feed.queues:
            self._waiting[case.index] = ran
        for name in (None, *case.names):
            count = self._slice(name)
            if difference is not None:
                worst = (difference.size, -case.index, difference.why, difference.shown)
                push = heapq.heappush if len(count.worst) < MAX_WORST else heapq.heappushpop
                push(count.worst, worst)
            if not self._feed.queues:
                self._count(name, ran)
                continue
            queue = self._feed.queues[name]
            while (at := self._counted[name]) < len(queue) and queue[at] in self._waiting:
                self._count(name, self._waiting[queue[at]])
                self._counted[name] += 1
        if difference is not None:
            self.why[difference.why] += 1
        return digest

    @property
    def divergent(self) -> int:
        """How many of the inputs that were run diverged."""
        return sum(divergent for _, divergent in self.strata.values())

    def _count(self, name: str | None, ran: _Ran) -> None:
        """Count an input in a slice; None is all inputs. One that repeats counts as distinct once."""
        count, new, newly = self._slice(name), True, ran.diverged
        if ran.digest is not None:
            before = self._seen.get((name, ran.digest))
            self._seen[name, ran.digest] = ran.diverged or bool(before)
            new, newly = before is None, ran.diverged and not before
        count.n += 1
        count.divergent += ran.diverged
        count.distinct += new
        count.distinct_divergent += newly
        count.shadow_right += ran.right == "shadow"
        count.control_right += ran.right == "control"

    def _slice(self, name: str | None) -> Count:
        if name is None:
            return self.whole
        if name not in self.slices:
            self._number_late += 1
            late = self._late or _LATE * self.weight  # an input whose slices were not told before
            doubled = self._number_late.bit_length()  # 1, 2 to 3, 4 to 7: alike within each
            self.slices[name] = Count(late / (2 ** (doubled - 1) * doubled * (doubled + 1)))
        return self.slices[name]

    def shown(self) -> dict[str, str]:
        """Return the name that each slice has in a record."""
        if len(self._shown) < len(self.slices):
            self._shown = unique_labels(self.slices)
        return self._shown

    def shares(self) -> dict[str, float]:
        """Return what part of all inputs each slice is."""
        parts = self._feed.shares
        if not parts:
            n = max(1, self.whole.n)
            return {name: count.n / n for name, count in self.slices.items()}
        shares = dict.fromkeys(self.slices, 0.0)
        for stratum, part in parts.items():
            for name in stratum:
                shares[name] = min(1.0, shares[name] + part)
        return shares

    def rate(self) -> float:
        """Return the rate over all inputs, strata weighted back to what part of them they are."""
        parts = self._feed.shares
        if not parts or not self.run:
            return self.whole.divergent / max(1, self.whole.n)
        covered = sum(parts[stratum] for stratum in self.strata)
        rates = (parts[stratum] * k / n for stratum, (n, k) in self.strata.items())
        return min(1.0, sum(rates) / covered)

    def whole_row(self) -> Row:
        """Return the record of all inputs together: as many as are a sample of them."""
        return self.whole.row(OVERALL, 1.0)

"""A scan that has ended, as the subject of ``pii_leak``: what it counted, and texts to plant into."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from pytest_mlgates.audit.draws import Draw
from pytest_mlgates.audit.folder import OutFolder
from pytest_mlgates.audit.formats import UNREADABLE_SOURCE, opened_source
from pytest_mlgates.audit.partitions import Partition, Stretch
from pytest_mlgates.audit.sample import effective_draws
from pytest_mlgates.audit.totals import ScanTotals, examples, totals_of
from pytest_mlgates.core.errors import Unmeasurable

__all__ = ["FinishedScan"]

#: stretches that texts are drawn from
_STRETCHES = 24


class FinishedScan:
    """The findings of ``mlgates scan DATASET --out FOLDER``: ``pii_leak(FinishedScan("out"))``.

    Raises :class:`Unmeasurable` where the scan has not ended, or is of other kinds than the gate's.
    """

    def __init__(self, folder: str) -> None:
        self._folder = OutFolder(folder)
        if not self._folder.planned():
            raise Unmeasurable("no scan was begun there: run mlgates scan DATASET --out FOLDER")
        self._partitions: list[Partition] = self._folder.plan()
        left = self._folder.left(self._partitions)
        if left:
            raise Unmeasurable(
                f"{len(left):,} of {len(self._partitions):,} partitions are not scanned: start the "
                "same mlgates scan again"
            )
        self.options = self._folder.options()
        self.totals: ScanTotals = totals_of(self._folder, self._partitions)

    @property
    def mlgates_digest(self) -> str:
        """A digest of what was scanned, as it was listed, and with what options."""
        return f"scan:sha256:{self._folder.plan_digest()}"

    @property
    def is_sample(self) -> bool:
        """Whether records were drawn, instead of all being read."""
        return bool(self.options.sample)

    @property
    def effective(self) -> int:
        """How many records drawn at random from all the sample is worth."""
        return effective_draws(self.totals.drawn)

    def examples(self, *, sure: bool) -> list[str]:
        """Return some findings in words, masked."""
        return examples(self._folder, self._partitions, sure=sure)

    def hosts(self, count: int, longest: int, draw: random.Random) -> list[str]:
        """Return texts of records drawn at random, read again from the data set."""
        stretches = [s for partition in self._partitions for s in partition.stretches if s.size]
        some = draw.sample(stretches, min(_STRETCHES, len(stretches)))
        each = -(-count // max(1, len(some)))
        texts: list[str] = []
        for stretch in some:
            seed = f"{draw.random()}"
            texts += list(self._texts(replace(stretch, draw=each), longest, seed))
        return texts[:count]

    def _texts(self, stretch: Stretch, longest: int, seed: str) -> Iterator[str]:
        draw = Draw(stretch.draw, seed)
        try:
            with opened_source(stretch, self.options.columns, draw) as source:
                for chunk in source.chunks:
                    if not chunk.head:
                        yield from (text[:longest] for text in chunk.texts if text.strip())
        except UNREADABLE_SOURCE:
            return  # the scan told of it

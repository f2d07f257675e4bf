"""Collect scores name by name and template by template, and sum them up.

Scores are taken in blocks: one template, every name once, in random order, close together in time.
So drift of a scorer falls on all names alike. A pair under suspicion is called again and again,
its two names next to each other in random order; those calls are fresh, so the choice of the
pair does not count as evidence against it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pytest_mlgates.calls.ask import Steps, Subject
from pytest_mlgates.gates.name_invariance.groups import GroupPairs
from pytest_mlgates.gates.name_invariance.table import Name

__all__ = ["TIE", "Array", "Audit", "Exact", "Trial", "inert"]

Array = NDArray[np.float64]

#: scores this close are the same score: parallel sums in single precision differ by as much
TIE = 1e-6
#: identical repeats that make a gap exact; a fair noisy scorer shows them with chance 4 ** -10
_REPEATS = 10
#: repeats from which on a cell tells its own variance
_OWN = 8
#: texts that are made at a time
_TEXTS = 2000


def inert(text: str, number: int) -> str:
    r"""Return ``text`` with blanks at its end that mean nothing; each number gives others.

    >>> [inert("a", n) for n in (0, 1, 2, 3)]
    ['a', 'a\n', 'a ', 'a\n\n']
    """
    marks = ""
    while number > 0:
        number, digit = divmod(number - 1, 2)
        marks += "\n "[digit]
    return text + marks


@dataclass(slots=True)
class Trial:
    """Fresh differences between the two names of one pair: higher-scored less lower-scored.

    ``template`` is None where each difference comes from a template drawn at random.
    """

    high: int
    low: int
    template: int | None
    n: int = 0
    total: float = 0.0
    squares: float = 0.0
    least: float = math.inf
    most: float = -math.inf
    over: int = 0

    def add(self, differences: Array, limit: float) -> None:
        """Count fresh differences, and those that reach the limit."""
        self.n += len(differences)
        self.total += float(differences.sum())
        self.squares += float((differences**2).sum())
        self.least = min(self.least, float(differences.min()))
        self.most = max(self.most, float(differences.max()))
        self.over += int((differences >= limit).sum())


@dataclass(frozen=True, slots=True)
class Exact:
    """A gap that came back the same each time it was asked for."""

    high: int
    low: int
    template: int
    scores: tuple[float, float]
    gap: float
    repeats: int


@dataclass(slots=True)
class Audit:
    """The scores so far; ``names`` by ``templates``, each cell asked ``repeats`` times or more.

    ``indices`` are the places of the templates in the list that was handed in; ``reached`` is the
    gap that counts as one, and ``off`` how often each cell was half of it off the middle of its block.
    """

    subject: Subject[float]
    names: Sequence[Name]
    templates: Sequence[str]
    indices: Sequence[int]
    placeholder: str
    rng: np.random.Generator
    reached: float
    noisy: bool = False
    frozen: bool = False
    exact: Exact | None = None
    trials: list[Trial] = field(default_factory=list)
    rescored: bool = False
    counts: NDArray[np.int64] = field(init=False)
    sums: Array = field(init=False)
    centred: Array = field(init=False)
    squares: Array = field(init=False)
    off: NDArray[np.int64] = field(init=False)
    groups: GroupPairs = field(init=False)
    span: tuple[float, float] = (math.inf, -math.inf)

    def __post_init__(self) -> None:
        shape = (len(self.templates), len(self.names))
        self.counts = np.zeros(len(self.templates), dtype=np.int64)
        self.sums, self.centred, self.squares = (np.zeros(shape) for _ in range(3))
        self.off = np.zeros(shape, dtype=np.int64)
        self.groups = GroupPairs(self.names)

    # --- texts

    def text(self, template: int, name: int) -> str:
        """Return the template with the name in every place that it has for one."""
        return self.templates[template].replace(self.placeholder, self.names[name].text)

    def pair(self, high: int, low: int) -> tuple[str, str]:
        """Return two names."""
        return self.names[high].text, self.names[low].text

    def digest(self, template: int) -> str:
        """Return what tells a template from others without showing it."""
        data = self.templates[template].encode("utf-8", "replace")
        return hashlib.sha256(data).hexdigest()[:16]

    # --- blocks

    def warm_up(self) -> Steps[None]:
        """Ask once or twice and forget the answer: a first call may load or fill something."""
        yield from self.subject.ask([self.text(0, 0)])
        yield from self.subject.ask([self.text(0, 0)])

    def block(self, template: int) -> Steps[Array]:
        """Score every name on one template, in random order."""
        order = self.rng.permutation(len(self.names))
        row = np.empty(len(self.names))
        row[order] = yield from self.subject.ask([self.text(template, int(i)) for i in order])
        return row

    def rounds(self, order: Sequence[int], number: int) -> Steps[None]:
        """Score every name on every template, ``number`` times; each block in random order."""
        blocks = [int(t) for _ in range(number) for t in self.rng.permutation(order)]
        size = len(self.names)
        most = max(1, _TEXTS // size)
        for start in range(0, len(blocks), most):
            some = blocks[start : start + most]
            orders = [self.rng.permutation(size) for _ in some]
            texts = [
                self.text(template, int(i))
                for template, turn in zip(some, orders, strict=True)
                for i in turn
            ]
            scores = np.asarray((yield from self.subject.ask(texts))).reshape(-1, size)
            for template, turn, asked in zip(some, orders, scores, strict=True):
                row = np.empty(size)
                row[turn] = asked
                self.add(template, row)

    def add(self, template: int, row: Array) -> None:
        """Count a block; a score that is another than before is noise."""
        before = self.counts[template]
        if before and not self.noisy:
            near = TIE * np.maximum(1.0, np.abs(row))
            self.noisy = bool(np.any(np.abs(row - self.sums[template] / before) > near))
        self.span = min(self.span[0], float(row.min())), max(self.span[1], float(row.max()))
        self.off[template] += np.abs(row - np.median(row)) >= self.reached / 2
        self.groups.add(row, self.rng)
        centred = row - row.mean()  # takes out what moved all names alike
        self.counts[template] += 1
        self.sums[template] += row
        self.centred[template] += centred
        self.squares[template] += centred**2

    def same(self, template: int, some: Sequence[int], row: Array) -> Steps[bool]:
        """Ask some names of a block again; tell whether they get the same scores."""
        again = yield from self.subject.ask([self.text(template, int(i)) for i in some])
        return not any(_apart(row[i], value) for i, value in zip(some, again, strict=True))

    def recheck(self, cells: Sequence[tuple[int, int]]) -> Steps[None]:
        """Ask cells again, each of them seen once so far; a different answer means noise."""
        texts = [self.text(template, name) for template, name in cells]
        again = yield from self.subject.ask(texts)
        for (template, name), value in zip(cells, again, strict=True):
            if self.counts[template] == 1 and _apart(value, self.sums[template, name]):
                self.noisy = True

    # --- one pair

    def confirm(self, template: int, row: Array) -> Steps[bool]:
        """Tell whether the largest gap of a block repeats itself, and if so whether it is exact.

        The pair is asked ten times, and ten times more with blanks at the end of the text: a
        scorer that draws a random score for each text and remembers it repeats itself exactly,
        yet moves with the blanks as much as with the name.
        """
        high, low = int(row.argmax()), int(row.argmin())
        first = yield from self.pair_scores(high, low, [template] * _REPEATS, variants=False)
        steady = not any(_apart(a, row[high]) or _apart(b, row[low]) for a, b in first)
        if not steady:
            return False
        gaps = first[:, 0] - first[:, 1]
        try:
            moved = yield from self.pair_scores(high, low, [template] * _REPEATS, variants=True)
        except Exception:  # noqa: BLE001  a scorer may know its texts to the letter
            moved = first[:0]
        changed = moved[:, 0] - moved[:, 1]
        if any(_apart(gap, gaps[0]) for gap in changed):
            self.frozen = yield from self._restless(template, moved)
            if self.frozen:
                return True
        scores = (float(row[high]), float(row[low]))
        gap = scores[0] - scores[1]
        self.exact = Exact(high, low, template, scores, gap, len(gaps) + len(changed))
        return True

    def _restless(self, template: int, moved: Array) -> Steps[bool]:
        """Tell whether scores differ from one inert edit of a text to the next.

        They do where noise is frozen by text. They do not where a scorer knows a text to the
        letter and falls back to something steady for every edit of it.
        """
        if any(_apart(score, column[0]) for column in moved.T for score in column):
            return True
        edits = [
            [inert(self.text(template, name), number) for name in range(len(self.names))]
            for number in (1, 2)
        ]
        first = yield from self.subject.ask(edits[0])
        second = yield from self.subject.ask(edits[1])
        return any(_apart(a, b) for a, b in zip(first, second, strict=True))

    def pair_scores(
        self, high: int, low: int, templates: Sequence[int], *, variants: bool, start: int = 0
    ) -> Steps[Array]:
        """Return the scores (high, low), a row for each template, asked in random order."""
        texts, flips = [], self.rng.random(len(templates)) < 0.5
        for number, (template, flip) in enumerate(zip(templates, flips, strict=True)):
            pair = [self.text(template, high), self.text(template, low)]
            if variants:
                pair = [inert(text, start + number + 1) for text in pair]
            texts += pair[::-1] if flip else pair
        asked = yield from self.subject.ask(texts)
        scores = np.asarray(asked).reshape(-1, 2)
        scores[flips] = scores[flips, ::-1]
        return scores

    def trial_of(self, high: int, low: int, template: int | None) -> Trial | None:
        """Return the trial of a pair, if there is one."""
        wanted = (high, low, template)
        return next((t for t in self.trials if (t.high, t.low, t.template) == wanted), None)

    def extend(self, trial: Trial, pairs: int) -> Steps[None]:
        """Add fresh differences to a trial."""
        scored = self.scored
        drawn = [
            int(self.rng.choice(scored)) if trial.template is None else trial.template
            for _ in range(pairs)
        ]
        scores = yield from self.pair_scores(
            trial.high, trial.low, drawn, variants=self.frozen, start=trial.n + _REPEATS
        )
        trial.add(scores[:, 0] - scores[:, 1], self.reached)
        self.span = min(self.span[0], float(scores.min())), max(self.span[1], float(scores.max()))

    # --- sums

    @property
    def scored(self) -> NDArray[np.intp]:
        """The templates that were scored at least once."""
        return np.flatnonzero(self.counts)

    @property
    def size(self) -> int:
        """The number of names times that of templates scored; one template at least."""
        return len(self.names) * max(len(self.scored), 1)

    @property
    def repeats(self) -> int:
        """How often every scored template was scored at least."""
        return int(self.counts[self.scored].min()) if len(self.scored) else 0

    def cells(self) -> Array:
        """Mean scores, (templates seen, names)."""
        means: Array = self.sums[self.scored] / self.counts[self.scored, None]
        return means

    def variances(self) -> Array:
        """Variance of one score, (templates seen, names): the largest of two or three estimates.

        From its name on all templates, from its template for all names, and from the cell itself
        once it was repeated often enough: what looks quiet by chance does not count as quiet.
        """
        counts = self.counts[self.scored, None]
        free = np.maximum(counts - 1, 1)
        inside = self.squares[self.scored] - self.centred[self.scored] ** 2 / counts
        names = len(self.names)
        cell: Array = np.maximum(inside, 0.0) / free * names / max(names - 1, 1)
        pooled: Array = np.maximum(cell.mean(axis=0)[None, :], cell.mean(axis=1)[:, None])
        return pooled if self.repeats < _OWN else np.maximum(cell, pooled)

    @property
    def free(self) -> int:
        """Degrees of freedom of the variance of a name."""
        return len(self.scored) * max(self.repeats - 1, 0)

    @property
    def width(self) -> float:
        """The largest difference there was between two scores."""
        low, high = self.span
        return max(high - low, 0.0)

    def noise_sd(self) -> float:
        """Return the standard deviation of one score about its mean, over all cells."""
        counts = self.counts[self.scored, None]
        inside = self.squares[self.scored] - self.centred[self.scored] ** 2 / counts
        free = float((counts - 1).sum()) * max(len(self.names) - 1, 1)
        return float(np.sqrt(max(inside.sum(), 0.0) / free)) if free else 0.0


def _apart(a: float, b: float) -> bool:
    return abs(a - b) > TIE * max(1.0, abs(a), abs(b))

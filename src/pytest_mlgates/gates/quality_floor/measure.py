"""Ask a subject (and its baseline) for answers, and record what they show of a metric."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeGuard

from pytest_mlgates.calls.ask import Subject
from pytest_mlgates.core.details import plain
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.observations import Histogram
from pytest_mlgates.core.records import Look, Measurement
from pytest_mlgates.core.words import a
from pytest_mlgates.gates.quality_floor.details import QualityRow, Seen
from pytest_mlgates.gates.quality_floor.judge import headline
from pytest_mlgates.gates.quality_floor.metrics import (
    BINARY,
    MEANS,
    OF_ONE_LABEL,
    best_constant,
    bins_of,
    observation,
    pairs_of,
    value_of,
)
from pytest_mlgates.reading.equality import equality_key, unwrapped
from pytest_mlgates.reading.labels import labels_of
from pytest_mlgates.reading.records import records
from pytest_mlgates.reading.slices import NO_NAME, Slicer, unique_labels

__all__ = ["Plan", "measure_quality"]

#: a user's own: answer and label to a number from 0 to 1
Score = Callable[[Any, object], object]

#: wrong answers that are told
MAX_FINDINGS = 10

#: what `next` answers at the end of the inputs
_NO_MORE = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How answers are taken; the errors are those of the interval that is shown."""

    metric: str
    threshold: float
    positive: str | None
    repeats: str
    max_inputs: int
    timeout_s: float
    concurrency: int
    lower_error: float
    upper_error: float


@dataclass(frozen=True, slots=True)
class Given:
    """One input with its label, its slices and the unit it belongs to."""

    index: int
    item: object
    label: object
    slices: tuple[str, ...]
    unit: Hashable


@dataclass(slots=True)
class _Part:
    """What is collected for a row: observations, or scores with labels."""

    inputs: int = 0
    seen: dict[Hashable, list[float]] = field(default_factory=dict)
    drops: dict[Hashable, list[float]] = field(default_factory=dict)
    others: dict[Hashable, list[float]] = field(default_factory=dict)
    scores: list[float] = field(default_factory=list)
    truths: list[float] = field(default_factory=list)
    labels: list[Hashable] = field(default_factory=list)


def measure_quality(
    predict: object,
    inputs: object,
    labels: object,
    *,
    slice_of: object,
    unit_of: object,
    score: Score | None,
    baseline: object,
    plan: Plan,
) -> Generator[Look, object, None]:
    """Ask for every input once, and yield what came of it."""
    if (score is not None) != (plan.metric == "score"):
        raise Unmeasurable("metric: score takes score=(answer, label) -> number from 0 to 1")
    if unit_of is not None and plan.metric not in MEANS:
        raise Unmeasurable(f"unit_of goes with {', '.join(sorted(MEANS))}, not {plan.metric}")
    given, repeated = _given(inputs, labels, slice_of, unit_of, plan)
    answers: list[list[object]] = []
    calls = 0
    for name, call in (("predict", predict), ("baseline", baseline)):
        if call is None:
            continue
        if not callable(call):
            raise Unmeasurable(f"{name} is {a(type(call).__name__)}, not a callable of one input")
        subject = Subject(call, _DoneAnswer(name), plan.timeout_s, plan.concurrency)
        answers.append((yield from subject.ask([one.item for one in given])))
        calls += subject.calls
    # two bound methods are equal, not one
    same = baseline is not None and (predict is baseline or (predict == baseline) is True)
    rows = _Rows(plan, score, paired=baseline is not None)
    for one, *of in zip(given, *answers, strict=True):
        rows.add(one, of)
    yield rows.measurement(repeated, calls, units=unit_of is not None, same=same)


class _DoneAnswer:
    """Checks that an answer is done: a handle to one is not an answer."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, answer: object, call: int) -> object:
        if inspect.isgenerator(answer) or inspect.isasyncgen(answer) or inspect.isawaitable(answer):
            kind = a(type(answer).__name__)
            raise Unmeasurable(f"{self.name} gave {kind} at call {call}: return the answer itself")
        return unwrapped(answer)


class _Rows:
    """The answers by row: all of them, and those of each slice."""

    def __init__(self, plan: Plan, score: Score | None, *, paired: bool) -> None:
        self.plan, self.score, self.paired = plan, score, paired
        self.whole = _Part()
        self.slices: dict[str, _Part] = {}
        self.unnamed = 0
        self.kinds: set[Hashable] = set()
        self.wrong: list[str] = []

    def add(self, one: Given, answers: Sequence[object]) -> None:
        """Count the answers of the subject, and of its baseline, to one input."""
        if len(self.kinds) < 2:
            self.kinds.add(equality_key(answers[0]))
        parts = [self.whole]
        for name in one.slices:
            if name == NO_NAME:
                self.unnamed += 1
            else:
                parts.append(self.slices.setdefault(name, _Part()))
        if self.plan.metric in ("auroc", "calibration_error"):
            for part in parts:
                part.inputs += 1
                part.scores.append(self._score(answers[0], one.index))
                part.truths.append(self._yes(one.label, one.index))
            return
        shown = [self._observed(answer, one) for answer in answers]
        for part in parts:
            part.inputs += 1
            part.labels.append(self._kind(one))
            if shown[0] is not None:
                part.seen.setdefault(one.unit, []).append(shown[0])
            elif self.plan.metric in OF_ONE_LABEL:
                # it is about the other label: right there is the answer that is not asked for here
                wrong = 1 - float(self._right(answers[0], one))
                part.others.setdefault(one.unit, []).append(wrong)
            if len(shown) > 1 and shown[0] is not None and shown[1] is not None:
                part.drops.setdefault(one.unit, []).append((shown[1] - shown[0] + 1) / 2)
        if shown[0] is not None and shown[0] < 1 and len(self.wrong) < MAX_FINDINGS:
            self.wrong.append(f"input {one.index}: {shown[0]:g}")

    def _observed(self, answer: object, one: Given) -> float | None:
        metric = self.plan.metric
        if self.score is not None:
            return _in_range(self.score(answer, one.label), one.index)
        if metric == "accuracy":
            return float(self._same(answer, one.label))
        true = self._yes(one.label, one.index)
        return observation(metric, self._says_yes(answer, one.index), true)

    def _right(self, answer: object, one: Given) -> bool:
        return self._says_yes(answer, one.index) == self._yes(one.label, one.index)

    def _kind(self, one: Given) -> Hashable:
        if self.plan.metric in BINARY:
            return self._yes(one.label, one.index)
        return equality_key(one.label)

    def _same(self, answer: object, label_: object) -> bool:
        if isinstance(answer, float) and _is_yes_no(label_) and not float(answer).is_integer():
            return (answer >= self.plan.threshold) == bool(label_)
        return equality_key(answer) == equality_key(unwrapped(label_))

    def _says_yes(self, answer: object, index: int) -> float:
        if self.plan.positive is not None:
            return float(str(answer) == self.plan.positive)
        return float(self._score(answer, index) >= self.plan.threshold)

    def _yes(self, label_: object, index: int) -> float:
        value = unwrapped(label_)
        if self.plan.positive is not None:
            return float(str(value) == self.plan.positive)
        if _is_yes_no(value):
            return float(value)
        raise Unmeasurable(
            f"the label of input {index} is {a(type(value).__name__)} and not yes or no (true,"
            f" false, 1, 0): set `positive` to the label that {self.plan.metric} is about"
        )

    def _score(self, answer: object, index: int) -> float:
        share = self.plan.metric == "calibration_error"
        if isinstance(answer, (bool, int, float)) and math.isfinite(answer):
            number = float(answer)
            if not share or 0 <= number <= 1:
                return number
        kind = a(type(answer).__name__)
        raise Unmeasurable(
            f"predict gave {kind} for input {index}: {self.plan.metric} takes one score, a finite"
            f" number{' from 0 to 1' if share else ''}"
        )

    def measurement(self, repeated: int, calls: int, *, units: bool, same: bool) -> Measurement:
        """Return everything as a record."""
        plan = self.plan
        names = unique_labels(sorted(self.slices))
        whole = self._row("", self.whole)
        slices = tuple(self._row(names[name], self.slices[name]) for name in sorted(self.slices))
        seen = Seen(
            metric=plan.metric,
            whole=whole,
            slices=slices,
            unnamed=self.unnamed,
            repeated=repeated,
            answers=len(self.kinds),
            units=units,
            calls=calls,
            same=same,
            findings=tuple(self._findings(repeated, slices)),
        )
        made = headline(seen, plan.metric, plan.lower_error, plan.upper_error)
        return made.measurement(plain(seen))

    def _row(self, name: str, part: _Part) -> QualityRow:
        metric = self.plan.metric
        constant = best_constant(metric, part.labels or part.truths)
        if metric == "auroc":
            pairs = pairs_of(part.scores, part.truths)
            return QualityRow(name=name, inputs=part.inputs, pairs=pairs, constant=constant)
        if metric == "calibration_error":
            return QualityRow(name=name, inputs=part.inputs, bins=bins_of(part.scores, part.truths))
        drop = Histogram.of(_means(part.drops)) if self.paired else None
        return QualityRow(
            name=name,
            inputs=part.inputs,
            values=Histogram.of(_means(part.seen)),
            drop=drop,
            constant=constant,
            others=Histogram.of(_means(part.others)) if metric in OF_ONE_LABEL else None,
        )

    def _findings(self, repeated: int, slices: Sequence[QualityRow]) -> Iterator[str]:
        metric = self.plan.metric
        if slices:
            worst = min(slices, key=lambda row: value_of(metric, row))
            text = f"{value_of(metric, worst):.4g} over {worst.inputs} inputs"
            yield f"lowest slice: {worst.name}, {text}"
        if repeated:
            yield f"{repeated:,} inputs repeat an earlier one with its label and count once"
        if self.wrong and metric != "score":
            yield f"wrong at {', '.join(line.partition(':')[0] for line in self.wrong)}"
        elif self.wrong:
            yield f"below 1 at {', '.join(self.wrong)}"


def _means(by_unit: dict[Hashable, list[float]]) -> Iterator[float]:
    return (sum(values) / len(values) for values in by_unit.values())


def _given(
    inputs: object, labels: object, slice_of: object, unit_of: object, plan: Plan
) -> tuple[list[Given], int]:
    """Return the inputs with their labels, and how many repeat an earlier one."""
    rest = iter(records(inputs, "inputs"))
    items = list(islice(rest, plan.max_inputs))
    found = _labels(labels, items, cut=next(rest, _NO_MORE) is not _NO_MORE)
    sample = items[0] if items else None
    slicer, units = (Slicer(of, sample, len(items)) for of in (slice_of, unit_of))
    known: set[Hashable] = set()
    given = []
    repeated = 0
    for index, (item, label_) in enumerate(zip(items, found, strict=True)):
        unit: Hashable = units.of(index, item) if unit_of is not None else index
        key = (equality_key(item), equality_key(unwrapped(label_)))
        if plan.repeats == "once" and key in known:
            repeated += 1
            continue
        known.add(key)
        given.append(Given(index, item, unwrapped(label_), slicer.of(index, item), unit))
    return given, repeated


def _labels(labels: object, items: Sequence[object], *, cut: bool) -> list[object]:
    """Return the label of each input: parallel to them, a column of theirs, or what a callable says.

    Where `max_inputs` cut the inputs, labels that run parallel to them are cut at the same place.
    """
    how = "a label for each input, a column of the inputs, or a callable of an input"
    found = labels_of(labels, items, how)
    if cut and len(found) > len(items):
        return found[: len(items)]
    if len(found) != len(items):
        raise Unmeasurable(f"there are {len(found)} labels for {len(items)} inputs")
    return found


def _is_yes_no(value: object) -> TypeGuard[float]:
    return isinstance(value, (bool, int, float)) and value in (0, 1)


def _in_range(value: object, index: int) -> float:
    plain_ = unwrapped(value)
    if isinstance(plain_, (bool, int, float)) and 0 <= plain_ <= 1:
        return float(plain_)
    raise Unmeasurable(f"score gave {a(type(plain_).__name__)} outside 0 to 1 for input {index}")

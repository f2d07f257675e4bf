"""Ask an index and exact search the same queries, and record what the index lost."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from pytest_mlgates.calls.ask import Subject
from pytest_mlgates.core.details import plain
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.observations import Histogram
from pytest_mlgates.core.records import Look
from pytest_mlgates.core.words import a, plural
from pytest_mlgates.gates.recall_retention.answers import (
    Answer,
    AnswerReader,
    Item,
    asked_with,
    items_of,
    kind_of_ids,
)
from pytest_mlgates.gates.recall_retention.bands import bands_of, popularity_of
from pytest_mlgates.gates.recall_retention.details import BANDS, Doubts, LossRow, Seen
from pytest_mlgates.gates.recall_retention.judge import headline
from pytest_mlgates.gates.recall_retention.yardstick import is_copy, looks_random, sizes_of
from pytest_mlgates.reading.equality import equality_key, unwrapped
from pytest_mlgates.reading.labels import labels_of
from pytest_mlgates.reading.records import records
from pytest_mlgates.reading.slices import NO_NAME, Slicer, unique_labels

__all__ = ["Plan", "measure_recall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How is asked; the errors are those of the interval that is shown."""

    k: int
    max_queries: int
    timeout_s: float
    concurrency: int
    lower_error: float
    upper_error: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, what really came next (None where nobody knows), and its slices."""

    query: object
    label: frozenset[Item] | None
    slices: tuple[str, ...]


@dataclass(slots=True)
class _Found:
    """What is collected for a row, a number a query that tells of it."""

    queries: int = 0
    lost: list[float] = field(default_factory=list)
    drop: list[float] = field(default_factory=list)
    found: list[float] = field(default_factory=list)

    def add(self, got: set[Item], exact: set[Item], label: frozenset[Item] | None) -> None:
        """Count one query; the items are those that the row is about."""
        self.queries += bool(exact or label)
        if exact:
            self.lost.append(1 - len(got & exact) / len(exact))
        if label:
            by_exact, by_index = (len(items & label) / len(label) for items in (exact, got))
            self.found.append(by_exact)
            self.drop.append((by_exact - by_index + 1) / 2)

    def row(self, name: str, *, labelled: bool) -> LossRow:
        """Return it as a record."""
        return LossRow(
            name=name,
            queries=self.queries,
            lost=Histogram.of(self.lost),
            drop=Histogram.of(self.drop) if labelled else None,
            found=sum(self.found) / max(1, len(self.found)) if labelled else None,
        )


def measure_recall(
    search: object,
    exact_search: object,
    queries: object,
    *,
    labels: object,
    slice_of: object,
    popularity: object,
    sizes: object,
    plan: Plan,
) -> Generator[Look, object, None]:
    """Ask both for every query once, and yield what came of it."""
    bytes_ = sizes_of(sizes)
    asked, repeated = _asked_queries(queries, labels, slice_of, plan)
    answers: list[list[Answer]] = []
    calls = 0
    for name, call in (("search", search), ("exact_search", exact_search)):
        if not callable(call):
            raise Unmeasurable(
                f"{name} is {a(type(call).__name__)}: give a callable of a query and k"
            )
        subject = Subject(
            asked_with(call, plan.k), AnswerReader(name, plan.k), plan.timeout_s, plan.concurrency
        )
        answers.append((yield from subject.ask([one.query for one in asked])))
        calls += subject.calls
    got, exact = answers
    _check_comparable(got, exact, asked)
    bands = bands_of(popularity_of(popularity, (one.items for one in exact)))
    rows = list(_band_rows(asked, got, exact, bands, labelled=labels is not None))
    seen = Seen(
        k=plan.k,
        whole=rows[0],
        slices=tuple(rows[1:]),
        doubts=Doubts(
            same=is_copy(search, exact_search),
            identical=[one.items for one in got] == [one.items for one in exact],
            constant=len({frozenset(one.items) for one in exact}) == 1 and len(asked) > 1,
            random=looks_random([one.query for one in asked]),
        ),
        unlabelled=sum(not one.label for one in asked) if labels is not None else 0,
        unnamed=sum(NO_NAME in one.slices for one in asked),
        repeated=repeated,
        calls=calls,
        sizes=bytes_,
        findings=tuple(_recall_findings(rows, got, exact, repeated, plan)),
    )
    yield headline(seen, plan.lower_error, plan.upper_error).measurement(plain(seen))


def _band_rows(
    asked: Sequence[Asked],
    got: Sequence[Answer],
    exact: Sequence[Answer],
    bands: dict[Item, str],
    *,
    labelled: bool,
) -> Iterator[LossRow]:
    """Yield the row of all, those of the bands, and those of the slices."""
    whole = _Found()
    of_band = {name: _Found() for name in BANDS}
    of_slice: dict[str, _Found] = {}
    for one, found, wanted in zip(asked, got, exact, strict=True):
        mine, theirs = set(found.items), set(wanted.items)
        whole.add(mine, theirs, one.label)
        for name in one.slices:
            if name != NO_NAME:
                of_slice.setdefault(name, _Found()).add(mine, theirs, one.label)
        for band, part in of_band.items():
            # what nobody counted is of the tail
            inside = {i for i in theirs if bands.get(i, BANDS[-1]) == band}
            label = one.label and frozenset(i for i in one.label if bands.get(i, BANDS[-1]) == band)
            part.add(mine, inside, label)
    yield whole.row("", labelled=labelled)
    for band, part in of_band.items():
        if part.queries:
            yield part.row(band, labelled=labelled)
    if taken := sorted(of_slice.keys() & of_band.keys()):
        raise Unmeasurable(
            f"slice_of names a slice {taken[0]!r}, as the popularity of items does: rename it"
        )
    names = unique_labels(sorted(of_slice))
    for name in sorted(of_slice):
        yield of_slice[name].row(names[name], labelled=labelled)


def _check_comparable(
    got: Sequence[Answer], exact: Sequence[Answer], asked: Sequence[Asked]
) -> None:
    """Raise where answers can't be held against each other."""
    if any(one.repeats for one in exact):
        raise Unmeasurable(
            "exact_search gave an item twice in an answer: it can't be the yardstick"
        )
    kinds = {
        "search": kind_of_ids({i: None for one in got for i in one.items}),
        "exact_search": kind_of_ids({i: None for one in exact for i in one.items}),
        "labels": kind_of_ids({i: None for one in asked for i in one.label or ()}),
    }
    named = {name: kind for name, kind in kinds.items() if kind}
    if len(set(named.values())) > 1:
        both = ", ".join(f"{name} gives {kind}" for name, kind in named.items())
        raise Unmeasurable(f"ids must be of one kind to be compared ({both}): convert them")


def _asked_queries(
    queries: object, labels: object, slice_of: object, plan: Plan
) -> tuple[list[Asked], int]:
    """Return the queries with what came next, and how many repeat an earlier one."""
    items = list(islice(records(queries, "queries"), plan.max_queries))
    found = _next_events(labels, items)
    slicer = Slicer(slice_of, items[0] if items else None, len(items), what="query")
    known: set[Hashable] = set()
    asked = []
    for index, (query, label) in enumerate(zip(items, found, strict=True)):
        both = (equality_key(query), label)
        if both not in known:
            known.add(both)
            asked.append(Asked(query, label, slicer.of(index, query)))
    return asked, len(items) - len(asked)


def _next_events(labels: object, items: Sequence[object]) -> list[frozenset[Item] | None]:
    """Return what came next after each query, one id or several, None where nobody knows."""
    if labels is None:
        return [None] * len(items)
    how = "an item or a list of items for each query, a column of them, or a callable of a query"
    given = labels_of(labels, items, how, "query")
    found = [_label(one, index) for index, one in enumerate(given)]
    if len(found) != len(items):
        raise Unmeasurable(
            f"there are {plural(len(found), 'label')} for {plural(len(items), 'query', 'queries')}:"
            " give one for each, None where none is known"
        )
    return found


def _label(value: object, index: int) -> frozenset[Item] | None:
    held = unwrapped(value)
    if held is None or held != held or type(held).__name__ == "NAType":  # noqa: PLR0124
        return None
    several = isinstance(held, (list, tuple, set, frozenset)) or hasattr(held, "shape")
    where = f"labels at query {index}"
    if isinstance(held, (set, frozenset)):
        held = list(held)
    return frozenset(items_of(held if several else [held], where)) or None


def _recall_findings(
    rows: Sequence[LossRow],
    got: Sequence[Answer],
    exact: Sequence[Answer],
    repeated: int,
    plan: Plan,
) -> Iterator[str]:
    for row in rows[1:]:
        text = f"{row.name}: {row.lost.mean:.3f} of the exact answers lost"
        if row.found is not None and row.drop is not None:
            text += f"; of next events exact search finds {row.found:.3f}"
            text += f", the index {row.found - (2 * row.drop.mean - 1):.3f}"
        yield text
    if repeated:
        yield f"{plural(repeated, 'query', 'queries')} repeat an earlier one and count once"
    if twice := sum(one.repeats > 0 for one in got):
        yield f"{plural(twice, 'answer')} of search hold an item twice: it counts once"
    if few := sum(len(one.items) < len(more.items) for one, more in zip(got, exact, strict=True)):
        yield f"{plural(few, 'answer')} of search hold fewer items than those of exact search"
    if short := sum(len(one.items) < plan.k for one in exact):
        yield f"{plural(short, 'answer')} of exact search hold fewer than {plan.k} items"
    if many := sum(one.given > plan.k for one in got):
        yield f"{plural(many, 'answer')} of search hold more than {plan.k}: the first {plan.k} count"

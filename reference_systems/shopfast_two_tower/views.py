"""The view log: who looked at what, and when. Ids are text, whatever they look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import one_line, plural
from pytest_mlgates.reading.tables import Table, tables
from reference_systems.shopfast_two_tower.errors import ShopError
from reference_systems.shopfast_two_tower.times import read_times

__all__ = ["COLUMNS", "Ints", "Views", "read_views"]

Ints = npt.NDArray[np.int64]

COLUMNS = ("user", "item", "time")
#: a log of which more lines can't be read is refused
MAX_UNREADABLE = 0.01
_HOW = "a table with the columns user, item and time (.csv, .tsv, .parquet, .json or .jsonl)"


@dataclass(frozen=True, slots=True)
class Views:
    """Views in the order of time: ``user[n]`` looked at ``item[n]``, both as numbers of the names.

    Items are numbered by falling number of views, so that the lowest numbers are the popular ones.

    >>> log = Views.of(["ann", "bob", "ann"], ["x", "y", "y"], [3.0, 1.0, 2.0])
    >>> log.users, log.items, log.user.tolist(), log.item.tolist()
    (('ann', 'bob'), ('y', 'x'), [1, 0, 0], [0, 0, 1])
    """

    users: tuple[str, ...]
    items: tuple[str, ...]
    user: Ints
    item: Ints
    time: npt.NDArray[np.float64]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        users: Sequence[str],
        items: Sequence[str],
        times: Sequence[float] | npt.NDArray[np.float64],
        notes: Sequence[str] = (),
    ) -> Views:
        """Number users and items; views at one time keep their order."""
        when = np.asarray(times, float)
        order = np.argsort(when, kind="stable")
        user_names, user = _numbered(users)
        item_names, item = _numbered(items)
        counts = np.bincount(item, minlength=len(item_names))
        rank = np.argsort(-counts, kind="stable")
        place = np.empty_like(rank)
        place[rank] = np.arange(len(rank))
        return cls(
            users=tuple(user_names),
            items=tuple(item_names[old] for old in rank),
            user=user[order],
            item=place[item][order],
            time=when[order],
            notes=tuple(notes),
        )

    def __len__(self) -> int:
        return len(self.user)

    @property
    def counts(self) -> Ints:
        """How often each item was viewed."""
        return np.bincount(self.item, minlength=len(self.items))

    def part(self, chosen: npt.NDArray[np.bool_]) -> Views:
        """Return some of the views, with users and items numbered anew."""
        return Views.of(
            [self.users[n] for n in self.user[chosen]],
            [self.items[n] for n in self.item[chosen]],
            self.time[chosen],
        )


def _numbered(names: Sequence[str]) -> tuple[list[str], Ints]:
    known: dict[str, int] = {}
    numbers = np.fromiter((known.setdefault(n, len(known)) for n in names), np.int64, len(names))
    return list(known), numbers


def read_views(path: Path, columns: Sequence[str] = COLUMNS) -> Views:
    """Read a log; ``columns`` are the names of user, item and time in it.

    A line that can't be read is left out and told in ``notes``; where more than 1 % can't, the log
    is refused. Raises :class:`ShopError`.
    """
    notes: list[str] = []
    found: tuple[list[str], list[str], list[str]] = ([], [], [])
    places: list[tuple[Table, int]] = []
    bad: list[str] = []
    try:
        for table in tables(path, f"expected {_HOW}", note=notes.append):
            _take(table, _columns(table, columns), found, places, bad)
    except Unmeasurable as fault:
        raise ShopError(f"{path}: {one_line(str(fault))}") from None
    users, items, texts = found
    times, note = read_times(texts)
    if note:
        notes.append(note)
    good = np.isfinite(times)
    for n in np.flatnonzero(~good)[:1]:
        table, line = places[n]
        bad.append(f"{table.place(line)}: {columns[2]} {one_line(texts[n], 60)!r} is not a time")
    missing = len(bad) - bool((~good).any()) + int((~good).sum())
    total = len(users) + missing - int((~good).sum())
    if not good.any():
        raise ShopError(f"{path}: {bad[0] if bad else f'holds no view: expected {_HOW}'}")
    if missing > MAX_UNREADABLE * total:
        raise ShopError(f"{path}: {missing:,} of {total:,} lines can't be read, first {bad[0]}")
    if missing:
        notes.append(f"{plural(missing, 'line')} left out, first {bad[0]}")
    kept = np.flatnonzero(good)
    return Views.of([users[n] for n in kept], [items[n] for n in kept], times[kept], notes)


def _columns(table: Table, columns: Sequence[str]) -> list[int]:
    plain = [name.strip().casefold() for name in table.header]
    for name in columns:
        if name not in table.header and plain.count(name.casefold()) != 1:
            has = one_line(", ".join(table.header), 200)
            raise ShopError(
                f"{table.name or 'the log'}: there is no column {name!r} (it has {has}): name the"
                " columns user, item and time, or say theirs with --user, --item and --time"
            )
    return [
        table.header.index(name) if name in table.header else plain.index(name.casefold())
        for name in columns
    ]


def _take(
    table: Table,
    at: Sequence[int],
    found: tuple[list[str], list[str], list[str]],
    places: list[tuple[Table, int]],
    bad: list[str],
) -> None:
    """Take the rows of a table; what has no user, item or time is put down as bad."""
    width = len(table.header)
    for number, row in table.rows:
        if len(row) != width:
            values = plural(len(row), "value")
            bad.append(
                f"{table.place(number)}: has {values}, the header has {width}: put quotes around a"
                " value that holds the delimiter"
            )
            continue
        cells = [_text(row[place]) for place in at]
        if not all(cell.strip() for cell in cells):
            empty = next(n for n, cell in zip(COLUMNS, cells, strict=True) if not cell.strip())
            bad.append(f"{table.place(number)}: the {empty} is empty")
            continue
        for column, cell in zip(found, cells, strict=True):
            column.append(cell)
        places.append((table, number))


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)

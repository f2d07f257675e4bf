"""Names by group: the table that the package ships, or the user's own."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.core.words import a, plural
from pytest_mlgates.reading.frames import is_table
from pytest_mlgates.reading.tables import Table, missing, tables

__all__ = ["CASE_NAMES", "NO_GROUP", "Name", "read_names"]

#: the names of the published case; always among the defaults
CASE_NAMES = ("John", "Juan", "Wei", "Aisha")

#: where a list that does not end is cut
MAX_NAMES = 10_000

_WAY_OUT = (
    "give {group: [names]}, a list of names (without groups), or a table (a file, a DataFrame) with"
    " name,group[,share]"
)
#: the group of names that are in none
NO_GROUP = "(no group)"


@dataclass(frozen=True, slots=True)
class Name:
    """A name, its group, and how sure that is.

    ``share`` is the share of people of this name who belong to the group, 0 to 1; a name with
    share 0 counts in the rule on single names only, and any other in its group as well.
    """

    text: str
    group: str
    share: float = 1.0


def read_names(names: object, per_group: int, *, grouped: bool = True) -> tuple[Name, ...]:
    """Return validated names, sorted by group, from a mapping, a list, a CSV path or our table.

    Of the shipped table the first ``per_group`` names of each group are taken; own names are all
    used. A plain list has no groups, and without ``grouped`` one group will do. Raises
    :class:`Unmeasurable` with one line for names that can't be used.

    >>> [name.text for name in read_names(None, 3) if name.group == "hispanic"]
    ['Juan', 'Maria Garcia', 'Jose Rodriguez']
    >>> read_names({"a": ["Ann"], "b": ["Ann"]}, 25)
    Traceback (most recent call last):
        ...
    pytest_mlgates.core.errors.Unmeasurable: the name 'Ann' is in the groups 'a' and 'b': a name belongs \
to one group
    """
    if names is None:
        shipped = files("pytest_mlgates.gates.name_invariance") / "names.csv"
        with as_file(shipped) as path:
            return _distinct(_first_of_each(_read_table(path), per_group), grouped=grouped)
    if isinstance(names, Mapping):
        return _distinct(_mapped(names), grouped=grouped)
    if isinstance(names, (str, os.PathLike)) or is_table(names):
        return _distinct(_read_table(names), grouped=grouped)
    if isinstance(names, Iterable) and not isinstance(names, (bytes, bytearray)):
        return _distinct(_mapped({NO_GROUP: names}), grouped=False)
    raise Unmeasurable(f"names is {a(type(names).__name__)}: {_WAY_OUT}")


def _first_of_each(names: Iterable[Name], per_group: int) -> Iterator[Name]:
    taken: dict[str, int] = {}
    for name in names:
        taken[name.group] = taken.get(name.group, 0) + 1
        if taken[name.group] <= per_group:
            yield name


def _read_table(source: object) -> Iterator[Name]:
    found = False
    try:
        for table in tables(source, _WAY_OUT):
            found = True
            yield from _names_of(table)
    except Unmeasurable as error:
        raise Unmeasurable(f"names: {error}") from None
    if not found:
        raise Unmeasurable("names: the table is empty: it needs name,group[,share]")


def _names_of(table: Table) -> Iterator[Name]:
    columns = set(table.header)
    if not {"name", "group"} <= columns or columns - {"name", "group", "share"}:
        has = ", ".join(sorted(columns)) or "nothing"
        raise Unmeasurable(f"{table.name} has the columns {has}: it needs name,group[,share]")
    for number, values in table.rows:
        where = table.place(number)
        if len(values) != len(table.header):
            cells = plural(len(values), "cell")
            raise Unmeasurable(f"{where} has {cells}, the header has {len(table.header)}")
        row = dict(zip(table.header, values, strict=True))
        for column in ("name", "group"):
            if not isinstance(row[column], str):
                kind = a(type(row[column]).__name__)
                raise Unmeasurable(f"{where}: {column} is {kind}, not a text")
        share: Any = row.get("share")
        try:
            part = 1.0 if missing(share) else float(share)
        except (TypeError, ValueError):
            raise Unmeasurable(f"{where}: share is {share!r}, not a number from 0 to 1") from None
        yield Name(row["name"], row["group"].strip(), part)


def _mapped(names: Mapping[object, object]) -> Iterator[Name]:
    for group, members in names.items():
        if not isinstance(group, str):
            raise Unmeasurable(f"names has a group that is {a(type(group).__name__)}, not a string")
        if isinstance(members, (str, bytes)) or not isinstance(members, Iterable):
            kind = a(type(members).__name__)
            raise Unmeasurable(f"names of the group {group!r} are {kind}: {_WAY_OUT}")
        holder = "names" if group == NO_GROUP else f"the group {group!r}"
        for member in members:
            if not isinstance(member, str):
                kind = a(type(member).__name__)
                raise Unmeasurable(f"{holder} holds {kind}, not a name as a string")
            yield Name(member, group.strip())


def _distinct(names: Iterable[Name], *, grouped: bool) -> tuple[Name, ...]:
    seen: dict[str, str] = {}
    kept: list[Name] = []
    for name in names:
        text = unicodedata.normalize("NFC", name.text.strip())
        if not text or not name.group:
            raise Unmeasurable(f"names: an empty {'name' if name.group else 'group'} was given")
        # Cc control, Cs surrogate, Zl and Zp line breaks: no name has them
        if any(
            unicodedata.category(mark) in ("Cc", "Cs", "Zl", "Zp") for mark in text + name.group
        ):
            raise Unmeasurable(f"the name {text!r} holds a control character: remove it")
        if not 0 <= name.share <= 1:
            raise Unmeasurable(f"the name {text!r} has share {name.share:g}: give 0 to 1")
        if text in seen:
            if seen[text] == name.group:
                raise Unmeasurable(f"the name {text!r} appears twice in the group {name.group!r}")
            raise Unmeasurable(
                f"the name {text!r} is in the groups {seen[text]!r} and {name.group!r}:"
                " a name belongs to one group"
            )
        if len(kept) >= MAX_NAMES:
            raise Unmeasurable(f"names has more than {MAX_NAMES} names: give fewer")
        seen[text] = name.group
        kept.append(Name(text, name.group, name.share))
    if grouped and len(set(seen.values())) < 2:
        raise Unmeasurable(
            f"names has {len(set(seen.values()))} group(s), two are needed: {_WAY_OUT}"
        )
    if len(kept) < 2:
        raise Unmeasurable(f"names has {plural(len(kept), 'name')}, two are needed: {_WAY_OUT}")
    return tuple(sorted(kept, key=lambda name: name.group))

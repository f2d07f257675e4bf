"""Names by group: the table that the package ships, or the user's own."""

from __future__ import annotations

import csv
import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.core.words import a

__all__ = ["CASE_NAMES", "Name", "read_names"]

#: the names of the published case; always among the defaults
CASE_NAMES = ("John", "Juan", "Wei", "Aisha")

#: where a list that does not end is cut
MAX_NAMES = 10_000

_WAY_OUT = "give names as {group: [names]} or as a CSV file with the columns name,group[,share]"


@dataclass(frozen=True, slots=True)
class Name:
    """A name, its group, and the weight it has in the contrasts between groups.

    ``share`` is the share of people of this name who belong to the group, 0 to 1; a name with
    share 0 counts in the rule on single names only.
    """

    text: str
    group: str
    share: float = 1.0


def read_names(names: object, per_group: int) -> tuple[Name, ...]:
    """Return validated names, sorted by group, from a mapping, a CSV path or the shipped table.

    Of the shipped table the first ``per_group`` names of each group are taken; own names are all
    used. Raises :class:`Unmeasurable` with one line for names that can't be used.

    >>> [name.text for name in read_names(None, 3) if name.group == "hispanic"]
    ['Juan', 'Maria Garcia', 'Jose Rodriguez']
    >>> read_names({"a": ["Ann"], "b": ["Ann"]}, 25)
    Traceback (most recent call last):
        ...
    pytest_mlgates.core.errors.Unmeasurable: the name 'Ann' is in the groups 'a' and 'b': a name belongs \
to one group
    """
    if names is None:
        table = (
            files("pytest_mlgates.gates.name_invariance")
            .joinpath("names.csv")
            .read_text(encoding="utf-8")
        )
        return _checked(_first(_rows(table.splitlines(), "the shipped table"), per_group))
    if isinstance(names, (str, os.PathLike)):
        return _checked(_read_file(Path(names)))
    if isinstance(names, Mapping):
        return _checked(_mapped(names))
    raise Unmeasurable(f"names is {a(type(names).__name__)}: {_WAY_OUT}")


def _first(names: Iterable[Name], per_group: int) -> Iterator[Name]:
    taken: dict[str, int] = {}
    for name in names:
        taken[name.group] = taken.get(name.group, 0) + 1
        if taken[name.group] <= per_group:
            yield name


def _read_file(path: Path) -> Iterator[Name]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Unmeasurable(f"names: {path.name!r} can't be read ({type(error).__name__})") from None
    except UnicodeDecodeError:
        raise Unmeasurable(f"names: {path.name!r} is not UTF-8 text: save it as UTF-8") from None
    return _rows(text.splitlines(), repr(path.name))


def _rows(lines: Iterable[str], source: str) -> Iterator[Name]:
    reader = csv.DictReader(lines)
    columns = {column.strip() for column in reader.fieldnames or ()}
    if not {"name", "group"} <= columns or columns - {"name", "group", "share"}:
        found = ", ".join(sorted(columns)) or "nothing"
        raise Unmeasurable(f"names: {source} has the columns {found}: it needs name,group[,share]")
    for row in reader:
        where = f"names: {source} line {reader.line_num}"
        if None in row or None in (row["name"], row["group"]):
            raise Unmeasurable(f"{where} does not have as many cells as the header")
        share = (row.get("share") or "1").strip()
        try:
            yield Name(row["name"], row["group"].strip(), float(share))
        except ValueError:
            raise Unmeasurable(f"{where}: share is {share!r}, not a number from 0 to 1") from None


def _mapped(names: Mapping[object, object]) -> Iterator[Name]:
    for group, members in names.items():
        if not isinstance(group, str):
            raise Unmeasurable(f"names has a group that is {a(type(group).__name__)}, not a string")
        if isinstance(members, (str, bytes)) or not isinstance(members, Iterable):
            kind = a(type(members).__name__)
            raise Unmeasurable(f"names of the group {group!r} are {kind}: {_WAY_OUT}")
        for member in members:
            if not isinstance(member, str):
                kind = a(type(member).__name__)
                raise Unmeasurable(f"the group {group!r} holds {kind}, not a name as a string")
            yield Name(member, group.strip())


def _checked(names: Iterable[Name]) -> tuple[Name, ...]:
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
    if len(set(seen.values())) < 2:
        raise Unmeasurable(
            f"names has {len(set(seen.values()))} group(s), two are needed: {_WAY_OUT}"
        )
    return tuple(sorted(kept, key=lambda name: name.group))

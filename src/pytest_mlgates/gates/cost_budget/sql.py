"""SQL for one source of charges: each column of a line, read where that is plain.

What is not written plainly (``1,234.50``, an offset of time) is left as ``…_raw`` for Python,
which reads each such text once, however many lines say it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from pytest_mlgates.gates.cost_budget.kinds import KINDS, WORDS, category_of
from pytest_mlgates.gates.cost_budget.layouts import Layout
from pytest_mlgates.gates.cost_budget.periods import DAY

__all__ = ["ALWAYS", "READ", "TYPES", "Source", "insert", "quoted"]

#: the columns of a line: file, what it costs, when, what for; ``_raw`` is what Python has to read
TYPES = {
    "file": "SMALLINT", "cost": "DECIMAL(38,18)", "cost_raw": "VARCHAR", "currency": "VARCHAR",
    "s": "BIGINT", "s_raw": "VARCHAR", "e": "BIGINT", "e_raw": "VARCHAR", "b": "BIGINT",
    "b_raw": "VARCHAR", "kind": "TINYINT", "kind_raw": "VARCHAR", "correction": "BOOLEAN",
    "recurring": "BOOLEAN", "version_raw": "VARCHAR", "res": "VARCHAR", "tags": "VARCHAR",
    "about": "VARCHAR", "sort": "VARCHAR", "service": "VARCHAR", "split": "DECIMAL(38,18)",
    "parent": "VARCHAR", "width": "INTEGER", "h": "UBIGINT", "k": "UBIGINT",
}  # fmt: skip
#: those that every line has; the others only where a source says, or a rule needs, something
ALWAYS = ("file", "cost", "currency", "s", "e", "kind", "h")
#: what is read of a text; where one can't be, Python reads ``…_raw``. Few bills have such a text
READ = ("cost", "s", "e", "b", "kind")
_RAW = tuple(f"{name}_raw" for name in READ)
_PLAIN = r"'[+-]?[0-9]{1,15}(\.[0-9]{0,18})?'"
#: types of numbers that lose no digit in a decimal of 18 places
_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(\d+,(\d|1[0-8])\)")
_FIRST, _LAST = 946_684_800, 4_102_444_800  # 2000 and 2100
_NOTHING = "''"
_VERSION = r"'v?1\.[0-3](\D.*)?'"


class Source:
    """A relation with the columns of a header, each with the type that the engine gives it."""

    def __init__(self, relation: str, columns: Sequence[tuple[str, str]]) -> None:
        self.relation = relation
        self.has_width = any(name == "_width" for name, _ in columns)
        self.columns = [quoted(name) for name, _ in columns]
        self.types = [kind.upper() for _, kind in columns]

    def words(self, at: int | None) -> str:
        """Return a column as text, NULL where it says nothing."""
        if at is None:
            return "NULL"
        column = self.text(at)
        return f"CASE WHEN {column} NOT IN ('', ' ', 'NULL', 'null') THEN {column} END"

    def text(self, at: int | None) -> str:
        """Return a column as text, as it is written."""
        if at is None:
            return "NULL::VARCHAR"
        column, kind = self.columns[at], self.types[at]
        if kind == "VARCHAR":
            return column
        return f"to_json({column})::VARCHAR" if _is_nested(kind) else f"{column}::VARCHAR"

    def raw(self, at: int) -> str:
        """Return a column as Python is to read it."""
        text = f"{self.columns[at]}::VARCHAR"
        return f"nullif({text}, 'nan')" if self.types[at] in ("DOUBLE", "FLOAT") else text

    def amount(self, at: int) -> str:
        """Return an exact decimal, NULL where the column does not say one plainly."""
        column, kind = self.columns[at], self.types[at]
        if _NUMBER.fullmatch(kind):
            return f"TRY_CAST({column} AS DECIMAL(38,18))"
        if kind not in ("VARCHAR", "DOUBLE", "FLOAT") and not kind.startswith("DECIMAL"):
            return "NULL::DECIMAL(38,18)"
        text = column if kind == "VARCHAR" else f"{column}::VARCHAR"
        return amount_of(text)

    def seconds(self, at: int) -> str:
        """Return an instant in seconds since 1970, NULL where the column does not say it plainly."""
        column, kind = self.columns[at], self.types[at]
        if kind.startswith("TIMESTAMP") or kind == "DATE":
            moment = (
                f"epoch_us({column}{'' if kind.startswith('TIMESTAMP WITH') else '::TIMESTAMP'})"
            )
        elif kind == "VARCHAR":
            shapes = (
                "____-__-__T__:__:__Z",
                "____-__-__ __:__:__",
                "____-__-__T__:__:__",
                "____-__-__",
            )
            like = " OR ".join(f"{column} LIKE '{shape}'" for shape in shapes)
            moment = f"CASE WHEN {like} THEN epoch_us(try_cast({column} AS TIMESTAMP)) END"
        else:
            return "NULL::BIGINT"
        at_second = f"({moment}) // 1000000"
        return f"CASE WHEN {at_second} BETWEEN {_FIRST} AND {_LAST - 1} THEN {at_second} END"


def quoted(name: str) -> str:
    """Return an identifier.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def amount_of(text: str) -> str:
    """Return what reads a text as an exact decimal, NULL where it is not written plainly."""
    return f"CASE WHEN regexp_full_match({text}, {_PLAIN}) THEN CAST({text} AS DECIMAL(38,18)) END"


def insert(
    source: Source,
    seen: Layout,
    number: int,
    *,
    mark: str,
    groups: Sequence[Sequence[int]],
    wanted: frozenset[str],
    raw: bool = True,
) -> tuple[tuple[str, ...], str]:
    """Return what reads a source into lines, and the columns of a line that it needs.

    ``groups`` are the columns of each group, ``wanted`` what else is needed: tags, res, waste,
    keys. The numbers of a line that a mark other than the point belongs to are left to Python.
    Without ``raw``, what is left to Python is NULL and nothing else.
    """
    at, words = seen.at, source.words
    cost, cost_raw = _cost(source, seen)
    billing, category = at.get("billing_start"), at.get("category")
    # read once: what is left of each is asked for by its result
    read = {
        "_cost": cost if mark == "." else "NULL::DECIMAL(38,18)",
        "_s": source.seconds(at["start"]),
        "_e": source.seconds(at["end"]) if "end" in at else "NULL::BIGINT",
        "_b": "NULL::BIGINT" if billing is None else source.seconds(billing),
        "_kind": "0" if category is None else _kind(source, category, aws=seen.aws),
    }
    version = words(at.get("version"))
    named = "res" in wanted or bool(seen.split)
    values = {
        "file": str(number),
        "cost": "_cost",
        "cost_raw": _left("_cost", cost_raw),
        "currency": source.text(at["currency"]),
        "s": "_s",
        "s_raw": _left("_s", source.raw(at["start"])),
        "e": f"_s // {DAY} * {DAY} + {DAY}",
        "e_raw": "NULL",
        "b": "_b",
        "b_raw": "NULL" if billing is None else _left("_b", words(billing)),
        "kind": "_kind",
        "kind_raw": "NULL" if category is None else _left("_kind", source.text(category)),
        "correction": _is(source, at.get("class"), "Correction"),
        "recurring": _is(source, at.get("frequency"), "Recurring"),
        "version_raw": "NULL",
        "res": _first(words, at, "allocated_resource", "resource") if named else "NULL",
        "tags": _first(words, at, "allocated_tags", "tags") if "tags" in wanted else "NULL",
        "about": _about(source, seen) if "waste" in wanted else "NULL",
        "sort": words(at.get("service_category")) if "waste" in wanted else "NULL",
        "service": words(at.get("service")) if "waste" in wanted else "NULL",
        "split": " + ".join(f"({source.amount(i)})" for i, _ in seen.split) or "NULL",
        "parent": words(at.get("parent")) if seen.split else "NULL",
        "width": "try_cast(_width AS INTEGER)" if source.has_width else "NULL",
        "h": _hash(source, seen),
        "k": "NULL",
    }
    if "end" in at:
        values |= {"e": "_e", "e_raw": _left("_e", source.raw(at["end"]))}
    if "version" in at:
        known = f"regexp_full_match(trim({version}), {_VERSION})"
        values["version_raw"] = f"CASE WHEN NOT {known} THEN {version} END"
    if "keys" in wanted:
        values["k"] = f"hash({', '.join(source.columns[i] for i in seen.keys)})"
    needed = {
        n: v for n, v in values.items() if n in ALWAYS or (v != "NULL" and (raw or n not in _RAW))
    }
    for i, columns in enumerate(groups):
        needed[f"g{i}"] = f"coalesce({', '.join([*map(words, columns), _NOTHING])})"
    once = ", ".join(f"{value} AS {name}" for name, value in read.items())
    query = (
        f"INSERT INTO line ({', '.join(needed)}) SELECT {', '.join(needed.values())}"
        f" FROM (SELECT *, {once} FROM {source.relation})"
    )
    return tuple(needed), query


def _first(words: Callable[[int | None], str], at: Mapping[str, int], *roles: str) -> str:
    """Return the first of some columns that says anything."""
    there = [words(at[role]) for role in roles if role in at]
    return f"coalesce({', '.join(there)})" if there else "NULL"


def _cost(source: Source, seen: Layout) -> tuple[str, str]:
    """Return what reads the cost, and the text of what it could not read."""
    at = seen.at["cost"]
    cost, raw = source.amount(at), source.raw(at)
    if not seen.amortised:
        return cost, raw
    kind = source.text(seen.at.get("category"))
    cases = []
    for name, parts in seen.amortised.items():
        amount = " + ".join(f"({source.amount(i)}) * {sign}" for i, sign in parts)
        if not parts:
            amount = "0" if name.endswith(("Negation", "UpfrontFee")) else "NULL"
        cases.append(f"WHEN '{name}' THEN CAST({amount} AS DECIMAL(38,18))")
    whole = f"CASE {kind} {' '.join(cases)} ELSE {cost} END"
    if "reservation" in seen.at:
        bought = f"{kind} = 'Fee' AND {source.words(seen.at['reservation'])} IS NOT NULL"
        whole = f"CASE WHEN {bought} THEN CAST(0 AS DECIMAL(38,18)) ELSE {whole} END"
    known = ", ".join(f"'{name}'" for name in seen.amortised)
    return whole, f"CASE WHEN {kind} IN ({known}) THEN NULL ELSE {raw} END"


def _left(value: str, raw: str) -> str:
    """Return what is left for Python of a value that was not read: never NULL then."""
    return f"CASE WHEN ({value}) IS NULL THEN coalesce({raw}, '') END"


def _is(source: Source, at: int | None, word: str) -> str:
    return "NULL" if at is None else f"coalesce({source.text(at)} = '{word}', false)"


def _about(source: Source, seen: Layout) -> str:
    if not seen.texts:
        return "NULL"
    return f"concat_ws(chr(31), {', '.join(map(source.words, seen.texts))})"


def _kind(source: Source, at: int, *, aws: bool) -> str:
    """Return the place of a line's kind in KINDS, NULL for one that is not known."""
    text = source.text(at)
    cases = [
        f"WHEN '{word}' THEN {KINDS.index(kind)}"
        for word in WORDS
        if (kind := category_of(word, aws=aws)) is not None
    ]
    discount = category_of("Discount", aws=aws)
    rest = "NULL"
    if discount is not None:
        rest = f"CASE WHEN {text} LIKE '%Discount' THEN {KINDS.index(discount)} END"
    return f"CASE {text} {' '.join(cases)} ELSE {rest} END"


def _hash(source: Source, seen: Layout) -> str:
    """Return a hash of the line: by its id, where it has one, or by all that it says."""
    own = source.columns[: len(source.columns) - source.has_width]
    whole = f"hash({', '.join(own)})"
    if "identity" not in seen.at:
        return whole
    times = [source.columns[seen.at[role]] for role in ("start", "end") if role in seen.at]
    identity = source.words(seen.at["identity"])
    return (
        f"CASE WHEN {identity} IS NULL THEN {whole} ELSE hash({', '.join([identity, *times])}) END"
    )


def _is_nested(kind: str) -> bool:
    return kind.endswith("]") or kind.startswith(("MAP", "STRUCT", "UNION", "JSON"))

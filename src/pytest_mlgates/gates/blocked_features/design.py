"""Columns as numbers, whatever they hold: numbers, categories, dates, identifiers, texts.

Nothing here looks at the attribute, so all rows may be encoded together.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from pytest_mlgates.reading.slices import is_missing

__all__ = ["Design", "Encoding", "encode"]

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

#: values of a category that have a column of their own; a number has so many bins
_TOP, _BINS, _LEVELS = 60, 12, 6
#: cells that words are hashed to, that wide designs are hashed to, that pairs are hashed to
_WORDS, _WIDE, _PAIRS = 256, 768, 512
#: columns whose pairs are looked at, and columns that have bins
_MAX_PAIRED, _MAX_BINNED = 24, 64
#: a text column is as heavy as a few numbers
_TEXT_NORM = 3.0
_MOST_WORDS = 400
_NUMERIC_SHARE = 0.95
_ISO = re.compile(r"\d{4}-\d{2}(-\d{2}([ T]\d{2}:\d{2}.*)?)?")


@dataclass(frozen=True, slots=True)
class Encoding:
    """What one column becomes: ``x`` for a linear model, ``codes`` (few levels) for pairs."""

    name: str
    x: Floats
    codes: Codes | None


@dataclass(frozen=True, slots=True)
class Design:
    """All columns: added up, by pairs (None of fewer than two), and as points (None of texts)."""

    blocks: tuple[Encoding, ...]
    added: Floats
    pairs: Floats | None
    points: Floats | None
    left_out: int


def encode(columns: Mapping[str, Sequence[object]], n: int, seed: int) -> Design:
    """Encode columns of ``n`` values; those with one value only are left out.

    >>> encode({"a": [1.0, 2.0, 4.0], "b": ["x", "x", "x"]}, 3, 0).blocks[0].name
    'a'
    """
    binned = len(columns) <= _MAX_BINNED
    blocks = [
        block
        for name, values in columns.items()
        if (block := _block_of(name, values, n, binned=binned)) is not None
    ]
    added = np.hstack([block.x for block in blocks]) if blocks else np.zeros((n, 0))
    coded = [block for block in blocks if block.codes is not None]
    chosen = coded
    if len(coded) > _MAX_PAIRED:
        picked = np.random.default_rng(seed).permutation(len(coded))[:_MAX_PAIRED]
        chosen = [coded[at] for at in sorted(picked)]
    return Design(
        blocks=tuple(blocks),
        added=_narrow(added),
        pairs=_pair_codes(chosen, n) if len(chosen) > 1 else None,
        points=_narrow(np.hstack([block.x for block in coded]), 64) if coded else None,
        left_out=len(coded) - len(chosen),
    )


def _block_of(name: str, values: Sequence[object], n: int, *, binned: bool) -> Encoding | None:
    texts = [None if is_missing(value) else value for value in values]
    if len({str(value) for value in texts}) < 2:
        return None
    numbers = _as_numbers(texts)
    if numbers is not None:
        return _of_numbers(name, numbers, binned=binned)
    words = ["" if value is None else str(value) for value in texts]
    counts = Counter(words)
    if len(counts) <= _TOP:
        return _of_categories(name, words, counts)
    top = [value for value, _ in counts.most_common(_LEVELS)]
    repeated = sum(counts[value] for value in top) > 0.2 * n
    codes = np.array([top.index(word) if word in top else _LEVELS for word in words], np.int64)
    return Encoding(name, _hashed(words), codes if repeated else None)


def _as_numbers(values: Sequence[object]) -> Floats | None:
    """Return numbers and dates as numbers, NaN where one is missing; None of other columns."""
    found = np.full(len(values), np.nan)
    known = wrong = 0
    for at, value in enumerate(values):
        if value is None:
            continue
        known += 1
        number = _as_number(value)
        if number is None:
            wrong += 1
        else:
            found[at] = number
    return found if known and wrong <= (1 - _NUMERIC_SHARE) * known else None


def _as_number(value: object) -> float | None:
    if isinstance(value, (bool, int, float)):
        return float(np.clip(value, -1e12, 1e12))
    if isinstance(value, datetime):
        return value.timestamp() / 86_400
    if isinstance(value, date):
        return float(value.toordinal())
    text = str(value).strip()
    if _ISO.fullmatch(text):
        try:
            whole = text if len(text) > 7 else f"{text}-01"
            return float(datetime.fromisoformat(whole).toordinal())
        except ValueError:
            return None
    # what starts with a nought is a code and not a number: the digits in front tell where
    if len(text) > 1 and text[0] == "0" and text.isdigit():
        return None
    try:
        return float(np.clip(float(text), -1e12, 1e12))
    except ValueError:
        return None


def _of_numbers(name: str, numbers: Floats, *, binned: bool) -> Encoding:
    missing = np.isnan(numbers)
    known = numbers[~missing]
    spread = float(known.std()) if known.size else 0.0
    filled = np.where(missing, known.mean() if known.size else 0.0, numbers)
    parts = [np.clip((filled - filled.mean()) / spread, -5, 5)] if spread > 0 else []
    if missing.any():
        parts.append(missing.astype(float))
    codes = np.where(missing, _LEVELS, _into_bins(filled, _LEVELS)).astype(np.int64)
    if binned and len(np.unique(known)) > 2:
        bins = _into_bins(filled, _BINS)
        parts += [(bins == level).astype(float) for level in np.unique(bins)]
        # identifiers and postal codes: the digits in front, and what is left when divided
        parts += [(filled % 2).astype(float)] if np.all(filled == np.round(filled)) else []
    return Encoding(name, np.column_stack(parts), codes)


def _into_bins(values: Floats, bins: int) -> Codes:
    distinct = np.unique(values)
    if len(distinct) <= bins:
        return np.searchsorted(distinct, values).astype(np.int64)
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins))
    return np.searchsorted(edges, values, side="right").astype(np.int64)


def _of_categories(name: str, words: Sequence[str], counts: Counter[str]) -> Encoding:
    order = {value: at for at, (value, _) in enumerate(counts.most_common())}
    place = np.array([order[word] for word in words], np.int64)
    x = np.zeros((len(words), len(order)))
    x[np.arange(len(words)), place] = 1.0
    return Encoding(name, x, np.minimum(place, _LEVELS))


def _hashed(texts: Sequence[str]) -> Floats:
    """Return bags of words, of word pairs and of the letters that short texts begin with."""
    x = np.zeros((len(texts), _WORDS))
    for row, text in enumerate(texts):
        words = re.findall(r"\w+", text.casefold())[:_MOST_WORDS]
        tokens = [*words, *(f"{a} {b}" for a, b in pairwise(words))]
        if len(words) <= 6:
            tokens += [f"^{word[:size]}" for word in words for size in (1, 2, 3, 4)]
            padded = (f"^{word}$" for word in words)
            tokens += [p[at : at + 3] for p in padded for at in range(len(p) - 2)]
        for token, times in Counter(tokens).items():
            x[row, _bucket(token, _WORDS)] += 1 + np.log(times)
    norm = np.sqrt((x * x).sum(axis=1, keepdims=True))
    return np.asarray(_TEXT_NORM * x / np.where(norm == 0, 1.0, norm))


def _bucket(token: str, buckets: int) -> int:
    # crc32 and not hash(), which differs from one process to the next
    return zlib.crc32(token.encode("utf-8", "surrogatepass")) % buckets


def _narrow(x: Floats, width: int = _WIDE) -> Floats:
    """Return a wide design added up in fewer columns, with signs that cancel in the mean."""
    if x.shape[1] <= width:
        return x
    rng = np.random.default_rng(x.shape[1])
    found = np.zeros((x.shape[0], width))
    cells = rng.integers(0, width, x.shape[1])
    signed = x * rng.choice((-1.0, 1.0), x.shape[1])
    np.add.at(found.T, cells, signed.T)
    return found


def _pair_codes(blocks: Sequence[Encoding], n: int) -> Floats:
    """Return a cell for each pair of levels of two columns, hashed where there are many."""
    cells = []
    for one, other in combinations(blocks, 2):
        assert one.codes is not None
        assert other.codes is not None
        cells.append(one.codes * (_LEVELS + 1) + other.codes)
    size = (_LEVELS + 1) ** 2
    rng = np.random.default_rng(len(cells))
    many = len(cells) * size > _PAIRS
    x = np.zeros((n, _PAIRS if many else len(cells) * size))
    rows = np.arange(n)
    for at, cell in enumerate(cells):
        place = rng.integers(0, _PAIRS, size) if many else at * size + np.arange(size)
        sign = rng.choice((-1.0, 1.0), size) if many else np.ones(size)
        np.add.at(x, (rows, place[cell]), sign[cell])
    return x[:, x.any(axis=0)]

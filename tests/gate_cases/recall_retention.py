"""What the shared suites ask of ``recall_retention``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.recall_retention import RecallRetention

SECRETS = ("ada.lovelace@example.org", "4111-1111-1111-1111")

GATE = RecallRetention(k=10, max_drop=0.02, max_size_ratio=0.2, slices=("head", "middle", "tail"))
PLAIN = RecallRetention(max_drop=0.02)
SIZES = (150, 1000)
QUERIES = [{"n": n, "of": f"{SECRETS[0]} {n % 2} {SECRETS[1]}"} for n in range(2000)]


def _zipf(seed: int) -> list[str]:
    """Ten items, the low numbers far more often."""
    draw = np.random.default_rng(seed)
    return [f"item {i}" for i in dict.fromkeys((draw.pareto(0.7, 60) * 3).astype(int))][:10]


_EXACT = [_zipf(n) for n in range(len(QUERIES))]


def exact(query: Any, k: int) -> list[str]:
    return _EXACT[query["n"]][:k]


def index(query: Any, k: int) -> list[str]:
    """Lose one answer in six hundred."""
    found = exact(query, k)
    return [*found[:-1], "wrong"] if query["n"] % 60 == 7 else found


def pruned(query: Any, k: int) -> list[str]:
    """Know the popular items only."""
    return [item for item in exact(query, k) if int(item.split()[1]) < 60]


def following(query: Any) -> list[str]:
    return _EXACT[query["n"]][2:5:2]


def sound() -> Evidence:
    """Return the evidence on an index that loses next to nothing."""
    return GATE.run(index, exact, QUERIES, following, slice_of="of", sizes=SIZES)


def flawed() -> Evidence:
    """Return the evidence on an index of which the tail was pruned away."""
    return GATE.run(pruned, exact, QUERIES, following, slice_of="of", sizes=SIZES)


def _raises(query: Any, k: int) -> list[str]:
    raise ValueError(query["of"])


def _yields(query: Any, k: int) -> Iterator[str]:
    yield from exact(query, k)


def _copy(query: Any, k: int) -> list[str]:
    return _EXACT[query["n"]][:k]


def _nothing(query: Any, k: int) -> list[str]:
    return []


def _ten(query: Any, k: int) -> list[str]:
    return [f"item {n}" for n in range(k)]


_DRAW = np.random.default_rng(3)
_STORED, _UNIFORM = _DRAW.random((500, 16)), _DRAW.random((800, 16))


def _nearest(query: Any, k: int) -> Any:
    return np.argsort(-(_STORED @ query))[:k]


def _nearly(query: Any, k: int) -> Any:
    return np.argsort(-(_STORED.astype(np.float16).astype(float) @ query))[:k]


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no queries": lambda: PLAIN.run(index, exact, []),
    "few queries": lambda: PLAIN.run(index, exact, QUERIES[:50]),
    "one query many times": lambda: PLAIN.run(index, exact, QUERIES[:1] * 2000),
    "exact search against itself": lambda: PLAIN.run(exact, exact, QUERIES),
    "a copy of exact search": lambda: PLAIN.run(_copy, exact, QUERIES),
    "the same answers": lambda: PLAIN.run(lambda q, k: [*exact(q, k)], exact, QUERIES),
    "exact search is mute": lambda: PLAIN.run(index, _nothing, QUERIES),
    "both are mute": lambda: PLAIN.run(lambda q, k: [], _nothing, QUERIES),
    "all queries are answered alike": lambda: PLAIN.run(
        lambda q, k: _ten(q, k)[::-1], _ten, QUERIES
    ),
    "uniform random vectors": lambda: PLAIN.run(_nearly, _nearest, _UNIFORM),
    "no labels": lambda: PLAIN.run(index, exact, QUERIES, [None] * len(QUERIES)),
    "labels that nobody finds": lambda: PLAIN.run(index, exact, QUERIES, lambda _: "elsewhere"),
    "fewer labels than queries": lambda: PLAIN.run(index, exact, QUERIES, ["item 1"]),
    "ids of another kind": lambda: PLAIN.run(lambda q, k: list(range(k)), exact, QUERIES),
    "sizes forgotten": lambda: GATE.run(index, exact, QUERIES, following),
    "sizes of nothing": lambda: GATE.run(index, exact, QUERIES, sizes=(0, 0)),
    "a slice that does not occur": lambda: RecallRetention(max_drop=0.02, slices=("night",)).run(
        index, exact, QUERIES
    ),
    "queries of no slice": lambda: PLAIN.run(index, exact, QUERIES, slice_of=lambda _: None),
    "a yardstick that repeats itself": lambda: PLAIN.run(
        index, lambda q, k: ["item 1"] * k, QUERIES
    ),
    "a generator": lambda: PLAIN.run(_yields, exact, QUERIES),
    "an exception": lambda: PLAIN.run(_raises, exact, QUERIES),
    "scores instead of ids": lambda: PLAIN.run(lambda q, k: [0.5] * k, exact, QUERIES),
    "no callable": lambda: PLAIN.run(None, exact, QUERIES),
}

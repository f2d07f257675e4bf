"""Print all builds side by side: ``python -m reference_systems.shopfast_two_tower compare``.

Trained on the first 80 % of the time of a log, asked for the rest; on the generated log and, where
``MLGATES_DATA`` is set, on the retail log. No figure is written down.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from reference_systems.shopfast_two_tower import catalogue, cost, inputs, store
from reference_systems.shopfast_two_tower.baselines import Popular, PopularUnseen, Repeater
from reference_systems.shopfast_two_tower.builds import Shop, build
from reference_systems.shopfast_two_tower.evaluation import Case, Search, cases, cut, hits
from reference_systems.shopfast_two_tower.views import Views

__all__ = ["rows"]

_BUILDS = ("incident", "pruned", "int8", "fixed")


def rows(seed: int) -> Iterator[dict[str, Any]]:
    """Yield a row a recommender and log, then one a year."""
    generated = inputs.view_log(seed)
    logs = {"generated": generated, "retail": inputs.real_log()}
    for name, log in logs.items():
        if log is not None:
            yield from _of_log(name, log, seed)
    before, after = cut(generated)
    yield from _years(Shop.train(before, seed), cases(before, after), seed)


def _of_log(name: str, log: Views, seed: int) -> Iterator[dict[str, Any]]:
    before, after = cut(log)
    asked = cases(before, after)
    shop = Shop.train(before, seed)
    for label, search in (
        ("popular", Popular(before).search),
        ("popular, unseen", PopularUnseen(before).search),
        ("own history again", Repeater(before).search),
    ):
        yield {"log": name, "build": label, **_hits(search, asked)}
    careless = replace(shop, kept=max(1, len(before.items) // 10))
    for label, of in [*((label, shop) for label in _BUILDS), ("fixed, 90 % pruned", careless)]:
        served = build(of, label.partition(",")[0])
        with tempfile.TemporaryDirectory() as folder:
            size = store.write(served, Path(folder, "shop"), {"build": label})
        shown = {"items": size["items"], "index_bytes": size["index_bytes"]}
        yield {"log": name, "build": label, **_hits(served.search, asked), **shown}


def _hits(search: Search, asked: list[Case]) -> dict[str, float]:
    found = hits(search, asked)
    return {"next_items": round(found.every, 4), "new_items": round(found.new, 4)}


def _years(shop: Shop, asked: list[Case], seed: int) -> Iterator[dict[str, Any]]:
    served = build(shop, "fixed")
    million = catalogue.large(served, shop.trained.vectors, seed)
    users = [case.user for case in asked[:300]]
    for name in ("incident", "fixed"):
        seen = catalogue.measured(million, name, served, users)
        year = cost.dollars(seen)
        yield {
            "catalogue": catalogue.ITEMS,
            "build": name,
            "search_cpu_ms": round(1000 * seen.search_s, 4),
            "answer_cpu_ms": round(1000 * seen.answer_s, 4),
            "index_bytes": seen.index_bytes,
            **{f"{key}, USD a year": round(value) for key, value in year.items()},
            "USD a year": round(sum(year.values())),
        }

"""shopfast_two_tower beside the popular items and beside the user's own history, over seeds.

python benchmarks/shopfast_popularity.py [--quick] [--out FILE]

Trained on the first 80 % of the time of a log, asked for ten items for each user of the rest.
Counted is the share of a user's next ten different items that was found: of all, and of those that
the user had never viewed. ``x`` is how many times as many as the popular items find, of the new ones
as many as the popular items without those seen. With MLGATES_DATA the retail log is the last row.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reference_systems.shopfast_two_tower import baselines, builds, evaluation, inputs
from reference_systems.shopfast_two_tower.views import Views


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="two seeds instead of ten")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    print("| log | next items: shop | popular | own history | x | new items: shop | popular | "
          "popular, unseen | own history | x | training, CPU s |")  # fmt: skip
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    rows = []
    for name, log in logs(2 if options.quick else 10):
        rows.append({"log": name, **measured(log)})
        show(rows[-1])
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def logs(seeds: int) -> Iterator[tuple[str, Views]]:
    for seed in range(seeds):
        yield f"seed {seed}", inputs.view_log(seed)
    real = inputs.real_log()
    if real is not None:
        yield "retail", real


def measured(log: Views) -> dict[str, Any]:
    before, after = evaluation.cut(log)
    asked = evaluation.cases(before, after)
    began = time.process_time()
    shop = builds.Shop.train(before)
    took = time.process_time() - began
    searches = {
        "shop": builds.build(shop, "fixed"),
        "popular": baselines.Popular(before),
        "unseen": baselines.PopularUnseen(before),
        "history": baselines.Repeater(before),
    }
    found = {name: evaluation.hits(each.search, asked) for name, each in searches.items()}
    best_new = max(found["popular"].new, found["unseen"].new)
    return {
        **{f"{name}_next": hits.every for name, hits in found.items()},
        **{f"{name}_new": hits.new for name, hits in found.items()},
        "x_next": found["shop"].every / found["popular"].every,
        "x_new": found["shop"].new / best_new,
        "cpu_s": took,
    }


def show(row: dict[str, Any]) -> None:
    names = ("shop_next", "popular_next", "history_next")
    new = ("shop_new", "popular_new", "unseen_new", "history_new")
    print(
        f"| {row['log']} | {' | '.join(f'{row[name]:.4f}' for name in names)} | {row['x_next']:.2f} | "
        f"{' | '.join(f'{row[name]:.4f}' for name in new)} | {row['x_new']:.2f} | {row['cpu_s']:.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()

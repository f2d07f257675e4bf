"""The index of shopfast_two_tower by catalogue: bytes, recall, CPU time of a search.

python benchmarks/shopfast_index.py [--quick] [--out FILE]

For each size a view log is generated, of which about that many items were viewed; both towers are
trained on it, and each build made of them. Bytes are those of the files written; recall@10 is what
the gate recall_retention counts against every score in float32, over all items and by thirds of
what exact search answers; CPU is the process's, a query, one thread.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from pytest_mlgates.gates.recall_retention import RecallRetention
from reference_systems.shopfast_two_tower import builds, store
from reference_systems.shopfast_two_tower.catalogue import cpu_s
from reference_systems.shopfast_two_tower.inputs import Sizes, view_log

#: users, items that could be viewed (more than are), topics
SIZES = {
    "10 k": Sizes(users=700, items=17_000, topics=20),
    "100 k": Sizes(users=6_500, items=165_000, topics=100),
    "1 M": Sizes(users=68_000, items=1_700_000, topics=400),
}
QUERIES = 2_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="without the largest catalogue")
    parser.add_argument("--only", choices=list(SIZES), help="this catalogue alone")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    print("| catalogue | build | items kept | index bytes | of float32 | lost of the exact 10 "
          "(head, middle, tail) | CPU ms a query | lists looked into |")  # fmt: skip
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    rows = []
    for words in [options.only] if options.only else list(SIZES)[: 2 if options.quick else 3]:
        rows += measured(words, options.seed)
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def measured(words: str, seed: int) -> list[dict[str, Any]]:
    began = time.process_time()
    views = view_log(seed, SIZES[words])
    shop = builds.Shop.train(views, seed)
    took = time.process_time() - began
    users = [views.users[n] for n in np.random.default_rng(seed).permutation(len(views.users))]
    exact = builds.build(shop, "incident")
    rows = []
    for name in ("incident", "pruned", "int8", "fixed"):
        served = builds.build(shop, name)
        with tempfile.TemporaryDirectory() as folder:
            size = store.write(served, Path(folder, "shop"), {"build": name})["index_bytes"]
        row = {
            "catalogue": len(views.items), "views": len(views), "users": len(views.users),
            "build": name, "items": len(served.items), "index_bytes": size, "train_cpu_s": took,
            **search_cost(served, users[: 40 if len(views.items) > 500_000 else 300]),
            **lost(served, exact, users[:QUERIES]),
        }  # fmt: skip
        rows.append(row)
        show(row, rows[0])
    pruned = float(views.counts[shop.kept :].sum() / len(views))
    print(f"\n{len(views):,} views of {len(views.users):,} users; {1 - shop.kept / len(views.items):.1%} "
          f"of the items pruned, with {pruned:.1%} of the views; log and training {took:.0f} CPU s\n",
          file=sys.stderr)  # fmt: skip
    return rows


def search_cost(served: builds.Recommender, users: list[str]) -> dict[str, Any]:
    histories = [served.histories.user(served.users[user]) for user in users]
    queries = np.array([served.vector(seen) for seen in histories if len(seen)], np.float32)
    index = served.index
    looked = f"{index.nprobe} of {index.lists}" if hasattr(index, "nprobe") else "all"
    return {"cpu_ms": 1000 * cpu_s(index, queries), "lists": looked}


def lost(served: builds.Recommender, exact: builds.Recommender, users: list[str]) -> dict[str, Any]:
    if len(exact.items) > 500_000:
        users = users[:1_000]
    evidence = RecallRetention(max_drop=0.02, max_slice_drop=0.05).run(
        served.search, exact.search, users
    )
    assert evidence.measurement is not None, evidence.verdict
    seen = evidence.measurement
    rows = {row["name"]: row["lost"]["counts"] for row in seen.details["slices"]}
    shares = {
        name: sum(step * n for step, n in counts) / 1000 / max(1, sum(n for _, n in counts))
        for name, counts in rows.items()
    }
    return {"lost": seen.value, "at_most": seen.interval[1] if seen.interval else None, **shares}


def show(row: dict[str, Any], whole: dict[str, Any]) -> None:
    bands = ", ".join(f"{row[name]:.4f}" for name in ("head", "middle", "tail") if name in row)
    print(
        f"| {row['catalogue']:,} | {row['build']} | {row['items']:,} | {row['index_bytes']:,} | "
        f"{row['index_bytes'] / whole['index_bytes']:.1%} | {row['lost']:.4f} ({bands}) | "
        f"{row['cpu_ms']:.3f} | {row['lists']} |",
        flush=True,
    )


if __name__ == "__main__":
    main()

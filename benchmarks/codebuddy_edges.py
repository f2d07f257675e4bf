"""Every edge of the code assistant's graph against javac: precision and recall, by kind.

Run: python benchmarks/codebuddy_edges.py [TREE …] [--out FILE]
Without a tree: those of the folder named by MLGATES_DATA, and the tests' own. Needs a JDK (17 or later).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from codebuddy.oracle import Score, compare, gold_of, java

from reference_systems.codebuddy_graph import inputs
from reference_systems.codebuddy_graph.graph import Graph
from reference_systems.codebuddy_graph.indexer import update
from reference_systems.codebuddy_graph.store import Store

KINDS = ("virtual", "interface", "static", "special", "constructor", "reference", "lambda")
OWN = Path(__file__).parent.parent / "tests/reference_systems/codebuddy_trees/features"


def score(tree: Path, program: str) -> Score:
    """Index a tree and compare it with javac."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder, "index.db"), create=True)
        update(store, tree)
        edges = [edge._asdict() for edge in Graph(store).edges()]
        store.close()
    return compare(edges, gold_of(tree, program))


def row(name: str, found: Score) -> str:
    """Give a line of the table."""
    cells = [name, f"{found.edges:,}", f"{found.precision:.4f}", f"{found.recall:.4f}"]
    for kind in KINDS:
        hit, total = found.kinds.get(kind, (0, 0))
        cells.append(f"{hit:,} of {total:,}")
    cells.append(f"{found.lines[0]:,} of {found.lines[1]:,}")
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("trees", nargs="*", type=Path)
    parser.add_argument("--show", type=int, default=0, help="print this many wrong and missed")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--quick", action="store_true", help="the tests' own tree only")
    options = parser.parse_args()
    program = java()
    if program is None:
        parser.error("no JDK of release 17 or later is on the path")
    with tempfile.TemporaryDirectory() as folder:
        trees = options.trees or [OWN]
        if not options.trees and not options.quick:
            trees = [
                *inputs.shared_trees(Path(folder)),
                inputs.legacy_tree(Path(folder, "made"), 1),
                OWN,
            ]
        found = {tree.name: score(tree.resolve(), program) for tree in trees}
    print("| tree | edges | precision | recall |", " | ".join(KINDS), "| right line |")
    print("|---" * (len(KINDS) + 5) + "|")
    for name, one in found.items():
        print(row(name, one))
        for kind, pairs in (("wrong", one.wrong), ("missed", one.missed)):
            for caller, callee in pairs[: options.show]:
                print(f"<!-- {kind}: {caller} -> {callee} -->")
    if options.out:
        record = {
            name: {**vars(one), "precision": one.precision, "recall": one.recall}
            for name, one in found.items()
        }
        options.out.write_text(json.dumps(record, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()

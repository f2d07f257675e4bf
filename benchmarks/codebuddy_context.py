"""Long call chains of a real tree, pasted whole and fitted into 4,000 tokens, with javac's view of them.

For each entry whose pasted chain has at least 40,000 tokens: the path to the farthest method and all
names that can be reached are taken from javac's edges, and looked for in the text of either build. A
method of the path counts as kept in full where its code stands in the context, comments and blanks
apart; of overloads with one name and arity, the code of one.

Run: python benchmarks/codebuddy_context.py [TREE] [--entries 40] [--out FILE]
Without a tree: commons-lang3 in the folder named by MLGATES_DATA. Needs a JDK (17 or later).
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from codebuddy.oracle import gold_of, java

from pytest_mlgates.gates.context_budget.keep import folded, holds
from reference_systems.codebuddy_graph import fixed, incident, inputs
from reference_systems.codebuddy_graph.excerpts import Excerpts
from reference_systems.codebuddy_graph.graph import Graph
from reference_systems.codebuddy_graph.indexer import update
from reference_systems.codebuddy_graph.store import Store

BUDGET, LONG = 4000, 40_000
#: so many shorter chains in a row end the search: entries come by how many methods they reach
SHORT = 60


def reach(calls: dict[str, set[str]], entry: str) -> dict[str, str | None]:
    """Return what javac's edges lead to, each with the method before it."""
    found: dict[str, str | None] = {entry: None}
    todo = [entry]
    for name in todo:
        for callee in sorted(calls.get(name, ())):
            if callee not in found:
                found[callee] = name
                todo.append(callee)
    return found


def chain(found: dict[str, str | None], goal: str) -> list[str]:
    """Return the path to a method."""
    path, at = [], goal
    while at is not None:
        path.append(at)
        at = found[at]
    return path[::-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tree", nargs="?", type=Path)
    parser.add_argument("--entries", type=int, default=40)
    parser.add_argument("--quick", action="store_true", help="5 entries of a generated tree")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    program = java()
    if program is None:
        parser.error("no JDK of release 17 or later is on the path")
    with tempfile.TemporaryDirectory() as name:
        tree = options.tree
        if tree is None and not options.quick:
            tree = next((t for t in inputs.shared_trees(Path(name)) if "lang3" in t.name), None)
        tree = tree or inputs.legacy_tree(Path(name, "made"), 1)
        rows = measure(
            tree.resolve(), Path(name, "index.db"), program, 5 if options.quick else options.entries
        )
    show(tree.name, rows)
    if options.out:
        options.out.write_text(json.dumps(rows, indent=2) + "\n", "utf-8")


def measure(tree: Path, db: Path, program: str, entries: int) -> list[dict]:
    """Build both contexts for the longest chains."""
    gold = gold_of(tree, program)
    calls: dict[str, set[str]] = {}
    for caller, declared in gold.calls:
        if declared in gold.methods:
            calls.setdefault(caller, set()).add(declared)
    store = Store(db, create=True)
    update(store, tree)
    graph = Graph(store)
    order = sorted(gold.methods, key=lambda m: (-len(reach(calls, m)), m))
    rows: list[dict] = []
    short = 0
    for entry in order:
        if len(rows) == entries or short == SHORT:
            break
        pasted = incident.build_context(graph, entry, "", BUDGET)
        short = 0 if pasted.tokens >= LONG else short + 1
        if pasted.tokens >= LONG:
            rows.append(one(graph, entry, reach(calls, entry), pasted.tokens))
    return rows


def one(graph: Graph, entry: str, found: dict[str, str | None], pasted: int) -> dict:
    """Return the figures of one chain."""
    goal = list(found)[-1]
    path = chain(found, goal)
    made = fixed.build_context(graph, entry, f"How does it come to {goal}?", BUDGET)
    text, squeezed = folded(made.text), "".join(made.text.split())
    tails = [name.rpartition(".")[2] for name in found]
    own = {m.name: m.detail for m in made.methods}
    excerpts = Excerpts(graph.store)
    in_full = [
        any("".join(excerpts.code(place).split()) in squeezed for place in graph.places(method))
        for method in path
    ]
    return {
        "entry": entry,
        "methods": len(found),
        "pasted": pasted,
        "fitted": made.tokens,
        "path": len(path),
        "path_named": sum(holds(text, m.rpartition(".")[2]) for m in path),
        "path_full": sum(in_full),
        "names": sum(holds(text, tail) for tail in tails) / len(tails),
        "listed": sum(name in own for name in found) / len(found),
    }


def show(tree: str, rows: list[dict]) -> None:
    """Print a summary, and the chain of the case."""
    print(
        f"{tree}: {len(rows)} chains of {LONG:,} tokens and more\n\n| | smallest | median | largest |\n|---|---|---|---|"
    )
    for key, what in (
        ("methods", "methods reached (javac)"),
        ("pasted", "tokens, pasted whole"),
        ("fitted", "tokens, fitted"),
        ("path", "methods on the path"),
    ):
        values = [row[key] for row in rows]
        print(f"| {what} | {min(values):,} | {statistics.median(values):,.0f} | {max(values):,} |")
    for key, what in (
        ("names", "share of the names in the text"),
        ("listed", "share of the methods listed"),
    ):
        values = [row[key] for row in rows]
        print(
            f"| {what} | {min(values):.3f} | {statistics.median(values):.3f} | {max(values):.3f} |"
        )
    for key, what in (("path_named", "named"), ("path_full", "in full")):
        print(
            f"\nOf {sum(r['path'] for r in rows)} methods on the paths {sum(r[key] for r in rows)} are {what}."
        )
    case = [row for row in rows if re.search(r"getOverrideHierarchy", row["entry"])]
    for row in case:
        print(f"\n{row}")


if __name__ == "__main__":
    main()

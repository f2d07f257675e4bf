"""CPU seconds of the code assistant's index: a whole tree, and one file after an edit.

An edit is one statement put into the body of a method of every file; and, in every fifth file, a method
added to the class, so that the file is read as a whole and others that mention the name again. CPU time of this process, not wall time: other work on the
machine does not count.

Run: python benchmarks/codebuddy_speed.py [TREE] [--runs 3] [--out FILE]
Without a tree: commons-lang3 in the folder named by MLGATES_DATA, else a generated tree.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from reference_systems.codebuddy_graph import inputs
from reference_systems.codebuddy_graph.indexer import update, update_file
from reference_systems.codebuddy_graph.store import Store


def whole(tree: Path, folder: Path, runs: int) -> list[float]:
    """Return the CPU seconds of indexing a tree from nothing."""
    took = []
    for run in range(runs):
        start = time.process_time()
        store = Store(folder / f"{run}.db", create=True)
        update(store, tree)
        took.append(time.process_time() - start)
        store.close()
    return took


def edits(tree: Path, folder: Path) -> dict[str, list[tuple[float, str]]]:
    """Return the CPU seconds of taking in one edit of each file."""
    store = Store(folder / "edits.db", create=True)
    update(store, tree)
    took: dict[str, list[tuple[float, str]]] = {"in a body": [], "a method added": []}
    for place, row in enumerate(store.files()):
        text = (tree / row.path).read_bytes()
        at, end = text.find(b"        return "), text.rstrip().rfind(b"}")
        body = text[:at] + b"        toString();\n" + text[at:] if at > 0 else text + b"\n"
        added = text[:end] + b"    int addedByEdit() { return 1; }\n" + text[end:]
        kinds = [("in a body", body), *([("a method added", added)] if place % 5 == 0 else [])]
        for kind, changed in kinds:
            start = time.process_time()
            update_file(store, row.path, changed)
            took[kind].append((time.process_time() - start, row.path))
            update_file(store, row.path, text)
    store.close()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tree", nargs="?", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a generated tree")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tree = options.tree
        if tree is None and not options.quick:
            tree = next((t for t in inputs.shared_trees(folder) if "lang3" in t.name), None)
        tree = tree or inputs.legacy_tree(folder / "made", 1)
        lines = sum(p.read_bytes().count(b"\n") for p in tree.rglob("*.java"))
        all_of_it = whole(tree, folder, options.runs)
        one = edits(tree, folder)
    print(f"{tree.name}: {len(one['in a body'])} files, {lines:,} lines; CPU seconds\n")
    print("| | median | 90 % below | largest | of |\n|---|---|---|---|---|")
    print(
        f"| whole tree | {statistics.median(all_of_it):.2f} | | {max(all_of_it):.2f} | {options.runs} runs |"
    )
    for kind, took in one.items():
        times = sorted(t for t, _ in took)
        last = max(took)
        print(
            f"| one file, {kind} | {statistics.median(times):.4f} | {times[int(0.9 * len(times))]:.4f} |"
            f" {last[0]:.4f} ({Path(last[1]).name}) | {len(times)} files |"
        )
    if options.out:
        options.out.write_text(
            json.dumps({"whole": all_of_it, "edits": one}, indent=2) + "\n", "utf-8"
        )


if __name__ == "__main__":
    main()

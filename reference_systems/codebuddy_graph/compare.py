"""Print incident and fix side by side, measured here.

``python -m reference_systems.codebuddy_graph compare [--seed 1] [--questions 24] [--tree TREE
--method METHOD --question QUESTION]``

Without a tree it is the generated one, with the plan it was written from as the measure; with
``MLGATES_DATA`` set the case's own chain in commons-lang3 is shown too.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reference_systems.codebuddy_graph import fixed, incident, inputs
from reference_systems.codebuddy_graph.builds import BUDGET, Assistant
from reference_systems.codebuddy_graph.chain import NotFound
from reference_systems.codebuddy_graph.graph import Graph
from reference_systems.codebuddy_graph.indexer import update
from reference_systems.codebuddy_graph.store import Store
from reference_systems.codebuddy_graph.symbols import Ambiguous
from reference_systems.codebuddy_graph.tokens import NAME, count_tokens, first_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["kept", "main"]

CASE = ("MethodUtils.getOverrideHierarchy", "How does it come to TypeUtils.getRawType?")


def kept(text: str, items: Sequence[str]) -> float:
    """Give the share of texts that a context holds, blanks folded."""
    folded = " ".join(text.split())
    found = sum(" ".join(item.split()) in folded for item in items)
    return found / len(items) if items else 1.0


def measure(assistant: Assistant, questions: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Give the figures of one build; shares as the model sees them through its window."""
    rows = []
    start = time.process_time()
    texts = [assistant.context(row["question"]) for row in questions]
    took = (time.process_time() - start) / len(questions)
    for row, text in zip(questions, texts, strict=True):
        seen = first_tokens(text, BUDGET)
        rows.append((
            count_tokens(text), kept(seen, row["path"]), kept(seen, row["names"]),
            kept(seen, row["sources"]),
        ))  # fmt: skip
    tokens, path, names, sources = zip(*rows, strict=True)
    return {
        "tokens, median": statistics.median(tokens),
        "tokens, most": max(tokens),
        f"contexts within {BUDGET:,} tokens": sum(t <= BUDGET for t in tokens),
        "path in full, in the window": statistics.mean(path),
        "names, in the window": statistics.mean(names),
        "files of the path, in the window": statistics.mean(sources),
        "CPU milliseconds a context": took * 1000,
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure both builds on the same questions and print Markdown tables."""
    parser = argparse.ArgumentParser(prog="compare", description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--questions", type=int, default=24)
    parser.add_argument("--tree", type=Path, help="a tree of your own, with --method")
    parser.add_argument("--method", default="")
    parser.add_argument("--question", default="")
    options = parser.parse_args(arguments)
    if options.questions < 1 or bool(options.tree) != bool(options.method):
        parser.error("--questions must be above zero, and --tree and --method go together")
    if options.tree and not options.tree.is_dir():
        parser.error(f"{options.tree} is not a folder")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.tree:
            return _chain(options.tree, folder, options.method, options.question)
        _generated(folder, options.seed, options.questions)
        for tree in inputs.shared_trees(folder / "shared"):
            if "lang3" in tree.name:
                return _chain(tree, folder, *CASE)
    return 0


def _generated(folder: Path, seed: int, count: int) -> None:
    tree = inputs.legacy_tree(folder / "tree", seed)
    questions = inputs.legacy_questions(seed, count)
    found = {
        build: measure(Assistant.over(tree, folder / f"{build}.db", build), questions)
        for build in ("incident", "fixed")
    }
    _say(f"generated tree, seed {seed}, {count} chains; tokens of {NAME}\n")
    _say("| | incident | fixed |\n|---|---|---|")
    for row, value in found["incident"].items():
        _say(f"| {row} | {_number(row, value)} | {_number(row, found['fixed'][row])} |")


def _number(row: str, value: float) -> str:
    if "window" in row:
        return f"{100 * value:.1f} %"
    return f"{value:,.0f}"


def _chain(tree: Path, folder: Path, method: str, question: str) -> int:
    start = time.process_time()
    store = Store(folder / "chain.db", create=True)
    done = update(store, tree)
    took = time.process_time() - start
    graph = Graph(store)
    try:
        pasted = incident.build_context(graph, method, question, BUDGET)
        fitted = fixed.build_context(graph, method, question, BUDGET)
    except (NotFound, Ambiguous) as error:
        _say(f"compare: {error}")
        return 1
    details = [shown.detail for shown in fitted.methods]
    _say(
        f"\n{tree.name}, {done.files} files, indexed in {took:.2f} CPU s: `{method}`, {question}\n"
    )
    _say("| | incident | fixed |\n|---|---|---|")
    _say(f"| tokens | {pasted.tokens:,} | {fitted.tokens:,} |")
    _say(f"| methods told | {len(pasted.methods)} | {len(fitted.methods)} |")
    for detail in ("full", "summary", "line"):
        pasted_so = len(pasted.methods) if detail == "full" else 0
        _say(f"| of them in detail {detail!r} | {pasted_so} | {details.count(detail)} |")
    return 0


def _say(text: str) -> None:
    print(text)  # noqa: T201

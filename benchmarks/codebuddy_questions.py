"""Questions to the code assistant, with javac's answers: callers, callees, exceptions, writers.

Questions are drawn by seed from what javac knows of a tree, half of each kind in another wording, and
asked on the command line (`ask`). An answer is right where its set of names is javac's: for callers
and callees the edges of `JavacOracle.java`, for exceptions what a method throws or declares, for a
field whoever writes it. Nothing of the gold comes from the graph.

Run: python benchmarks/codebuddy_questions.py [TREE] [--count 100] [--seed 1] [--out FILE]
Without a tree: commons-lang3 in the folder named by MLGATES_DATA. Needs a JDK (17 or later).
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from codebuddy.oracle import Gold, gold_of, java

from reference_systems.codebuddy_graph import inputs

ROOT = Path(__file__).parent.parent
WORDINGS = {
    "callers": ("Who calls {}?", "Which methods call {} in this code base?"),
    "callees": ("What does {} call?", "Which methods are called by {}?"),
    "exceptions": ("Which exceptions does {} throw?", "What can {} throw?"),
    "writers": ("Who writes the field {}?", "Which methods assign {}?"),
}


def answers_of(gold: Gold) -> dict[str, dict[str, list[set[str]]]]:
    """Give the right answers by kind and subject: each name is a set of what it may be called."""
    found: dict[str, dict[str, list[set[str]]]] = {kind: {} for kind in WORDINGS}
    for (caller, declared), (names, _, _) in gold.calls.items():
        found["callees"].setdefault(caller, []).append(names)
        if declared in gold.methods:
            found["callers"].setdefault(declared, []).append({caller})
    for method, exception in {*gold.thrown, *gold.declared}:
        found["exceptions"].setdefault(method, []).append({exception})
    for method, field in gold.writes:
        found["writers"].setdefault(field, []).append({method})
    return found


def right(names: list[str], wanted: list[set[str]]) -> bool:
    """Tell whether each name is wanted and each wanted one is named."""
    allowed = set().union(*wanted)
    return set(names) <= allowed and all(one & set(names) for one in wanted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tree", nargs="?", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a generated tree, 20 questions")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    program = java()
    if program is None:
        parser.error("no JDK of release 17 or later is on the path")
    with tempfile.TemporaryDirectory() as folder:
        tree = options.tree
        if tree is None and not options.quick:
            tree = next((t for t in inputs.shared_trees(Path(folder)) if "lang3" in t.name), None)
        tree = tree or inputs.legacy_tree(Path(folder, "made"), options.seed)
        ask(tree.resolve(), Path(folder, "index.db"), program, options)


def ask(tree: Path, db: Path, program: str, options: argparse.Namespace) -> None:
    """Ask, compare and print."""
    rng = random.Random(f"questions:{options.seed}")
    answers = answers_of(gold_of(tree, program))
    count = 20 if options.quick else options.count
    drawn = []
    for number in range(count):
        kind = list(WORDINGS)[number % len(WORDINGS)]
        subject = rng.choice(sorted(answers[kind]))
        wording = WORDINGS[kind][number // len(WORDINGS) % 2]
        drawn.append((kind, subject, wording.format(subject)))
    words = [sys.executable, "-m", "reference_systems.codebuddy_graph"]
    subprocess.run(
        [*words, "index", str(tree), "--to", str(db)], check=True, cwd=ROOT, capture_output=True
    )
    lines = "".join(
        json.dumps({"id": n, "question": q}) + "\n" for n, (_, _, q) in enumerate(drawn)
    )
    done = subprocess.run(
        [*words, "ask", str(db)], input=lines, check=True, cwd=ROOT, capture_output=True, text=True
    )
    score = {kind: [0, 0] for kind in WORDINGS}
    wrong = []
    for (kind, subject, question), line in zip(drawn, done.stdout.splitlines(), strict=True):
        given = json.loads(line)
        good = right(given.get("names", []), answers[kind][subject])
        score[kind][0] += good
        score[kind][1] += 1
        if not good:
            wrong.append(
                {
                    "question": question,
                    "given": given,
                    "wanted": sorted(map(sorted, answers[kind][subject])),
                }
            )
    print(f"{tree.name}, seed {options.seed}\n\n| | right | of |\n|---|---|---|")
    for kind, (good, total) in score.items():
        print(f"| {kind} | {good} | {total} |")
    print(f"| all | {sum(g for g, _ in score.values())} | {count} |")
    for one in wrong[:5]:
        print(f"<!-- {json.dumps(one)[:400]} -->")
    if options.out:
        options.out.write_text(
            json.dumps({"score": score, "wrong": wrong}, indent=2) + "\n", "utf-8"
        )


if __name__ == "__main__":
    main()

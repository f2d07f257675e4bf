"""javac as the judge of a call graph: what it resolves, and how much of it a graph has.

`JavacOracle.java` prints javac's own view of a tree; `compare` holds the lines of
``python -m reference_systems.codebuddy_graph edges`` against it. Nothing here reads the graph by
other means than those lines, and nothing of the graph goes into the gold.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Gold", "Score", "compare", "gold_of", "java"]

PROGRAM = Path(__file__).parent / "JavacOracle.java"


@dataclass
class Gold:
    """What javac says about a tree."""

    #: (caller, declared target) -> the names that the target may have, its kind, in a lambda
    calls: dict[tuple[str, str], tuple[set[str], str, bool]] = field(default_factory=dict)
    lines: set[tuple[str, str, int]] = field(default_factory=set)
    writes: set[tuple[str, str]] = field(default_factory=set)
    thrown: set[tuple[str, str]] = field(default_factory=set)
    declared: set[tuple[str, str]] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)


@dataclass
class Score:
    """How a graph compares with the gold."""

    edges: int
    right: int
    gold: int
    found: int
    kinds: dict[str, tuple[int, int]]
    lines: tuple[int, int]
    wrong: list[tuple[str, str]]
    missed: list[tuple[str, str]]

    @property
    def precision(self) -> float:
        """Share of the edges that javac has too."""
        return self.right / self.edges if self.edges else 0.0

    @property
    def recall(self) -> float:
        """Share of javac's edges that were found."""
        return self.found / self.gold if self.gold else 0.0


def java(least: int = 17) -> str | None:
    """Give a ``java`` that can run the oracle; None where there is none that is new enough."""
    program = shutil.which("java")
    if program is None:
        return None
    # a JRE has no compiler
    says = subprocess.run(
        [program, "--list-modules"], capture_output=True, text=True, check=False
    ).stdout
    release = next((w for w in says.split() if w.startswith("jdk.compiler@")), "jdk.compiler@0")
    return program if int(release.partition("@")[2].split(".")[0]) >= least else None


def gold_of(tree: Path, program: str = "java", options: Iterable[str] = ()) -> Gold:
    """Ask javac about a tree."""
    done = subprocess.run(
        [program, "-Dfile.encoding=UTF-8", str(PROGRAM), str(tree), *options],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the oracle failed on {tree}: {done.stderr.decode()[-500:]}")
    gold = Gold()
    for line in done.stdout.decode().splitlines():
        what, *cells = line.split("\t")
        if what == "call":
            caller, declared, receiver, file, number, kind, folded = cells
            names = gold.calls.setdefault((caller, declared), ({declared}, kind, folded == "1"))[0]
            names.add(receiver)
            gold.lines.add((caller, file, int(number)))
        elif what == "write":
            gold.writes.add((cells[0], cells[1]))
        elif what == "throw":
            gold.thrown.add((cells[0], cells[1]))
        elif what == "declares":
            gold.declared.add((cells[0], cells[1]))
        elif what == "method":
            gold.methods.add(cells[0])
    return gold


def compare(edges: Iterable[dict], gold: Gold) -> Score:
    """Compare the lines of ``edges`` with the gold; overrides are listed apart and left out."""
    rows = [edge for edge in edges if edge["kind"] != "override"]
    ours = {(edge["caller"], edge["callee"]) for edge in rows}
    allowed = {(c, name) for (c, _), (names, _, _) in gold.calls.items() for name in names}
    kinds: dict[str, tuple[int, int]] = {}
    missed = []
    for (caller, declared), (names, kind, folded) in gold.calls.items():
        hit = any((caller, name) in ours for name in names)
        if not hit:
            missed.append((caller, declared))
        for key in (kind, *(["lambda"] if folded else [])):
            found, total = kinds.get(key, (0, 0))
            kinds[key] = (found + hit, total + 1)
    places = [(edge["caller"], edge["file"], edge["line"]) for edge in rows]
    return Score(
        edges=len(ours),
        right=len(ours & allowed),
        gold=len(gold.calls),
        found=len(gold.calls) - len(missed),
        kinds=kinds,
        lines=(sum(place in gold.lines for place in places), len(places)),
        wrong=sorted(ours - allowed),
        missed=missed,
    )

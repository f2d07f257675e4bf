"""What the tests of the code assistant share: an index of a few files, and the oracle."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from reference_systems.codebuddy_graph.graph import Graph
from reference_systems.codebuddy_graph.indexer import Done, update
from reference_systems.codebuddy_graph.store import Store

ROOT = Path(__file__).parents[3]
TREES = Path(__file__).parents[1] / "codebuddy_trees"


def oracle() -> ModuleType:
    """The oracle of ``benchmarks/``, which is no package of its own."""
    name = "codebuddy_oracle"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks/codebuddy/oracle.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


class Tree:
    """A tree of Java files with its index."""

    def __init__(self, folder: Path, **files: str) -> None:
        self.folder = folder / "tree"
        self.folder.mkdir(exist_ok=True)
        self.store = Store(folder / "index.db", create=True)
        self.done: Done
        if files:
            self.write(**files)

    def write(self, **files: str | bytes) -> Done:
        """Write ``Name="source"`` as Name.java (``__`` is a folder) and index what changed."""
        for name, text in files.items():
            path = self.folder / (name.replace("__", "/") + ".java")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.index()

    def index(self) -> Done:
        self.done = update(self.store, self.folder)
        return self.done

    @property
    def graph(self) -> Graph:
        return Graph(self.store)

    def edges(self, *kinds: str) -> set[tuple[str, str]]:
        """Who calls whom, overrides apart."""
        return {
            (e.caller, e.callee)
            for e in self.graph.edges()
            if (e.kind in kinds if kinds else e.kind != "override")
        }

    def callees(self, caller: str) -> set[str]:
        return {callee for who, callee in self.edges() if who == caller}

"""A tree of Java files: which there are, and the skeletons of those that are indexed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference_systems.codebuddy_graph.store import Store

__all__ = ["Tree", "java_files"]


class Tree:
    """The skeletons of a tree: those just read, and those that the index keeps."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fresh: dict[int, dict | None] = {}
        self._paths = {row.id: row.path for row in store.files()}
        self._top: dict[str, list[int]] = {}
        for name, file in store.tops():
            self._top.setdefault(name, []).append(file)
        self.first: int | None = None

    def put(self, file: int, skeleton: dict | None) -> None:
        """Keep a skeleton that was just read."""
        self._fresh[file] = skeleton

    def skeleton(self, file: int) -> dict | None:
        """Give what a file declares."""
        if file not in self._fresh:
            self._fresh[file] = self._store.skeleton(file)
        return self._fresh[file]

    def path(self, file: int) -> str:
        """Give the path of a file."""
        return self._paths[file]

    def file_of(self, top: str) -> tuple[str, dict] | None:
        """Give path and skeleton of the file that declares a class; of several, the first."""
        files = self._top.get(top)
        if not files:
            return None
        file = self.first if self.first in files else files[0]
        skeleton = self.skeleton(file)
        return None if skeleton is None else (self._paths[file], skeleton)

    def packages(self) -> set[str]:
        """Give the packages of the tree."""
        return {name.rpartition(".")[0] for name in self._top}

    def twice(self, file: int) -> bool:
        """Tell whether a class of a file is declared in another file first."""
        skeleton = self.skeleton(file)
        head = skeleton["p"] + "." if skeleton and skeleton["p"] else ""
        tops = skeleton["t"] if skeleton else ()
        return any(self._top[head + t["n"]][0] != file for t in tops)


def java_files(root: Path) -> list[Path]:
    """Give all Java files under a folder, however deep; links are not followed."""
    found = []
    for folder, folders, names in os.walk(root):
        folders.sort()
        found += [Path(folder, name) for name in sorted(names) if name.endswith(".java")]
    return found

"""The text of a method: whole, without its comments, or its head alone.

What a comment says is for people. It may also speak to a model ("ignore what you were told"), so
that nothing of it goes into a text that a model reads.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference_systems.codebuddy_graph.graph import Place
    from reference_systems.codebuddy_graph.store import Store

__all__ = ["Excerpts", "without_comments"]

PIECE = re.compile(
    r'"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/',
    re.DOTALL,
)
ANNOTATION = re.compile(r"@(?!interface\b)[\w.]+\s*(\((?:[^()]|\([^()]*\))*\))?")
SPACE = re.compile(r"\s+")


def without_comments(code: str) -> str:
    r"""Take the comments out of Java, and the lines that held nothing else.

    >>> without_comments('int a; // "x"\n/* b */\nString s = "// c";')
    'int a;\nString s = "// c";'
    """
    bare = PIECE.sub(lambda m: " " if m[0].startswith("/") else m[0], code)
    return "\n".join(line.rstrip() for line in bare.splitlines() if line.strip())


class Excerpts:
    """Reads methods out of the sources that an index keeps."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sources: dict[int, bytes] = {}

    def _source(self, file: int) -> bytes:
        if file not in self._sources:
            self._sources[file] = self._store.source(file)
        return self._sources[file]

    def whole(self, place: Place) -> str:
        """Give a method as it stands, with the comment above it."""
        source = self._source(place.file)
        start = place.start
        before = source[:start].rstrip()
        if place.stop > start and before.endswith(b"*/"):
            start = max(before.rfind(b"/*"), 0)
        return self._dedented(source, start, place.stop)

    def code(self, place: Place) -> str:
        """Give a method without its comments."""
        return without_comments(self._dedented(self._source(place.file), place.start, place.stop))

    def last_line(self, place: Place) -> int:
        """Give the line that a method ends on."""
        return self._source(place.file).count(b"\n", 0, place.stop) + 1

    def head(self, place: Place) -> str:
        """Give what a method takes and gives, in one line."""
        text = ANNOTATION.sub(" ", self.code(place))
        head = SPACE.sub(" ", re.split(r"[{;]", text, maxsplit=1)[0]).strip()
        for word in ("public ", "protected ", "private ", "final ", "synchronized "):
            head = head.replace(word, "")
        return head

    @staticmethod
    def _dedented(source: bytes, start: int, stop: int) -> str:
        line = source.rfind(b"\n", 0, start) + 1
        pad = source[line:start] if not source[line:start].strip() else b""
        return textwrap.dedent((pad + source[start:stop]).decode("utf-8", "replace"))

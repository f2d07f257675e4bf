"""YAML with the 1.2 core schema, where every value knows its line.

In YAML 1.1, PyYAML's own, ``1e-5`` is a string, ``1:30`` is 90 and ``on`` is true. Duplicate
keys, tags, merge keys, and files made to exhaust memory are refused.
"""

from __future__ import annotations

import hashlib
import math
import re
from pathlib import Path
from typing import Any

import yaml

from pytest_mlgates.core.errors import UsageError

__all__ = ["Doc", "YamlError", "read_yaml", "scalar"]

MAX_BYTES = 1 << 20
MAX_NODES = 20_000
MAX_DEPTH = 32

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

#: the path of a value inside a document: keys and indices
Path_ = tuple[str | int, ...]


class YamlError(UsageError):
    """A file that can't be read: ``message``, and the line and column (from 1) or 0, 0."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


class Doc:
    """The plain value of a document, and where each of its parts stands."""

    def __init__(self) -> None:
        self.value: Any = None
        self.sha256 = ""
        self.keys: dict[Path_, tuple[int, int]] = {}
        self.values: dict[Path_, tuple[int, int]] = {}

    def at(self, path: Path_, *, key: bool = False) -> tuple[int, int]:
        """Return line and column of a value (or of its key); of the nearest parent if unknown."""
        table = self.keys if key else self.values
        while path and path not in table:
            path, table = path[:-1], self.values
        return table.get(path, (1, 1))


def read_yaml(file: Path) -> Doc:
    """Read one YAML document, or raise :class:`YamlError`."""
    try:
        if not file.is_file():  # a pipe would never end
            raise YamlError("is no file")
        if file.stat().st_size > MAX_BYTES:
            raise YamlError(f"has {file.stat().st_size:,} bytes, more than 1 MiB", 1, 1)
        data = file.read_bytes()
    except OSError as error:
        raise YamlError(f"can't be read: {error.strerror}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise YamlError("is not UTF-8: save it as UTF-8", line, 1) from None
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise YamlError(f"holds the character U+{error.character:04X}", line, column) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or "is not YAML"
        if mark is None:
            raise YamlError(f"is not YAML: {problem}") from None
        raise YamlError(f"is not YAML: {problem}", mark.line + 1, mark.column + 1) from None
    except yaml.YAMLError as error:
        raise YamlError(f"is not YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise YamlError(f"is nested deeper than {MAX_DEPTH} levels", 1, 1) from None
    finally:
        if loader is not None:
            loader.dispose()
    doc = Doc()
    doc.sha256 = hashlib.sha256(data).hexdigest()
    if node is None:
        raise YamlError("is empty", 1, 1)
    doc.value = _Reader(doc).read(node, ())
    return doc


def _place(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


class _Loader(yaml.SafeLoader):
    """Composes nodes; types are resolved by :class:`_Reader`."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (PyYAML's own declaration)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        if tag := getattr(event, "tag", None):
            line, column = _place(event.start_mark)
            raise YamlError(f"tags such as {tag!r} are refused", line, column)
        return super().compose_node(parent, index)


class _Reader:
    def __init__(self, doc: Doc) -> None:
        self.doc = doc
        self.nodes = 0

    def read(self, node: yaml.Node, path: Path_) -> Any:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self.doc.values[path] = (line, column)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise YamlError(f"holds more than {MAX_NODES:,} values (aliases count)", line, column)
        if len(path) > MAX_DEPTH:
            raise YamlError(f"is nested deeper than {MAX_DEPTH} levels", line, column)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, i)) for i, item in enumerate(node.value)]
        if getattr(node, "style", None) is not None:  # quoted or a block
            return node.value
        return scalar(node.value, line, column)

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlError("a key must be a plain word", line, column)
            key = key_node.value
            if key == "<<" and key_node.style is None:
                raise YamlError("merge keys (<<) are refused: write the fields out", line, column)
            if key in found:
                first = self.doc.keys[(*path, key)][0]
                raise YamlError(
                    f"the key {key!r} is there twice (first on line {first})", line, column
                )
            self.doc.keys[(*path, key)] = (line, column)
            found[key] = self.read(value_node, (*path, key))
        return found


def scalar(text: str, line: int, column: int) -> Any:
    """Return what a plain scalar means by the core schema, or raise :class:`YamlError`.

    >>> scalar("3600", 1, 1), scalar("on", 1, 1), scalar("~", 1, 1)
    (3600, 'on', None)
    """
    if text in _WORDS:
        return _WORDS[text]
    try:
        if _INT.fullmatch(text):
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if math.isfinite(number):
                return number
    except ValueError:
        raise YamlError("a whole number of that length is refused", line, column) from None
    if _SPECIAL.fullmatch(text) or _FLOAT.fullmatch(text):
        raise YamlError(f"{text} is no finite number", line, column)
    return text

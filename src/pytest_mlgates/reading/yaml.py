"""The one reader of YAML: every value with its line and column, by the 1.2 core schema.

In YAML 1.1, PyYAML's own, ``1e-5`` is a string, ``1:30`` is 90 and ``on`` is true. Files are read
event by event without recursion, so that neither depth nor aliases can exhaust anything: an alias
is the same node again, not a copy.

Configs are read strictly (:func:`read_yaml`): one document without tags and merge keys, within
narrow limits. Manifests are read as they come (:func:`read_documents`): several documents, merge
keys; what a tag or a template stands for is :class:`Unknown`.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.words import shorten
from pytest_mlgates.reading.node import MAX_DEPTH, MAX_NODES, Node, Unknown, Unreadable, resolved

__all__ = ["Doc", "KeyPath", "YamlError", "read_documents", "read_yaml", "scalar"]

#: of a config; those of a manifest are in ``reading.node``
MAX_CONFIG_BYTES = 1 << 20
MAX_CONFIG_NODES = 20_000
MAX_CONFIG_DEPTH = 32

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
#: what YAML 1.2 calls not printable, and half a surrogate pair
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_OF_NODES: Any = (yaml.NodeEvent, yaml.CollectionEndEvent)
_TEXT_TAGS = {None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:int"}
_STANDARD_TAGS = "tag:yaml.org,2002:"
_MERGE = Node("<<")

#: the path of a value inside a document: keys and indices
KeyPath = tuple[str | int, ...]


class YamlError(UsageError):
    """A file that can't be read: ``message``, and the line and column (from 1) or 0, 0."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


class Doc:
    """The plain value of a config, and where each of its parts stands."""

    def __init__(self, sha256: str) -> None:
        self.value: object = None
        self.sha256 = sha256
        self.keys: dict[KeyPath, tuple[int, int]] = {}
        self.values: dict[KeyPath, tuple[int, int]] = {}

    def at(self, path: KeyPath, *, key: bool = False) -> tuple[int, int]:
        """Return line and column of a value (or of its key); of the nearest parent if unknown."""
        table = self.keys if key else self.values
        while path and path not in table:
            path, table = path[:-1], self.values
        return table.get(path, (1, 1))

    def read(self, node: Node, path: KeyPath = ()) -> object:
        """Return a node as a plain value and note where it stands; an alias counts each time."""
        line, column = self.values[path] = node.start
        if len(self.values) > MAX_CONFIG_NODES:
            message = f"holds more than {MAX_CONFIG_NODES:,} values (aliases count)"
            raise YamlError(message, line, column)
        if len(path) > MAX_CONFIG_DEPTH:
            raise YamlError(_too_deep(MAX_CONFIG_DEPTH), line, column)
        if isinstance(node.value, list):
            return [self.read(item, (*path, at)) for at, item in enumerate(node.value)]
        if not isinstance(node.value, dict):
            return node.value
        for key, item in node.value.items():
            self.keys[(*path, key)] = (item.line, item.column)
        return {key: self.read(item, (*path, key)) for key, item in node.value.items()}


def read_yaml(file: Path) -> Doc:
    """Read a config: one YAML document, or raise :class:`YamlError`."""
    try:
        if not file.is_file():  # a pipe would never end
            raise YamlError("is not a file")
        if file.stat().st_size > MAX_CONFIG_BYTES:
            raise YamlError(f"has {file.stat().st_size:,} bytes, more than 1 MiB", 1, 1)
        data = file.read_bytes()
    except OSError as error:
        raise YamlError(f"can't be read: {error.strerror}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise YamlError("is not UTF-8: save it as UTF-8", line, 1) from None
    documents = _parsed(text, _Builder("", 1, _CONFIG), yaml.SafeLoader)
    if not documents:
        raise YamlError("is empty", 1, 1)
    doc = Doc(hashlib.sha256(data).hexdigest())
    doc.value = doc.read(documents[0])
    return doc


def read_documents(text: str, file: str, first_line: int = 1) -> list[Node]:
    r"""Return the documents of a manifest; raises :class:`Unreadable` naming file and line.

    >>> [d.get("kind").place for d in read_documents("kind: Job\n---\nkind: Pod\n", "a.yaml")]
    ['a.yaml:1', 'a.yaml:3']
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _parsed(text, _Builder(file, first_line, _MANIFEST), loader)
    except YamlError as error:
        place = f"{file}:{error.line}" if error.line else file
        raise Unreadable(f"{place}: {error.message}") from None


def scalar(text: str, line: int, column: int) -> object:
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
        raise YamlError(f"{text} is not a finite number", line, column)
    return text


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a document may hold."""

    strict: bool
    max_nodes: int
    max_depth: int


_CONFIG = _Rules(True, MAX_CONFIG_NODES, MAX_CONFIG_DEPTH)
_MANIFEST = _Rules(False, MAX_NODES, MAX_DEPTH)


def _too_deep(levels: int) -> str:
    return f"is nested deeper than {levels} levels"


def _parsed(text: str, builder: _Builder, loader: Any) -> list[Node]:
    if bad := _CONTROL.search(text):
        before = text[: bad.start()]
        line, column = before.count("\n"), len(before) - before.rfind("\n")
        message = f"holds the character U+{ord(bad.group()):04X}"
        raise YamlError(message, line + builder.first_line, column)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"is not YAML: {error.problem or 'a mark is missing'}"
        if mark is None:
            raise YamlError(message) from None
        raise YamlError(message, mark.line + builder.first_line, mark.column + 1) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise YamlError(f"is not YAML ({type(error).__name__})") from None
    return builder.documents


class _Open:
    """A collection that is being read; a key waits for its value."""

    def __init__(self, event: Any, place: tuple[int, int]) -> None:
        self.mapping = isinstance(event, yaml.MappingStartEvent)
        self.value: Any = {} if self.mapping else []
        self.place, self.anchor, self.tag = place, event.anchor, event.tag
        self.key: Node | None = None
        self.merged: list[Node] = []

    @property
    def wants_key(self) -> bool:
        return self.mapping and self.key is None


class _Builder:
    def __init__(self, file: str, first_line: int, rules: _Rules) -> None:
        self.file, self.first_line, self.rules = file, first_line, rules
        self.documents: list[Node] = []
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node | None] = {}
        self.count = 0

    def take(self, event: Any) -> None:
        """Build on one event."""
        line, column = event.start_mark.line + self.first_line, event.start_mark.column + 1
        if isinstance(event, yaml.DocumentStartEvent):
            self.anchors = {}
            if self.rules.strict and self.documents:
                raise YamlError("holds more than one document", line, column)
        if not isinstance(event, _OF_NODES):
            return
        if isinstance(event, yaml.CollectionEndEvent):
            self._put(self._closed(self.stack.pop()))
            return
        self._check(event, line, column)
        if isinstance(event, yaml.CollectionStartEvent):
            self.stack.append(_Open(event, (line, column)))
            if event.anchor:
                self.anchors[event.anchor] = None  # not to be used before it is closed
        elif isinstance(event, yaml.AliasEvent):
            node = self.anchors.get(str(event.anchor))
            if node is None:
                word = "holds itself" if event.anchor in self.anchors else "is not defined"
                raise YamlError(f"the alias *{event.anchor} {word}", line, column)
            self._put(self._node(node.value, line, column))
        elif self.stack and self.stack[-1].wants_key:
            self._key(event, line, column)
        else:
            node = self._node(self._scalar(event, line, column), line, column)
            if event.anchor:
                self.anchors[event.anchor] = node
            self._put(node)

    def _check(self, event: object, line: int, column: int) -> None:
        self.count += 1
        if self.count > self.rules.max_nodes:
            raise YamlError(f"holds more than {self.rules.max_nodes:,} values", line, column)
        if len(self.stack) > self.rules.max_depth:
            raise YamlError(_too_deep(self.rules.max_depth), line, column)
        if self.rules.strict and (tag := getattr(event, "tag", None)):
            raise YamlError(f"tags such as {tag!r} are refused", line, column)
        if self.stack and self.stack[-1].wants_key and not isinstance(event, yaml.ScalarEvent):
            raise YamlError("a key must be a plain word", line, column)

    def _node(self, value: object, line: int, column: int) -> Node:
        return Node(value, self.file, line, column, (line, column))

    def _closed(self, done: _Open) -> Node:
        for base in done.merged:
            for key, node in base.fields.items():
                done.value.setdefault(key, node)
        known = not done.tag or done.tag.startswith(_STANDARD_TAGS)
        node = self._node(done.value if known else Unknown(done.tag), *done.place)
        if done.anchor:
            self.anchors[done.anchor] = node
        return node

    def _scalar(self, event: Any, line: int, column: int) -> Any:
        plain = not event.style and event.tag is None
        if self.rules.strict:
            return scalar(event.value, line, column) if plain else event.value
        if event.tag not in _TEXT_TAGS:
            return Unknown(event.tag)
        if not plain:
            return resolved(event.value)
        try:
            value = scalar(event.value, line, column)
            return resolved(value) if isinstance(value, str) else value
        except YamlError:
            return event.value  # .inf and numbers too long: texts to every rule

    def _key(self, event: Any, line: int, column: int) -> None:
        top, word = self.stack[-1], event.value
        merge = word == "<<" and not event.style and event.tag is None
        if merge and self.rules.strict:
            raise YamlError("merge keys (<<) are refused: write the fields out", line, column)
        if not merge and word in top.value:
            first = top.value[word].line
            text = f"the key {shorten(word, 70)!r} appears twice (first on line {first})"
            raise YamlError(text, line, column)
        top.key = _MERGE if merge else self._node(word, line, column)

    def _put(self, node: Node) -> None:
        if not self.stack:
            self.documents.append(node)
            return
        top = self.stack[-1]
        if top.key is None:
            top.value.append(node)
        elif top.key is _MERGE:
            top.merged.extend(node.items or [node])
        else:
            # what a person looks for is the line of the key
            key = top.key
            top.value[key.value] = Node(node.value, self.file, key.line, key.column, node.start)
        top.key = None

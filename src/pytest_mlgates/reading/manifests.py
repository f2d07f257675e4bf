"""Kubernetes YAML as nodes: several documents a file, aliases and merge keys allowed.

Read event by event without recursion, so that neither depth nor aliases can exhaust anything: an
alias is the same node again, not a copy.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from pytest_mlgates.reading.node import (
    MAX_DEPTH,
    MAX_NODES,
    Node,
    Unknown,
    Unreadable,
    resolved,
    short,
)
from pytest_mlgates.reading.yaml import YamlError, scalar

__all__ = ["read_yaml"]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_OF_NODES: Any = (yaml.NodeEvent, yaml.CollectionEndEvent)
_MERGE = Node("<<")
_PLAIN_TAGS = {None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:int"}


def read_yaml(text: str, file: str, first_line: int = 1) -> list[Node]:
    r"""Return the documents of a file; raises :class:`Unreadable` naming file and line.

    >>> [doc.get("kind").place for doc in read_yaml("kind: Job\n---\nkind: Pod\n", "a.yaml")]
    ['a.yaml:1', 'a.yaml:3']
    """
    bad = _CONTROL.search(text)
    if bad:
        line = text.count("\n", 0, bad.start()) + first_line
        raise Unreadable(f"{file}:{line}: holds the character U+{ord(bad.group()):04X}: no text")
    builder = _Builder(file, first_line)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + first_line if mark else first_line
        problem = error.problem or "a mark is missing"
        raise Unreadable(f"{file}:{line}: is not YAML: {problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise Unreadable(f"{file}: is not YAML ({type(error).__name__})") from None
    return builder.documents


class _Open:
    """A collection that is being read; a key waits for its value."""

    def __init__(self, event: Any, line: int) -> None:
        self.mapping = isinstance(event, yaml.MappingStartEvent)
        self.value: Any = {} if self.mapping else []
        self.line, self.anchor, self.tag = line, event.anchor, event.tag
        self.key: Node | None = None
        self.merged: list[Node] = []


class _Builder:
    def __init__(self, file: str, first_line: int) -> None:
        self.file, self.first_line = file, first_line
        self.documents: list[Node] = []
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node | None] = {}
        self.count = 0

    def take(self, event: Any) -> None:
        """Build on one event."""
        if isinstance(event, yaml.DocumentStartEvent):
            self.anchors = {}
        if not isinstance(event, _OF_NODES):
            return
        self.count += 1
        line = event.start_mark.line + self.first_line
        if self.count > MAX_NODES:
            raise Unreadable(f"{self.file}:{line}: holds more than {MAX_NODES:,} values")
        if isinstance(event, yaml.CollectionStartEvent):
            if len(self.stack) >= MAX_DEPTH:
                raise Unreadable(f"{self.file}:{line}: is nested deeper than {MAX_DEPTH} levels")
            self.stack.append(_Open(event, line))
            if event.anchor:
                self.anchors[event.anchor] = None  # not to be used before it is closed
        elif isinstance(event, yaml.CollectionEndEvent):
            self._put(self._closed(self.stack.pop()))
        elif isinstance(event, yaml.AliasEvent):
            node = self.anchors.get(str(event.anchor))
            if node is None:
                word = "holds itself" if event.anchor in self.anchors else "is not defined"
                raise Unreadable(f"{self.file}:{line}: the alias *{event.anchor} {word}")
            self._put(Node(node.value, self.file, line))
        else:
            plain = not event.style and event.tag is None
            if self.stack and self.stack[-1].mapping and self.stack[-1].key is None:
                self._key(event.value, plain, line)
                return
            node = Node(self._scalar(event, plain, line), self.file, line)
            if event.anchor:
                self.anchors[event.anchor] = node
            self._put(node)

    def _closed(self, done: _Open) -> Node:
        for base in done.merged:
            for key, node in base.fields.items():
                done.value.setdefault(key, node)
        node = Node(done.value, self.file, done.line)
        if done.tag and not done.tag.startswith("tag:yaml.org,2002:"):
            node = Node(Unknown(done.tag), self.file, done.line)
        if done.anchor:
            self.anchors[done.anchor] = node
        return node

    def _scalar(self, event: Any, plain: bool, line: int) -> Any:
        if event.tag not in _PLAIN_TAGS:
            return Unknown(event.tag)
        if not plain:
            return resolved(event.value)
        try:
            value = scalar(event.value, line, 1)
            return resolved(value) if isinstance(value, str) else value
        except YamlError:
            return event.value  # .inf and numbers too long: texts to every rule

    def _key(self, word: str, plain: bool, line: int) -> None:
        top = self.stack[-1]
        merge = plain and word == "<<"
        if not merge and word in top.value:
            first = top.value[word].line
            raise Unreadable(
                f"{self.file}:{line}: the key {short(word)!r} is there twice (first on line {first})"
            )
        top.key = _MERGE if merge else Node(word, self.file, line)

    def _put(self, node: Node) -> None:
        if not self.stack:
            self.documents.append(node)
            return
        top = self.stack[-1]
        if not top.mapping:
            top.value.append(node)
        elif top.key is None:
            node.refuse("a key must be a plain word")
        else:
            key, top.key = top.key, None
            if key is _MERGE:
                top.merged.extend(node.items or [node])
            else:
                # what a person looks for is the line of the key
                top.value[key.value] = Node(node.value, self.file, key.line)

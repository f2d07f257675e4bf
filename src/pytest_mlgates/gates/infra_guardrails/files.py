"""From what a user passes to a :class:`World`: a path, a folder, several, or parsed mappings."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.core.words import a
from pytest_mlgates.gates.infra_guardrails.modules import NOT_SEEN, Modules
from pytest_mlgates.gates.infra_guardrails.resources import Open, World, of_document, of_terraform
from pytest_mlgates.gates.infra_guardrails.terraform.evaluate import Scope, evaluate
from pytest_mlgates.gates.infra_guardrails.terraform.module import Module
from pytest_mlgates.gates.infra_guardrails.terraform.plan import is_plan, planned
from pytest_mlgates.gates.infra_guardrails.terraform.syntax import parse_expression
from pytest_mlgates.reading.frames import is_table
from pytest_mlgates.reading.node import Node, Unreadable, from_plain, short
from pytest_mlgates.reading.records import records
from pytest_mlgates.reading.yaml import read_documents

__all__ = ["read_world"]

_MAX_JSON = 64 << 20
_MAX_YAML = 8 << 20
_KINDS = (".yaml", ".yml", ".json", ".tf")
_SKIPPED = {".git", ".terraform", "node_modules", ".venv", "__pycache__"}
#: what stands alone on a line in a template of Terraform, or anywhere in one of Helm
_TEMPLATE_LINE = re.compile(r"\{\{[^\n]*?\}\}|^[ \t]*[$%]\{.*\}[ \t]*$", re.MULTILINE)
_WANTED = (
    "the path of a .yaml, .json or .tf file or of a folder, or a list of such paths or of parsed"
    " mappings"
)
_HOW = f"manifests must be {_WANTED}"


def read_world(manifests: object, trusted: tuple[str, ...] = ()) -> tuple[World, str]:
    """Read everything; return it with a digest of the files.

    ``trusted`` are sources of modules that hold nothing a rule is about. Raises
    :class:`Unmeasurable` on what can't be read, naming file and line.
    """
    reader = _Reader(trusted)
    if isinstance(manifests, (str, os.PathLike, Mapping)):
        manifests = [manifests]
    elif is_table(manifests):
        raise Unmeasurable(f"manifests is {a(type(manifests).__name__)}: {_HOW}")
    for number, item in enumerate(records(manifests, "manifests", _WANTED)):
        if isinstance(item, (str, os.PathLike)):
            reader.path(Path(item))
        elif isinstance(item, Mapping):
            reader.parsed(item, f"manifest {number}")
        elif item is not None:  # an empty document
            raise Unmeasurable(f"manifest {number} is {a(type(item).__name__)}: {_HOW}")
    reader.modules.read()
    return reader.world, reader.sha.hexdigest()


class _Reader:
    def __init__(self, trusted: tuple[str, ...]) -> None:
        self.world = World()
        self.sha = hashlib.sha256()
        self.modules = Modules(self.world, self._text, trusted)

    def path(self, path: Path) -> None:
        """Read a file, or all manifests below a folder."""
        try:
            kind = "folder" if path.is_dir() else "file" if path.is_file() else ""
        except (OSError, ValueError):  # a name too long, or with a null byte
            kind = ""
        if kind == "folder":
            for file in _below(path):
                self._file(file, file.relative_to(path).as_posix(), found=True)
        elif kind == "file":
            self._file(path, path.name, found=False)
        else:
            raise Unmeasurable(f"{_shown(path)} is neither a file nor a folder: {_HOW}")

    def _file(self, file: Path, name: str, *, found: bool) -> None:
        kind = file.suffix.lower()
        if kind == ".tf":
            self.modules.add(file, name)
        elif kind == ".json":
            self._json(file, name, found=found)
        elif kind in (".yaml", ".yml"):
            self._yaml(self._text(file, name, _MAX_YAML), name)
        elif _is_template(file):
            why = "is a template: gate what comes out of it"
            self.world.open.append(Open(name, why))
        elif not found:
            raise Unmeasurable(f"{name}: {_HOW}")

    def _text(self, file: Path, name: str, most: int) -> str:
        try:
            size = file.stat().st_size
            if size > most:
                raise Unreadable(f"{name}: has {size:,} bytes, at most {most:,} are read")
            data = file.read_bytes()
        except OSError as error:
            raise Unreadable(f"{name}: can't be read: {error.strerror}") from None
        self.world.files += 1
        self.sha.update(f"{name}:{len(data)}:".encode("utf-8", "replace") + data)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise Unreadable(f"{name}:{line}: is not UTF-8: save it as UTF-8") from None

    def _yaml(self, text: str, name: str) -> None:
        try:
            documents = read_documents(text, name)
        except Unreadable:
            found = _TEMPLATE_LINE.search(text)
            if found is None:
                raise
            line = text.count("\n", 0, found.start()) + 1
            why = f"{short(found.group())} is a template that is not rendered: gate what comes out of it"
            self.world.open.append(Open(f"{name}:{line}", why))
            return
        for document in documents:
            of_document(document, self.world)

    def _json(self, file: Path, name: str, *, found: bool) -> None:
        text = self._text(file, name, _MAX_JSON)
        marks = ("apiVersion", "planned_values", "root_module", "resource", "module")
        ours = file.name.endswith(".tf.json") or any(f'"{mark}"' in text for mark in marks)
        if found and not ours:
            return  # some other tool's file
        try:
            value = json.loads(text, object_pairs_hook=_Unique(name))
        except json.JSONDecodeError as error:
            raise Unreadable(f"{name}:{error.lineno}: is not JSON: {error.msg}") from None
        except (RecursionError, ValueError) as error:
            raise Unreadable(f"{name}: can't be read as JSON ({type(error).__name__})") from None
        self.parsed(value, name)

    def parsed(self, value: Any, name: str) -> None:
        """Take a mapping: a plan, Terraform in JSON or from python-hcl2, or a Kubernetes manifest."""
        if is_plan(value):
            for kind, address, body in planned(value, name):
                of_terraform(kind, address, body, self.world)
        elif isinstance(value, Mapping) and {"resource", "module"} & set(value):
            self._json_syntax(value, name)
        else:
            of_document(from_plain(value, name), self.world)

    def _json_syntax(self, value: Mapping[str, object], name: str) -> None:
        """Take ``resource.TYPE.NAME`` of a .tf.json file or of ``hcl2.loads``."""
        module = Module([])
        root = from_plain(
            _unquoted(value, 0, name), name, lambda text, at: _resolved(text, at, module)
        )
        for blocks in _each(root.get("resource")):
            for kind, named in blocks.fields.items():
                for label, body in (
                    (n, b) for each in _each(named) for n, b in each.fields.items()
                ):
                    for one in _each(body):
                        of_terraform(kind, label, one, self.world, module)
        for blocks in _each(root.get("module")):
            for label in blocks.fields:
                self.world.open.append(Open(name, f"module {label}: {NOT_SEEN}"))


class _Unique:
    """Refuses an object of JSON that has a key twice."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise Unreadable(f"{self.name}: the key {twice!r} appears twice")
        return found


def _below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in order; a link that leads in a circle is followed once."""
    seen: set[str] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted(files):
            path = Path(root, name)
            known = path.suffix.lower() in _KINDS or _is_template(path)
            if known and path.is_file():
                yield path


def _is_template(file: Path) -> bool:
    """Tell ``job.yaml.tpl`` from ``_helpers.tpl``, which holds no manifest."""
    inner = Path(file.stem).suffix.lower()
    return file.suffix.lower() in (".tpl", ".tftpl", ".j2", ".gotmpl") and inner in _KINDS


def _shown(path: Path) -> str:
    text = str(path)
    return repr(text) if "\n" not in text and len(text) <= 200 else "a text of several lines"


def _each(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return node.items if isinstance(node.value, list) else [node]


def _unquoted(value: object, depth: int, name: str) -> object:
    """Drop the quotes that python-hcl2 keeps around keys and strings, and its marks."""
    if depth > 100:
        raise Unreadable(f"{name}: is nested deeper than 100 levels")
    if isinstance(value, Mapping):
        return {
            _without_mark(key): _unquoted(item, depth + 1, name)
            for key, item in value.items()
            if not (isinstance(key, str) and key.startswith("__") and key.endswith("__"))
        }
    if isinstance(value, list):
        return [_unquoted(item, depth + 1, name) for item in value]
    return _without_mark(value)


def _without_mark(value: Any) -> Any:
    quoted = isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"'
    return value[1:-1] if quoted else value


def _resolved(text: str, name: str, module: Module) -> object:
    """Work out a string that is an expression, ``${60 * 60}``."""
    if not (text.startswith("${") and text.endswith("}")):
        return text
    return evaluate(parse_expression(text[2:-1], name), Scope(module)).value

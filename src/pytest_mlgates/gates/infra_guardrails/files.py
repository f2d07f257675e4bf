"""From what a user passes to a :class:`World`: a path, a folder, several, or parsed mappings."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.core.words import a, first
from pytest_mlgates.gates.infra_guardrails.kubernetes.documents import of_document
from pytest_mlgates.gates.infra_guardrails.kubernetes.folders import Manifests
from pytest_mlgates.gates.infra_guardrails.kubernetes.kustomize import NAMES
from pytest_mlgates.gates.infra_guardrails.strays import HINT, of_other_tool, tool_of
from pytest_mlgates.gates.infra_guardrails.terraform.declared import of_terraform
from pytest_mlgates.gates.infra_guardrails.terraform.json_syntax import read_json, without_quotes
from pytest_mlgates.gates.infra_guardrails.terraform.modules import Modules
from pytest_mlgates.gates.infra_guardrails.terraform.plan import is_plan, planned
from pytest_mlgates.gates.infra_guardrails.world import World
from pytest_mlgates.reading.frames import is_table
from pytest_mlgates.reading.node import Unreadable, from_plain
from pytest_mlgates.reading.records import records

__all__ = ["Sources", "read_world"]

_MAX_JSON = 256 << 20
_MAX_YAML = 64 << 20
_TERRAFORM = (".tf", ".tofu", ".tf.json", ".tofu.json")
_KINDS = (".yaml", ".yml", ".json", ".tf", ".tofu")
_TEMPLATES = (".tpl", ".tftpl", ".j2", ".gotmpl", ".tmpl", ".jinja")
_SKIPPED = {".git", ".terraform", ".terragrunt-cache", "node_modules", ".venv", "__pycache__"}
_WANTED = (
    "the path of a .yaml, .json or .tf file or of a folder, or a list of such paths or of parsed"
    " mappings"
)
_HOW = f"manifests must be {_WANTED}"
_MARKS = ("apiVersion", "planned_values", "root_module", "resource", "module", "lineage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a policy says of kinds, modules and tools."""

    trusted_modules: tuple[str, ...] = ()
    harmless_kinds: tuple[str, ...] = ()
    trusted_kinds: tuple[str, ...] = ()
    rendered_by: tuple[str, ...] = ()


def read_world(manifests: object, sources: Sources) -> tuple[World, str]:
    """Read everything; return it with a digest of the files.

    A file that can't be read is open, and the others are read on; where all are, raises
    :class:`Unmeasurable` naming each file and line.
    """
    reader = _Reader(sources)
    if isinstance(manifests, (str, os.PathLike, Mapping)):
        manifests = [manifests]
    elif is_table(manifests):
        raise Unmeasurable(f"manifests is {a(type(manifests).__name__)}: {_HOW}")
    for number, item in enumerate(records(manifests, "manifests", _WANTED)):
        if isinstance(item, (str, os.PathLike)):
            reader.path(Path(item))
        elif isinstance(item, Mapping):
            reader.tried(reader.parsed, item, f"manifest {number}")
        elif item is not None:  # an empty document
            raise Unmeasurable(f"manifest {number} is {a(type(item).__name__)}: {_HOW}")
    return reader.world_read(), reader.sha.hexdigest()


class _Reader:
    def __init__(self, sources: Sources) -> None:
        self.world = World(harmless=sources.harmless_kinds, trusted=sources.trusted_kinds)
        self.sha = hashlib.sha256()
        self.broken: list[str] = []
        self.modules = Modules(self.world, self._text, sources.trusted_modules, self.unreadable)
        self.manifests = Manifests(self.world, sources.rendered_by, self.unreadable)

    def world_read(self) -> World:
        """Return all that was read, or say that nothing could be."""
        self.manifests.read()
        self.tried(self.modules.read)
        if self.broken and not (self.world.resources or self.world.open):
            raise Unreadable("; ".join(first(self.broken, 10)))
        for line in self.broken:
            place, _, text = line.partition(": ")
            self.world.doubt(place, f"{text} (mend it, or leave it out of what is handed in)")
        return self.world

    def unreadable(self, error: Unreadable) -> None:
        """Note a file that can't be read, and go on."""
        self.broken.append(str(error))

    def tried(self, act: Any, *given: object, **named: object) -> None:
        """Do something for one file; what is wrong with it does not hide the others."""
        try:
            act(*given, **named)
        except Unreadable as error:
            self.unreadable(error)

    def path(self, path: Path) -> None:
        """Read a file, or all manifests below a folder."""
        try:
            kind = "folder" if path.is_dir() else "file" if path.is_file() else ""
        except (OSError, ValueError):  # a name too long, or with a null byte
            kind = ""
        if kind == "folder":
            for file in _below(path):
                self.tried(self._file, file, file.relative_to(path).as_posix(), found=True)
        elif kind == "file":
            self.tried(self._file, path, path.name, found=False)
        else:
            raise Unmeasurable(f"{_shown(path)} is neither a file nor a folder: {_HOW}")

    def _file(self, file: Path, name: str, *, found: bool) -> None:
        kind = file.suffix.lower()
        if file.name.endswith(_TERRAFORM):
            self.modules.add(file, name)
        elif kind == ".json" or (kind == ".tfstate" and not found):
            self._json(file, name, found=found)
        elif kind in (".yaml", ".yml") or file.name in NAMES:
            self.manifests.add(file, name, self._text(file, name, _MAX_YAML), found=found)
        elif _is_template(file):
            self.world.doubt(name, "is a template: gate what comes out of it")
        elif tool_of(name) is not None and found:
            packed = name.endswith(".gz")
            text = "" if packed else self._text(file, name, _MAX_YAML)
            of_other_tool(name, text, self.modules.trusted, self.world)
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
        # PowerShell's > writes UTF-16
        wide = file.suffix.lower() == ".json" and data[:2] in (b"\xff\xfe", b"\xfe\xff")
        try:
            return data.decode("utf-16" if wide else "utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise Unreadable(f"{name}:{line}: is not UTF-8: save it as UTF-8") from None

    def _json(self, file: Path, name: str, *, found: bool) -> None:
        text = self._text(file, name, _MAX_JSON)
        if found and not any(f'"{mark}"' in text for mark in _MARKS) and not HINT.search(text):
            self.world.passed_over += 1  # some other tool's file
            return
        self.parsed(read_json(text, name), name)

    def parsed(self, value: Any, name: str) -> None:
        """Take a mapping: a plan, Terraform in JSON or from python-hcl2, or a Kubernetes manifest."""
        if is_plan(value):
            for kind, address, body in planned(value, name):
                of_terraform(kind, address, body, self.world)
        elif isinstance(value, Mapping) and {"resource", "module"} & set(value):
            self.modules.parsed(without_quotes(value, name), name)
        else:
            of_document(from_plain(value, name), self.world)


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
            known = path.suffix.lower() in _KINDS or name in NAMES or _is_template(path)
            known = known or tool_of(name) is not None
            if known and path.is_file():
                yield path


def _is_template(file: Path) -> bool:
    """Tell ``job.yaml.tpl`` from ``_helpers.tpl``, which holds no manifest."""
    inner = Path(file.stem).suffix.lower()
    return file.suffix.lower() in _TEMPLATES and inner in _KINDS


def _shown(path: Path) -> str:
    text = str(path)
    return repr(text) if "\n" not in text and len(text) <= 200 else "a text of several lines"

"""The YAML files that were met, read together: charts and kustomizations change what others say."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from pytest_mlgates.gates.infra_guardrails.kubernetes.documents import of_document
from pytest_mlgates.gates.infra_guardrails.kubernetes.kustomize import NAMES, Kustomizations
from pytest_mlgates.gates.infra_guardrails.rendering import render
from pytest_mlgates.gates.infra_guardrails.world import World
from pytest_mlgates.reading.node import Node, Unreadable, short
from pytest_mlgates.reading.yaml import read_documents

__all__ = ["Manifests"]

#: what a template of Helm or Terraform has anywhere
_TEMPLATE = re.compile(r"\{\{[^\n]*?\}\}|[$%]\{[^\n]*?\}")
#: a comment that Helm renders: to YAML it is none of its business
_HIDDEN = re.compile(r"^[ \t]*#.*\{\{", re.MULTILINE)
_SAYS_KIND = re.compile(r"\b(kind|apiVersion)\b")


@dataclass(frozen=True, slots=True)
class _Read:
    """A file and its documents."""

    file: Path
    name: str
    documents: list[Node]


class Manifests:
    """Files of YAML; ``unreadable`` takes what is wrong with one, the others are read on."""

    def __init__(
        self, world: World, rendered_by: Collection[str], unreadable: Callable[[Unreadable], None]
    ) -> None:
        self.world, self.rendered_by, self.unreadable = world, rendered_by, unreadable
        self.files: list[_Read] = []
        self.kustomizations = Kustomizations()
        self.charts: dict[Path, str] = {}
        #: what only rendering tells, by the file that it stands in
        self.hidden: list[tuple[Path, str, str]] = []

    def add(self, file: Path, name: str, text: str, *, found: bool) -> None:
        """Take a file; one that is no YAML and names no kind is no manifest."""
        if file.name == "Chart.yaml":
            self.charts[file.parent.resolve()] = name
        if file.parent.name == "templates" and (hidden := _HIDDEN.search(text)):
            self._template(file, name, text, hidden)
            return
        try:
            documents = read_documents(text, name)
        except Unreadable as error:
            template = _TEMPLATE.search(text)
            if found and not _SAYS_KIND.search(text):
                self.world.passed_over += 1
            elif template is not None:
                self._template(file, name, text, template)
            else:
                self.unreadable(error)
            return
        if file.name in NAMES:
            for document in documents:
                if isinstance(document.value, dict):
                    self.kustomizations.add(file, name, document, self.world)
            return
        if file.name in ("Chart.yaml", "requirements.yaml"):
            for document in documents:
                self._dependencies(file, document)
        self.files.append(_Read(file, name, documents))

    def _template(self, file: Path, name: str, text: str, found: re.Match[str]) -> None:
        line = text.count("\n", 0, found.start()) + 1
        said = found.group()
        shown = "{{ in a comment" if said.lstrip().startswith("#") else short(said)  # not its words
        tool = "the output of `helm template`" if "{{" in shown else "what comes out of it"
        why = f"{shown} is a template that is not rendered: gate {tool}"
        self.hidden.append((file.resolve(), f"{name}:{line}", why))

    def _dependencies(self, file: Path, chart: Node) -> None:
        """Leave open the charts that a chart is made of and that do not lie in it."""
        for one in (chart.get("dependencies") or Node([])).items:
            name = one.text("name")
            if not (file.parent / "charts" / name).is_dir():
                way = "run `helm dependency build` and gate the output of `helm template`"
                self.hidden.append(
                    (file.resolve(), one.place, f"the chart {name} is not here: {way}")
                )

    def read(self) -> None:
        """Give all documents to the world, rendered where the policy says so."""
        done = self._rendered_kustomizations() | self._rendered_charts()
        if "kustomize" not in self.rendered_by:
            self.kustomizations.note(self.world)
        changed = self.kustomizations.covered(labels=False)
        labelled = self.kustomizations.covered(labels=True)
        for file, place, why in self.hidden:
            if not _is_below(file, done):
                self.world.doubt(place, why)
        for one in self.files:
            path = one.file.resolve()
            if _is_below(path, done):
                continue
            for document in one.documents:
                if path.parent in self.charts and not document.fields.get("kind"):
                    self.world.passed_over += 1  # values of the chart beside them
                else:
                    self._document(document)
            if path in changed:
                self.world.changed[one.name] = changed[path]
            elif path in labelled:
                self.world.labelled[one.name] = labelled[path]

    def _document(self, document: Node) -> None:
        try:
            of_document(document, self.world)
        except Unreadable as error:
            self.unreadable(error)

    def _rendered_kustomizations(self) -> set[Path]:
        """Render what no other kustomization takes; return the files that are in the output."""
        done: set[Path] = set()
        if "kustomize" in self.rendered_by:
            for folder in self.kustomizations.roots():
                name = self.kustomizations.found[folder].name
                if self._rendered("kustomize", folder, name):
                    done |= self.kustomizations.files_of(folder)
        return done

    def _rendered_charts(self) -> set[Path]:
        done: set[Path] = set()
        if "helm" in self.rendered_by:
            for folder, name in sorted(self.charts.items()):
                inside = any(parent in self.charts for parent in folder.parents)
                if not inside and self._rendered("helm", folder, name):
                    done.add(folder)
        return done

    def _rendered(self, tool: str, folder: Path, name: str) -> bool:
        text, why = render(tool, folder)
        if why:
            self.world.doubt(name, f"{why}: gate its output, or leave {tool} out of rendered_by")
            return False
        try:
            for document in read_documents(text, f"{name} ({tool})"):
                self._document(document)
        except Unreadable as error:
            self.unreadable(error)
        return True


def _is_below(file: Path, folders: set[Path]) -> bool:
    return file in folders or any(parent in folders for parent in file.parents)

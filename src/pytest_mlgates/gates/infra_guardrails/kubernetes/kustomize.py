"""Kustomizations, with or without a kind: what they change, cover, and fetch from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pytest_mlgates.gates.infra_guardrails.world import World
from pytest_mlgates.reading.node import Node

__all__ = ["NAMES", "Kustomizations"]

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")

#: fields after which a resource still says what its file says
_HARMLESS = {
    "apiVersion", "kind", "metadata", "resources", "bases", "namespace", "namePrefix", "nameSuffix",
    "images", "imageTags", "configMapGenerator", "secretGenerator", "generatorOptions", "sortOptions",
    "buildMetadata", "commonAnnotations", "replicas", "crds",
}  # fmt: skip
#: fields that set labels and nothing else
_LABELS = {"labels", "commonLabels"}
_SOURCES = ("resources", "bases", "components")


@dataclass(frozen=True, slots=True)
class _One:
    """A kustomization: its folder, and the files and folders that it takes."""

    file: Path
    name: str
    doc: Node
    changes: tuple[str, ...]
    takes: tuple[Path, ...]


@dataclass
class Kustomizations:
    """All kustomizations that were met; ``covered`` tells what each file's own words are worth."""

    found: dict[Path, _One] = field(default_factory=dict)

    def add(self, file: Path, name: str, doc: Node, where: World) -> None:
        """Take a kustomization, and note what it fetches from elsewhere."""
        takes = []
        for source in _sources(doc):
            if not isinstance(source.value, str) or not source.value:
                continue
            path = (file.parent / source.value).resolve()
            if "://" in source.value or not path.exists():
                elsewhere = "is fetched from elsewhere" if _remote(source.value) else "is not here"
                why = f"{source.value} {elsewhere}: gate the output of `kustomize build`"
                where.doubt(source.place, f"kustomization: {why}, or render it by rendered_by")
            else:
                takes.append(path)
        ours = set(doc.fields) - _HARMLESS
        folder = file.parent.resolve()
        self.found[folder] = _One(
            file, name, doc, tuple(sorted(ours - {"components"})), tuple(takes)
        )

    def roots(self) -> Iterator[Path]:
        """Yield the folders of those that no other kustomization takes."""
        taken = {path for one in self.found.values() for path in one.takes}
        yield from sorted(folder for folder in self.found if folder not in taken)

    def note(self, where: World) -> None:
        """Leave open each kustomization that changes more than labels."""
        for one in self.found.values():
            changing = [name for name in one.changes if name not in _LABELS]
            if changing:
                names = ", ".join(changing[:4])
                text = (
                    f"{names} may change what the files say: gate the output of `kustomize build`"
                )
                where.doubt(one.doc.fields[changing[0]].place, f"kustomization: {text}")

    def covered(self, *, labels: bool) -> dict[Path, str]:
        """Return each file that a kustomization changes, with the name of that kustomization.

        ``labels``: those whose labels it sets count, too.
        """
        changed: dict[Path, str] = {}
        for folder, one in self.found.items():
            if not [name for name in one.changes if labels or name not in _LABELS]:
                continue
            for file in self.files_of(folder):
                changed.setdefault(file, one.name)
        return changed

    def files_of(self, folder: Path) -> set[Path]:
        """Return the files that a kustomization takes, those of others that it builds on with them."""
        seen: set[Path] = set()
        left = [folder]
        while left:
            path = left.pop()
            if path in seen:
                continue
            seen.add(path)
            one = self.found.get(path)
            left += one.takes if one is not None else ()
        return {path for path in seen if path.is_file()}


def _remote(source: str) -> bool:
    return "://" in source or source.startswith(("github.com/", "git@", "git::"))


def _sources(doc: Node) -> Iterator[Node]:
    for word in _SOURCES:
        node = doc.get(word)
        yield from node.items if node is not None else []

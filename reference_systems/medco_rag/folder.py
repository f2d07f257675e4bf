"""The folder of charts: which files there are, whose they are, and which can't be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from reference_systems.medco_rag.names import patient_of

__all__ = ["BadFolder", "Folder", "open_folder", "resources_of"]

_TOO_LARGE = 256 * 1024 * 1024


class BadFolder(ValueError):
    """The folder can't be used at all; the message says why."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Files by patient, paths relative to the folder; ``skipped`` says what was left out and why."""

    root: Path
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    fhir: dict[str, tuple[str, ...]] = field(default_factory=dict)
    skipped: tuple[tuple[str, str], ...] = ()

    def patients(self) -> list[str]:
        """Return every patient of whom there is a file."""
        return sorted({*self.notes, *self.fhir})

    def text(self, file: str) -> str:
        """Return a file as characters; offsets are about exactly these."""
        return _text(self.root / file)


def open_folder(root: Path) -> Folder:
    """Look through ``notes/*.txt`` and ``fhir/*.json``; either may be missing.

    :raises BadFolder: where ``root`` is not a folder or holds neither.
    """
    if not root.is_dir():
        raise BadFolder(f"{root}: is not a folder")
    if not (root / "notes").is_dir() and not (root / "fhir").is_dir():
        raise BadFolder(f"{root}: holds neither notes/ nor fhir/")
    skipped: list[tuple[str, str]] = []
    fhir: dict[str, list[str]] = {}
    for file in _files(root, "fhir", ".json"):
        try:
            found = _patients_in(json.loads(_text(root / file)))
        except (OSError, ValueError, RecursionError) as error:
            skipped.append((file, _reason(error)))
            continue
        for patient in found or [patient_of(Path(file).stem)]:
            fhir.setdefault(patient, []).append(file)
    notes: dict[str, list[str]] = {}
    for file in _files(root, "notes", ".txt"):
        try:
            _text(root / file)
        except (OSError, ValueError) as error:
            skipped.append((file, _reason(error)))
            continue
        notes.setdefault(patient_of(Path(file).stem, fhir), []).append(file)
    return Folder(
        root,
        {patient: tuple(files) for patient, files in notes.items()},
        {patient: tuple(files) for patient, files in fhir.items()},
        tuple(skipped),
    )


def resources_of(parsed: object) -> Iterator[dict[str, object]]:
    """Yield the resources of a bundle, or the one resource that a file holds."""
    if not isinstance(parsed, dict):
        return
    if parsed.get("resourceType") != "Bundle":
        yield parsed
        return
    entries = parsed.get("entry")
    for entry in entries if isinstance(entries, list) else []:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            yield resource


def _patients_in(parsed: object) -> list[str]:
    if not isinstance(parsed, dict) or not isinstance(parsed.get("resourceType"), str):
        raise ValueError("is not a FHIR resource: no resourceType")
    ids = [r.get("id") for r in resources_of(parsed) if r.get("resourceType") == "Patient"]
    return list(dict.fromkeys(each for each in ids if isinstance(each, str) and each))


def _files(root: Path, name: str, suffix: str) -> list[str]:
    folder = root / name
    if not folder.is_dir():
        return []
    found = (f for f in folder.iterdir() if f.suffix.lower() == suffix and f.is_file())
    return sorted(f"{name}/{file.name}" for file in found)


@lru_cache(maxsize=64)
def _text(path: Path) -> str:
    if path.stat().st_size > _TOO_LARGE:
        raise ValueError(f"is larger than {_TOO_LARGE // 2**20} MiB")
    return path.read_bytes().decode("utf-8")


def _reason(error: BaseException) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8 at byte {error.start}"
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: line {error.lineno} column {error.colno}: {error.msg}"
    if isinstance(error, RecursionError):
        return "is not JSON that can be read: nests too deeply"
    return str(error) or type(error).__name__

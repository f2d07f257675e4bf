"""What the system is run on: charts made by seed, or the shared ones of ``MLGATES_DATA``."""

from __future__ import annotations

import csv
import os
import tarfile
import tempfile
from functools import lru_cache
from pathlib import Path

from reference_systems.medco_rag.folder import Folder, open_folder
from reference_systems.medco_rag.people import Person, people
from reference_systems.medco_rag.writing import STYLES, bundle_of, note_of

__all__ = ["charts", "dialogue_sections", "shared_charts", "write_charts"]


def write_charts(
    root: Path, persons: list[Person], *, fhir: bool = True, notes: bool = True
) -> Folder:
    """Write patients as notes (each in one of four hands) and FHIR bundles, and open the folder."""
    for name, wanted in (("notes", notes), ("fhir", fhir)):
        if wanted:
            (root / name).mkdir(parents=True, exist_ok=True)
    for number, person in enumerate(persons):
        if notes:
            text = note_of(person, STYLES[number % len(STYLES)])
            (root / "notes" / f"{person.stem}.txt").write_bytes(text.encode())
        if fhir:
            (root / "fhir" / f"{person.stem}.json").write_bytes(bundle_of(person).encode())
    return open_folder(root)


@lru_cache(maxsize=4)
def charts(count: int, seed: int) -> tuple[Folder, tuple[Person, ...]]:
    """Return a folder of made-up charts, notes and FHIR, and what is true of the patients.

    The folder is a temporary one of this process.
    """
    holder = tempfile.TemporaryDirectory(prefix="medco-charts-")
    _KEPT.append(holder)
    persons = people(count, seed)
    return write_charts(Path(holder.name), persons), tuple(persons)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def _data() -> Path | None:
    named = os.environ.get("MLGATES_DATA")
    folder = Path(named, "medco_rag") if named else None
    return folder if folder is not None and folder.is_dir() else None


@lru_cache(maxsize=2)
def shared_charts(*, fhir: bool = True) -> Folder | None:
    """Return the 184 Synthea charts of ``MLGATES_DATA``, unpacked for this process, or None."""
    data = _data()
    packed = data / "synthea_r4_184_patients_massachusetts.tar.xz" if data else None
    if packed is None or not packed.is_file():
        return None
    holder = tempfile.TemporaryDirectory(prefix="medco-shared-")
    _KEPT.append(holder)
    with tarfile.open(packed) as archive:
        members = [
            m for m in archive.getmembers() if fhir or not m.name.startswith(("fhir", "./fhir"))
        ]
        archive.extractall(holder.name, members=members, filter="data")
    return open_folder(Path(holder.name))


def dialogue_sections(limit: int = 1_301) -> list[tuple[str, str]]:
    """Return heading and text of MTS-Dialog sections in ``MLGATES_DATA``, or nothing."""
    data = _data()
    found: list[tuple[str, str]] = []
    for name in ("MTS-Dialog-TrainingSet.csv", "MTS-Dialog-ValidationSet.csv"):
        path = data / name if data else None
        if path is not None and path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                found += [
                    (row["section_header"], row["section_text"]) for row in csv.DictReader(file)
                ]
    return found[:limit]

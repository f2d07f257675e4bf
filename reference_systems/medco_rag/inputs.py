"""What the system is run on: charts made by seed, or the shared ones of ``MLGATES_DATA``."""

from __future__ import annotations

import csv
import os
import tarfile
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from random import Random

from reference_systems.medco_rag.folder import Folder, open_folder
from reference_systems.medco_rag.people import Person, people
from reference_systems.medco_rag.writing import STYLES, bundle_of, note_of

__all__ = [
    "charts",
    "charts_with_identifiers",
    "dialogue_sections",
    "shared_charts",
    "write_charts",
]


def write_charts(
    root: Path,
    persons: list[Person],
    *,
    fhir: bool = True,
    notes: bool = True,
    written: Callable[[str], str] = str,
) -> Folder:
    """Write patients as notes (each in one of four hands) and FHIR bundles, and open the folder."""
    for name, wanted in (("notes", notes), ("fhir", fhir)):
        if wanted:
            (root / name).mkdir(parents=True, exist_ok=True)
    for number, person in enumerate(persons):
        if notes:
            text = written(note_of(person, STYLES[number % len(STYLES)]))
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


@lru_cache(maxsize=2)
def charts_with_identifiers(count: int, seed: int) -> Folder:
    """Return made-up charts whose notes hold what points at a person, in and beside what is asked about."""
    holder = tempfile.TemporaryDirectory(prefix="medco-identifiers-")
    _KEPT.append(holder)
    rng = Random(f"identifiers {seed}")

    def with_identifiers(text: str) -> str:
        lines = text.split("\n")
        return "\n".join(
            _beside(line, rng)
            if len(line.strip()) > _TOLD and line[:1] != "#" and line[-1:] != ":"
            else line
            for line in lines
        )

    return write_charts(
        Path(holder.name), people(count, seed), fhir=False, written=with_identifiers
    )


#: a line of so many characters says something
_TOLD = 12


def _beside(line: str, rng: Random) -> str:
    """Return a line of a note with an identifier before or after what it says."""
    card = "4" + "".join(rng.choice("0123456789") for _ in range(14))
    number = (
        f"SSN {rng.randint(100, 665)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}",
        f"card {card[:4]} {card[4:8]} {card[8:12]} {card[12:]}{_check(card)}",
        f"contact {rng.choice('abcde')}{rng.randint(10, 99)}@example.org",
        f"phone (617) 555-0{rng.randint(100, 199)}",
    )[rng.randrange(4)]
    return f"{line.rstrip('.')}. {number}." if rng.random() < 0.7 else f"{line} {number}"


def _check(digits: str) -> int:
    """Return the digit that makes a card number of fifteen digits pass Luhn's check."""
    total = sum(sum(divmod(int(digit) * (2 - at % 2), 10)) for at, digit in enumerate(digits))
    return -total % 10


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

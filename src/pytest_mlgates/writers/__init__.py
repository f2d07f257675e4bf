"""One output format a file: ``write(report, folder)`` writes one file of a report folder.

Ours are the files of this package; those of others come from the entry-point group
``pytest_mlgates.writers`` (value = ``module:function``).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path

from pytest_mlgates.report.model import Report

__all__ = ["ATTESTATION", "GROUP", "write_all"]

GROUP = "pytest_mlgates.writers"
#: the file that signs all others; no writer writes it, since it takes a key and comes last
ATTESTATION = "attestation.intoto.jsonl"


def write_all(report: Report, folder: Path) -> list[str]:
    """Write a report in every format and return a line for each that could not be written.

    Each file appears whole or not at all, and one that fails takes no other with it.
    """
    faults = []
    for name, load in _writers():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            load()(report, folder)
        except OSError as error:
            place = error.filename or folder
            faults.append(f"{place}: can't be written: {error.strerror or error}")
        except ModuleNotFoundError as error:
            faults.append(f"{folder}: the writer {name!r} needs the module {error.name!r}")
        except Exception as error:  # noqa: BLE001  (a writer of others may break in any way)
            faults.append(f"{folder}: the writer {name!r} broke: {type(error).__name__}")
    return faults


def _writers() -> Iterator[tuple[str, Callable[[], Callable[[Report, Path], None]]]]:
    here = Path(__file__).parent.iterdir()
    names = sorted(p.stem for p in here if p.stem[0] != "_" and (p.suffix == ".py" or p.is_dir()))
    for name in names:
        yield name, partial(_own_writer, name)
    for point in entry_points(group=GROUP):
        yield point.name, point.load


def _own_writer(name: str) -> Callable[[Report, Path], None]:
    write: Callable[[Report, Path], None] = importlib.import_module(f"{__name__}.{name}").write
    return write

"""Whether what was signed is what is there, and whether it follows from its own numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pytest_mlgates import __version__
from pytest_mlgates.core.canonical import parse
from pytest_mlgates.core.plain import FileFault, open_plain, read_plain
from pytest_mlgates.core.words import plural
from pytest_mlgates.report.model import SCHEMA, Report
from pytest_mlgates.report.read import MAX_BYTES
from pytest_mlgates.report.replay import replay
from pytest_mlgates.signing.attested import Attested
from pytest_mlgates.signing.folder import Folder
from pytest_mlgates.signing.statement import statements
from pytest_mlgates.writers.html_report.render import page
from pytest_mlgates.writers.json_report import text
from pytest_mlgates.writers.summary import markdown

__all__ = ["changed", "made_again", "strangers"]

#: what follows from a report alone is made again; every other file is held to its digest
_RENDERED: dict[str, Callable[[Report], str]] = {
    "report.json": text,
    "report.html": page,
    "summary.md": markdown,
}


def strangers(contents: Folder, attested: Attested, own: str) -> Iterator[str]:
    """Yield what is in a folder and was not signed, or was signed and is not there."""
    yield from contents.faults
    yield from (f"{name}: is not there" for name in sorted(attested.files.keys() - contents.files))
    extra = contents.files.keys() - attested.files.keys() - {own}
    yield from (f"{name}: was not signed" for name in sorted(extra))
    parents = {str(parent) for name in attested.files for parent in Path(name).parents}
    yield from (f"{name}/: was not signed" for name in sorted(contents.folders - parents))


def changed(contents: Folder, attested: Attested) -> Iterator[str]:
    """Yield each file that is not as it was signed."""
    for name, stored in sorted(attested.files.items()):
        if name in contents.files and contents.files[name] != stored:
            yield f"{name}: is not what was signed"


def made_again(
    folder: Path, data: Mapping[str, object], report: Report, attested: Attested
) -> tuple[list[str], list[str]]:
    """Make statements, decisions, summary and pages again; return the faults, and the notes.

    ``data`` is what ``read_report`` gave, ``report`` the same as records. A note tells that the
    outcomes are the same in other words, those of another version.
    """
    results = list(replay(data))
    faults = [f"{result.name}: {result.fault}" for result in results if result.fault]
    faults += _differences(folder, report, attested)
    notes = Counter(result.note for result in results if result.note)
    return faults, [f"{plural(count, 'time')} the {note}" for note, count in notes.items()]


def _differences(folder: Path, report: Report, attested: Attested) -> Iterator[str]:
    # as it was signed: a report of an older schema is read as if it were of today's
    raw = parse(read_plain(folder / "report.json", MAX_BYTES))
    if attested.sealing is not None:
        yield from _attested_differently(raw, attested)
    if (raw["schema"], report.environment.get("pytest_mlgates")) == (SCHEMA, __version__):
        yield from _shown_differently(folder, report)


def _attested_differently(raw: Mapping[str, object], attested: Attested) -> Iterator[str]:
    assert attested.sealing is not None
    try:
        again = statements(raw, attested.files, attested.sealing)
    except (KeyError, TypeError) as error:
        yield f"the statements can't be made again: {type(error).__name__}"
        return
    for number, (mine, signed) in enumerate(zip(again, attested.payloads, strict=True), 1):
        if mine != signed:
            yield f"statement {number}: says what report.json does not"


def _shown_differently(folder: Path, report: Report) -> Iterator[str]:
    """Yield each file that follows from the report alone and comes out differently."""
    try:
        fresh = {name: render(report) for name, render in _RENDERED.items()}
    except Exception as error:  # noqa: BLE001  (a forged report may break any writer)
        yield f"the report can't be shown again: {type(error).__name__}"
        return
    for name, again in fresh.items():
        wanted = again.encode()
        if not (folder / name).exists():
            continue  # what is not there, the answer about the folder names
        try:
            with open_plain(folder / name) as file:
                same = file.read(len(wanted) + 1) == wanted
        except FileFault:
            same = False
        if not same:
            yield f"{name}: does not show what the evidence comes to"

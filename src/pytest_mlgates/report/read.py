"""A report read back: as JSON that follows the schema, then as records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pytest_mlgates.config.controls import Control
from pytest_mlgates.core import Evidence
from pytest_mlgates.core.canonical import parse
from pytest_mlgates.core.details import read
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.instants import instant
from pytest_mlgates.core.plain import FileFault, read_plain
from pytest_mlgates.report.model import (
    AbsentTest,
    ConfigFile,
    EarlierRun,
    FalseAlarm,
    MissingEntry,
    Report,
    SystemReport,
    WaiverState,
)
from pytest_mlgates.report.older import upgraded

__all__ = [
    "MAX_BYTES", "ReportError", "check_digests", "ended_at", "evidence_in", "read_report", "report_of",
    "report_schema", "summary_of",
]  # fmt: skip

T = TypeVar("T")

#: a report that is larger was not written by this package
MAX_BYTES = 4 << 30


class ReportError(UsageError, ValueError):
    """A report can't be read, or can't be used as it was asked; the text names its file."""


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``report.json``."""
    text = files("pytest_mlgates").joinpath("schemas/report.schema.json").read_text("utf-8")
    schema: dict[str, Any] = parse(text)
    return schema


def read_report(place: Path) -> dict[str, Any]:
    """Read a ``report.json`` (or the folder it is in) as JSON that follows the present schema.

    Raises :class:`ReportError`. Whether it follows from its evidence is for ``replay`` to say.
    """
    import jsonschema

    path = place / "report.json" if place.is_dir() else place
    try:
        data = parse(read_plain(path, MAX_BYTES))
    except FileFault as wrong:
        gone = "can't be read: No such file or directory"
        raise ReportError(f"{path}: {wrong if path.exists() else gone}") from None
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path}: is not JSON: {error}") from None
    try:
        data = upgraded(data)
    except ValueError as error:
        raise ReportError(f"{path}: {error}") from None
    validator = jsonschema.Draft202012Validator(report_schema())
    fault = jsonschema.exceptions.best_match(validator.iter_errors(data))
    if fault is not None:
        where = "/".join(map(str, fault.absolute_path)) or "the top"
        message = fault.message if len(fault.message) < 200 else f"fails {fault.validator!r}"
        raise ReportError(f"{path}: does not follow the report schema at {where}: {message}")
    return dict(data)


def report_of(place: Path, data: Mapping[str, Any]) -> Report:
    """Return what :func:`read_report` gave as a report, or raise :class:`ReportError`."""
    try:
        pieces = tuple(evidence_in(piece) for piece in data["evidence"])
    except (TypeError, ValueError) as error:
        raise ReportError(f"{place}: holds what is not evidence: {error}") from None
    try:
        return summary_of(data, pieces)
    except ValueError as error:
        raise ReportError(f"{place}: {error}") from None


def summary_of(data: Mapping[str, Any], evidence: Sequence[Evidence] = ()) -> Report:
    """Return what a report says beside its evidence; ValueError where a value does not fit."""
    return Report(
        outcome=data["outcome"],
        problems=tuple(data["problems"]),
        systems=_evidence_records(SystemReport, data, "systems"),
        evidence=tuple(evidence),
        missing=_evidence_records(MissingEntry, data, "missing"),
        incomplete=tuple(data["incomplete"]),
        waived=_evidence_records(WaiverState, data, "waived"),
        false_alarm=read(FalseAlarm, data["false_alarm"], "false_alarm"),
        environment=data["environment"],
        configs=_evidence_records(ConfigFile, data, "configs"),
        controls=_evidence_records(Control, data, "controls"),
        history=_evidence_records(EarlierRun, data, "history"),
        absent=_evidence_records(AbsentTest, data, "absent") if "absent" in data else (),
    )


def _evidence_records(cls: type[T], data: Mapping[str, Any], name: str) -> tuple[T, ...]:
    return tuple(read(cls, item, f"{name}[{at}]") for at, item in enumerate(data[name]))


def evidence_in(data: Mapping[str, Any]) -> Evidence:
    """Return a piece of evidence as a report holds it, its digest set aside."""
    return Evidence.from_dict({key: value for key, value in data.items() if key != "digest"})


def check_digests(place: Path, data: Mapping[str, Any], report: Report) -> None:
    """Raise ReportError where a piece of ``report`` has another digest than ``data`` recorded."""
    for piece, recorded in zip(report.evidence, data["evidence"], strict=True):
        if piece.digest != recorded["digest"]:
            name = f"{piece.test} {piece.entry}"
            raise ReportError(f"{place}: {name} was changed: its digest is not the recorded one")


def ended_at(place: Path, report: Report) -> datetime:
    """Return when a run ended, or began where it did not end; ReportError if no instant says it."""
    facts = report.environment
    try:
        return instant(facts.get("finished") or facts["started"])
    except (KeyError, ValueError):
        raise ReportError(f"{place}: does not say when it ended") from None

"""A report read back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_mlgates.report.replay import evidence_in
from pytest_mlgates.report.report import Report

__all__ = ["report_of"]


def report_of(place: Path, data: Mapping[str, Any]) -> Report:
    """Return what ``read_report`` gave as a report; ValueError where its evidence is none."""
    try:
        pieces = tuple(evidence_in(piece) for piece in data["evidence"])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place}: holds what is no evidence: {error}") from None
    known = {field.name for field in dataclasses.fields(Report)} - {"evidence"}
    plain: dict[str, Any] = {name: _tuple(data[name]) for name in known}
    return Report(evidence=pieces, **plain)


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value

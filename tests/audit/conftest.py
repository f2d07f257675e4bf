"""One way to scan a folder in this process, and what a scan left."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pytest_mlgates.audit.engine import InProcess
from pytest_mlgates.audit.findings import reports_of, sorted_findings
from pytest_mlgates.audit.folder import OutFolder
from pytest_mlgates.audit.listing import data_files
from pytest_mlgates.audit.report import StretchReport
from pytest_mlgates.audit.run import prepared, run_partitions
from pytest_mlgates.audit.settings import ScanSettings

pytest.importorskip("pyarrow")

#: without API_KEY no rules are compiled, which takes seconds
KINDS = ("CREDIT_CARD", "EMAIL_ADDRESS")


class Scanned(NamedTuple):
    findings: list[dict[str, Any]]
    reports: dict[str, StretchReport]
    folder: OutFolder

    @property
    def places(self) -> list[tuple[Any, ...]]:
        return [(f["file"], f["row"], f["column"], f["start"], f["end"]) for f in self.findings]

    @property
    def unread(self) -> dict[str, str]:
        return {name: r.error for name, r in self.reports.items() if r.error}


@pytest.fixture
def scan(tmp_path) -> Callable[..., Scanned]:
    """Scan data sets with the in-process engine."""

    def scanned(*datasets: object, out: str = "", engine: Any = None, **more: Any) -> Scanned:
        out = out or str(tmp_path / "out")
        more = {"entities": KINDS, "key": b"0123456789abcdef", "out": out, **more}
        settings, folder = ScanSettings(**more), OutFolder(out)
        partitions = prepared(folder, settings, lambda: data_files(list(map(str, datasets))))
        run_partitions(engine or InProcess(), settings, folder, partitions, lambda _: None)
        every = [r for one in partitions for r in reports_of(folder.address.joined(one.file_name))]
        return Scanned(sorted_findings(folder.findings()), {r.file: r for r in every}, folder)

    return scanned


@pytest.fixture
def data(tmp_path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def as_lines(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)

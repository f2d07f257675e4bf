"""Which tests asked for which gates, and why some left nothing: absence by test, not by entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from pytest_mlgates.core import Evidence
from pytest_mlgates.report.model import AbsentTest

__all__ = ["Asked", "why_it_ended"]


class Asked:
    """What was asked for at collection, by any process, and what each test said of its end."""

    def __init__(self) -> None:
        #: test, system and entry
        self.gates: dict[tuple[str, str, str], None] = {}
        #: of each test that ended without an answer, why
        self.why: dict[str, str] = {}
        #: tests of which a report came that evidence could ride on, and those of which any came
        self._whole: set[str] = set()
        self._told: set[str] = set()

    def add(self, gates: Iterable[Sequence[str]], why: Iterable[Sequence[str]]) -> None:
        """Take what a process knows when it ends."""
        self.gates |= dict.fromkeys((test, system, entry) for test, system, entry in gates)
        self.why |= {test: text for test, text in why if test not in self.why}

    def report_came(self, test: str, about: Sequence[str] | None) -> None:
        """Note a test's report: one that is not pytest's own stands for a process that died.

        ``about`` is what rode on it: the test, and why it ended.
        """
        self._told.add(test)
        if about is not None:
            self._whole.add(test)
            name, why = about
            if why:
                self.why[name] = why

    def lost(self) -> list[str]:
        """Return a line for each test whose process ended before it could report."""
        asking = {test for test, _, _ in self.gates}
        return [
            f"{test}: asks for a gate, and its process ended before it could report"
            for test in sorted(self._told - self._whole)
            if test in asking
        ]

    def absent(self, evidence: Iterable[Evidence]) -> list[AbsentTest]:
        """Return the tests that asked for a gate and left no evidence of it."""
        left = {(piece.test, piece.system, piece.entry) for piece in evidence}
        return [
            AbsentTest(test=test, system=system, entry=entry, why=self.why.get(test, "not run"))
            for test, system, entry in sorted(self.gates)
            if (test, system, entry) not in left
        ]


def why_it_ended(report: pytest.TestReport, kind: str) -> str:
    """Return why a phase of a test ended it, or nothing; ``kind`` is the type of its exception."""
    if report.skipped:
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else "skipped"
        wasxfail = getattr(report, "wasxfail", None)
        if wasxfail is not None:
            text = f"xfailed in its {report.when}" + (f": {wasxfail}" if wasxfail else "")
        return str(text)
    if report.failed and report.when == "setup":
        return f"its setup failed: {kind}"
    return ""

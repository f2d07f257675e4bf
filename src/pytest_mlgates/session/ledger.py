"""The controller's side: gather evidence from every process, say what is lost, write the report."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pytest_mlgates import __version__
from pytest_mlgates.config.config import Config
from pytest_mlgates.core import Evidence
from pytest_mlgates.core.canonical import Json
from pytest_mlgates.report.build import build
from pytest_mlgates.report.environment import environment
from pytest_mlgates.report.model import Report
from pytest_mlgates.report.scopes import scopes_of
from pytest_mlgates.session.journal import FOLDER, read_journals
from pytest_mlgates.writers import ATTESTATION, write_all

__all__ = ["Ledger"]


class Ledger:
    """What the controlling process knows of a run's evidence.

    Evidence arrives on pytest's reports and, when there is a report folder, in the journals; a
    worker that dies takes none of its recorded evidence with it.
    """

    def __init__(self, folder: Path | None, root: Path, facts: dict[str, Json]) -> None:
        self.folder = folder
        self.root = root
        self.facts = facts
        self.lost: list[str] = []
        self.faults: list[str] = []
        #: signs and keeps the folder once all is written; returns a line that tells of it, or faults
        self.seal: Callable[[Path], tuple[str, list[str]]] | None = None
        self.sealed = ""
        self._texts: dict[str, None] = {}
        self._expected = self._arrived = 0
        self._started = datetime.now(UTC).replace(microsecond=0)

    def open_folder(self) -> None:
        """Replace what an earlier run left with a report that says ``incomplete``.

        Raises ``OSError`` where the folder can't be written.
        """
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if (self.folder / FOLDER).exists():  # an old journal left there would be read as ours
            shutil.rmtree(self.folder / FOLDER)
        (self.folder / ATTESTATION).unlink(missing_ok=True)
        facts = {
            "pytest_mlgates": __version__,
            **self.facts,
            "started": self._started.isoformat(),
        }
        report = build([], [], ["the run has not ended"], facts, self._started)
        faults = write_all(report, self.folder)
        if faults:
            raise OSError(0, faults[0])

    def add_evidence(self, texts: Sequence[str]) -> None:
        """Take the evidence that a test report carried, as JSON texts."""
        self._texts.update(dict.fromkeys(texts))
        self._arrived += len(texts)

    def expect(self, count: int) -> None:
        """Note how many pieces a process says it recorded."""
        self._expected += count

    def close(self, configs: Sequence[Config], profile: str | None) -> Report:
        """Return the report of the run and, where there is a folder, write it."""
        known = {text: Evidence.from_canonical(text) for text in self._texts}
        evidence = list(known.values())
        if self.folder is not None:
            journalled, cut = read_journals(self.folder, known)
            evidence += journalled
            self.lost += cut
        if self._arrived < self._expected and len(evidence) < self._expected:
            gap = self._expected - self._arrived
            self.lost.append(
                f"{gap} of {self._expected} recorded pieces of evidence did not arrive"
            )
        now = datetime.now(UTC).replace(microsecond=0)  # as the report tells it
        facts = {
            **(environment(self.root) if self.folder is not None else {}),
            **self.facts,
            "started": self._started.isoformat(),
            "finished": now.isoformat(),
        }
        report = build(evidence, scopes_of(configs, profile), self.lost, facts, now)
        if self.folder is not None:
            self.faults += write_all(report, self.folder)
            if not self.faults:
                shutil.rmtree(self.folder / FOLDER, ignore_errors=True)
                if self.seal is not None:
                    self.sealed, faults = self.seal(self.folder)
                    self.faults += faults
        return report

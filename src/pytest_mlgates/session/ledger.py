"""The controller's side: gather evidence from every process, say what is lost, write the report."""

from __future__ import annotations

import contextlib
import shutil
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pytest_mlgates import __version__
from pytest_mlgates.config.config import Config
from pytest_mlgates.core import Evidence
from pytest_mlgates.core.canonical import Json
from pytest_mlgates.core.instants import kernel_now
from pytest_mlgates.core.words import one_line
from pytest_mlgates.report.build import build
from pytest_mlgates.report.environment import environment
from pytest_mlgates.report.model import Report, Scope
from pytest_mlgates.report.scopes import scopes_of
from pytest_mlgates.session.asked import Asked
from pytest_mlgates.session.journal import read_journals
from pytest_mlgates.writers import ATTESTATION, json_report, write_all

__all__ = ["Ledger"]


class Ledger:
    """What the controlling process knows of a run's evidence.

    Evidence arrives on pytest's reports and in the journals; a worker that dies takes none of its
    recorded evidence with it. Without a report folder the journals lie in a temporary one.
    """

    def __init__(
        self, folder: Path | None, journals: Path, root: Path, facts: dict[str, Json]
    ) -> None:
        self.folder = folder
        self.journals = journals
        self.root = root
        self.facts = facts
        self.asked = Asked()
        self.lost: list[str] = []
        self.faults: list[str] = []
        #: signs and keeps the folder once all is written; returns a line that tells of it, or faults
        self.seal: Callable[[Path], tuple[str, list[str]]] | None = None
        self.sealed = ""
        self._pieces: dict[str, Evidence] = {}
        self._seconds: dict[str, float] = defaultdict(float)
        self._expected = self._arrived = 0
        self._started = kernel_now().replace(microsecond=0)

    def open_folder(self, scopes: Sequence[Scope] = ()) -> None:
        """Replace what an earlier run left with a report that says ``incomplete``.

        It lists the configs in scope, so that a run that is killed tells what is missing. Raises
        ``OSError`` where the folder can't be written.
        """
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.journals.exists():  # an old journal left there would be read as ours
            shutil.rmtree(self.journals)
        (self.folder / ATTESTATION).unlink(missing_ok=True)
        facts = {
            "pytest_mlgates": __version__,
            **self.facts,
            "started": self._started.isoformat(),
        }
        report = build([], scopes, ["the run has not ended"], facts, self._started)
        faults = write_all(report, self.folder)
        if faults:
            raise OSError(0, faults[0])
        self.journals.mkdir()

    def add(self, text: str, evidence: Evidence) -> None:
        """Take a piece that was made in this process, and its JSON text."""
        self._pieces[text] = evidence

    def add_evidence(self, texts: Sequence[str]) -> None:
        """Take the evidence that a test report carried, as JSON texts."""
        for text in texts:
            if text not in self._pieces:
                self._pieces[text] = Evidence.from_canonical(text)
        self._arrived += len(texts)

    def add_seconds(self, seconds: Mapping[str, float]) -> None:
        """Add how long a process measured for each entry."""
        for name, more in seconds.items():
            self._seconds[name] += more

    def expect(self, count: int) -> None:
        """Note how many pieces a process says it recorded."""
        self._expected += count

    def close(self, configs: Sequence[Config], profile: str | None) -> Report:
        """Return the report of the run and, where there is a folder, write it.

        What can't be read, told or written costs the run its pass, and never the report.
        """
        evidence = [*self._pieces.values(), *self._journalled()]
        if self._arrived < self._expected and len(evidence) < self._expected:
            gap = self._expected - self._arrived
            self.lost.append(
                f"{gap} of {self._expected} recorded pieces of evidence did not arrive"
            )
        self.lost += self.asked.lost()
        now = kernel_now().replace(microsecond=0)  # as the report tells it
        facts = {
            **(environment(self.root) if self.folder is not None else {}),
            **self.facts,
            "started": self._started.isoformat(),
            "finished": now.isoformat(),
            "seconds": {name: round(took, 3) for name, took in sorted(self._seconds.items())},
        }
        scopes = scopes_of(configs, profile)
        absent = self.asked.absent(evidence)

        def made() -> Report:
            return build(evidence, scopes, list(dict.fromkeys(self.lost)), facts, now, (), absent)

        report = made()
        if self.folder is None:
            shutil.rmtree(self.journals, ignore_errors=True)
            return report
        self.faults += write_all(report, self.folder)
        if self.faults:
            self.lost += self.faults
            report = made()
            _leave_no_pass(report, self.folder)
            return report
        shutil.rmtree(self.journals, ignore_errors=True)
        if self.seal is not None:
            self.sealed, faults = self.seal(self.folder)
            self.faults += faults
        return report

    def from_memory(self) -> list[str]:
        """Return a line for each piece of evidence that is known, and for what is lost."""
        pieces = sorted(self._pieces.values(), key=lambda piece: piece.identity)
        lines = [
            f"{e.system}: {e.entry}: {e.outcome.upper()}: {e.verdict.reason} [{e.test}]"
            for e in pieces
        ]
        return [*map(one_line, lines), *dict.fromkeys(self.lost)]

    def _journalled(self) -> list[Evidence]:
        """Return what the journals hold beyond what arrived."""
        try:
            found, cut = read_journals(self.journals, self._pieces)
        except OSError as error:  # no more files may be opened, or the folder is another's now
            self.lost.append(f"{self.journals}: the journals can't be read: {error.strerror}")
            return []
        self.lost += cut
        return found


def _leave_no_pass(report: Report, folder: Path) -> None:
    """Have a report that could not be written whole not say that all is well."""
    try:
        json_report.write(report, folder)
    except Exception:  # noqa: BLE001  (the fault that brought us here is told already)
        with contextlib.suppress(OSError):
            (folder / "report.json").unlink(missing_ok=True)

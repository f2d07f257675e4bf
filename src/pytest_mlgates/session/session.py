"""What one pytest process knows once a gate is asked for: the tests' gates, and their evidence.

Loaded by the plugin only when a test asks for a gate or an option names us.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypedDict

import pytest

from pytest_mlgates.core import Evidence, Judged, Outcome, Role, Verdict
from pytest_mlgates.core.canonical import Json
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.report.build import is_waived
from pytest_mlgates.report.model import Report
from pytest_mlgates.report.scopes import scope_of
from pytest_mlgates.session.items import is_known_bad, test_id, why_misread
from pytest_mlgates.session.journal import Journal
from pytest_mlgates.session.junit import junit_properties
from pytest_mlgates.session.known_bad import RUNNERS
from pytest_mlgates.session.ledger import Ledger
from pytest_mlgates.session.progress import progress_of, uncapture
from pytest_mlgates.session.redact import TestNames
from pytest_mlgates.session.resolve import Resolved, Resolver
from pytest_mlgates.session.runner import GateRunner, TestContext

__all__ = ["GateSession", "WorkerSummary"]


class WorkerSummary(TypedDict):
    """What a process tells the controller when it ends."""

    in_use: bool
    count: int
    unsent: list[str]
    fault: str


class GateSession:
    """The state of the plugin in one process; made on first use."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.resolver = Resolver(config)
        self.seed = int(config.getoption("mlgates_seed"))
        folder = config.getoption("mlgates_report")
        self.folder = Path(folder) if folder else None
        worker: str = getattr(config, "workerinput", {}).get("workerid", "main")
        self.journal = Journal(self.folder, worker)
        self.count = 0
        self.in_use = False
        self._unsent: dict[str, list[str]] = defaultdict(list)
        self._attempts: dict[str, int] = defaultdict(int)
        facts: dict[str, Json] = {"seed": self.seed}
        facts["profile"] = self.resolver.profile_name or "default"
        self.ledger = Ledger(self.folder, self.resolver.root, facts)

    def open(self) -> None:
        """Make the report folder ready; raise ``UsageError`` or ``OSError`` before a test runs."""
        if reason := why_misread(self._config):
            raise UsageError(reason)
        sign, store = map(self._config.getoption, ("mlgates_sign", "mlgates_store"))
        if sign or store:
            from pytest_mlgates.signing.seal import Seal

            if self.folder is None:
                option = "--mlgates-sign" if sign else "--mlgates-store"
                raise UsageError(f"{option}: needs a report: add --mlgates-report DIR")
            key, folder = (Path(path) if path else None for path in (sign, store))
            self.ledger.seal = Seal.open(key, folder, self.folder).close
        self.ledger.open_folder()

    def attempt(self, item: pytest.Item) -> None:
        """Count one more run of a test."""
        item.stash[RUNNERS] = []
        self._attempts[item.nodeid] += 1

    def fixture(self, request: pytest.FixtureRequest, name: str) -> Iterator[GateRunner]:
        """Give a test its gate; at teardown, record a gate that was never called."""
        item: pytest.Item = request.node
        self.in_use = True
        self._attempts[item.nodeid] = max(1, self._attempts[item.nodeid])
        resolved = self.resolver.resolve(item, name)
        runner = GateRunner(resolved.gate, self._context(item, resolved))
        item.stash.setdefault(RUNNERS, []).append(runner)
        yield runner
        if not runner.recorded and not self._config.getoption("setuponly", False):
            evidence = runner.never_called()
            pytest.fail(f"{evidence.entry}: {evidence.verdict.reason}", pytrace=False)

    def _context(self, item: pytest.Item, resolved: Resolved) -> TestContext:
        function = getattr(item, "function", None)
        return TestContext(
            test=TestNames.of(self._config)[test_id(item)],
            claim=" ".join((getattr(function, "__doc__", None) or "").split()),
            system=resolved.config.system,
            entry=resolved.entry.name,
            source=resolved.entry.source,
            role=Role.KNOWN_BAD if is_known_bad(item) else Role.GATE,
            run_seed=self.seed,
            attempt=self._attempts[item.nodeid],
            raises=partial(_fails_the_test, resolved),
            pardons=_pardons(resolved, known_bad=is_known_bad(item)),
            started=self.journal.started,
            record=partial(self._record, item),
            progress=progress_of(self._config, resolved.entry.name),
            uncapture=partial(uncapture, self._config),
        )

    def _record(self, item: pytest.Item, evidence: Evidence) -> None:
        self.count += 1
        self._unsent[item.nodeid].append(evidence.to_json())
        self.journal.recorded(evidence)
        item.user_properties += junit_properties(evidence)

    def send(self, item: pytest.Item) -> list[str]:
        """Return the evidence of ``item`` that no test report has carried yet."""
        return self._unsent.pop(item.nodeid, [])

    def worker_summary(self) -> WorkerSummary:
        """Close the journal; return what this process has to tell the controller."""
        self.journal.close()
        unsent = [text for texts in self._unsent.values() for text in texts]
        self._unsent.clear()
        return {
            "in_use": self.in_use,
            "count": self.count,
            "unsent": unsent,  # of a test that was interrupted no report is sent
            "fault": self.journal.fault,
        }

    def receive_summary(self, summary: WorkerSummary) -> None:
        """Take what a process told when it ended."""
        self.in_use |= summary["in_use"]
        self.ledger.expect(summary["count"])
        self.ledger.add_evidence(summary["unsent"])
        if summary["fault"]:
            self.ledger.lost.append(summary["fault"])

    def finish(self) -> Report:
        """Return the report of the run, written where there is a folder."""
        self.receive_summary(self.worker_summary())
        resolver = self.resolver
        return self.ledger.close(list(resolver.configs.values()), resolver.profile_name)


def _fails_the_test(resolved: Resolved, evidence: Evidence) -> bool:
    """Tell whether a verdict raises in the test; a waiver lets a FAIL pass."""
    if evidence.outcome == Outcome.PASS:
        return False
    if evidence.outcome == Outcome.INCONCLUSIVE:
        return resolved.profile.inconclusive == "fail"
    if not is_waived(evidence, scope_of(resolved.config, resolved.profile)):
        return True
    return bool(evidence.verdict.undecided) and resolved.profile.inconclusive == "fail"


def _pardons(resolved: Resolved, *, known_bad: bool) -> Callable[[Verdict], bool] | None:
    """Return what tells whether waivers accept a FAIL, or None where there is no waiver."""
    scope = scope_of(resolved.config, resolved.profile)
    now = datetime.now(UTC)
    if known_bad or not any(True for _ in scope.active_waivers(resolved.entry.name, now)):
        return None

    def pardons(verdict: Verdict) -> bool:
        piece = resolved.gate.evidence(Judged(None, verdict), entry=resolved.entry.name)
        return is_waived(piece, scope, now)

    return pardons

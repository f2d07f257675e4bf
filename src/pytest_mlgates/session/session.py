"""What one pytest process knows once a gate is asked for: the tests' gates, and their evidence.

Loaded by the plugin only when a test asks for a gate or an option names us.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypedDict

import pytest

from pytest_mlgates.core import Evidence, Judged, Outcome, Role, Verdict
from pytest_mlgates.core.blame import what_broke
from pytest_mlgates.core.canonical import Json
from pytest_mlgates.core.docstrings import docstring_of
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.instants import kernel_now
from pytest_mlgates.core.words import one_line
from pytest_mlgates.pii.redact import Redactor
from pytest_mlgates.report.build import is_waived
from pytest_mlgates.report.model import DESELECTED, Report, Scope
from pytest_mlgates.report.scopes import scope_of, scopes_of
from pytest_mlgates.session.asked import why_it_ended
from pytest_mlgates.session.items import is_known_bad, test_id
from pytest_mlgates.session.journal import FOLDER, Journal
from pytest_mlgates.session.junit import junit_properties
from pytest_mlgates.session.known_bad import RUNNERS
from pytest_mlgates.session.ledger import Ledger
from pytest_mlgates.session.places import why_misread
from pytest_mlgates.session.progress import progress_of, uncapture
from pytest_mlgates.session.redact import TestNames
from pytest_mlgates.session.resolve import Resolved, Resolver
from pytest_mlgates.session.runner import GateRunner, TestContext, end_a_child

__all__ = ["GateSession", "WorkerSummary"]

_MAX_WHY = 200
#: the process that a test's present attempt runs in
_PID = pytest.StashKey[int]()
#: how a phase of the present attempt ended: by its name, why the test did not get further
_ENDED = pytest.StashKey[dict[str, str]]()


class WorkerSummary(TypedDict):
    """What a process tells the controller when it ends."""

    in_use: bool
    count: int
    unsent: list[str]
    lost: list[str]
    asked: list[tuple[str, str, str]]
    why: list[tuple[str, str]]
    places: list[str]
    told: list[str]
    seconds: dict[str, float]


class GateSession:
    """The state of the plugin in one process; made on first use.

    ``scratch`` is where evidence is kept while the run goes on, if there is no report folder.
    """

    def __init__(self, config: pytest.Config, scratch: Path) -> None:
        self._config = config
        self.pid = os.getpid()
        self.resolver = Resolver(config)
        self.seed = int(config.getoption("mlgates_seed"))
        folder = config.getoption("mlgates_report")
        self.folder = Path(folder) if folder else None
        worker: str = getattr(config, "workerinput", {}).get("workerid", "main")
        journals = self.folder / FOLDER if self.folder else scratch
        self.journal = Journal(journals, worker, of_the_run=self.folder is None)
        self.count = 0
        self.in_use = False
        self.selected: set[str] | None = None
        #: what a person should know that is no fault
        self.told: list[str] = []
        #: how long the gates of an entry measured, by its system and name
        self.seconds: dict[str, float] = defaultdict(float)
        self._unsent: dict[str, list[str]] = defaultdict(list)
        self._attempts: dict[str, int] = defaultdict(int)
        facts: dict[str, Json] = {"seed": self.seed}
        facts["profile"] = self.resolver.profile_name or "default"
        self.ledger = Ledger(self.folder, journals, self.resolver.root, facts)

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
        self.ledger.open_folder(self._scopes())

    def _scopes(self) -> list[Scope]:
        """Return the configs in scope; of broken ones the collection tells."""
        try:
            return scopes_of(list(self.resolver.configs.values()), self.resolver.profile_name)
        except UsageError:
            return []

    def name_of(self, item: pytest.Item) -> str:
        """Return the id of a test as evidence has it."""
        return TestNames.of(self._config)[test_id(item)]

    def report_came(self, report: pytest.TestReport) -> None:
        """Note that a test's report came, and what rode on it."""
        test = TestNames.of(self._config)[report.nodeid]
        self.ledger.asked.report_came(test, getattr(report, "mlgates_why", None))

    def select(self, items: Sequence[pytest.Item]) -> None:
        """Note the tests that are to run: those that were collected and are not here are not."""
        self.selected = {self.name_of(item) for item in items}

    def attempt(self, item: pytest.Item) -> None:
        """Count one more run of a test."""
        item.stash[RUNNERS] = []
        item.stash[_PID] = os.getpid()
        item.stash[_ENDED] = {}
        self._attempts[item.nodeid] += 1

    def ended(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> tuple[str, str]:
        """Note how a phase of a test ended; return the test, and why it ended there if it did."""
        end_a_child(item.stash.get(_PID, os.getpid()))
        error = call.excinfo.value if call.excinfo is not None else None
        why = why_it_ended(report, type(error).__name__)
        said = why
        if error is not None and (not report.skipped or hasattr(report, "wasxfail")):
            said = what_broke(error, given=False)
        item.stash.setdefault(_ENDED, {})[call.when] = said
        return self.name_of(item), one_line(Redactor().text(why), _MAX_WHY)

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
            self._never_called(item, runner)

    def _never_called(self, item: pytest.Item, runner: GateRunner) -> None:
        """Record why a gate was not called; fail the test where nothing else has failed it."""
        ended = item.stash.get(_ENDED, {})
        failed = ended.get("setup") or ended.get("call")
        if "call" not in ended and not failed:
            runner.never_called("the run was interrupted before the test called this gate")
        elif failed:
            runner.never_called(f"the test ended before it called this gate: {failed}")
        else:
            evidence = runner.never_called("the test asked for this gate and never called it")
            pytest.fail(f"{evidence.entry}: {evidence.verdict.reason}", pytrace=False)

    def _context(self, item: pytest.Item, resolved: Resolved) -> TestContext:
        return TestContext(
            test=self.name_of(item),
            claim=" ".join(docstring_of(getattr(item, "function", None)).split()),
            system=resolved.config.system,
            entry=resolved.entry.name,
            source=resolved.entry.source,
            role=Role.KNOWN_BAD if is_known_bad(item) else Role.GATE,
            run_seed=self.seed,
            attempt=self._attempts[item.nodeid],
            raises=partial(_fails_the_test, resolved),
            pardons=_pardons(resolved, known_bad=is_known_bad(item)),
            started=self.journal.started,
            record=partial(self._record, item, resolved),
            progress=progress_of(self._config, resolved.entry.name, resolved.gate.needs()),
            uncapture=partial(uncapture, self._config),
        )

    def _record(
        self, item: pytest.Item, resolved: Resolved, evidence: Evidence, seconds: float
    ) -> None:
        text = evidence.to_json()
        self.count += 1
        self.seconds[f"{evidence.system}: {evidence.entry}"] += seconds
        self._unsent[item.nodeid].append(text)
        self.ledger.add(text, evidence)
        self.journal.recorded(evidence)
        failed = evidence.role == Role.GATE and evidence.outcome == Outcome.FAIL
        waived = failed and is_waived(evidence, scope_of(resolved.config, resolved.profile))
        item.user_properties += junit_properties(evidence, waived=waived)

    def send(self, item: pytest.Item) -> list[str]:
        """Return the evidence of ``item`` that no test report has carried yet."""
        return self._unsent.pop(item.nodeid, [])

    def worker_summary(self) -> WorkerSummary:
        """Close the journal; return what this process has to tell the controller."""
        lost = self.journal.running()
        self.journal.close()
        unsent = [text for texts in self._unsent.values() for text in texts]
        self._unsent.clear()
        asked = list(self.resolver.asked)
        left = () if self.selected is None else [t for t, *_ in asked if t not in self.selected]
        return {
            "in_use": self.in_use,
            "count": self.count,
            "unsent": unsent,  # of a test that was interrupted no report is sent
            "lost": lost + ([self.journal.fault] if self.journal.fault else []),
            "asked": asked,
            "why": [(test, DESELECTED) for test in dict.fromkeys(left)],
            "places": [str(place) for place in self.resolver.places],
            "told": self.told,
            "seconds": dict(self.seconds),
        }

    def receive_summary(self, summary: WorkerSummary) -> None:
        """Take what a process told when it ended."""
        self.in_use |= summary["in_use"]
        self.ledger.expect(summary["count"])
        self.ledger.add_evidence(summary["unsent"])
        self.ledger.lost += summary["lost"]
        self.ledger.asked.add(summary["asked"], summary["why"])
        self.resolver.look_also_in(summary["places"])
        self.ledger.add_seconds(summary["seconds"])
        self.told += [line for line in summary["told"] if line not in self.told]

    def asked_here(self) -> set[tuple[str, str]]:
        """Return the systems and entries asked for, where paths on the command line chose tests."""
        if self._config.args_source != pytest.Config.ArgsSource.ARGS:
            return set()
        return {(system, entry) for _, system, entry in self.ledger.asked.gates}

    def why_no_report(self, error: Exception) -> str:
        """Return the line that stands for a report which could not be made."""
        where = f"{self.folder}: " if self.folder else ""
        why = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
        return f"{where}the report could not be written: {what_broke(error, given=False)}{why}"

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
    now = kernel_now()
    if known_bad or not any(True for _ in scope.active_waivers(resolved.entry.name, now)):
        return None

    def pardons(verdict: Verdict) -> bool:
        piece = resolved.gate.evidence(Judged(None, verdict), entry=resolved.entry.name)
        return is_waived(piece, scope, now)

    return pardons

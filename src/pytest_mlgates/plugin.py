"""pytest hooks and fixtures; thin.

Until a test asks for a gate, or an option names us, nothing is imported but this module and the
registry: an idle plugin costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_mlgates import registry

if TYPE_CHECKING:
    from pytest_mlgates.report.model import Report
    from pytest_mlgates.session.runner import GateRunner
    from pytest_mlgates.session.session import GateSession

_SESSION = pytest.StashKey["GateSession"]()
_MISTAKES = "mlgates_mistakes"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the ini value."""
    group = parser.getgroup("mlgates", "quality gates for machine learning")
    group.addoption(
        "--mlgates-report", metavar="DIR", default=None, help="write the report into this folder"
    )
    group.addoption(
        "--mlgates-config",
        metavar="DIR|FILE",
        default=None,
        help="gate configs (default: the ini value mlgates_config, gate_configs)",
    )
    group.addoption(
        "--mlgates-profile",
        metavar="NAME",
        default=None,
        help="profile of the gate configs (default: the one called default)",
    )
    group.addoption(
        "--mlgates-seed", metavar="N", type=int, default=0, help="seed of every gate (default: 0)"
    )
    group.addoption(
        "--mlgates-sign",
        metavar="KEY",
        default=None,
        help="sign the report with this private key (PEM; extra `sign`)",
    )
    group.addoption(
        "--mlgates-store", metavar="DIR", default=None, help="keep the report in this store as well"
    )
    parser.addini("mlgates_config", "folder or file with gate configs", default="gate_configs")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; make paths absolute, since workers may stand elsewhere."""
    for name in registry.names():
        config.addinivalue_line(
            "markers",
            f"{name}(entry=None, **stricter): the entry of the gate config that the fixture "
            f"{name} uses, and fields to tighten.",
        )
    config.addinivalue_line("markers", "system(name): the system whose gate config applies.")
    config.addinivalue_line(
        "markers", "known_bad: the subject of this test must FAIL every gate asked here."
    )
    role = _Worker if _is_worker(config) else _Controller
    config.pluginmanager.register(role(config), "mlgates-process")
    here = config.invocation_params.dir
    for option in ("mlgates_report", "mlgates_config", "mlgates_sign", "mlgates_store"):
        if value := config.getoption(option):
            setattr(config.option, option, str(Path(here, value).absolute()))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Replace what an earlier run left in the report folder."""
    config = session.config
    asked = any(map(config.getoption, ("mlgates_report", "mlgates_sign", "mlgates_store")))
    if asked and not _is_worker(config) and not _only_collects(config):
        from pytest_mlgates.core.errors import UsageError

        try:
            _session(config).open()
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        except OSError as error:
            raise pytest.UsageError(
                f"--mlgates-report {config.getoption('mlgates_report')}: the folder can't be "
                f"written: {error.strerror}"
            ) from None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give each test the markers of its gates; find mistakes before any model loads."""
    names = set(registry.names())
    marks = {*names, "known_bad"}
    touched = [
        item
        for item in items
        if names.intersection(getattr(item, "fixturenames", ()))
        or any(mark.name in marks for mark in item.iter_markers())
    ]
    if not touched and not _named(config):
        return
    from pytest_mlgates.session.items import gates_asked

    gates = _session(config)
    mistakes = gates.resolver.check(touched)
    if mistakes:
        if not _is_worker(config):
            raise pytest.UsageError("\n".join(mistakes))
        # an error raised on a worker arrives as something else: the controller says it
        config.workeroutput[_MISTAKES] = mistakes  # type: ignore[attr-defined]
        items[:] = []
        return
    for item in touched:
        for name in sorted(gates_asked(item)):
            gates.in_use = True
            if item.get_closest_marker(name) is None:
                item.add_marker(name)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Count the attempts of a test."""
    if gates := _known(item.config):
        gates.attempt(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Hold a known-bad test, and a test that asks for gates while it runs, to its markers."""
    result = yield
    if _known(item.config):
        from pytest_mlgates.session.known_bad import why_not_caught, why_unused

        known_bad = item.get_closest_marker("known_bad") is not None
        if reason := why_unused(item) or (why_not_caught(item) if known_bad else ""):
            pytest.fail(reason, pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let evidence ride on the report as strings: one path with and without workers."""
    report = yield
    if gates := _known(item.config):
        report.mlgates = gates.send(item)  # type: ignore[attr-defined]
    return report


class _Controller:
    """The hooks of the one process that writes the report; registered there only."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._mistakes: dict[str, None] = {}
        self._lost: list[str] = []
        self._report: Report | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the evidence that a report carries."""
        if evidence := getattr(report, "mlgates", None):
            gates = _session(self._config)
            gates.in_use = True
            gates.ledger.add_evidence(evidence)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what could not be collected: its gates did not run."""
        if report.failed:
            self._lost.append(f"{report.nodeid or 'the tests'}: could not be collected")

    def pytest_keyboard_interrupt(self) -> None:
        """Note that tests were left out; also after pytest.exit, whatever status it asks for."""
        self._lost.append("the run was interrupted")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Count what a worker recorded; note one that died."""
        output = getattr(node, "workeroutput", None)
        if output is None or error:
            self._lost.append(f"the worker {node.gateway.id} died")
            return
        self._mistakes.update(dict.fromkeys(output.get(_MISTAKES, ())))
        if summary := output.get("mlgates"):
            _session(self._config).receive_summary(summary)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the report; the exit status comes from the evidence."""
        if self._mistakes:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
            return
        gates = _known(self._config)
        if gates is None or _only_collects(self._config):
            return
        if exitstatus == pytest.ExitCode.USAGE_ERROR or not (gates.in_use or _named(self._config)):
            return
        if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            self._lost.append("pytest itself broke")
        elif stopped := session.shouldfail or session.shouldstop:
            self._lost.append(f"the run was cut short: {stopped}")
        gates.ledger.lost += dict.fromkeys(self._lost)
        from pytest_mlgates.core.errors import UsageError

        try:
            self._report = gates.finish()
        except UsageError as error:  # of workers that died before they could say it
            self._mistakes.update(dict.fromkeys(error.lines))
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
            return
        bad = self._report.problems or gates.ledger.faults
        if bad and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show the table of gates, and why the run does not pass."""
        for mistake in self._mistakes:
            terminalreporter.write_line(f"ERROR: {mistake}", red=True)
        if self._report is not None:
            from pytest_mlgates.session.terminal import show

            ledger = _session(self._config).ledger
            show(terminalreporter, self._report, ledger.folder, ledger.faults)
            if ledger.sealed:
                terminalreporter.write_line(ledger.sealed)


class _Worker:
    """The hooks of an xdist worker."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Say how much evidence the controller has to have received."""
        if gates := _known(self._config):
            self._config.workeroutput["mlgates"] = gates.worker_summary()  # type: ignore[attr-defined]


@pytest.fixture
def mlgates_seed(pytestconfig: pytest.Config) -> int:
    """Return the seed of this run (--mlgates-seed), for fixtures that make data."""
    return int(pytestconfig.getoption("mlgates_seed"))


def _fixture(name: str) -> Callable[..., object]:
    def gate(request: pytest.FixtureRequest) -> Generator[GateRunner, None, None]:
        yield from _session(request.config).fixture(request, name)

    gate.__doc__ = f"The gate {name} as configured for the test's system; call it with a subject."
    gate.mlgates_gate = name  # type: ignore[attr-defined]
    return pytest.fixture(name=name)(gate)


for _name in registry.names():
    globals()[_name] = _fixture(_name)


def _session(config: pytest.Config) -> GateSession:
    gates = config.stash.get(_SESSION, None)
    if gates is None:
        from pytest_mlgates.session.session import GateSession

        gates = config.stash[_SESSION] = GateSession(config)
    return gates


def _known(config: pytest.Config) -> GateSession | None:
    return config.stash.get(_SESSION, None)


def _named(config: pytest.Config) -> bool:
    """Tell whether an option asks for gates even where no test does."""
    return any(
        config.getoption(option)
        for option in ("mlgates_report", "mlgates_config", "mlgates_profile")
    )


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _only_collects(config: pytest.Config) -> bool:
    return bool(config.getoption("collectonly", False))

"""pytest hooks and fixtures; thin.

Until a test asks for a gate, or an option names us, nothing is imported but this module and the
registry: an idle plugin costs nothing.
"""

from __future__ import annotations

import os
import tempfile
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
#: whether this session is to run tests, and not only to show something
_RUNS = pytest.StashKey[bool]()
_RUN_NAME = pytest.StashKey[str]()
_MISTAKES = "mlgates_mistakes"
_RUN_OF_WORKER = "mlgates_run"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the ini value."""
    group = parser.getgroup("mlgates", "quality gates for machine learning")
    group.addoption(
        "--mlgates-report", metavar="DIR", default=None, help="write the report into this folder"
    )
    group.addoption(
        "--mlgates-config",
        metavar="DIR|FILE",
        action="append",
        default=None,
        help="gate configs; repeatable (default: the ini value mlgates_config, gate_configs)",
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
    for option in ("mlgates_report", "mlgates_sign", "mlgates_store"):
        if value := config.getoption(option):
            setattr(config.option, option, str(Path(here, value).absolute()))
    if values := config.getoption("mlgates_config"):
        config.option.mlgates_config = [str(Path(here, value).absolute()) for value in values]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Hold the exit status once more, after all that runs when a session is over."""
    status = yield
    controller = config.pluginmanager.getplugin("mlgates-process")
    return controller.held(status) if isinstance(controller, _Controller) else status


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Replace what an earlier run left in the report folder, now that tests are to run.

    Not at the start of the session: ``--fixtures`` and others that run no test have one as well.
    """
    config = session.config
    config.stash[_RUNS] = not _runs_nothing(config)
    asked = any(map(config.getoption, ("mlgates_report", "mlgates_sign", "mlgates_store")))
    if not asked or _is_worker(config) or _runs_nothing(config):
        return
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
    from pytest_mlgates.session.items import foreign_fixture, gates_asked

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
        for name in names.intersection(item.fixturenames) if hasattr(item, "fixturenames") else ():
            if item.get_closest_marker("system") and (plugin := foreign_fixture(item, name)):
                gates.told.append(
                    f"{gates.name_of(item)}: {name} is a fixture of {plugin} here and no gate: "
                    f"-p no:{plugin.partition('.')[0]} gives the gate back"
                )


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which tests were not deselected."""
    if gates := _known(session.config):
        gates.select(session.items)


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
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let evidence ride on the report as strings: one path with and without workers."""
    report = yield
    if gates := _known(item.config):
        report.mlgates_why = gates.ended(item, call, report)  # type: ignore[attr-defined]
        report.mlgates = gates.send(item)  # type: ignore[attr-defined]
    return report


class _Controller:
    """The hooks of the one process that writes the report; registered there only."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._pid = os.getpid()
        self._mistakes: dict[str, None] = {}
        self._lost: list[str] = []
        self._report: Report | None = None
        self._broke = ""
        self._stop: BaseException | None = None
        self._shown = False
        #: the least that the run exits with, if it must not exit with 0
        self._status: int | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        """Have the status held around the hooks of all that is registered by now."""
        self._config.pluginmanager.register(_Holder(self), "mlgates-status")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where evidence is kept while the run goes on."""
        node.workerinput[_RUN_OF_WORKER] = _run_name(self._config)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the evidence that a report carries."""
        if evidence := getattr(report, "mlgates", None):
            gates = _session(self._config)
            gates.in_use = True
            gates.ledger.add_evidence(evidence)
        if hasattr(report, "mlgates_why") or _known(self._config):
            _session(self._config).report_came(report)

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

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Write the report: after xdist has ended its workers, before the terminal's summary."""
        result = None
        try:
            result = yield
        except BaseException as error:
            if not self._gated():
                raise
            self._stop = error  # raised again once the table is shown
        if os.getpid() == self._pid:  # a child that a subject forked has no report to write
            self._close(session)
        return result

    def _gated(self) -> bool:
        """Tell whether this run is to have a report."""
        if not self._config.stash.get(_RUNS, False):
            return False
        gates = _known(self._config)
        # of workers that could not say so: else nothing is looked for, and an idle run stays idle
        workers = bool(self._lost) and _RUN_NAME in self._config.stash
        unused = gates is None or not gates.in_use
        if unused and workers and _scratch(self._config).exists():
            gates = _session(self._config)
            gates.in_use = True
        return gates is not None and (gates.in_use or _named(self._config))

    def _close(self, session: pytest.Session) -> None:
        """Make the report and the status; never raise."""
        if self._mistakes:
            self._status = pytest.ExitCode.USAGE_ERROR
            session.exitstatus = self._status
            return
        if session.exitstatus == pytest.ExitCode.USAGE_ERROR or not self._gated():
            return
        if session.exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            self._lost.append("pytest itself broke")
        elif stopped := session.shouldfail or session.shouldstop:
            self._lost.append(f"the run was cut short: {stopped}")
        gates = _session(self._config)
        gates.ledger.lost += dict.fromkeys(self._lost)
        from pytest_mlgates.core.errors import UsageError

        try:
            self._report = gates.finish()
            bad = bool(self._report.problems or gates.ledger.faults)
        except UsageError as error:  # of workers that died before they could say it
            self._mistakes.update(dict.fromkeys(error.lines))
            session.exitstatus = self._status = pytest.ExitCode.USAGE_ERROR
            return
        except Exception as error:  # noqa: BLE001  (a run whose report broke has to end as any other)
            self._broke, bad = gates.why_no_report(error), True
        if bad:
            self._status = pytest.ExitCode.TESTS_FAILED
        session.exitstatus = self.held(session.exitstatus)

    def held(self, status: Any) -> Any:
        """Return an exit status, or ours in place of one that says that all is well."""
        if self._status is not None and status in (
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
            None,
        ):
            return self._status
        return status

    def stop_again(self) -> None:
        """Raise what a hook of someone else raised while the session was finished."""
        if self._stop is not None:
            if isinstance(self._stop, pytest.exit.Exception):
                self._stop.returncode = self.held(self._stop.returncode)
            raise self._stop

    def show_after(self, status: int) -> None:
        """Show the table after an internal error, for which pytest asks for no summary."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if status == pytest.ExitCode.INTERNAL_ERROR and not self._shown and reporter is not None:
            self.pytest_terminal_summary(reporter)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show the table of gates, and why the run does not pass."""
        self._shown = True
        for mistake in self._mistakes:
            terminalreporter.write_line(f"ERROR: {mistake}", red=True)
        gates = _known(self._config)
        if self._broke and gates is not None:
            terminalreporter.section("ML gates: INCOMPLETE")
            for line in [*gates.ledger.from_memory(), self._broke]:
                terminalreporter.write_line(line, red=True)
        if self._report is not None and gates is not None:
            from pytest_mlgates.session.terminal import show

            ledger = gates.ledger
            show(terminalreporter, self._report, ledger.folder, ledger.faults, gates.asked_here())
            if ledger.sealed:
                terminalreporter.write_line(ledger.sealed)
        for line in gates.told if gates is not None else ():
            terminalreporter.write_line(line, yellow=True)


class _Holder:
    """The outermost hook at the end: whatever others made of the exit status, a FAIL fails."""

    def __init__(self, controller: _Controller) -> None:
        self._controller = controller

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Hold the exit status."""
        try:
            result = yield
        except pytest.exit.Exception as stop:
            stop.returncode = self._controller.held(stop.returncode)
            raise
        finally:
            session.exitstatus = self._controller.held(session.exitstatus)
        self._controller.show_after(session.exitstatus)
        self._controller.stop_again()
        return result


class _Worker:
    """The hooks of an xdist worker."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Say how much evidence the controller has to have received, once all is torn down."""
        try:
            return (yield)
        finally:
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

        gates = config.stash[_SESSION] = GateSession(config, _scratch(config))
    return gates


def _run_name(config: pytest.Config) -> str:
    """Return the name that this run goes by, in all of its processes."""
    told = getattr(config, "workerinput", {}).get(_RUN_OF_WORKER)
    fresh = f"mlgates-{os.getpid()}-{os.urandom(16).hex()}"
    return config.stash.setdefault(_RUN_NAME, told or fresh)


def _scratch(config: pytest.Config) -> Path:
    """Return where this run keeps its evidence while it goes on; nothing is made there yet."""
    return Path(tempfile.gettempdir(), _run_name(config))


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


def _runs_nothing(config: pytest.Config) -> bool:
    """Tell whether tests are collected, and shown, and not run."""
    return any(config.getoption(option, False) for option in ("collectonly", "setuponly"))

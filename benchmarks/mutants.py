"""Would a test notice? One token changed at a time, and the tests of that module run.

A random sample of one-token mutants (an operator, a number, a truth value, ``min`` for ``max``, a
separator) over the statistics, every gate, the readers and replay. Each is applied alone, in a copy of
the tree; only the tests of its module run, with the module's own doctests first, and stop at the first
failure. What survives is printed with its line; what can't be told apart by any test stands, with the
reason, in ``benchmarks/mutants_equivalent.txt``. The status is 1 where more than one in twenty of the
others survives. The idea: DeMillo, Lipton and Sayward, IEEE Computer 11(4), 1978.

    python benchmarks/mutants.py [-n 300] [--seed N] [--under PATH…] [--jobs N]
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from mutants_of import Mutant, mutants_of
from mutants_tests import files_of, tests_of

ROOT = Path(__file__).resolve().parents[1]
EQUIVALENT = Path(__file__).with_name("mutants_equivalent.txt")
TOLERATED = 0.05
#: loaded once, for all children: to import them takes longer than most tests
SHARED = ("numpy", "scipy.stats", "scipy.optimize", "pandas", "statsmodels.api", "yaml")

Targets = tuple[str, ...]


def equivalent() -> dict[tuple[str, str, str], str]:
    """Return the reason for each mutant that no test can tell from the original."""
    found = {}
    for line in EQUIVALENT.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            where, source, change, reason = (part.strip() for part in line.split(" :: "))
            found[where, source, change] = reason
    return found


@dataclass
class Running:
    """A child that runs tests."""

    pid: int
    begin: float
    limit_s: float
    mutant: Mutant | None

    def outcome(self) -> tuple[str, float] | None:
        """Return what became of it and the seconds it took, or None while it runs."""
        took = time.monotonic() - self.begin
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            return "passed" if os.waitstatus_to_exitcode(status) == 0 else "failed", took
        if took > self.limit_s:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            return "too slow", took
        return None


class Copy:
    """A copy of the tree in which one mutant at a time lives."""

    def __init__(self) -> None:
        self._held = tempfile.TemporaryDirectory(prefix="mutants-")
        held = Path(self._held.name).resolve()
        # what tests write stands beside the copy: inside, they would find its configs
        self.root, self.scratch = held / "tree", held / "scratch"
        self.root.mkdir()
        self.scratch.mkdir()
        ignored = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info")
        for name in ("src", "tests", "reference_systems", "gate_configs", "docs", "benchmarks"):
            shutil.copytree(ROOT / name, self.root / name, ignore=ignored)
        for name in (
            "pyproject.toml",
            "README.md",
            "CONTRIBUTING.md",
            "constraints.txt",
            "tox.ini",
        ):
            shutil.copy(ROOT / name, self.root / name)
        self._original: tuple[Path, str] | None = None

    def start(self, targets: Targets, limit_s: float, mutant: Mutant | None = None) -> Running:
        """Apply a mutant, and run tests in a child that has the libraries already."""
        if mutant is not None:
            path = self.root / mutant.path
            self._original = path, path.read_text("utf-8")
            path.write_text(mutant.applied(self._original[1]), "utf-8")
        begin = time.monotonic()
        pid = os.fork()
        if pid == 0:
            code = 99
            try:
                code = self._child(targets)
            finally:
                os._exit(code)
        return Running(pid, begin, limit_s, mutant)

    def restore(self) -> None:
        """Put the original back."""
        if self._original is not None:
            path, text = self._original
            path.write_text(text, "utf-8")
            self._original = None

    @property
    def said(self) -> str:
        """What the last run printed."""
        return (self.scratch / "said.txt").read_text("utf-8", errors="replace")

    def _child(self, targets: Targets) -> int:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        said = os.open(self.scratch / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for held, to in ((nothing, 0), (said, 1), (said, 2)):
            os.dup2(held, to)
        os.chdir(self.root)
        source = str(self.root / "src")
        os.environ |= {"PYTHONPATH": source, "TMPDIR": str(self.scratch), "OMP_NUM_THREADS": "1"}
        # plugins that are installed beside ours take longer to load than most tests
        os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        os.environ |= {"PYTEST_PLUGINS": "pytest_mlgates.plugin,pytest_rerunfailures"}
        tempfile.tempdir = None
        sys.dont_write_bytecode = True
        sys.path[:] = [source, *(p for p in sys.path if p != str(Path(__file__).parent))]
        options = ["-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider"]
        options += ["--doctest-modules", "--doctest-ignore-import-errors", "-m", "not timing"]
        return int(pytest.main([*options, *targets]))

    def close(self) -> None:
        """Remove the copy."""
        self._held.cleanup()


def sampled(args: argparse.Namespace) -> list[Mutant]:
    """Return the mutants to try, in random order."""
    mutants = [
        mutant
        for path in files_of(ROOT)
        if any(path.startswith(under) for under in args.under)
        for mutant in mutants_of(path, (ROOT / path).read_text("utf-8"))
    ]
    print(f"{len(mutants)} one-token mutants; seed {args.seed}", flush=True)
    return random.Random(args.seed).sample(mutants, min(args.n, len(mutants)))


def baselines(copy: Copy, mutants: list[Mutant]) -> dict[Targets, float]:
    """Return how long the unchanged tests take; none may fail, or every mutant would seem found."""
    took = {}
    for targets in sorted({tests_of(mutant.path)[1:] for mutant in mutants}):
        running = copy.start(targets, 1800)
        while (ended := running.outcome()) is None:
            time.sleep(0.02)
        if ended[0] != "passed":
            raise SystemExit(f"unchanged, these tests are {ended[0]}: {targets}\n{copy.said}")
        took[targets] = ended[1]
    return took


def outcomes(
    copies: list[Copy], mutants: list[Mutant], took: dict[Targets, float]
) -> Iterator[tuple[Mutant, str, float]]:
    """Yield what became of each mutant as it ends."""
    due, free = list(reversed(mutants)), list(copies)
    running: list[tuple[Copy, Running]] = []
    while due or running:
        while due and free:
            mutant, copy = due.pop(), free.pop()
            limit_s = 30 + 5 * took.get(tests_of(mutant.path)[1:], 120)
            running.append((copy, copy.start(tests_of(mutant.path), limit_s, mutant)))
        for copy, one in list(running):
            if (ended := one.outcome()) is not None:
                running.remove((copy, one))
                copy.restore()
                free.append(copy)
                assert one.mutant is not None
                yield one.mutant, *ended
        time.sleep(0.02)


def _load_shared() -> None:
    for name in SHARED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    from hypothesis import HealthCheck, settings

    # a busy machine is no failure of a mutant
    settings.register_profile(
        "mutants", deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    settings.load_profile("mutants")


def main() -> int:
    """Try a sample and say what survived."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("-n", type=int, default=300, help="mutants to try")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    parser.add_argument("--under", nargs="*", default=[""], help="only files that begin so")
    parser.add_argument(
        "--green", action="store_true", help="the unchanged tests are known to pass: don't run them"
    )
    parser.add_argument("--list", action="store_true", help="show the sample and try nothing")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the copies are removed
    mutants = sampled(args)
    if args.list:
        print(*mutants, sep="\n")
        return 0
    _load_shared()
    known = equivalent()
    copies = [Copy() for _ in range(max(1, args.jobs))]
    lived: list[Mutant] = []
    same = 0
    try:
        took = {} if args.green else baselines(copies[0], mutants)
        for number, (mutant, outcome, seconds) in enumerate(outcomes(copies, mutants, took), 1):
            survived, reason = outcome == "passed", known.get(mutant.key)
            same += survived and reason is not None
            if survived and reason is None:
                lived.append(mutant)
            word = "EQUIVALENT" if survived and reason else "SURVIVED" if survived else outcome
            print(f"{number:4} {word:10} {seconds:5.0f} s  {mutant}", flush=True)
    finally:
        for copy in copies:
            copy.close()
    tried = len(mutants) - same
    share = len(lived) / tried if tried else 0.0
    print(f"\nseed {args.seed}: {len(lived)} of {tried} survived ({share:.1%}), {same} equivalent")
    print(*(f"  {mutant}" for mutant in lived), sep="\n")
    return int(share > TOLERATED)


if __name__ == "__main__":
    sys.exit(main())

"""Run a system's own gates on its incident and its fix over many seeds, and count."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from pytest_mlgates.core import Evidence, Role
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.files import put
from pytest_mlgates.core.words import table

__all__ = ["Proof", "prove", "prove_systems", "table_of"]


@dataclasses.dataclass(frozen=True, slots=True)
class Proof:
    """How one entry fared: outcomes on the incident build and on the fixed build, by count."""

    system: str
    entry: str
    incident: Counter[str]
    fixed: Counter[str]

    @property
    def proved(self) -> bool:
        """Whether every incident was caught, a fix passed, and none failed."""
        caught = 0 < self.incident["fail"] == self.incident.total()
        alarms = self.fixed["fail"] + self.fixed["error"]
        return caught and self.fixed["pass"] > 0 and not alarms

    def to_dict(self) -> dict[str, object]:
        """Return the counts and the exact 95 % intervals."""
        return {
            "system": self.system,
            "entry": self.entry,
            "incident": dict(self.incident),
            "fixed": dict(self.fixed),
            "catch_rate": exact(self.incident["fail"], self.incident.total()),
            "false_alarm_rate": exact(self.fixed["fail"] + self.fixed["error"], self.fixed.total()),
            "proved": self.proved,
        }


def prove_systems(args: Namespace) -> int:
    """Print how each entry of some systems fared over seeds; with ``--out`` write it as JSON."""
    if args.seeds < 1:
        raise UsageError(f"--seeds {args.seeds}: at least one seed")
    if args.minutes is not None and not args.minutes > 0:
        raise UsageError(f"--minutes {args.minutes:g}: more than none")
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    paths = [_system_path(s) for s in args.systems]
    limit_s = None if args.minutes is None else 60 * args.minutes
    results = prove(paths, seeds, progress=sys.stderr.isatty(), limit_s=limit_s)
    print(table_of(results))
    if args.out is not None:
        put(args.out, json.dumps([r.to_dict() for r in results], indent=1) + "\n")
    return 0 if results and all(result.proved for result in results) else 1


def _system_path(system: str) -> Path:
    for path in (Path(system), Path("reference_systems", system)):
        if path.exists():
            return path
    raise UsageError(f"{system}: neither a path nor a folder of reference_systems")


def exact(hits: int, n: int) -> tuple[float, float] | None:
    """Return the 95 % Clopper-Pearson interval of a rate, or None without observations.

    >>> [round(end, 4) for end in exact(200, 200)]
    [0.9817, 1.0]
    """
    if n == 0:
        return None
    from scipy.stats import binomtest

    interval = binomtest(hits, n).proportion_ci(0.95, "exact")
    return float(interval.low), float(interval.high)


def prove(
    paths: Sequence[Path],
    seeds: Iterable[int],
    *,
    progress: bool = False,
    limit_s: float | None = None,
) -> list[Proof]:
    """Run the tests under ``paths`` once for each seed, in this process, and count outcomes.

    Within ``limit_s`` each path runs by itself, with one seed at least, and then with as many as
    there is time for, judged by the longest of its own so far.
    """
    # a user's addopts may ask for workers, which would keep the evidence from us
    alone = ["-n", "0"] if find_spec("xdist") else []
    # pytest warns that it can't rewrite what this process imported already
    alone += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    counts: dict[tuple[str, str], dict[Role, Counter[str]]] = {}
    for seed, some in _rounds(paths, seeds, limit_s):
        gathered = _Gather()
        words = [*map(str, some), f"--mlgates-seed={seed}", "-q", "-p", "no:cacheprovider"]
        # this command has imported the plugin before pytest could rewrite its asserts
        words += ["-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"]
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            status = pytest.main([*words, *alone], plugins=[gathered])
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            sys.stderr.write(output.getvalue())
            raise SystemExit(4)
        for piece in gathered.evidence:
            roles = counts.setdefault((piece.system, piece.entry), {r: Counter() for r in Role})
            roles[piece.role][piece.outcome.value] += 1
        if progress:
            sys.stderr.write(f"\rseed {seed}: {len(gathered.evidence)} verdicts ")
    if progress:
        sys.stderr.write("\n")
    return [
        Proof(system, entry, roles[Role.KNOWN_BAD], roles[Role.GATE])
        for (system, entry), roles in sorted(counts.items())
    ]


def _rounds(
    paths: Sequence[Path], seeds: Iterable[int], limit_s: float | None
) -> Iterator[tuple[int, Sequence[Path]]]:
    """Yield each seed with the paths that run with it; within a limit, one by one while they fit."""
    if limit_s is None:
        yield from ((seed, paths) for seed in seeds)
        return
    start, longest = time.monotonic(), dict.fromkeys(paths, 0.0)
    for seed in seeds:
        for path in paths:
            begin = time.monotonic()
            if longest[path] and begin - start + longest[path] > limit_s:
                continue
            yield seed, [path]
            longest[path] = max(longest[path], time.monotonic() - begin)
        if time.monotonic() - start > limit_s:
            return


class _Gather:
    """Takes the evidence off the test reports."""

    def __init__(self) -> None:
        self.evidence: list[Evidence] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.evidence += [Evidence.from_json(text) for text in getattr(report, "mlgates", ())]


def table_of(proofs: Sequence[Proof]) -> str:
    """Return the proofs as a table with exact 95 % intervals."""
    lines: list[tuple[str, ...]] = [
        ("system", "gate", "incident caught", "fix failed", "fix passed")
    ]
    for proof in proofs:
        caught, n = proof.incident["fail"], proof.incident.total()
        failed, m = proof.fixed["fail"] + proof.fixed["error"], proof.fixed.total()
        rates = (_rate(caught, n), _rate(failed, m), _rate(proof.fixed["pass"], m))
        lines.append((proof.system, proof.entry, *rates))
    return "\n".join(table(lines))


def _rate(hits: int, n: int) -> str:
    interval = exact(hits, n)
    if interval is None:
        return "never run"
    low, high = interval
    return f"{hits} of {n} ({low:.1%} to {high:.1%})"

"""Would a test notice? One token changed at a time, and the tests of that module run.

A random sample of one-token mutants (an operator, a number, a truth value, ``min`` for ``max``, a
separator) over the statistics, every gate, the readers and replay. Each is applied alone, in a copy of
the tree; only the tests of its module run, with the module's own doctests first, and stop at the first
failure. What survives is printed with its line; what can't be told apart by any test stands, with the
reason, in ``benchmarks/mutants_equivalent.txt``. The status is 1 where more than one in twenty of the
others survives. The idea: DeMillo, Lipton and Sayward, IEEE Computer 11(4), 1978.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

sys.path.insert(0, str(Path(__file__).resolve().parent))

from mutants_of import Mutant, mutants_of
from mutants_tests import files_of, tests_of

ROOT = Path(__file__).resolve().parents[1]
EQUIVALENT = Path(__file__).with_name("mutants_equivalent.txt")
TOLERATED = 0.05


def equivalent() -> dict[tuple[str, str, str], str]:
    """Return the reason for each mutant that no test can tell from the original."""
    found = {}
    for line in EQUIVALENT.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            where, source, change, reason = (part.strip() for part in line.split(" :: "))
            found[where, source, change] = reason
    return found


class Copy:
    """A copy of the tree in which one mutant at a time lives."""

    def __init__(self) -> None:
        self._held = tempfile.TemporaryDirectory(prefix="mutants-")
        self.root = Path(self._held.name)
        ignored = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info", "report")
        for name in ("src", "tests", "reference_systems", "gate_configs", "docs"):
            shutil.copytree(ROOT / name, self.root / name, ignore=ignored)
        for name in ("pyproject.toml", "README.md", "CONTRIBUTING.md", "constraints.txt"):
            shutil.copy(ROOT / name, self.root / name)

    def run(self, targets: tuple[str, ...], limit_s: float) -> tuple[str, float]:
        """Run tests here; return "passed", "failed" or "too slow", and the seconds it took."""
        env = os.environ | {
            "PYTHONPATH": str(self.root / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
            "TMPDIR": str(self.root),
        }
        command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=no"]
        command += ["-p", "no:cacheprovider", "-p", "no:randomly", "--doctest-modules"]
        command += ["--doctest-ignore-import-errors", "-m", "not timing", *targets]
        begin = time.monotonic()
        try:
            done = subprocess.run(
                command, cwd=self.root, env=env, timeout=limit_s, check=False, capture_output=True
            )
        except subprocess.TimeoutExpired:
            return "too slow", time.monotonic() - begin
        self.said = done.stdout.decode(errors="replace")
        return "passed" if done.returncode == 0 else "failed", time.monotonic() - begin

    def tried(self, mutant: Mutant, limit_s: float) -> tuple[str, float]:
        """Apply a mutant, run the tests of its module, and put the original back."""
        path = self.root / mutant.path
        original = path.read_text("utf-8")
        path.write_text(mutant.applied(original), "utf-8")
        try:
            return self.run(tests_of(mutant.path), limit_s)
        finally:
            path.write_text(original, "utf-8")

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


def baselines(copies: list[Copy], mutants: list[Mutant]) -> dict[tuple[str, ...], float]:
    """Return how long the unchanged tests take; none may fail, or every mutant would seem found."""
    took = {}
    for targets in sorted({tests_of(mutant.path) for mutant in mutants}):
        outcome, seconds = copies[0].run(targets, 1800)
        if outcome != "passed":
            raise SystemExit(
                f"unchanged, these tests are {outcome}: {' '.join(targets)}\n{copies[0].said}"
            )
        took[targets] = seconds
    return took


def outcomes(
    copies: list[Copy], mutants: list[Mutant], took: dict[tuple[str, ...], float]
) -> Iterator[tuple[Mutant, str, float]]:
    """Yield what became of each mutant, in the order of the sample."""
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def one(mutant: Mutant) -> tuple[Mutant, str, float]:
        copy = free.get()
        try:
            limit_s = 20 + 4 * took[tests_of(mutant.path)]
            return (mutant, *copy.tried(mutant, limit_s))
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        yield from pool.map(one, mutants)


def main() -> int:
    """Try a sample and say what survived."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("-n", type=int, default=300, help="mutants to try")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    parser.add_argument("--under", nargs="*", default=[""], help="only files that begin so")
    parser.add_argument("--list", action="store_true", help="show the sample and try nothing")
    args = parser.parse_args()
    mutants = sampled(args)
    if args.list:
        print(*mutants, sep="\n")
        return 0
    known = equivalent()
    copies = [Copy() for _ in range(max(1, args.jobs))]
    lived: list[Mutant] = []
    same = 0
    try:
        took = baselines(copies, mutants)
        for number, (mutant, outcome, seconds) in enumerate(outcomes(copies, mutants, took), 1):
            reason = known.get(mutant.key)
            survived = outcome == "passed"
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

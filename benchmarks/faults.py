"""Kills, interrupts, time-outs, frozen clocks and full disks at random moments of a gated run.

Each trial runs pytest in a process of its own, without workers or with two, and does one thing to
it at a random moment. The tests write down, beside the product, which verdict their gate returned.
Then three things are counted that must not happen:

* lost evidence: a verdict that a gate returned, and neither the report (recovered by `mlgates
  report` after a kill) nor, without a report folder, the terminal holds it;
* a wrong status: exit status 0 although a gate failed, or a test left no evidence under `complete`;
* a pass without measurement: a report or a headline that says PASS although a gate left nothing.

    python benchmarks/faults.py [--trials 300] [--seed N] [--minutes 18] [--jobs 3]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TESTS = 6
CONFIG = """\
version: 1
system: demo
owner: me
gates:
  slice_coverage: {min_share: 0.1}
profiles:
  default: {complete: true}
"""
#: what a test can do to its own process from inside, at a random one of the tests
INSIDE = {
    "nothing": "",
    "frozen clock": (
        "import datetime\n"
        "    class Frozen(datetime.datetime):\n"
        "        @classmethod\n"
        "        def now(cls, tz=None): return cls(2020, 1, 1, tzinfo=tz)\n"
        "    datetime.datetime = Frozen\n"
        "    time.time = time.monotonic = time.perf_counter = lambda: 5.0\n"
        "    time.perf_counter_ns = time.monotonic_ns = lambda: 5"
    ),
    "full disk": (
        "import resource, signal\n"
        "    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, resource.RLIM_INFINITY))"
    ),
    "time-out": (
        "import signal\n"
        "    def over(*_): pytest.fail('Timeout')\n"
        "    signal.signal(signal.SIGALRM, over)\n"
        "    signal.setitimer(signal.ITIMER_REAL, {delay})"
    ),
    "crash": "os.abort()",
    "pytest.exit": "pytest.exit('enough', returncode=0)",
}
#: what is done to it from outside: the signal, and whether the whole group gets it
OUTSIDE = {
    "kill": (signal.SIGKILL, False),
    "kill a worker": (signal.SIGKILL, None),
    "terminate": (signal.SIGTERM, False),
    "Ctrl-C": (signal.SIGINT, True),
    "interrupt": (signal.SIGINT, False),
}
MODULE = """\
import os, time
import pytest
pytestmark = pytest.mark.system("demo")
real_sleep = time.sleep
SHARES = {shares}

@pytest.mark.xfail(strict=False)
@pytest.mark.parametrize("n", range({tests}))
def test_it(slice_coverage, n):
    if n == {moment}:
        accident()
    def key(row):
        real_sleep(0.002)
        return row["k"]
    rows = [{{"k": "a"}}] * SHARES[n] + [{{"k": "b"}}] * (40 - SHARES[n])
    verdict = "pass"
    try:
        slice_coverage(rows, key)
    except AssertionError as error:
        verdict = error.evidence.outcome.value
        raise
    except BaseException:
        verdict = ""
        raise
    finally:
        if verdict:
            file = os.open("truth", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(file, f"{{n}} {{verdict}}\\n".encode())
            os.close(file)

def accident():
    {accident}
    return
"""


@dataclass(frozen=True)
class Trial:
    """What is done to one run, all of it from the seed."""

    seed: int
    fault: str
    workers: int
    folder: bool
    fails: bool


@dataclass
class Result:
    """What came of it; each list is empty where all is well."""

    trial: Trial
    status: int
    lost: list[str]
    wrong_status: list[str]
    vacuous: list[str]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--minutes", type=float, default=18.0, help="no trial begins after that")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="33 trials")
    args = parser.parse_args()
    if args.quick:
        args.trials = 33
    print(f"seed {args.seed}: `python benchmarks/faults.py --seed {args.seed}` repeats it")
    # a job that a script started in the background has Ctrl-C ignored, and so would its children
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ends = time.monotonic() + 60 * args.minutes
    trials = list(_trials(args.seed, args.trials))

    def one(trial: Trial) -> Result | None:
        return run(trial) if time.monotonic() < ends else None

    with ThreadPoolExecutor(args.jobs) as pool:
        results = [result for result in pool.map(one, trials) if result is not None]
    return report(results, len(trials))


def _trials(seed: int, count: int) -> list[Trial]:
    rng = random.Random(seed)
    faults = [*INSIDE, *OUTSIDE]
    made = []
    for at in range(count):
        fault = faults[at % len(faults)]
        workers = 2 if fault == "kill a worker" else rng.choice((0, 2))
        made.append(
            Trial(rng.getrandbits(32), fault, workers, rng.random() < 0.7, rng.random() < 0.7)
        )
    return made


def run(trial: Trial) -> Result:
    """Run one trial and hold what is left against what was."""
    rng = random.Random(trial.seed)
    with tempfile.TemporaryDirectory(prefix="mlgates-faults-") as place:
        root = Path(place)
        _write(root, trial, rng)
        status, output = _pytest(root, trial, rng)
        truth = _truth(root)
        return _judged(root, trial, status, output, truth)


def _write(root: Path, trial: Trial, rng: random.Random) -> None:
    (root / "gate_configs").mkdir()
    (root / "gate_configs" / "demo.yaml").write_text(CONFIG)
    (root / "pytest.ini").write_text("[pytest]\n")
    (root / "tmp").mkdir()
    shares = [20] * TESTS
    if trial.fails:
        shares[rng.randrange(TESTS)] = 1
    accident = INSIDE.get(trial.fault, "").format(
        size=rng.choice((0, 200, 2_000, 20_000)), delay=round(rng.uniform(0.001, 0.2), 4)
    )
    moment = rng.randrange(TESTS) if accident else -1
    text = MODULE.format(shares=shares, tests=TESTS, moment=moment, accident=accident or "pass")
    (root / "test_it.py").write_text(text)


def _pytest(root: Path, trial: Trial, rng: random.Random) -> tuple[int, str]:
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", str(trial.workers)]
    if trial.folder:
        words.append("--mlgates-report=report")
    with (root / "output").open("wb") as out:
        process = subprocess.Popen(
            words, cwd=root, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "TMPDIR": str(root / "tmp")},
        )  # fmt: skip
        if trial.fault in OUTSIDE:
            _wait_for_the_tests(root, process, rng)
            _hit(process, *OUTSIDE[trial.fault], rng)
        try:
            status = process.wait(120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            status = process.wait()
        with contextlib.suppress(ProcessLookupError):  # orphans of a controller that was killed
            os.killpg(process.pid, signal.SIGKILL)
    time.sleep(0.1)
    return status, (root / "output").read_text(errors="replace")


def _wait_for_the_tests(root: Path, process: subprocess.Popen[bytes], rng: random.Random) -> None:
    """Wait for a random one of the tests to have ended, and a little longer."""
    wanted, ends = rng.randrange(TESTS), time.monotonic() + 60
    while process.poll() is None and time.monotonic() < ends and len(_truth(root)) < wanted:
        time.sleep(0.01)
    if wanted == 0:
        time.sleep(rng.uniform(0, 2))
    time.sleep(rng.uniform(0, 0.15))


def _hit(
    process: subprocess.Popen[bytes], number: int, group: bool | None, rng: random.Random
) -> None:
    try:
        if group is None:
            children = subprocess.run(
                ["ps", "-o", "pid=", "--ppid", str(process.pid)],
                capture_output=True,
                text=True,
                check=False,
            ).stdout.split()
            if children:
                os.kill(int(rng.choice(children)), number)
        elif group:
            os.killpg(process.pid, number)
        else:
            os.kill(process.pid, number)
    except ProcessLookupError:
        pass  # it had ended


def _truth(root: Path) -> dict[int, str]:
    try:
        lines = (root / "truth").read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {int(n): verdict for n, _, verdict in (line.partition(" ") for line in lines)}


def _judged(root: Path, trial: Trial, status: int, output: str, truth: dict[int, str]) -> Result:
    killed = status < 0
    said = re.search(r"=+ ML gates: (\w+)", output)
    headline = said.group(1) if said else ""
    found: dict[int, str] | None = None
    outcome = ""
    if trial.folder and (root / "report" / "report.json").exists():
        if (root / "report" / "journal").exists():
            subprocess.run(
                [sys.executable, "-m", "pytest_mlgates", "report", "report"],
                cwd=root, capture_output=True, check=False,
            )  # fmt: skip
        report = json.loads((root / "report" / "report.json").read_text())
        outcome = report["outcome"]
        found = {_number(e["test"]): e["verdict"]["outcome"] for e in report["evidence"]}
    result = Result(trial, status, [], [], [])
    if found is not None:
        result.lost += [
            f"test {n}: {verdict}, and the report has {found.get(n)}"
            for n, verdict in truth.items()
            if found.get(n) != verdict
        ]
    elif not killed and "fail" in truth.values() and "FAIL:" not in output:
        # without a folder (or with one that no file fits in) the terminal is all there is
        result.lost.append("a FAIL that the terminal does not show")
    whole = len(truth) == TESTS and set(truth.values()) == {"pass"}
    if status == 0 and not whole:
        result.wrong_status.append(f"0 although the tests saw {truth}")
    if not whole and "pass" in (outcome, headline.lower()):
        result.vacuous.append(f"{outcome or headline} although the tests saw {truth}")
    if found is not None and outcome == "pass" and len(found) < TESTS:
        result.vacuous.append(f"pass with {len(found)} of {TESTS} pieces")
    return result


def _number(test: str) -> int:
    return int(test.rpartition("[")[2].rstrip("]"))


def report(results: list[Result], planned: int) -> int:
    """Print what happened by fault; return the exit status."""
    kinds = ("lost", "wrong_status", "vacuous")
    print(f"{'fault':16}{'-n 0':>6}{'-n 2':>6}  lost  wrong status  pass without measurement")
    totals = Counter[str]()
    for fault in [*INSIDE, *OUTSIDE]:
        mine = [result for result in results if result.trial.fault == fault]
        by = Counter(result.trial.workers for result in mine)
        counts = {kind: sum(bool(getattr(r, kind)) for r in mine) for kind in kinds}
        totals.update(counts)
        print(
            f"{fault:16}{by[0]:6}{by[2]:6}  {counts['lost']:4}  {counts['wrong_status']:12}  "
            f"{counts['vacuous']:24}"
        )
    for result in results:
        for kind in kinds:
            for line in getattr(result, kind):
                print(f"{kind}: {result.trial}: status {result.status}: {line}")
    print(
        f"{len(results)} of {planned} trials: lost evidence {totals['lost']}, wrong status "
        f"{totals['wrong_status']}, PASS without measurement {totals['vacuous']}"
    )
    return 1 if totals.total() or not results else 0


if __name__ == "__main__":
    sys.exit(main())

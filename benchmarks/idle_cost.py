"""What a pytest plugin costs a run that does not use it: ours, Hypothesis, pytest-benchmark, deepeval.

A one-line test file, warm; each tool in a virtual environment of its own. Each round runs, for each
tool and in random order: *bare* (the same environment, PYTEST_DISABLE_PLUGIN_AUTOLOAD=1), *all*
(every plugin the environment holds) and *others* (all but the tool's own plugin). The cost is the
difference within a round; the figure is its median, with the 95 % interval of order statistics.
Other work on the machine only ever adds to a run, so within a round each arm counts by the cheapest
of its runs: three, or one where a run takes so long that the noise is small beside it.

The last row puts ours beside many other distributions (metadata only, an entry point in each), since
whoever looks for plugins reads them all; pytest itself does, so there `all - others` is our share.

    python benchmarks/idle_cost.py [--quick] [--work DIR] [--out FILE]
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import math
import os
import platform
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
INSTALL_S = 900
REPEATS, SLOW_MS = 3, 1500.0
RUN_S = 120
#: ours has to stay inside these
GOAL_CPU_MS, GOAL_MODULES = 20.0, 5
BARE, OTHERS, ALL = "bare", "others", "all"
UNITS = ("cpu_ms", "wall_ms")


@dataclasses.dataclass(frozen=True)
class Tool:
    """A plugin to be measured: what pip installs, its pytest name, the variables it is run with."""

    label: str
    requirements: tuple[str, ...]
    distribution: str
    plugin: str
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    note: str = ""
    fillers: int = 0

    def arguments(self, arm: str) -> list[str]:
        """Return what pytest is given beside the test file."""
        return ["-p", f"no:{self.plugin}"] if arm == OTHERS else []

    def environment(self, arm: str) -> dict[str, str]:
        """Return the variables of a run."""
        return {**self.env, **({"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} if arm == BARE else {})}


OURS = Tool("pytest-mlgates", (str(CHECKOUT),), "pytest-mlgates", "mlgates")


def tools(fillers: int) -> list[Tool]:
    """Return what is compared; the last is ours among many distributions."""
    return [
        OURS,
        Tool("hypothesis", ("hypothesis", "pytest"), "hypothesis", "hypothesispytest"),
        Tool("pytest-benchmark", ("pytest-benchmark",), "pytest-benchmark", "benchmark"),
        Tool(
            "deepeval",
            ("deepeval",),
            "deepeval",
            "deepeval",
            {"DEEPEVAL_TELEMETRY_OPT_OUT": "1"},
            "its telemetry switched off (DEEPEVAL_TELEMETRY_OPT_OUT=1)",
        ),
        dataclasses.replace(
            OURS,
            label=f"pytest-mlgates, {fillers} other distributions",
            note="its own share is the figure: pytest reads their metadata too",
            fillers=fillers,
        ),
    ]


class InstallFailed(Exception):
    """pip could not make the environment; the text is its last line."""


def make_venv(folder: Path, requirements: Sequence[str]) -> Path:
    """Return the Python of a virtual environment with ``requirements``, made or found in ``folder``."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "requirements.stamp"
    wanted = "\n".join([sys.version, *requirements, _digest_of_checkout(requirements)])
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return python
    print(f"installing {', '.join(requirements)} ...", file=sys.stderr)
    _must([sys.executable, "-m", "venv", "--clear", str(folder)])
    _must([str(python), "-m", "pip", "install", "--quiet", *requirements])
    stamp.write_text(wanted, "utf-8")
    return python


def _digest_of_checkout(requirements: Sequence[str]) -> str:
    if not any(requirement.startswith(str(CHECKOUT)) for requirement in requirements):
        return ""
    files = [CHECKOUT / "pyproject.toml", *sorted((CHECKOUT / "src").rglob("*.*"))]
    digest = hashlib.sha256()
    for file in files:
        if file.is_file() and file.suffix != ".pyc":
            digest.update(str(file.relative_to(CHECKOUT)).encode() + file.read_bytes())
    return digest.hexdigest()


def _must(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise InstallFailed(f"took longer than {INSTALL_S} s") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        faults = [line for line in lines if line.lower().startswith("error")] or lines
        raise InstallFailed(faults[-1] if faults else f"pip ended with {done.returncode}")


def add_fillers(python: Path, number: int) -> None:
    """Put the metadata of ``number`` distributions beside those installed."""
    code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    site = Path(subprocess.check_output([python, "-c", code], text=True, timeout=RUN_S).strip())
    have = len(list(site.glob("*.dist-info")))
    for i in range(max(0, number - have)):
        info = site / f"filler_{i:03}-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: filler-{i:03}\nVersion: 1.0\n\n" + "Words. " * 300
        )
        (info / "RECORD").write_text("".join(f"filler_{i}/m{j}.py,,\n" for j in range(50)))
        (info / "entry_points.txt").write_text(
            f"[console_scripts]\nfiller-{i} = filler_{i}:main\n\n[filler.plugins]\nx = filler_{i}:x\n"
        )


@dataclasses.dataclass(frozen=True)
class Ran:
    """One child process."""

    status: int | None
    wall_ms: float
    cpu_ms: float
    output: str


def run(
    command: Sequence[str | Path],
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout: float = RUN_S,
) -> Ran:
    """Run a command; CPU is that of the process and of the children that it waited for.

    ``status`` is None where it had to be ended.
    """
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "PYTHON", "COV_", "CI", "GITHUB_"))
    }
    home = cwd.parent / "home"
    home.mkdir(exist_ok=True)
    clean |= {"HOME": str(home), "NO_COLOR": "1", **(env or {})}
    with tempfile.TemporaryFile() as sink:
        began = time.perf_counter()
        child = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=clean,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        late = threading.Event()
        timer = threading.Timer(timeout, _end, (child, late))
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        sink.seek(0)
        output = sink.read().decode("utf-8", "replace")
    cpu = usage.ru_utime + usage.ru_stime
    return Ran(None if late.is_set() else child.returncode, wall * 1e3, cpu * 1e3, output)


def _end(child: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    os.killpg(child.pid, signal.SIGKILL)


#: runs pytest and writes what was imported and which sockets were asked for
PROBE = """
import atexit, sys
events = []
sys.addaudithook(lambda name, args: events.append(name) if name.startswith("socket.") else None)
def tell(file=sys.argv.pop(1)):
    modules = {name: getattr(module, "__name__", name) for name, module in sys.modules.items()}
    import json
    with open(file, "w") as out:
        json.dump({"modules": sorted(modules), "sockets": events}, out)
atexit.register(tell)
import pytest
sys.exit(pytest.main())
"""

TEST = "def test_it(): pass\n"
_TIME = re.compile(r"\d+(\.\d+)?s\b|=+")


class Subject:
    """A tool in its environment, with a working directory for each arm."""

    def __init__(self, tool: Tool, work: Path) -> None:
        self.tool = tool
        name = tool.distribution + (f"-{tool.fillers}" if tool.fillers else "")
        self.home = work / name
        self.home.mkdir(parents=True, exist_ok=True)
        self.python = make_venv(self.home / "venv", tool.requirements)
        if tool.fillers:
            add_fillers(self.python, tool.fillers)
        code = f"import importlib.metadata as m; print(m.version({tool.distribution!r}), len(list(m.distributions())))"
        told = run([self.python, "-c", code], self.home).output.split()
        self.version, self.distributions = told[0], int(told[1])
        self.cost: dict[str, list[dict[str, float]]] = {BARE: [], OTHERS: [], ALL: []}
        self.repeats = 0

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self.home, prefix="run-") as name:
            (Path(name) / "test_one.py").write_text(TEST)
            yield Path(name)

    def once(self, arm: str, cwd: Path) -> Ran:
        """Run the test file once in ``cwd``."""
        ran = run(
            [self.python, "-m", "pytest", *self.tool.arguments(arm), "test_one.py"],
            cwd,
            self.tool.environment(arm),
        )
        if ran.status != 0:
            raise RuntimeError(f"{self.tool.label} ({arm}) ended with {ran.status}:\n{ran.output}")
        return ran

    def round(self, shuffle: random.Random) -> None:
        """Time each arm once, warm, in random order."""
        if not self.repeats:
            self.repeats = self._warm()
        runs: dict[str, list[Ran]] = {arm: [] for arm in self.cost}
        for _ in range(self.repeats):
            for arm in shuffle.sample(list(runs), len(runs)):
                runs[arm].append(self.once(arm, self._cwd(arm)))
        for arm, some in runs.items():
            cpu, wall = (min(getattr(ran, unit) for ran in some) for unit in UNITS)
            self.cost[arm].append({UNITS[0]: cpu, UNITS[1]: wall})

    def _warm(self) -> int:
        """Fill the caches; return how many runs make a round."""
        for arm in self.cost:
            cwd = self._cwd(arm)
            cwd.mkdir(exist_ok=True)
            (cwd / "test_one.py").write_text(TEST)
            self.once(arm, cwd)
        return 1 if self.once(ALL, self._cwd(ALL)).cpu_ms > SLOW_MS else REPEATS

    def _cwd(self, arm: str) -> Path:
        return self.home / f"cwd-{arm}"

    def traces(self) -> dict[str, object]:
        """Return what the plugins load, open, leave and print beyond bare pytest."""
        seen = {arm: self._trace(arm) for arm in (BARE, ALL)}
        modules = seen[ALL]["modules"] - seen[BARE]["modules"]
        own = self.tool.distribution.replace("-", "_")
        return {
            "modules": sorted(modules),
            "foreign": sorted(
                name
                for name in modules
                if (top := name.partition(".")[0]) != own and top not in sys.stdlib_module_names
            ),
            "sockets": dict(Counter(seen[ALL]["sockets"]) - Counter(seen[BARE]["sockets"])),
            "files": sorted(seen[ALL]["files"] - seen[BARE]["files"]),
            "lines": list((seen[ALL]["lines"] - seen[BARE]["lines"]).elements()),
        }

    def _trace(self, arm: str) -> dict[str, object]:
        with self._folder() as cwd:
            out = self.home / f"trace-{arm}.json"
            command = [self.python, "-c", PROBE, out, *self.tool.arguments(arm), "test_one.py"]
            ran = run(command, cwd, self.tool.environment(arm))
            if ran.status != 0:
                raise RuntimeError(f"{self.tool.label}: the trace ended with {ran.status}")
            told = json.loads(out.read_text("utf-8"))
            files = {str(file.relative_to(cwd)) for file in cwd.rglob("*")}
        # pytest's own list of the plugins is no line of theirs
        lines = Counter(
            _TIME.sub("", line).replace(cwd.name, "").strip()
            for line in ran.output.splitlines()
            if line.strip() and not line.startswith("plugins: ")
        )
        modules = set(told["modules"])
        return {"modules": modules, "sockets": told["sockets"], "files": files, "lines": lines}

    def row(self) -> dict[str, object]:
        """Return the figures."""
        deltas = {}
        for name, upper, lower in (("all", ALL, BARE), ("own", ALL, OTHERS)):
            for unit in UNITS:
                pairs = zip(self.cost[upper], self.cost[lower], strict=True)
                values = [a[unit] - b[unit] for a, b in pairs]
                deltas[f"{name}_{unit}"] = spread(values)
        medians = {
            f"{arm}_{unit}": statistics.median(ran[unit] for ran in runs)
            for arm, runs in self.cost.items()
            for unit in UNITS
        }
        return {
            "tool": self.tool.label,
            "version": self.version,
            "distributions": self.distributions,
            "note": self.tool.note,
            "env": dict(self.tool.env),
            "runs_a_round": self.repeats,
            "medians": medians,
            "deltas": deltas,
            **self.traces(),
        }


def spread(values: Sequence[float]) -> dict[str, object]:
    """Return the median and its interval of at least 95 % by order statistics, where n allows one."""
    ordered, n = sorted(values), len(values)
    tail, k = 0.0, 0
    while (tail := tail + math.comb(n, k) / 2**n) <= 0.025:
        k += 1
    ends = [ordered[k - 1], ordered[n - k]] if k else None
    return {"median": statistics.median(ordered), "interval": ends, "values": list(values)}


def measure(wanted: Iterable[Tool], work: Path, rounds: int, seed: int) -> list[dict[str, object]]:
    """Return a row for each tool; one that can't be installed or run says why."""
    subjects: list[Subject] = []
    rows: dict[str, dict[str, object]] = {}
    for tool in wanted:
        rows[tool.label] = {"tool": tool.label}
        try:
            subjects.append(Subject(tool, work))
        except InstallFailed as error:
            rows[tool.label]["failed"] = f"could not be installed: {error}"
    shuffle = random.Random(seed)
    for number in range(rounds):
        for subject in shuffle.sample(subjects, len(subjects)):
            try:
                subject.round(shuffle)
            except RuntimeError as error:
                rows[subject.tool.label]["failed"] = str(error).splitlines()[0]
                subjects.remove(subject)
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    for subject in subjects:
        rows[subject.tool.label] = subject.row()
    return list(rows.values())


def _ms(figure: Mapping[str, object]) -> str:
    ends = figure["interval"]
    inside = f" ({ends[0]:+.0f} to {ends[1]:+.0f})" if ends else ""
    return f"{figure['median']:+.1f}{inside}"


def table(rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """Yield the rows as a Markdown table."""
    yield "| plugin | CPU ms over bare | wall ms over bare | own share, CPU ms | bare CPU ms | modules (foreign) | socket events | files left | lines printed |"
    yield "|---|---|---|---|---|---|---|---|---|"
    notes = []
    for row in rows:
        if "failed" in row:
            yield f"| {row['tool']} | {row['failed']} |" + " |" * 7
            continue
        deltas = row["deltas"]
        name = f"{row['tool']} {row['version']}"
        if row["note"]:
            notes.append(f"{name}: {row['note']}.")
        cells = (
            name,
            _ms(deltas["all_cpu_ms"]),
            _ms(deltas["all_wall_ms"]),
            _ms(deltas["own_cpu_ms"]),
            f"{row['medians']['bare_cpu_ms']:.0f}",
            f"{len(row['modules'])} ({len(row['foreign'])})",
            str(sum(row["sockets"].values())),
            ", ".join(f"`{f}`" for f in row["files"] if "/" not in f) or "0",
            str(len(row["lines"])),
        )
        yield "| " + " | ".join(cells) + " |"
    yield ""
    yield from notes


def misses(row: Mapping[str, object], share: str) -> list[str]:
    """Say which goals ours misses."""
    if "failed" in row:
        return [str(row["failed"])]
    cpu = row["deltas"][f"{share}_cpu_ms"]["median"]
    found = [
        (cpu > GOAL_CPU_MS, f"{cpu:.1f} ms of CPU, at most {GOAL_CPU_MS:g} are allowed"),
        (len(row["modules"]) > GOAL_MODULES, f"{len(row['modules'])} modules: {row['modules']}"),
    ]
    found += [
        (bool(row[what]), f"{what}: {row[what]}")
        for what in ("foreign", "sockets", "files", "lines")
    ]
    return [text for bad, text in found if bad]


@contextmanager
def working_folder(given: Path | None) -> Iterator[Path]:
    """Yield the folder given, or one that is removed at the end."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="mlgates-benchmark-") as name:
        yield Path(name)


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="5 rounds")
    parser.add_argument(
        "--only", nargs="*", metavar="TOOL", help="tools by the start of their name"
    )
    parser.add_argument("--distributions", type=int, default=300, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, metavar="DIR", help="keeps the environments")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures as JSON")
    args = parser.parse_args()
    rounds = 5 if args.quick else args.rounds
    if rounds < 1:
        parser.error("--rounds: at least one")
    wanted = tools(args.distributions)
    if args.only:
        wanted = [tool for tool in wanted if tool.label.startswith(tuple(args.only))]
    began = machine()
    with working_folder(args.work) as work:
        rows = measure(wanted, work, rounds, args.seed)
    print(
        f"Idle cost over bare pytest: medians of {rounds} paired differences (95 % interval), each of the "
        f"cheapest of {REPEATS} runs (1 of those over {SLOW_MS:.0f} ms). "
        f"Python {began['python']}, {began['cpus']} CPUs, load {began['load'][0]:.1f}\n"
    )
    print("\n".join(table(rows)))
    missed = []
    for row in rows:
        if str(row["tool"]).startswith(OURS.label):
            share = "own" if row["tool"] != OURS.label else "all"
            faults = misses(row, share)
            ends = "failed" not in row and row["deltas"][f"{share}_cpu_ms"]["interval"]
            if ends and ends[0] <= GOAL_CPU_MS < ends[1]:
                print(
                    f"{row['tool']}: the interval of CPU straddles the goal: this machine is too busy"
                )
            missed += faults
            print(
                f"{row['tool']}: {'misses the goal: ' + '; '.join(faults) if faults else 'holds the goal'}"
            )
    if args.out is not None:
        figures = {"machine": began, "rounds": rounds, "seed": args.seed, "rows": rows}
        args.out.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

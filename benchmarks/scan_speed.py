"""A scan end to end: beside the detector in memory, two processes beside one, memory, Presidio.

``python benchmarks/scan_speed.py [--rows 60000] [--rounds 5] [--processes] [--memory] [--presidio]``

The default prints CPU seconds of both sides of each pair, so that a busy machine does little harm:
the same texts by the detector in memory and from Parquet through the whole scan, in one process, in
turn. ``--processes`` compares wall times of Daft's runner with two workers and with one; that takes
two idle cores. ``--memory`` scans made-up files of growing size and prints the largest resident set.
``--presidio`` takes some texts of the same to Presidio's default analyzer. Texts: 1 % dirty.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from pytest_mlgates.audit.engine import DaftEngine, InProcess, PartitionDone
from pytest_mlgates.audit.folder import OutFolder
from pytest_mlgates.audit.listing import data_files
from pytest_mlgates.audit.partitions import Partition
from pytest_mlgates.audit.run import prepared, run_partitions
from pytest_mlgates.audit.settings import ScanSettings
from pytest_mlgates.audit.work import Scanner
from pytest_mlgates.gates.pii_leak import PiiLeak
from pytest_mlgates.gates.pii_leak.plant import GENERATORS
from pytest_mlgates.pii import Detector

KINDS = PiiLeak().kinds
SCAN = """
import sys
from pathlib import Path
from pytest_mlgates.cli import main
status = main(["scan", *sys.argv[1:]])
peak = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
print("peak", int(peak) / 1024)
"""


def texts(count: int, seed: int = 1) -> list[str]:
    """Return sentences of which one in a hundred holds an identifier."""
    from faker import Faker

    fake, draw = Faker(), random.Random(seed)
    fake.seed_instance(seed)
    pool = [
        f"{fake.paragraph(nb_sentences=4)} I bought {n} of them on {fake.date()}."
        for n in range(2000)
    ]
    made = []
    for _ in range(count):
        text = draw.choice(pool)
        if draw.random() < 0.01:
            kind = draw.choice([kind for kind in KINDS if kind in GENERATORS])
            text += f" it is {GENERATORS[kind](draw)} for now"
        made.append(text)
    return made


def write(rows: Sequence[str], folder: Path, files: int) -> None:
    each = -(-len(rows) // files)
    for n in range(files):
        part = pa.table({"text": rows[n * each : (n + 1) * each]})
        parquet.write_table(part, folder / f"{n:04}.parquet", row_group_size=10_000)


def scanned(data: Path, out: Path, engine: InProcess | DaftEngine) -> int:
    settings = ScanSettings(entities=KINDS, key=b"0123456789abcdef", out=str(out))
    folder = OutFolder(str(out))
    partitions = prepared(folder, settings, lambda: data_files([str(data)]))
    dirty = []
    run_partitions(engine, settings, folder, partitions, lambda done: dirty.append(done.dirty))
    return sum(dirty)


def beside_memory(rows: Sequence[str], rounds: int) -> None:
    detector = Detector(KINDS)
    list(detector.find_all(rows[:2000]))  # the rules are compiled
    named = [f"text: {row}" for row in rows]  # as the scan reads them
    print(
        f"{len(rows):,} texts, {sum(map(len, rows)) / 1e6:.1f} MB; CPU s in memory, end to end, ratio"
    )
    ratios = []
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        data.mkdir()
        write(rows, data, 1)
        engine = Kept(detector)
        for n in range(rounds):
            begun = time.process_time()
            found = sum(
                any(s.confirmed and s.score >= 0.5 for s in spans)
                for spans in detector.find_all(named)
            )
            memory = time.process_time() - begun
            begun = time.process_time()
            dirty = scanned(data, Path(scratch) / f"out{n}", engine)
            whole = time.process_time() - begun
            assert dirty == found, (dirty, found)
            ratios.append(memory / whole)
            print(f"  {memory:7.2f} {whole:7.2f} {ratios[-1]:7.3f}", flush=True)
    print(f"median {statistics.median(ratios):.3f}, worst {min(ratios):.3f} (asked: 0.8)")


class Kept(InProcess):
    """The in-process engine with a detector that has its rules, as a worker has after its first."""

    def __init__(self, detector: Detector) -> None:
        self._kept = detector

    def run(
        self, settings: ScanSettings, partitions: Sequence[Partition]
    ) -> Iterator[PartitionDone]:
        """Yield each partition as it is done."""
        scanner = Scanner(settings, self._kept)
        for partition in partitions:
            yield PartitionDone(**json.loads(scanner(partition.to_json())))


def two_beside_one(rows: Sequence[str], rounds: int) -> None:
    """Print the paired ratios; both sides start their workers and compile their rules."""
    print(
        f"cores {os.cpu_count()}, load {os.getloadavg()[0]:.1f}; wall s with one, with two, ratio"
    )
    ratios = []
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        data.mkdir()
        write(rows, data, 32)
        for n in range(rounds):
            took = {}
            for workers in (1, 2) if n % 2 else (2, 1):
                begun = time.perf_counter()
                command = [sys.executable, "-m", "pytest_mlgates", "scan", str(data), "--out",
                           str(Path(scratch) / f"out{n}-{workers}"), "--processes", str(workers)]  # fmt: skip
                subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
                took[workers] = time.perf_counter() - begun
            ratios.append(took[1] / took[2])
            print(f"  {took[1]:7.2f} {took[2]:7.2f} {ratios[-1]:7.3f}", flush=True)
    print(
        f"median {statistics.median(ratios):.3f}, worst {min(ratios):.3f} (asked: 1.8, idle cores)"
    )


def memory(megabytes: Sequence[int]) -> None:
    """Print the peak of the worker that is the process itself, over sizes of one data set."""
    print("MB of Parquet, peak resident MB of the driver and of the largest worker")
    base = texts(20_000)
    for size in megabytes:
        with tempfile.TemporaryDirectory() as scratch:
            data = Path(scratch) / "data"
            data.mkdir()
            n = written = 0
            while written < size << 20:
                rows = [f"{n} {row}" for row in base]
                part = pa.table({"text": rows})
                parquet.write_table(part, data / f"{n:05}.parquet", compression="none")
                written += (data / f"{n:05}.parquet").stat().st_size
                n += 1
            command = [sys.executable, "-c", SCAN, str(data), "--out", f"{scratch}/out",
                       "--entity", "CREDIT_CARD", "--entity", "EMAIL_ADDRESS"]  # fmt: skip
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            largest = 0.0
            while process.poll() is None:
                largest = max([largest, *map(peak_of, workers_of(process.pid))])
                time.sleep(0.5)
            said = process.stdout.read() if process.stdout else ""
            own = float(said.rpartition("peak ")[2])
            print(f"  {written >> 20:7,} {own:8.0f} {largest:8.0f}", flush=True)


def workers_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children") if children.exists() else ():
        try:
            found += map(int, task.read_text().split())
        except OSError:
            continue
    return found


def peak_of(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
        return int(text.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError, ValueError):
        return 0.0


def beside_presidio(rows: Sequence[str], few: int) -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    from pii_detection import presidio  # type: ignore[import-not-found]

    theirs = presidio()
    begun = time.process_time()
    for row in rows[:few]:
        theirs.analyze(row, "en")
    per_text = (time.process_time() - begun) / few
    detector = Detector(KINDS)
    list(detector.find_all(rows[:2000]))
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        data.mkdir()
        write(rows, data, 1)
        begun = time.process_time()
        scanned(data, Path(scratch) / "out", Kept(detector))
        ours = (time.process_time() - begun) / len(rows)
    print(
        f"CPU a text: Presidio {per_text * 1e3:.2f} ms ({few} texts), the scan {ours * 1e6:.1f} us:"
        f" {per_text / ours:,.0f} times as fast (asked: 3,000)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--processes", action="store_true")
    parser.add_argument("--memory", nargs="*", type=int, metavar="MB")
    parser.add_argument("--presidio", action="store_true")
    options = parser.parse_args()
    if options.memory is not None:
        memory(options.memory or [100, 300, 1000])
        return
    rows = texts(options.rows)
    if options.processes:
        two_beside_one(rows, options.rounds)
    elif options.presidio:
        beside_presidio(rows, 100)
    else:
        beside_memory(rows, options.rounds)


if __name__ == "__main__":
    main()

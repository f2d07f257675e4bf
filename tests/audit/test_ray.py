"""A Ray cluster of two nodes on this machine: the same findings, byte for byte, and kills.

Runs with ``tox run -e scan-ray``, which sets ``MLGATES_SCAN_RAY``: a cluster takes a minute to start.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from pytest_mlgates.audit.folder import OutFolder

pytestmark = [
    pytest.mark.skipif("MLGATES_SCAN_RAY" not in os.environ, reason="tox run -e scan-ray"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
CARD = "4111 1111 1111 1111"
FEW = ["--entity", "CREDIT_CARD", "--entity", "EMAIL_ADDRESS"]
RAY = str(Path(sys.executable).with_name("ray"))
ENV = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_DASHBOARD": "1"}


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A data set of many partitions, and the key of its digests."""
    folder = tmp_path_factory.mktemp("many")
    draw = random.Random(7)
    for n in range(32):
        texts = [
            f"pay {CARD} {i}" if draw.random() < 0.01 else f"row {i} {draw.random()}" * 30
            for i in range(5_000)
        ]
        table = pa.table({"t": texts, "at": [{"mail": f"a{i}@corp{n}.com"} if i % 999 == n else None for i in range(5_000)]})  # fmt: skip
        parquet.write_table(table, folder / f"{n:02}.parquet", compression="none")
    (folder / "broken.parquet").write_bytes(b"PAR1")
    key = folder.parent / "digest.key"
    key.write_text("0123456789abcdef")
    return folder, key


def command(many, out, *more):
    folder, key = many
    return [sys.executable, "-m", "pytest_mlgates", "scan", str(folder), "--out", str(out),
            "--key", str(key), *FEW, *more]  # fmt: skip


def scanned(many, out, *more):
    seen = subprocess.run(command(many, out, *more), check=False, capture_output=True, env=ENV)
    assert seen.returncode == 3, seen.stderr.decode()[-2000:]
    return parts(out), seen.stdout.decode().replace(str(out), "OUT")


def parts(out):
    return {p.name: p.read_bytes() for p in sorted((Path(out) / "findings").glob("part-*"))}


@pytest.fixture(scope="module")
def native(many, tmp_path_factory):
    return scanned(many, tmp_path_factory.mktemp("native") / "out")


def children_of(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found += [int(stat.parent.name), *children_of(int(stat.parent.name))]
    return found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    pytest.importorskip("ray")
    ports = (26_479, 26_101)
    head = [RAY, "start", "--head", "--node-ip-address=127.0.0.1", f"--port={ports[0]}",
            f"--ray-client-server-port={ports[1]}", "--include-dashboard=false"]  # fmt: skip
    node = [RAY, "start", f"--address=127.0.0.1:{ports[0]}"]
    small = ["--num-cpus=1", "--object-store-memory=100000000", "--disable-usage-stats", "--block"]
    log = (tmp_path_factory.mktemp("ray") / "log").open("wb")
    started = []
    try:
        for words in (head, node):
            started.append(subprocess.Popen([*words, *small], stdout=log, stderr=log, env=ENV))  # fmt: skip
            time.sleep(10)
        yield f"ray://127.0.0.1:{ports[1]}"
    finally:
        for process in reversed(started):
            ended = [*children_of(process.pid), process.pid]
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
            for pid in ended:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def test_a_cluster_finds_what_this_machine_finds(many, native, cluster, tmp_path):
    assert scanned(many, tmp_path / "out", "--cluster", cluster) == native


def test_kills_of_the_scan_and_of_its_workers_change_nothing(many, native, tmp_path):
    """Twenty random kills, of the scan itself or of one of its workers, each followed by a resume."""
    out, draw, kills = tmp_path / "out", random.Random(11), 0
    deadline = time.monotonic() + 1500
    while kills < 20:
        assert time.monotonic() < deadline
        scan = subprocess.Popen(command(many, out), stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, env=ENV)  # fmt: skip
        begun = len(parts(out))
        soon = draw.choice([0, 1, 1, 1])  # some before anything is done, most in the middle
        wait_for_parts(scan, out, begun + soon)
        time.sleep(draw.uniform(0, 1.5))
        workers = [pid for pid in children_of(scan.pid) if is_worker(pid)]
        victim = draw.choice([scan.pid, *workers]) if draw.random() < 0.7 else scan.pid
        if scan.poll() is None:
            os.kill(victim, signal.SIGKILL)
            kills += 1
            if victim != scan.pid:
                time.sleep(draw.uniform(0, 3))
                scan.kill()
        scan.wait()
        if scan.returncode == 3 or len(parts(out)) == 33:  # it got to its end: begin anew
            assert scanned(many, out) == native
            out = tmp_path / f"out{kills}"
        assert len(parts(out)) >= begun or not out.exists()
    assert scanned(many, out) == native
    assert not OutFolder(str(out)).left(OutFolder(str(out)).plan())


def wait_for_parts(process, out, count) -> None:
    until = time.monotonic() + 120
    while process.poll() is None and len(parts(out)) < count and time.monotonic() < until:
        time.sleep(0.02)


def is_worker(pid: int) -> bool:
    try:
        return b"udf_worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False

"""Broken files among good ones are listed; what happens to a scan loses and doubles nothing."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from pytest_mlgates.audit import work
from pytest_mlgates.audit.engine import InProcess, PartitionDone
from pytest_mlgates.audit.run import ScanStopped
from pytest_mlgates.core.errors import UsageError

CARD = "4111 1111 1111 1111"


def test_broken_files_among_good_ones(scan, data):
    good = gzip.compress(
        "".join(f'{{"a": "{CARD}", "n": {n * n}}}\n' for n in range(9000)).encode()
    )
    (data / "good.jsonl.gz").write_bytes(good)
    (data / "cut.jsonl.gz").write_bytes(good[: len(good) // 2])
    (data / "not.jsonl.gz").write_bytes(b"\x1f\x8b" + b"x" * 99)
    parquet.write_table(pa.table({"a": [CARD] * 3}), data / "good.parquet")
    whole = (data / "good.parquet").read_bytes()
    (data / "footer.parquet").write_bytes(whole[:-9])
    (data / "none.parquet").write_bytes(b"no parquet at all")
    (data / "empty.parquet").write_bytes(b"")
    (data / "bad.json").write_text("{")
    (data / "deep.json").write_text("[" * 100_000 + "]" * 100_000)
    (data / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    (data / "zip.txt").write_bytes(b"PK\x03\x04" + bytes(60))
    (data / "huge.csv").write_text('a\n"' + "x" * (5 << 20) + "\n")
    seen = scan(data)
    assert set(seen.unread) == {
        "cut.jsonl.gz", "not.jsonl.gz", "footer.parquet", "none.parquet", "bad.json", "deep.json",
        "picture.png", "huge.csv", "zip.txt",
    }  # fmt: skip
    assert seen.reports["good.jsonl.gz"].dirty == 9000
    # what stands before the break is a leak all the same
    assert 0 < seen.reports["cut.jsonl.gz"].dirty < 9000
    assert seen.reports["good.parquet"].dirty == 3
    assert all(CARD not in reason for reason in seen.unread.values())


def test_files_of_one_folder_may_have_other_columns(scan, data):
    parquet.write_table(pa.table({"a": [1]}), data / "1.parquet")
    parquet.write_table(pa.table({"a": [CARD], "b": [{"x": CARD}]}), data / "2.parquet")
    parquet.write_table(pa.table({"a": [[CARD]]}), data / "3.parquet")
    seen = scan(data)
    assert [f["column"] for f in seen.findings] == ["a", "b.x", "a[0]"]
    assert not seen.unread


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(scan, data):
    (data / "a.txt").write_text("x")
    (data / "a.txt").chmod(0)
    assert scan(data).unread == {"a.txt": "no permission to read it"}


class Meddled:
    """Does something to the data set between the plan and the scan."""

    def __init__(self, meddle) -> None:
        self.meddle = meddle

    def run(self, settings, partitions):
        self.meddle()
        yield from InProcess().run(settings, partitions)


def test_a_file_that_is_changed_or_gone(scan, data):
    for name in "abc":
        (data / f"{name}.txt").write_text(f"pay {CARD}\n")

    def meddle() -> None:
        (data / "a.txt").write_text("something else, and longer than that\n")
        (data / "b.txt").unlink()

    seen = scan(data, engine=Meddled(meddle))
    assert "changed" in seen.unread["a.txt"]
    assert seen.unread["b.txt"] == "there is no such file"
    assert seen.reports["c.txt"].dirty == 1


class Killed:
    """Ends at every second partition, as a process does that is killed; its work may be done."""

    def __init__(self, *, every: int = 2, after: bool = False) -> None:
        self.every, self.after, self.count = every, after, 0

    def run(self, settings, partitions):
        for partition in partitions:
            self.count += 1
            if self.count % self.every == 0:
                if self.after:
                    list(InProcess().run(settings, [partition]))
                raise RuntimeError("killed")
            yield from InProcess().run(settings, [partition])


def many(data: Path) -> None:
    for n in range(7):
        texts = [f"pay {CARD}" if i % 9 == n else f"row {i}" for i in range(200)]
        parquet.write_table(pa.table({"t": texts}), data / f"{n}.parquet")


@pytest.mark.parametrize("after", [False, True])
def test_workers_that_die_lose_and_double_nothing(scan, data, tmp_path, monkeypatch, after):
    monkeypatch.setattr("pytest_mlgates.audit.partitions._MAX_FILES", 1)
    many(data)
    whole = scan(data)
    again = scan(data, out=str(tmp_path / "2"), engine=Killed(after=after))
    assert again.findings == whole.findings
    assert again.reports == whole.reports


def test_a_partition_that_always_ends_its_worker_is_given_up(scan, data, monkeypatch):
    monkeypatch.setattr("pytest_mlgates.audit.partitions._MAX_FILES", 1)
    many(data)

    class Poisoned:
        def run(self, settings, partitions):
            for partition in partitions:
                if partition.stretches[0].name == "3.parquet":
                    raise RuntimeError("dead")
                yield from InProcess().run(settings, [partition])

    seen = scan(data, engine=Poisoned())
    assert list(seen.unread) == ["3.parquet"]
    assert "ended the process" in seen.unread["3.parquet"]
    assert len(seen.reports) == 7


def test_an_interrupted_scan_goes_on_with_the_same_plan(scan, data, tmp_path, monkeypatch):
    monkeypatch.setattr("pytest_mlgates.audit.partitions._MAX_FILES", 1)
    many(data)
    whole = scan(data)

    class Interrupted:
        def run(self, settings, partitions):
            yield from InProcess().run(settings, partitions[:3])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(data, out=str(tmp_path / "2"), engine=Interrupted())
    (data / "new.txt").write_text("was not planned")
    again = scan(data, out=str(tmp_path / "2"))
    assert again.findings == whole.findings
    with pytest.raises(UsageError, match="another entities"):
        scan(data, out=str(tmp_path / "2"), entities=("CREDIT_CARD",))
    with pytest.raises(UsageError, match="or a key"):
        scan(data, out=str(tmp_path / "2"), key=b"another key of 16")


def test_no_space_for_findings_stops_the_scan_and_keeps_what_is_done(scan, data, monkeypatch):
    monkeypatch.setattr("pytest_mlgates.audit.partitions._MAX_FILES", 1)
    many(data)
    write = work.FindingsFile.write
    calls = []

    def full(self, to, reports):
        calls.append(to)
        if len(calls) == 4:
            raise OSError(28, "No space left on device")
        write(self, to, reports)

    monkeypatch.setattr(work.FindingsFile, "write", full)
    with pytest.raises(ScanStopped, match="No space left"):
        scan(data)
    monkeypatch.setattr(work.FindingsFile, "write", write)
    assert len(scan(data).reports) == 7
    assert len(calls) == 4


def test_findings_that_nobody_sees_are_told_of(scan, data):
    (data / "a.txt").write_text("x")

    class Elsewhere:
        def run(self, settings, partitions):
            yield PartitionDone(number=0, size=1)

    with pytest.raises(ScanStopped, match="share"):
        scan(data, engine=Elsewhere())


def test_a_damaged_plan_and_a_folder_of_others(scan, data, tmp_path):
    (data / "a.txt").write_text("x")
    scan(data)
    plan = tmp_path / "out" / "plan.jsonl"
    plan.write_text(plan.read_text()[:-5])
    with pytest.raises((UsageError, json.JSONDecodeError)):
        scan(data)
    with pytest.raises(UsageError, match="other files"):
        scan(data, out=str(data))


def test_a_record_that_is_too_long_to_be_held_at_once(scan, data):
    text = "x" * (20 << 20) + f" pay {CARD} now"
    (data / "a.jsonl").write_text(f'{{"a": "{text}"}}\n{{"b": "{CARD}"}}\n')
    seen = scan(data)
    assert [(p[1], p[4] - p[3]) for p in seen.places] == [(1, 19), (2, 19)]
    assert seen.places[0][3] == len('{"a": "') + text.index(CARD)
    assert (seen.reports["a.jsonl"].records, seen.reports["a.jsonl"].dirty) == (2, 2)

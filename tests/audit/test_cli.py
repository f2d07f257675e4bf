"""``mlgates scan --out``: from the command line, with Daft's workers, to the evidence."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from pytest_mlgates import PiiLeak
from pytest_mlgates.audit.engine import InProcess
from pytest_mlgates.audit.finished import FinishedScan
from pytest_mlgates.audit.sample import chance_found, draws_needed, effective_draws, rate_below
from pytest_mlgates.cli import main
from pytest_mlgates.commands import audit
from pytest_mlgates.core import Outcome
from pytest_mlgates.core.records import Evidence

CARD = "4111 1111 1111 1111"
FEW = ["--entity", "CREDIT_CARD", "--max-leak-rate", "0.05"]


@pytest.fixture
def in_process(monkeypatch):
    monkeypatch.setattr(audit, "DaftEngine", lambda *_: InProcess())


def write(data, dirty=(), rows=400, files=3):
    for n in range(files):
        texts = [f"pay {CARD}" if n in dirty and i == 7 else f"row {i} of it" for i in range(rows)]
        parquet.write_table(pa.table({"t": texts}), data / f"{n}.parquet")


def test_a_clean_data_set_passes_and_its_evidence_is_kept(in_process, data, tmp_path, capsys):
    write(data)
    words = ["scan", str(data), "--out", str(tmp_path / "out"), *FEW]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "PASS: no leak in all 1200 records" in said
    assert not (tmp_path / "out" / "digest.key").exists()
    evidence = Evidence.from_json(json.loads((tmp_path / "out" / "evidence.json").read_text()))
    gate = PiiLeak(**evidence.policy)
    assert gate.decide(evidence.measurement) == evidence.verdict
    assert str(evidence.subject_digest).startswith("scan:sha256:")
    assert main(words) == 0  # told again, not done again
    assert capsys.readouterr().out == said


def test_a_leak_is_told_masked(in_process, data, tmp_path, capsys):
    write(data, dirty=(1,))
    assert main(["scan", str(data), "--out", str(tmp_path / "out"), *FEW]) == 1
    said = capsys.readouterr()
    assert "FAIL: 1 of 1200 records leaked (1 CREDIT_CARD)" in said.out
    assert "at offset 4 of 1.parquet:8 t" in said.out
    assert "by file: 1.parquet 1" in said.out
    assert CARD not in said.out + said.err
    summary = json.loads((tmp_path / "out" / "scan.json").read_text())
    assert summary["by_column"] == {"t": 1}
    assert CARD not in str(summary)


def test_what_was_not_read_is_told_by_the_exit_status(in_process, data, tmp_path, capsys):
    write(data)
    (data / "bad.parquet").write_bytes(b"PAR1 and no more")
    assert main(["scan", str(data), "--out", str(tmp_path / "out"), *FEW]) == 3
    said = capsys.readouterr().out
    assert said.startswith(
        "ERROR: bad.parquet: it is not a whole Parquet file; no leak in the 1200"
    )
    assert "not read: bad.parquet" in said
    # skipped on purpose, it is no part of the data set
    words = ["scan", str(data), "--out", str(tmp_path / "2"), "--skip", "bad.*", *FEW]
    assert main(words) == 0


def test_a_sample_bounds_the_rate(in_process, data, tmp_path, capsys):
    write(data, rows=4000)
    words = ["scan", str(data), "--out", str(tmp_path / "out"), "--sample", "600", *FEW]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "drawn at random from every file of 12000, bounds the share" in said
    assert "fewer than 0.4" in said
    summary = json.loads((tmp_path / "out" / "scan.json").read_text())["sample"]
    assert summary["there"] == 12_000
    assert 598 <= summary["worth"] <= summary["drawn"] <= 603
    words[-4:] = ["--entity", "CREDIT_CARD"]  # the limit of 1 in 1,000 takes more
    assert main([*words[:3], str(tmp_path / "2"), *words[4:]]) == 1
    assert "INCONCLUSIVE" in capsys.readouterr().out


def test_an_interrupt_says_how_to_go_on(in_process, data, tmp_path, capsys, monkeypatch):
    write(data)

    class Interrupted:
        def run(self, settings, partitions):
            raise KeyboardInterrupt
            yield

    words = ["scan", str(data), "--out", str(tmp_path / "out"), *FEW]
    monkeypatch.setattr(audit, "DaftEngine", lambda *_: Interrupted())
    assert main(words) == 130
    assert "0 of 1 partitions are done and kept; the same command" in capsys.readouterr().err
    monkeypatch.setattr(audit, "DaftEngine", lambda *_: InProcess())
    assert main(words) == 0


def test_a_plan_scans_nothing_to_the_end(data, capsys):
    write(data, dirty=(1,))
    assert main(["scan", str(data), "--plan", "--sample", "30000", "--entity", "CREDIT_CARD"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("3 files, ")
    assert "extrapolated: " in said
    assert "with a chance of 0.951" in said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["s3://bucket/x"], "--out"),
        (["ftp://x/y", "--out", "OUT"], "s3://"),
        (["DATA", "--sample", "10"], "--out"),
        (["DATA", "--out", "DATA/x"], "inside a data set"),
        (["DATA", "--out", "OUT", "--redact-to", "DATA/copy"], "inside a data set"),
        (["DATA", "--out", "OUT", "--redact-to", "COPY", "--redact-with", "encrypt"], "16, 24"),
        (["DATA/none", "--out", "OUT"], "no such file"),
        (["s3:///", "--out", "OUT"], "bucket"),
    ],
)
def test_wrong_use(data, tmp_path, capsys, words, why):
    pytest.importorskip("presidio_anonymizer")
    write(data)
    places = {"DATA": str(data), "OUT": str(tmp_path / "out"), "COPY": str(tmp_path / "copy")}
    for short, long in places.items():
        words = [word.replace(short, long) for word in words]
    assert main(["scan", *words]) == 4
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1


# Daft leaves the pipe of each of its workers to the collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_daft_finds_what_one_process_finds(scan, data, monkeypatch):
    pytest.importorskip("daft")
    from pytest_mlgates.audit.engine import DaftEngine

    monkeypatch.setattr("pytest_mlgates.audit.partitions._MAX_FILES", 1)
    write(data, dirty=(0, 2))
    one = scan(data)
    two = scan(data, engine=DaftEngine(2), out=str(data.parent / "daft"))
    assert two.findings == one.findings
    assert two.reports == one.reports
    parts = [p.read_bytes() for p in sorted((data.parent / "out" / "findings").iterdir())]
    assert parts == [p.read_bytes() for p in sorted((data.parent / "daft" / "findings").iterdir())]


def test_the_gate_takes_no_scan_of_other_kinds(scan, data, tmp_path):
    write(data)
    scan(data, entities=("CREDIT_CARD",))
    finished = FinishedScan(str(tmp_path / "out"))
    assert PiiLeak(entities=("CREDIT_CARD",), max_leak_rate=0.05).run(finished).outcome == "pass"
    other = PiiLeak(entities=("US_SSN",)).run(finished)
    assert other.outcome == Outcome.ERROR
    assert "other entities" in other.verdict.reason


def test_a_sample_is_worth_what_its_thinnest_file_is():
    assert effective_draws([(100, 10)] * 5) == 50
    assert effective_draws([(1000, 10), (100, 10)]) == 11
    assert rate_below(0, [(50, 50)], 0.05) == 0
    assert rate_below(0, [], 0.05) == 1
    assert rate_below(3, [(10**6, 3000)], 0.05) > 3 / 3000
    assert chance_found(1e-4, 0.02, draws_needed(1e-4, 0.02, 0.9)) >= 0.9

"""What goes over the uplink: facts, and the claim about the fleet."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.bandwidth_budget import BandwidthBudget
from pytest_mlgates.gates.bandwidth_budget.transfers import Transfer


def outcome(gate, transfers):
    return gate.run(transfers).outcome


def test_a_limit_is_needed():
    with pytest.raises(FieldError, match="sets no limit"):
        BandwidthBudget()


def test_bytes_are_facts():
    transfers = [Transfer(600), Transfer(400)]
    assert outcome(BandwidthBudget(max_bytes=1000), transfers) == Outcome.PASS
    assert outcome(BandwidthBudget(max_bytes=999), transfers) == Outcome.FAIL


def test_own_uplinks_do_not_add_up():
    transfers = [Transfer(600, source="a"), Transfer(700, source="b")]
    evidence = BandwidthBudget(max_bytes=700, shared_uplink=False).run(transfers)
    assert evidence.outcome == Outcome.PASS
    assert evidence.measurement.value == 700
    assert evidence.limit == "max_bytes"
    assert outcome(BandwidthBudget(max_bytes=700), transfers) == Outcome.FAIL


@pytest.mark.parametrize(("limit", "wanted"), [(8.0, Outcome.PASS), (7.99, Outcome.FAIL)])
def test_peak_of_overlapping_transfers(limit, wanted):
    """Two transfers of 4 Mbit/s overlap for two seconds; the mean over all is 4.6."""
    transfers = [
        Transfer(2_500_000, at=0.0, seconds=5.0),
        Transfer(2_500_000, at=3.0, seconds=5.0),
    ]
    assert outcome(BandwidthBudget(max_mbps=limit), transfers) == wanted


def test_peak_on_own_uplinks():
    transfers = [Transfer(1_000_000, at=0.0, seconds=1.0, source=name) for name in "ab"]
    gate = BandwidthBudget(max_mbps=8, shared_uplink=False)
    assert outcome(gate, transfers) == Outcome.PASS
    assert outcome(BandwidthBudget(max_mbps=8), transfers) == Outcome.FAIL


def test_ratio_of_sums_not_mean_of_ratios():
    """Idle vehicles with a high ratio on next to nothing do not count like busy ones."""
    busy = [Transfer(500 + n, 10**6, source=f"b{n}") for n in range(40)]
    idle = [Transfer(50, 100, source=f"i{n}") for n in range(40)]
    evidence = BandwidthBudget(max_ratio=0.001).run(busy + idle)
    assert evidence.outcome == Outcome.PASS
    assert evidence.measurement.value == pytest.approx(0.000569, rel=0.01)


def test_transfers_of_a_source_are_no_sample_of_their_own():
    """25 sources with 400 transfers each know no more than 25 sources."""
    rng = np.random.default_rng(0)
    level = rng.lognormal(np.log(0.0009), 0.5, 25)
    many = [Transfer(level[n % 25] * 1e6, 1e6, source=str(n % 25)) for n in range(10_000)]
    evidence = BandwidthBudget(max_ratio=0.001).run(many)
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "25 sources" in evidence.verdict.reason


def test_a_heavy_source_is_reported():
    fleet = [Transfer(100, 10**6, source=f"t{n}") for n in range(199)]
    evidence = BandwidthBudget(max_ratio=0.01).run([*fleet, Transfer(900_000, 10**6, source="x")])
    assert evidence.measurement.details["top_share"] > 0.97
    assert "source 199 in order of appearance" in evidence.findings[-1]
    assert evidence.outcome == Outcome.INCONCLUSIVE  # one truck more of that kind, and it is over


def test_sent_at_the_epoch_or_as_text(tmp_path):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    rows = [
        {"sent_bytes": 1000, "at": (start + timedelta(seconds=n)).isoformat(), "source": "a"}
        for n in range(5)
    ]
    path = tmp_path / "transfers.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    gate = BandwidthBudget(max_mbps=0.008, window_s=0.5)
    assert gate.run(str(path)).measurement.value == pytest.approx(0.016)
    moments = [{**row, "at": start + timedelta(seconds=n)} for n, row in enumerate(rows)]
    assert gate.run(moments).measurement.value == pytest.approx(0.016)


def test_tables(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame(
        {"sent_bytes": [500] * 30, "raw_bytes": [1000] * 30, "source": [f"v{n}" for n in range(30)]}
    )
    gate = BandwidthBudget(max_ratio=0.9)
    assert outcome(gate, frame) == Outcome.PASS
    frame.to_parquet(tmp_path / "t.parquet")
    assert outcome(gate, tmp_path / "t.parquet") == Outcome.PASS
    frame.loc[3, "raw_bytes"] = None
    evidence = gate.run(frame)
    assert evidence.outcome == Outcome.ERROR
    assert "1 of 30 transfers have no raw_bytes" in evidence.verdict.reason


def test_other_windows_are_not_judged():
    gate = BandwidthBudget(max_mbps=1)
    measurement = gate.run([Transfer(10, at=0.0)]).measurement
    verdict = BandwidthBudget(max_mbps=1, window_s=60).decide(measurement)
    assert verdict.outcome == Outcome.ERROR


def test_one_broken_limit_is_enough():
    fleet = [Transfer(500 + n, 10**6, source=f"t{n}") for n in range(50)]
    evidence = BandwidthBudget(max_ratio=0.001, max_bytes=1000).run(fleet)
    assert evidence.outcome == Outcome.FAIL
    assert "bytes (limit 1,000)" in evidence.verdict.reason

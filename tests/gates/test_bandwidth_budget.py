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


def vehicles(n, sigma=0.5, ratio=0.1, seed=0, scale=1_000_000):
    """Draw vehicles that record much and send ``ratio`` of it on average, unevenly."""
    rng = np.random.default_rng(seed)
    raw = scale * rng.lognormal(-0.125, 0.5, n)
    sent = ratio * raw * rng.lognormal(-sigma * sigma / 2, sigma, n)
    return [Transfer(s, r, source=str(i)) for i, (s, r) in enumerate(zip(sent, raw, strict=True))]


FLEET = BandwidthBudget(max_ratio=0.1, max_source_bytes=1_000_000)


def test_without_a_cap_the_ratio_is_a_fact_in_words():
    ratio = BandwidthBudget(max_ratio=0.11)
    passed, failed = (ratio.run(vehicles(25, sigma=0.1, ratio=r)) for r in (0.1, 0.13))
    assert passed.outcome == Outcome.PASS
    assert "by these 25 sources: of others it says nothing" in passed.verdict.reason
    assert passed.measurement.interval is None
    assert failed.outcome == Outcome.FAIL


def test_a_heavy_source_is_reported():
    fleet = [Transfer(100, 10**6, source=f"t{n}") for n in range(199)]
    evidence = BandwidthBudget(max_ratio=0.01).run([*fleet, Transfer(900_000, 10**6, source="x")])
    assert evidence.measurement.details["top_share"] > 0.97
    assert "source 199 in order of appearance" in evidence.findings[-1]


def test_a_source_heavier_than_any_seen_is_inside_the_claim():
    """Of a fleet in which one in 100 sends 100 times as much, 40 vehicles show none."""
    alike = [Transfer(50_000, 10**6, source=str(n)) for n in range(40)]
    assert outcome(BandwidthBudget(max_ratio=0.1), alike) == Outcome.PASS
    capped = BandwidthBudget(max_ratio=0.1, max_source_bytes=5_000_000).run(alike)
    assert capped.outcome == Outcome.INCONCLUSIVE
    assert "sources like these would tell" in capped.verdict.reason


@pytest.mark.parametrize(
    ("n", "ratio", "wanted"),
    [
        (1000, 0.05, Outcome.PASS),
        (1000, 0.3, Outcome.FAIL),
        (100, 0.0999, Outcome.INCONCLUSIVE),
        (20, 0.05, Outcome.INCONCLUSIVE),
        (20, 10.0, Outcome.FAIL),  # everything, tenfold: no need of a thousand vehicles
    ],
)
def test_the_claim_about_the_fleet(n, ratio, wanted):
    gate = BandwidthBudget(max_ratio=0.1, max_source_bytes=2_000_000 if ratio < 0.1 else 10**8)
    evidence = gate.run(vehicles(n, ratio=ratio))
    assert evidence.outcome == wanted, evidence.verdict.reason
    if wanted == Outcome.FAIL:
        assert evidence.verdict.broken[0].limit == "max_ratio"
        assert "if none records more than" in evidence.verdict.reason
    if wanted == Outcome.PASS:
        assert "none of which can send more than 2e+06" in evidence.verdict.reason


def test_transfers_of_a_source_are_no_sample_of_their_own():
    """25 sources with 400 transfers each know no more than 25 sources."""
    few = vehicles(25, ratio=0.05)
    many = [Transfer(t.sent_bytes / 400, t.raw_bytes / 400, source=t.source) for t in few] * 400
    one, other = (FLEET.run(transfers) for transfers in (few, many))
    assert one.verdict.reason == other.verdict.reason
    assert "over 25 independent sources" in one.verdict.reason


def test_a_cap_that_does_not_hold_is_an_error():
    beyond = [*vehicles(30), Transfer(2_000_000, 10**6, source="x")]
    evidence = FLEET.run(beyond)
    assert evidence.outcome == Outcome.ERROR
    assert "sent 2,000,000 bytes, more than max_source_bytes says it can" in evidence.verdict.reason
    raw = BandwidthBudget(max_ratio=0.1, max_source_bytes=10**8, max_source_raw_bytes=1000)
    assert "more than max_source_raw_bytes says" in raw.run(beyond).verdict.reason
    with pytest.raises(FieldError, match="needs max_source_bytes"):
        BandwidthBudget(max_ratio=0.1, max_source_raw_bytes=1)


def test_a_large_fleet_is_recorded_in_part():
    evidence = FLEET.run(vehicles(5000, ratio=0.05))
    assert len(evidence.measurement.details["by_source"]) == 2000
    assert evidence.outcome == Outcome.PASS
    assert "over 2000 independent sources" in evidence.verdict.reason


def log(times, seconds=None):
    """Return a steady 1 Mbit/s as a counter logs it."""
    return [Transfer(125_000, at=float(t), seconds=seconds) for t in times]


RATE = BandwidthBudget(max_mbps=1.5)
JITTERED = np.arange(600) + np.random.default_rng(0).normal(0, 0.01, 600)


@pytest.mark.parametrize("start", [0.0, 1.7e9, 1.7e9 + 0.1])
@pytest.mark.parametrize("window", [1.0, 10.0])
def test_totals_logged_once_a_second_count_once(start, window):
    gate = BandwidthBudget(max_mbps=1.05, window_s=window)
    evidence = gate.run(log(start + np.arange(600)))
    assert evidence.outcome == Outcome.PASS, evidence.verdict.reason
    assert evidence.measurement.value == pytest.approx(1.0)
    tenths = [Transfer(12_500, at=start + 0.1 * n) for n in range(600)]
    assert gate.run(tenths).measurement.value == pytest.approx(1.0)


def test_records_by_a_clock_may_be_totals():
    """At once, two of them fall into a second; as totals none is more than 1 Mbit/s."""
    evidence = RATE.run(log(JITTERED))
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "set `totals: true`" in evidence.verdict.reason
    totals = BandwidthBudget(max_mbps=1.5, totals=True)
    assert outcome(totals, log(JITTERED)) == Outcome.PASS
    assert totals.run(log(JITTERED)).measurement.value == pytest.approx(1.0, abs=0.1)
    # said to go out at once, they do
    assert outcome(RATE, log(JITTERED, seconds=0.0)) == Outcome.FAIL
    # what breaks the limit in either reading FAILs
    assert outcome(BandwidthBudget(max_mbps=0.8), log(JITTERED)) == Outcome.FAIL
    assert outcome(BandwidthBudget(max_mbps=0.8, totals=True), log(JITTERED)) == Outcome.FAIL


def test_traffic_without_a_clock_goes_out_at_once():
    times = np.cumsum(np.random.default_rng(2).exponential(1.0, 300))
    assert outcome(RATE, log(times)) == Outcome.FAIL


def test_what_one_record_says_of_two_readings_is_not_judged_by_the_other():
    measurement = RATE.run(log(JITTERED)).measurement
    again = BandwidthBudget(max_mbps=1.5, totals=True).decide(measurement)
    assert again.outcome == Outcome.ERROR


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


def test_the_largest_peak_of_a_fleet_counts():
    fleet = [
        Transfer(size, at=float(at), seconds=1.0, source=name)
        for at, (name, size) in enumerate([("a", 1_000_000), ("b", 3_000_000), ("c", 2_000_000)])
    ]
    seen = BandwidthBudget(max_mbps=20, shared_uplink=False).run(fleet).measurement
    assert seen.value == pytest.approx(24.0)
    assert "the busiest 1 s began at 1 s" in seen.details["findings"][0]

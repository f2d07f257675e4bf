"""Whether every slice is in the data: rows of every kind, facts and no more."""

from __future__ import annotations

import csv
import dataclasses
from types import SimpleNamespace

import pandas as pd
import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.slice_coverage import SliceCoverage

DRIVES = [{"turn": "highway", "rain": n % 2} for n in range(95)] + [
    {"turn": "left_turn", "rain": 0} for _ in range(5)
]


def outcome(gate, rows, slice_of="turn"):
    return gate.run(rows, slice_of).outcome


def test_a_limit_is_needed():
    for policy in ({}, {"min_count": 1}):
        with pytest.raises(FieldError, match="sets no limit"):
            SliceCoverage(**policy)
    with pytest.raises(FieldError, match="twice"):
        SliceCoverage(slices=("a", "a"))


@pytest.mark.parametrize(("share", "wanted"), [(0.05, Outcome.PASS), (0.051, Outcome.FAIL)])
def test_share(share, wanted):
    evidence = SliceCoverage(min_share=share).run(DRIVES, "turn")
    assert evidence.outcome == wanted
    assert evidence.measurement.value == 0.05
    assert evidence.limit == "min_share"


@pytest.mark.parametrize(("count", "wanted"), [(5, Outcome.PASS), (6, Outcome.FAIL)])
def test_count(count, wanted):
    evidence = SliceCoverage(min_count=count).run(DRIVES, "turn")
    assert evidence.outcome == wanted
    assert evidence.measurement.value == 5
    assert evidence.limit == "min_count"


def test_a_missing_slice_fails():
    gate = SliceCoverage(slices=("left_turn", "u_turn"))
    evidence = gate.run(DRIVES, "turn")
    assert evidence.outcome == Outcome.FAIL
    assert evidence.verdict.reason == "the slice 'u_turn' is in none of 100 rows"
    assert outcome(SliceCoverage(slices=("left_turn",)), DRIVES) == Outcome.PASS


def test_one_slice_is_enough_where_it_is_the_one_named():
    gate = SliceCoverage(slices=("left_turn",), min_count=5)
    assert outcome(gate, DRIVES[-5:]) == Outcome.PASS
    assert outcome(SliceCoverage(min_count=5), DRIVES[-5:]) == Outcome.INCONCLUSIVE


def test_rows_of_every_kind(tmp_path):
    gate = SliceCoverage(min_count=5, slices=("left_turn",))
    table = pd.DataFrame(DRIVES)
    with (tmp_path / "drives.csv").open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, ["turn", "rain"])
        writer.writeheader()
        writer.writerows(DRIVES)
    table.to_parquet(tmp_path / "drives.parquet")
    things = [SimpleNamespace(**row) for row in DRIVES]
    for rows in (
        table, iter(DRIVES), things, tmp_path / "drives.csv", str(tmp_path / "drives.parquet")
    ):  # fmt: skip
        evidence = gate.run(rows, "turn")
        assert evidence.outcome == Outcome.PASS
        assert evidence.measurement.n == 100
    assert outcome(gate, DRIVES, lambda row: row["turn"]) == Outcome.PASS
    assert outcome(gate, tmp_path / "drives.csv", lambda row: row["turn"]) == Outcome.PASS
    assert outcome(gate, tmp_path / "drives.parquet", lambda row: row["turn"]) == Outcome.PASS
    evidence = gate.run(tmp_path / "drives.parquet", "manoeuvre")
    assert "row 0 has no column 'manoeuvre' (it has turn, rain)" in evidence.verdict.reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""),
        ("a.csv", b'turn\n"left\n'),
        ("a.csv", b"turn,rain\nleft,1,2\n"),
        ("a.parquet", b""),
        ("a.parquet", b"PAR1 no more"),
    ],
)
def test_broken_files(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    gate = SliceCoverage(slices=("left",))
    for slice_of in ("turn", lambda row: row["turn"]):
        assert outcome(gate, tmp_path / name, slice_of) in (Outcome.ERROR, Outcome.INCONCLUSIVE)


def test_a_file_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("turn\nl\xe9ft\nright\n".encode("latin-1"))
    evidence = SliceCoverage(slices=("l\xe9ft",)).run(path, "turn")
    assert evidence.outcome == Outcome.PASS
    assert evidence.findings[-1] == "a.csv: 1 line not in UTF-8, read as Windows-1252"


@pytest.mark.parametrize(
    "names", [list, pd.Series, tuple, lambda names: pd.DataFrame({"t": names})]
)
def test_a_name_for_each_row(names):
    gate = SliceCoverage(slices=("left",), min_count=4)
    rows = range(10)
    assert outcome(gate, rows, names(["left", "right"] * 5)) == Outcome.PASS
    evidence = gate.run(rows, names(["left", "right"] * 4))
    assert "slice_of has 8 names, and there are more rows" in evidence.verdict.reason
    evidence = gate.run(rows, names(["left", "right"] * 6))
    assert "slice_of has 12 names for 10 rows" in evidence.verdict.reason


def test_combinations():
    gate = SliceCoverage(slices=("turn=left_turn & rain=1",))
    evidence = gate.run(DRIVES, ("turn", "rain"))
    assert evidence.outcome == Outcome.FAIL
    assert "'turn=left_turn & rain=1' is in none" in evidence.verdict.reason
    assert outcome(SliceCoverage(min_count=5), DRIVES, ["turn", "rain"]) == Outcome.PASS


def test_several_slices_of_a_row():
    gate = SliceCoverage(min_share=0.4)
    evidence = gate.run(range(10), lambda n: ["all", "even" if n % 2 == 0 else "odd"])
    assert evidence.outcome == Outcome.PASS
    assert evidence.measurement.value == 0.5


def test_rows_without_a_name_count_among_all():
    rows = [{"turn": "a"}] * 10 + [{"turn": "b"}] * 10 + [{"turn": None}] * 80
    evidence = SliceCoverage(min_share=0.2).run(rows, "turn")
    assert evidence.outcome == Outcome.FAIL
    assert "80 of 100 rows have no slice" in evidence.findings
    assert outcome(SliceCoverage(min_share=0.1, max_unnamed=0.8), rows) == Outcome.PASS


def test_one_and_true_are_two_slices():
    evidence = SliceCoverage(min_count=2).run([{"a": 1}, {"a": True}, {"a": 1}], "a")
    assert evidence.outcome == Outcome.FAIL


def test_many_slices():
    rows = [{"id": n % 20_000} for n in range(60_000)]
    evidence = SliceCoverage(min_count=3).run(rows, "id")
    assert evidence.outcome == Outcome.PASS
    assert "of 20000 slices" in evidence.verdict.reason
    assert len(evidence.to_json()) < 20_000
    evidence = SliceCoverage(min_count=3, slices=("19999",)).run(rows[:-1], "id")
    assert evidence.outcome == Outcome.FAIL


def test_limits_are_those_of_the_policy():
    seen = SliceCoverage(min_count=5).run(DRIVES, "turn").measurement
    assert SliceCoverage(min_count=6).decide(seen).outcome == Outcome.FAIL
    assert SliceCoverage(min_count=5, slices=("left_turn",)).decide(seen).outcome == Outcome.ERROR


def test_the_picture_shows_the_smallest_first():
    gate = SliceCoverage(min_share=0.06, min_count=3)
    (picture,) = gate.pictures(gate.run(DRIVES, "turn").measurement)
    assert [point.label for point in picture.points] == ["left_turn", "highway"]
    assert [point.bad for point in picture.points] == [True, False]
    assert picture.limits == (6.0, 3.0)


def test_rows_without_a_slice_leave_it_open():
    """Nothing passes by absence: 95 % of the rows are of a kind that nobody knows."""
    rows = [{"turn": None}] * 9500 + [{"turn": "left"}] * 300 + [{"turn": "right"}] * 200
    evidence = SliceCoverage(min_count=100).run(rows, "turn")
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "9500 of 10000 rows, 95 %, have no slice (max_unnamed 0 %)" in evidence.verdict.reason
    assert outcome(SliceCoverage(min_count=100, max_unnamed=0.95), rows) == Outcome.PASS
    assert outcome(SliceCoverage(min_count=100, max_unnamed=0.9499), rows) == Outcome.INCONCLUSIVE
    # a slice that is too small FAILs whatever else is not known
    assert outcome(SliceCoverage(min_count=201), rows) == Outcome.FAIL


FRAMES = [{"turn": "left", "clip": 7}] * 1000 + [{"turn": "right", "clip": n} for n in range(1000)]


@pytest.mark.parametrize("unit", ["clip", lambda row: row["clip"]])
def test_frames_of_one_clip_are_one(unit):
    by_row, by_clip = (
        SliceCoverage(min_count=500).run(FRAMES, "turn", **kwargs)
        for kwargs in ({}, {"unit": unit})
    )
    assert by_row.outcome == Outcome.PASS
    assert by_clip.outcome == Outcome.FAIL
    assert by_clip.measurement.n == 1000
    assert by_clip.verdict.broken[0].value == 1
    assert "'left' is 1 of 1000 distinct" in by_clip.verdict.reason


def test_the_unit_of_the_policy(tmp_path):
    path = tmp_path / "frames.csv"
    pd.DataFrame(FRAMES).to_csv(path, index=False)
    evidence = SliceCoverage(min_share=0.4, unit="clip").run(path, "turn")
    assert evidence.verdict.reason == (
        "the slice 'left' is 1 of 1000 distinct values of 'clip', 0.1 % (min_share 40 %)"
    )
    assert (
        outcome(SliceCoverage(min_count=1, slices=("left",), unit="clip"), FRAMES) == Outcome.PASS
    )
    wrong = SliceCoverage(min_count=2, unit="clop").run(FRAMES, "turn")
    assert wrong.outcome == Outcome.ERROR


def test_a_row_that_names_no_unit_is_one():
    rows = [{"turn": "left", "clip": None}] * 3 + [{"turn": "right", "clip": "a"}] * 3
    assert SliceCoverage(min_count=2, unit="clip").run(rows, "turn").measurement.n == 4


def test_a_unit_in_two_slices_counts_in_both():
    rows = [{"turn": turn, "clip": n} for n in range(10) for turn in ("left", "right", None)]
    evidence = SliceCoverage(min_count=10, unit="clip").run(rows, "turn")
    assert evidence.outcome == Outcome.PASS  # each clip has a name on some of its frames


def test_what_0_2_0_recorded_is_decided_as_it_was():
    measured = (
        SliceCoverage(min_count=100, max_unnamed=0.99)
        .run([{"turn": None}] * 900 + [{"turn": "a"}] * 100 + [{"turn": "b"}] * 100, "turn")
        .measurement
    )
    old = {k: v for k, v in measured.details.items() if k != "counted"}
    again = SliceCoverage(min_count=100).decide(dataclasses.replace(measured, details=old))
    assert again.outcome == Outcome.PASS

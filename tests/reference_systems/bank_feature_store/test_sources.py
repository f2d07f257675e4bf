"""What a file holds is what is read: no digit, column or cell is lost on the way. Needs no Feast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")

from pyarrow import parquet  # noqa: E402

from reference_systems.bank_feature_store.definition import Field, View, Window  # noqa: E402
from reference_systems.bank_feature_store.errors import BadLine, BankError  # noqa: E402
from reference_systems.bank_feature_store.intake import read, take  # noqa: E402
from reference_systems.bank_feature_store.questions import question  # noqa: E402
from reference_systems.bank_feature_store.repo import Served  # noqa: E402

BEYOND = 2**53 + 1
AT = datetime(2026, 1, 1, tzinfo=UTC)


def view(path, kind="Int64", window=None):
    """A view of one feature over a file with columns k, t and v."""
    return View(
        name="w", keys={"k": ""}, fields=(Field("v" if window is None else "s", kind, window),),
        path=path, timestamp="t", created="", renamed={}, zone="UTC", ttl=None,
    )  # fmt: skip


def table(tmp_path, **columns):
    path = tmp_path / "s.parquet"
    n = len(next(iter(columns.values())))
    times = pa.array([AT + timedelta(days=d) for d in range(n)], pa.timestamp("us", tz="UTC"))
    parquet.write_table(pa.table({"t": times, **columns}), path)
    return path


def text(tmp_path, content):
    path = tmp_path / "s.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_whole_numbers_keep_their_digits_beside_nulls(tmp_path):
    path = table(tmp_path, k=[1, 2], v=pa.array([BEYOND, None], pa.int64()))
    found = take(view(path), print).table["v"].tolist()
    assert found == [BEYOND, pd.NA]
    path = text(tmp_path, f"k,t,v\n1,2026-01-01,{BEYOND}\n2,2026-01-01,\n")
    assert take(view(path), print).table["v"].tolist() == [BEYOND, pd.NA]


def test_so_do_sums_of_windows(tmp_path):
    window = Window("sum", "v", timedelta(days=9000))
    path = table(tmp_path, k=[1, 1], v=pa.array([None, BEYOND], pa.int64()))
    assert take(view(path, window=window), print).table["s"].tolist()[:2] == [pd.NA, BEYOND]
    path = text(tmp_path, f"k,t,v\n1,2026-01-01,\n1,2026-01-02,{BEYOND}\n")
    assert take(view(path, window=window), print).table["s"].tolist()[:2] == [pd.NA, BEYOND]


def test_the_index_of_a_frame_is_a_column(tmp_path):
    path = tmp_path / "s.parquet"
    frame = pd.DataFrame({"t": [AT], "v": [5]}, index=pd.Index([7], name="k"))
    frame.to_parquet(path)
    assert read(path)["k"].tolist() == [7]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("k,t,v\n1,2026-01-01,5,\n2,2026-01-01,6,\n", "line 2: has 4 cells"),
        ("k,t,v\n1,2026-01-01,5\n2,2026-01-01\n", "line 3: has 2 cells"),
        ("k,t,v,v\n1,2026-01-01,5,9\n", "has the column 'v' more than once"),
        ("k,t,v\n1,2026-01-01,\0005\n", "row 1: 'v' is not a whole number"),
        ('k,t,v\n1,2026-01-01,"5\n', "after line 1: can't be read"),
        ("k,t,v\n1,2026-01-01,é\n".encode("latin-1"), "is not UTF-8 (byte 0xe9)"),
        ("", "is empty: its first line names the columns"),
        ("k,t,v\n", "holds no rows"),
        ("k,t,v\n1,9999-12-31,5\n", "row 1: 't' is no time from 1900 to 2199"),
        ("k,t,v\n1,1600-12-31T00:00Z,5\n", "row 1: 't' is no time from 1900 to 2199"),
        ("k,t,v\n1,2026-02-30,5\n", "row 1: 't' is not a time"),
    ],
)
def test_a_row_that_is_not_whole_is_refused(tmp_path, content, told):
    with pytest.raises(BankError) as refused:
        take(view(text(tmp_path, content)), print)
    assert told in str(refused.value)
    assert "s.csv" in str(refused.value)


def test_columns_without_a_name_are_left_out(tmp_path):
    path = text(tmp_path, "\ufeffk,t,v,,\r\n1,2026-01-01,5,,\r\n\r\n")
    assert read(path).to_dict("list") == {"k": ["1"], "t": ["2026-01-01"], "v": ["5"]}


def test_times_of_day_are_whole_seconds_and_the_end_of_time_is_one(tmp_path):
    times = ["9999-12-31T00:00:00Z", "0001-01-01", "2026-03-01T12:00:00.5+02:00", ""]
    rows = "".join(f"{n},2026-01-01,{when}\n" for n, when in enumerate(times))
    found = take(view(text(tmp_path, f"k,t,v\n{rows}"), "UnixTimestamp"), print).table["v"]
    assert [str(when) for when in found] == [
        "9999-12-31 00:00:00+00:00", "0001-01-01 00:00:00+00:00", "2026-03-01 10:00:00+00:00",
        "NaT",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "asked",
    [
        {"k": float("inf"), "event_timestamp": "2026-01-01"},
        {"k": float(BEYOND), "event_timestamp": "2026-01-01"},
        {"k": 1, "event_timestamp": "0001-01-01T00:00:00+14:00"},
        {"k": 1, "event_timestamp": "9999-12-31"},
    ],
)
def test_questions_that_no_store_can_answer(asked):
    served = Served(
        name="w", keys={"k": "Int64"}, features={"v": "Int64"}, windows={}, ttl_s=None,
        as_of="2026-01-01", fixed_clock=True,
    )  # fmt: skip
    with pytest.raises(BadLine):
        question(asked, {"w": served}, timed=True)

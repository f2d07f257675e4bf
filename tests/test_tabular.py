"""Tables of every kind give the same rows, and say where a broken one is."""

from __future__ import annotations

import gzip
import json

import pytest

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.reading.tables import missing, tables

ROWS = [{"a": "1", "b": "x"}, {"a": "2", "b": "é"}]
CSV = "a,b\n1,x\n2,é\n"


def read(source):
    return [record for table in tables(source, "how") for record in table.records()]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", CSV.encode()),
        ("t.csv", CSV.encode("utf-8-sig")),
        ("t.csv", CSV.encode("utf-16")),
        ("t.csv", CSV.replace(",", ";").encode()),
        ("t.csv", b"\n" + CSV.replace("\n", "\r\n").encode()),
        ("t.tsv", CSV.replace(",", "\t").encode()),
        ("t.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
        ("t.json", json.dumps(ROWS).encode()),
        ("t.jsonl", "\n".join(map(json.dumps, ROWS)).encode()),
    ],
)
def test_files(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert read(path) == ROWS
    assert read(str(path)) == ROWS
    assert read(tmp_path) == ROWS


def test_frames_and_parquet(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame(ROWS)
    frame.to_parquet(tmp_path / "t.parquet")
    assert read(frame) == ROWS == read(tmp_path / "t.parquet")
    table = next(some := tables(tmp_path / "t.parquet", "how", columns=("b", "c")))
    assert table.header == ("b",)
    assert [table.place(number) for number, _ in table.rows] == [
        "t.parquet row 1",
        "t.parquet row 2",
    ]
    some.close()


def test_lines_are_those_of_an_editor(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('\na,b\n\n1,"x\ny"\n2,z\n')
    table = next(some := tables(path, "how"))
    assert [table.place(number) for number, _ in table.rows] == ["t.csv line 5", "t.csv line 6"]
    some.close()


def test_bytes_of_another_encoding_stay_in_their_cell(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n1,caf\xe9\n2,y\n")
    assert [row["a"] for row in read(path)] == ["1", "2"]


def test_many_records_with_other_keys():
    records = ({"n": n} if n < 15_000 else {"m": n} for n in range(20_000))
    read_back = read(records)
    assert len(read_back) == 20_000
    assert read_back[-1] == {"n": None, "m": 19_999}
    assert read_back[0] == {"n": 0}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", b"a,a\n1,2\n", "column 'a' more than once"),
        ("t.csv", b'a,b\n1,"x\n2,y\n', "t.csv line 3 can't be read"),
        ("t.json", b"{", "t.json can't be read"),
        ("t.json", b'{"a": 1}', "no list of records"),
        ("t.jsonl", b'{"a": 1}\n{', "t.jsonl can't be read"),
        ("t.jsonl", b'{"a": 1}\n[1]\n', "record 2 is a list"),
        ("t.parquet", b"PAR1", "t.parquet can't be read"),
        ("t.csv.gz", b"no gzip", "can't be read"),
        ("t.xlsx", b"", "how"),
    ],
)
def test_what_can_not_be_read(tmp_path, name, content, said):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Unmeasurable, match=said.replace("(", r"\(")):
        read(tmp_path / name)


def test_a_folder_that_holds_the_same_twice(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / "b.csv").write_text(CSV)
    assert len(read(tmp_path)) == 4
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(Unmeasurable, match=r"\.csv and \.json files"):
        read(tmp_path)
    (tmp_path / "a.json").rename(tmp_path / "a.pdf")
    with pytest.raises(Unmeasurable, match=r"'\.pdf'"):
        read(tmp_path)


def test_an_empty_file_has_no_table(tmp_path):
    (tmp_path / "t.csv").write_text("\n \n")
    assert read(tmp_path / "t.csv") == []


def test_missing():
    pandas = pytest.importorskip("pandas")
    assert all(map(missing, (None, "", " ", float("nan"), pandas.NaT)))
    assert not any(map(missing, (0, False, "x", {}, [], [1])))

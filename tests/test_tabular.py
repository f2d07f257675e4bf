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
        ("t.csv", CSV.encode("utf-16-le")),
        ("t.csv", CSV.encode("utf-16-be")),
        ("t.csv", CSV.encode("latin-1")),
        ("t.csv", CSV.replace(",", "|").encode()),
        ("t.csv", ("sep=;\n" + CSV.replace(",", ";")).encode("utf-8-sig")),
        ("t.csv", CSV.replace("a,b", '"a","b"').encode()),
        ("t.tsv", CSV.replace(",", "\t").encode()),
        ("t.tsv.gz", gzip.compress(CSV.replace(",", "\t").encode("utf-16"), mtime=0)),
        ("t.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
        ("t.json", json.dumps(ROWS).encode()),
        ("t.json", json.dumps(ROWS, ensure_ascii=False).encode("utf-8-sig")),
        ("t.json", json.dumps(ROWS, ensure_ascii=False).encode("utf-16")),
        ("t.json", json.dumps(ROWS, ensure_ascii=False).encode("latin-1")),
        ("t.json.gz", gzip.compress(json.dumps(ROWS).encode(), mtime=0)),
        ("t.jsonl", "\n".join(map(json.dumps, ROWS)).encode()),
        ("t.ndjson.gz", gzip.compress("\n\n".join(map(json.dumps, ROWS)).encode(), mtime=0)),
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


def test_a_line_that_is_not_utf8_is_windows_1252_and_told(tmp_path):
    path, notes = tmp_path / "t.csv", []
    path.write_bytes(b"a,b\n1,caf\xe9\n2,caf\xc3\xa9\n3,\x80 5\n4,\x81\n")
    rows = [row["b"] for table in tables(path, "how", note=notes.append) for row in table.records()]
    assert rows == ["caf\xe9", "caf\xe9", "\u20ac 5", "\x81"]
    assert notes == ["t.csv: 3 lines not in UTF-8, read as Windows-1252"]


def test_many_records_with_other_keys():
    records = ({"n": n} if n < 15_000 else {"m": n} for n in range(20_000))
    read_back = read(records)
    assert len(read_back) == 20_000
    assert read_back[-1] == {"m": 19_999}
    assert read_back[0] == {"n": 0}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", b"a,a\n1,2\n", "column 'a' more than once"),
        ("t.csv", b'a,b\n1,"x\n2,y\n', "t.csv line 3 can't be read"),
        ("t.json", b"{", "t.json can't be read"),
        ("t.json", b'{"a": 1}', "t.json holds a dict, not a list: how"),
        ("t.jsonl", b'{"a": 1}\n{', "t.jsonl line 2 can't be read: it is not JSON"),
        ("t.jsonl", b'{"a": 1}\n[1]\n', "t.jsonl line 2 is a list"),
        ("t.parquet", b"PAR1", "t.parquet can't be read"),
        ("t.csv.gz", b"no gzip", "t.csv.gz can't be read: it is not a whole gzip file"),
        ("t.csv.gz", gzip.compress(CSV.encode(), mtime=0)[:-9], "it is not a whole gzip file"),
        ("t.csv", CSV.encode("utf-16")[:-1], "not text in the encoding that its first bytes tell"),
        ("t.csv", b"a,b\n1,2,3\n", "t.csv line 2 has 3 values, the header has 2"),
        ("t.csv", b"a,b\n1\n", "t.csv line 2 has 1 value, the header has 2"),
        ("t.json", b'{"a": 1}\n{"a": 2}\n', "name it .jsonl where each line is a value"),
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


@pytest.mark.parametrize(("name", "delimiter"), [("t.csv", ","), ("t.tsv", "\t")])
def test_where_a_header_does_not_tell_the_name_of_the_file_does(tmp_path, name, delimiter):
    """As many commas as tabs stand in the header: each kind goes by its own."""
    (tmp_path / name).write_text("a,b\tc\n1,2\t3\n", encoding="utf-8")
    first, second = (["a", "b\tc"], ["a,b", "c"])
    wanted = first if delimiter == "," else second
    (row,) = read(tmp_path / name)
    assert list(row) == wanted

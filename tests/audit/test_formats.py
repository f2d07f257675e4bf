"""Every kind of file: each find at its file, row, column and offsets; packed, nested, chosen."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from pyarrow import parquet

from pytest_mlgates.audit.findings import COLUMNS
from pytest_mlgates.audit.listing import data_files
from pytest_mlgates.audit.partitions import cut
from pytest_mlgates.core.errors import UsageError

CARD = "4111 1111 1111 1111"
LINES = f'{{"a": 1}}\n\n{{"who": {{"cards": ["none", "pay {CARD}"]}}}}\n'


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as packed:
        packed.write(data)
        packed.flush()
        packed.close()
        return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("ending", "pack"),
    [("", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress),
     (".zst", zstd), (".dat", gzip.compress)],
)  # fmt: skip
def test_json_lines_packed_in_any_way(scan, data, ending, pack):
    name = f"x.jsonl{ending}"
    if ending == ".dat":  # by its first bytes, whatever it is called
        name = "x.jsonl"
    (data / name).write_bytes(pack(LINES.encode()))
    seen = scan(data)
    assert seen.places == [(name, 3, "who.cards[1]", 4, 23)]
    assert seen.reports[name].records == 2


def test_parquet_with_nested_fields_and_row_groups(scan, data):
    table = pa.table(
        {
            "id": list(range(30)),
            "when": [datetime(2026, 1, 2)] * 30,
            "text": [f"pay {CARD}" if n == 17 else "x" for n in range(30)],
            "chat": [
                [{"role": "u", "say": f"mail jo.b@corp.com {n}"}] if n == 23 else []
                for n in range(30)
            ],
            "pairs": pa.array([[("k", CARD)]] + [[]] * 29, pa.map_(pa.string(), pa.string())),
            "raw": [b"4111111111111111" if n == 4 else None for n in range(30)],
            "money": [Decimal("1.10")] * 30,
            "day": [date(2026, 1, 2)] * 30,
            "code": pa.array(["a"] * 29 + [CARD]).dictionary_encode(),
        }
    )
    parquet.write_table(table, data / "t.parquet", row_group_size=10)
    assert scan(data).places == [
        ("t.parquet", 1, "pairs[0][1]", 0, 19),
        ("t.parquet", 5, "raw", 0, 16),
        ("t.parquet", 18, "text", 4, 23),
        ("t.parquet", 24, "chat[0].say", 5, 18),
        ("t.parquet", 30, "code", 0, 19),
    ]  # fmt: skip


def test_numbers_of_a_large_file_go_on_through_its_partitions(scan, data):
    texts = [f"pay {CARD}" if n % 1000 == 0 else f"nothing {n}" for n in range(5000)]
    parquet.write_table(
        pa.table({"t": texts}), data / "t.parquet", row_group_size=500, compression="none"
    )
    pieces = cut(data_files([str(data)]), most=30_000)
    assert len(pieces) > 2
    assert [p.stretches[0].first for p in pieces[1:]] == [p.stretches[0].stop for p in pieces[:-1]]
    assert [place[1] for place in scan(data).places] == [1, 1001, 2001, 3001, 4001]


def test_csv(scan, data):
    (data / "t.csv").write_text(f'id;card\n1;"{CARD}\nx"\n2;y;{CARD}\n')
    (data / "u.tsv").write_text(f"id\tcard\n1\t{CARD}\n")
    assert scan(data).places == [
        ("t.csv", 3, "card", 0, 19),
        ("t.csv", 4, "column 3", 0, 19),
        ("u.tsv", 2, "card", 0, 19),
    ]


def test_a_csv_without_a_header_loses_no_row(scan, data):
    (data / "t.csv").write_text(f"1,{CARD}\n2,x\n")
    assert [(f["row"], f["in_name"]) for f in scan(data).findings] == [(0, True)]


def test_text_by_paragraphs(scan, data):
    (data / "t.txt").write_text(f"one\n\n\ntwo\n  {CARD}\n")
    seen = scan(data)
    assert seen.places == [("t.txt", 4, "", 6, 25)]
    assert seen.reports["t.txt"].records == 2


@pytest.mark.parametrize(
    "text", [LINES, f'[{{"a": 1}}, {{"who": {{"cards": ["none", "pay {CARD}"]}}}}]']
)
def test_json_that_is_lines_or_a_list(scan, data, text):
    (data / "t.json").write_text(text)
    assert [f["column"] for f in scan(data).findings] == ["who.cards[1]"]
    assert scan(data).reports["t.json"].records == 2


def test_keys_and_broken_lines_are_read(scan, data):
    (data / "t.jsonl").write_text(f'{{"jo.b@corp.com": 1}}\n{{"a": {CARD}\n')
    assert [(f["row"], f["in_name"], f["entity"]) for f in scan(data).findings] == [
        (1, True, "EMAIL_ADDRESS"),
        (2, False, "CREDIT_CARD"),
    ]
    assert "corp" not in str(scan(data).findings)


def test_mail_is_read_as_every_scan_reads_it(scan, data):
    (data / "m.eml").write_text(f"Subject: x\n\npay {CARD}\n")
    assert {f["entity"] for f in scan(data).findings} == {"CREDIT_CARD"}


def test_utf_16_and_a_windows_page(scan, data):
    (data / "a.csv").write_bytes(f"id,card\n1,é {CARD}\n".encode("utf-16"))
    (data / "b.csv").write_bytes(f"id,card\n1,é {CARD}\n".encode("latin-1"))
    seen = scan(data)
    assert [place[3] for place in seen.places] == [2, 2]
    assert "Windows-1252" in seen.reports["b.csv"].notes[0]


def test_only_the_columns_asked_for(scan, data, tmp_path):
    parquet.write_table(pa.table({"a": [CARD], "b": [{"c": CARD, "d": CARD}]}), data / "t.parquet")
    (data / "t.jsonl").write_text(json.dumps({"a": CARD, "b": {"c": CARD}}) + "\n")
    (data / "t.csv").write_text(f"a,x\n{CARD},{CARD}\n")
    (data / "t.txt").write_text("words\n")
    seen = scan(data, columns=("b.c",))
    assert [place[2] for place in seen.places] == ["b.c", "b.c"]
    assert set(seen.unread) == {"t.csv", "t.txt"}
    assert "none of the columns" in seen.unread["t.csv"]
    assert [p[2] for p in scan(data, columns=("a",), out=str(tmp_path / "2")).places] == ["a"] * 3


def test_globs_single_files_and_what_is_not_there(data):
    for name in ("a.csv", "sub/b.csv", "sub/c.txt"):
        (data / name).parent.mkdir(exist_ok=True)
        (data / name).write_text("x")

    def names(*given):
        return [f.name for f in data_files([str(data / g) for g in given])]

    assert names("**/*.csv") == ["a.csv", "sub/b.csv"]
    assert names("*.csv", "sub/c.txt") == ["a.csv", "c.txt"]
    assert [f.name for f in data_files([str(data)], skip=["*.csv"])] == ["sub/c.txt"]
    with pytest.raises(UsageError, match="no such file"):
        names("none")
    with pytest.raises(UsageError, match="no file is there"):
        names("*.none")


def test_a_name_of_a_file_gives_nobody_away(scan, data):
    for name in ("jo.smith@corp.com.txt", "al.jones@corp.com.txt"):
        (data / name).write_text(f"pay {CARD}\n")
    seen = scan(data)
    assert sorted(seen.reports) == ["<EMAIL_ADDRESS>.txt (1)", "<EMAIL_ADDRESS>.txt (2)"]
    assert "corp" not in str(seen.findings)


def test_findings_hold_no_value_and_digests_take_a_key(scan, data, tmp_path):
    (data / "t.txt").write_text(f"{CARD}\n\n4111-1111-1111-1111\n")
    one, two = scan(data).findings
    assert set(one) == set(COLUMNS)
    assert one["digest"] == two["digest"]
    other = scan(data, key=b"fedcba9876543210", out=str(tmp_path / "other")).findings
    assert other[0]["digest"] != one["digest"]
    whole = b"".join(p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file())
    for secret in (CARD, "4111-1111", "0123456789abcdef"):
        assert secret.encode() not in whole


def test_the_same_value_counts_once_where_parts_of_a_long_record_overlap(scan, data, monkeypatch):
    from pytest_mlgates.audit import lines

    monkeypatch.setattr(lines, "_OVERLAP", 200)
    text = "".join(f"word{n:05} " + (f"{CARD} " if n % 20 == 0 else "") for n in range(1000))
    for most in (700, 1000, 1 << 20):
        got = []
        for unit in lines.units(io.StringIO(text + "\n"), paragraphs=False, most=most):
            window = unit.window
            at = 0
            while (at := unit.text.find(CARD, at)) >= 0:
                if window is None or window.low <= at < window.high:
                    got.append(at + (window.at if window else 0))
                at += 1
        assert got == [n for n in range(len(text)) if text.startswith(CARD, n)], most

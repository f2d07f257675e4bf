"""The redacted copy: schema and rows of the original, nothing left that a second scan finds."""

from __future__ import annotations

import csv
import gzip
import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from pytest_mlgates.audit.anonymize import check_redaction
from pytest_mlgates.audit.settings import Redaction
from pytest_mlgates.core.errors import UsageError

pytest.importorskip("presidio_anonymizer")

CARD, MAIL = "4111 1111 1111 1111", "jo.b@corp.com"
KEY = b"0123456789abcdef"


@pytest.fixture
def copied(scan, data, tmp_path):
    def copied(operator="replace", key=KEY):
        to = tmp_path / f"copy-{operator}"
        redaction = Redaction(str(to), operator, key)
        seen = scan(data, redaction=redaction, out=str(tmp_path / f"out-{operator}"))
        again = scan(to, out=str(tmp_path / f"again-{operator}"))
        return to, seen, again

    return copied


def test_parquet_keeps_schema_and_rows(data, copied):
    schema = pa.schema(
        [
            pa.field("id", pa.int64(), nullable=False),
            pa.field("text", pa.string()),
            pa.field("chat", pa.list_(pa.struct([("who", pa.string()), ("n", pa.int32())]))),
            pa.field("pan", pa.int64()),
            pa.field("code", pa.dictionary(pa.int32(), pa.string())),
            pa.field("map", pa.map_(pa.string(), pa.string())),
        ],
        metadata={b"team": b"x"},
    )
    rows = [
        {
            "id": n,
            "text": f"pay {CARD} or {MAIL}" if n % 5 == 2 else None,
            "chat": [{"who": MAIL if n == 7 else "al", "n": n}],
            "pan": 4111111111111111 if n == 3 else 5,
            "code": CARD if n == 4 else "a",
            "map": [(MAIL, "x")] if n == 1 else [],
        }
        for n in range(25)
    ]
    table = pa.Table.from_pylist(rows, schema=schema)
    parquet.write_table(table, data / "t.parquet", row_group_size=10, compression="zstd")
    to, seen, again = copied()
    copy = parquet.read_table(to / "t.parquet")
    # what Arrow stores of dictionaries aside, the schema is the original's
    assert copy.schema.equals(parquet.read_table(data / "t.parquet").schema, check_metadata=True)
    assert parquet.read_metadata(to / "t.parquet").row_group(0).column(0).compression == "ZSTD"
    wanted = [
        row
        | {
            "text": "pay <CREDIT_CARD> or <EMAIL_ADDRESS>" if row["text"] else None,
            "chat": [{"who": "<EMAIL_ADDRESS>" if n == 7 else "al", "n": n}],
            "pan": None if n == 3 else 5,
            "code": "<CREDIT_CARD>" if n == 4 else "a",
            "map": [("<EMAIL_ADDRESS>", "x")] if n == 1 else [],
        }
        for n, row in enumerate(rows)
    ]
    assert copy.to_pylist() == wanted
    assert seen.reports["t.parquet"].emptied == 1
    assert again.findings == []
    assert again.reports["t.parquet"].records == 25


def test_lines_text_and_csv(data, copied):
    (data / "a.jsonl").write_text(
        f'{{"a":1,   "b": null}}\r\n\n{{"k": ["{CARD}"], "k": "é {MAIL}", "{MAIL}": 1}}\nno json {CARD}\n'
    )
    (data / "b.jsonl.gz").write_bytes(gzip.compress(f'{{"a": "{CARD}"}}\n'.encode()))
    (data / "c.txt").write_text(f"one\n\n\n  two {CARD},\nthree {MAIL}\n\nfour\n\n")
    (data / "d.csv").write_text(f'id;note;x\n1;"a ""b"" {CARD}";\n2;"{MAIL}\nx";y\n')
    (data / "e.json").write_text(json.dumps([{"a": CARD}, {"b": [1, MAIL]}]))
    to, seen, again = copied()
    assert not seen.unread
    assert again.findings == []
    lines = (to / "a.jsonl").read_bytes().decode().split("\n")
    assert lines[0] == '{"a":1,   "b": null}\r'
    assert lines[1] == ""
    pairs = json.loads(lines[2], object_pairs_hook=list)
    assert pairs == [("k", ["<CREDIT_CARD>"]), ("k", "é <EMAIL_ADDRESS>"), ("<EMAIL_ADDRESS>", 1)]
    assert lines[3] == "no json <CREDIT_CARD>"
    assert gzip.decompress((to / "b.jsonl.gz").read_bytes()) == b'{"a": "<CREDIT_CARD>"}\n'
    assert (to / "c.txt").read_text() == (
        "one\n\n\n  two <CREDIT_CARD>,\nthree <EMAIL_ADDRESS>\n\nfour\n\n"
    )
    with (to / "d.csv").open(newline="") as file:
        assert list(csv.reader(file, delimiter=";")) == [
            ["id", "note", "x"],
            ["1", 'a "b" <CREDIT_CARD>', ""],
            ["2", "<EMAIL_ADDRESS>\nx", "y"],
        ]
    assert json.loads((to / "e.json").read_text()) == [
        {"a": "<CREDIT_CARD>"},
        {"b": [1, "<EMAIL_ADDRESS>"]},
    ]
    assert {n: r.records for n, r in again.reports.items()} == {
        n: r.records for n, r in seen.reports.items()
    }


def test_operators(data, copied):
    from presidio_anonymizer.operators import Decrypt

    (data / "a.jsonl").write_text(f'{{"a": "{CARD}"}}\n' * 2)

    def values(operator):
        to, _, again = copied(operator)
        assert CARD not in (to / "a.jsonl").read_text()
        return [json.loads(line)["a"] for line in (to / "a.jsonl").read_text().splitlines()], again

    masked, _ = values("mask")
    assert masked == ["*" * 19] * 2
    hashed, _ = values("hash")
    assert len(set(hashed)) == 1
    assert len(hashed[0]) == 64
    encrypted, _ = values("encrypt")
    assert [Decrypt().operate(text=v, params={"key": KEY}) for v in encrypted] == [CARD] * 2


def test_what_can_not_be_read_is_not_copied(data, copied):
    (data / "ok.txt").write_text("x\n")
    (data / "cut.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n' * 9)[:-4])
    (data / "m.eml").write_text("Subject: x\n\ny\n")
    to, seen, _ = copied()
    assert sorted(p.name for p in to.iterdir()) == ["ok.txt"]
    assert set(seen.unread) == {"cut.jsonl.gz", "m.eml"}


@pytest.mark.parametrize(("operator", "key"), [("encrypt", b"short"), ("hash", b"")])
def test_a_key_that_is_none(operator, key):
    with pytest.raises(UsageError, match=operator):
        check_redaction(Redaction("x", operator, key))

"""Data sets: every record of every file is read, and what can't be read is an error."""

import json

import pytest

from pytest_mlgates.core import Outcome, Unmeasurable
from pytest_mlgates.gates.pii_leak import PiiLeak
from pytest_mlgates.pii import Detector
from pytest_mlgates.pii.datasets import records

CARD = "4111 1111 1111 1111"


def _found(path):
    return [(place, span.entity) for place, text in records(path) for span in Detector().find(text)]


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("a.txt", f"hello\n\npay {CARD}\n", "a.txt:2"),
        ("a.txt", "wrapped 4111 1111\n1111 1111", "a.txt:1"),
        ("a.csv", f'id,card\n1,"{CARD}"\n', "a.csv:2"),
        ("a.csv", f"{CARD},x\n", "a.csv:1"),
        ("a.csv", f"a\n1,{CARD}\n", "a.csv:2"),
        ("a.tsv", f"id\tcard\n1\t{CARD}\n", "a.tsv:2"),
        ("a.jsonl", json.dumps({"m": [{"card": 4111111111111111}]}), "a.jsonl:1"),
        ("a.jsonl", "{broken " + CARD, "a.jsonl:1"),
        ("a.json", json.dumps([1, {"x": CARD}]), "a.json:2"),
    ],
)
def test_kinds(tmp_path, name, content, place):
    (tmp_path / name).write_text(content)
    assert _found(tmp_path) == [(place, "CREDIT_CARD")]


@pytest.mark.parametrize("depth", [500, 100_000])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_deeply_nested(tmp_path, name, depth):
    (tmp_path / name).write_text(f"{'[' * depth}{json.dumps(CARD)}{']' * depth}")
    assert [place.partition(":")[0] for place, _ in _found(tmp_path)] == [name]


def test_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.table({"n": [1, 2], "t": ["x", CARD]}), tmp_path / "a.parquet")
    assert _found(tmp_path / "a.parquet") == [("a.parquet:2", "CREDIT_CARD")]


def test_encodings(tmp_path):
    (tmp_path / "a.txt").write_bytes(f"x {CARD}".encode("utf-16"))
    (tmp_path / "b.txt").write_bytes(b"\xff\xc3 " + CARD.encode())
    assert [place for place, _ in _found(tmp_path)] == ["a.txt:1", "b.txt:1"]


def test_long_line(tmp_path):
    (tmp_path / "a.txt").write_text("x " * 524_285 + CARD + " y" * 600_000)
    assert _found(tmp_path)


@pytest.mark.parametrize("name", ["a.zip", "a.pdf", "a.parquet", "a.json", "a.gz"])
def test_unreadable_is_an_error(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x1f\x8b{no such thing")
    with pytest.raises(Unmeasurable, match=r"can't be read|is packed with gzip"):
        list(records(tmp_path))


MAIL = "kim.roe@harbourmail.org"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps([{MAIL: {"visits": 3}}])),
        ("a.json", json.dumps({"x": {MAIL: None}})),
        ("a.jsonl", json.dumps({MAIL: []})),
        ("a.jsonl", f'{{"note": "{MAIL}", "note": "clean"}}'),
        ("a.csv", f"note,note\n{MAIL},fine\n"),
        ("a.ipynb", json.dumps({"cells": [{"source": [f"to {MAIL}"]}]})),
        ("a.sql", f"insert into t values ('{MAIL}');"),
        ("a.toml", f"mail = '{MAIL}'"),
        ("a.strange", f"mail {MAIL}"),
        ("a.html", f"<p>to {MAIL.replace('@', '&#64;')}</p>"),
        ("a.eml", f"To: {MAIL}\n\nhello"),
        ("a.eml", "Content-Transfer-Encoding: quoted-printable\n\nto kim.roe=\n@harbourmail.org"),
        ("a.jsonl", json.dumps({"event": json.dumps({"text": f"x\t{MAIL}"})})),
    ],
)
def test_nothing_is_left_out(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert "EMAIL_ADDRESS" in [entity for _, entity in _found(tmp_path)]


def test_a_long_cell(tmp_path):
    (tmp_path / "a.csv").write_text(f"id,note\n1,{'x ' * 100_000}{CARD}\n")
    assert _found(tmp_path)


def test_utf_16_without_a_mark(tmp_path):
    (tmp_path / "a.txt").write_bytes(f"x {CARD}".encode("utf-16-le"))
    assert _found(tmp_path)


def test_null_bytes_are_no_text(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"plain words\0" + CARD.encode("utf-16-le"))
    with pytest.raises(Unmeasurable, match="null bytes"):
        list(records(tmp_path))


def test_a_file_that_cannot_be_read_hides_no_leak(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_text(f"pay {CARD}")
    (tmp_path / "b.zip").write_bytes(b"PK\xff\0")
    (tmp_path / "c.csv").symlink_to(tmp_path / "gone.csv")
    evidence = PiiLeak().run(tmp_path)
    assert evidence.outcome == Outcome.FAIL
    assert "of sub/a.txt:1" in evidence.findings[0]
    assert [line[:18] for line in evidence.findings[1:]] == [
        "not read: b.zip is",
        "not read: c.csv ca",
    ]
    (tmp_path / "sub" / "a.txt").write_text("fine")
    evidence = PiiLeak().run(tmp_path)
    assert evidence.outcome == Outcome.ERROR
    assert "and 1 more" in evidence.verdict.reason

"""Data sets: every record of every file is read, and what can't be read is an error."""

import json

import pytest

from pytest_mlgates.core import Unmeasurable
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
    with pytest.raises(Unmeasurable, match="can't be read"):
        list(records(tmp_path))

"""The shipped names, own names, masking, inert edits, shrinking."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.name_invariance.audit import inert
from pytest_mlgates.gates.name_invariance.mask import mask
from pytest_mlgates.gates.name_invariance.shrink import minimal, parts_of
from pytest_mlgates.gates.name_invariance.table import CASE_NAMES, read_names
from pytest_mlgates.gates.name_invariance.templates import read_templates

SHIPPED = read_names(None, 25)


def test_the_shipped_table_has_four_groups_of_25() -> None:
    groups = [name.group for name in SHIPPED]
    assert {g: groups.count(g) for g in groups} == dict.fromkeys(
        ("asian_pacific", "black", "hispanic", "white"), 25
    )


@pytest.mark.parametrize("per_group", [3, 25])
def test_the_names_of_the_case_are_always_there(per_group: int) -> None:
    names = {name.text: name.group for name in read_names(None, per_group)}
    assert len(names) == 4 * per_group
    assert {case: names[case] for case in CASE_NAMES} == {
        "John": "white",
        "Juan": "hispanic",
        "Wei": "asian_pacific",
        "Aisha": "black",
    }


def test_each_given_name_and_each_surname_occurs_once() -> None:
    full = [name.text.split() for name in SHIPPED if name.text not in CASE_NAMES]
    assert all(len(parts) == 2 for parts in full)
    for place in (0, 1):
        words = [parts[place] for parts in full]
        assert len(set(words)) == len(words)
    assert all(name.share >= 0.65 for name in SHIPPED if name.text not in CASE_NAMES)
    assert {name.share for name in SHIPPED if name.text in CASE_NAMES} == {0.0}


@pytest.mark.skipif("MLGATES_DATA" not in os.environ, reason="needs the Census table")
def test_shares_are_those_of_the_census() -> None:
    path = Path(
        os.environ["MLGATES_DATA"], "resume_screener", "us_census_2010_surnames_top10000.csv"
    )
    column = {"white": "pctwhite", "black": "pctblack", "hispanic": "pcthispanic"}
    with path.open(encoding="utf-8") as file:
        census = {row["name"]: row for row in csv.DictReader(file)}
    for name in SHIPPED:
        if name.share:
            row = census[name.text.split()[-1].upper()]
            assert name.share == pytest.approx(float(row[column.get(name.group, "pctapi")]) / 100)


@pytest.mark.parametrize(
    ("names", "word"),
    [
        ({}, "0 group"),
        ({"a": ["Ann", "Bea"]}, "1 group"),
        ({"a": ["Ann"], "b": []}, "1 group"),
        ({"a": ["Ann", "Ann"], "b": ["Bea"]}, "appears twice"),
        ({"a": ["Ann"], "b": ["Ann "]}, "in the groups 'a' and 'b'"),
        ({"a": ["Ann", ""], "b": ["Bea"]}, "empty name"),
        ({"a": ["Ann", " \t"], "b": ["Bea"]}, "empty name"),
        ({" ": ["Ann"], "b": ["Bea"]}, "empty group"),
        ({"a": ["A\x00nn"], "b": ["Bea"]}, "control character"),
        ({"a": ["A\nnn"], "b": ["Bea"]}, "control character"),
        ({"a": ["A\ud800"], "b": ["Bea"]}, "control character"),
        ({"a": "Ann", "b": ["Bea"]}, "are a str"),
        ({"a": None, "b": ["Bea"]}, "are None"),
        ({"a": [1], "b": ["Bea"]}, "holds an int"),
        ({1: ["Ann"], "b": ["Bea"]}, "group that is an int"),
        (["Ann"], "names has 1 name, two are needed"),
        (["Ann", 7], "names holds an int, not a name"),
        (["Ann", "Ann"], "appears twice"),
        (7, "names is an int"),
        ("no/such/file.csv", "can't be read"),
    ],
)
def test_bad_names_get_one_clear_line(names: object, word: str) -> None:
    with pytest.raises(Unmeasurable) as error:
        read_names(names, 25)  # type: ignore[arg-type]
    text = str(error.value)
    assert word in text
    assert "\n" not in text
    assert "name" in text


def test_names_without_end_are_cut() -> None:
    def endless():  # type: ignore[no-untyped-def]
        number = 0
        while True:
            yield f"N{number}"
            number += 1

    with pytest.raises(Unmeasurable, match="more than 10000"):
        read_names({"a": endless(), "b": ["Bea"]}, 25)


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("name,group,share\nAnn,a,0.5\nBea,b,\n", [0.5, 1.0]),
        ("name,group\nAnn,a\n\nBea,b\n", [1.0, 1.0]),
        ("\ufeffname,group\r\nAnn,a\r\nBea,b\r\n", [1.0, 1.0]),
    ],
)
def test_names_from_a_file(tmp_path: Path, text: str, shares: list[float]) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes(text.encode("utf-8"))
    for given_path in (path, str(path)):
        names = read_names(given_path, 25)
        assert [(name.text, name.share) for name in names] == list(
            zip(["Ann", "Bea"], shares, strict=True)
        )


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "it needs name,group"),
        ("surname,group\nAnn,a\n", "it needs name,group"),
        ("name,group,age\nAnn,a,3\n", "it needs name,group"),
        ("name,group\nAnn\n", "line 2 has 1 cell, the header has 2"),
        ("name,group\nAnn,a,b\n", "line 2 has 3 cells, the header has 2"),
        ("name,group,share\nAnn,a,much\nBea,b,1\n", "line 2: share is 'much'"),
        ("name,group,share\nAnn,a,1.5\nBea,b,1\n", "share 1.5"),
        ("name,group,share\nAnn,a,nan\nBea,b,1\n", "share nan"),
    ],
)
def test_bad_files_get_one_clear_line(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "names.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Unmeasurable) as error:
        read_names(path, 25)
    assert word in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_a_file_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes("name;group\nJos\xe9;a\nAnn;b\n".encode(encoding))
    assert [name.text for name in read_names(path, 25)] == ["Jos\xe9", "Ann"]


def test_a_data_frame_of_names() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"name": ["Ann", "Bea"], "group": ["a", "b"], "share": [0.5, None]})
    assert [(n.text, n.share) for n in read_names(frame, 25)] == [("Ann", 0.5), ("Bea", 1.0)]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("a.b+c@mail.example.org", "<email>"),
        ("<jo@example.org>", "<<email>>"),
        ("https://github.com/jo?x=1 www.jo.example", "<url> <url>"),
        ("linkedin.com/in/jo", "<url>"),
        ("+49 (170) 123 45 67", "<number>"),
        ("4111-1111-1111-1111", "<number>"),
        ("2019-2024", "<number>"),
        ("3 years, 12 months, 100 %", "3 years, 12 months, 100 %"),
    ],
)
def test_masking(text: str, masked: str) -> None:
    assert mask(text) == masked


@given(st.text(alphabet="ab1@./:w 0é-", max_size=40))
def test_masking_leaves_no_long_number_and_no_address(text: str) -> None:
    shown = mask(text)
    assert not any(shown[i : i + 4].isdigit() for i in range(len(shown) - 3))
    assert "a@b" not in shown


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_inert_edits_differ_and_strip_away(a: int, b: int) -> None:
    assert inert("text", a).rstrip() == "text"
    assert (inert("text", a) == inert("text", b)) == (a == b)


@given(st.text(max_size=3000))
def test_parts_make_the_template_again(text: str) -> None:
    parts = parts_of(text)
    assert len(parts) <= 48
    assert "".join(parts) == text or not text.strip()


def test_shrinking_finds_the_lines_and_the_pair_that_matter() -> None:
    template = "\n".join(["Name: {NAME}", *(f"line {i}" for i in range(30))])
    asked = []

    def holds(text: str, pair: tuple[str, str]) -> bool:
        asked.append(text)
        return "{NAME}" in text and "line 17" in text and pair[1].startswith("Q")

    pairs = [("Al", "Bo"), ("Al", "Qi"), ("Alexander", "Quentin")]
    found = minimal(template, pairs, holds, seed=1)
    assert found is not None
    text, pair, left = found
    assert text.split() == ["Name:", "{NAME}", "line", "17"]
    assert (pair, left) == (("Al", "Qi"), 2)
    assert len(asked) < 1500


def test_shrinking_says_when_nothing_holds() -> None:
    assert minimal("{NAME}\na", [("Al", "Bo")], lambda *_: False, seed=1) is None


def test_templates_are_read_once_and_doubles_dropped() -> None:
    texts, doubles, unread = read_templates(
        iter(["a {NAME}", "b {NAME}", "a {NAME}"]), "{NAME}", 99
    )
    assert (texts, doubles, unread) == ({"a {NAME}": 0, "b {NAME}": 1}, 1, False)


def test_templates_without_end_are_cut() -> None:
    def endless():  # type: ignore[no-untyped-def]
        while True:
            yield "{NAME}"

    texts, _, unread = read_templates(endless(), "{NAME}", 10)
    assert len(texts) == 1
    assert unread

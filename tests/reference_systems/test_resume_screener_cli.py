"""The screener from the command line, on résumés that nobody here has written."""

from __future__ import annotations

import io
import json
import sys
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="the résumé screener is trained in torch: extra 'systems'")

from reference_systems.resume_screener import fixed, inputs, nameless
from reference_systems.resume_screener.cli import main
from reference_systems.resume_screener.foreign import degree_of, month_of, tidy
from reference_systems.resume_screener.lines import asked_in_stream, text_of
from reference_systems.resume_screener.names import in_parts
from reference_systems.resume_screener.plain_text import document_of
from reference_systems.resume_screener.rendering import NotAResume, sections

FREE = """Aisha Okafor
aisha@mail.example | +1 555 0100

SUMMARY
Engineer with ten years of practice.

Work Experience:
Senior Data Engineer, Globex    Mar 2018 \u2013 Present
- built things
Software Engineer
06/2012 - 02/2018

EDUCATION
B.Sc. Computer Science, University of Lagos, 2008-2012, GPA: 3.7/4.0

TECHNICAL SKILLS: Python, K8s, Terraform (expert), SQL
## Certifications
* Solutions Architect
"""


def run(capsys, monkeypatch, text, *arguments):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    status = main(["score", *arguments])
    out, err = capsys.readouterr()
    return status, [json.loads(line) for line in out.splitlines()], err


def test_each_line_has_its_answer_in_order_with_its_id(capsys, monkeypatch):
    document = inputs.resumes(1, seed=2)[0]
    lines = [
        json.dumps({"id": 7, "text": inputs.applicants(1, seed=3)[0].text}),
        "",
        '{"id": 8, broken',
        json.dumps({"id": "ü", "resume": document}),
        json.dumps({"id": 9, "text": "hello there"}),
        json.dumps({"id": 10}),
        "[1]",
        json.dumps({**document, "id": None}),
    ]
    status, found, err = run(capsys, monkeypatch, "\n".join(lines))
    assert (status, err) == (0, "")
    assert [line["id"] for line in found] == [7, None, "ü", 9, 10, None, None]
    assert ["score" in line for line in found] == [True, False, True, False, False, False, True]
    assert all(
        0 <= line["score"] <= 1 and line["build"] == "fixed" for line in found if "score" in line
    )
    assert found[2]["score"] == found[-1]["score"]
    assert not any("hello" in line.get("error", "") for line in found)


def test_answers_come_before_the_next_line_is_read():
    def slow():
        yield json.dumps({"id": 1, "text": FREE}) + "\n"
        raise AssertionError("read ahead")

    assert next(iter(asked_in_stream(slow()))).id == 1


def test_files_of_each_kind(capsys, monkeypatch, tmp_path):
    document = inputs.resumes(1, seed=2)[0]
    (tmp_path / "a.json").write_text(json.dumps(document, indent=1))
    (tmp_path / "b.txt").write_text(FREE, encoding="utf-8-sig")
    (tmp_path / "c.jsonl").write_text(json.dumps({"id": 5, "resume": document}) + "\n")
    files = [str(tmp_path / name) for name in ("a.json", "b.txt", "c.jsonl")]
    _, found, _ = run(capsys, monkeypatch, "", *files)
    assert [line["id"] for line in found] == ["a.json", "b.txt", 5]
    assert found[0]["score"] == found[2]["score"]
    _, piped, _ = run(capsys, monkeypatch, json.dumps(document, indent=1))
    assert [line["score"] for line in piped] == [found[0]["score"]]
    _, text, _ = run(capsys, monkeypatch, FREE)
    assert text[0]["score"] == found[1]["score"]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 2), (["rank"], 2), (["score", "--build", "old"], 2), (["score", "--seed", "-1"], 2),
        (["score", "no-such-file.json"], 1), (["compare", "--names", "0"], 2),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line(arguments, status, capsys):
    if status == 2:
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
    else:
        assert main(arguments) == status
    err = capsys.readouterr().err
    assert err.startswith("resume_screener")
    assert err.count("\n") == 1


def test_builds_differ_and_the_fix_gives_names_no_say(capsys, monkeypatch):
    names = [name for known in in_parts(2, seed=1).values() for name in known]
    lines = "\n".join(
        json.dumps({"id": name, "text": FREE.replace("Aisha Okafor", name)}) for name in names
    )
    scores = {}
    for build in ("fixed", "incident", "nameless"):
        _, found, _ = run(capsys, monkeypatch, lines, "--build", build)
        assert [line["id"] for line in found] == names
        scores[build] = {line["score"] for line in found}
    assert len(scores["fixed"]) == len(scores["nameless"]) == 1
    assert len(scores["incident"]) > 10


def test_a_free_text_is_read_by_its_headings():
    document = document_of(FREE)
    assert [job["position"] for job in document["work"]] == [
        "Senior Data Engineer, Globex",
        "Software Engineer",
    ]
    tidied, notes = tidy(document, date(2026, 3, 1))
    spans = [(job["startDate"], job["endDate"]) for job in tidied["work"]]
    assert spans == [("2018-03", "2026-03"), ("2012-06", "2018-02")]
    assert tidied["education"][0]["studyType"] == "Bachelor"
    assert tidied["education"][0]["score"] == "3.70"
    words = [word for skill in tidied["skills"] for word in skill["keywords"]]
    assert words == ["Python", "Kubernetes", "Terraform", "SQL"]
    assert notes == []
    assert sections(text_of(FREE)[0])["Certificates"][0][0] == "Solutions Architect"


def test_experience_counts_however_dates_are_written():
    screener = fixed.screener(0)
    forms = [
        ("2015-03-01", "2019-06-30"),
        ("2015-03", "2019-06"),
        ("March 2015", "Jun 2019"),
        ("03/2015", "06/2019"),
    ]
    documents = [
        {"work": [{"company": "X", "title": "Engineer", "startDate": a, "endDate": b}]}
        for a, b in forms
    ]
    assert len({screener.score(text_of(document)[0]) for document in documents}) == 1
    none = screener.score(text_of({"work": [{"position": "Engineer"}]})[0])
    assert screener.score(text_of(documents[0])[0]) > none


@pytest.mark.parametrize(
    ("said", "degree"),
    [
        ("Bachelor of Science", "Bachelor"), ("BSc (Hons)", "Bachelor"), ("MBA", "Master"),
        ("Master's degree", "Master"), ("PhD", "Doctorate"), ("Dr. rer. nat.", "Doctorate"),
        ("High School Diploma", "High school"), ("A.A.", "Associate"), ("Bootcamp", None), ("", None),
    ],
)  # fmt: skip
def test_degrees(said, degree):
    assert degree_of(said) == degree


def test_what_can_not_be_read_is_noted_without_its_words():
    document = {
        "basics": "Ann", "work": [{"position": "Spy", "startDate": "long ago"}, 7, "Cook"],
        "education": {"studyType": "Secret School"}, "skills": ["juggling"], "languages": 5,
    }  # fmt: skip
    _, notes = text_of(document)
    assert len(notes) >= 4
    assert not any(word in " ".join(notes) for word in ("Spy", "Secret", "juggling", "long ago"))
    assert month_of("13/2020") is None
    assert month_of(None) is None


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 3000)
    | st.floats(allow_nan=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "position",
                    "startDate",
                    "endDate",
                    "studyType",
                    "score",
                    "keywords",
                    "level",
                    "highlights",
                    "institution",
                    "location",
                    "reference",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(
    document=st.dictionaries(
        st.sampled_from(
            [
                "basics",
                "work",
                "education",
                "skills",
                "certificates",
                "volunteer",
                "languages",
                "interests",
                "references",
                "meta",
            ]
        ),
        json_values,
    )
    | json_values,
    text=st.text(max_size=80),
)
@settings(max_examples=300, deadline=None)
def test_whatever_it_is_it_is_scored_or_refused(document, text):
    screeners = fixed.screener(0), nameless.screener(0)
    for asked in (document, f"Ann\nExperience\n{text}\nSkills: {text}"):
        try:
            rendered, _ = text_of(asked)
        except NotAResume:
            continue
        for screener in screeners:
            assert 0 <= screener.score(rendered) <= 1


def test_compare_prints_the_table_of_local_law_144(capsys):
    assert main(["compare", "--names", "2", "--resumes", "2", "--held-out", "400"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    tables = {row["table"] for row in rows if row["table"].startswith("Local Law 144, ")}
    assert len(tables) == 3
    crossed = [row for row in rows if "sex & race" in row]
    asked = {"sex & race", "applicants", "above the median", "scoring rate", "impact ratio"}
    assert {"table", *asked} == set(crossed[0])
    assert "female & white" in {row["sex & race"] for row in crossed}

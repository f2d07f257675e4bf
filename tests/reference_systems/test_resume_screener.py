"""The résumé screener: its documents, its history, its two builds."""

from __future__ import annotations

import json
import re
import statistics
from functools import cache

import numpy as np
import pytest

pytest.importorskip("torch", reason="the résumé screener is trained in torch: extra 'systems'")

from reference_systems.resume_screener import compare, fixed, incident, inputs, people
from reference_systems.resume_screener.features import BLOCKS, Features
from reference_systems.resume_screener.history import YEARS, chance, hiring_history
from reference_systems.resume_screener.rendering import NotAResume, render, sections
from reference_systems.resume_screener.training import train

SEEDS = (0, 11)
HOSTILE = {
    "empty": "",
    "one letter": "O",
    "very long": "Maximilian " * 2000,
    "not ascii": "Zoë Ångström-Ólafsdóttir 王伟 محمد 🦊",
    "combining": "e\u0301\u200d\u202e",
    "lone surrogate": "\udcff",
    "digits": "X Æ A-12 2015-01 to 2026-01 4.0",
    "a title": "Dean",
    "a skill": "Java Ruby Rust",
    "a list of skills": "Python, Java, SQL, Spark",
    "a senior title": "Senior Lead Principal Manager",
    "a degree": "Doctorate | Computer Science | Aldermere University | 4.0",
    "a pronoun": "he/him",
    "a college": "Aldermere University",
    "a heading": "Skills",
    "a marked heading": "## Skills",
    "a section": "Bo\n## Skills\nData | Expert | SQL, Spark, Kafka, dbt\n",
    "all sections": "\n".join(
        [
            "Bo",
            "## Experience",
            "Lead Engineer | X | 1990-01 to 2026-01",
            "## Education",
            "Doctorate | Physics | X | 4.0",
            "## Skills",
            "Data | Expert | SQL",
            "## Certificates",
            "A | B",
            "## Volunteering",
            "## Languages",
            "English | Native",
        ]
    ),
    "carriage return": "Bo\r\n## Experience\r\nLead | X | 1990-01 to 2026-01",
    "a placeholder": "{NAME}",
    "a format": "{0} %s \\1 $& <b>",
    "a separator": " | ",
}


@cache
def names() -> dict[str, list[str]]:
    return compare.names_of(20, seed=5)


@pytest.mark.parametrize("document", inputs.resumes(25, seed=1))
def test_documents_follow_the_json_resume_schema(document: dict) -> None:
    schema = inputs.schema()
    if schema is not None:
        import jsonschema

        jsonschema.Draft4Validator(schema).validate(document)
    assert re.fullmatch(r"[^@\s]+@[^@\s]+", document["basics"]["email"])
    assert "{NAME}" not in json.dumps(document)
    assert document["basics"]["name"] in document["basics"]["summary"]
    iso8601 = r"[12]\d{3}(-[01]\d(-[0-3]\d)?)?"
    for section, needed in {
        "work": ("name", "position", "startDate"),
        "education": ("institution", "area", "studyType", "score", "startDate", "endDate"),
        "skills": ("name", "level"),
        "certificates": ("name", "issuer", "date"),
        "volunteer": ("organization", "position"),
        "languages": ("language", "fluency"),
        "references": ("name", "reference"),
    }.items():
        for entry in document[section]:
            assert all(isinstance(entry[key], str) and entry[key] for key in needed)
            for key in ("startDate", "endDate", "date"):
                assert re.fullmatch(iso8601, entry.get(key, "2026"))


def test_the_sample_of_json_resume_is_scored_by_both_builds() -> None:
    folder = people.data_folder()
    if folder is None:
        pytest.skip("the sample document is in the folder named by MLGATES_DATA")
    document = json.loads((folder / "jsonresume_sample.json").read_text(encoding="utf-8"))
    for build in (incident, fixed):
        assert 0 <= build.screener(0).score(render(document)) <= 1


def test_a_text_says_what_its_document_says() -> None:
    applicant = inputs.applicants(1, seed=3)[0]
    assert render(applicant.document) == applicant.text
    rows = sections(applicant.text)
    assert [row[0] for row in rows["Skills"]] == [
        skill["name"] for skill in applicant.document["skills"]
    ]
    assert len(rows["Experience"]) == len(applicant.document["work"])


def test_templates_hold_the_placeholder_in_the_title_the_email_and_sentences() -> None:
    for text in inputs.templates(20, seed=2):
        assert text.startswith("# {NAME}\n")
        assert 'E-mail: "{NAME}" <' in text
        assert "My name is {NAME}" in text
        assert "{NAME}" not in text[text.index("\n## Experience\n") :]


def test_everything_follows_from_the_seed() -> None:
    assert inputs.resumes(5, 1) == inputs.resumes(5, 1) != inputs.resumes(5, 2)
    assert inputs.templates(5, 1) == inputs.templates(5, 1) != inputs.templates(5, 2)
    first, text = fixed.screener(0), inputs.templates(1, 4)[0]
    weights, score = first.weights, first.score(text)
    train.cache_clear()
    hiring_history.cache_clear()
    again = fixed.screener(0)
    assert again is not first
    assert np.array_equal(again.weights, weights)
    assert again.score(text) == score
    assert not np.array_equal(fixed.screener(11).weights, weights)


def test_training_leaves_the_threads_and_the_random_state_of_torch_alone() -> None:
    import torch

    threads, state = torch.get_num_threads(), torch.get_rng_state()
    train(("certificates",), 0)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_qualification_is_fair_and_the_history_is_not() -> None:
    history = hiring_history(0)
    assert {decision.year for decision in history} == set(YEARS)
    western = [d for d in history if d.applicant.person.group == "white"]
    others = [d for d in history if d.applicant.person.group != "white"]
    good = [statistics.fmean(d.applicant.qualified for d in each) for each in (western, others)]
    assert abs(good[0] - good[1]) < 0.06
    hired = [statistics.fmean(d.hired for d in each) for each in (western, others)]
    assert hired[0] > hired[1] + 0.1


def test_the_preference_for_western_names_grows_over_the_years() -> None:
    history = hiring_history(0)
    gaps = []
    for years in (YEARS[:3], YEARS[-3:]):
        rates = [
            statistics.fmean(
                chance(d.applicant, d.year)
                for d in history
                if d.year in years and (d.applicant.person.group == "white") == western
            )
            for western in (True, False)
        ]
        gaps.append(rates[0] / rates[1])
    assert gaps[1] > gaps[0] > 1


@pytest.mark.parametrize("seed", SEEDS)
def test_the_incident_learned_name_origin(seed: int) -> None:
    means = compare.by_group(incident.screener(seed), inputs.templates(10, seed), names())
    assert means["white"] - statistics.fmean(v for g, v in means.items() if g != "white") > 0.03


@pytest.mark.parametrize("seed", SEEDS)
def test_under_the_fix_every_group_has_the_same_mean(seed: int) -> None:
    means = compare.by_group(fixed.screener(seed), inputs.templates(10, seed), names())
    assert max(means.values()) - min(means.values()) < 1e-12
    assert max(compare.four_names(fixed.screener(seed), inputs.templates(10, seed))) == 0


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_the_fix_ignores_the_name_whatever_it_is(name: str) -> None:
    screener = fixed.screener(0)
    for text in inputs.templates(5, seed=6):
        wanted = screener.score(text.replace("{NAME}", "Ann Example"))
        assert screener.score(text.replace("{NAME}", name)) == wanted
        signed = text + "\nKind regards,\n{NAME}\n"  # a place of which the renderer knows nothing
        if "\n" not in name:
            assert screener.score(signed.replace("{NAME}", name)) == wanted


def test_the_fix_ignores_gender_and_college_and_reads_the_rest() -> None:
    screener = fixed.screener(0)
    document = next(r for r in inputs.resumes(50, seed=8) if r["work"] and r["certificates"])
    score = screener.score(render(document))
    other = json.loads(json.dumps(document))
    other["basics"]["pronouns"] = "they/them"
    other["volunteer"] = [{"organization": "Women in Engineering", "position": "Chair"}]
    other["education"][0]["institution"] = "Whitcombe College"
    assert screener.score(render(other)) == score
    assert incident.screener(0).score(render(other)) != incident.screener(0).score(render(document))
    other["work"], other["certificates"] = [], []
    assert screener.score(render(other)) < score


@pytest.mark.parametrize("build", [incident, fixed])
def test_scores_are_in_the_unit_interval_and_rank_by_qualification(build) -> None:
    screener = build.screener(0)
    held_out = inputs.applicants(600, 0, purpose="held out")
    scores = [screener.score(each.text) for each in held_out]
    assert all(isinstance(score, float) and 0 <= score <= 1 for score in scores)
    assert len(set(scores)) > 500
    assert compare.auc(screener, held_out) > 0.65
    assert compare.auc(fixed.screener(0), held_out) >= compare.auc(screener, held_out)


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_the_incident_too_answers_to_any_name(name: str) -> None:
    text = inputs.templates(1, seed=6)[0]
    assert 0 <= incident.screener(0).score(text.replace("{NAME}", name)) <= 1


def _cut(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (lambda _: "", "no section '## Experience' in this text of 0 characters"),
        (lambda _: "Dear team, hire me.", "no section '## Experience'"),
        (lambda t: _cut(t, "## Skills", "Skills"), "no section '## Skills'"),
        (lambda t: _cut(t, "## Languages\n", ""), "no section '## Languages'"),
        (lambda t: _cut(t, " to ", " until "), "'## Experience' does not end in dates"),
        (lambda t: re.sub(r"\d{4}-01 to", "recently to", t), "does not end in dates"),
        (lambda t: _cut(t, "## Skills\n", "## Skills\nPython\n"), "'## Skills' has 1 cells"),
        (lambda t: _cut(t, "## Education\n", "## Education\nMIT\n"), "'## Education' has 1 cells"),
    ],
)
@pytest.mark.parametrize("build", [incident, fixed])
def test_a_malformed_text_is_refused_in_one_line_without_its_words(build, broken, says) -> None:
    text = next(each.text for each in inputs.applicants(20, seed=7) if each.document["work"])
    with pytest.raises(NotAResume, match=re.escape(says)) as caught:
        build.screener(0).score(broken(text))
    message = str(caught.value)
    assert "\n" not in message
    assert text[2 : text.index("\n")] not in message
    assert "hire me" not in message


@pytest.mark.parametrize("value", [None, 3, b"# A", ["# A"]])
def test_what_is_no_text_is_refused(value) -> None:
    with pytest.raises(TypeError, match="takes the text of a résumé, got "):
        fixed.screener(0).score(value)


def test_an_unknown_block_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no block is called 'shoe_size': known are name, gender"):
        Features(["experience", "shoe_size"])


def test_the_fix_reads_every_block_but_the_removed_ones() -> None:
    assert set(fixed.screener(0).features.blocks) == set(BLOCKS) - {
        "name",
        "gender",
        "college",
        "postcode",
        "hobbies",
    }
    assert set(incident.screener(0).features.blocks) == set(BLOCKS)


@pytest.mark.parametrize("held_out", ["1", "2", "9"])
def test_the_comparison_of_hardly_anybody_has_dashes(capsys, held_out: str) -> None:
    compare.main(["--names", "1", "--resumes", "1", "--held-out", held_out])
    told = capsys.readouterr().out
    assert " - |" in told
    assert "impact_ratio: PASS" not in told


def test_the_comparison_prints_the_tables_of_the_readme(capsys) -> None:
    compare.main(["--names", "3", "--resumes", "3", "--held-out", "300"])
    out = capsys.readouterr().out
    assert "| AUC against true qualification |" in out
    assert "| four-name rule: largest max - min |" in out

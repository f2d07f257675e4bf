"""``grounding``: claims against passages, gold, refusals, citations, judges."""

from __future__ import annotations

import random

import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.grounding import Grounding
from pytest_mlgates.gates.grounding.check import Checker
from pytest_mlgates.gates.grounding.details import Seen
from pytest_mlgates.gates.grounding.entities import Synonyms, entities_of, plain_words
from pytest_mlgates.gates.grounding.fetch import Documents, Missing, passage
from pytest_mlgates.gates.grounding.gold import differs
from pytest_mlgates.gates.grounding.polarity import stances
from tests.gate_cases.grounding import ASKED, GATE, NOTES, REFUSAL, USELESS, cited, reply

SHIPPED = Checker(Synonyms.read(None))


SUPPORTED = [
    ("lisinopril 20 mg", "Continue Zestril 0.02 g by mouth once a day."),
    ("aspirin 81 mg daily", "ASA 81mg qd"),
    ("Tylenol 500 mg", "acetaminophen 500 mg prn"),
    ("on 2021-03-14", "Visit of March 14, 2021: well."),
    ("on 3/14/2021", "2021-03-14T10:00:00+00:00"),
    ("1,000 mg", "1 g"),
    ("no known allergy to penicillin", "No known drug allergies. Not allergic to penicillin: no known allergy to penicillin."),
    ("denies fever", "He denies chills, fever and cough."),
    ("cough", "He denies fever but has a cough."),
    ("her mother has diabetes", "Mother has diabetes."),
    ("Latex (substance): active, 2004-09-14", '"code": "active"}, "text": "Latex (substance)", "recordedDate": "2004-09-14T03:19:10+00:00"'),
    ("Hemoglobin A1c: 6.1 %", '"text": "Hemoglobin A1c", "value": 6.1, "unit": "%"'),
    ("two procedures: biopsy", "2 procedures were done: biopsy"),
    ("diabetes", "No change in diabetes."),
    ("asthma", "He lives with his mother and has asthma."),
    ("patient 0f4f39ac-2201", "id 0f4f39ac-2201 of the chart"),
    ("R\u00f6telmittel", "rotelmittel"),
]  # fmt: skip
SURE = [
    ("lisinopril 40 mg", "lisinopril 20 mg", "dose"),
    ("lisinopril 20 mcg", "lisinopril 20 mg", "dose"),
    ("lisinopril", "amlodipine 5 mg", "name"),
    ("oral lisinopril", "intravenous lisinopril", "name"),
    ("seen on 2021-03-15", "seen on 2021-03-14", "date"),
    ("seen 7 times", "seen 6 times", "number"),
    ("patient p004", "patient p003", "identifier"),
    ("allergy to penicillin", "No known allergy to penicillin.", "denies"),
    ("penicillin", "Patient denies penicillin allergy.", "denies"),
    ("no penicillin allergy", "Penicillin allergy: hives.", "affirms"),
    ("diabetes", "His mother has diabetes.", "relative"),
    ("asthma", "Father had stroke and asthma.", "relative"),
    ("brother has gout", "The patient has gout.", "relative"),
    ("stroke", "Stroke was ruled out.", "denies"),
    ("fever", "Denies chills, cough, or fever.", "denies"),
    ("diabetes", "", "empty"),
]
UNCLEAR = [
    ("He plays the oboe", "He has asthma."),
    ("severe asthma", "He has asthma."),
    ("currently takes lisinopril", "lisinopril"),
]


@pytest.mark.parametrize(("claim", "text"), SUPPORTED)
def test_a_claim_that_its_passage_bears_out(claim, text):
    assert SHIPPED.check(claim, text) is None


@pytest.mark.parametrize(("claim", "text", "word"), SURE)
def test_a_claim_that_is_surely_without_support(claim, text, word):
    found = SHIPPED.check(claim, text)
    assert found is not None
    assert found.sure == (word != "empty")
    assert word in found.reason or word == "empty"


@pytest.mark.parametrize(("claim", "text"), UNCLEAR)
def test_a_claim_of_which_no_rule_knows_is_unclear(claim, text):
    found = SHIPPED.check(claim, text)
    assert found is not None
    assert not found.sure


def test_any_hard_entity_changed_is_found():
    rng = random.Random(7)
    for _ in range(500):
        dose, day = rng.randrange(1, 900), rng.randrange(1, 28)
        text = (
            f"2021-05-{day:02} warfarin {dose} mg daily, INR 2.{rng.randrange(10)}, room r{dose}x."
        )
        assert SHIPPED.check(text, text) is None
        found = entities_of(text, SHIPPED.names)
        for old, new in (
            (f"{dose} mg", f"{dose + rng.randrange(1, 9)} mg"),
            (f"05-{day:02}", f"06-{day:02}"),
            ("warfarin", "apixaban"),
            (f"r{dose}x", f"r{dose}y"),
            ("daily", "twice daily"),
        ):
            assert old in text
            changed = SHIPPED.check(text.replace(old, new), text)
            assert changed is not None, (old, new)
            assert changed.sure
        assert found.dates


@pytest.mark.parametrize(
    "source",
    ["a", {"file": "a"}, {"file": "a", "start": 0, "end": 5}, {"file": "a", "quote": "Latex"}],
)
def test_a_citation_is_fetched(source):
    assert passage(source, Documents({"a": "Latex"}), {}) == "Latex"


@pytest.mark.parametrize(
    "source",
    [
        None, 3, {}, {"file": 1}, "b", {"file": "b"}, {"file": "a", "start": -1, "end": 3}, {"file": "a", "start": 3, "end": 3},
        {"file": "a", "start": 0, "end": 99}, {"file": "a", "start": 0}, {"file": "a", "start": True, "end": 2}, {"file": "a", "start": 0.0, "end": 2},
        {"file": "a", "start": 0, "end": 4, "quote": "Late "}, {"file": "a", "quote": "rubber"},
    ],
)  # fmt: skip
def test_a_citation_that_does_not_exist(source):
    with pytest.raises(Missing):
        passage(source, Documents({"a": "Latex"}), {})


def test_a_folder_gives_no_file_outside_of_it(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_bytes("R\u00f6te\r\n".encode())
    (tmp_path / "out.txt").write_text("secret")
    (tmp_path / "in" / "b.txt").write_bytes(b"\xff")
    documents = Documents(tmp_path / "in")
    assert documents.text("a.txt") == "R\u00f6te\r\n"
    for name in ("../out.txt", str(tmp_path / "out.txt"), "b.txt", "none.txt", ""):
        with pytest.raises(Missing):
            documents.text(name)


def seen(evidence):
    return evidence.measurement.read(Seen)


@pytest.mark.parametrize("run", USELESS.values(), ids=list(USELESS))
def test_what_is_of_no_use_fails(run):
    assert run().outcome == Outcome.FAIL


def test_gold_and_context_never_reach_the_subject():
    got = []

    def subject(question):
        got.append(question)
        return REFUSAL

    GATE.run(
        subject,
        [
            {"question": "a", "gold": "x", "context": "y"},
            {"question": "b", "patient": "p", "answerable": True},
            "c",
        ],
    )
    assert got == ["a", {"question": "b", "patient": "p"}, "c"]


def test_the_context_of_a_question_is_what_its_claims_are_held_against():
    asked = [{"question": f"q{n}", "gold": [f"{n} mg"], "context": [f"{n} mg"]} for n in range(300)]
    asked += [{"question": f"u{n}", "gold": None} for n in range(100)]
    good = GATE.run(lambda q: REFUSAL if q[0] == "u" else reply(f"{q[1:]} mg", "0"), asked)
    assert good.outcome == Outcome.PASS
    bad = GATE.run(lambda q: REFUSAL if q[0] == "u" else reply(f"{q[1:]} mg", "1"), asked)
    assert bad.outcome == Outcome.FAIL
    assert set(seen(bad).reasons) == {"cites what can't be fetched"}


@pytest.mark.parametrize(
    ("text", "gold", "told"),
    [
        ("Yes: aspirin.", True, False), ("No known allergies.", True, True), ("NKDA", False, False), ("None known.", False, False),
        ("Perhaps.", True, None), ("Nothing.", False, None), ("ASA 81 mg", ("aspirin", "0.081 g"), False), ("aspirin", ("aspirin", "81 mg"), True), ("on May 3, 2020", ("2020-05-03",), False),
    ],
)  # fmt: skip
def test_gold(text, gold, told):
    assert differs(text, gold, SHIPPED.names) is told


def test_what_is_said_outside_of_the_claims_counts():
    def says_more(question):
        told = cited(question)
        return (
            told
            if told["refused"]
            else told | {"answer": f"{told['answer']} And warfarin 9999 mg."}
        )

    evidence = GATE.run(says_more, ASKED, NOTES)
    assert evidence.outcome == Outcome.FAIL
    assert set(seen(evidence).reasons) == {"a dose stands outside of its claims"}


def test_a_refusal_that_claims_is_checked_too():
    def refuses_and_claims(question):
        return {
            "answer": "no",
            "refused": True,
            "claims": [{"text": "warfarin 3 mg", "source": "n1"}],
        }

    evidence = GATE.run(refuses_and_claims, ASKED, NOTES)
    assert seen(evidence).unsupported == len(ASKED)


def test_a_judge_only_adds_suspects_that_it_confirms():
    asked = []

    def sane(claim, text):
        asked.append(claim)
        return claim == text or "lisinopril 5 mg" not in claim

    def contrary(claim, text):
        return False

    def moody(claim, text, state=[]):  # noqa: B006
        state.append(1)
        return len(state) % 3 != 1

    one = {"question": "Which dose in n5 of it?", "gold": ["5 mg"]}

    def short(question):
        return reply("takes lisinopril 5 mg", "n5")

    told = seen(GATE.run(short, [one], NOTES, judge=sane))
    assert (told.judged, told.unsupported) == (1, 1)
    for judge in (contrary, moody):
        told = seen(GATE.run(short, [one], NOTES, judge=judge))
        assert (told.judged, told.unsupported) == (1, 0)
    assert seen(GATE.run(short, [one], NOTES)).judged == 0
    assert asked


def test_names_of_ones_own(tmp_path):
    table = tmp_path / "names.csv"
    table.write_text("name,same_as\nacme,widget\n")
    checker = Checker(Synonyms.read(str(table)))
    assert checker.check("the acme part", "the widget part") is None
    assert checker.check("the widget part", "the gadget part") is not None
    bad = Grounding(names=str(tmp_path / "none.csv")).run(cited, ASKED, NOTES)
    assert bad.outcome == Outcome.ERROR
    table.write_text("a,b\n")
    assert Grounding(names=str(table)).run(cited, ASKED, NOTES).outcome == Outcome.ERROR


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ({"refused": False}, "answer must be a text"), ({"answer": "x", "refused": "no"}, "refused"), ({"answer": "x", "claims": "y"}, "claims"),
        ({"answer": "x", "claims": [{"source": "a"}]}, "text and source"), (3.5, "float"),
    ],
)  # fmt: skip
def test_an_answer_of_another_form_is_an_error_with_the_way_out(answer, word):
    evidence = GATE.run(lambda _: answer, ASKED, NOTES)
    assert evidence.outcome == Outcome.ERROR
    assert word in evidence.verdict.reason


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ({"text": "x"}, "question"), ({"question": "x", "gold": {}}, "gold"), ({"question": "x", "answerable": "no"}, "answerable"),
        ({"question": "x", "gold": "y", "answerable": False}, "unanswerable"), ({"question": "x", "context": 3}, "context"),
    ],
)  # fmt: skip
def test_a_question_of_another_form_is_an_error_with_the_way_out(question, word):
    evidence = GATE.run(cited, [question], NOTES)
    assert evidence.outcome == Outcome.ERROR
    assert word in evidence.verdict.reason


def test_one_claim_without_support_among_many_leaves_it_open():
    def once(question):
        return (
            reply("lisinopril 9999 mg", "n0")
            if question.startswith("Which dose in n0 ")
            else cited(question)
        )

    gate = Grounding(max_unsupported_rate=0.01, min_answered=0.85, min_refused=0.85)
    evidence = gate.run(once, ASKED, NOTES)
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert seen(evidence).unsupported == 1


def test_findings_name_places_and_never_what_was_said():
    evidence = GATE.run(lambda q: reply("Ada takes warfarin 77777 mg", "n0"), ASKED, NOTES)
    text = str(evidence.to_json())
    assert "77777" not in text
    assert "Ada" not in text
    assert "question 0, claim 1: a dose is not in the passage" in seen(evidence).findings


def test_stances_of_a_long_text_are_quick_and_bounded():
    text = plain_words("denies fever, " * 20_000)
    assert len(stances(text, [14 * n + 7 for n in range(200)])) == 200

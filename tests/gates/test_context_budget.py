"""Contexts that fit and hold what they must: what is counted, what is found, what can't pass."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.core import Measurement, Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.context_budget import ContextBudget
from pytest_mlgates.gates.context_budget.keep import folded, holds

GATE = ContextBudget(max_tokens=10, keep=("path", "names >= 0.5"))
ONE = [{"question": "q", "path": ["a b"], "names": ["x.y/1", "x.z/2"]}]


def words(text):
    return len(text.split())


def outcome(text, questions=ONE, gate=GATE):
    return gate.run(lambda question: text, questions, words).outcome


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a b x.y/1", Outcome.PASS),
        ("a\n\t b, x.z/2", Outcome.PASS),  # blanks are folded
        ("a b x.y/1 " + "w " * 7, Outcome.PASS),  # ten tokens
        ("a b x.y/1 " + "w " * 8, Outcome.FAIL),  # eleven
        ("a x b x.y/1", Outcome.FAIL),  # the path is not there in full
        ("a b", Outcome.FAIL),  # no name
        ("a b x.y/12 ax.y/1", Outcome.FAIL),  # parts of other names
        ("aa b x.y/1 a bb", Outcome.FAIL),
        ("", Outcome.FAIL),
        (" \n", Outcome.FAIL),
        ("x.y/1 x.z/2", Outcome.FAIL),  # names only
    ],
)
def test_what_fits_and_holds(text, wanted):
    assert outcome(text) == wanted


def test_what_no_context_can_hold_is_no_fault_of_the_subject():
    """Nor a PASS: the verdict says what the budget would have to be."""
    gate = ContextBudget(max_tokens=5, keep=("path",))
    asked = [
        {"question": 1, "path": ["a b c d", "e f g", "f g"]},
        {"question": 2, "path": ["x y"]},
    ]
    contexts = {1: "a b c d e", 2: "x y"}
    evidence = gate.run(contexts.__getitem__, asked, words)
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "question 1 has 7 tokens by itself and 5 are allowed" in evidence.verdict.reason
    # what could have been kept and is not, what is empty and what is too long are faults as ever
    for other in ({2: "x"}, {1: ""}, {1: "a b c d e f g"}):
        assert gate.run((contexts | other).__getitem__, asked, words).outcome == Outcome.FAIL
    # of what only a share is asked for nothing can be said
    loose = ContextBudget(max_tokens=5, keep=("path >= 0.9",))
    assert loose.run(contexts.__getitem__, asked, words).outcome == Outcome.FAIL


def test_shares():
    names = [f"n{i}" for i in range(20)]
    gate = ContextBudget(max_tokens=100, keep=("names >= 95%",))
    questions = [{"question": 1, "names": names}]
    assert outcome(" ".join(names[1:]), questions, gate) == Outcome.PASS
    evidence = gate.run(lambda q: " ".join(names[2:]), questions, words)
    assert evidence.outcome == Outcome.FAIL
    assert "question 1 holds 18 of 20 (90 %), 95 % is asked for" in evidence.verdict.reason
    assert "question 1: 2 of 20 names not there, such as 'n0'" in evidence.findings


def test_the_subject_does_not_see_what_it_must_keep():
    seen = []
    GATE.run(lambda question: seen.append(question) or "", ONE, words)
    assert seen == ["q"]
    record = [{**ONE[0], "question": {"method": "m", "question": "q"}}]
    GATE.run(lambda question: seen.append(question) or "", record, words)
    assert seen[1] == {"method": "m", "question": "q"}


def test_every_question_counts():
    """One bad context among many fails, and is named."""
    questions = [{"question": n, "path": ["p"], "names": ["n"]} for n in range(50)]

    def build(n):
        return "p n " + "w " * (40 if n == 31 else 3)

    evidence = GATE.run(build, questions, words)
    assert evidence.outcome == Outcome.FAIL
    assert "question 32 has 42 tokens, 10 are allowed" in evidence.verdict.reason
    assert evidence.measurement.value == 42
    assert evidence.measurement.n == 50
    assert evidence.limit == "max_tokens"


async def later(question):
    return "a b x.y/1"


def test_answers_that_are_awaited():
    assert GATE.run(later, ONE * 20, words).outcome == Outcome.PASS


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"max_tokens": 0, "keep": ["a"]}, "must be at least 1"),
        ({"max_tokens": 5, "keep": []}, "an empty context would pass"),
        ({"max_tokens": 5, "keep": ["a", "a >= 0.5"]}, "names a field twice"),
        ({"max_tokens": 5, "keep": ["a b"]}, "is not a field"),
        ({"max_tokens": 5, "keep": ["a >= 0"]}, "above 0"),
        ({"max_tokens": 5, "keep": ["a >= 1.5"]}, "at most 1"),
        ({"max_tokens": 5, "keep": ["a <= 0.5"]}, "is not a field"),
        ({"max_tokens": 5, "keep": ["question"]}, "what is asked"),
        ({"max_tokens": 5.5, "keep": ["a"]}, "a whole number"),
    ],
)
def test_policies_that_are_none(policy, says):
    with pytest.raises(FieldError, match=says):
        ContextBudget(**policy)


def test_what_was_measured_belongs_to_its_policy():
    """Another budget judges the same record; other things to keep, or a forged number, do not."""
    seen = GATE.run(lambda q: "a b x.y/1", ONE, words).measurement
    assert ContextBudget(max_tokens=2, keep=GATE.keep).decide(seen).outcome == Outcome.FAIL
    other = ContextBudget(max_tokens=10, keep=("path",))
    assert other.decide(seen).outcome == Outcome.ERROR
    for changes in ({"value": 2.0}, {"n": 7}):
        forged = dataclasses.replace(seen, **changes)
        assert GATE.decide(forged).outcome == Outcome.ERROR
    assert GATE.decide(Measurement(value=1, unit="tokens", n=1)).outcome == Outcome.ERROR


def test_a_file_of_questions(tmp_path):
    file = tmp_path / "q.jsonl"
    file.write_text('{"question": "q", "path": ["a b"], "names": "x.y/1"}\n' * 3, "utf-8")
    evidence = GATE.run(lambda q: "a b x.y/1", str(file), words)
    assert evidence.outcome == Outcome.PASS
    assert evidence.measurement.n == 3


@given(
    st.text(alphabet="ab_. /1\n", max_size=30), st.text(alphabet="ab_./1", min_size=1, max_size=4)
)
def test_holds_is_what_a_look_around_says(context, item):
    """A word is found where no letter, digit or underscore joins it on either side."""
    import re

    word = "[A-Za-z0-9_$]"
    left = f"(?<!{word})" if re.match(word, item) else ""
    right = f"(?!{word})" if re.match(word, item[-1]) else ""
    text = folded(context)
    assert holds(text, item) == bool(re.search(left + re.escape(item) + right, text))


def test_the_picture_shows_the_longest_first():
    evidence = GATE.run(
        lambda q: "a b x.y/1 " + "w " * q, [{**ONE[0], "question": n} for n in (1, 30, 5)], words
    )
    (picture,) = GATE.pictures(evidence.measurement)
    assert [point.label for point in picture.points] == ["question 2", "question 3", "question 1"]
    assert [point.bad for point in picture.points] == [True, False, False]

"""recall_retention: what is lost, of what is asked and of what came next, and what is no yardstick."""

from __future__ import annotations

import asyncio
import re

import numpy as np
import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.recall_retention import RecallRetention
from pytest_mlgates.gates.recall_retention.bands import bands_of
from pytest_mlgates.gates.recall_retention.yardstick import looks_random
from tests.gate_cases.recall_retention import (
    GATE,
    PLAIN,
    QUERIES,
    SIZES,
    exact,
    following,
    index,
    pruned,
)

PASS, FAIL, INCONCLUSIVE, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.ERROR


def rows_of(evidence):
    return {row["name"]: row for row in evidence.measurement.details["slices"]}


def test_what_is_lost_is_counted_per_query():
    evidence = PLAIN.run(index, exact, QUERIES)
    lost = sum(1 / len(exact(query, 10)) for query in QUERIES if query["n"] % 60 == 7)
    # recorded in steps of a thousandth
    assert evidence.measurement.value == pytest.approx(lost / len(QUERIES), abs=5e-4)
    assert evidence.outcome == PASS, evidence.verdict
    assert set(rows_of(evidence)) == {"head", "middle", "tail"}


def test_pruned_items_stay_in_the_denominator_and_the_tail_shows_it():
    evidence = PLAIN.run(pruned, exact, QUERIES)
    assert evidence.outcome == FAIL
    assert "among tail items" in evidence.verdict.reason
    counts = {name: dict(row["lost"]["counts"]) for name, row in rows_of(evidence).items()}
    assert set(counts["head"]) == {0}
    assert max(counts["tail"]) == 1000


def test_an_index_may_lose_nothing_of_the_exact_and_all_of_what_came_next():
    """And the other way round: both are held."""

    def without_next(query, k):
        return [item for item in exact(query, k) if item not in following(query)[:1]]

    gate = RecallRetention(max_drop=0.2)
    assert gate.run(without_next, exact, QUERIES).outcome == PASS
    evidence = gate.run(without_next, exact, QUERIES, following)
    assert evidence.outcome == FAIL
    assert "of the next events exact search finds" in evidence.verdict.reason


@pytest.mark.parametrize(
    "search",
    [lambda query, k: [], lambda query, k: exact(query, k)[:1] * k, lambda query, k: ["item 0"]],
    ids=["mute", "one item k times", "the most popular item"],
)
def test_answers_that_hold_little_fail(search):
    assert PLAIN.run(search, exact, QUERIES).outcome == FAIL


def test_an_index_that_finds_more_of_what_came_next_is_not_failed_for_it():
    def only_next(query, k):
        return following(query)

    evidence = RecallRetention(max_drop=0.9).run(only_next, exact, QUERIES, following)
    assert evidence.outcome == PASS, evidence.verdict


def test_labels_in_any_form():
    texts = [following(query)[0] for query in QUERIES]
    rows = [{**query, "next": text} for query, text in zip(QUERIES, texts, strict=True)]
    ways = [
        PLAIN.run(index, exact, QUERIES, texts),
        PLAIN.run(index, exact, rows, "next"),
        PLAIN.run(index, exact, QUERIES, lambda query: {following(query)[0]}),
        PLAIN.run(index, exact, QUERIES, [np.array([text]) for text in texts]),
    ]
    found = {str(one.measurement.details["whole"]) for one in ways}
    assert len(found) == 1, found
    # a difference from -1 to 1 takes twice the queries that one from 0 to 1 takes
    assert ways[0].outcome == INCONCLUSIVE
    wider = RecallRetention(max_drop=0.05).run(index, exact, QUERIES, texts)
    assert wider.outcome == PASS, wider.verdict


def test_answers_in_any_form():
    numbers = np.random.default_rng(1).integers(0, 400, (1500, 10))
    numbers += np.arange(0, 4000, 400)  # ten different ones

    def faiss_like(query, k):
        return numbers[query][None, :k]  # one row for one query

    def plain(query, k):
        return [float(n) for n in numbers[query][:k]]

    def fewer(query, top_k=3):
        return [*numbers[query][: top_k - 1], -1]  # -1 stands for nothing

    async def later(query, k):
        await asyncio.sleep(0)
        return tuple(int(n) for n in numbers[query][:k])

    gate = RecallRetention(max_drop=0.02)
    for search in (faiss_like, later):
        evidence = gate.run(search, plain, range(1500), sizes=(1, 4))
        assert evidence.outcome == PASS, evidence.verdict
    evidence = gate.run(fewer, plain, range(1500))
    assert evidence.measurement.value == pytest.approx(0.1)
    assert evidence.outcome == FAIL


@pytest.mark.parametrize(
    ("search", "words"),
    [
        (lambda q, k: "item", "gave a str: return the ids"),
        (lambda q, k: (["a"], [0.5]), "return the ids alone"),
        (lambda q, k: np.zeros((3, 10)), r"an array of shape \(3, 10\)"),
        (lambda q, k: [0.25], "not their scores"),
        (lambda q, k: [float("nan")], "not an id"),
        (lambda q, k: {"items": ["a"]}, "gave a dict"),
        (lambda q, k: [1, 2], "of one kind to be compared"),
    ],
)
def test_an_answer_that_is_not_ids_is_an_error(search, words):
    evidence = PLAIN.run(search, exact, QUERIES[:3])
    assert evidence.outcome == ERROR
    assert re.search(words, evidence.verdict.reason), evidence.verdict.reason


def test_size_is_a_limit_of_its_own(tmp_path):
    assert GATE.run(index, exact, QUERIES, following, sizes=(210, 1000)).outcome == FAIL
    folder = tmp_path / "index"
    folder.mkdir()
    (folder / "a").write_bytes(b"x" * 15)
    (folder / "b").write_bytes(b"x" * 5)
    (tmp_path / "all").write_bytes(b"x" * 100)
    evidence = GATE.run(index, exact, QUERIES, following, sizes=(folder, tmp_path / "all"))
    assert evidence.outcome == PASS, evidence.verdict
    assert "20 of 100" in evidence.verdict.reason
    gone = GATE.run(index, exact, QUERIES, following, sizes=(folder, tmp_path / "gone"))
    assert gone.outcome == ERROR
    assert "there is no such file" in gone.verdict.reason


def test_more_lost_than_allowed_in_one_slice_alone():
    def bad_for_some(query, k):
        return exact(query, k)[: k - 2] if query["n"] % 10 == 3 else index(query, k)

    evidence = PLAIN.run(bad_for_some, exact, QUERIES, slice_of=lambda q: f"n{q['n'] % 10}")
    assert evidence.outcome == FAIL
    assert "in the slice 'n3'" in evidence.verdict.reason


def test_a_slice_may_have_a_limit_of_its_own():
    gate = RecallRetention(max_drop=0.02, max_slice_drop=0.3)

    def bad_for_some(query, k):
        return exact(query, k)[: k - 2] if query["n"] % 100 == 3 else index(query, k)

    evidence = gate.run(bad_for_some, exact, QUERIES, slice_of=lambda q: f"n{q['n'] % 10}")
    assert evidence.outcome == PASS, evidence.verdict
    assert gate.run(pruned, exact, QUERIES).outcome == FAIL
    with pytest.raises(FieldError, match="below max_drop"):
        RecallRetention(max_drop=0.02, max_slice_drop=0.01)


def test_bands_hold_a_third_of_what_is_asked_for():
    popularity = {n: 1 / (n + 1) for n in range(1000)}
    bands = bands_of(popularity)
    total = sum(popularity.values())
    for name in ("head", "middle", "tail"):
        share = sum(p for n, p in popularity.items() if bands[n] == name) / total
        assert 0.2 < share < 0.5
    evidence = PLAIN.run(
        index, exact, QUERIES, popularity={f"item {n}": p for n, p in popularity.items()}
    )
    assert set(rows_of(evidence)) == {"head", "middle", "tail"}


def test_real_vectors_are_not_taken_for_random_ones():
    draw = np.random.default_rng(2)
    mixed = draw.normal(size=(400, 16)) @ draw.normal(size=(16, 16))
    clusters = draw.normal(size=(8, 16))[draw.integers(8, size=400)] + draw.normal(size=(400, 16))
    counts = draw.poisson(0.4, (400, 16)).astype(float)
    assert not any(map(looks_random, (list(mixed), list(clusters), list(counts))))
    assert not looks_random(["a text"] * 100)
    unit = draw.normal(size=(400, 64))
    assert looks_random(list(unit / np.linalg.norm(unit, axis=1, keepdims=True)))


def test_errors_are_as_declared():
    """At a loss of just the limit, a FAIL or a PASS is as rare as it is said to be."""
    gate = RecallRetention(max_drop=0.1, alpha=0.05, beta=0.05)
    draw = np.random.default_rng(4)
    seen = {PASS: 0, FAIL: 0, INCONCLUSIVE: 0}
    for _ in range(60):
        lost = draw.random((300, 10)) < 0.1

        def lossy(query, k, lost=lost):
            return [query * 100 + n for n in range(k) if not lost[query, n]]

        def whole(query, k):
            return [query * 100 + n for n in range(k)]

        seen[gate.run(lossy, whole, range(300)).outcome] += 1
    assert seen[FAIL] <= 9  # 3 expected at most; 9 or more of 60 has a chance of 0.003
    assert seen[PASS] <= 9


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"max_drop": 0}, "greater than 0"),
        ({"max_drop": 1.0}, "less than 1"),
        ({"max_drop": 0.1, "k": 0}, "at least 1"),
        ({"max_drop": 0.1, "max_size_ratio": 0}, "greater than 0"),
    ],
)
def test_policies_that_do_not_fit(fields, words):
    with pytest.raises(FieldError, match=words):
        RecallRetention(**fields)


def test_a_doctored_record_is_an_error():
    seen = GATE.run(index, exact, QUERIES, following, sizes=SIZES).measurement
    whole = seen.details["whole"]
    for change in (
        {"k": 5},
        {"sizes": None},
        {"sizes": {"index": 1, "exact": 0}},
        {"whole": {**whole, "lost": {"counts": [[0, 5]], "rounded": False}}},
        {"whole": {**whole, "found": None}},
    ):
        forged = type(seen)(
            value=seen.value, unit=seen.unit, n=seen.n, details={**seen.details, **change}
        )
        assert GATE.decide(forged).outcome == ERROR

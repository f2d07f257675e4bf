"""The unit is the input: how many there were, and whether answers are remembered."""

import functools
import time
from typing import Any

import numpy as np
import pytest

from pytest_mlgates import Outcome
from pytest_mlgates.gates.p99_latency import P99Latency
from pytest_mlgates.gates.p99_latency.counts import inputs_of
from pytest_mlgates.load.feed import Feed

pytestmark = pytest.mark.timing

MS = 1e6


def seen(numbers: list[int], took: list[float], warm: list[tuple[int, float]] | None = None) -> Any:
    own = np.array(took) * MS
    return inputs_of(numbers, own, [(n, t * MS) for n, t in warm or [(0, 0.0)]], 50, 12.0)


def cached(misses: float, hits: float, inputs: int, calls: int, warm: int = 50) -> Any:
    """Return what is seen of a subject that remembers ``inputs`` inputs."""
    order = [i % inputs for i in range(warm + calls)]
    took = [misses if i < inputs else hits for i in range(warm + calls)]
    return seen(order[warm:], took[warm:], list(zip(order[:warm], took[:warm], strict=True)))


def judged(inputs: Any, n: int = 5000) -> Any:
    from tests.gates.test_p99_latency import measured, tally

    tallies = {
        name: tally(0, n) | {"stretches": 0, "spread": 0.0}
        for name in ("raw", "undisturbed", "own", "screened")
    }
    from pytest_mlgates.core.details import plain

    return P99Latency(max_ms=12).decide(
        measured(n, 1.0, inputs=plain(inputs), seconds=60.0, **tallies)
    )


@pytest.mark.parametrize("inputs", [3, 7, 50, 60, 100, 200, 600])
def test_what_is_remembered_gets_no_pass(inputs: int) -> None:
    verdict = judged(cached(30.0, 0.01, inputs, 5000))
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "answers are remembered" in verdict.reason
    assert "688 different inputs" not in verdict.reason or inputs  # says how many it takes


@pytest.mark.parametrize("inputs", [3, 60, 200])
def test_a_cold_start_is_no_memory(inputs: int) -> None:
    order = [i % inputs for i in range(5050)]
    slow = 1 if inputs == 3 else 20
    took = [40.0 if i < slow else 5.0 for i in range(5050)]
    found = seen(order[50:], took[50:], list(zip(order[:50], took[:50], strict=True)))
    assert judged(found).outcome == Outcome.PASS


def test_noise_is_no_memory() -> None:
    rng = np.random.default_rng(8)
    for inputs in (2, 5, 40, 300, 4000):
        for _ in range(20):
            order = [i % inputs for i in range(5050)]
            took = (5 * rng.lognormal(0, 0.3, 5050)).tolist()
            found = seen(order[50:], took[50:], list(zip(order[:50], took[:50], strict=True)))
            assert judged(found).outcome == Outcome.PASS


def test_memory_that_does_not_matter_to_the_limit_is_let_be() -> None:
    assert judged(cached(0.4, 0.01, 60, 5000)).outcome == Outcome.PASS


def test_memory_whose_first_calls_hold_passes_on_enough_of_them() -> None:
    few = judged(cached(8.0, 0.01, 300, 5000))
    many = judged(cached(8.0, 0.01, 2500, 5000))
    assert few.outcome == Outcome.INCONCLUSIVE
    assert many.outcome == Outcome.PASS
    assert "first calls were judged by themselves" in many.reason


@pytest.mark.parametrize(("inputs", "words"), [(60, "688"), (1, "of 1 input,"), (4000, "")])
def test_a_verdict_says_how_many_inputs_it_rests_on(inputs: int, words: str) -> None:
    order = [i % inputs for i in range(5050)]
    found = seen(order[50:], [5.0] * 5000, list(zip(order[:50], [5.0] * 50, strict=True)))
    reason = judged(found).reason
    assert words in reason
    assert ("these inputs" in reason) == (inputs < 688)


def test_inputs_are_told_apart_by_value() -> None:
    rows = [{"a": np.zeros(3)}, {"a": np.zeros(3)}, {"a": np.ones(3)}]
    feed = Feed(rows, numbered=True)
    assert [(next(feed), feed.at)[1] for _ in range(5)] == [0, 0, 1, 0, 0]
    assert feed.distinct == 2
    same = P99Latency(max_ms=500, quantile=0.8, max_calls=1000, min_seconds=0).run(
        len, ["abc"] * 5000
    )
    assert "of 1 input," in same.verdict.reason


def test_a_real_cache_is_met() -> None:
    @functools.cache
    def answer(x: int) -> int:
        time.sleep(0.02)
        return x

    gate = P99Latency(max_ms=5, quantile=0.9, max_calls=2000, warmup=10, min_seconds=0)
    for inputs in (range(4), range(60)):
        answer.cache_clear()
        assert gate.run(answer, inputs).outcome == Outcome.INCONCLUSIVE

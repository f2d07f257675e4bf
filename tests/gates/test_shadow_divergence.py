"""Where the shadow leaves the control: verdicts, slices, isolation, faults, direction."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import math
import random
import sys
import time
from collections import Counter
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from pytest_mlgates.core import Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.shadow_divergence import ShadowDivergence

GATE = ShadowDivergence(max_rate=0.05, tolerance=0.05)
ROADS = ("highway", "city", "ramp", "left_turn")


def frames(count=2000, seed=0):
    draw = random.Random(seed)
    return [
        {"speed": draw.uniform(0, 90), "road": ROADS[n % 4], "rain": n % 3 == 0, "n": n}
        for n in range(count)
    ]


FRAMES = frames()


def v1(frame):
    return frame["speed"] / 100


def off(when, by=0.5):
    return lambda frame: v1(frame) + (by if when(frame) else 0.01)


def left(frame):
    return frame["road"] == "left_turn"


def some(rate, seed=1):
    """Off at random, the same for the same frame."""
    return off(lambda frame: random.Random(frame["n"] * 7919 + seed).random() < rate)


def outcome(evidence):
    return evidence.outcome


def rows(evidence):
    return {row["name"]: row for row in evidence.measurement.details["slices"]}


def test_a_good_shadow_passes_early():
    evidence = GATE.run(v1, off(lambda f: False), FRAMES, "road")
    assert evidence.outcome == Outcome.PASS
    assert evidence.measurement.n < 1000
    assert evidence.measurement.value == 0
    assert set(rows(evidence)) == set(ROADS)


def test_a_rare_slice_can_not_hide():
    """2 % of the inputs are left turns, half of them wrong: 1 % overall, limit 5 %."""
    many = [f for f in frames(12_000) if not left(f) or f["n"] % 200 == 3]
    wrong = off(lambda f: left(f) and f["n"] % 400 == 3)
    evidence = GATE.run(v1, wrong, many, "road")
    assert evidence.outcome == Outcome.FAIL
    assert "'left_turn'" in evidence.verdict.reason
    assert evidence.measurement.details["rate"] < 0.05 < evidence.measurement.value
    assert evidence.measurement.interval[0] > 0.05
    assert outcome(GATE.run(v1, wrong, many)) == Outcome.PASS  # what the overall rate says


def test_the_finding_names_slice_interval_and_three_inputs():
    evidence = GATE.run(v1, off(left), FRAMES, "road")
    text = "\n".join(evidence.findings)
    assert "left_turn: " in text
    assert "limit 5 %" in text
    assert text.count("  input ") == 3
    place = int(text.split("  input ")[1].split(":")[0])
    assert FRAMES[place]["road"] == "left_turn"
    assert " against " in text


def test_a_keyed_digest_is_shown_with_a_key():
    texts = [
        "\n".join(GATE.run(v1, off(left), FRAMES, "road", key=key).findings)
        for key in (b"k", b"k", b"other", None)
    ]
    assert "(digest " in texts[0]
    assert texts[0] == texts[1] != texts[2]
    assert "(digest " not in texts[3]


def test_thin_slice_is_named_with_what_it_lacks():
    few = [f for f in FRAMES if not left(f) or f["n"] < 80]
    evidence = GATE.run(v1, off(lambda f: False), few, "road")
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "in the slice 'left_turn' 0 of 20 inputs" in evidence.verdict.reason
    assert "about 155 more" in evidence.verdict.reason
    relaxed = dataclasses.replace(GATE, min_share=0.05)
    evidence = relaxed.run(v1, off(lambda f: False), few, "road")
    assert evidence.outcome == Outcome.PASS
    assert "1 slice rarer than 5 % is not judged" in evidence.verdict.reason
    needed = dataclasses.replace(relaxed, slices=("left_turn",))
    assert outcome(needed.run(v1, off(lambda f: False), few, "road")) == Outcome.INCONCLUSIVE


def test_it_stops_where_more_inputs_decide_nothing():
    """The rare slice is used up and undecided, all others are surely below."""
    many = [f for f in frames(40_000) if not left(f) or f["n"] < 800]
    evidence = GATE.run(v1, off(lambda f: left(f) and f["n"] % 25 == 3), many, "road")
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert rows(evidence)["left_turn"]["n"] == 200
    assert evidence.measurement.n < 1200
    absent = dataclasses.replace(GATE, slices=("u_turn",))
    evidence = absent.run(v1, off(lambda f: False), many, "road")
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert evidence.measurement.n < 1200
    late = off(lambda f: f["road"] == "city" and f["n"] % 9 == 1)  # undecided as yet: it goes on
    assert outcome(GATE.run(v1, late, many, "road")) == Outcome.FAIL


def test_what_is_missing_suffices():
    """The number of inputs that the text asks for gives the PASS, clean as before."""
    for count in (175, 174):
        evidence = GATE.run(v1, off(lambda f: False), FRAMES[:count])
        assert (evidence.outcome == Outcome.PASS) == (count == GATE.needs().to_pass)


def test_required_slice_that_never_occurs():
    gate = dataclasses.replace(GATE, slices=("left_turn", "u_turn"))
    evidence = gate.run(v1, off(lambda f: False), FRAMES, "road")
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "'u_turn' did not occur" in evidence.verdict.reason


def test_small_errors_everywhere_are_seen_overall():
    """10 % off in each of 1000 slices of two inputs: no slice alone can tell."""
    evidence = GATE.run(v1, some(0.3), FRAMES, lambda f: f["n"] // 2)
    assert evidence.outcome == Outcome.FAIL
    assert "over all inputs" in evidence.verdict.reason


def test_slices_named_by_long_numbers_are_not_thrown_together():
    wrong = off(lambda f: f["n"] % 40 == 7)
    evidence = GATE.run(v1, wrong, frames(4000), lambda f: 10**12 + f["n"] % 40)
    assert evidence.outcome == Outcome.FAIL
    assert "<masked> #8" in evidence.verdict.reason


def test_the_same_model_loaded_twice_is_told():
    def load(weight):
        return lambda frame: weight * frame["speed"]

    evidence = GATE.run(load(2.0), load(2.0), FRAMES)
    assert evidence.outcome == Outcome.PASS
    assert "the same by code and state" in evidence.findings[0]
    assert "same by code" not in GATE.run(load(2.0), load(2.0001), FRAMES).to_json()


def test_what_a_fail_takes_is_told():
    evidence = GATE.run(v1, off(lambda f: f["n"] % 8 == 0), FRAMES[:60])
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "at that rate a FAIL takes about" in evidence.verdict.reason


def test_many_slices_stay_small_on_disk():
    evidence = GATE.run(v1, some(0.02), frames(6000), lambda f: f["n"] % 3000)
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "2,999 more slices are undecided" in evidence.verdict.reason
    assert len(evidence.to_json()) < 40_000
    assert GATE.decide(evidence.measurement) == evidence.verdict


def test_odd_slice_names():
    names = [None, math.nan, 3, True, ("a", 1), "x" * 500, "ada@example.org", "eve@example.org"]
    evidence = GATE.run(v1, off(lambda f: False), FRAMES, lambda f: names[f["n"] % 8])
    assert evidence.outcome == Outcome.PASS
    assert {"(none)", "3", "True", "a & 1", "<masked>", "<masked> #2"} <= set(rows(evidence))
    assert "example.org" not in evidence.to_json()


def test_columns_and_intersections():
    wrong = off(lambda f: left(f) and f["rain"])
    evidence = GATE.run(v1, wrong, FRAMES, ("road", "rain"))
    assert evidence.outcome == Outcome.FAIL
    assert "'road=left_turn & rain=True'" in evidence.verdict.reason


def test_several_slices_of_one_input():
    evidence = GATE.run(v1, off(left), FRAMES, lambda f: [f["road"], "wet" if f["rain"] else "dry"])
    assert evidence.outcome == Outcome.FAIL
    assert "'left_turn'" in evidence.verdict.reason


def test_inputs_of_every_kind():
    array = np.random.default_rng(0).random((600, 4)).astype(np.float32)

    def control(row):
        return float(row[0])

    def shadow(row):
        return float(row[0]) + 0.01

    for inputs in (array, torch.from_numpy(array), list(array), pd.Series(list(array))):
        assert outcome(GATE.run(control, shadow, inputs)) == Outcome.PASS
    table = pd.DataFrame({"speed": array[:, 0], "road": np.arange(600) % 2})
    assert outcome(GATE.run(v1, off(lambda f: False), table, "road")) == Outcome.PASS
    stream = (f for f in FRAMES)
    evidence = GATE.run(v1, off(lambda f: False), stream, "road")
    assert evidence.outcome == Outcome.PASS
    assert evidence.measurement.n == 2000  # a stream may show another slice at its end


def test_a_stream_fails_early():
    def endless():
        for n in range(10**9):
            yield {"speed": n % 90, "road": ROADS[n % 4], "n": n}

    evidence = GATE.run(v1, off(left), endless(), "road")
    assert evidence.outcome == Outcome.FAIL
    assert evidence.measurement.n < 300


def test_a_slice_that_a_stream_shows_last_is_not_passed_by():
    late = [f for f in FRAMES if not left(f)] + [f for f in FRAMES if left(f)]
    evidence = GATE.run(v1, off(left), (f for f in late), "road")
    assert evidence.outcome == Outcome.FAIL


def test_most_inputs():
    gate = dataclasses.replace(GATE, max_inputs=100)
    evidence = gate.run(v1, off(lambda f: False), FRAMES, "road")
    assert evidence.measurement.n == 100
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert sorted(row["n"] for row in rows(evidence).values()) == [25, 25, 25, 25]


def test_the_overall_rate_is_weighted_back():
    """Left turns are 2 % of the inputs and a quarter of those run first."""
    many = [f for f in frames(12_000) if not left(f) or f["n"] % 50 == 3]
    gate = dataclasses.replace(GATE, max_inputs=200, max_rate=0.5)
    evidence = gate.run(v1, off(left), many, "road")
    turns = next(r for r in evidence.measurement.details["slices"] if r["name"] == "left_turn")
    assert turns["divergent"] / evidence.measurement.n > 0.1
    assert evidence.measurement.details["rate"] < 0.04
    overall = evidence.measurement.details["overall"]
    assert overall["divergent"] / overall["n"] < 0.1


def tagged(seed, rates):
    """Inputs with two tags, rain in the city 1 % of them; off at the rates of the pairs of tags."""
    draw = random.Random(seed)
    found = []
    for n in range(6000):
        u = draw.random()
        tags = ("rain", "ramp") if u < 0.2 else ("rain", "city") if u < 0.21 else ("dry", "city")
        tags = ("dry", "ramp") if u > 0.4 else tags
        found.append({"n": n, "tags": tags, "off": draw.random() < rates.get(tags, 0.0)})
    return found


@pytest.mark.parametrize(
    ("rates", "wrong"),
    [
        ({("rain", "city"): 0.2}, Outcome.FAIL),  # 1 % of rain, of the city, .2 % of all
        ({("rain", "ramp"): 0.12}, Outcome.PASS),  # 11 % of rain
        ({("dry", "ramp"): 0.12}, Outcome.PASS),
    ],
)
def test_slices_that_overlap_weigh_what_they_are(rates, wrong):
    gate = ShadowDivergence(max_rate=0.04)
    seen = Counter()
    for seed in range(6):
        evidence = gate.run(
            lambda f: 0, lambda f: int(f["off"]), tagged(seed, rates),
            slice_of=lambda f: list(f["tags"]), seed=seed,
        )  # fmt: skip
        seen[evidence.outcome] += 1
    assert not seen[wrong]
    assert sum(seen.values()) - seen[Outcome.INCONCLUSIVE] >= 4


def test_what_comes_first_is_not_all_there_is():
    """8 % of the first 300 inputs, none after: said of those, not of all."""
    rows = [{"n": n, "off": n < 300 and n % 12 == 0} for n in range(5000)]
    gate = ShadowDivergence(oversample=False)
    for inputs in (rows, iter(rows)):
        evidence = gate.run(lambda f: 0, lambda f: int(f["off"]), inputs)
        assert evidence.outcome == Outcome.FAIL
        assert f"over the first {evidence.measurement.n} inputs" in evidence.verdict.reason
        assert "over all inputs" not in evidence.verdict.reason
    whole = ShadowDivergence().run(lambda f: 0, lambda f: int(f["off"]), rows)
    assert whole.outcome == Outcome.PASS


def test_order_given_is_kept():
    seen = []
    gate = dataclasses.replace(GATE, oversample=False)
    evidence = gate.run(
        lambda f: seen.append(f["n"]) or v1(f), off(lambda f: False), FRAMES, "road"
    )
    assert seen == list(range(2000))
    assert evidence.outcome == Outcome.PASS


# isolation


def test_the_shadow_can_not_change_what_the_control_sees():
    inputs = [{"speed": float(n), "list": [n]} for n in range(300)]
    before = json.dumps(inputs)
    seen = []

    def control(item):
        seen.append(item["list"][0])
        item["list"].append("control")
        return item["list"][0]

    def shadow(item):
        assert item["list"] == item["list"][:1]
        answer = item["list"][0]
        item["list"][0] = -1
        item.clear()
        return answer

    evidence = GATE.run(control, shadow, inputs)
    assert evidence.outcome == Outcome.PASS
    assert json.dumps(inputs) == before
    assert len(set(seen)) == len(seen)


def test_arrays_are_not_shared():
    inputs = np.ones((400, 8)) * np.arange(400)[:, None]

    def shadow(row):
        answer = float(row[0])
        row[:] = -1
        return answer

    evidence = GATE.run(lambda row: float(row[0]), shadow, inputs)
    assert evidence.outcome == Outcome.PASS
    assert inputs.min() == 0


def test_a_row_of_a_tensor_is_copied_and_not_the_tensor():
    table = torch.rand(400, 8)
    sizes = set()

    def control(item):
        sizes.add(item["row"].untyped_storage().nbytes())
        return item["row"].sum()

    def shadow(item):
        answer = item["row"].sum()
        item["row"].zero_()
        return answer

    evidence = GATE.run(control, shadow, [{"row": row, "n": [n]} for n, row in enumerate(table)])
    assert evidence.outcome == Outcome.PASS
    assert sizes == {32}
    assert table.min() > 0


def test_a_buffer_that_both_reuse_hides_nothing():
    buffer = np.zeros(3)

    def model(by):
        def call(frame):
            buffer[:] = v1(frame) + by
            return buffer

        return call

    assert outcome(GATE.run(model(0.0), model(0.5), FRAMES)) == Outcome.FAIL
    tensor = torch.zeros(3)

    def of_torch(by):
        return lambda frame: tensor.fill_(v1(frame) + by)

    assert outcome(GATE.run(of_torch(0.0), of_torch(0.5), FRAMES)) == Outcome.FAIL


# faults


def raising(error):
    def shadow(frame):
        if left(frame):
            raise error("no " + frame["road"])
        return v1(frame)

    return shadow


@pytest.mark.parametrize(
    "error", [ValueError, MemoryError, RecursionError, SystemExit, TimeoutError]
)
def test_an_exception_of_the_shadow_is_a_divergence(error):
    evidence = GATE.run(v1, raising(error), FRAMES, "road")
    assert evidence.outcome == Outcome.FAIL
    assert "'left_turn'" in evidence.verdict.reason
    assert f"the shadow raised {error.__name__}" in "\n".join(evidence.findings)


def test_one_exception_in_two_thousand_is_below_the_limit():
    def shadow(frame):
        if frame["n"] == 77:
            raise ValueError
        return v1(frame)

    gate = dataclasses.replace(GATE, oversample=False)
    evidence = gate.run(v1, shadow, FRAMES)
    assert evidence.outcome == Outcome.PASS
    assert evidence.measurement.details["overall"]["divergent"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="a blocking call can't be stopped there")
def test_a_hanging_shadow_is_stopped_and_counted():
    gate = dataclasses.replace(GATE, timeout_s=0.05)
    started = time.monotonic()
    evidence = gate.run(v1, lambda f: time.sleep(60) if left(f) else v1(f), FRAMES, "road")
    assert evidence.outcome == Outcome.FAIL
    assert "gave no answer within 0.05 s" in "\n".join(evidence.findings)
    assert time.monotonic() - started < 30


def test_nan_of_the_shadow_is_a_divergence():
    evidence = GATE.run(v1, lambda f: math.nan if left(f) else v1(f), FRAMES, "road")
    assert evidence.outcome == Outcome.FAIL
    assert "NaN" in "\n".join(evidence.findings)


def test_nan_of_both_agrees_where_asked():
    gate = dataclasses.replace(GATE, nan_agrees=True)

    def control(frame):
        return math.nan if frame["rain"] else 1.0

    assert outcome(gate.run(control, partial(control), FRAMES)) == Outcome.PASS
    assert outcome(gate.run(control, lambda f: 1.0, FRAMES)) == Outcome.FAIL


def test_another_shape_is_named():
    evidence = GATE.run(lambda f: np.zeros(10), lambda f: np.zeros(12), FRAMES)
    assert evidence.outcome == Outcome.FAIL
    assert "shape (12,) against (10,)" in "\n".join(evidence.findings)


def test_the_control_is_never_wrong_but_broken():
    def control(frame):
        if frame["n"] == 1999:
            raise KeyError("ada@example.org")
        return v1(frame)

    gate = dataclasses.replace(GATE, oversample=False)
    evidence = gate.run(control, off(lambda f: False), FRAMES)
    assert evidence.outcome == Outcome.ERROR
    assert "the control raised KeyError at input 1999" in evidence.verdict.reason
    assert "ada" not in evidence.to_json()


def test_interrupts_are_not_swallowed():
    def shadow(frame):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        GATE.run(v1, shadow, FRAMES)


def test_a_skip_inside_the_shadow_lets_nothing_through():
    assert outcome(GATE.run(v1, lambda f: pytest.skip("no"), FRAMES)) == Outcome.ERROR


# batches and awaitables


def test_batches():
    sizes = []

    def control(batch):
        sizes.append(len(batch))
        return np.array([v1(f) for f in batch])

    def shadow(batch):
        return [off(left)(f) for f in batch]

    evidence = GATE.run(control, shadow, FRAMES, "road", batch=32)
    assert evidence.outcome == Outcome.FAIL
    assert set(sizes) == {32}
    good = GATE.run(control, lambda batch: torch.tensor([v1(f) for f in batch]), FRAMES, batch=32)
    assert good.outcome == Outcome.PASS


def test_one_bad_input_does_not_spoil_its_batch():
    def shadow(batch):
        if any(f["n"] % 500 == 0 for f in batch):
            raise ValueError
        return [v1(f) for f in batch]

    gate = dataclasses.replace(GATE, oversample=False)
    evidence = gate.run(lambda batch: [v1(f) for f in batch], shadow, FRAMES, batch=50)
    assert evidence.outcome == Outcome.PASS
    assert evidence.measurement.details["overall"]["divergent"] == 4


def test_a_shadow_that_loses_answers():
    evidence = GATE.run(lambda b: [1.0] * len(b), lambda b: [1.0], FRAMES, batch=4)
    # one by one it answers each
    assert evidence.outcome == Outcome.PASS
    evidence = GATE.run(lambda b: [1.0] * len(b), lambda b: [], FRAMES, batch=4)
    assert evidence.outcome == Outcome.FAIL
    assert "another number of answers than inputs" in "\n".join(evidence.findings)


def test_async_models():
    flying = [0, 0]

    async def control(frame):
        flying[0] += 1
        flying[1] = max(flying)
        await asyncio.sleep(0.001)
        flying[0] -= 1
        return v1(frame)

    async def shadow(frame):
        if left(frame):
            raise ValueError
        await asyncio.sleep(0)
        return v1(frame)

    evidence = GATE.run(control, shadow, FRAMES, "road")
    assert evidence.outcome == Outcome.FAIL
    assert flying[1] == GATE.concurrency
    assert outcome(GATE.run(control, v1, FRAMES)) == Outcome.PASS

    async def inside():
        return await GATE.aio(control, shadow, FRAMES, "road")

    assert asyncio.run(inside()).verdict.outcome == Outcome.FAIL


def test_an_async_shadow_that_hangs():
    async def shadow(frame):
        await asyncio.sleep(60 if left(frame) else 0)
        return v1(frame)

    gate = dataclasses.replace(GATE, timeout_s=0.05)
    evidence = gate.run(v1, shadow, FRAMES, "road")
    assert evidence.outcome == Outcome.FAIL
    assert "no answer within" in "\n".join(evidence.findings)


# direction


def test_direction_is_told_and_still_fails():
    gold = [round(v1(f) + (0.5 if left(f) else 0.0), 6) for f in FRAMES]
    evidence = GATE.run(v1, off(left), FRAMES, "road", gold)
    assert evidence.outcome == Outcome.FAIL
    assert "labels confirm the shadow" in evidence.verdict.reason
    many = [f for f in frames(8000) if left(f)]
    gate = dataclasses.replace(GATE, max_rate=0.4)
    better = gate.run(v1, off(lambda f: f["n"] % 10 < 6), many, None, lambda f: v1(f) + 0.5)
    assert "the shadow is the better one" in better.verdict.reason
    worse = gate.run(v1, off(lambda f: f["n"] % 10 < 6), many, None, v1)
    assert "the shadow is the worse one" in worse.verdict.reason


def test_improvement_may_be_allowed():
    gold = [v1(f) + (0.5 if left(f) else 0.0) for f in FRAMES]
    gate = dataclasses.replace(GATE, allow_improvement=True)
    better = gate.run(v1, off(left), FRAMES, "road", gold)
    assert better.outcome == Outcome.PASS
    assert "do not count" in "\n".join(better.findings)
    assert outcome(gate.run(v1, off(left), FRAMES, "road", v1)) == Outcome.FAIL
    unlabelled = [None] * len(FRAMES)
    assert outcome(gate.run(v1, off(left), FRAMES, "road", unlabelled)) == Outcome.FAIL


def test_labels_of_every_kind():
    table = pd.DataFrame(FRAMES).assign(gold=[v1(f) for f in FRAMES])
    for labels in ("gold", table["gold"], table["gold"].to_numpy(), v1, iter(table["gold"])):
        evidence = GATE.run(v1, off(left), table, "road", labels)
        assert rows(evidence)["left_turn"]["control_right"] > 0


# discovery


def test_a_slice_nobody_named_is_found():
    gate = dataclasses.replace(GATE, discover=True)
    wrong = off(lambda f: left(f) and f["rain"] and f["n"] % 2)
    evidence = gate.run(v1, wrong, frames(6000))
    assert evidence.outcome == Outcome.FAIL
    assert "found: " in evidence.verdict.reason or "over all" in evidence.verdict.reason
    hidden = off(lambda f: left(f) and f["rain"] and f["speed"] > 50 and f["n"] % 5 < 3)
    evidence = gate.run(v1, hidden, frames(12_000))
    assert evidence.outcome == Outcome.FAIL
    assert "found: " in evidence.verdict.reason
    assert "left_turn" in evidence.verdict.reason
    assert sum(line.startswith("  input ") for line in evidence.findings) >= 3
    assert outcome(GATE.run(v1, hidden, frames(12_000))) == Outcome.PASS


def test_discovery_of_nothing_passes():
    gate = dataclasses.replace(GATE, discover=True)
    evidence = gate.run(v1, some(0.01), frames(4000), "road")
    assert evidence.outcome == Outcome.PASS
    assert evidence.measurement.n == 4000


def test_discovery_by_features():
    inputs = np.random.default_rng(0).random((4000, 3))
    gate = dataclasses.replace(GATE, discover=True)
    evidence = gate.run(
        lambda row: float(row[0]),
        lambda row: float(row[0]) + (row[1] < 0.1 and row[0] < 0.5),
        inputs,
        features=lambda row: {"a": float(row[0]), "b": bool(row[1] < 0.1)},
    )
    assert evidence.outcome == Outcome.FAIL


# texts, policy, records


def test_free_text():
    def control(frame):
        return f"Turn left at the lights, then keep right for {frame['n']} metres."

    gate = dataclasses.replace(GATE, text_tolerance=0.2)
    near = gate.run(control, lambda f: control(f).upper().replace("THEN", "and"), FRAMES)
    assert near.outcome == Outcome.PASS
    far = gate.run(control, lambda f: "No." if left(f) else control(f), FRAMES, "road")
    assert far.outcome == Outcome.FAIL
    assert "Turn left" not in far.to_json()
    assert outcome(GATE.run(control, lambda f: control(f) + " ", FRAMES)) == Outcome.FAIL


def test_a_tolerance_can_be_a_distance_of_ones_own():
    evidence = GATE.run(
        lambda f: {"box": [0, 0, 10, 10]},
        lambda f: {"box": [0, 0, 10, 10 + left(f)]},
        FRAMES,
        "road",
        distance=lambda a, b: abs(a["box"][3] - b["box"][3]),
    )
    assert evidence.outcome == Outcome.FAIL


def test_the_same_seed_gives_the_same_evidence():
    gate = dataclasses.replace(GATE, max_inputs=500)
    digests = [gate.run(v1, some(0.04), FRAMES, "road", seed=s).measurement for s in (5, 5, 6)]
    assert digests[0] == digests[1] != digests[2]


def test_error_levels_are_those_of_the_policy():
    evidence = GATE.run(v1, some(0.12), FRAMES[:400])
    lax = dataclasses.replace(GATE, alpha=0.1, q=0.1)
    strict = dataclasses.replace(GATE, alpha=1e-9)
    assert lax.decide(evidence.measurement).outcome == Outcome.FAIL
    assert strict.decide(evidence.measurement).outcome == Outcome.INCONCLUSIVE
    other = dataclasses.replace(GATE, tolerance=1.0)
    assert other.decide(evidence.measurement).outcome == Outcome.ERROR


def test_alpha_holds_though_q_is_larger():
    """e-BH at q may name a slice before there is a FAIL; then it is told, and no verdict."""
    gate = dataclasses.replace(GATE, alpha=1e-9)
    evidence = gate.run(v1, off(lambda f: f["n"] % 3 == 0), FRAMES[:45])
    named = [line for line in evidence.findings if line.startswith("(all inputs): ")]
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert named
    assert "stands out" in evidence.verdict.reason


@pytest.mark.parametrize(
    "policy", [{"max_rate": 0}, {"max_rate": 0.6}, {"tolerance": -1}, {"text_tolerance": 1},
               {"norm": "l7"}, {"slices": ("a", "a")}, {"slices": (" ",)}, {"q": 0.5}]
)  # fmt: skip
def test_policies_that_are_none(policy):
    with pytest.raises(FieldError):
        ShadowDivergence(**policy)


def test_needs():
    assert GATE.needs().to_pass == 175
    evidence = GATE.run(v1, off(lambda f: True), FRAMES[: GATE.needs().to_fail])
    assert evidence.outcome == Outcome.FAIL


def test_the_picture_shows_each_slice():
    evidence = GATE.run(v1, off(left), FRAMES, "road")
    (picture,) = GATE.pictures(evidence.measurement)
    assert picture.points[0].label == "left_turn"
    assert picture.points[0].bad
    assert picture.points[0].low > 5
    assert picture.limits == (5.0,)
    assert not any(point.bad for point in picture.points[1:4])


def test_false_alarms_at_the_limit():
    """Every slice exactly at the limit, 60 runs at alpha .1: no more than 14 FAIL or PASS."""
    gate = ShadowDivergence(max_rate=0.1, alpha=0.1, q=0.1, beta=0.1)
    counts = dict.fromkeys(Outcome, 0)
    for seed in range(60):
        wrong = np.random.default_rng(seed).random(400) < 0.1
        evidence = gate.run(
            float, lambda n, w=wrong: n + float(w[n]), range(400), np.arange(400) % 4
        )
        counts[evidence.outcome] += 1
    assert counts[Outcome.FAIL] <= 14
    assert counts[Outcome.PASS] <= 14


@pytest.mark.parametrize("nothing", ["", [], {}])
def test_two_models_that_say_nothing_agree_on_nothing(nothing):
    found = ShadowDivergence().run(lambda _: nothing, lambda _: nothing, range(1500))
    assert found.outcome == Outcome.INCONCLUSIVE
    some = ShadowDivergence().run(
        lambda i: nothing if i else 1, lambda i: nothing if i else 1, range(1500)
    )
    assert some.outcome == Outcome.PASS

"""Steps that are run and timed, logs that say what they are, and people counted apart."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
import time

import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.lead_time import LeadTime
from tests.gate_cases.lead_time import FAILS, GATE, LOG, NAMED, SERVED, record

FAST = LeadTime(max_minutes=0.5)


@pytest.mark.parametrize("run", FAILS.values(), ids=FAILS)
def test_what_was_run_and_serves_nothing_fails(run):
    assert run().outcome == Outcome.FAIL


def test_the_time_is_that_of_the_gate():
    evidence = LeadTime(max_minutes=0.2 / 60).run([lambda: time.sleep(0.3), lambda: SERVED])
    assert evidence.outcome == Outcome.FAIL
    assert "measured here" in evidence.verdict.reason
    assert evidence.measurement.value * 60 >= 0.3
    evidence = FAST.run([lambda: time.sleep(0.01), lambda: SERVED])
    assert evidence.outcome == Outcome.PASS
    assert len(evidence.measurement.details["steps"]) == 2


def test_an_awaited_step_is_timed_until_it_is_done():
    async def slow():
        await asyncio.sleep(0.2)
        return SERVED

    evidence = FAST.run([lambda: None, slow])
    assert evidence.outcome == Outcome.PASS
    assert evidence.measurement.value * 60 >= 0.2


def test_a_step_that_hangs_is_stopped():
    gate = LeadTime(max_minutes=1, timeout_s=0.2)
    for steps in (
        [lambda: time.sleep(60)],
        [[sys.executable, "-c", "import time; time.sleep(60)"]],
    ):
        evidence = gate.run(steps)
        assert evidence.outcome == Outcome.ERROR
        assert "was stopped" in evidence.verdict.reason


def test_commands_are_run_with_what_they_read(tmp_path):
    code = "import json, sys; print('words'); print(json.dumps({'values': json.load(sys.stdin)}))"
    step = {
        "name": "get",
        "command": [sys.executable, "-c", code],
        "input": json.dumps({"customer:age": 71}),
        "cwd": tmp_path,
        "env": {"A": "b"},
    }
    assert NAMED.run([step]).outcome == Outcome.PASS
    assert "is not" not in NAMED.run([f"{sys.executable} -c 'print(1)'"]).verdict.reason
    evidence = NAMED.run([{**step, "comand": "x"}])
    assert "'comand'" in evidence.verdict.reason


def test_after_a_failure_nothing_more_is_run():
    seen = []
    evidence = FAST.run([lambda: 1 / 0, lambda: seen.append(1)])
    assert (evidence.outcome, seen) == (Outcome.FAIL, [])
    assert evidence.measurement.details["planned"] == 2
    assert "raised ZeroDivisionError" in " ".join(evidence.findings)


def test_a_probe_asks_by_itself():
    store = {}

    def probe():
        return {"customer:age": store["age"]}

    assert NAMED.run([lambda: store.update(age=71)], probe=probe).outcome == Outcome.PASS
    assert NAMED.run([lambda: store.update(age=72)], probe=probe).outcome == Outcome.INCONCLUSIVE
    store["age"] = None
    assert NAMED.run([lambda: SERVED], probe=probe).outcome == Outcome.FAIL
    assert NAMED.run([lambda: SERVED], probe=7).outcome == Outcome.ERROR


def test_hand_offs_are_counted_apart_from_time():
    evidence = GATE.run(LOG)
    assert evidence.outcome == Outcome.FAIL
    assert "2 hand-offs (limit 0)" in evidence.verdict.reason
    assert "as the log says, not measured here" in evidence.verdict.reason
    assert FAST.run([LOG[0], record(1, served=SERVED)]).outcome == Outcome.FAIL  # 90 s
    two = LeadTime(max_minutes=5, max_handoffs=2)
    assert two.run(LOG).outcome == Outcome.PASS
    flagged = [record(0, handoff=True), record(1, handoff="yes", served=SERVED)]
    assert GATE.run(flagged).outcome == Outcome.FAIL
    assert two.run(flagged).outcome == Outcome.PASS
    assert "neither true nor false" in two.run([record(0, handoff="maybe")]).verdict.reason
    steps = [{"call": lambda: None, "by": "me"}, {"call": lambda: SERVED, "by": "you"}]
    assert GATE.run(steps).outcome == Outcome.FAIL


def test_two_people_whose_names_are_masked_are_two():
    log = [record(0, by="a@bank.org"), record(1, by="b@bank.org", served=SERVED)]
    assert GATE.run(log).outcome == Outcome.FAIL
    assert "bank.org" not in GATE.run(log).to_json()


def test_waiting_counts():
    log = [
        record(0),
        {**record(0, served=SERVED), "start": "2026-03-03T08:00Z", "end": "2026-03-03T08:01Z"},
    ]
    evidence = GATE.run(log)
    assert evidence.outcome == Outcome.FAIL
    assert evidence.measurement.value == 24 * 60 + 1


def test_a_step_done_again_makes_good():
    log = [record(0, exit_status=1), record(1, name=record(0)["name"]), record(2, served=SERVED)]
    gate = LeadTime(max_minutes=60, max_handoffs=0)
    assert gate.run(log).outcome == Outcome.PASS
    assert gate.run(log[::2]).outcome == Outcome.FAIL


def test_a_log_in_a_file(tmp_path):
    log = [record(0), record(1, served="customer:age, customer:tenure")]
    path = tmp_path / "log.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(log[1]))
        writer.writeheader()
        writer.writerows(log)
    evidence = NAMED.run(path)
    assert evidence.outcome == Outcome.PASS
    assert evidence.measurement.value == 1.5


def test_fields():
    for policy in ({"max_minutes": 0}, {"max_minutes": 1, "features": ("a", "a")}):
        with pytest.raises(FieldError):
            LeadTime(**policy)


def test_a_forged_value_is_an_error():
    seen = FAST.run([lambda: SERVED]).measurement
    forged = type(seen)(value=0.0, unit="min", n=seen.n, details=seen.details)
    assert FAST.decide(forged).outcome == Outcome.ERROR


def test_the_picture_shows_where_the_time_went():
    (picture,) = GATE.pictures(GATE.run(LOG).measurement)
    assert [part.bad for part in picture.parts] == [False, True, False, True, False]

"""Labels: none lost, none counted twice, and no poisoned model served."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reference_systems.finalgo_fraud import decisions, inputs, learning, stream, teach, weeks
from reference_systems.finalgo_fraud.decisions import DecisionLog
from reference_systems.finalgo_fraud.history import Replay
from reference_systems.finalgo_fraud.model import InvalidModel, Model
from reference_systems.finalgo_fraud.outbox import Label, Outbox
from reference_systems.finalgo_fraud.profile import COLUMNS, PLACES
from reference_systems.finalgo_fraud.promotion import Labelled, auc_interval, rule
from reference_systems.finalgo_fraud.updater import Updater

if TYPE_CHECKING:
    from pathlib import Path

    from reference_systems.finalgo_fraud.state import State


def labels(n: int, seed: int = 3, *, flipped: bool = False, prefix: str = "w") -> list[Label]:
    """Return labels of a world with other campaigns than those of the first model."""
    world = inputs.World(seed, 800)
    week = world.week(0)
    places = Replay(world).places(week)
    rng = np.random.default_rng(seed)
    frauds, rest = np.flatnonzero(week.fraud), np.flatnonzero(~week.fraud)
    rows = np.concatenate([rng.choice(frauds, n // 2), rng.choice(rest, n - n // 2)])
    return [
        Label(f'"{prefix}{i}"'.encode(), bool(week.fraud[row]) != flipped, places[row], 1.0)
        for i, row in enumerate(rows.tolist())
    ]


def taken(found: list[Label]) -> list[tuple[int, int, Label | None]]:
    return [(0, i, label) for i, label in enumerate(found)]


def test_labels_that_came_twice_count_once(state: State) -> None:
    found = labels(80)
    with Updater.opened(state) as updater:
        assert updater.take("s", taken(found)) == 80
        assert updater.take("s", taken(found)) == 0
        assert updater.take("another", [(3, 7, found[0]), (3, 8, None)]) == 0
        assert updater.start("another") == {3: 9}
        ruling = updater.round()
        assert ruling is not None
        assert ruling.promoted, ruling.reason
        assert updater.round() is None
        counts = updater.counts()
    assert counts["labels"] == counts["learned"] == counts["counted"] == 80
    with Updater.opened(state) as updater:
        assert updater.take("s", taken(found)) == 0
        assert updater.start("s") == {0: 80}


def test_flipped_labels_are_refused_and_nothing_changes(state: State) -> None:
    before = state.models.current()
    with Updater.opened(state) as updater:
        updater.take("s", taken(labels(100, flipped=True)))
        ruling = updater.round()
        assert ruling is not None
        assert not ruling.promoted
        assert updater.counts()["refused"] == 100
        assert state.models.current() == before
        updater.take("s", taken(labels(100, prefix="good")))
        assert updater.round().promoted  # type: ignore[union-attr]
    assert state.models.current() != before


def test_a_label_is_corrected_by_a_later_one(state: State) -> None:
    with contextlib.closing(DecisionLog(state.decisions, 100)) as log:
        log.add([b'"a"'], np.zeros((1, COLUMNS), np.uint16), np.zeros(1))
    with Outbox.opened(state.outbox) as outbox:
        told = [
            json.loads(answer)
            for line in (b'{"id":"a","fraud":true}', b'{"id":"a","fraud":true}',
                         b'{"id":"a","fraud":false}', b'{"id":"b","fraud":true}',
                         b'{"id":"a","fraud":1}', b"{", b'{"fraud":true}')
            for answer in teach.answers(state, outbox, [line])
        ]  # fmt: skip
        assert [one.get("status") for one in told[:3]] == ["recorded", "duplicate", "corrected"]
        assert [one["id"] for one in told] == ["a", "a", "a", "b", "a", None, None]
        assert "score it first" in told[3]["error"]
        assert all("error" in one for one in told[3:])
        assert outbox.count() == 2


def test_a_kill_between_ledger_and_pointer_is_made_good(state: State) -> None:
    with Updater.opened(state) as updater:
        updater.take("s", taken(labels(60)))
        before = state.models.current()
        assert updater.round().promoted  # type: ignore[union-attr]
        after = state.models.current()
    assert before is not None
    state.models.promote(before)  # as if the kill came before the pointer was written
    with Updater.opened(state):
        assert state.models.current() == after


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_a_model_file_cut_short_is_refused(state: State, cut: int) -> None:
    digest = state.models.current()
    path = state.models.folder / f"{digest}.npz"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InvalidModel, match="cut short or altered"):
        state.model()
    with pytest.raises(InvalidModel, match="cut short or altered"):
        state.models.promote(str(digest))


def test_a_put_mends_what_was_cut_short(state: State) -> None:
    digest, model = state.model()
    path = state.models.folder / f"{digest}.npz"
    path.write_bytes(b"")
    assert state.models.put(model) == digest
    assert state.model()[0] == digest


@pytest.mark.parametrize("pointer", ["", "../../etc/passwd", "0" * 64, "latest"])
def test_a_pointer_to_nothing_is_refused(state: State, pointer: str) -> None:
    (state.models.folder / "current").write_text(pointer)
    with pytest.raises(InvalidModel):
        state.model()


def test_a_model_of_other_numbers_is_no_model() -> None:
    with pytest.raises(InvalidModel, match="finite"):
        Model(np.full(PLACES, np.nan, np.float32), 0.0, 0.5)
    with pytest.raises(InvalidModel, match="weights"):
        Model(np.zeros(3, np.float32), 0.0, 0.5)
    with pytest.raises(InvalidModel, match="does not hold a model"):
        Model.from_bytes(b"PK\x03\x04 nothing")


def test_the_log_finds_what_it_decided_also_after_it_went_round(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path, 10)
    other = DecisionLog(tmp_path, 10)  # a second scorer at the same time
    keys = [f'"{i}"'.encode() for i in range(25)]
    for i, key in enumerate(keys):
        log.add([key], np.full((1, COLUMNS), i, np.uint16), np.array([float(i)]))
    other.add([b'"x"', b'"' + b"l" * 90 + b'"'], np.full((2, COLUMNS), 99, np.uint16), np.zeros(2))
    found = decisions.find(
        tmp_path, [*keys, b'"x"', b'"' + b"l" * 90 + b'"', b'"' + b"l" * 91 + b'"']
    )
    assert set(found) == {*keys[15:], b'"x"', b'"' + b"l" * 90 + b'"'}
    assert int(found[b'"20"'][0]) == 20
    log.close()
    again = DecisionLog(tmp_path, 10)  # the same ring, where it ended
    again.add([keys[24]], np.full((1, COLUMNS), 7, np.uint16), np.zeros(1))
    again.close()
    other.close()
    assert int(decisions.find(tmp_path, [keys[24]])[keys[24]][0]) == 7


def test_average_precision_against_its_definition() -> None:
    rng = np.random.default_rng(5)
    for _ in range(30):
        scores, fraud = rng.integers(0, 6, 40) / 6, rng.random(40) < 0.3
        fraud[0] = True
        area, before = 0.0, 0
        for level in sorted(set(scores.tolist()), reverse=True):
            above = scores >= level
            hits = int(fraud[above].sum())
            area += (hits - before) / fraud.sum() * hits / above.sum()
            before = hits
        assert np.isclose(learning.average_precision(scores, fraud)[0], area)
        weights = rng.integers(0, 3, (1, 40)).astype(float)
        copies = np.repeat(np.arange(40), weights[0].astype(int))
        if fraud[copies].any():
            expected = learning.average_precision(scores[copies], fraud[copies])
            assert np.isclose(learning.average_precision(scores, fraud, weights), expected)


def test_auc_interval_holds_the_chance_that_was_drawn() -> None:
    rng = np.random.default_rng(6)
    truth, held = 0.760, 0  # of two normals one apart
    for _ in range(200):
        fraud = rng.random(300) < 0.2
        low, high = auc_interval(rng.normal(fraud.astype(float), 1), fraud)
        held += low <= truth <= high
    assert held >= 190


def test_a_ruling_needs_both_kinds_to_be_told_by_them(state: State) -> None:
    _, model = state.model()
    few = Labelled(np.zeros((3, COLUMNS), np.uint16), np.array([True, True, False]))
    assert rule(model, model, few, few, few).promoted


def test_online_is_above_weekly_after_a_shift_and_no_worse_without() -> None:
    told = weeks.week_by_week(seed=11, weeks=7, shifts=(5,), cards=2500)
    gains = {week.number: week.online - week.weekly for week in told}
    assert gains[5] > 0.05
    assert np.mean([gain for number, gain in gains.items() if number != 5]) > -0.02


def test_what_is_known_at_a_time_came_before_it() -> None:
    week = inputs.World(2, 4000).week(1)
    known = np.isfinite(week.confirmed)
    assert (week.confirmed > week.time).all()
    assert not known[~week.fraud].any()
    assert 0.5 < known[week.fraud].mean() < 1


def _command(state: State, name: str, data: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reference_systems.finalgo_fraud", name, "--state", state.folder],
        input=data, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "MLGATES_KAFKA": "", **more},
    )  # fmt: skip


def test_score_then_learn_then_score_from_the_command_line(state: State) -> None:
    world = inputs.World(21, 300)
    week = world.week(0)
    asked = list(inputs.transactions(world, week))
    told = _command(state, "score", "\n".join(map(json.dumps, asked)))
    assert told.returncode == 0, told.stderr
    answers = [json.loads(line) for line in told.stdout.splitlines()]
    assert [one["id"] for one in answers] == [one["id"] for one in asked]
    marked = [
        {"id": one["id"], "fraud": bool(fraud)}
        for i, (one, fraud) in enumerate(zip(asked, week.fraud, strict=True))
        if fraud or i % 30 == 0
    ]
    learned = _command(state, "learn", "\n".join(map(json.dumps, marked)) + "\n{}\n")
    assert learned.returncode == 0, learned.stderr
    assert "promoted" in learned.stderr
    status = [json.loads(line).get("status") for line in learned.stdout.splitlines()]
    assert status == ["recorded"] * len(marked) + [None]
    again = _command(state, "score", "\n".join(map(json.dumps, asked[:5])))
    assert [json.loads(line)["id"] for line in again.stdout.splitlines()] == [
        "t0",
        "t1",
        "t2",
        "t3",
        "t4",
    ]
    flipped = [{**one, "fraud": not one["fraud"]} for one in marked]
    before = state.models.current()
    refused = _command(state, "learn", "\n".join(map(json.dumps, flipped)))
    assert refused.returncode == 1
    assert "refused" in refused.stderr
    assert state.models.current() == before


def test_a_broker_that_is_away_loses_no_label(state: State) -> None:
    log = DecisionLog(state.decisions, 100)
    log.add([b'"a"'], np.zeros((1, COLUMNS), np.uint16), np.zeros(1))
    log.close()
    line = '{"id":"a","fraud":true}\n'
    told = _command(state, "learn", line, MLGATES_KAFKA="127.0.0.1:1")
    assert told.returncode == 1
    assert "Kafka" in told.stderr
    assert '"recorded"' in told.stdout
    again = _command(state, "learn", line)  # with the mock cluster: what was recorded is learned
    assert again.returncode == 0, again.stderr
    assert '"duplicate"' in again.stdout
    with Updater.opened(state) as updater:
        assert updater.counts()["counted"] == 1


def test_a_reload_swaps_the_model_and_a_broken_one_is_not_served(state: State) -> None:
    from reference_systems.finalgo_fraud.engine import Engine
    from reference_systems.finalgo_fraud.serving import Reloader

    digest, model = state.model()
    engine = Engine(model, None)
    reload = Reloader(state, engine)
    other = Model(model.weights + 1, model.bias, model.threshold)
    state.models.promote(state.models.put(other))
    reload()
    assert engine.model.weights[0] == other.weights[0]
    state.models.promote(digest)
    path = state.models.folder / f"{digest}.npz"
    path.write_bytes(path.read_bytes()[:50])
    reload()
    assert engine.model.weights[0] == other.weights[0]
    assert engine.stats.reloads == 1


def test_labels_survive_the_way_through_the_stream(state: State) -> None:
    """Through MLGATES_KAFKA where it is set, through the mock cluster otherwise."""
    found = labels(50, prefix=os.urandom(4).hex())
    topic = "labels-" + os.urandom(4).hex()
    seen: list[Label] = []
    with Outbox.opened(state.outbox) as outbox:
        outbox.record(found)
        outbox.record(found)
        with stream.opened(os.environ.get("MLGATES_KAFKA") or None, topic) as opened:
            opened.producer.produce(opened.topic, b"no label")
            relay = stream.Relay(outbox, opened)
            relay.drain(30)
            batches = stream.labels(opened)
            for _ in range(300):
                seen += [label for _, _, label in next(batches) if label is not None]
                if len(seen) >= 50:
                    break
            batches.close()  # type: ignore[attr-defined]
        assert outbox.unpublished(1) == []
    assert sorted(one.key for one in seen) == sorted(one.key for one in found)
    by_key = {one.key: one for one in found}
    assert all((one.places == by_key[one.key].places).all() for one in seen)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"id":"a","fraud":1,"at":1,"places":[],"version":1}',
                                  b'{"id":"a","fraud":true,"at":1,"places":[1,2],"version":1}'])  # fmt: skip
def test_a_message_that_is_no_label_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Label.from_bytes(data)


def test_arriving_lines_come_without_waiting_for_more() -> None:
    from reference_systems.finalgo_fraud.arriving import arriving

    read, write = os.pipe()
    with os.fdopen(read, "rb") as source:
        os.write(write, b"one\ntw")
        found = arriving(source)
        assert next(found) == [b"one"]
        os.write(write, b"o\n")
        assert next(found) == [b"two"]
        os.write(write, b"rest")
        os.close(write)
        assert list(found) == [[b"rest"]]


def test_kills_lose_no_label_and_count_none_twice(tmp_path: Path) -> None:
    from reference_systems.finalgo_fraud.drill import drill

    kafka = os.environ.get("MLGATES_KAFKA")
    if not kafka:
        pytest.skip("needs a broker that outlives its clients: set MLGATES_KAFKA")
    told = drill(tmp_path / "state", kafka, kills=5, seed=4)
    assert told["acknowledged"] > 20
    assert (told["lost"], told["twice"]) == (0, 0)
    assert min(told["scorer"], told["updater"], told["store"]) >= 1


def test_states_share_a_broker_without_sharing_labels(state: State, tmp_path: Path) -> None:
    from reference_systems.finalgo_fraud.state import State as Another

    assert Another(tmp_path / "other").topic != state.topic == Another(state.folder).topic

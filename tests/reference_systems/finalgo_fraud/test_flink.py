"""The updater as a Flink job: its intake anywhere; against a real broker in its own environment.

``MLGATES_KAFKA=127.0.0.1:9092 MLGATES_FLINK_JAR=flink-sql-connector-kafka-….jar tox run -e flink``
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reference_systems.finalgo_fraud import inputs
from reference_systems.finalgo_fraud.flink_job import Intake, table
from reference_systems.finalgo_fraud.history import Replay
from reference_systems.finalgo_fraud.outbox import Label, Outbox
from reference_systems.finalgo_fraud.state import State
from reference_systems.finalgo_fraud.updater import MOST_ROUND, Updater

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).parents[3]


def some_labels(count: int, seed: int = 3) -> list[Label]:
    """Return labels of a world with other campaigns than those of the first model."""
    world = inputs.World(seed, 800)
    week = world.week(0)
    places = Replay(world).places(week)
    rng = np.random.default_rng(seed)
    fraud, rest = np.flatnonzero(week.fraud), np.flatnonzero(~week.fraud)
    rows = rng.permutation(
        np.concatenate([rng.choice(fraud, count // 2), rng.choice(rest, count - count // 2)])
    )
    return [
        Label(f'"p{number}"'.encode(), bool(week.fraud[row]), places[row], float(number))
        for number, row in enumerate(rows)
    ]


def outcome(state: State) -> tuple[list[bytes], dict[str, int], str, list[tuple[object, ...]]]:
    """Return what an updater came to."""
    with Updater.opened(state) as updater:
        rounds = updater._ledger.execute(
            "select labels, promoted, digest from round order by number"
        )
        return updater.keys(), updater.counts(), state.models.current(), list(rounds)


def learned(state: State, messages: Iterable[bytes], sleep: Callable[[int], object]) -> None:
    """Take messages in through the job's intake, and learn what is left."""
    with Updater.opened(state) as updater:
        intake = Intake(updater, "here")
        for offset, message in enumerate(messages):
            sleep(offset)
            list(intake.take(0, offset, message))
        list(intake.finish())


def test_rounds_follow_from_the_order_of_messages_and_not_from_when_they_came(
    state: State, fresh_state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [label.to_bytes() for label in some_labels(1300)]
    messages[300:300] = [b"no label", *messages[10:20]]
    now = [0.0]
    monkeypatch.setattr("reference_systems.finalgo_fraud.flink_job.time.monotonic", lambda: now[0])
    learned(state, messages, lambda _: None)
    shutil.copytree(fresh_state, tmp_path / "slow")
    slow = State(tmp_path / "slow")
    rng = np.random.default_rng(1)
    learned(slow, messages, lambda _: now.__setitem__(0, now[0] + rng.exponential(0.3)))
    first, second = outcome(state), outcome(slow)
    assert first == second
    assert len(first[0]) == 1300
    assert first[1]["learned"] > 0
    assert [row[0] for row in first[3]] == [MOST_ROUND, MOST_ROUND, 1300 - 2 * MOST_ROUND]


def test_a_job_that_was_killed_goes_on_where_the_ledger_is(
    state: State, fresh_state: Path, tmp_path: Path
) -> None:
    messages = [label.to_bytes() for label in some_labels(1300)]
    learned(state, messages, lambda _: None)
    shutil.copytree(fresh_state, tmp_path / "killed")
    killed = State(tmp_path / "killed")
    for _ in range(4):
        with Updater.opened(killed) as updater:
            start = updater.start("here").get(0, 0)
            intake = Intake(updater, "here")
            for offset in range(start, min(start + 700, len(messages))):
                list(intake.take(0, offset, messages[offset]))
            # gone without finish
    with Updater.opened(killed) as updater:
        start = updater.start("here").get(0, 0)
        intake = Intake(updater, "here")
        for offset in range(start, len(messages)):
            list(intake.take(0, offset, messages[offset]))
        list(intake.finish())
    assert outcome(killed) == outcome(state)


def test_a_table_begins_where_the_ledger_says() -> None:
    fresh = table("t", "b:1", {}, bounded=False)
    assert "'scan.startup.mode' = 'earliest-offset'" in fresh
    assert "bounded" not in fresh
    later = table("t", "b:1", {1: 5, 0: 7}, bounded=True)
    assert "'partition:0,offset:7;partition:1,offset:5'" in later
    assert "'scan.bounded.mode' = 'latest-offset'" in later
    with pytest.raises(ValueError, match="quotes"):
        table("t'; drop", "b:1", {}, bounded=True)


def taken(state: State) -> int:
    """Return how many labels are in the ledger, while another process writes it."""
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"file:{state.ledger}?mode=ro", uri=True)) as ledger,
    ):
        ((count,),) = ledger.execute("select count(*) from learned")
        return int(count)
    return 0


def job(folder: Path, kafka: str, jar: str, *more: str) -> list[str]:
    """Return the command of the job."""
    words = ["-m", "reference_systems.finalgo_fraud.flink_job", "--state", str(folder)]
    return [sys.executable, *words, "--kafka", kafka, "--jar", jar, *more]


def test_the_job_learns_what_the_updater_learns(state: State, tmp_path: Path) -> None:
    kafka, jar = os.environ.get("MLGATES_KAFKA"), os.environ.get("MLGATES_FLINK_JAR")
    if not kafka or not jar or importlib.util.find_spec("pyflink") is None:
        pytest.skip("needs apache-flink, MLGATES_KAFKA and MLGATES_FLINK_JAR")
    from confluent_kafka.admin import AdminClient, NewTopic

    from reference_systems.finalgo_fraud import stream

    # one partition, so that there is one order
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(state.topic, 1, 1)])[state.topic].result(30)
    shutil.copytree(state.folder, tmp_path / "flink")
    by_flink = State(tmp_path / "flink")
    assert by_flink.topic == state.topic
    with Outbox.opened(state.outbox) as outbox, stream.opened(kafka, state.topic) as opened:
        outbox.record(some_labels(1300))
        opened.producer.produce(state.topic, b"no label")
        stream.Relay(outbox, opened).drain(60)
        batches, left = stream.labels(opened), 1301
        with Updater.opened(state) as updater:
            intake = Intake(updater, opened.name)
            while left:
                for part, offset, label in next(batches):
                    message = b"no label" if label is None else label.to_bytes()
                    list(intake.take(part, offset, message))
                    left -= 1
            list(intake.finish())
        batches.close()  # type: ignore[attr-defined]
    # killed once on its way, then to the end
    with (tmp_path / "out").open("wb") as out:
        first = subprocess.Popen(
            job(by_flink.folder, kafka, jar, "--bounded"), cwd=ROOT, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
        until = time.monotonic() + 240
        while first.poll() is None and not taken(by_flink) and time.monotonic() < until:
            time.sleep(0.05)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        subprocess.run(
            job(by_flink.folder, kafka, jar, "--bounded"), cwd=ROOT, stdout=out, stderr=out,
            check=True, timeout=400,
        )  # fmt: skip
    assert outcome(by_flink) == outcome(state)

"""The load tells what was really sent and answered, whatever the other side does."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from reference_systems.finalgo_fraud.load import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reference_systems.finalgo_fraud.running import Running


@contextlib.contextmanager
def serving(answer: Callable[[bytes, float], bytes | None]) -> Iterator[tuple[str, int]]:
    """Serve ``answer(line, seconds since the start)`` on threads; None drops the connection."""
    began = time.perf_counter()

    def talk(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError), connection.makefile("rb") as lines:
            for line in lines:
                told = answer(line, time.perf_counter() - began)
                if told is None:
                    return
                connection.sendall(told)

    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=talk, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()
        listener.shutdown(socket.SHUT_RDWR)


def right(line: bytes, _: float) -> bytes:
    return (
        json.dumps({"id": json.loads(line)["id"], "score": 0.5, "decision": "approve"}).encode()
        + b"\n"
    )


def test_a_server_that_answers_is_told_so() -> None:
    with serving(right) as to:
        told, sent = load(to, 300, 4, 2, cards=100)
    assert told["offered"] == told["sent"] == told["answered"] == len(sent.due)
    assert 400 < told["offered"] < 800
    assert told["unanswered"] == told["errors"] == told["dropped_connections"] == 0
    assert 0 < told["p50_ms"] <= told["p99_ms"] <= told["max_ms"]
    assert told["lag_p99_ms"] <= told["max_ms"]


def test_a_server_that_stops_for_half_a_second_shows() -> None:
    lock = threading.Lock()

    def answer(line: bytes, at: float) -> bytes:
        with lock:
            if at % 1 < 0.1:
                time.sleep(0.5)
        return right(line, at)

    with serving(answer) as to:
        told, _ = load(to, 200, 4, 3, cards=100)
    assert told["p99_ms"] > 300
    assert told["worst_second_p99_ms"] > 300


def test_a_mute_server_answers_nothing_and_each_waits_to_the_end() -> None:
    with serving(lambda line, at: b"") as to:
        told, _ = load(to, 100, 2, 1, cards=100, grace_s=0.5)
    assert told["answered"] == 0
    assert told["unanswered"] == told["offered"] == told["sent"]
    assert told["p50_ms"] > 500


def test_errors_and_foreign_answers_are_no_answers() -> None:
    def answer(line: bytes, at: float) -> bytes:
        name = json.loads(line)["id"]
        return (
            json.dumps({"id": name, "error": "no"}).encode() + b'\n{"id":"x-1","score":1}\nnoise\n'
        )

    with serving(answer) as to:
        told, sent = load(to, 100, 2, 1, cards=100, grace_s=0.3)
    assert told["answered"] == 0
    assert told["errors"] == told["offered"]
    assert sent.unasked == 2 * told["offered"]


def test_constant_answers_that_read_nothing_count_as_none() -> None:
    with serving(lambda line, at: b'{"id":"1","score":0.1,"decision":"approve"}\n') as to:
        told, _ = load(to, 100, 2, 1, cards=100, grace_s=0.3)
    assert told["answered"] == 0


def test_second_answers_are_not_counted() -> None:
    with serving(lambda line, at: right(line, at) * 2) as to:
        told, sent = load(to, 200, 2, 1, cards=100)
    assert told["answered"] == told["offered"]
    assert sent.doubled > 0


def test_dropped_connections_are_counted_and_opened_again() -> None:
    def answer(line: bytes, at: float) -> bytes | None:
        number = int(json.loads(line)["id"].rpartition("-")[2])
        return None if number % 50 == 49 else right(line, at)

    with serving(answer) as to:
        told, _ = load(to, 200, 4, 2, cards=100, grace_s=0.5)
    assert told["dropped_connections"] >= 3
    assert told["unanswered"] >= 3
    assert told["answered"] > told["offered"] / 2


def test_a_server_that_reads_slowly_is_not_sent_what_it_does_not_take() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        told, _ = load(listener.getsockname(), 100_000, 1, 1.5, cards=100, grace_s=0.2)
    assert told["sent"] < told["offered"]
    assert told["answered"] == 0


def test_nobody_there_is_one_line_and_status_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "reference_systems.finalgo_fraud", "load"]
    told = subprocess.run(
        [*command, "--to", f"127.0.0.1:{port}", "--rate", "10", "--seconds", "1"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert told.returncode == 1
    assert told.stdout == ""
    assert len(told.stderr.splitlines()) == 1
    assert f"127.0.0.1:{port}" in told.stderr


@pytest.mark.parametrize(
    "words",
    [["--to", "nowhere", "--rate", "1"], ["--to", "a:1", "--rate", "-3"], ["--rate", "1"],
     ["--to", "a:1", "--rate", "nan"], ["--to", "a:1", "--rate", "1", "--connections", "0"]],
)  # fmt: skip
def test_words_that_mean_nothing_are_usage(words: list[str]) -> None:
    from reference_systems.finalgo_fraud.cli import main

    with pytest.raises(SystemExit) as ended:
        main(["load", *words])
    assert ended.value.code == 2


def test_the_scorer_under_load_answers_all_of_it(scorer: Running) -> None:
    told, _ = load(scorer.address, 2000, 16, 2, cards=5000)
    assert told["answered"] == told["offered"] == told["sent"]
    assert told["errors"] == 0

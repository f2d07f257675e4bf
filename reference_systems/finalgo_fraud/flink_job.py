"""The updater as a Flink job: the same labels, the same rounds, the same models.

    python -m reference_systems.finalgo_fraud.flink_job --state DIR --kafka HOST:PORT --jar CONNECTOR

Flink reads the topic and keeps the order of each partition; learning and judging is the ``Updater``'s,
in one task, with its ledger. Where the stream goes on stands in that ledger, in one transaction with
the labels, so that a job that is killed goes on there, and so does the updater without Flink. Needs
apache-flink, in an environment of its own (``tox run -e flink``), Java 17, and Flink's Kafka connector.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reference_systems.finalgo_fraud.outbox import Label
from reference_systems.finalgo_fraud.state import State
from reference_systems.finalgo_fraud.updater import MOST_ROUND, Updater

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reference_systems.finalgo_fraud.promotion import Ruling

__all__ = ["Intake", "main", "table"]

#: how long a label waits at most until it is entered
_LONGEST_S = 1.0


class Intake:
    """Messages one by one into a ledger; a round with each full number of new labels.

    What a round learns from follows from the order of the messages alone, never from when they came:
    no label beyond its own is entered before it. ``finish`` learns what is left.
    """

    def __init__(self, updater: Updater, source: str) -> None:
        self._updater, self._source = updater, source
        self._batch: list[tuple[int, int, Label | None]] = []
        self._pending, self._since = updater.pending(), time.monotonic()

    def take(self, part: int, offset: int, message: bytes) -> Iterator[str]:
        """Enter a message and give what rounds said."""
        try:
            label = Label.from_bytes(message)
        except ValueError:
            label = None  # counted as read, learned from never
        self._batch.append((part, offset, label))
        full = len(self._batch) + self._pending >= MOST_ROUND
        if full or time.monotonic() - self._since > _LONGEST_S:
            yield from self._enter()

    def finish(self) -> Iterator[str]:
        """Enter and learn what is left."""
        yield from self._enter()
        while (ruling := self._updater.round()) is not None:
            yield _words(ruling)

    def _enter(self) -> Iterator[str]:
        if self._batch:
            self._updater.take(self._source, self._batch)
        self._batch, self._since = [], time.monotonic()
        while self._updater.pending() >= MOST_ROUND:
            ruling = self._updater.round()
            if ruling is not None:
                yield _words(ruling)
        self._pending = self._updater.pending()


def _words(ruling: Ruling) -> str:
    return ("promoted: " if ruling.promoted else "refused: ") + ruling.reason


def table(topic: str, servers: str, start: Mapping[int, int], *, bounded: bool) -> str:
    """Return the table of a topic in Flink's SQL, from where the ledger goes on.

    >>> "'scan.startup.specific-offsets' = 'partition:0,offset:7'" in table("t", "b:1", {0: 7}, bounded=True)
    True
    """
    options = {
        "connector": "kafka",
        "topic": topic,
        "properties.bootstrap.servers": servers,
        "format": "raw",
        "scan.startup.mode": "earliest-offset",
    }
    if start:
        offsets = (f"partition:{part},offset:{offset}" for part, offset in sorted(start.items()))
        options["scan.startup.mode"] = "specific-offsets"
        options["scan.startup.specific-offsets"] = ";".join(offsets)
    if bounded:
        options["scan.bounded.mode"] = "latest-offset"
    for value in options.values():
        if "'" in value:
            raise ValueError("a topic and an address have no quotes")
    told = ", ".join(f"'{name}' = '{value}'" for name, value in options.items())
    columns = (
        "message BYTES, part INT METADATA FROM 'partition' VIRTUAL, "
        "place BIGINT METADATA FROM 'offset' VIRTUAL"
    )
    return f"CREATE TABLE label ({columns}) WITH ({told})"


def _learner(folder: Path, source: str) -> Any:
    """Return what Flink calls for each message, in one task."""
    from pyflink.datastream import KeyedProcessFunction

    class Learn(KeyedProcessFunction):  # type: ignore[misc]
        def open(self, _: object) -> None:
            self._stack = contextlib.ExitStack()
            updater = self._stack.enter_context(Updater.opened(State(folder), wait=True))
            self._intake = Intake(updater, source)

        def process_element(self, value: Any, _: object) -> Iterator[str]:
            yield from self._intake.take(int(value[1]), int(value[2]), bytes(value[0]))

        def close(self) -> None:
            with self._stack:
                for said in self._intake.finish():
                    sys.stderr.write(said + "\n")

    return Learn()


def main(arguments: list[str] | None = None) -> int:
    """Run the job until it is interrupted, or to the end of the topic as it is now."""
    from pyflink.common import Configuration, Types
    from pyflink.datastream import StreamExecutionEnvironment
    from pyflink.table import StreamTableEnvironment

    from reference_systems.finalgo_fraud import stream

    parser = argparse.ArgumentParser(prog="flink_job", description=__doc__.partition("\n")[0])
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--jar", type=Path, required=True, help="flink-sql-connector-kafka-*.jar")
    parser.add_argument("--bounded", action="store_true", help="end where the topic ends now")
    options = parser.parse_args(arguments)
    if not options.jar.is_file():
        parser.error(f"{options.jar} is no file: it is Flink's Kafka connector that is wanted")
    state = State(options.state)
    with stream.opened(options.kafka, state.topic) as found, Updater.opened(state) as updater:
        source, start = found.name, updater.start(found.name)
    config = Configuration()
    config.set_string("pipeline.jars", options.jar.resolve().as_uri())
    config.set_string("python.executable", sys.executable)
    config.set_string("python.client.executable", sys.executable)
    environment = StreamExecutionEnvironment.get_execution_environment(config)
    environment.set_parallelism(1)
    tables = StreamTableEnvironment.create(environment)
    tables.execute_sql(table(state.topic, options.kafka, start, bounded=options.bounded))
    labels = tables.to_data_stream(tables.from_path("label"))
    learned = labels.key_by(lambda _: 0, key_type=Types.INT()).process(
        _learner(options.state.resolve(), source), output_type=Types.STRING()
    )
    learned.print()
    environment.execute("finalgo_fraud updater")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

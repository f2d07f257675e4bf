"""Confirmed labels through Kafka: a relay from the outbox, a consumer for the updater.

``servers`` names any broker. Without one, the mock cluster inside librdkafka speaks the protocol
in this process; it keeps nothing, so everything in the outbox is published again at the next start.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from reference_systems.finalgo_fraud.outbox import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka import Message

    from reference_systems.finalgo_fraud.outbox import Outbox

__all__ = ["GROUP", "Relay", "Stream", "labels", "opened"]

GROUP = "updater"
_PARTITIONS = 4
_PATIENCE_S = 6
_QUIET = {"log_level": 0, "socket.timeout.ms": 10_000}


class Stream:
    """Where the labels go: brokers and a topic; ``name`` is the cluster's own and the topic's."""

    def __init__(
        self, servers: str, topic: str, cluster: str, *, durable: bool, producer: Producer
    ) -> None:
        self.servers, self.topic, self.durable, self.producer = servers, topic, durable, producer
        self.name = f"{cluster}/{topic}" if durable else "mock"


@contextlib.contextmanager
def opened(servers: str | None, topic: str) -> Iterator[Stream]:
    """Connect to a broker, or to the mock cluster, and see to it that the topic is there."""
    settings = {"enable.idempotence": True, "acks": "all", "linger.ms": 5, **_QUIET}
    settings |= {"delivery.timeout.ms": 30_000, "request.timeout.ms": 5_000}
    if servers is None:
        producer = Producer({**settings, "bootstrap.servers": "mock:1", "test.mock.num.brokers": 1})
    else:
        producer = Producer({**settings, "bootstrap.servers": servers})
    try:
        found = producer.list_topics(timeout=_PATIENCE_S)
    except KafkaException as error:
        where = servers or "librdkafka's mock cluster"
        raise ConnectionError(
            f"Kafka at {where} did not answer within {_PATIENCE_S} s: {error}"
        ) from None
    address = servers or ",".join(f"{b.host}:{b.port}" for b in found.brokers.values())
    if servers is not None:  # the mock cluster makes topics when they are asked for
        _make_topic(address, topic)
    try:
        cluster = str(found.cluster_id)
        yield Stream(address, topic, cluster, durable=servers is not None, producer=producer)
    finally:
        producer.purge()
        producer.flush(1)


def _make_topic(servers: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": servers, **_QUIET})
    future = admin.create_topics([NewTopic(topic, _PARTITIONS, 1)])[topic]
    try:
        future.result(15)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise ConnectionError(f"Kafka has no topic {topic}: {error}") from None


class Relay:
    """Carries labels from the outbox to the stream; at least once, so consumers drop by id."""

    def __init__(self, outbox: Outbox, stream: Stream) -> None:
        self.outbox, self.stream = outbox, stream
        self._under_way: set[int] = set()
        self._done: list[int] = []
        if not stream.durable:
            outbox.forget_acknowledgements()

    def step(self, most: int = 1000) -> int:
        """Publish what is new and note what was acknowledged; return how many are under way."""
        for place, label in self.outbox.unpublished(most):
            if place in self._under_way:
                continue
            self._under_way.add(place)
            try:
                self.stream.producer.produce(
                    self.stream.topic, label.to_bytes(), label.key,
                    on_delivery=lambda error, _, place=place: self._told(place, error),
                )  # fmt: skip
            except BufferError:
                self._under_way.discard(place)
                break
        self.stream.producer.poll(0)
        if self._done:
            done, self._done = self._done, []
            self.outbox.acknowledged(done)
            self._under_way.difference_update(done)
        return len(self._under_way)

    def drain(self, seconds: float) -> None:
        """Publish until nothing is left; TimeoutError where the broker does not take it."""
        deadline = time.monotonic() + seconds
        while self.step() or self.outbox.unpublished(1):
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"Kafka did not take all labels within {seconds:g} s; none is lost, they stay "
                    "in the outbox and are published at the next start"
                )
            self.stream.producer.poll(0.01)

    def _told(self, place: int, error: KafkaError | None) -> None:
        if error is None:
            self._done.append(place)
        else:
            self._under_way.discard(place)


def labels(
    stream: Stream, group: str = GROUP, start: dict[int, int] | None = None
) -> Iterator[list[tuple[int, int, Label | None]]]:
    """Give batches of (partition, offset, label), without end; an empty batch is a quiet moment.

    ``start`` says for each partition which offset comes next, as the ledger knows it; offsets that
    the broker keeps for the group are not used. A message that is no label comes as None.
    """
    consumer = Consumer(
        {"bootstrap.servers": stream.servers, "group.id": group, "enable.auto.commit": False,
         "auto.offset.reset": "earliest", **_QUIET}
    )  # fmt: skip
    try:
        first = start or {}
        parts = consumer.list_topics(stream.topic, timeout=15).topics[stream.topic].partitions
        consumer.assign([TopicPartition(stream.topic, p, first.get(p, 0)) for p in parts])
        while True:
            messages: list[Message] = consumer.consume(500, 0.1)
            yield [found for message in messages if (found := _read(message)) is not None]
    finally:
        consumer.close()


def _read(message: Message) -> tuple[int, int, Label | None] | None:
    if message.error() is not None:
        return None
    partition, offset = message.partition(), message.offset()
    assert partition is not None
    assert offset is not None
    try:
        return partition, offset, Label.from_bytes(message.value() or b"")
    except ValueError:
        return partition, offset, None

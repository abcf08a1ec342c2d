"""The clients that put a broker under load: Kafka's own tools, and confluent-kafka."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from bench import java_tools

_LIMIT_S = 120.0
_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class JavaTools:
    """ProducerPerformance and ConsumerPerformance (Client)."""

    libs: Path
    name: str = "Kafka's own tools"

    def produce(self, bootstrap: str, topic: str, *, records: int, size: int, acks: str) -> float:
        """Records a second. ToolFailed when it ends otherwise."""
        return java_tools.produce(self.libs, bootstrap, topic, records=records, size=size, acks=acks)

    def consume(self, bootstrap: str, topic: str, *, records: int) -> float:
        """Records a second of the time spent fetching. ToolFailed when it ends otherwise."""
        return java_tools.consume(self.libs, bootstrap, topic, records=records)


@dataclass(frozen=True, slots=True)
class Confluent:
    """confluent-kafka, that is librdkafka (Client)."""

    name: str = "confluent-kafka"

    def produce(self, bootstrap: str, topic: str, *, records: int, size: int, acks: str) -> float:
        """Records a second until the last acknowledgement. KafkaException when one was not delivered."""
        config: dict[str, Any] = {
            "bootstrap.servers": bootstrap,
            "acks": acks,
            "queue.buffering.max.messages": 200_000,
            "delivery.report.only.error": True,
        }
        refused: list[KafkaError] = []
        config["on_delivery"] = lambda error, message: refused.append(error)
        producer, value = Producer(config), bytes(size)
        producer.list_topics(topic, timeout=30)
        begin = time.perf_counter()
        for _ in range(records):
            while True:
                try:
                    producer.produce(topic, value)
                    break
                except BufferError:
                    producer.poll(0.01)
        left = producer.flush(_LIMIT_S)
        took = time.perf_counter() - begin
        if refused:
            raise KafkaException(refused[0])
        if left:
            raise TimeoutError(f"{left} of {records} records were not acknowledged after {_LIMIT_S:g} s")
        return records / took

    def consume(self, bootstrap: str, topic: str, *, records: int) -> float:
        """Records a second from the first batch on. TimeoutError when too few come."""
        consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": f"bench-{uuid.uuid4().hex[:8]}",
                "enable.auto.commit": False,
                "fetch.queue.backoff.ms": 1,  # its default of a second starves a fast reader
                "queued.min.messages": 1_000_000,
            }
        )
        try:
            found = consumer.list_topics(topic, timeout=30).topics[topic].partitions
            consumer.assign([TopicPartition(topic, partition, 0) for partition in found])
            seen, deadline = 0, time.perf_counter() + _LIMIT_S
            begin = time.perf_counter()
            while seen < records:
                batch = consumer.consume(_BATCH, timeout=1.0)
                for message in batch:
                    if (error := message.error()) is not None:
                        raise KafkaException(error)
                seen += len(batch)
                if time.perf_counter() > deadline:
                    raise TimeoutError(f"only {seen} of {records} records were read in {_LIMIT_S:g} s")
            return seen / (time.perf_counter() - begin)
        finally:
            consumer.close()

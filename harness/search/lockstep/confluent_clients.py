"""Steps that confluent-kafka carries out."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, Final

import confluent_kafka as ck

from harness.clients.client import ClientTrouble, classified
from harness.history.operations import OpType
from harness.search.lockstep.library_steps import Came

TIMEOUT_S: Final = 20.0
QUIET: Final[dict[str, Any]] = {"log_level": 0, "error_cb": lambda error: None}


class ConfluentClients:
    """A producer and consumers for one cluster, created when first needed (LibraryClients)."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: ck.Producer | None = None
        self._consumers: dict[str, ck.Consumer] = {}

    def produce(self, topic: str, partition: int, values: Sequence[str]) -> list[int] | str:
        """Sends values; returns their acknowledged offsets, or the name of the error that refused one. ClientTrouble if
        it is unknown whether a record was written."""
        if self._producer is None:
            settings = {"bootstrap.servers": self._bootstrap, "acks": "all", "linger.ms": 0}
            self._producer = ck.Producer({**QUIET, **settings, "topic.metadata.propagation.max.ms": 2_000})
        offsets: list[int] = []
        for value in values:
            heard: list[tuple[Any, int]] = []

            def told(error: Any, message: Any, heard: list[tuple[Any, int]] = heard) -> None:
                heard.append((error, -1 if error else int(message.offset())))

            self._producer.produce(topic, value.encode(), partition=partition, on_delivery=told)
            self._producer.flush(TIMEOUT_S)
            if not heard:
                raise ClientTrouble(f"no delivery from {self._bootstrap} within {TIMEOUT_S:.0f} s")
            error, offset = heard[0]
            if error is not None:
                name = error.name().lstrip("_")
                if classified(name) is not OpType.FAIL:
                    raise ClientTrouble(f"a record to {topic} may or may not be written: {name}")
                return str(name)
            offsets.append(offset)
        return offsets

    def read(self, topic: str, partition: int, offset: int, end: int) -> list[Came]:
        """The records from `offset` to `end` (exclusive); fewer if none came for 20 s. ClientTrouble for an error that
        librdkafka does not retry."""
        consumer = self._consumer("reader")
        consumer.assign([ck.TopicPartition(topic, partition, offset)])
        found: list[Came] = []
        while not found or found[-1].offset < end - 1:
            message = consumer.poll(TIMEOUT_S)
            if message is None:
                break
            if (error := message.error()) is not None:
                if error.retriable() or error.code() < 0:
                    continue
                raise ClientTrouble(str(error))
            found.append(Came(int(message.offset() or 0), message.value()))
        consumer.unassign()
        return found

    def commit(self, group: str, topic: str, partition: int, offset: int) -> int:
        """Commits an offset; returns the error code, 0 for success. ClientTrouble for an error of librdkafka itself."""
        consumer = self._consumer(group)
        try:
            found = consumer.commit(offsets=[ck.TopicPartition(topic, partition, offset)], asynchronous=False)
        except ck.KafkaException as refusal:
            code = int(refusal.args[0].code())
            if code < 0:
                raise ClientTrouble(str(refusal)) from refusal
            return code
        error = found[0].error if found else None
        return 0 if error is None else int(error.code())

    def _consumer(self, group: str) -> ck.Consumer:
        if group not in self._consumers:
            self._consumers[group] = ck.Consumer(
                {
                    **QUIET,
                    "bootstrap.servers": self._bootstrap,
                    "group.id": group,
                    "enable.auto.commit": False,
                    "auto.offset.reset": "error",
                    "fetch.wait.max.ms": 20,
                    "check.crcs": True,
                }
            )
        return self._consumers[group]

    def begin(self) -> None:
        """Starts a new sequence: closes the consumers of the previous sequence's groups."""
        for group in [name for name in self._consumers if name != "reader"]:
            with contextlib.suppress(Exception):
                self._consumers.pop(group).close()

    def close(self) -> None:
        """Closes all clients."""
        self.begin()
        for consumer in self._consumers.values():
            consumer.close()
        self._consumers.clear()
        self._producer = None

"""An operator that uses librdkafka's admin client."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import confluent_kafka as ck
from confluent_kafka import admin

from harness.clients.client import ClientTrouble
from harness.clients.operators.operator import SET_ON_THE_TOPIC, TIMEOUT_S, Config, Operator, Refused

ck_admin: Any = admin  # the module does not export its names in the way that type checkers require
T = TypeVar("T")


class LibrdkafkaOperator(Operator):
    """An operator with librdkafka's admin client, as in many applications."""

    def __init__(self, bootstrap: str, *, waits: bool = True) -> None:
        super().__init__(bootstrap, waits=waits)
        # librdkafka connects in the background; requests before that wait.
        self._admin = ck_admin.AdminClient({"bootstrap.servers": bootstrap, "client.id": "operator", "log_level": 0})

    def _create(self, name: str, partitions: int, config: Mapping[str, str]) -> None:
        topic = ck_admin.NewTopic(name, num_partitions=partitions, replication_factor=1, config=dict(config))
        self._all(f"creating topic {name}", self._admin.create_topics([topic], request_timeout=TIMEOUT_S))

    def _grow(self, name: str, total: int) -> None:
        wanted = [ck_admin.NewPartitions(name, total)]
        self._all(f"adding partitions to {name}", self._admin.create_partitions(wanted, request_timeout=TIMEOUT_S))

    def _delete(self, name: str) -> None:
        self._all(f"deleting topic {name}", self._admin.delete_topics([name], request_timeout=TIMEOUT_S))

    def _described(self) -> dict[str, dict[int, int]]:
        """Never asks for a single topic: librdkafka would keep requesting its metadata, also after a restart of the
        broker, and such a request creates the topic if auto.create.topics.enable is true.

        Retries while the broker is unreachable: librdkafka notices a restart only when a request fails.
        """
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            try:
                found = self._admin.list_topics(timeout=5).topics
                return {
                    name: {}
                    if topic.error is not None
                    else {number: one.leader for number, one in topic.partitions.items()}
                    for name, topic in found.items()
                }
            except ck.KafkaException as refusal:
                if refusal.args[0].code() > 0 or time.monotonic() > deadline:
                    raise _trouble("describing topics", refusal) from refusal
                time.sleep(0.1)

    def _config(self, name: str) -> dict[str, Config]:
        resource = ck_admin.ConfigResource(ck_admin.ConfigResource.Type.TOPIC, name)
        (entries,) = self._all(f"describing {name}", self._admin.describe_configs([resource]))
        return {key: Config(entry.value, entry.source == SET_ON_THE_TOPIC) for key, entry in dict(entries).items()}

    def _alter(self, name: str, settings: Mapping[str, str], unset: Sequence[str]) -> None:
        kind = ck_admin.AlterConfigOpType
        entries = [
            ck_admin.ConfigEntry(key, value, incremental_operation=kind.SET) for key, value in settings.items()
        ] + [ck_admin.ConfigEntry(key, None, incremental_operation=kind.DELETE) for key in unset]
        resource = ck_admin.ConfigResource(ck_admin.ConfigResource.Type.TOPIC, name, incremental_configs=entries)
        self._all(f"altering {name}", self._admin.incremental_alter_configs([resource]))

    def delete_records(self, name: str, partition: int, before: int) -> int:
        """Deletes the records below an offset; returns the low watermark in the response."""
        wanted = [ck.TopicPartition(name, partition, before)]
        (done,) = self._all(f"deleting records of {name}", self._admin.delete_records(wanted))
        return int(done.low_watermark)

    def _all(self, what: str, futures: Mapping[Any, Future[T]]) -> list[T]:
        """Waits for librdkafka's futures and returns their results. Refused or ClientTrouble when one fails."""
        try:
            return [future.result(TIMEOUT_S) for future in futures.values()]
        except ck.KafkaException as refusal:
            raise _trouble(what, refusal) from refusal
        except TimeoutError as late:
            raise ClientTrouble(f"{what}: no answer within {TIMEOUT_S:.0f} s") from late


def _trouble(what: str, refusal: ck.KafkaException) -> Refused | ClientTrouble:
    """Refused for an error of the broker (a positive code), ClientTrouble for one of librdkafka itself (negative)."""
    error = refusal.args[0]
    if error.code() > 0:
        return Refused(what, error.name(), error.str())
    return ClientTrouble(f"{what}: {error.name()}: {error.str()}")

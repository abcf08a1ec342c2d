"""An operator's actions on topics and groups: create, describe, alter, delete. Uses librdkafka's admin client."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import confluent_kafka as ck
from confluent_kafka import admin

from harness.clients import group_view
from harness.clients.client import ClientTrouble
from harness.clients.group_view import Member

ck_admin: Any = admin  # the module does not export its names in the way that type checkers require
_TIMEOUT_S = 15.0
_VISIBLE_S = 10.0
_SET_ON_THE_TOPIC = 1
"""The config_source of a config that is set on the topic itself (DescribeConfigs, DYNAMIC_TOPIC_CONFIG)."""
T = TypeVar("T")


class Refused(AssertionError):
    """The broker refused a request; `name` is Kafka's name of the error."""

    def __init__(self, what: str, name: str, detail: str) -> None:
        super().__init__(f"{what} was refused: {name}: {detail}")
        self.name = name


def refusal_of(call: Callable[[], None]) -> str:
    """Kafka's name of the error with which the broker refuses a call; "NONE" when the call succeeds."""
    try:
        call()
    except Refused as refusal:
        return refusal.name
    return "NONE"


class Operator:
    """An admin client. Every call waits at most 15 s for the response; Refused or ClientTrouble when it fails.

    The response to a change comes when the controller has committed it; brokers apply it a moment later. Therefore
    calls that create, alter or delete topics also wait, with `waits`, until the change is visible; AssertionError when
    it is not after 10 s.
    """

    def __init__(self, bootstrap: str, *, waits: bool = True) -> None:
        self._waits = waits
        # librdkafka connects in the background; requests before that wait.
        self._bootstrap = bootstrap
        self._admin = ck_admin.AdminClient({"bootstrap.servers": bootstrap, "client.id": "operator", "log_level": 0})

    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        """Creates a topic with one replica per partition."""
        topic = ck_admin.NewTopic(name, num_partitions=partitions, replication_factor=1, config=dict(config or {}))
        self._all(f"creating topic {name}", self._admin.create_topics([topic], request_timeout=_TIMEOUT_S))
        if self._waits:
            self.wait_for_partitions(name, partitions)

    def add_partitions(self, name: str, total: int) -> None:
        """Increases a topic's number of partitions to `total`."""
        wanted = [ck_admin.NewPartitions(name, total)]
        self._all(f"adding partitions to {name}", self._admin.create_partitions(wanted, request_timeout=_TIMEOUT_S))
        if self._waits:
            self.wait_for_partitions(name, total)

    def wait_for_partitions(self, name: str, count: int) -> None:
        """Waits until a topic has exactly `count` partitions, each with a leader."""

        def has_all() -> bool:
            leaders = self.leaders(name)
            return sorted(leaders) == list(range(count)) and min(leaders.values()) >= 0

        _wait(
            has_all, lambda: f"topic {name} should have {count} partitions with leaders, and has {self.leaders(name)}"
        )

    def delete_topic(self, name: str) -> None:
        """Deletes a topic."""
        self._all(f"deleting topic {name}", self._admin.delete_topics([name], request_timeout=_TIMEOUT_S))
        if self._waits:
            _wait(lambda: name not in self.topics(), lambda: f"topic {name} was deleted, and is still listed")

    def topics(self) -> tuple[str, ...]:
        """The names of all topics, sorted."""
        return tuple(sorted(self._topics()))

    def leaders(self, name: str) -> dict[int, int]:
        """Partition → leader of a topic; empty if the topic does not exist."""
        topic = self._topics().get(name)
        if topic is None or topic.error is not None:
            return {}
        return {number: found.leader for number, found in sorted(topic.partitions.items())}

    def _topics(self) -> dict[str, Any]:
        """All topics by name. Never asks for a single topic: librdkafka would keep requesting its metadata, also after
        a restart of the broker, and such a request creates the topic if auto.create.topics.enable is true.

        Retries while the broker is unreachable: librdkafka notices a restart only when a request fails.
        """
        deadline = time.monotonic() + _TIMEOUT_S
        while True:
            try:
                return dict(self._admin.list_topics(timeout=5).topics)
            except ck.KafkaException as refusal:
                if refusal.args[0].code() > 0 or time.monotonic() > deadline:
                    raise _trouble("describing topics", refusal) from refusal
                time.sleep(0.1)

    def topic_config(self, name: str) -> dict[str, str]:
        """All configs of a topic, including defaults."""
        return {key: entry.value for key, entry in self._config(name).items()}

    def _config(self, name: str) -> dict[str, Any]:
        resource = ck_admin.ConfigResource(ck_admin.ConfigResource.Type.TOPIC, name)
        (entries,) = self._all(f"describing {name}", self._admin.describe_configs([resource]))
        return dict(entries)

    def alter_topic(self, name: str, settings: Mapping[str, str] | None = None, *, unset: Sequence[str] = ()) -> None:
        """Sets some configs of a topic and resets others to their defaults; the rest do not change."""
        kind = ck_admin.AlterConfigOpType
        entries = [
            ck_admin.ConfigEntry(key, value, incremental_operation=kind.SET) for key, value in (settings or {}).items()
        ] + [ck_admin.ConfigEntry(key, None, incremental_operation=kind.DELETE) for key in unset]
        resource = ck_admin.ConfigResource(ck_admin.ConfigResource.Type.TOPIC, name, incremental_configs=entries)
        self._all(f"altering {name}", self._admin.incremental_alter_configs([resource]))
        if self._waits:
            wanted = settings or {}

            def is_so() -> bool:
                found = self._config(name)
                return all(found[key].value == value for key, value in wanted.items()) and all(
                    found[key].source != _SET_ON_THE_TOPIC for key in unset
                )

            _wait(is_so, lambda: f"{name} should have {dict(wanted)} and nothing of its own for {list(unset)}")

    def delete_records(self, name: str, partition: int, before: int) -> int:
        """Deletes the records below an offset; returns the low watermark in the response."""
        wanted = [ck.TopicPartition(name, partition, before)]
        (done,) = self._all(f"deleting records of {name}", self._admin.delete_records(wanted))
        return int(done.low_watermark)

    def group_offsets(self, group: str) -> dict[tuple[str, int], int]:
        """(topic, partition) → a group's committed offset."""
        return group_view.committed_offsets(self._bootstrap, group)

    def group(self, group: str) -> tuple[str, tuple[Member, ...]]:
        """(state, members) of a group, members sorted by client id."""
        return group_view.described(self._bootstrap, group)

    def _all(self, what: str, futures: Mapping[Any, Future[T]]) -> list[T]:
        """Waits for librdkafka's futures and returns their results. Refused or ClientTrouble when one fails."""
        try:
            return [future.result(_TIMEOUT_S) for future in futures.values()]
        except ck.KafkaException as refusal:
            raise _trouble(what, refusal) from refusal
        except TimeoutError as late:
            raise ClientTrouble(f"{what}: no answer within {_TIMEOUT_S:.0f} s") from late


def _wait(is_so: Callable[[], bool], complaint: Callable[[], str]) -> None:
    """Waits until `is_so` returns true. AssertionError with the complaint when it does not within 10 s."""
    deadline = time.monotonic() + _VISIBLE_S
    while not is_so():
        assert time.monotonic() < deadline, f"{complaint()} ({_VISIBLE_S:.0f} s after it was acknowledged)"
        time.sleep(0.02)


def _trouble(what: str, refusal: ck.KafkaException) -> Refused | ClientTrouble:
    """Refused for an error of the broker (a positive code), ClientTrouble for one of librdkafka itself (negative)."""
    error = refusal.args[0]
    if error.code() > 0:
        return Refused(what, error.name(), error.str())
    return ClientTrouble(f"{what}: {error.name()}: {error.str()}")

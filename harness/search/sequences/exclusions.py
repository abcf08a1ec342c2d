"""Changes generated requests so that they do not put the node out of service, and no answer depends on timing. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from harness.search.lockstep.actions import Kind, Ref, WrittenBatch
from harness.search.sequences.settings import legal_settings, setting
from harness.search.sequences.subscriptions import subscription
from harness.search.strategies.setting_values import CLIENT_METRICS, GROUP, TOPIC
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.fetch_request import FetchRequest
from reference_broker.wire.primitives import ZERO_UUID, BrokerId

TIMEOUT_MS: Final = 15_000
MOST_PARTITIONS: Final = 4
BY_THE_CLOCK: Final = ("retention.ms", "retention.bytes", "segment.ms")
NAMES: Final[Mapping[int, Any]] = {
    TOPIC: Ref(Kind.NAME, "orders"),
    GROUP: Ref(Kind.NAME, "workers"),
    CLIENT_METRICS: Ref(Kind.NAME, "metrics"),
}


def tamed(random: Random, key: int, message: Any) -> Any:
    """The message with harmful values replaced, as its API requires."""
    own = {name: getattr(message, name) for name in message.__struct_fields__}
    if "timeout_ms" in own:
        own["timeout_ms"] = TIMEOUT_MS
    if key in TAMERS:
        TAMERS[key](random, own)
    return type(message)(**own)


def _setting(random: Random, kind: int) -> tuple[str, str | None]:
    """A random config and value, except configs that delete records or roll segments by time or size."""
    name, value = setting(random, kind)
    return ("retention.ms", "-1") if name in BY_THE_CLOCK else (name, value)


def _once(elements: Any, *names: str) -> tuple[Any, ...]:
    """The elements without duplicates in these fields: the answer to a duplicate depends on the order of a hash map."""
    return tuple({tuple(repr(getattr(one, name)) for name in names): one for one in elements or ()}.values())


def _fetch(random: Random, own: dict[str, Any]) -> None:
    """Fetch as a consumer, without waiting, not in the session of another client, and of one partition of the zero id:
    whether Kafka fails at several depends on what stands beside them, by accident."""
    own.update(replica_id=BrokerId(-1), max_wait_ms=0, session_id=0, session_epoch=random.choice((-1, -1, 5)))
    own["replica_state"] = FetchRequest().replica_state
    topics = _once(_once(own["topics"], "topic", "topic_id"), "topic_id")
    own["topics"] = tuple(
        replace(topic, partitions=_once(topic.partitions, "partition")[: 1 if topic.topic_id == ZERO_UUID else None])
        for topic in topics
    )


def _join_group(random: Random, own: dict[str, Any]) -> None:
    """JoinGroup with valid subscriptions, since Kafka never answers others, and with long timeouts."""
    own["rebalance_timeout_ms"] = 60_000
    own["protocols"] = tuple(
        replace(one, metadata=subscription(("orders",))) for one in _once(own["protocols"], "name")
    )
    if own["session_timeout_ms"] in range(6_000, 60_000):
        own["session_timeout_ms"] = 60_000


def _produce(random: Random, own: dict[str, Any]) -> None:
    """Produce without a transaction, and without null records, because Kafka never answers those."""
    own["transactional_id"] = None
    topics = []
    for topic in _once(own["topic_data"], "name", "topic_id"):
        data = tuple(
            replace(one, records=WrittenBatch()) if one.records is None else one
            for one in _once(topic.partition_data, "index")
        )
        if data:
            topics.append(replace(topic, partition_data=data))
    own["topic_data"] = tuple(topics)


def _init_producer_id(random: Random, own: dict[str, Any]) -> None:
    own["transactional_id"] = None


def _find_coordinator(random: Random, own: dict[str, Any]) -> None:
    """FindCoordinator with the key type of groups or an unknown one: the others create internal topics."""
    if own["key_type"] in (1, 2):
        own["key_type"] = 0


def _offset_commit(random: Random, own: dict[str, Any]) -> None:
    """OffsetCommit not of the group with the empty id, which all sequences share."""
    own["group_id"] = own["group_id"] or "workers"


def _list_offsets(random: Random, own: dict[str, Any]) -> None:
    own["replica_id"] = BrokerId(-1)


def _create_topics(random: Random, own: dict[str, Any]) -> None:
    """CreateTopics with at most four partitions per topic, and with configs chosen by `setting`."""
    topics = []
    for topic in own["topics"]:
        chosen = [setting(random, TOPIC), *legal_settings(random, TOPIC, len(topic.configs))]
        configs = tuple(
            replace(one, name=name, value=value) for one, (name, value) in zip(topic.configs, chosen, strict=False)
        )
        topics.append(replace(topic, configs=configs, num_partitions=min(topic.num_partitions, MOST_PARTITIONS)))
    own["topics"] = tuple(topics)


def _create_partitions(random: Random, own: dict[str, Any]) -> None:
    own["topics"] = tuple(replace(one, count=min(one.count, MOST_PARTITIONS)) for one in own["topics"])


def _alter(random: Random, own: dict[str, Any]) -> None:
    """Config changes of this sequence's resources only, none twice, with the four known operations."""
    resources = []
    for one in own["resources"]:
        kind = random.choice(list(NAMES))
        configs = []
        chosen = [_setting(random, kind), *legal_settings(random, kind, len(one.configs))]
        for at, (config, (name, value)) in enumerate(zip(one.configs, chosen, strict=False)):
            changes: dict[str, Any] = {"name": name, "value": value}
            if "config_operation" in config.__struct_fields__:
                changes["config_operation"] = 0 if at else config.config_operation % 4
            configs.append(replace(config, **changes))
        resources.append(replace(one, resource_type=kind, resource_name=NAMES[kind], configs=tuple(configs)))
    own["resources"] = _once(resources, "resource_type", "resource_name")


def _describe_configs(random: Random, own: dict[str, Any]) -> None:
    """DescribeConfigs of this sequence's resources or of unknown types; not of brokers, whose configs depend on the
    machine."""
    resources = []
    for one in own["resources"]:
        kind = random.choice([*NAMES, *NAMES, 0, 99])
        resources.append(replace(one, resource_type=kind, resource_name=NAMES.get(kind, "x")))
    own["resources"] = _once(resources, "resource_type", "resource_name")


TAMERS: Final[Mapping[int, Callable[[Random, dict[str, Any]], None]]] = {
    ApiKey.FETCH: _fetch,
    ApiKey.JOIN_GROUP: _join_group,
    ApiKey.PRODUCE: _produce,
    ApiKey.INIT_PRODUCER_ID: _init_producer_id,
    ApiKey.FIND_COORDINATOR: _find_coordinator,
    ApiKey.OFFSET_COMMIT: _offset_commit,
    ApiKey.LIST_OFFSETS: _list_offsets,
    ApiKey.CREATE_TOPICS: _create_topics,
    ApiKey.CREATE_PARTITIONS: _create_partitions,
    ApiKey.ALTER_CONFIGS: _alter,
    ApiKey.INCREMENTAL_ALTER_CONFIGS: _alter,
    ApiKey.DESCRIBE_CONFIGS: _describe_configs,
}
"""API key → function that changes the fields of its request."""

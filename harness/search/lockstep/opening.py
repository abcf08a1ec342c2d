"""The fixed sequences at the start of every search: they compare the targets' API versions, features and configs.

They come first because a difference here may explain many that would be found later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from harness.clients.connection import RawConnection
from harness.search.lockstep.actions import Action, Kind, Ref, Request
from harness.search.lockstep.player import PROBE
from harness.search.sequences.writing import Listed
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.primitives import TopicName

NAME: Final = "opening"
"""Used as the writer's name in findings of the opening."""
TOPIC, BROKER = 2, 4
OF_ONE_MACHINE: Final = frozenset(
    {
        "advertised.listeners",
        "broker.id",
        "controller.quorum.voters",
        "listeners",
        "log.dir",
        "log.dirs",
        "metadata.log.dir",
        "node.id",
    }
)
"""Broker configs that depend on the node's machine, and differ between any two nodes."""
SETTINGS_A_REQUEST: Final = 12
"""Broker configs per request; few, so that a difference is quickly narrowed down to one config."""
ANY_TOPIC: Final = TopicName("any")


def openings(bootstraps: Sequence[str], listed: Listed) -> list[tuple[Action, ...]]:
    """The sequences of the opening. OSError if a target cannot be reached.

    Broker configs are requested only if the first nodes of all targets have the same id; their names come from the
    first target.
    """
    found: list[tuple[Action, ...]] = [(action,) for action in _versions(listed)]
    found.append(tuple(_settings_of_a_topic(listed)))
    nodes = [_node(bootstrap) for bootstrap in bootstraps]
    if len(set(nodes)) == 1:
        names = _settings_told(bootstraps[0], nodes[0])
        version = listed[ApiKey.DESCRIBE_CONFIGS][1]
        few = [names[at : at + SETTINGS_A_REQUEST] for at in range(0, len(names), SETTINGS_A_REQUEST)]
        found += [(_asked(BROKER, nodes[0], version, tuple(one)),) for one in few]
    return found


def _versions(listed: Listed) -> Iterator[Request]:
    low, high = listed[ApiKey.API_VERSIONS]
    for version in range(high, low - 1, -1):
        yield Request(message=PROBE, version=version)


def _settings_of_a_topic(listed: Listed) -> Iterator[Request]:
    topic = CreatableTopic(name=ANY_TOPIC, num_partitions=1, replication_factor=1)
    creation = CreateTopicsRequest(topics=(topic,), timeout_ms=15_000)
    yield Request(message=creation, version=listed[ApiKey.CREATE_TOPICS][1])
    low, high = listed[ApiKey.DESCRIBE_CONFIGS]
    for version in range(high, low - 1, -1):
        yield _asked(TOPIC, Ref(Kind.NAME, ANY_TOPIC), version)


def _asked(kind: int, name: str | Ref, version: int, keys: tuple[str, ...] | None = None) -> Request:
    wanted = DescribeConfigsResource(resource_type=kind, resource_name=name, configuration_keys=keys)  # type: ignore[arg-type]
    return Request(message=DescribeConfigsRequest(resources=(wanted,), include_synonyms=True), version=version)


def _node(bootstrap: str) -> str:
    with RawConnection.to(bootstrap) as connection:
        answer = connection.request(ApiKey.METADATA, 9, MetadataRequest(topics=(), allow_auto_topic_creation=False))
    return str(answer.brokers[0].node_id)


def _settings_told(bootstrap: str, node: str) -> list[str]:
    wanted = DescribeConfigsResource(resource_type=BROKER, resource_name=node, configuration_keys=None)
    with RawConnection.to(bootstrap) as connection:
        answer = connection.request(ApiKey.DESCRIBE_CONFIGS, 4, DescribeConfigsRequest(resources=(wanted,)))
    return sorted({one.name for one in answer.results[0].configs} - OF_ONE_MACHINE)

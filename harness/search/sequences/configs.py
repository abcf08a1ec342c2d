"""Requests about configs, for the writer of topics: alter, describe and list. Pure.

Changes of broker configs are validate-only, because they would affect all later sequences.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Final

from harness.search.lockstep.actions import Kind, Ref, Request
from harness.search.sequences.settings import VALUES, legal_settings, setting
from harness.search.sequences.writing import Listed, chosen, version_of
from harness.search.strategies.setting_values import BROKER, CLIENT_METRICS, GROUP, TOPIC
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages import alter_configs_request as legacy
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.messages.list_config_resources_request import ListConfigResourcesRequest

CLIENTS: Final = 3
SET, DELETE, APPEND, SUBTRACT = range(4)
"""Operations of IncrementalAlterConfigs. Unknown ones are not tried, because they make Kafka's controller resign."""
LISTS: Final = ("cleanup.policy", "follower.replication.throttled.replicas", "leader.replication.throttled.replicas")
"""Configs with list values, for APPEND and SUBTRACT."""


class Configs:
    """Generates requests about the configs of some topics, a group, a client metrics subscription and the broker."""

    def __init__(self, random: Random, listed: Listed, topics: Sequence[str]) -> None:
        self.random, self.listed, self.topics = random, listed, topics

    def resource(self) -> tuple[int, Any]:
        """A random (resource type, name), mostly a topic of the sequence."""
        random = self.random
        topic = Ref(Kind.NAME, random.choice(self.topics))
        odd_topic = chosen(random, (3, Ref(Kind.NAME, "nowhere")), (1, ""), (1, "white space"), (1, "."))
        return chosen(  # type: ignore[no-any-return]
            random,
            (30, (TOPIC, topic)),
            (2, (TOPIC, odd_topic)),
            (3, (BROKER, "1")),
            (1, (BROKER, "")),
            (1, (BROKER, random.choice(("2", "x", "-1")))),
            (4, (GROUP, Ref(Kind.NAME, "workers"))),
            (0.5, (GROUP, "")),
            (3, (CLIENT_METRICS, Ref(Kind.NAME, "metrics"))),
            (0.5, (CLIENT_METRICS, "")),
            (0.5, (random.choice((0, 1, 3, 64, -1)), "x")),
        )

    def count(self, kind: int) -> int:
        """How many configs of a resource to change; at most one of a broker."""
        several = () if kind == BROKER else ((4, 2),)
        return int(chosen(self.random, (12, 1), *several, (0.7, 0)))

    def incremental_alter(self) -> Request:
        """An IncrementalAlterConfigs with any of the four operations."""
        random = self.random
        resources, has_broker = [], False
        for kind, name in self.resources():
            configs = []
            count = self.count(kind)
            if count:
                key, value = setting(random, kind)
                operation = chosen(random, (12, SET), (5, DELETE), (1, APPEND), (1, SUBTRACT))
                if operation in (APPEND, SUBTRACT) and random.random() < 0.7:
                    key = random.choice(LISTS)
                    value = random.choice(("compact", "delete", "0:1", "1:1", "compact,delete", ""))
                configs.append(AlterableConfig(name=key, config_operation=operation, value=value))
            configs += [
                AlterableConfig(name=key, value=value) for key, value in legal_settings(random, kind, count - 1)
            ]
            has_broker |= kind not in (TOPIC, GROUP, CLIENT_METRICS)
            resources.append(AlterConfigsResource(resource_type=kind, resource_name=name, configs=tuple(configs)))
        message = IncrementalAlterConfigsRequest(
            resources=tuple(resources), validate_only=has_broker or random.random() < 0.2
        )
        return self.request(ApiKey.INCREMENTAL_ALTER_CONFIGS, message)

    def alter(self) -> Request:
        """An AlterConfigs, which replaces all configs of a resource."""
        random = self.random
        resources, has_broker = [], False
        for kind, name in self.resources():
            count = self.count(kind)
            settings = dict([setting(random, kind)][:count] + legal_settings(random, kind, count - 1))
            configs = tuple(legacy.AlterableConfig(name=key, value=value) for key, value in settings.items())
            has_broker |= kind not in (TOPIC, GROUP, CLIENT_METRICS)
            resources.append(legacy.AlterConfigsResource(resource_type=kind, resource_name=name, configs=configs))
        validate_only = has_broker or random.random() < 0.2
        message = legacy.AlterConfigsRequest(resources=tuple(resources), validate_only=validate_only)
        return self.request(ApiKey.ALTER_CONFIGS, message)

    def resources(self) -> list[tuple[int, Any]]:
        """One or two different resources. Not the same one twice: Kafka never answers such an AlterConfigs, and
        shuffles the results of such a DescribeConfigs."""
        several = [self.resource() for _ in range(chosen(self.random, (12, 1), (3, 2)))]
        return list(dict.fromkeys(several))

    def describe(self) -> Request:
        """A DescribeConfigs of some or all configs, with or without synonyms and documentation."""
        random = self.random
        resources = []
        for kind, name in self.resources():
            keys = tuple(random.sample(list(VALUES.get(kind, VALUES[TOPIC])), random.choice((1, 1, 2, 3))))
            some: Any = chosen(random, (12, keys), (1, ()), (2, None))
            # Only a few configs of a broker: others depend on its machine.
            resources.append(
                DescribeConfigsResource(
                    resource_type=kind,
                    resource_name=name,
                    configuration_keys=("log.retention.ms", "num.io.threads", "compression.type", "x")
                    if kind == BROKER
                    else some,
                )
            )
        message = DescribeConfigsRequest(
            resources=tuple(resources),
            include_synonyms=random.random() < 0.4,
            include_documentation=random.random() < 0.05,
        )
        return self.request(ApiKey.DESCRIBE_CONFIGS, message)

    def list_resources(self) -> Request:
        """A ListConfigResources of some resource types, or all."""
        random = self.random
        types = tuple(random.sample((TOPIC, BROKER, 8, CLIENT_METRICS, GROUP, 0, 1, -1), random.randint(0, 2)))
        return self.request(ApiKey.LIST_CONFIG_RESOURCES, ListConfigResourcesRequest(resource_types=types))

    def all_of(self, kind: int, name: str) -> Request:
        """A DescribeConfigs of all configs of a resource."""
        of: Any = Ref(Kind.NAME, name)
        wanted = DescribeConfigsResource(resource_type=kind, resource_name=of, configuration_keys=None)
        message = DescribeConfigsRequest(resources=(wanted,), include_synonyms=True)
        return Request(message=message, version=self.listed[ApiKey.DESCRIBE_CONFIGS][1])

    def all_resources(self) -> Request:
        """A ListConfigResources of all types."""
        message = ListConfigResourcesRequest(resource_types=())
        return Request(message=message, version=self.listed[ApiKey.LIST_CONFIG_RESOURCES][1])

    def request(self, key: int, message: Any) -> Request:
        version = version_of(self.random, self.listed, key)
        return Request(client=self.random.randrange(CLIENTS), message=message, version=version)

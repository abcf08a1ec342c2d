"""Changes settings of a topic, of one broker or of all brokers (the cluster's default), and back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final

from harness.clients.client import ClientTrouble
from harness.clients.leader_connections import TROUBLE, asking, first_answer
from harness.hosts import cluster_time as time
from harness.judging.outcome import BrokenPromise
from harness.targets.target import Cluster
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)

_TOPIC, _BROKER = 2, 4
_SET, _UNSET = 0, 1
_ALTER, _DESCRIBE = 1, 4
_WITHIN_S: Final = 10.0


class Level(Enum):
    """Where a setting is set (KIP-226)."""

    TOPIC = "topic"
    BROKER = "one broker"
    CLUSTER = "cluster's default"


@contextlib.contextmanager
def altered(cluster: Cluster, level: Level, topic: str, settings: Mapping[str, str]) -> Iterator[None]:
    """Has settings in force at a level, and takes them back at the end: both wait until the brokers say so.

    `topic` is where they count: it is what is altered at its own level, and its leader at that of one broker.
    """
    kind, name = _resource(cluster, level, topic)
    before = described(cluster, kind, name, *settings)
    _alter(cluster, kind, name, settings)
    try:
        _await(cluster, kind, name, settings)
        yield
    finally:
        _alter(cluster, kind, name, dict.fromkeys(settings))
        _await(cluster, kind, name, before)


def described(cluster: Cluster, kind: int, name: str, *keys: str) -> dict[str, str | None]:
    """The settings of a resource; None for those that are not told: the cluster's default tells only what is set."""
    resource = DescribeConfigsResource(resource_type=kind, resource_name=name, configuration_keys=keys)
    (result,) = _asked(
        cluster, ApiKey.DESCRIBE_CONFIGS, _DESCRIBE, DescribeConfigsRequest(resources=(resource,))
    ).results
    told = {str(one.name): one.value for one in result.configs}
    return {key: told.get(key) for key in keys}


def _resource(cluster: Cluster, level: Level, topic: str) -> tuple[int, str]:
    if level is Level.TOPIC:
        return _TOPIC, topic
    if level is Level.CLUSTER:
        return _BROKER, ""
    leader = cluster.view(topics=(topic,)).leader_of(topic, 0)
    if leader is None:
        raise ClientTrouble(f"{topic} has no leader, whose settings are to be altered")
    return _BROKER, str(leader)


def _alter(cluster: Cluster, kind: int, name: str, settings: Mapping[str, str | None]) -> None:
    changes = tuple(
        AlterableConfig(name=key, config_operation=_UNSET if value is None else _SET, value=value)
        for key, value in settings.items()
    )
    resource = AlterConfigsResource(resource_type=kind, resource_name=name, configs=changes)
    request = IncrementalAlterConfigsRequest(resources=(resource,))
    (result,) = _asked(cluster, ApiKey.INCREMENTAL_ALTER_CONFIGS, _ALTER, request).responses
    if result.error_code:
        code = ErrorCode(result.error_code).name
        raise BrokenPromise(f"Setting {dict(settings)} was refused: {code}: {result.error_message}")


def _await(cluster: Cluster, kind: int, name: str, wanted: Mapping[str, str | None]) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while (found := described(cluster, kind, name, *wanted)) != wanted:
        if time.monotonic() > deadline:
            raise BrokenPromise(
                f"{_WITHIN_S:.0f} s after a change was acknowledged, {found} is told, and not {dict(wanted)}.",
                claim="M7",
            )
        time.sleep(0.05)


def _asked(cluster: Cluster, api_key: ApiKey, version: int, request: Any) -> Any:
    try:
        return first_answer(cluster.bootstrap, asking(api_key, version, request))
    except TROUBLE as trouble:
        raise ClientTrouble(f"{type(request).__name__}: {trouble}") from trouble

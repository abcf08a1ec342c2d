"""Shared by all writers of sequences: random versions, weighted choices, topic creation, fitting to a version. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from types import MappingProxyType
from typing import Any, Final

from harness.search.lockstep.actions import Action, Kind, Ref, Request
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.create_topics_request import (
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.schema import is_in

Listed = Mapping[int, tuple[int, int]]
"""API key → (lowest, highest) version that all targets of a run list."""
Write = Callable[[Random, Listed], Sequence[Action]]
"""A writer: generates a sequence, determined by the Random's state and the versions."""

BORDERS: Final = (0, 1, -1, -2, 2, 3, 2**31 - 1, -(2**31), 127, 128, 32_767)
"""Borderline numbers."""

NOT_NULL: Final[Mapping[str, Any]] = {"string": "", "bytes": b"", "records": b""}
"""Kind of a field → value used instead of null in versions in which the field is not nullable."""


def version_of(random: Random, listed: Listed, key: int) -> int:
    """A random version of an API; the newest is the most likely."""
    low, high = listed[key]
    return high if random.random() < 0.4 else random.randint(low, high)


def chosen(random: Random, *weighted: tuple[float, Any]) -> Any:
    """A random choice from (weight, value) pairs."""
    return random.choices([value for _, value in weighted], [weight for weight, _ in weighted])[0]


def created(topics: Sequence[str], listed: Listed, settings: Mapping[str, str] = MappingProxyType({})) -> Request:
    """A CreateTopics of topics with two partitions each, which sets the Refs of their ids."""
    configs = tuple(CreatableTopicConfig(name=name, value=value) for name, value in settings.items())
    wanted = (
        CreatableTopic(name=TopicName(name), num_partitions=2, replication_factor=1, configs=configs) for name in topics
    )
    message = CreateTopicsRequest(topics=tuple(wanted), timeout_ms=15_000)
    learns = tuple((f"topics.={name}.topic_id", Ref(Kind.TOPIC_ID, name)) for name in topics)
    return Request(message=message, version=listed[ApiKey.CREATE_TOPICS][1], learns=learns)


def fitted(action: Action) -> Action:
    """The action with fields that its version lacks set to their defaults, because the version cannot encode them."""
    return replace(action, message=_fitted(action.message, action.version)) if isinstance(action, Request) else action


def _fitted(value: Any, version: int) -> Any:
    if isinstance(value, tuple):
        return tuple(_fitted(one, version) for one in value)
    if not hasattr(value, "FIELDS"):
        return value
    own = {name: getattr(value, name) for name in value.__struct_fields__}
    for field in value.FIELDS:
        if not is_in(version, field.versions):
            own[field.name] = field.default
        elif own[field.name] is None and not is_in(version, field.nullable):
            own[field.name] = NOT_NULL.get(field.kind, field.default)
        elif field.kind == "struct":
            own[field.name] = _fitted(own[field.name], version)
    if not is_in(version, value.FLEXIBLE):
        own["unknown_tagged_fields"] = ()
    return type(value)(**own)

"""What all writers of sequences share: which versions may be asked, and weighted choices. Pure."""

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
"""API key → the versions that all targets of a run list, both inclusive."""
Write = Callable[[Random, Listed], Sequence[Action]]
"""A writer: the same Random state and versions give the same sequence."""

BORDERS: Final = (0, 1, -1, -2, 2, 3, 2**31 - 1, -(2**31), 127, 128, 32_767)
"""Numbers at which code goes wrong."""

NOT_NULL: Final[Mapping[str, Any]] = {"string": "", "bytes": b"", "records": b""}
"""What stands for null where a version has no null."""


def version_of(random: Random, listed: Listed, key: int) -> int:
    """A version of an API: the newest more often than any older one."""
    low, high = listed[key]
    return high if random.random() < 0.4 else random.randint(low, high)


def chosen(random: Random, *weighted: tuple[float, Any]) -> Any:
    """One of some values, each given with its weight."""
    return random.choices([value for _, value in weighted], [weight for weight, _ in weighted])[0]


def created(topics: Sequence[str], listed: Listed, settings: Mapping[str, str] = MappingProxyType({})) -> Request:
    """The creation of topics of two partitions each, in one request, whose ids are learned."""
    configs = tuple(CreatableTopicConfig(name=name, value=value) for name, value in settings.items())
    wanted = (
        CreatableTopic(name=TopicName(name), num_partitions=2, replication_factor=1, configs=configs) for name in topics
    )
    message = CreateTopicsRequest(topics=tuple(wanted), timeout_ms=15_000)
    learns = tuple((f"topics.={name}.topic_id", Ref(Kind.TOPIC_ID, name)) for name in topics)
    return Request(message=message, version=listed[ApiKey.CREATE_TOPICS][1], learns=learns)


def fitted(action: Action) -> Action:
    """The action with what its version does not have at the defaults, since it cannot be written."""
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

"""Requests of any API and version, generated from the schema: valid, borderline and invalid values, nulls, unknown
tags.

The requests concern two topics and a group. At the end, the topics and the group's offsets are read. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any, Final

from harness.search.lockstep.actions import Action, Kind, Ref, Request, WrittenBatch
from harness.search.sequences.exclusions import tamed
from harness.search.sequences.served import LEFT_OUT, served
from harness.search.sequences.subscriptions import subscription
from harness.search.sequences.writing import BORDERS, Listed, chosen, created, fitted, version_of
from reference_broker.wire.api_keys import APIS, ApiKey
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.messages.offset_fetch_request import OffsetFetchRequest, OffsetFetchRequestGroup
from reference_broker.wire.primitives import ZERO_UUID, BrokerId, GroupId, TopicName
from reference_broker.wire.schema import Field, is_in

TOPICS: Final = ("orders", "events")
GROUP: Final = "workers"
CLIENTS: Final = 3
RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "int8": (-(2**7), 2**7 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "uint16": (0, 2**16 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
}
WAITS: Final = (ApiKey.JOIN_GROUP, ApiKey.SYNC_GROUP)
ODD_TEXTS: Final = ("", "x", "é", "a b", "x" * 250, "0", "-1")
NO_TIME: Final = -1
"""Timestamp of records: none, so that retention never deletes them."""
MORE: Final = 0.25
"""Probability of one more element in an array."""


def write(random: Random, listed: Listed) -> list[Action]:
    """Creates two topics; 10 to 30 requests of APIs that the reference supports; requests that read the result."""
    return list(_actions(random, {key: versions for key, versions in listed.items() if key in served()}))


def write_of_all(random: Random, listed: Listed) -> list[Action]:
    """As `write`, with all APIs that both targets list, for two Apache Kafka clusters."""
    return list(_actions(random, listed))


def _actions(random: Random, listed: Listed) -> Iterator[Action]:
    keys = [key for key in listed if key not in LEFT_OUT]
    yield created(TOPICS, listed, {"retention.ms": "-1"})
    for _ in range(random.randint(10, 30)):
        key = random.choice(keys)
        if key == ApiKey.API_VERSIONS:
            keys.remove(key)  # only once: the answer has an offset of the metadata log, which grows at its own pace
        version = version_of(random, listed, key)
        yield request_of(random, key, version, client=random.randrange(CLIENTS))
    yield from _closing(listed)


def request_of(random: Random, key: int, version: int, client: int = 0) -> Request:
    """A random request that its version can encode, and that does not put the node out of service."""
    message = tamed(random, key, message_of(random, APIS[key].request, version))
    may_wait = key in WAITS
    request = fitted(Request(client=client, message=message, version=version, may_wait=may_wait))
    assert isinstance(request, Request)
    return request


def message_of(random: Random, cls: Any, version: int) -> Any:
    """A random message of a class, from its schema alone."""
    own = {
        field.name: value_of(random, field, version)
        for field in cls.FIELDS
        if is_in(version, field.versions) and random.random() < 0.85
    }
    if is_in(version, cls.FLEXIBLE) and random.random() < 0.02:
        own["unknown_tagged_fields"] = ((random.choice((100, 9_999)), b"\x00\x01"),)
    return cls(**own)


def value_of(random: Random, field: Field, version: int) -> Any:
    """A random value for a field, mostly a meaningful one."""
    if is_in(version, field.nullable) and random.random() < 0.1:
        return None
    if field.is_array:
        if random.random() < 0.05:
            return ()
        count = 1
        while random.random() < MORE and count < 4:
            count += 1
        return tuple(_scalar(random, field, version) for _ in range(count))
    return _scalar(random, field, version)


def _scalar(random: Random, field: Field, version: int) -> Any:
    if field.kind == "struct":
        return message_of(random, field.of, version)
    by_name = NAMED.get(field.name)
    if by_name is not None and random.random() < 0.9:
        return by_name(random)
    if field.kind in RANGES:
        return _number(random, field)
    return BY_KIND[field.kind](random, field)


def _number(random: Random, field: Field) -> int:
    if field.entity == "brokerId":
        return BrokerId(chosen(random, (10, 1), (2, -1), (1, 2)))
    low, high = RANGES[field.kind]
    usual = field.default if isinstance(field.default, int) and not field.is_array else 0
    fitting = [number for number in (*BORDERS, low, high) if low <= number <= high]
    return int(chosen(random, (10, usual), (5, 0), (5, 1), (4, random.choice(fitting))))


def _text(random: Random, field: Field) -> Any:
    odd = random.choice(ODD_TEXTS)
    if field.entity == "topicName":
        return TopicName(chosen(random, (20, random.choice(TOPICS)), (2, "nowhere"), (1, odd)))
    if field.entity == "groupId":
        return GroupId(chosen(random, (20, GROUP), (2, "nobody's"), (1, odd)))
    return chosen(random, (4, field.default or ""), (2, "a"), (1, odd))


def _uuid(random: Random, field: Field) -> Any:
    del field
    topic = Ref(Kind.TOPIC_ID, random.choice(TOPICS))
    return chosen(random, (12, topic), (2, ZERO_UUID), (1, Ref(Kind.TOPIC_ID, "nowhere")))


BY_KIND: Final[Mapping[str, Callable[[Random, Field], Any]]] = {
    "string": _text,
    "uuid": _uuid,
    "bool": lambda random, field: random.random() < 0.5,
    "bytes": lambda random, field: random.choice((b"", b"\0", b"bytes", subscription(TOPICS))),
    "records": lambda random, field: WrittenBatch(values=("a",) * random.randint(1, 3), timestamp=NO_TIME),
    "float64": lambda random, field: random.choice((0.0, 1.0, -1.5)),
}
"""Kind of a field → generator, for kinds that are not integers."""

NAMED: Final[Mapping[str, Callable[[Random], Any]]] = {
    "member_id": lambda random: chosen(random, (4, ""), (1, "stranger")),
    "group_instance_id": lambda random: chosen(random, (4, None), (2, "i0"), (1, "")),
    "protocol_type": lambda random: chosen(random, (10, "consumer"), (1, "")),
    "protocol_name": lambda random: chosen(random, (10, "range"), (1, "")),
    "session_timeout_ms": lambda random: chosen(random, (10, 60_000), (1, 0), (1, -1), (1, 2**31 - 1)),
    "partition_index": lambda random: chosen(random, (10, 0), (5, 1), (1, 2), (1, -1)),
    "partition": lambda random: chosen(random, (10, 0), (5, 1), (1, 2), (1, -1)),
    "index": lambda random: chosen(random, (10, 0), (5, 1), (1, 2), (1, -1)),
    "partitions": lambda random: chosen(random, (10, 0), (5, 1), (1, 2), (1, -1)),
    "partition_indexes": lambda random: chosen(random, (10, 0), (5, 1), (1, 2), (1, -1)),
    "timestamp": lambda random: chosen(random, (3, -1), (3, -2), (2, -3), (2, 1_700_000_000_000), (1, 0)),
    "client_software_name": lambda random: chosen(random, (10, "any"), (1, "-"), (1, "")),
    "client_software_version": lambda random: chosen(random, (10, "1.0"), (1, "1_0"), (1, "")),
}
"""Field name → generator, for fields in which a random value is rarely meaningful."""


def _closing(listed: Listed) -> Iterator[Request]:
    asked = MetadataRequest(
        topics=tuple(MetadataRequestTopic(name=TopicName(name)) for name in TOPICS), allow_auto_topic_creation=False
    )
    yield Request(client=CLIENTS, message=asked, version=listed[ApiKey.METADATA][1])
    name: Any = Ref(Kind.NAME, TOPICS[0])
    wanted = DescribeConfigsResource(resource_type=2, resource_name=name, configuration_keys=None)
    settings = DescribeConfigsRequest(resources=(wanted,))
    yield Request(client=CLIENTS, message=settings, version=listed[ApiKey.DESCRIBE_CONFIGS][1])
    offsets = OffsetFetchRequest(groups=(OffsetFetchRequestGroup(group_id=GroupId(GROUP), topics=None),))
    yield Request(client=CLIENTS, message=offsets, version=9)

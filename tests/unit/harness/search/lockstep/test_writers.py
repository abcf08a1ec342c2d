"""What every writer of sequences keeps to."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from harness.search.lockstep.actions import Action, Kind, Ref, Request, WrittenBatch
from harness.search.lockstep.bytes import bytes_of
from harness.search.lockstep.player import UNLEARNED
from harness.search.lockstep.search import WRITERS, sequence
from harness.search.sequences import clusters
from harness.search.sequences.any_request import request_of
from harness.search.sequences.served import LEFT_OUT, served
from reference_broker.apis.registry import handler_modules
from reference_broker.wire.api_keys import APIS, ApiKey
from reference_broker.wire.framing import decode_request, encode_request
from reference_broker.wire.messages.alter_partition_reassignments_request import AlterPartitionReassignmentsRequest
from reference_broker.wire.messages.create_partitions_request import CreatePartitionsRequest
from reference_broker.wire.messages.create_topics_request import CreateTopicsRequest

LISTED = {key: api.valid for key, api in APIS.items()}
SEQUENCES = 30


def plain(value: Any) -> Any:
    """A message with its Refs and batches filled in, as a player would."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    if isinstance(value, Ref):
        return value.label if value.kind is Kind.NAME else UNLEARNED[value.kind]
    if isinstance(value, WrittenBatch):
        return bytes_of(value, 5)
    if hasattr(value, "FIELDS"):
        return type(value)(**{name: plain(getattr(value, name)) for name in value.__struct_fields__})
    return value


def requests(writer: str) -> list[Request]:
    return [
        action
        for number in range(SEQUENCES)
        for action in sequence(writer, 3, number, LISTED)
        if isinstance(action, Request)
    ]


@pytest.mark.parametrize("writer", list(WRITERS))
def test_all_requests_can_be_written_and_read(writer: str) -> None:
    for request in requests(writer):
        frame = encode_request(request.message.API_KEY, request.version, 1, "c", plain(request.message))
        data = b"".join(map(bytes, frame))  # type: ignore[arg-type]

        assert decode_request(data[4:]).api_version == request.version


@pytest.mark.parametrize("key", [key for key in APIS if key not in LEFT_OUT], ids=lambda key: APIS[key].name)
def test_any_request_of_an_api_can_be_written_in_every_version(key: int) -> None:
    random = Random(key)
    low, high = APIS[key].valid
    for version in range(low, high + 1):
        for _ in range(10):
            message = plain(request_of(random, key, version).message)

            assert encode_request(key, version, 1, "c", message)


def test_the_writer_of_any_request_knows_what_the_reference_serves() -> None:
    there = {int(module.API) for module in handler_modules()}

    assert served() == there - set(LEFT_OUT)


def test_an_unknown_operation_on_settings_is_never_tried() -> None:
    """It makes Kafka's controller resign."""
    tried = {
        config.config_operation
        for writer in ("topics", "any_request")
        for request in requests(writer)
        if request.message.API_KEY == ApiKey.INCREMENTAL_ALTER_CONFIGS
        for resource in request.message.resources
        for config in resource.configs
    }

    assert tried <= {0, 1, 2, 3}


@pytest.mark.parametrize("writer", ["topics", "any_request"])
def test_no_settings_of_a_resource_are_altered_twice_in_a_request(writer: str) -> None:
    """Kafka never answers an AlterConfigs that names one twice."""
    for request in requests(writer):
        if request.message.API_KEY == ApiKey.ALTER_CONFIGS:
            named = [(one.resource_type, one.resource_name) for one in request.message.resources]

            assert len(named) == len(set(named))


@pytest.mark.parametrize("writer", list(WRITERS))
def test_settings_of_a_node_are_only_tried(writer: str) -> None:
    for request in requests(writer):
        if request.message.API_KEY in (ApiKey.ALTER_CONFIGS, ApiKey.INCREMENTAL_ALTER_CONFIGS):
            kinds = {one.resource_type for one in request.message.resources}

            assert request.message.validate_only or kinds <= {2, 16, 32}


@pytest.mark.parametrize("writer", list(WRITERS))
def test_no_topic_gets_many_partitions(writer: str) -> None:
    for request in requests(writer):
        if request.message.API_KEY == ApiKey.CREATE_TOPICS:
            assert all(topic.num_partitions <= 4 for topic in request.message.topics)


def grown_after_a_move(actions: Sequence[Action]) -> list[bool]:
    """Whether a partition was moved before, for each CreatePartitions of a topic of several partitions."""
    found, is_moved, partitions = [], False, 0
    for action in actions:
        if not isinstance(action, Request):
            continue
        match action.message:
            case CreateTopicsRequest(topics=(topic,)):
                partitions = len(topic.assignments)
            case AlterPartitionReassignmentsRequest():
                is_moved = True
            case CreatePartitionsRequest(topics=(topic,)):
                found += [is_moved] if partitions > 1 else []
                partitions = topic.count
    return found


def test_topics_of_a_cluster_grow_while_all_partitions_have_as_many_replicas() -> None:
    sequences = [clusters.write(Random(number), LISTED) for number in range(100)]

    assert {one for actions in sequences for one in grown_after_a_move(actions)} == {False}

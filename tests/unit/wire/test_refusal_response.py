"""The response that refuses a request says so wherever its schema has an error code, with the request's own names."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from reference_broker.wire.api_keys import APIS, ApiKey
from reference_broker.wire.codec import encode_bytes
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.add_partitions_to_txn_request import (
    AddPartitionsToTxnRequest,
    AddPartitionsToTxnTopic,
)
from reference_broker.wire.messages.create_acls_request import AclCreation, CreateAclsRequest
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.delete_groups_request import DeleteGroupsRequest
from reference_broker.wire.messages.elect_leaders_request import ElectLeadersRequest, TopicPartitions
from reference_broker.wire.messages.join_group_request import JoinGroupRequest
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.refusal_response import has_place_for_error, refusal_response
from tests.unit.apis.random_messages import random_message

CODE = ErrorCode.NOT_CONTROLLER
WITHOUT_PLACE = {
    (ApiKey.DESCRIBE_LOG_DIRS, 1),  # its rows are of log folders, which the request does not name
    (ApiKey.DESCRIBE_LOG_DIRS, 2),
    (ApiKey.ALTER_REPLICA_LOG_DIRS, 1),  # its rows are of topics, which the request names by folder
    (ApiKey.ALTER_REPLICA_LOG_DIRS, 2),
}
VERSIONS = [(key, version) for key, api in APIS.items() for version in range(api.valid[0], api.valid[1] + 1)]


def codes(message: Any) -> Iterator[int]:
    """The error codes of a refusal, at its top or in its rows."""
    for field in message.FIELDS:
        value = getattr(message, field.name)
        if field.name in ("error_code", "partition_error_code"):
            yield value
        elif field.of is not None and field.is_array:
            for row in value or ():
                yield from codes(row)


@pytest.mark.parametrize(("key", "version"), VERSIONS, ids=[f"{ApiKey(k).name}-v{v}" for k, v in VERSIONS])
def test_any_refusal_can_be_encoded_and_holds_no_other_code(key: int, version: int) -> None:
    request = random_message(Random(version), APIS[key].request, version)

    response = refusal_response(request, version, CODE, "why")

    assert (encode_bytes(response, version) != b"", set(codes(response)) <= {CODE, ErrorCode.NONE}) == (True, True)


def test_all_versions_of_all_apis_but_these_have_a_place_for_the_error() -> None:
    assert {(key, version) for key, version in VERSIONS if not has_place_for_error(key, version)} == WITHOUT_PLACE


def test_an_error_code_at_the_top_carries_the_refusal_and_nothing_is_copied() -> None:
    request = JoinGroupRequest(group_id="g", member_id="m", protocol_type="consumer")

    response = refusal_response(request, 9, CODE)

    assert (response.error_code, response.member_id, response.protocol_type) == (CODE, "", None)


def test_a_response_of_topics_and_partitions_repeats_the_error_for_each() -> None:
    topics = (ListOffsetsTopic(name="t", partitions=tuple(ListOffsetsPartition(partition_index=n) for n in (3, 4))),)

    (topic,) = refusal_response(ListOffsetsRequest(topics=topics), 5, CODE).topics

    assert (topic.name, [(one.partition_index, one.error_code) for one in topic.partitions]) == (
        "t",
        [(3, CODE), (4, CODE)],
    )


def test_what_is_asked_for_is_not_copied_but_only_what_it_is_asked_of() -> None:
    request = CreateTopicsRequest(topics=(CreatableTopic(name="t", num_partitions=5, replication_factor=3),))

    (topic,) = refusal_response(request, 7, CODE, "why").topics

    assert (topic.name, topic.num_partitions, topic.error_message) == ("t", -1, "why")


def test_names_without_a_struct_are_copied_to_the_rows() -> None:
    response = refusal_response(DeleteGroupsRequest(groups_names=("a", "b")), 2, CODE)

    assert [(one.group_id, one.error_code) for one in response.results] == [("a", CODE), ("b", CODE)]


def test_a_version_with_another_array_has_its_errors_there() -> None:
    request = AddPartitionsToTxnRequest(
        v3_and_below_topics=(AddPartitionsToTxnTopic(name="t", partitions=(7,)),),
    )

    (topic,) = refusal_response(request, 3, CODE).results_by_topic_v3_and_below

    assert [(one.partition_index, one.partition_error_code) for one in topic.results_by_partition] == [(7, CODE)]


def test_rows_without_a_name_stand_for_the_entries_of_the_request() -> None:
    response = refusal_response(CreateAclsRequest(creations=(AclCreation(), AclCreation())), 3, CODE)

    assert [one.error_code for one in response.results] == [CODE, CODE]


def test_rows_can_have_the_error_beside_the_one_at_the_top() -> None:
    request = ElectLeadersRequest(topic_partitions=(TopicPartitions(topic="t", partitions=(0,)),))

    response = refusal_response(request, 2, CODE, with_rows=True)

    assert response.error_code == response.replica_election_results[0].partition_result[0].error_code == CODE


def test_a_value_beside_the_error_is_given_where_the_version_has_it() -> None:
    response = refusal_response(DeleteGroupsRequest(groups_names=("a",)), 3, CODE, "why", {"error_message": None})

    assert response.results[0].error_message is None

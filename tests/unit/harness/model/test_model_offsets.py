"""The model of committed offsets: what a commit that is refused leaves open."""

from __future__ import annotations

from typing import Any

import pytest

from harness.model.offsets import LONGEST_METADATA
from harness.model.specification import Specification
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.create_topics_response import CreatableTopicResult, CreateTopicsResponse
from reference_broker.wire.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from reference_broker.wire.messages.offset_commit_response import (
    OffsetCommitResponse,
    OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
)
from reference_broker.wire.primitives import GroupId, TopicName, Uuid

GROUP, TOPIC = GroupId("readers"), TopicName("orders")
NOW = 0


def given_a_topic() -> Specification:
    model = Specification()
    asked: Any = CreateTopicsRequest(topics=(CreatableTopic(name=TOPIC, num_partitions=1, replication_factor=1),))
    made = CreatableTopicResult(name=TOPIC, topic_id=Uuid(bytes(15) + b"\1"), num_partitions=1, replication_factor=1)
    assert model.judge(0, asked, 7, CreateTopicsResponse(topics=(made,)), NOW) == []
    return model


def commit(model: Specification, code: ErrorCode, metadata: str = "", generation: int = -1) -> list[str]:
    """What the model has against this answer to a commit."""
    part = OffsetCommitRequestPartition(partition_index=0, committed_offset=1, committed_metadata=metadata)
    asked: Any = OffsetCommitRequest(
        group_id=GROUP,
        generation_id_or_member_epoch=generation,
        topics=(OffsetCommitRequestTopic(name=TOPIC, partitions=(part,)),),
    )
    told = OffsetCommitResponsePartition(partition_index=0, error_code=int(code))
    return model.judge(
        0, asked, 9, OffsetCommitResponse(topics=(OffsetCommitResponseTopic(name=TOPIC, partitions=(told,)),)), NOW
    )


def test_a_group_that_nobody_made_is_not_found() -> None:
    model = given_a_topic()

    assert commit(model, ErrorCode.GROUP_ID_NOT_FOUND, generation=0) == []
    assert commit(model, ErrorCode.UNKNOWN_MEMBER_ID, generation=0) == [
        "OffsetCommit of 'orders'-0 in group 'readers': expected GROUP_ID_NOT_FOUND (69), got UNKNOWN_MEMBER_ID (25)"
    ]


@pytest.mark.parametrize("code", [ErrorCode.GROUP_ID_NOT_FOUND, ErrorCode.UNKNOWN_MEMBER_ID])
def test_whether_a_refused_commit_makes_its_group_is_open(code: ErrorCode) -> None:
    model = given_a_topic()
    assert commit(model, ErrorCode.OFFSET_METADATA_TOO_LARGE, "x" * (LONGEST_METADATA + 1)) == []

    assert commit(model, code, generation=0) == []


def test_a_refused_commit_leaves_a_group_that_is_there_as_it_was() -> None:
    model = given_a_topic()
    assert commit(model, ErrorCode.NONE) == []
    assert commit(model, ErrorCode.OFFSET_METADATA_TOO_LARGE, "x" * (LONGEST_METADATA + 1)) == []

    assert commit(model, ErrorCode.GROUP_ID_NOT_FOUND, generation=0) == [
        "OffsetCommit of 'orders'-0 in group 'readers': expected UNKNOWN_MEMBER_ID (25), got GROUP_ID_NOT_FOUND (69)"
    ]

"""FindCoordinator: who coordinates what, and how the internal topic comes to be."""

from __future__ import annotations

import pytest
from broker_with_groups import BrokerWithGroups

from reference_broker.groups.coordinator import TOPIC
from reference_broker.wire.errors import ErrorCode


@pytest.fixture
def broker() -> BrokerWithGroups:
    return BrokerWithGroups()


def test_the_first_question_makes_the_topic_and_has_to_be_asked_again(broker: BrokerWithGroups) -> None:
    assert broker.find().error_code == ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert TOPIC in broker.controller.image.topics


def test_the_leader_of_the_groups_partition_is_told(broker: BrokerWithGroups) -> None:
    broker.find()
    found = broker.find()

    assert (found.error_code, found.node_id, found.host, found.port) == (ErrorCode.NONE, 1, "127.0.0.1", 9092)


def test_before_version_four_the_answer_is_for_one_key_and_says_none(broker: BrokerWithGroups) -> None:
    broker.find()
    found = broker.find(version=3)

    assert (found.error_code, found.error_message, found.node_id) == (ErrorCode.NONE, "NONE", 1)


def test_a_topic_that_cannot_be_made_leaves_no_coordinator() -> None:
    broker = BrokerWithGroups(settings={"offsets.topic.replication.factor": "3"})
    broker.find()

    assert broker.find().error_code == ErrorCode.COORDINATOR_NOT_AVAILABLE


def test_a_type_that_does_not_exist_is_refused(broker: BrokerWithGroups) -> None:
    assert broker.find(key_type=3).error_code == ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize(("version", "key"), [(5, "g:AAAAAAAAAAAAAAAAAAAAAQ:0"), (6, "g"), (6, "g:x:0"), (6, ":::")])
def test_a_share_coordinator_is_refused_for_what_is_no_share_partition(
    broker: BrokerWithGroups, version: int, key: str
) -> None:
    assert broker.find(key, version, key_type=2).error_code == ErrorCode.INVALID_REQUEST


def test_there_is_no_transaction_coordinator(broker: BrokerWithGroups) -> None:
    for _ in range(2):
        assert broker.find(key_type=1).error_code == ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert "__transaction_state" not in broker.controller.image.topics


def test_there_is_no_share_coordinator(broker: BrokerWithGroups) -> None:
    assert broker.find("g:AAAAAAAAAAAAAAAAAAAAAQ:0", key_type=2).error_code == ErrorCode.COORDINATOR_NOT_AVAILABLE

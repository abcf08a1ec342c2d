"""OffsetCommit as a client meets it: names, ids, partitions that are not there."""

from __future__ import annotations

import pytest
from broker_in_memory import codes
from broker_with_groups import BrokerWithGroups

from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import TopicName, Uuid


@pytest.fixture
def broker() -> BrokerWithGroups:
    broker = BrokerWithGroups()
    broker.create_offsets_topic()
    broker.create("orders")
    return broker


@pytest.mark.parametrize("version", range(2, 10))
def test_a_commit_by_name_is_kept(broker: BrokerWithGroups, version: int) -> None:
    assert codes(broker.commit(7, version=version)) == [ErrorCode.NONE]
    assert broker.committed() == 7


def test_a_commit_by_topic_id_is_kept(broker: BrokerWithGroups) -> None:
    topic_id = broker.controller.image.topics.by_name["orders"].id
    response = broker.commit(7, version=10, topic_id=topic_id)

    assert (codes(response), response.topics[0].topic_id) == ([ErrorCode.NONE], topic_id)
    assert broker.committed() == 7


def test_an_unknown_topic_id_is_refused(broker: BrokerWithGroups) -> None:
    assert codes(broker.commit(7, version=10, topic_id=Uuid(b"x" * 16))) == [ErrorCode.UNKNOWN_TOPIC_ID]


def test_an_unknown_topic_is_refused(broker: BrokerWithGroups) -> None:
    assert codes(broker.commit(7, name=TopicName("never"))) == [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]


def test_an_unknown_partition_is_refused_and_the_others_are_kept(broker: BrokerWithGroups) -> None:
    response = broker.commit(7, indexes=(5, 0))

    assert {one.partition_index: one.error_code for one in response.topics[0].partitions} == {
        5: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        0: ErrorCode.NONE,
    }
    assert broker.committed() == 7


def test_what_the_coordinator_refuses_stands_beside_unknown_partitions(broker: BrokerWithGroups) -> None:
    broker.member()
    response = broker.commit(7, indexes=(5, 0))

    assert {one.partition_index: one.error_code for one in response.topics[0].partitions} == {
        5: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        0: ErrorCode.UNKNOWN_MEMBER_ID,
    }


@pytest.mark.parametrize("is_clean", [True, False])
def test_a_committed_offset_survives_a_restart(broker: BrokerWithGroups, is_clean: bool) -> None:
    broker.commit(7)

    assert broker.restarted(is_clean=is_clean).committed() == 7


def test_an_offset_does_not_survive_its_topic(broker: BrokerWithGroups) -> None:
    broker.commit(7)
    broker.delete("orders")
    broker.create("orders")

    assert broker.committed() == -1


def test_without_the_internal_topic_nobody_coordinates() -> None:
    broker = BrokerWithGroups()
    broker.create("orders")

    assert codes(broker.commit(7)) == [ErrorCode.NOT_COORDINATOR]

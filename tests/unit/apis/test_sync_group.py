"""SyncGroup as a client meets it."""

from __future__ import annotations

import pytest
from broker_with_groups import BrokerWithGroups

from reference_broker.wire.errors import ErrorCode


@pytest.fixture
def broker() -> BrokerWithGroups:
    broker = BrokerWithGroups()
    broker.create_offsets_topic()
    return broker


@pytest.mark.parametrize("version", range(6))
def test_the_assignment_is_told(broker: BrokerWithGroups, version: int) -> None:
    member_id = broker.member()

    assert broker.sync(member_id, version=version).assignment == b"all"


def test_from_version_five_on_the_protocol_must_be_named(broker: BrokerWithGroups) -> None:
    member_id = broker.member()

    assert broker.sync(member_id, protocol_type=None).error_code == ErrorCode.INCONSISTENT_GROUP_PROTOCOL


def test_another_generation_is_refused(broker: BrokerWithGroups) -> None:
    member_id = broker.member()

    assert broker.sync(member_id, generation=5).error_code == ErrorCode.ILLEGAL_GENERATION


def test_an_unknown_group_knows_no_member(broker: BrokerWithGroups) -> None:
    assert broker.sync("m").error_code == ErrorCode.UNKNOWN_MEMBER_ID


def test_without_the_internal_topic_nobody_coordinates() -> None:
    assert BrokerWithGroups().sync("m").error_code == ErrorCode.NOT_COORDINATOR

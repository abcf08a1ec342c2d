"""LeaveGroup as a client meets it."""

from __future__ import annotations

from typing import Any

import pytest
from broker_with_groups import GROUP, BrokerWithGroups

from reference_broker.apis import leave_group
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from reference_broker.wire.primitives import GroupId


@pytest.fixture
def broker() -> BrokerWithGroups:
    broker = BrokerWithGroups()
    broker.create_offsets_topic()
    return broker


def leave(broker: BrokerWithGroups, member_id: str, version: int, group: str = GROUP) -> Any:
    who: dict[str, Any] = (
        {"member_id": member_id} if version < 3 else {"members": (MemberIdentity(member_id=member_id),)}
    )
    return broker.ask(leave_group, LeaveGroupRequest(group_id=GroupId(group), **who), version)


@pytest.mark.parametrize("version", range(3))
def test_before_version_three_the_members_error_is_that_of_the_answer(broker: BrokerWithGroups, version: int) -> None:
    member_id = broker.member()

    assert leave(broker, member_id, version).error_code == ErrorCode.NONE
    assert leave(broker, member_id, version).error_code == ErrorCode.UNKNOWN_MEMBER_ID


@pytest.mark.parametrize("version", range(3, 6))
def test_from_version_three_on_each_member_has_its_own_error(broker: BrokerWithGroups, version: int) -> None:
    member_id = broker.member()

    first, second = leave(broker, member_id, version), leave(broker, member_id, version)
    assert (first.error_code, first.members[0].error_code) == (ErrorCode.NONE, ErrorCode.NONE)
    assert (second.error_code, second.members[0].error_code) == (ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID)


def test_an_empty_group_id_is_refused(broker: BrokerWithGroups) -> None:
    assert leave(broker, "m", 5, group="").error_code == ErrorCode.INVALID_GROUP_ID

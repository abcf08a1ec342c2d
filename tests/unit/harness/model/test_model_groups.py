"""The model of classic groups: who must wait for whom, and what is answered then."""

from __future__ import annotations

from typing import Any

from harness.model.specification import Specification
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.heartbeat_response import HeartbeatResponse
from reference_broker.wire.messages.join_group_request import JoinGroupRequest, JoinGroupRequestProtocol
from reference_broker.wire.messages.join_group_response import JoinGroupResponse, JoinGroupResponseMember
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from reference_broker.wire.messages.leave_group_response import LeaveGroupResponse, MemberResponse
from reference_broker.wire.messages.sync_group_request import SyncGroupRequest, SyncGroupRequestAssignment
from reference_broker.wire.messages.sync_group_response import SyncGroupResponse
from reference_broker.wire.primitives import GroupId

GROUP = GroupId("workers")
NOW = 0


def join(member_id: str = "") -> JoinGroupRequest:
    return JoinGroupRequest(
        group_id=GROUP,
        session_timeout_ms=60_000,
        rebalance_timeout_ms=60_000,
        member_id=member_id,
        protocol_type="custom",
        protocols=(JoinGroupRequestProtocol(name="range", metadata=b"m"),),
    )


def joined(member_id: str, leader: str, generation: int, *members: str) -> JoinGroupResponse:
    told = tuple(JoinGroupResponseMember(member_id=one, metadata=b"m") for one in members)
    return JoinGroupResponse(
        generation_id=generation, protocol_name="range", leader=leader, member_id=member_id, members=told
    )


def given_one_member() -> Specification:
    model = Specification()
    model.sent(0, join(), 3)
    assert model.judge(0, join(), 3, joined("m0", "m0", 1, "m0"), NOW) == []
    sync = SyncGroupRequest(
        group_id=GROUP,
        generation_id=1,
        member_id="m0",
        assignments=(SyncGroupRequestAssignment(member_id="m0", assignment=b"x"),),
    )
    model.sent(0, sync, 3)
    assert model.judge(0, sync, 3, SyncGroupResponse(assignment=b"x"), NOW) == []
    return model


def beat(model: Specification, generation: int, code: int) -> list[str]:
    asked: Any = HeartbeatRequest(group_id=GROUP, generation_id=generation, member_id="m0")
    return model.judge(0, asked, 4, HeartbeatResponse(error_code=code), NOW)


def test_a_second_member_waits_for_the_first() -> None:
    model = given_one_member()
    model.sent(1, join(), 3)

    assert model.must_wait(1)
    assert beat(model, 1, int(ErrorCode.REBALANCE_IN_PROGRESS)) == []
    assert beat(model, 1, 0) == ["Heartbeat of 'm0': expected REBALANCE_IN_PROGRESS (27), got NONE (0)"]


def test_all_are_answered_once_all_have_joined() -> None:
    model = given_one_member()
    model.sent(1, join(), 3)
    model.sent(0, join("m0"), 3)

    assert not model.must_wait(0)
    assert not model.must_wait(1)
    assert model.judge(0, join("m0"), 3, joined("m0", "m0", 2, "m0", "m1"), NOW) == []
    assert model.judge(1, join(), 3, joined("m1", "m0", 2), NOW) == []


def test_of_who_waits_in_a_group_that_is_not_clear_the_model_has_no_opinion() -> None:
    model = given_one_member()
    model.sent(1, join(), 3)
    model.groups.group(GROUP).is_clear = False

    assert (model.must_wait(1), model.groups.is_unsure(1)) == (False, True)
    assert model.judge(1, join(), 3, joined("m1", "m0", 2), NOW) == []


def test_whether_a_member_that_leaves_hears_of_its_sync_is_open() -> None:
    model = given_one_member()
    model.sent(1, join(), 3)
    model.sent(0, join("m0"), 3)
    model.judge(0, join("m0"), 3, joined("m0", "m0", 2, "m0", "m1"), NOW)
    model.judge(1, join(), 3, joined("m1", "m0", 2), NOW)
    model.sent(1, SyncGroupRequest(group_id=GROUP, generation_id=2, member_id="m1"), 3)
    assert model.must_wait(1)
    leaving = tuple(MemberIdentity(member_id=one) for one in ("m0", "m1"))
    asked: Any = LeaveGroupRequest(group_id=GROUP, members=leaving)
    told = LeaveGroupResponse(members=tuple(MemberResponse(member_id=one.member_id) for one in leaving))

    assert model.judge(0, asked, 5, told, NOW) == []
    assert (model.must_wait(1), model.groups.is_unsure(1)) == (False, True)


def test_a_static_member_that_leaves_makes_a_group_unclear() -> None:
    model = given_one_member()
    asked: Any = LeaveGroupRequest(group_id=GROUP, members=(MemberIdentity(member_id="m0", group_instance_id="i0"),))

    assert model.judge(0, asked, 5, LeaveGroupResponse(), NOW) == []
    assert not model.groups.group(GROUP).is_clear


def test_a_generation_that_is_not_the_next_is_not_allowed() -> None:
    model = Specification()
    model.sent(0, join(), 3)

    assert "generation should be 1, and is 2" in model.judge(0, join(), 3, joined("m0", "m0", 2, "m0"), NOW)[0]


def test_an_old_generation_is_refused() -> None:
    assert beat(given_one_member(), 0, int(ErrorCode.ILLEGAL_GENERATION)) == []

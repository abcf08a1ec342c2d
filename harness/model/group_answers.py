"""Judges the answers to Heartbeat, LeaveGroup, DescribeGroups and ListGroups, for classic groups."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.model.allowed import Complaints, expect, expect_code
from harness.model.groups import Groups
from harness.model.membership import DEAD, EMPTY, PREPARING, STABLE, codes
from reference_broker.wire.errors import ErrorCode


def beaten(groups: Groups, request: Any, version: int, response: Any) -> Complaints:
    """Judges the answer to a Heartbeat."""
    group = groups.by_id.get(request.group_id)
    if request.group_instance_id is not None or (group is not None and not group.is_clear):
        return
    member = None if group is None else group.member(request.member_id)
    allowed = codes(ErrorCode.NONE)
    if not request.group_id:
        allowed = codes(ErrorCode.INVALID_GROUP_ID)
    elif group is None or member is None:
        allowed = codes(ErrorCode.UNKNOWN_MEMBER_ID)
    elif request.generation_id != group.generation:
        allowed = codes(ErrorCode.ILLEGAL_GENERATION)
    elif group.state == PREPARING:
        allowed = codes(ErrorCode.REBALANCE_IN_PROGRESS)
    yield from expect_code(f"Heartbeat of {request.member_id!r}", response.error_code, allowed)


def left(groups: Groups, request: Any, version: int, response: Any) -> Complaints:
    """Judges the answer to a LeaveGroup, and removes the members."""
    group = groups.by_id.get(request.group_id)
    is_static = any(one.group_instance_id is not None for one in request.members)
    if is_static and group is not None:
        group.is_clear = False
    if is_static or (group is not None and not group.is_clear):
        return
    if not request.group_id:
        yield from expect_code("LeaveGroup", response.error_code, codes(ErrorCode.INVALID_GROUP_ID))
        return
    leaving = [request.member_id] if version < 3 else [one.member_id for one in request.members]
    answers = [response.error_code] if version < 3 else [one.error_code for one in response.members]
    if group is None:
        found = response.error_code if version < 3 else (answers or [response.error_code])[0]
        allowed = codes(ErrorCode.UNKNOWN_MEMBER_ID, *([] if leaving else [ErrorCode.NONE]))
        yield from expect_code(f"LeaveGroup of a group that is not there: {request.group_id!r}", found, allowed)
        return
    yield from expect("LeaveGroup: number of answers", len(answers), len(leaving))
    for index, (member_id, code) in enumerate(zip(leaving, answers, strict=False)):
        is_here = member_id in group.pending or (member_id and group.member(member_id) is not None)
        is_known = is_here and member_id not in leaving[:index]
        allowed = codes(ErrorCode.NONE if is_known else ErrorCode.UNKNOWN_MEMBER_ID)
        yield from expect_code(f"LeaveGroup of {member_id!r}", code, allowed)
    groups.remove(group, leaving)


def described(groups: Groups, request: Any, version: int, response: Any) -> Complaints:
    """Judges the answer to a DescribeGroups."""
    for answer in response.groups:
        group, where = groups.by_id.get(answer.group_id), f"DescribeGroups of {answer.group_id!r}"
        if (group is not None and not group.is_clear) or not answer.group_id:
            continue
        states = [] if group is None else [group.state]
        if group is None or not group.is_kept:
            states += [DEAD, EMPTY]
        allowed = codes(ErrorCode.GROUP_ID_NOT_FOUND) if version >= 6 and DEAD in states else frozenset()
        if group is not None or version < 6:
            allowed |= codes(ErrorCode.NONE)
        yield from expect_code(where, answer.error_code, allowed)
        yield from expect(f"{where}: state", answer.group_state, *states)
        if group is None or answer.group_state != group.state:
            continue
        known = Counter(one.id for one in group.members if one.id is not None)
        if len(group.members) == known.total():
            yield from expect(f"{where}: members", sorted(one.member_id for one in answer.members), sorted(known))
        if group.state == STABLE:
            for one in answer.members:
                member = group.member(one.member_id)
                if member is not None:
                    yield from expect(f"{where}: assignment", bytes(one.member_assignment), member.assignment)


def listed(groups: Groups, request: Any, version: int, response: Any) -> Complaints:
    """Judges the answer to a ListGroups without filters."""
    if request.states_filter or request.types_filter:
        return
    yield from expect_code("ListGroups", response.error_code, codes(ErrorCode.NONE))
    found = {one.group_id: one for one in response.groups}
    for group in groups.by_id.values():
        if group.is_clear and group.is_kept:
            if group.id not in found:
                yield f"ListGroups: group {group.id!r} is missing"
            elif version >= 4:
                yield from expect(f"ListGroups: state of {group.id!r}", found[group.id].group_state, group.state)

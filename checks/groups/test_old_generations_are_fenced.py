"""A member of an old generation cannot commit, and its heartbeat is refused.

**Claim** Once a group has a new generation, a commit with the old generation is refused and changes nothing; so is a
commit by a client that is not a member. A heartbeat with the old generation is refused, too. A commit with the current
generation is stored.
**Why it matters** A consumer that was away too long still holds records of partitions that another one reads now; its
late commit would move the group's offset back, or past records that nobody has processed.
**Kafka says** Protocol guide, "Group Membership Protocol", OffsetCommit: ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID.
**Cannot see** Whether the late consumer stops processing records: that is up to the client.
**Rejects** tests/plants/accepts_commit_of_old_generation.py, tests/plants/keeps_offsets_that_it_refuses.py
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, commit, coordinated, join, offsets, stable, sync
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.primitives import GroupId, TopicName

pytestmark = [
    pytest.mark.feature("OffsetCommit"),
    pytest.mark.claim("G2"),
    pytest.mark.document("Protocol guide", "https://kafka.apache.org/protocol.html"),
]

NAMES_UP_TO = 9
"""From version 10 on topics are named by their ids."""


def committed(exchange: Exchange, group: str, topic: str) -> int:
    """The group's offset for partition 0."""
    answer = exchange.ask("what is committed", offsets(8, group, {topic: (0,)}), 8)
    offset: int = answer.groups[0].topics[0].partitions[0].committed_offset
    return offset


def code(answer: Any) -> int:
    """The error of the only partition."""
    found: int = answer.topics[0].partitions[0].error_code
    return found


@all_versions(2, NAMES_UP_TO)
def test_an_old_generation_cannot_commit(exchange: Exchange, version: int) -> None:
    """In generation 2, a commit and a heartbeat of generation 1 are refused, and a commit of generation 2 is stored."""
    coordinated(exchange)
    topic, group = TopicName(exchange.topic()), exchange.name("readers")
    member, first = stable(exchange, group)
    exchange.quietly(commit(group, topic, 10, generation_id_or_member_epoch=first, member_id=member), 8)
    second = exchange.quietly(join(group, member), 3).generation_id
    exchange.quietly(sync(group, second, member, {member: b"all"}), 3)

    late = commit(group, topic, 5, generation_id_or_member_epoch=first, member_id=member)
    refused = code(exchange.ask("generation 1, when 2 is there", late, version))
    assert refused == ErrorCode.ILLEGAL_GENERATION, f"a commit of an old generation was answered with error {refused}"
    assert committed(exchange, group, topic) == 10
    beat = HeartbeatRequest(group_id=GroupId(group), generation_id=first, member_id=member)
    assert exchange.quietly(beat, 4).error_code == ErrorCode.ILLEGAL_GENERATION

    present = commit(group, topic, 20, generation_id_or_member_epoch=second, member_id=member)
    assert code(exchange.ask("generation 2", present, version)) == ErrorCode.NONE
    assert committed(exchange, group, topic) == 20


@all_versions(2, NAMES_UP_TO)
def test_who_is_no_member_cannot_commit(exchange: Exchange, version: int) -> None:
    """A commit with an unknown member id is refused, and so is one without a member id while the group has members."""
    coordinated(exchange)
    topic, group = TopicName(exchange.topic()), exchange.name("readers")
    _, generation = stable(exchange, group)

    stranger = commit(group, topic, 5, generation_id_or_member_epoch=generation, member_id="a stranger")
    assert code(exchange.ask("a stranger", stranger, version)) == ErrorCode.UNKNOWN_MEMBER_ID
    assert code(exchange.ask("nobody", commit(group, topic, 5), version)) == ErrorCode.UNKNOWN_MEMBER_ID
    assert committed(exchange, group, topic) == -1

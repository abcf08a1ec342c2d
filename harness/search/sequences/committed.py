"""Requests about committed offsets, for the writer of groups: commit, fetch, delete. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Final

from harness.search.lockstep.actions import Kind, Ref, Request
from harness.search.sequences.writing import Listed, chosen, version_of
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from reference_broker.wire.messages.offset_delete_request import (
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from reference_broker.wire.messages.offset_fetch_request import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopic,
    OffsetFetchRequestTopics,
)
from reference_broker.wire.primitives import ZERO_UUID, GroupId, TopicName

FIRST_OF_SEVERAL_GROUPS: Final = 8
FIRST_BY_TOPIC_ID: Final = 10
"""First OffsetFetch versions with several groups, and with topic ids; the latter also of OffsetCommit."""


class Committed:
    """Generates requests about committed offsets of some topics."""

    def __init__(self, random: Random, listed: Listed, topics: Sequence[str]) -> None:
        self.random, self.listed, self.topics = random, listed, topics

    def topic(self, version: int) -> dict[str, Any]:
        """The field that names a topic: its name or, in later versions, its id."""
        topic = chosen(self.random, (25, self.random.choice(self.topics)), (1, "nowhere"), (0.5, ""))
        if version >= FIRST_BY_TOPIC_ID:
            return {"topic_id": Ref(Kind.TOPIC_ID, topic) if topic else ZERO_UUID}
        return {"name": TopicName(topic)}

    def partition(self) -> int:
        return int(chosen(self.random, (12, 0), (12, 1), (1, 2), (0.5, -1)))

    def commit(self, client: int, group: GroupId, member_id: Any, instance: str | None, generation: Any) -> Request:
        """An OffsetCommit of a few partitions; never of the group with the empty id, which all sequences share."""
        random = self.random
        version = version_of(random, self.listed, ApiKey.OFFSET_COMMIT)
        topics = []
        for _ in range(chosen(random, (12, 1), (3, 2), (0.5, 0))):
            partitions = tuple(
                OffsetCommitRequestPartition(
                    partition_index=self.partition(),
                    committed_offset=chosen(random, (25, random.randint(0, 99)), (1, -1), (0.5, -2), (0.5, 2**63 - 1)),
                    committed_leader_epoch=chosen(random, (10, -1), (3, 0), (1, 5), (0.5, -2)),
                    # Never too long in the first partition: a commit without any accepted offset may or may not leave a
                    # group behind in Kafka.
                    committed_metadata=chosen(random, (10, ""), (3, "note"), (1, None), (at, "x" * 4097)),
                )
                for at in range(chosen(random, (12, 1), (3, 2)))
            )
            topics.append(OffsetCommitRequestTopic(**self.topic(version), partitions=partitions))
        message = OffsetCommitRequest(
            group_id=group or GroupId("readers"),
            generation_id_or_member_epoch=generation,
            member_id=member_id,
            group_instance_id=instance,
            retention_time_ms=-1,
            topics=tuple(topics),
        )
        return Request(client=client, message=message, version=version)

    def fetch(self, client: int, groups: Sequence[GroupId], member_id: Ref) -> Request:
        """An OffsetFetch of some or all partitions, of one group or, in later versions, several."""
        random = self.random
        version = version_of(random, self.listed, ApiKey.OFFSET_FETCH)
        is_stable = random.random() < 0.3
        if version < FIRST_OF_SEVERAL_GROUPS:
            some: Any = tuple(
                OffsetFetchRequestTopic(**self.topic(0), partition_indexes=self.partitions())
                for _ in range(chosen(random, (6, 1), (2, 2), (0.5, 0)))
            )
            message = OffsetFetchRequest(
                group_id=groups[0],
                topics=chosen(random, (4, some), (1, None)) if version >= 2 else some,
                require_stable=is_stable,
            )
            return Request(client=client, message=message, version=version)
        wanted = []
        for group in groups:
            topics: Any = tuple(
                OffsetFetchRequestTopics(**self.topic(version), partition_indexes=self.partitions())
                for _ in range(chosen(random, (6, 1), (2, 2), (0.5, 0)))
            )
            own = chosen(random, (20, (None, -1)), (2, (member_id, 1)), (1, ("stranger", 0)))
            wanted.append(
                OffsetFetchRequestGroup(
                    group_id=group,
                    member_id=own[0],
                    member_epoch=own[1],
                    topics=chosen(random, (4, topics), (1, None)),
                )
            )
        return Request(
            client=client, message=OffsetFetchRequest(groups=tuple(wanted), require_stable=is_stable), version=version
        )

    def partitions(self) -> tuple[int, ...]:
        return tuple(self.partition() for _ in range(chosen(self.random, (6, 1), (3, 2), (0.5, 0))))

    def delete(self, client: int, group: GroupId) -> Request:
        """An OffsetDelete of one or two topics."""
        topics = tuple(
            OffsetDeleteRequestTopic(
                **self.topic(0),
                partitions=tuple(OffsetDeleteRequestPartition(partition_index=one) for one in self.partitions()),
            )
            for _ in range(chosen(self.random, (6, 1), (1, 2)))
        )
        message = OffsetDeleteRequest(group_id=group, topics=topics)
        return Request(client=client, message=message, version=self.listed[ApiKey.OFFSET_DELETE][1])

    def everything(self, client: int, group: GroupId) -> Request:
        """An OffsetFetch of all partitions of a group."""
        message = OffsetFetchRequest(groups=(OffsetFetchRequestGroup(group_id=group, topics=None),))
        return Request(client=client, message=message, version=9)

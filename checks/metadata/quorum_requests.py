"""Requests about the metadata quorum's voters, for the checks of several APIs."""

from __future__ import annotations

from typing import Any, Final

import pytest

from harness.comparing.exchange import Exchange
from reference_broker.wire.messages.describe_quorum_request import DescribeQuorumRequest, PartitionData, TopicData
from reference_broker.wire.primitives import ZERO_UUID, TopicName, Uuid

ANOTHER_DIRECTORY: Final = Uuid(bytes(range(100, 116)))
"""A directory id that no voter has."""
STRANGER: Final = 4711
"""An id that no voter has."""


def quorum(exchange: Exchange) -> Any:
    """The quorum as its leader describes it."""
    topic = TopicData(topic_name=TopicName("__cluster_metadata"), partitions=(PartitionData(partition_index=0),))
    return exchange.quietly(DescribeQuorumRequest(topics=(topic,)), 2)


def own_voter(answer: Any) -> Any:
    """The quorum's leader among its voters."""
    (partition,) = answer.topics[0].partitions
    (found,) = [one for one in partition.current_voters if one.replica_id == partition.leader_id]
    return found


def voters(exchange: Exchange) -> list[tuple[int, Uuid]]:
    """(id, directory id) of each voter."""
    (partition,) = quorum(exchange).topics[0].partitions
    return sorted((one.replica_id, one.replica_directory_id) for one in partition.current_voters)


def require_fixed(exchange: Exchange) -> None:
    """Skips the check where the voters can be changed."""
    if any(directory != ZERO_UUID for _, directory in voters(exchange)):
        pytest.skip("the voters of this quorum are not fixed by controller.quorum.voters")

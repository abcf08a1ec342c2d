"""Tells the quorum of the metadata log whatever topic is asked for.

**Bug** DescribeQuorum does not look at the topics of a request: who mistypes the metadata log's name, or asks for a
topic of their own, is told of replicas that the topic has not.

**Rejected by**
`checks/metadata/test_describe_quorum.py::test_nothing_else_can_be_asked_for[v2-another_topic]`:
UNKNOWN_TOPIC_OR_PARTITION
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.messages.describe_quorum_request import PartitionData, TopicData
from reference_broker.wire.primitives import TopicName
from tests.plants.differences._answers import handle_otherwise

METADATA_LOG = TopicData(topic_name=TopicName("__cluster_metadata"), partitions=(PartitionData(partition_index=0),))


def plant() -> None:
    """Puts it in."""

    def blind(request: Any, ctx: Any, usual: Any) -> Any:
        return usual(replace(request, topics=(METADATA_LOG,)), ctx)

    handle_otherwise("describe_quorum", blind)

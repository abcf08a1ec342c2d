"""Describes the quorum as a controller that does not lead it.

**Bug** A controller that does not know how far the voters are answers without an error.

**Rejected by**
`checks/metadata/test_describe_quorum.py::test_a_controller_that_does_not_lead_says_so`:
answer of a controller that does not lead the quorum
"""

from __future__ import annotations

from reference_broker.raft import description
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_quorum_request import DescribeQuorumRequest
from reference_broker.wire.messages.describe_quorum_response import (
    DescribeQuorumResponse,
    PartitionData,
    TopicData,
)


def plant() -> None:
    """Plants it."""
    plain = description._refused

    def refused(request: DescribeQuorumRequest, code: ErrorCode, version: int) -> DescribeQuorumResponse:
        if code is not ErrorCode.NOT_LEADER_OR_FOLLOWER:
            return plain(request, code, version)
        topic = TopicData(topic_name=request.topics[0].topic_name, partitions=(PartitionData(error_message=""),))
        return DescribeQuorumResponse(error_message="", topics=(topic,))

    description._refused = refused

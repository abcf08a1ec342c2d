"""DescribeQuorum: the metadata log's leader, voters and observers, and how far each has got (KIP-595, KIP-836).

**Promises** The leader's own view of its quorum, voters with directory ids and endpoints from version 2.
**Refuses** Per partition: UNKNOWN_TOPIC_OR_PARTITION where the request names anything but __cluster_metadata-0.
NOT_LEADER_OR_FOLLOWER: on a controller's listener, this node does not lead the quorum.
**Versions** 1 fetch and caught-up times; 2 directory ids, endpoints and error messages.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import ControllerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.describe_quorum_request import DescribeQuorumRequest
from reference_broker.wire.messages.describe_quorum_response import DescribeQuorumResponse

API: Final = ApiKey.DESCRIBE_QUORUM
VERSIONS: Final = range(3)
LISTENERS: Final = ("broker", "controller")


def handle(request: DescribeQuorumRequest, ctx: ControllerContext) -> DescribeQuorumResponse:
    """The quorum as its leader sees it."""
    return ctx.quorum.describe(request, ctx.api_version, ctx.now)

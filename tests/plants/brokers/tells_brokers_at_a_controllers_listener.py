"""Tells the brokers at a controller's listener to version 0 of DescribeCluster.

**Bug** Version 0 asks for brokers, which a controller's listener does not tell (KIP-919).

**Rejected by**
`checks/protocol/test_refusals_among_brokers.py::test_the_brokers_asked_at_a_controllers_listener`:
answer of a controller's listener to version 0
"""

from __future__ import annotations

from typing import Any

from reference_broker.apis import describe_cluster
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_cluster_response import DescribeClusterResponse


def plant() -> None:
    """Plants it."""
    plain = describe_cluster.handle

    def handle(request: Any, ctx: Any) -> Any:
        answer = plain(request, ctx)
        if answer.error_code == ErrorCode.INVALID_REQUEST:
            return DescribeClusterResponse(error_message=None)
        return answer

    describe_cluster.handle = handle

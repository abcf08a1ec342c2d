"""Tells of controllers where only brokers listen.

**Bug** DescribeCluster does not look at which kind of node is asked for: an admin client that wants the controllers
gets the brokers, and sends them what only a controller serves.

**Rejected by**
`checks/metadata/test_describe_cluster.py::test_a_broker_does_not_tell_of_controllers[v2]`: MISMATCHED_ENDPOINT_TYPE
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.apis.describe_cluster import BROKERS
from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""
    handle_otherwise(
        "describe_cluster", lambda request, ctx, usual: usual(replace(request, endpoint_type=BROKERS), ctx)
    )

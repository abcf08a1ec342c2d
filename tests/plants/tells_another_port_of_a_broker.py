"""Tells another port of a broker than it listens on.

**Bug** DescribeCluster names each broker at the port after its own: an admin client that follows the answer connects to
nobody, or to a stranger.

**Rejected by**
`checks/metadata/test_describe_cluster.py::test_the_cluster_is_described[v2]`:
The list of brokers with their addresses should be
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""

    def beside(broker: Any) -> Any:
        return replace(broker, port=broker.port + 1)

    change_each(ApiKey.DESCRIBE_CLUSTER, "brokers", beside)

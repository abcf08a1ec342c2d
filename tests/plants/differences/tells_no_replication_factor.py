"""Does not tell how many replicas a new topic has.

**Differs** CreateTopics answers -1 for the replication factor.

**Found by** `opening`, level fields: `CreateTopics topics[].replication_factor`
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""
    change_each(ApiKey.CREATE_TOPICS, "topics", lambda topic: replace(topic, replication_factor=-1), since=5)

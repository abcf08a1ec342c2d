"""Leaves out a tagged field that Kafka always writes.

**Differs** ApiVersions lacks the epoch of the finalized features, which is a tagged field: readers take -1 for it.

**Found by** `opening`, level advertised versions and features: `ApiVersions finalized_features_epoch`
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_answers


def plant() -> None:
    """Puts it in."""
    change_answers(ApiKey.API_VERSIONS, lambda response: replace(response, finalized_features_epoch=-1))

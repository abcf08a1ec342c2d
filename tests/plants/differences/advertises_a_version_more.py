"""Lists a version that is not served.

**Differs** ApiVersions lists FindCoordinator one version higher than Kafka 4.3 does: an extra API version.

**Found by** `opening`, level advertised versions and features: `ApiVersions api_keys[].max_version`
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""

    def higher(row: Any) -> Any:
        return replace(row, max_version=row.max_version + 1) if row.api_key == ApiKey.FIND_COORDINATOR else row

    change_each(ApiKey.API_VERSIONS, "api_keys", higher)

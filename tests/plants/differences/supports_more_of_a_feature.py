"""Supports one level of a feature too many.

**Differs** ApiVersions tells a range of group.version that ends one level higher.

**Found by** `opening`, level advertised versions and features: `ApiVersions supported_features[].max_version`
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""

    def wider(row: Any) -> Any:
        return replace(row, max_version=row.max_version + 1) if row.name == "group.version" else row

    change_each(ApiKey.API_VERSIONS, "supported_features", wider, since=3)

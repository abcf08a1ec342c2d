"""Leaves out the last of a setting's synonyms.

**Differs** DescribeConfigs does not tell what would count if all other places were empty: a synonym is missing.

**Found by** `opening`, level fields: `DescribeConfigs results[].configs[].synonyms[]`
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""
    change_each(
        ApiKey.DESCRIBE_CONFIGS, "results.configs", lambda setting: replace(setting, synonyms=setting.synonyms[:-1])
    )

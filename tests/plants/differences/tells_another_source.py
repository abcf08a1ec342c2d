"""Takes a topic's own setting for a default.

**Differs** DescribeConfigs names the default as the source of what was set for a topic.

**Found by** `topics`, level fields: `DescribeConfigs results[].configs[].config_source`
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""
    topic, default = 1, 5

    def of_nobody(setting: Any) -> Any:
        return replace(setting, config_source=default) if setting.config_source == topic else setting

    change_each(ApiKey.DESCRIBE_CONFIGS, "results.configs", of_nobody)

"""Leaves out the settings of a topic that are the broker's.

**Bug** DescribeConfigs tells only what a topic has of its own: a tool that copies topics to another cluster takes the
other cluster's defaults for the topic's.

**Rejected by**
`checks/metadata/test_describe_configs.py::test_all_settings_of_a_topic_are_told[v4]`:
The list of settings that are not told
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each

OWN_OF_TOPIC = 1


def plant() -> None:
    """Puts it in."""

    def own_only(result: Any) -> Any:
        return replace(result, configs=tuple(one for one in result.configs if one.config_source == OWN_OF_TOPIC))

    change_each(ApiKey.DESCRIBE_CONFIGS, "results", own_only)

"""Tells the synonyms of a setting in the wrong order.

**Bug** DescribeConfigs begins with the default, and ends with the value that counts: who reads the first synonym takes
the default for what the broker does.

**Rejected by**
`checks/metadata/test_describe_configs.py::test_synonyms_of_a_broker`: The order of the sources of
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""

    def reversed_synonyms(setting: Any) -> Any:
        return replace(setting, synonyms=setting.synonyms[::-1])

    change_each(ApiKey.DESCRIBE_CONFIGS, "results.configs", reversed_synonyms)

"""Has another default for a setting.

**Differs** num.replica.fetchers is 2 where nobody sets it: the wrong default of a config.

**Found by** `opening`, level fields: `DescribeConfigs results[].configs[].value`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reference_broker.releases import Release
from reference_broker.settings import config_keys
from reference_broker.settings.config_key import ConfigKey


def plant() -> None:
    """Puts it in."""
    keys_of = config_keys._keys_of

    def otherwise(release: Release, scope: str, table: Sequence[ConfigKey]) -> Mapping[str, ConfigKey]:
        keys = dict(keys_of(release, scope, table))
        if scope == "broker":
            keys["num.replica.fetchers"] = replace(keys["num.replica.fetchers"], default="2")
        return keys

    config_keys._keys_of = otherwise

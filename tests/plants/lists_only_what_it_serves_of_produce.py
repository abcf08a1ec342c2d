"""Lists Produce from version 3 on, as would be honest.

**Bug** Versions 0 to 2 of Produce are not served, but must be listed: older librdkafka takes their absence for a
broker that knows no compression but gzip (KAFKA-18659).

**Rejected by**
`checks/protocol/test_api_versions.py::test_every_version_lists_the_apis[v3]`: 0 to 2 are listed for librdkafka
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.apis import api_versions
from reference_broker.releases import Release
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.api_versions_response import ApiVersion


def plant() -> None:
    """Puts it in."""
    rows = api_versions.rows

    def honest(kind: str, release: Release) -> tuple[ApiVersion, ...]:
        return tuple(
            replace(row, min_version=3) if row.api_key == ApiKey.PRODUCE else row for row in rows(kind, release)
        )

    api_versions.rows = honest

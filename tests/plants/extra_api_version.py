"""Advertises a version of InitProducerId that it does not serve.

**Bug** ApiVersions lists InitProducerId one version higher than what is served: clients that know it take it, and lose
their connection.

**Rejected by**
`checks/protocol/test_listed_versions.py::test_every_listed_version_is_answered[InitProducerId]`:
InitProducerId v6 is listed, but gets no answer
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

    def boastful(kind: str, release: Release) -> tuple[ApiVersion, ...]:
        return tuple(
            replace(row, max_version=row.max_version + 1) if row.api_key == ApiKey.INIT_PRODUCER_ID else row
            for row in rows(kind, release)
        )

    api_versions.rows = boastful

"""Writes a tagged field that holds nothing.

**Differs** Produce writes the addresses of leaders, a tagged field, when there are none, where Kafka leaves it out:
the fields are the same, the bytes are not.

**Found by** `log`, level encoding: `Produce (encoding)`
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_answers


def plant() -> None:
    """Puts it in."""
    nobody = (0, b"\x01")
    """The tag of node_endpoints, and an array without elements."""
    change_answers(
        ApiKey.PRODUCE,
        lambda response: response if response.node_endpoints else replace(response, unknown_tagged_fields=(nobody,)),
        since=10,
    )

"""Makes a topic that it was only asked to validate.

**Bug** validate_only is not looked at: a dry run of a deployment deploys.

**Rejected by**
`checks/metadata/test_create_topics.py::test_validation_makes_nothing[v7]`: is there after a request to validate only
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""

    def eager(request: Any, ctx: Any, usual: Any) -> Any:
        return usual(replace(request, validate_only=False), ctx)

    handle_otherwise("create_topics", eager)

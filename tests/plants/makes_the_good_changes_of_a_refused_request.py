"""Makes the changes that are good, and refuses the resource for those that are not.

**Bug** IncrementalAlterConfigs takes each change of a resource by itself: an operator who is told that a request was
refused does not know that half of it counts.

**Rejected by**
`checks/metadata/test_incremental_alter_configs.py::test_one_bad_change_spoils_its_resource_alone[v1]`:
What was refused in part should be {'segment.bytes': '1073741824'}, and is {'segment.bytes': '2000000'}
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""

    def piecemeal(request: Any, ctx: Any, usual: Any) -> Any:
        for resource in request.resources if not request.validate_only else ():
            for config in resource.configs:
                usual(replace(request, resources=(replace(resource, configs=(config,)),)), ctx)
        return usual(replace(request, validate_only=True), ctx)

    handle_otherwise("incremental_alter_configs", piecemeal)

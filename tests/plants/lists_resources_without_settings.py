"""Goes on listing groups that have no settings any more.

**Bug** ListConfigResources remembers every group that it ever listed: a tool that cleans up never comes to an end.

**Rejected by**
`checks/metadata/test_list_config_resources.py::test_what_has_no_settings_any_more_is_not_listed[group]`:
has no settings any more, and is still listed
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.metadata.image import GROUP
from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""
    groups: dict[str, Any] = {}

    def remembering(request: Any, ctx: Any, usual: Any) -> Any:
        response = usual(request, ctx)
        found = {one.resource_name: one for one in response.config_resources if one.resource_type == GROUP}
        if not found and GROUP not in (request.resource_types or (GROUP,)):
            return response
        forgotten = [one for name, one in groups.items() if name not in found]
        groups.update(found)
        return replace(response, config_resources=(*response.config_resources, *forgotten))

    handle_otherwise("list_config_resources", remembering)

"""Lists resources of every type, whatever types are asked for.

**Bug** ListConfigResources does not look at the types of a request: a tool that copies the settings of topics alters
groups and brokers, too.

**Rejected by**
`checks/metadata/test_list_config_resources.py::test_one_type_is_listed[2]`: assert {2, 4, 8, 16, 32} == {2}
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""

    def everything(request: Any, ctx: Any, usual: Any) -> Any:
        return usual(replace(request, resource_types=()), ctx)

    handle_otherwise("list_config_resources", everything)

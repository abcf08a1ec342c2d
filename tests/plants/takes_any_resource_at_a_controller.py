"""Takes whatever comes to a controller's listener for a resource that exists.

**Bug** A controller relies on what brokers refuse before they ask it. A tool that asks it directly is told that
settings of nothing were changed.

**Rejected by**
`checks/metadata/test_asked_at_a_controller.py::test_settings_of_an_unknown_type_are_not_changed[v1-far]`:
ErrorCode.NONE
`checks/metadata/test_asked_at_a_controller.py::test_a_resource_that_is_changed_twice[v1]`: ErrorCode.NONE
"""

from __future__ import annotations

from reference_broker.apis import altered_resources
from reference_broker.controller.config_admin import ConfigAdmin


def plant() -> None:
    """Puts it in."""
    usual = ConfigAdmin.change
    altered_resources._refused_at_controller = lambda resource, counts: None

    def lenient(self: ConfigAdmin, resource_type: int, *rest: object, **how: bool) -> object:
        known = resource_type in altered_resources.TYPES
        return usual(self, resource_type, *rest, **how) if known else ((), None)  # type: ignore[arg-type]

    ConfigAdmin.change = lenient  # type: ignore[method-assign,assignment]

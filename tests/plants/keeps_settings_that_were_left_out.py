"""Takes AlterConfigs for IncrementalAlterConfigs.

**Bug** AlterConfigs sets what is named and keeps the rest, which should go back to its defaults.

**Rejected by**
`checks/metadata/test_alter_configs.py::test_settings_are_replaced`: should be '1073741824', and is '2000000'
`checks/metadata/test_topics_model.py`: The model allows another answer
"""

from __future__ import annotations

from collections.abc import Iterable

from reference_broker.controller.config_admin import ConfigAdmin, Operation, Outcome


def plant() -> None:
    """Puts it in."""

    def added(admin: ConfigAdmin, resource_type: int, name: str, settings: Iterable[tuple[str, str | None]]) -> Outcome:
        return admin.change(resource_type, name, [(key, Operation.SET, value) for key, value in settings])

    ConfigAdmin.replace = added

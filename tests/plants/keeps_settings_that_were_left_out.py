"""Takes AlterConfigs for IncrementalAlterConfigs.

**Bug** AlterConfigs sets what is named and keeps the rest, which should go back to its defaults.

**Rejected by**
`checks/metadata/test_alter_configs.py::test_settings_are_replaced`: should be '1073741824', and is '2000000'
`checks/metadata/test_topics_model.py`: The model allows another answer
"""

from __future__ import annotations

from reference_broker.controller.config_admin import ConfigAdmin


def plant() -> None:
    """Puts it in."""
    ConfigAdmin.replaced = ConfigAdmin.changed  # type: ignore[method-assign]

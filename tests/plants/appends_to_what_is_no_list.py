"""Takes what is to be appended to a setting that is no list for its new value.

**Bug** IncrementalAlterConfigs does not look at the type of a setting: an operator who appends to a number sets it, and
the number that was there is gone.

**Rejected by**
`checks/metadata/test_values_of_settings.py::test_values_of_a_topics_setting[retention.ms]`:
append retention.ms '604800000': taken, though it cannot be
"""

from __future__ import annotations

from reference_broker.controller.config_admin import ConfigAdmin, Operation


def plant() -> None:
    """Puts it in."""
    changed = ConfigAdmin._changed

    def forgiving(
        admin: ConfigAdmin, resource_type: int, key: str, current: str | None, operation: int, value: str | None
    ) -> str | None:
        what = Operation.SET if operation == Operation.APPEND and "," not in (current or "") else operation
        return changed(admin, resource_type, key, current, what, value)

    ConfigAdmin._changed = forgiving

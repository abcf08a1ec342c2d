"""Answers that a setting was changed, and leaves it as it was.

**Bug** IncrementalAlterConfigs checks the change, answers without an error, and writes nothing.

**Rejected by**
`checks/metadata/test_incremental_alter_configs.py::test_a_setting_is_set[v1]`:
The topic's retention.ms should be '5000'
`checks/walkthrough/test_topics.py::test_an_altered_setting_leaves_the_others_alone`: should have {'retention.
`checks/walkthrough/test_command_line_tools.py::test_retention_is_set`: kafka-configs --describe printed no retention.ms
"""

from __future__ import annotations

from collections.abc import Iterable

from reference_broker.controller.config_admin import Change, ConfigAdmin, Outcome


def plant() -> None:
    """Puts it in."""
    change = ConfigAdmin.change

    def pretend(admin: ConfigAdmin, resource_type: int, name: str, changes: Iterable[Change], **more: bool) -> Outcome:
        made, refusal = change(admin, resource_type, name, changes, **more)
        return made if more.get("is_replacement") else (), refusal

    ConfigAdmin.change = pretend

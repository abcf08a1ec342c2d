"""Deletes topics although deletion is disabled.

**Bug** delete.topic.enable is not looked at, so a cluster whose operator forbade deletion loses topics.

**Rejected by**
`checks/metadata/test_settings_of_a_strict_broker.py::test_topics_are_not_deleted[v6]`: TOPIC_DELETION_DISABLED
"""

from __future__ import annotations

from reference_broker.settings.broker_config import BrokerConfig


def plant() -> None:
    """Puts it in."""
    flag = BrokerConfig.flag

    def blind(config: BrokerConfig, name: str, before: bool | None = None) -> bool:
        return True if name == "delete.topic.enable" else flag(config, name, before)

    BrokerConfig.flag = blind

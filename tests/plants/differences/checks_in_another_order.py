"""Checks a topic's settings before it looks whether the topic is there.

**Differs** CreateTopics of a topic that exists, with settings or numbers that cannot be, is refused for these; Kafka
says TOPIC_ALREADY_EXISTS: another order of the checks.

**Found by** `topics`, level error codes: `CreateTopics topics[].error_code`
"""

from __future__ import annotations

from typing import Any

from reference_broker.controller.topic_admin import TopicAdmin


def plant() -> None:
    """Puts it in."""
    make = TopicAdmin.make

    def settings_first(admin: TopicAdmin, topic: Any) -> Any:
        admin._overrides(topic)
        _ = admin._assigned(topic) if topic.assignments else admin._placed(topic)
        return make(admin, topic)

    TopicAdmin.make = settings_first

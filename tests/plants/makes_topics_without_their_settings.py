"""Makes topics without the settings that were given.

**Bug** CreateTopics answers as if a topic had its settings, and forgets them: what should be kept for an hour is kept
for a week, and what should be compacted is deleted.

**Rejected by**
`checks/metadata/test_created_settings.py::test_a_topic_has_the_settings_that_were_given[v2]`:
The settings of the topic should be {'retention.ms': '123456', 'cleanup.policy': 'compact'}
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""

    def forgetful(request: Any, ctx: Any, usual: Any) -> Any:
        said = usual(replace(request, validate_only=True), ctx)
        if request.validate_only or any(topic.error_code for topic in said.topics):
            return usual(request, ctx)
        usual(replace(request, topics=tuple(replace(topic, configs=()) for topic in request.topics)), ctx)
        return said

    handle_otherwise("create_topics", forgetful)

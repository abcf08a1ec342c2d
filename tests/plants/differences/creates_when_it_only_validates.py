"""Creates a topic that was only to be checked.

**Differs** CreateTopics with validate_only makes the topic all the same, as what is asked next shows.

**Found by** `topics`, level any: `*`
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.controller.decision import Decision
from reference_broker.controller.topic_admin import TopicAdmin
from reference_broker.wire.messages.create_topics_request import CreateTopicsRequest


def plant() -> None:
    """Puts it in."""
    decide = TopicAdmin.decide_creation

    def eager(admin: TopicAdmin, request: CreateTopicsRequest) -> Decision:
        return decide(admin, replace(request, validate_only=False))

    TopicAdmin.decide_creation = eager

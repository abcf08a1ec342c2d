"""Answers that a topic was deleted, and keeps it.

**Bug** DeleteTopics is answered without an error, but nothing is written: the topic is there as before.

**Rejected by**
`checks/metadata/test_delete_topics.py::test_a_topic_is_deleted_by_name[v6]`: was deleted, and is still told of
`checks/metadata/test_topics_model.py`: The model allows another answer
"""

from __future__ import annotations

from dataclasses import replace

from reference_broker.controller.decision import Decision
from reference_broker.controller.topic_admin import TopicAdmin
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest


def plant() -> None:
    """Puts it in."""
    decide = TopicAdmin.decide_deletion

    def pretend(admin: TopicAdmin, request: DeleteTopicsRequest, version: int) -> Decision:
        return replace(decide(admin, request, version), records=())

    TopicAdmin.decide_deletion = pretend

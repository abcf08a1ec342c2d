"""Answers with another error than Kafka does.

**Bug** Creating a topic that is there already is refused with INVALID_TOPIC_EXCEPTION instead of TOPIC_ALREADY_EXISTS:
clients that create a topic "if it is missing" fail.

**Rejected by**
`checks/metadata/test_create_topics.py::test_a_topic_that_is_there_is_not_made_again`: TOPIC_ALREADY_EXISTS
`checks/walkthrough/test_topics.py::test_a_topic_is_made_once`: TOPIC_ALREADY_EXISTS
"""

from __future__ import annotations

from typing import Any

from reference_broker.controller.topic_admin import TopicAdmin
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import CreatableTopic
from reference_broker.wire.refusal import KafkaError


def plant() -> None:
    """Puts it in."""
    make = TopicAdmin.make

    def mistaken(admin: TopicAdmin, topic: CreatableTopic) -> Any:
        try:
            return make(admin, topic)
        except KafkaError as error:
            if error.code is ErrorCode.TOPIC_ALREADY_EXISTS:
                raise KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, error.detail) from error
            raise

    TopicAdmin.make = mistaken

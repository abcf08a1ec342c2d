"""Gives a topic the id that the last one of its name had.

**Bug** The id comes from the name, so a topic that is made again is taken for the one that was deleted.

**Rejected by**
`checks/metadata/test_topic_ids.py::test_an_id_is_given_once`: The ids that more than one of
"""

from __future__ import annotations

import uuid

from reference_broker.controller import topic_admin
from reference_broker.controller.topic_admin import Made, TopicAdmin
from reference_broker.wire.messages.create_topics_request import CreatableTopic
from reference_broker.wire.primitives import Uuid


def plant() -> None:
    """Puts it in."""
    make, random_uuid = TopicAdmin.make, topic_admin.random_uuid

    def named(admin: TopicAdmin, topic: CreatableTopic) -> Made:
        topic_admin.random_uuid = lambda chance: Uuid(uuid.uuid5(uuid.NAMESPACE_DNS, topic.name).bytes)
        try:
            return make(admin, topic)
        finally:
            topic_admin.random_uuid = random_uuid

    TopicAdmin.make = named

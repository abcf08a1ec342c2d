"""Answers that a topic has grown, and leaves it as it was.

**Bug** CreatePartitions is answered without an error, but nothing is written.

**Rejected by**
`checks/metadata/test_create_partitions.py::test_a_topic_grows[v3]`: The number of partitions should be 5, and is 2
`checks/metadata/test_topics_model.py`: The model allows another answer
`checks/walkthrough/test_topics.py::test_partitions_are_added_and_never_taken_away`:
should have 10 partitions with leaders, and has {0: 1, 1: 1, 2: 1}
`checks/walkthrough/test_command_line_tools.py::test_topics_are_made_described_and_altered`:
kafka-topics --describe: not 10 partitions
"""

from __future__ import annotations

from dataclasses import replace

from reference_broker.controller.decision import Decision
from reference_broker.controller.topic_admin import TopicAdmin
from reference_broker.wire.messages.create_partitions_request import CreatePartitionsRequest


def plant() -> None:
    """Puts it in."""
    decide = TopicAdmin.decide_growth

    def pretend(admin: TopicAdmin, request: CreatePartitionsRequest) -> Decision:
        return replace(decide(admin, request), records=())

    TopicAdmin.decide_growth = pretend

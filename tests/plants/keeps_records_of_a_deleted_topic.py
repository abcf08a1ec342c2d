"""Gives the records of a deleted topic to the next one of its name.

**Bug** The log of a deleted topic stays, and is found again by its name: readers of the new topic get records of the
old one.

**Rejected by**
`checks/metadata/test_delete_topics.py::test_a_name_may_be_used_again`:
The first and last offset of the topic that was made anew should be [0, 0], and is [0, 1]
`checks/walkthrough/test_topics.py::test_a_deleted_topic_is_gone_and_a_new_one_starts_at_nothing`:
The log of the new topic (start, end) should be (0, 0), and is (0, 1)
"""

from __future__ import annotations

from reference_broker.log.config import LogConfig
from reference_broker.log.log_directory import KNOWS_ALL, LogDirectory
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.steps import Steps
from reference_broker.wire.primitives import Uuid


def plant() -> None:
    """Puts it in."""
    kept: dict[tuple[str, int], PartitionLog] = {}
    opening_log = LogDirectory.opening_log

    def keeping(folder: LogDirectory, topic: str, partition: int, now_ms: int) -> None:
        kept[topic, partition] = folder.logs.pop((topic, partition))

    def finding(
        folder: LogDirectory,
        topic: str,
        partition: int,
        topic_id: Uuid,
        config: LogConfig,
        silent_since_ms: int = KNOWS_ALL,
    ) -> Steps[PartitionLog]:
        if (topic, partition) not in kept:
            return (yield from opening_log(folder, topic, partition, topic_id, config, silent_since_ms))
        folder.logs[topic, partition] = kept.pop((topic, partition))
        return folder.logs[topic, partition]

    LogDirectory.delete_log = keeping
    LogDirectory.opening_log = finding

"""Watches logs while an operator works: where each starts and ends and what it takes on the disk, for the report."""

from __future__ import annotations

from collections.abc import Callable

from harness.clients.client import ClientTrouble
from harness.clients.leader_connections import TROUBLE, RawAdmin, asking, first_answer
from harness.hosts import cluster_time as time
from harness.judging.outcome import BrokenPromise
from harness.pytest_plugin.record import CheckRecord
from harness.targets.target import Cluster
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.describe_log_dirs_request import DescribableLogDirTopic, DescribeLogDirsRequest
from reference_broker.wire.primitives import TopicName

_EVERY_S = 0.1


class WatchedLogs:
    """Partition 0 of some topics of a cluster of one broker. What it sees is drawn in the report of the check."""

    def __init__(self, cluster: Cluster, admin: RawAdmin, record: CheckRecord, *topics: str) -> None:
        self._cluster, self._admin, self._record, self._topics = cluster, admin, record, topics
        self._began = time.monotonic()
        self.look()

    def look(self) -> None:
        """Note them once."""
        for topic in self._topics:
            start, end = self._admin.offsets(topic, 0)
            self._record.log_bounds.setdefault(topic, []).append((self._at_ms, start, end, self.bytes_of(topic)))

    def tell(self, what: str) -> None:
        """Note what the operator does now."""
        self.look()
        self._record.log_events.append((self._at_ms, what))

    def until(self, is_so: Callable[[], bool], within_s: float, what: str) -> None:
        """Watch until something is so. BrokenPromise if it is not within this time."""
        deadline = time.monotonic() + within_s
        while not is_so():
            self.look()
            if time.monotonic() > deadline:
                seen = [f"{topic}: {self._record.log_bounds[topic][-1][1:]}" for topic in self._topics]
                raise BrokenPromise(f"{within_s:.0f} s later it is not so that {what}.", witness=seen)
            time.sleep(_EVERY_S)
        self.look()

    def start_of(self, topic: str) -> int:
        """Where a log starts."""
        return self._admin.offsets(topic, 0)[0]

    def bytes_of(self, topic: str) -> int:
        """What a log takes, by DescribeLogDirs."""
        asked = DescribableLogDirTopic(topic=TopicName(topic), partitions=(0,))
        request = DescribeLogDirsRequest(topics=(asked,))
        try:
            answer = first_answer(self._cluster.bootstrap, asking(ApiKey.DESCRIBE_LOG_DIRS, 4, request))
        except TROUBLE as trouble:
            raise ClientTrouble(f"the size of {topic}: {trouble}") from trouble
        return sum(
            int(one.partition_size) for folder in answer.results for found in folder.topics for one in found.partitions
        )

    @property
    def _at_ms(self) -> float:
        return round((time.monotonic() - self._began) * 1000, 1)

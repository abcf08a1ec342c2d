"""Tells the controller in which log folder each replica of this broker lives (AssignReplicasToDirs, KIP-858).

Assignments are collected for a tenth of a second and sent together, one request at a time. What failed is sent again:
the whole request after a growing pause, a single partition with the next request. What the broker is no replica of any
more, or what was assigned anew meanwhile, is not sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from reference_broker.broker.channel import ControllerChannel
from reference_broker.effects import PeerLost
from reference_broker.environment import Now, Random
from reference_broker.waiting import NEVER_MS
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.assign_replicas_to_dirs_request import (
    AssignReplicasToDirsRequest,
    DirectoryData,
    PartitionData,
    TopicData,
)
from reference_broker.wire.messages.assign_replicas_to_dirs_response import AssignReplicasToDirsResponse
from reference_broker.wire.primitives import BrokerId, Uuid

MOST_IN_A_REQUEST: Final = 2250
BACKOFF_MS: Final = 100
LONGEST_BACKOFF_MS: Final = 10_000
JITTER_DIVISOR: Final = 50
"""A pause is up to one fiftieth longer or shorter."""

Replica = tuple[Uuid, int]
"""A topic's id and a partition of it."""


class _Assignment(Struct, frozen=True):
    directory: Uuid
    on_assigned: Callable[[Now], None] | None


class DirectoryAssignments:
    """`broker_epoch()` is this broker's, `is_replica()` says whether it holds a replica as far as it knows."""

    def __init__(
        self,
        *,
        broker_id: BrokerId,
        broker_epoch: Callable[[], int],
        is_replica: Callable[[Replica], bool],
        channel: ControllerChannel,
        random: Random,
        log: Callable[[str, str], None],
    ) -> None:
        self._broker_id, self._broker_epoch, self._is_replica = broker_id, broker_epoch, is_replica
        self._channel, self._random, self._log = channel, random, log
        self._ready: dict[Replica, _Assignment] = {}
        self._sent: dict[Replica, _Assignment] = {}
        self._failures = 0
        self._send_at_ms = NEVER_MS

    @property
    def pending(self) -> int:
        """Assignments that the controller has not confirmed."""
        return len(self._ready) + len(self._sent)

    def assign(
        self, replica: Replica, directory: Uuid, now: Now, on_assigned: Callable[[Now], None] | None = None
    ) -> None:
        """A replica lives in a folder; `on_assigned` is called once the controller knows."""
        self._ready[replica] = _Assignment(directory, on_assigned)
        self._plan(now)

    @property
    def next_deadline_ms(self) -> int:
        """When `on_time` must be called at the latest (monotonic)."""
        return self._send_at_ms

    def on_time(self, now: Now) -> None:
        """Send what is ready, once it is due."""
        if now.monotonic_ms < self._send_at_ms:
            return
        self._send_at_ms = NEVER_MS
        if not self._sent:
            self._send(now)

    def _plan(self, now: Now) -> None:
        """When to send next: soon, so that more may join; at once with a full request; later after failures."""
        if self._sent:
            return  # the response will plan
        pause_ms = BACKOFF_MS
        if self._failures:
            pause_ms = min(BACKOFF_MS << (self._failures - 1), LONGEST_BACKOFF_MS)
            width = pause_ms // JITTER_DIVISOR
            pause_ms += self._random.randrange(-width, width + 1)
        elif len(self._ready) > MOST_IN_A_REQUEST:
            pause_ms = 0
        self._send_at_ms = min(self._send_at_ms, now.monotonic_ms + pause_ms)

    def _send(self, now: Now) -> None:
        while self._ready and len(self._sent) < MOST_IN_A_REQUEST:
            replica = next(iter(self._ready))
            assignment = self._ready.pop(replica)
            if self._is_replica(replica):
                self._sent[replica] = assignment
        if self._sent:
            request = _request(self._broker_id, self._broker_epoch(), self._sent)
            self._channel.request(ApiKey.ASSIGN_REPLICAS_TO_DIRS, request, self._on_outcome, now)

    def _on_outcome(self, outcome: AssignReplicasToDirsResponse | PeerLost, now: Now) -> None:
        sent, self._sent = self._sent, {}
        if isinstance(outcome, PeerLost) or outcome.error_code != ErrorCode.NONE:
            self._failures += 1
            self._log("ERROR", f"{len(sent)} replicas were not assigned to their folders: {_why(outcome)}; retrying")
        else:
            self._failures = 0
            for replica in _confirmed(outcome):
                assignment = sent.pop(replica, None)
                if assignment is not None and assignment.on_assigned is not None:
                    assignment.on_assigned(now)
        for replica, assignment in sent.items():
            self._ready.setdefault(replica, assignment)
        if self._ready:
            self._plan(now)


def _request(
    broker_id: BrokerId, broker_epoch: int, assignments: Mapping[Replica, _Assignment]
) -> AssignReplicasToDirsRequest:
    """Grouped by folder and topic, in the order of the assignments."""
    folders: dict[Uuid, dict[Uuid, list[int]]] = {}
    for (topic_id, partition), one in assignments.items():
        folders.setdefault(one.directory, {}).setdefault(topic_id, []).append(partition)
    return AssignReplicasToDirsRequest(
        broker_id=broker_id,
        broker_epoch=broker_epoch,
        directories=tuple(
            DirectoryData(
                id=folder,
                topics=tuple(
                    TopicData(topic_id=topic_id, partitions=tuple(PartitionData(partition_index=at) for at in found))
                    for topic_id, found in topics.items()
                ),
            )
            for folder, topics in folders.items()
        ),
    )


def _confirmed(response: AssignReplicasToDirsResponse) -> list[Replica]:
    return [
        (topic.topic_id, partition.partition_index)
        for folder in response.directories
        for topic in folder.topics
        for partition in topic.partitions
        if partition.error_code == ErrorCode.NONE
    ]


def _why(outcome: Any) -> str:
    return outcome.reason if isinstance(outcome, PeerLost) else ErrorCode(outcome.error_code).name

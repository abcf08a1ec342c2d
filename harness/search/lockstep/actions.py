"""What a client does in a sequence, in terms that mean the same on every target.

A sequence is written before it is played, so it cannot hold what a target makes up: ids of topics, producers, members
and sessions stand in it as a Ref, which the player fills in with what that target answered. Names of topics and groups
are labels, which the player makes unique to one playing of the sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reference_broker.wire.compression import Compression


class Kind(StrEnum):
    """What a Ref stands for."""

    NAME = "name"
    """The real name of a label, in a field that the schema does not mark as one (a config resource's name)."""
    TOPIC_ID = "topic_id"
    PRODUCER_ID = "producer_id"
    MEMBER_ID = "member_id"
    GENERATION = "generation"
    SESSION_ID = "session_id"


@dataclass(frozen=True, slots=True)
class Ref:
    """Something that the target made up, and what the sequence calls it. Unlearned ones have a fixed value."""

    kind: Kind
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenBatch:
    """A record batch to be written, in place of its bytes."""

    values: tuple[str | None, ...] = ("a",)
    key: str | None = None
    timestamp: int = 1_700_000_000_000
    """Of the first record (ms); the next ones follow by a millisecond each."""
    base_offset: int = 0
    producer_id: Ref | int = -1
    producer_epoch: int = -1
    base_sequence: int = -1
    compression: Compression = Compression.NONE
    log_append_time: bool = False
    is_transactional: bool = False
    is_control: bool = False
    damage: str = ""
    """What is wrong with the bytes: "" for nothing, else one of harness.search.lockstep.bytes.DAMAGES."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request by the raw client."""

    message: Any
    """A request's message class, with Refs and WrittenBatches in their places."""
    version: int
    client: int = 0
    """Which of the sequence's connections; requests on one are answered in order."""
    learns: tuple[tuple[str, Ref], ...] = ()
    """Path in the answer, as "topics.0.topic_id" or "topics.=orders.topic_id", and what its value is from now on."""
    may_wait: bool = False
    """Whether the answer may wait for another client (JoinGroup, SyncGroup): then the sequence goes on without it."""
    waits_ms: int | None = None
    """How long the answer may wait for something to happen (Fetch): its pace is compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """A clean restart of the node."""


Action = Request | Restart
Actions = Sequence[Action]

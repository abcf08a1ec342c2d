"""The actions of a sequence, independent of the target that it is played on.

A sequence is generated before it is played, so it cannot contain values that the target assigns. Ids of topics,
producers, members and sessions are written as a Ref, which the player replaces with the value from that target's
answers. Names of topics and groups are labels, which the player replaces with names that are unique to each run of the
sequence.
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
    """The real name of a label, in a field that the schema does not mark as a topic or group (a config resource)."""
    TOPIC_ID = "topic_id"
    PRODUCER_ID = "producer_id"
    MEMBER_ID = "member_id"
    GENERATION = "generation"
    SESSION_ID = "session_id"


@dataclass(frozen=True, slots=True)
class Ref:
    """A value that the target assigns, under a label. Until it is known, a fixed value (UNLEARNED) is used."""

    kind: Kind
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenBatch:
    """A record batch to be encoded by the player."""

    values: tuple[str | None, ...] = ("a",)
    key: str | None = None
    timestamp: int = 1_700_000_000_000
    """Timestamp of the first record in ms; each following record is 1 ms later."""
    base_offset: int = 0
    producer_id: Ref | int = -1
    producer_epoch: int = -1
    base_sequence: int = -1
    compression: Compression = Compression.NONE
    log_append_time: bool = False
    is_transactional: bool = False
    is_control: bool = False
    damage: str = ""
    """The damage done to the bytes, a key of harness.search.lockstep.bytes.DAMAGES; "" for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request of the raw client."""

    message: Any
    """The request message, with Refs and WrittenBatches in place of values."""
    version: int
    client: int = 0
    """The number of the connection. Requests on one connection are answered in order."""
    node: int = 0
    """The id of the node that gets it; 0 for the first of the cluster that accepts a connection."""
    learns: tuple[tuple[str, Ref], ...] = ()
    """(path in the answer, Ref that gets the value there). Paths: "topics.0.topic_id", or "topics.=orders.topic_id" for
    the element with this label as its name."""
    may_wait: bool = False
    """Whether the answer may wait for another client (JoinGroup, SyncGroup). The sequence then goes on."""
    waits_ms: int | None = None
    """How long the broker may hold the answer back (Fetch); whether it did is compared. None for not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """A clean restart of the node."""


class Fault(StrEnum):
    """What happens to one node of several."""

    KILL = "kill"
    STOP = "stop"
    """A clean stop."""
    START = "start"


@dataclass(frozen=True, slots=True)
class NodeFault:
    """A fault of a node, at the same point of the sequence on each target; then both clusters settle. Nothing where the
    node is in that state already."""

    fault: Fault
    node: int


Action = Request | Restart | NodeFault
Actions = Sequence[Action]

"""What clients and faults did: the operations of a history, the only thing that checkers look at.

An operation that takes time is two lines: its invoke, and its completion, which names the invoke (`of`). What an
operation carries depends on `f`:

| f | of its invoke | of its completion |
|---|---|---|
| send | Send | Acknowledged; nothing when it failed or is unknown |
| poll, final_read | nothing | Polled |
| commit | Commit | nothing |
| assign, seek, subscribe | Assign, Seek, Subscribe | nothing |
| txn | Transaction | Transaction, with what its micro-operations returned |
| acquire, acknowledge | nothing, ShareAcknowledged | ShareAcquired, nothing |
| an API's name, as create_topics | AdminCall | AdminCall, with what was answered |
| a fault's name, heal | FaultAct | FaultAct, with its proof |

Single lines of type ok tell what a client or the run learned: assigned, revoked, lost, producer_id, retries,
partition_states, final_end, phase, retired (a client that met a fatal error: another process takes its place).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

NEMESIS = "nemesis"
"""Name of the process that injects faults."""
ADMIN = "admin"
"""The process of an administrator's requests: the run's own, and those of faults."""
EARLIEST = -2
"""As an offset: the start of the log."""
UNKNOWN = -1
"""An offset, epoch or id that is not known."""


class OpType(StrEnum):
    """The type of an operation (Jepsen's words)."""

    INVOKE = "invoke"
    OK = "ok"
    FAIL = "fail"
    """It certainly did not happen."""
    INFO = "info"
    """It may have happened, or may still; also the type of what the nemesis has done."""


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A record as a consumer saw it."""

    offset: int
    value: str
    """The unique name with which the value starts; for bytes that hold none, their start, escaped."""
    key: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    timestamp: int = -1
    """Milliseconds since 1970."""
    checksum: int = 0
    """CRC-32C of the whole value."""
    leader_epoch: int = UNKNOWN
    """Leader epoch of its batch, if the client has it."""


class Send(msgspec.Struct, frozen=True, gc=False, tag="send", tag_field="is"):
    """What a producer wants to write. `value` is unique in the whole history."""

    topic: str
    partition: int
    value: str
    key: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    timestamp: int = -1
    checksum: int = 0


class Acknowledged(msgspec.Struct, frozen=True, gc=False, tag="ack", tag_field="is"):
    """Where the broker says that a record stands. Offset -1: it did not say (acks=0)."""

    partition: int
    offset: int
    timestamp: int = -1


class PartitionRecords(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Records of one partition, in the order in which a poll returned them."""

    topic: str
    partition: int
    records: tuple[Record, ...]


class Polled(msgspec.Struct, frozen=True, gc=False, tag="polled", tag_field="is"):
    """What one poll returned; empty when it timed out without a record."""

    partitions: tuple[PartitionRecords, ...] = ()


class Assign(msgspec.Struct, frozen=True, gc=False, tag="assign", tag_field="is"):
    """From here on the process reads these partitions, without a group: (topic, partition, offset or EARLIEST)."""

    partitions: tuple[tuple[str, int, int], ...]


class Seek(msgspec.Struct, frozen=True, gc=False, tag="seek", tag_field="is"):
    """The process reads a partition on from an offset."""

    topic: str
    partition: int
    offset: int


class Subscribe(msgspec.Struct, frozen=True, gc=False, tag="subscribe", tag_field="is"):
    """A new client of the process joins a group; its earlier assignment no longer counts."""

    group: str
    topics: tuple[str, ...]


class Assigned(msgspec.Struct, frozen=True, gc=False, tag="assigned", tag_field="is"):
    """Partitions that the group gave to the process, beside those that it keeps."""

    group: str
    partitions: tuple[tuple[str, int], ...]
    generation: int = UNKNOWN
    """Of a classic group; of a consumer group the member epoch."""
    member: str = ""
    """The member id."""


class Revoked(msgspec.Struct, frozen=True, gc=False, tag="revoked", tag_field="is"):
    """Partitions that the group takes from the process, which may still commit."""

    group: str
    partitions: tuple[tuple[str, int], ...]
    generation: int = UNKNOWN
    member: str = ""


class Lost(msgspec.Struct, frozen=True, gc=False, tag="lost", tag_field="is"):
    """Partitions that the process learned to have lost: others may own them already."""

    group: str
    partitions: tuple[tuple[str, int], ...]
    generation: int = UNKNOWN
    member: str = ""


AssignmentChange = Assigned | Revoked | Lost


class Commit(msgspec.Struct, frozen=True, gc=False, tag="commit", tag_field="is"):
    """Offsets that a group commits: (topic, partition, next offset to read)."""

    group: str
    offsets: tuple[tuple[str, int, int], ...]


class FinalEnd(msgspec.Struct, frozen=True, gc=False, tag="end", tag_field="is"):
    """How far the final read of a partition came. `reached` is the next offset to read; `end` where the log ended."""

    topic: str
    partition: int
    start: int
    end: int
    reached: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to read."""
        return self.reached >= self.end


class ProducerIdentity(msgspec.Struct, frozen=True, gc=False, tag="producer", tag_field="is"):
    """The producer id and epoch that the process writes with from here on; -1 while it has none."""

    producer_id: int
    epoch: int
    transactional_id: str = ""
    is_prompt: bool = True
    """Whether the library tells of a new one before it reports what it sent with it."""


class Retries(msgspec.Struct, frozen=True, gc=False, tag="retries", tag_field="is"):
    """How many records a producer sent again during its life, at least, as its library counts them."""

    count: int


class PartitionState(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A partition as Metadata told it."""

    topic: str
    partition: int
    leader: int
    leader_epoch: int
    replicas: tuple[int, ...]
    isr: tuple[int, ...]


class PartitionStates(msgspec.Struct, frozen=True, gc=False, tag="states", tag_field="is"):
    """What Metadata told of the partitions under check at one moment."""

    partitions: tuple[PartitionState, ...]


class AdminCall(msgspec.Struct, frozen=True, gc=False, tag="admin", tag_field="is"):
    """A request of an administrator."""

    api: str
    """As its schema names it: "CreateTopics"."""
    parameters: dict[str, str] = {}
    """What it asks for; of a completion also "answer", the name of its error code, where one came."""

    @property
    def details(self) -> str:
        """ "topic orders, partitions 2 → NONE"; without an answer where none came."""
        told = ", ".join(f"{name} {value}" for name, value in self.parameters.items() if name != "answer")
        return f"{told} → {self.parameters['answer']}" if "answer" in self.parameters else told

    @property
    def sentence(self) -> str:
        """ "CreateTopics: topic orders, partitions 2 → NONE"."""
        return f"{self.api}: {self.details}"


class MicroOperation(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One step of a transaction: f is send, poll or commit."""

    f: str
    value: Send | Acknowledged | Polled | Commit | None = None


class Transaction(msgspec.Struct, frozen=True, gc=False, tag="txn", tag_field="is"):
    """A transaction: what it does in order, and how it is meant to end."""

    transactional_id: str
    operations: tuple[MicroOperation, ...]
    ends: str
    """ "commit" or "abort"."""
    producer_id: int = UNKNOWN
    epoch: int = UNKNOWN


class ShareDelivery(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A record that a share group's member acquired."""

    record: Record
    delivery_count: int
    lock_until_ms: int = UNKNOWN
    """When the member's lock ends, in ms since 1970."""


class ShareAcquired(msgspec.Struct, frozen=True, gc=False, tag="acquired", tag_field="is"):
    """What a member of a share group acquired in one partition."""

    group: str
    member: str
    topic: str
    partition: int
    deliveries: tuple[ShareDelivery, ...]


class ShareAcknowledged(msgspec.Struct, frozen=True, gc=False, tag="share_ack", tag_field="is"):
    """What a member of a share group says of records that it acquired: (offset, accept, release or reject)."""

    group: str
    member: str
    topic: str
    partition: int
    acknowledgements: tuple[tuple[int, str], ...]


class FaultAct(msgspec.Struct, frozen=True, gc=False, tag="fault", tag_field="is", kw_only=True):
    """What the nemesis does to the cluster: written before the act without a proof, and after it with one."""

    kind: str
    """ "kill", "partition", …"""
    nodes: tuple[int, ...] = ()
    """Ids of the nodes that it strikes."""
    links: tuple[tuple[str, str], ...] = ()
    """Ordered pairs "who no longer hears whom": ("node 1", "node 2"), ("clients", "node 2")."""
    parameters: dict[str, str] = {}
    proof: str = ""
    """How it is known that it took effect, as a sentence; of a heal, what was done."""

    @property
    def sentence(self) -> str:
        """ "kill nodes 1, 2", "partition: between node 1 and nodes 2, 3"; without the proof."""
        told = self.kind
        if self.nodes:
            told += f" {_named(tuple(f'node {node}' for node in self.nodes))}"
        if self.links:
            told += f": {_between(self.links)}"
        if self.parameters:
            said = (value if name == "on" else f"{name} {value}" for name, value in self.parameters.items())
            told += f" ({', '.join(said)})"
        return told


def _between(links: tuple[tuple[str, str], ...]) -> str:
    """ "between node 2 and nodes 1, 3", or where one direction is meant "from nodes 1, 3 to node 2"."""
    heard: dict[str, list[str]] = {}
    for who, whom in links:
        heard.setdefault(who, []).append(whom)
    sides: dict[tuple[str, ...], list[str]] = {}
    for who, whom_all in heard.items():
        sides.setdefault(tuple(whom_all), []).append(who)
    told: dict[str, None] = {}
    pairs = [(tuple(hearing), silent) for silent, hearing in sides.items()]
    for one, other in pairs:
        if (other, one) not in pairs:
            told[f"from {_named(other)} to {_named(one)}"] = None
        elif (len(one), one) <= (len(other), other):
            told[f"between {_named(one)} and {_named(other)}"] = None
    return ", ".join(told)


def _named(names: tuple[str, ...]) -> str:
    """ "node 1", "nodes 1, 2", "nodes 1, 2 and clients"."""
    nodes = [name.removeprefix("node ") for name in names if name.startswith("node ")]
    others = [name for name in names if not name.startswith("node ")]
    told = [f"node{'s' if len(nodes) > 1 else ''} {', '.join(nodes)}"] if nodes else []
    return " and ".join([*told, *others])


Value = (
    Send
    | Acknowledged
    | Polled
    | Assign
    | Seek
    | Subscribe
    | Assigned
    | Revoked
    | Lost
    | Commit
    | FinalEnd
    | ProducerIdentity
    | Retries
    | PartitionStates
    | AdminCall
    | Transaction
    | ShareAcquired
    | ShareAcknowledged
    | FaultAct
    | str
    | None
)


class Operation(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One line of a history."""

    index: int = -1
    time_ns: int = 0
    """Since the start of the history, by the run's clock, which never goes back."""
    process: str
    kind: OpType
    f: str
    """What was done; see the table above."""
    value: Value = None
    error: str | None = None
    of: int | None = None
    """In a completion, the index of its invoke."""

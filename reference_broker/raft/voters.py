"""Who votes in the metadata quorum, and who did at each offset of its log (KIP-595, KIP-853).

A voter set in the log counts from the moment it is appended, not only once it is committed; when its record is
truncated, the set before it counts again.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import pairwise
from typing import Final, Generic, NamedTuple, TypeVar

from msgspec import Struct

from reference_broker.wire.messages.voters_record import Endpoint as EndpointMessage
from reference_broker.wire.messages.voters_record import KRaftVersionFeature, VotersRecord
from reference_broker.wire.messages.voters_record import Voter as VoterMessage
from reference_broker.wire.primitives import ZERO_UUID, BrokerId, Uuid

NEWEST_KRAFT_VERSION: Final = 1


class ReplicaKey(NamedTuple):
    """A replica of the metadata log: a node, and the folder it keeps the log in. ZERO_UUID stands for any folder."""

    node_id: int
    directory_id: Uuid = ZERO_UUID


class VoterEndpoint(NamedTuple):
    """Where a voter listens for other controllers."""

    listener: str
    host: str
    port: int


class Voter(Struct, frozen=True, kw_only=True):
    """A member of a voter set, and the kraft.version levels it supports."""

    key: ReplicaKey
    endpoints: tuple[VoterEndpoint, ...] = ()
    min_kraft_version: int = 0
    max_kraft_version: int = NEWEST_KRAFT_VERSION

    @property
    def node_id(self) -> int:
        """The voter's node id."""
        return self.key.node_id

    def is_replica(self, key: ReplicaKey) -> bool:
        """Whether a replica is this voter. A voter whose folder is not known is any replica of its node."""
        if self.key.directory_id == ZERO_UUID:
            return self.key.node_id == key.node_id
        return self.key == key

    def endpoint(self, listener: str) -> VoterEndpoint | None:
        """Its address on a listener; None where it has none there."""
        return next((one for one in self.endpoints if one.listener == listener), None)


class VoterSet(Struct, frozen=True):
    """A set of voters, by node id. Made by `of`."""

    voters: tuple[Voter, ...] = ()

    @classmethod
    def of(cls, voters: Iterable[Voter]) -> VoterSet:
        """A set of these voters. ValueError where two have one node id."""
        ordered = tuple(sorted(voters, key=lambda voter: voter.node_id))
        for before, after in pairwise(ordered):
            if before.node_id == after.node_id:
                raise ValueError(f"node {after.node_id} is in the voter set twice")
        return cls(ordered)

    @classmethod
    def static(cls, listener: str, addresses: Iterable[tuple[int, str, int]]) -> VoterSet:
        """The voters of controller.quorum.voters, as (node id, host, port): their folders are not known."""
        return cls.of(
            Voter(key=ReplicaKey(node_id), endpoints=(VoterEndpoint(listener, host, port),), max_kraft_version=0)
            for node_id, host, port in addresses
        )

    @classmethod
    def from_record(cls, record: VotersRecord) -> VoterSet:
        """The set that a VotersRecord describes."""
        return cls.of(
            Voter(
                key=ReplicaKey(voter.voter_id, voter.voter_directory_id),
                endpoints=tuple(VoterEndpoint(one.name, one.host, one.port) for one in voter.endpoints),
                min_kraft_version=voter.k_raft_version_feature.min_supported_version,
                max_kraft_version=voter.k_raft_version_feature.max_supported_version,
            )
            for voter in record.voters
        )

    def to_record(self) -> VotersRecord:
        """The VotersRecord that describes this set."""
        return VotersRecord(
            voters=tuple(
                VoterMessage(
                    voter_id=BrokerId(voter.node_id),
                    voter_directory_id=voter.key.directory_id,
                    endpoints=tuple(
                        EndpointMessage(name=one.listener, host=one.host, port=one.port) for one in voter.endpoints
                    ),
                    k_raft_version_feature=KRaftVersionFeature(
                        min_supported_version=voter.min_kraft_version, max_supported_version=voter.max_kraft_version
                    ),
                )
                for voter in self.voters
            )
        )

    def __len__(self) -> int:
        return len(self.voters)

    def __bool__(self) -> bool:
        return bool(self.voters)

    @property
    def ids(self) -> tuple[int, ...]:
        """The voters' node ids, ascending."""
        return tuple(voter.node_id for voter in self.voters)

    @property
    def keys(self) -> tuple[ReplicaKey, ...]:
        """The voters' replicas, by node id."""
        return tuple(voter.key for voter in self.voters)

    @property
    def majority(self) -> int:
        """How many voters are more than half."""
        return len(self.voters) // 2 + 1

    def get(self, node_id: int) -> Voter | None:
        """The voter of a node; None where the node has no vote."""
        return next((voter for voter in self.voters if voter.node_id == node_id), None)

    def is_voter(self, key: ReplicaKey) -> bool:
        """Whether a replica votes."""
        voter = self.get(key.node_id)
        return voter is not None and voter.is_replica(key)

    def is_only_voter(self, key: ReplicaKey) -> bool:
        """Whether a replica is all of the quorum."""
        return len(self.voters) == 1 and self.is_voter(key)

    def supports(self, kraft_version: int) -> bool:
        """Whether every voter supports a kraft.version."""
        return all(voter.min_kraft_version <= kraft_version <= voter.max_kraft_version for voter in self.voters)

    def overlaps(self, other: VoterSet) -> bool:
        """Whether any majority of one set meets any majority of the other.

        So it is where they differ by one voter at most. A node with another folder is another voter.
        """
        ours, theirs = self.keys, other.keys
        gone = sum(key not in theirs for key in ours)
        new = sum(key not in ours for key in theirs)
        return gone <= 1 and new <= 1

    def with_added(self, voter: Voter) -> VoterSet | None:
        """The set with one more voter; None where its node is in the set already."""
        return None if self.get(voter.node_id) is not None else VoterSet.of((*self.voters, voter))

    def with_removed(self, key: ReplicaKey) -> VoterSet | None:
        """The set without a voter; None where it is not in the set as it is named, or is the last one."""
        found = self.get(key.node_id)
        if found is None or found.key != key or len(self.voters) == 1:
            return None
        return VoterSet(tuple(voter for voter in self.voters if voter is not found))

    def with_updated(self, voter: Voter) -> VoterSet | None:
        """The set with other endpoints or versions of a voter; None where that replica is not in the set."""
        found = self.get(voter.node_id)
        if found is None or not found.is_replica(voter.key):
            return None
        return self._replaced(voter)

    def with_updated_node(self, voter: Voter) -> VoterSet | None:
        """The same by node id alone: so a static voter comes to its folder (kraft.version 0 to 1)."""
        return None if self.get(voter.node_id) is None else self._replaced(voter)

    def _replaced(self, voter: Voter) -> VoterSet:
        return VoterSet(tuple(voter if one.node_id == voter.node_id else one for one in self.voters))


T = TypeVar("T")


class History(Generic[T]):
    """A value by log offset: each holds from its offset to the next one's."""

    def __init__(self) -> None:
        self._offsets: list[int] = []
        self._values: list[T] = []

    @property
    def last_offset(self) -> int | None:
        """The offset of the last entry; None without any."""
        return self._offsets[-1] if self._offsets else None

    def add(self, offset: int, value: T) -> None:
        """Note a value. ValueError for an offset that is not above the last one, unless it is that one again."""
        if self._offsets and offset < self._offsets[-1]:
            raise ValueError(f"an entry at offset {offset} cannot follow that at offset {self._offsets[-1]}")
        if self._offsets and offset == self._offsets[-1]:
            self._values[-1] = value
            return
        self._offsets.append(offset)
        self._values.append(value)

    def at(self, offset: int) -> T | None:
        """The value that holds at an offset; None before the first."""
        index = bisect_right(self._offsets, offset) - 1
        return self._values[index] if index >= 0 else None

    @property
    def last(self) -> T | None:
        """The last value; None without any."""
        return self._values[-1] if self._values else None

    def truncate_to(self, end_offset: int) -> None:
        """Forget entries at and above the log's new end."""
        index = bisect_left(self._offsets, end_offset)
        del self._offsets[index:], self._values[index:]

    def trim_to(self, start_offset: int) -> None:
        """Forget entries below the log's new start, but keep the one that holds there."""
        index = bisect_right(self._offsets, start_offset) - 1
        if index > 0:
            del self._offsets[:index], self._values[:index]

    def clear(self) -> None:
        """Forget all entries."""
        del self._offsets[:], self._values[:]


class VoterHistory:
    """The voter sets and the kraft.version by offset. Where the log names no voters, the static ones count.

    What a snapshot says stands at its last offset: -1 for what the storage tool wrote (the snapshot 0-0).
    """

    def __init__(self, static: VoterSet | None = None) -> None:
        self.static = VoterSet() if static is None else static
        self._sets: History[VoterSet] = History()
        self._versions: History[int] = History()

    @property
    def latest(self) -> VoterSet:
        """The voters that count now."""
        last = self._sets.last
        return last if last is not None and last.voters else self.static

    @property
    def latest_offset(self) -> int | None:
        """The offset of the last voter set in the log; None while the static voters count."""
        return self._sets.last_offset

    @property
    def kraft_version(self) -> int:
        """The kraft.version that counts now."""
        return self._versions.last or 0

    @property
    def kraft_version_offset(self) -> int | None:
        """The offset of the last kraft.version in the log; None without any."""
        return self._versions.last_offset

    def at(self, offset: int) -> VoterSet:
        """The voters that count for a log which ends with this offset."""
        return self._sets.at(offset) or self.static

    def is_in_log(self, offset: int) -> bool:
        """Whether the voters that count at an offset come from the log, not from the configuration."""
        return self._sets.at(offset) is not None

    def kraft_version_at(self, offset: int) -> int:
        """The kraft.version that counts for a log which ends with this offset."""
        return self._versions.at(offset) or 0

    def add(self, offset: int, voters: VoterSet) -> None:
        """A VotersRecord stands at an offset."""
        self._sets.add(offset, voters)

    def add_kraft_version(self, offset: int, version: int) -> None:
        """A KRaftVersionRecord stands at an offset."""
        self._versions.add(offset, version)

    def truncate_to(self, end_offset: int) -> None:
        """The log was cut at its end."""
        self._sets.truncate_to(end_offset)
        self._versions.truncate_to(end_offset)

    def trim_to(self, start_offset: int) -> None:
        """The log was cut at its start."""
        self._sets.trim_to(start_offset)
        self._versions.trim_to(start_offset)

    def clear(self) -> None:
        """Forget what the log said: a snapshot replaces it."""
        self._sets.clear()
        self._versions.clear()

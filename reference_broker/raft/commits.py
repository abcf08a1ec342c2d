"""Telling listeners what is committed and who leads (KIP-595).

Each listener gets every committed batch once and in order, from a snapshot or the log, at the start and later alike.
Much of it comes in slices, so that a node serves others meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from reference_broker.environment import Now
from reference_broker.raft.frames import CommittedBatch
from reference_broker.raft.leader import Leader
from reference_broker.raft.member import AnyRole, Member
from reference_broker.raft.resigned import Resigned
from reference_broker.raft.serving import FORMATTED
from reference_broker.raft.snapshots import SnapshotId
from reference_broker.wire.metadata_records import VersionedRecord

BATCHES_AT_ONCE: Final = 256
NOTHING_TOLD: Final = -1


class QuorumListener(Protocol):
    """A state machine over the metadata log. What it raises stops the member; nothing may be half applied then."""

    def on_commit(self, batches: Sequence[CommittedBatch], now: Now) -> None:
        """The next committed batches, control batches among them."""

    def on_snapshot(
        self, snapshot_id: SnapshotId, records: Iterator[VersionedRecord], now: Now
    ) -> Callable[[Now], bool] | None:
        """The state before the snapshot's end, in place of all that was told before.

        None where it was taken; else what takes the next part of it: called until it says that it took the last one.
        """

    def on_leader(self, leader_id: int | None, epoch: int, now: Now) -> None:
        """Who leads. The own node only once its leader change was told as committed, and so all before that.

        None at once when it resigns.
        """


@dataclass(slots=True)
class _Loading:
    """A snapshot that a listener has not taken to its end."""

    end_offset: int
    go_on: Callable[[Now], bool]


@dataclass(slots=True)
class _Told:
    listener: QuorumListener
    next_offset: int = NOTHING_TOLD
    loading: _Loading | None = None
    leader_id: int | None = None
    epoch: int = NOTHING_TOLD
    is_found: bool = False
    """Whether it was known where the leader listens: one of an earlier run is first known by its id alone."""


class Commits:
    """The listeners, and how far each was told."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._told: list[_Told] = []
        self._read: dict[int, tuple[CommittedBatch, ...]] = {}
        self._all_told: tuple[int, AnyRole, int | None, bool] | None = None
        """The high watermark and the role that every listener knows of; None where one may not."""
        self.bytes_told = 0
        """Bytes of the batches that the first listener was told."""
        self.has_more = False
        """Whether `tell` has more to tell, and others may be served before."""

    def add(self, listener: QuorumListener) -> None:
        """It is told from the beginning."""
        self._told.append(_Told(listener))
        self._all_told = None

    def tell(self, now: Now) -> None:
        """Bring every listener nearer to the high watermark, none beyond one before it; then tell it of the leader."""
        mark, role = self._member.high_watermark, self._member.role
        known = (mark, role, role.leader_id, isinstance(role, Leader) and role.is_asked_to_resign)
        if known == self._all_told:
            return
        self._all_told, has_told = None, False
        limit = mark
        for told in self._told:
            if told.next_offset < limit:
                has_told = self._tell_commits(told, limit, now) or has_told
            limit = min(limit, told.next_offset)
            self._tell_leader(told, now)
        self._read, self.has_more = {}, has_told and limit < mark
        if self._member.role is role and limit >= mark:
            self._all_told = known

    def _tell_commits(self, told: _Told, limit: int, now: Now) -> bool:
        """Tell the next part of what is committed before `limit`; whether there was something to tell."""
        store, loading = self._member.store, told.loading
        if loading is not None:
            if loading.go_on(now):
                told.loading, told.next_offset = None, loading.end_offset
            return True
        if told.next_offset == NOTHING_TOLD or told.next_offset < store.log_start_offset:
            latest = store.latest_snapshot
            if latest is not None and latest != FORMATTED:
                return self._tell_snapshot(told, latest, limit, now)
            told.next_offset = 0
        batches = self._batches(told.next_offset, limit)
        if not batches:
            return False
        told.next_offset = batches[-1].last_offset + 1
        if told is self._told[0]:
            self.bytes_told += sum(batch.size_in_bytes for batch in batches)
        told.listener.on_commit(batches, now)
        return True

    def _tell_snapshot(self, told: _Told, latest: SnapshotId, limit: int, now: Now) -> bool:
        if latest.end_offset > limit:
            return False  # a listener before this one is not there yet
        go_on = told.listener.on_snapshot(latest, self._member.store.snapshot_records(latest), now)
        if go_on is None:
            told.next_offset = latest.end_offset
        else:
            told.loading = _Loading(latest.end_offset, go_on)
        return True

    def _batches(self, offset: int, mark: int) -> tuple[CommittedBatch, ...]:
        """The next batches; read once for all listeners."""
        found = self._read.get(offset)
        if found is None:
            found = tuple(islice(self._member.store.batches(offset, mark), BATCHES_AT_ONCE))
            self._read = {offset: found}
        return found

    def _tell_leader(self, told: _Told, now: Now) -> None:
        role = self._member.role
        if isinstance(role, Leader) and not role.is_asked_to_resign:
            leader_id = role.leader_id if told.next_offset > role.epoch_start_offset else None
        elif isinstance(role, (Leader, Resigned)):
            leader_id = None
        else:
            leader_id = role.leader_id
        is_found = leader_id is not None and self._member.peer(leader_id, role.leader_endpoints) is not None
        if (leader_id, role.epoch, is_found) != (told.leader_id, told.epoch, told.is_found):
            told.leader_id, told.epoch, told.is_found = leader_id, role.epoch, is_found
            told.listener.on_leader(leader_id, role.epoch, now)

"""How a follower replicates the leader's log, and finds the leader where it knows none (KIP-595, KIP-630).

A fetch acknowledges all before its offset. So a member that votes, or may come to vote, fetches only when its log is on
stable storage, and never has two fetches on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from reference_broker.effects import Halt, Outbox, Peer
from reference_broker.environment import Now, Random
from reference_broker.raft import messages
from reference_broker.raft.follower import Follower
from reference_broker.raft.log_flush import LogFlush
from reference_broker.raft.member import Member
from reference_broker.raft.snapshot_files import SnapshotDownload
from reference_broker.raft.snapshots import SnapshotId
from reference_broker.raft.transitions import Event
from reference_broker.waiting import NEVER_MS
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_response import FetchResponse
from reference_broker.wire.messages.fetch_snapshot_response import FetchSnapshotResponse
from reference_broker.wire.primitives import MalformedRequest

CHANNEL: Final = "raft-fetch"
"""Fetches have a connection of their own, so that a vote does not wait behind a fetch that the leader holds back."""

DISCOVERY_MS: Final = 50
"""How often a member that looks for the leader asks. Kafka asks again as soon as it has an answer."""


class Fetching:
    """`bootstrap` are the servers to ask where no leader is known, or the known one does not answer."""

    def __init__(
        self, member: Member, flush: LogFlush, outbox: Outbox, random: Random, bootstrap: tuple[Peer, ...]
    ) -> None:
        self._member, self._flush, self._outbox, self._random = member, flush, outbox, random
        self._bootstrap = bootstrap
        self._ask_ms = 0
        self._turn: int | None = None
        """Which of the bootstrap servers was asked last; None for none."""
        self.after: Callable[[Now], None] = lambda now: None
        """Called once a downloaded snapshot is the log's beginning."""

    # -- what is due --------------------------------------------------------------------------------------------

    def act_follower(self, role: Follower, now: Now) -> int:
        """Fetch from the leader; a voter that has waited too long asks for pre-votes."""
        member = self._member
        is_voter = member.is_voter
        if is_voter and now.monotonic_ms >= role.fetch_deadline_ms and not member.is_shutting_down:
            member.become_prospective(Event.FETCH_TIMEOUT, now)
            return now.monotonic_ms
        if not is_voter and now.monotonic_ms >= role.fetch_deadline_ms:
            # Kafka's observers refuse pre-votes for ever. But a candidate's log may name this one as a voter already.
            role.has_fetched = False
        is_awaited = role.has_fetched if not is_voter else not member.is_shutting_down
        next_ms = role.fetch_deadline_ms if is_awaited else NEVER_MS
        if role.download is not None and role.download.is_received:
            if not role.download.is_whole:
                self._check_some(role, role.download, now)
                return now.monotonic_ms
            return next_ms
        if member.connections.in_flight or not self._is_durable():
            return next_ms
        leader = member.peer(role.leader_id, role.leader_endpoints)
        if leader is None:
            return min(next_ms, self.ask_bootstrap(now))
        if member.connections.is_pausing(leader, now):
            again_ms = member.connections.ready_ms(leader, now)
            return min(next_ms, NEVER_MS if again_ms is None else again_ms, self.ask_bootstrap(now))
        self._fetch_from(leader, role)
        return next_ms

    def _is_durable(self) -> bool:
        if self._flush.is_done or not (self._member.settings.may_become_voter or self._member.is_voter):
            return True
        self._flush.start()
        return False

    def _fetch_from(self, peer: Peer, role: Follower | None) -> None:
        member = self._member
        if role is None or role.download is None:
            member.connections.send(
                peer,
                ApiKey.FETCH,
                messages.make_fetch_request(member),
                self._on_fetch_response,
                channel=CHANNEL,
                max_wait_ms=member.settings.fetch_max_wait_ms,
            )
            return
        wanted, position = role.download.snapshot_id, role.download.position
        request = messages.make_fetch_snapshot_request(member, wanted.end_offset, wanted.epoch, position)
        member.connections.send(peer, ApiKey.FETCH_SNAPSHOT, request, self._on_snapshot_response, channel=CHANNEL)

    def ask_bootstrap(self, now: Now) -> int:
        """Fetch from one of the bootstrap servers, so as to learn who leads; the time of the next attempt.

        They are asked by turns, the first one drawn by chance. Kafka draws each time (RequestManager), so that where
        most of them are cut off, each for a request timeout, there is no bound on how long it looks for the leader.
        """
        member, servers = self._member, self._bootstrap
        if not servers or member.connections.in_flight or not self._is_durable():
            return NEVER_MS
        if now.monotonic_ms < self._ask_ms:
            return self._ask_ms
        first = self._random.randrange(0, len(servers)) if self._turn is None else self._turn + 1
        next_ms = NEVER_MS
        for at in range(len(servers)):
            turn = (first + at) % len(servers)
            server = servers[turn]
            ready_ms = member.connections.ready_ms(server, now)
            if ready_ms == now.monotonic_ms:
                self._turn = turn
                self._ask_ms = now.monotonic_ms + DISCOVERY_MS
                self._fetch_from(server, None)
                return NEVER_MS
            if ready_ms is not None:
                next_ms = min(next_ms, ready_ms)
        return next_ms

    # -- Fetch --------------------------------------------------------------------------------------------------

    def _on_fetch_response(self, response: FetchResponse, now: Now) -> bool:
        member = self._member
        partition: Any = None if response.error_code else messages.only_fetched(response.responses)
        if partition is None or partition.partition_index != 0:
            return False
        current = partition.current_leader
        leader_id, endpoints = messages.named_leader(member, current.leader_id, response.node_endpoints)
        if member.take_common(partition.error_code, current.leader_epoch, leader_id, endpoints, now):
            return False
        role = member.role
        if partition.error_code != ErrorCode.NONE or not isinstance(role, Follower):
            return False
        if partition.diverging_epoch.epoch >= 0:
            is_fine = self._truncate(partition.diverging_epoch.epoch, partition.diverging_epoch.end_offset)
        elif partition.snapshot_id.epoch >= 0 and partition.snapshot_id.end_offset >= 0:
            self._begin_download(role, SnapshotId(partition.snapshot_id.end_offset, partition.snapshot_id.epoch))
            is_fine = True
        else:
            is_fine = self._append(partition.records, role, now)
            self._raise_high_watermark(partition.high_watermark)
        role.note_fetched(now.monotonic_ms + member.settings.fetch_timeout_ms)
        return is_fine

    def _truncate(self, epoch: int, end_offset: int) -> bool:
        """The leader's log has nothing of later epochs, and `epoch` ended there: cut to what both have."""
        member, store = self._member, self._member.store
        if epoch == 0:
            offset = min(end_offset, store.end_offset)
        else:
            found, own_end = store.end_offset_for_epoch(epoch)
            offset = min(own_end, end_offset) if found == epoch else own_end
        if offset < member.high_watermark:
            self._outbox.put(
                Halt(f"the leader asks to truncate to {offset}, below the high watermark {member.high_watermark}")
            )
            return False
        store.truncate_to(offset, high_watermark=max(member.high_watermark, 0))
        member.log("INFO", f"truncated the metadata log to offset {offset}: epoch {epoch} ended there at the leader")
        return True

    def _append(self, records: Any, role: Follower, now: Now) -> bool:
        if not records:
            return True
        try:
            self._member.store.append_as_follower(records, now.wall_ms, leader_epoch=role.epoch)
        except MalformedRequest as error:
            self._member.log("ERROR", f"the leader {role.leader_id} sent records that cannot be appended: {error}")
            return False
        return True

    def _raise_high_watermark(self, leaders: int) -> None:
        member = self._member
        if leaders >= 0:
            member.high_watermark = max(member.high_watermark, min(leaders, member.store.end_offset))

    # -- FetchSnapshot ------------------------------------------------------------------------------------------

    def _begin_download(self, role: Follower, wanted: SnapshotId) -> None:
        self.abandon_download(role)
        role.download = self._member.store.begin_download(wanted)
        self._member.log("INFO", f"fetching the snapshot {wanted.file_name} from the leader {role.leader_id}")

    def abandon_download(self, role: Follower) -> None:
        """Give up a snapshot that was being fetched. One that is being flushed is dropped once that is done."""
        if role.download is not None:
            if not role.download.is_whole:
                role.download.abandon()
            role.download = None

    def _on_snapshot_response(self, response: FetchSnapshotResponse, now: Now) -> bool:
        member = self._member
        is_one = not response.error_code and len(response.topics) == 1 and len(response.topics[0].partitions) == 1
        if not is_one or response.topics[0].name != messages.NAME or response.topics[0].partitions[0].index != 0:
            return False
        partition = response.topics[0].partitions[0]
        current = partition.current_leader
        leader_id, endpoints = messages.named_leader(member, current.leader_id, response.node_endpoints)
        if member.take_common(partition.error_code, current.leader_epoch, leader_id, endpoints, now):
            return False
        role = member.role
        if not isinstance(role, Follower) or role.download is None:
            return False
        if partition.error_code not in (ErrorCode.NONE, ErrorCode.SNAPSHOT_NOT_FOUND, ErrorCode.POSITION_OUT_OF_RANGE):
            return False
        got = SnapshotId(partition.snapshot_id.end_offset, partition.snapshot_id.epoch)
        if partition.error_code != ErrorCode.NONE or got != role.download.snapshot_id:
            # The leader has dropped it since: ask it anew where to begin.
            self.abandon_download(role)
        elif not self._take_bytes(role, partition):
            return False
        role.note_fetched(now.monotonic_ms + member.settings.fetch_timeout_ms)
        return True

    def _take_bytes(self, role: Follower, partition: Any) -> bool:
        download = role.download
        assert download is not None
        try:
            download.append(partition.position, partition.unaligned_records)
        except MalformedRequest as error:
            self._refuse_snapshot(role, error)
            return False
        download.is_received = download.position >= partition.size
        return True

    def _refuse_snapshot(self, role: Follower, error: MalformedRequest) -> None:
        self._member.log("ERROR", f"the snapshot from the leader {role.leader_id} is refused: {error}")
        self.abandon_download(role)

    def _check_some(self, role: Follower, download: SnapshotDownload, now: Now) -> None:
        """Look at a part of a snapshot that has come; flush it after the last part."""
        member = self._member
        try:
            is_whole = download.check_some()
        except MalformedRequest as error:
            self._refuse_snapshot(role, error)
            if (leader := member.peer(role.leader_id, role.leader_endpoints)) is not None:
                member.connections.pause(leader, now)
            return
        role.note_fetched(now.monotonic_ms + member.settings.fetch_timeout_ms)  # it is not the leader that takes time
        if is_whole:
            self._outbox.flush((download,), partial(self._on_snapshot_flushed, role, download))

    def _on_snapshot_flushed(self, role: Follower, download: SnapshotDownload, error: OSError | None, now: Now) -> None:
        member = self._member
        if error is not None:
            self._outbox.put(Halt(f"cannot write a snapshot of the metadata log: {error}"))
        elif member.role is not role or role.download is not download:
            member.store.drop_snapshot(download)
        else:
            role.download = None
            member.store.truncate_to_snapshot(download.snapshot_id)
            member.high_watermark = max(member.high_watermark, download.snapshot_id.end_offset)
            role.note_fetched(now.monotonic_ms + member.settings.fetch_timeout_ms)
            self.after(now)

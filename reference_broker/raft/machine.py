"""This node's membership in the metadata quorum, as a machine without IO (KIP-595, KIP-630, KIP-853, KIP-996).

Requests of peers, outcomes of own requests and flushes, and time come in by methods; requests to peers, flushes and a
halt go out to the `Outbox`. Each input ends by doing all that is due in the present role, until nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from reference_broker.effects import Outbox, Peer
from reference_broker.environment import Now, Random
from reference_broker.raft.candidate import Candidate
from reference_broker.raft.commits import Commits, QuorumListener
from reference_broker.raft.connections import Connections
from reference_broker.raft.description import describe
from reference_broker.raft.elections import Elections
from reference_broker.raft.fetching import Fetching
from reference_broker.raft.follower import Follower
from reference_broker.raft.joining import Joining
from reference_broker.raft.leader import Leader
from reference_broker.raft.leading import Leading
from reference_broker.raft.log_flush import LogFlush
from reference_broker.raft.member import AnyRole, Member
from reference_broker.raft.prospective import Prospective
from reference_broker.raft.resigned import Resigned
from reference_broker.raft.serving import Serving
from reference_broker.raft.settings import Identity, QuorumSettings
from reference_broker.raft.snapshot_writing import SnapshotWriting
from reference_broker.raft.snapshots import SnapshotId
from reference_broker.raft.store import MetadataStore
from reference_broker.raft.transitions import Event, Role
from reference_broker.raft.unattached import Unattached
from reference_broker.raft.voter_changes import VoterChanges
from reference_broker.raft.voters import VoterSet
from reference_broker.waiting import Later
from reference_broker.wire.messages.add_raft_voter_request import AddRaftVoterRequest
from reference_broker.wire.messages.add_raft_voter_response import AddRaftVoterResponse
from reference_broker.wire.messages.begin_quorum_epoch_request import BeginQuorumEpochRequest
from reference_broker.wire.messages.begin_quorum_epoch_response import BeginQuorumEpochResponse
from reference_broker.wire.messages.describe_quorum_request import DescribeQuorumRequest
from reference_broker.wire.messages.describe_quorum_response import DescribeQuorumResponse
from reference_broker.wire.messages.end_quorum_epoch_request import EndQuorumEpochRequest
from reference_broker.wire.messages.end_quorum_epoch_response import EndQuorumEpochResponse
from reference_broker.wire.messages.fetch_request import FetchRequest
from reference_broker.wire.messages.fetch_response import FetchResponse
from reference_broker.wire.messages.fetch_snapshot_request import FetchSnapshotRequest
from reference_broker.wire.messages.fetch_snapshot_response import FetchSnapshotResponse
from reference_broker.wire.messages.remove_raft_voter_request import RemoveRaftVoterRequest
from reference_broker.wire.messages.remove_raft_voter_response import RemoveRaftVoterResponse
from reference_broker.wire.messages.update_raft_voter_request import UpdateRaftVoterRequest
from reference_broker.wire.messages.update_raft_voter_response import UpdateRaftVoterResponse
from reference_broker.wire.messages.vote_request import VoteRequest
from reference_broker.wire.messages.vote_response import VoteResponse
from reference_broker.wire.metadata_records import VersionedRecord

CLEAN_MS = 60_000
"""How often old snapshots are looked for."""


class Quorum:
    """Made by `open`. Any method may raise OSError: then the disk is in doubt and the node must halt."""

    def __init__(self, member: Member, outbox: Outbox, random: Random, bootstrap: tuple[Peer, ...], now: Now) -> None:
        self._member = member
        self._flush = LogFlush(member.store, outbox)
        self._serving = Serving(member)
        self._leading = Leading(member, self._flush, self._serving)
        self._changes = VoterChanges(member, self._leading, self._serving, outbox)
        self._elections = Elections(member)
        self._fetching = Fetching(member, self._flush, outbox, random, bootstrap)
        self._joining = Joining(member)
        self._commits = Commits(member)
        self._snapshots = SnapshotWriting(member.store, outbox)
        self._is_settling = self._is_stale = False
        self._deadline_ms = now.monotonic_ms
        self._clean_ms = now.monotonic_ms + CLEAN_MS
        self._snapshot_offset, self._snapshot_ms = 0, now.monotonic_ms
        self._bytes_since_snapshot = 0
        member.connections.after = self._changes.after = self._fetching.after = self._settle
        member.on_role_left = self._on_role_left
        self._leading.on_high_watermark = self._changes.on_high_watermark
        self._flush.after = self._on_flushed

    @classmethod
    def open(
        cls,
        *,
        store: MetadataStore,
        identity: Identity,
        settings: QuorumSettings,
        bootstrap_servers: Sequence[tuple[str, int]] = (),
        random: Random,
        outbox: Outbox,
        log: Callable[[str, str], None],
        now: Now,
    ) -> Quorum:
        """Begin in the role that the quorum-state file names; the only voter asks for its own vote at once.

        `store` was opened with the static voters, if there are any. Without bootstrap servers the static voters are
        asked for the leader. `log` takes a level and a line.
        """
        connections = Connections(
            outbox, request_timeout_ms=settings.request_timeout_ms, retry_backoff_ms=settings.retry_backoff_ms
        )
        member = Member(
            store=store,
            identity=identity,
            settings=settings,
            random=random,
            connections=connections,
            log=log,
            now=now,
        )
        known = [Peer(-1, host, port) for host, port in bootstrap_servers] or [
            Peer(voter.node_id, one.host, one.port)
            for voter in store.voters.static.voters
            for one in voter.endpoints
            if voter.node_id != identity.node_id and one.listener == identity.listener
        ]
        own = {(one.host, one.port) for one in identity.endpoints}
        bootstrap = tuple(peer for peer in known if (peer.host, peer.port) not in own)
        quorum = cls(member, outbox, random, bootstrap, now)
        if member.voters.is_only_voter(member.key) and not isinstance(member.role, Candidate):
            member.become_prospective(Event.ONLY_VOTER, now)
        quorum._settle(now)
        return quorum

    # -- what others may know -----------------------------------------------------------------------------------

    @property
    def role(self) -> Role:
        """This member's role in the present epoch."""
        return self._member.role.ROLE

    @property
    def leader_epoch(self) -> int:
        """The present epoch."""
        return self._member.epoch

    @property
    def leader_id(self) -> int | None:
        """The leader of the present epoch; None where it is not known."""
        return self._member.role.leader_id

    @property
    def is_leader(self) -> bool:
        """Whether this member leads the present epoch. Listeners learn it later: see `QuorumListener.on_leader`."""
        return isinstance(self._member.role, Leader)

    @property
    def is_voter(self) -> bool:
        """Whether this member votes."""
        return self._member.is_voter

    @property
    def high_watermark(self) -> int:
        """The offset behind the last record that is known to be committed; -1 where none is known yet."""
        return self._member.high_watermark

    @property
    def standing(self) -> tuple[int, int, bool]:
        """The high watermark, the present epoch, and whether this member leads it."""
        role = self._member.role
        return self._member.high_watermark, role.epoch, type(role) is Leader

    @property
    def end_offset(self) -> int:
        """The offset that the next record would get."""
        return self._member.store.end_offset

    @property
    def log_end(self) -> tuple[int, int]:
        """The epoch of the last record and `end_offset`, by which logs are compared when votes are asked for."""
        return self._member.store.last_epoch, self._member.store.end_offset

    @property
    def voters(self) -> VoterSet:
        """The voters that count now."""
        return self._member.voters

    @property
    def voter_ids(self) -> tuple[int, ...]:
        """The node ids of the voters that count now."""
        return tuple(self._member.voters.ids)

    @property
    def kraft_version(self) -> int:
        """0: the voters are static; 1: they are in the log."""
        return self._member.store.voters.kraft_version

    def leader(self) -> Peer | None:
        """Where the present leader listens for controllers; None where that is not known."""
        role = self._member.role
        return None if role.leader_id is None else self._member.peer(role.leader_id, role.leader_endpoints)

    def next_deadline_ms(self) -> int:
        """The monotonic time at which `on_time` is to be called, if nothing else comes before."""
        return self._deadline_ms

    def add_listener(self, listener: QuorumListener, now: Now) -> None:
        """Tell a listener all that is committed, from the beginning, and from now on."""
        self._commits.add(listener)
        self._settle(now)

    # -- inputs -------------------------------------------------------------------------------------------------

    def on_time(self, now: Now) -> None:
        """Time has passed."""
        self._snapshots.go_on()
        self._settle(now)

    def on_vote(self, request: VoteRequest, version: int, listener: str, now: Now) -> VoteResponse:
        """A voter asks for a vote or a pre-vote."""
        response = self._elections.on_vote(request, version, listener, now)
        self._settle(now)
        return response

    def on_begin_quorum_epoch(
        self, request: BeginQuorumEpochRequest, version: int, listener: str, now: Now
    ) -> BeginQuorumEpochResponse:
        """A leader announces its epoch."""
        response = self._elections.on_begin(request, version, listener, now)
        self._settle(now)
        return response

    def on_end_quorum_epoch(
        self, request: EndQuorumEpochRequest, version: int, listener: str, now: Now
    ) -> EndQuorumEpochResponse:
        """A leader announces that it has resigned."""
        response = self._elections.on_end(request, version, listener, now)
        self._settle(now)
        return response

    def on_fetch(self, request: FetchRequest, version: int, listener: str, now: Now) -> FetchResponse | Later:
        """A replica of the metadata log fetches."""
        response = self._serving.on_fetch(request, version, listener, now)
        self._settle(now)
        return response

    def on_fetch_snapshot(
        self, request: FetchSnapshotRequest, version: int, listener: str, now: Now
    ) -> FetchSnapshotResponse:
        """A replica fetches a part of a snapshot."""
        response = self._serving.on_fetch_snapshot(request, version, listener, now)
        self._settle(now)
        return response

    def on_add_raft_voter(self, request: AddRaftVoterRequest, now: Now) -> AddRaftVoterResponse | Later:
        """An administrator, or a controller that joins by itself, adds a voter."""
        response = self._changes.on_add(request, now)
        self._settle(now)
        return response

    def on_remove_raft_voter(self, request: RemoveRaftVoterRequest, now: Now) -> RemoveRaftVoterResponse | Later:
        """An administrator removes a voter."""
        response = self._changes.on_remove(request, now)
        self._settle(now)
        return response

    def on_update_raft_voter(self, request: UpdateRaftVoterRequest, listener: str, now: Now) -> UpdateRaftVoterResponse:
        """A voter describes itself."""
        response = self._changes.on_update(request, listener, now)
        self._settle(now)
        return response

    def describe(self, request: DescribeQuorumRequest, version: int, now: Now) -> DescribeQuorumResponse:
        """The quorum as its leader sees it."""
        return describe(self._member, request, version, now)

    # -- the controller -----------------------------------------------------------------------------------------

    def append(self, records: Sequence[VersionedRecord], epoch: int, now: Now, must_last: bool = True) -> int:
        """Append records as one batch, so they count together or not at all; returns the offset of the last one.

        They are committed once `high_watermark` is above it. NOT_CONTROLLER where this node does not lead `epoch`.
        `must_last` False is for records that nobody waits for: their flush may wait for that of others.
        """
        last = self._leading.append(records, epoch, now, must_last=must_last)
        self._settle(now)
        return last

    def upgrade_kraft_version(self, epoch: int, kraft_version: int, now: Now, *, is_dry_run: bool = False) -> bool:
        """Raise kraft.version, for UpdateFeatures; see `VoterChanges.upgrade`."""
        is_new = self._changes.upgrade(epoch, kraft_version, is_dry_run=is_dry_run, now=now)
        self._settle(now)
        return is_new

    def resign(self, epoch: int, now: Now) -> None:
        """Give up the leadership of an epoch; nothing where another one has begun."""
        role = self._member.role
        if isinstance(role, Leader) and role.epoch == epoch:
            role.is_asked_to_resign = True
            self._settle(now)

    def shut_down(self, now: Now) -> None:
        """Take no part in elections any more; a leader resigns and tells the others."""
        self._member.is_shutting_down = True
        self._settle(now)

    @property
    def may_stop(self) -> bool:
        """After `shut_down`: whether nobody waits for this member any more. Stop at a deadline in any case."""
        member = self._member
        is_followed = member.role.leader_id in (None, member.node_id)
        return not member.is_voter or len(member.voters) == 1 or not is_followed

    # -- snapshots ----------------------------------------------------------------------------------------------

    def is_snapshot_due(self, now: Now) -> bool:
        """Whether enough was committed, or enough time went by, since the last snapshot."""
        settings = self._member.settings
        if self._snapshots.is_running or self._commits.bytes_told <= self._bytes_since_snapshot:
            return False
        interval_ms = settings.snapshot_max_interval_ms
        is_late = interval_ms > 0 and now.monotonic_ms - self._snapshot_ms >= interval_ms
        return is_late or self._commits.bytes_told - self._bytes_since_snapshot >= settings.snapshot_max_new_bytes

    def write_snapshot(self, records: Iterable[VersionedRecord], offset: int, epoch: int, now: Now) -> None:
        """Write the state behind the committed record at `offset`, of `epoch`; then drop what is too old.

        That goes on in slices, which take the records one by one; the snapshot counts once it is on stable storage.
        """
        member = self._member
        if offset >= member.high_watermark:
            raise ValueError(f"a snapshot behind {offset} is above the high watermark {member.high_watermark}")
        self._snapshots.begin(SnapshotId(offset + 1, epoch), records, now)
        self._bytes_since_snapshot, self._snapshot_ms = self._commits.bytes_told, now.monotonic_ms
        self._settle(now)

    def close(self, now: Now) -> None:
        """Flush and release the log."""
        self._member.store.close(now.wall_ms)

    # -- doing what is due --------------------------------------------------------------------------------------

    def _settle(self, now: Now) -> None:
        """Do all that is due, tell the listeners, and note when something will be due next."""
        if self._is_settling:
            self._is_stale = True
            return
        self._is_settling = True
        try:
            while True:
                self._is_stale = False
                role = self._member.role
                deadline_ms = self._act(role, now)
                if self._member.role is role:
                    self._commits.tell(now)
                    if not self._is_stale and self._member.role is role:
                        break
        finally:
            self._is_settling = False
        if now.monotonic_ms >= self._clean_ms:
            self._clean_ms = now.monotonic_ms + CLEAN_MS
            self._member.store.clean(now.wall_ms)
        has_more = self._snapshots.has_more or self._commits.has_more
        self._deadline_ms = now.monotonic_ms if has_more else min(deadline_ms, self._clean_ms)

    def _act(self, role: AnyRole, now: Now) -> int:
        if isinstance(role, Leader):
            deadline_ms = self._leading.act(role, now)
            if self._member.role is not role:
                return deadline_ms
            return min(deadline_ms, self._changes.act(role, now), self._elections.act_leader(role, now))
        if isinstance(role, Follower):
            return min(self._joining.act(role, now), self._fetching.act_follower(role, now))
        if isinstance(role, Unattached):
            deadline_ms = self._elections.act_unattached(role, now)
            if self._member.role is not role:
                return deadline_ms
            return min(deadline_ms, self._fetching.ask_bootstrap(now))
        if isinstance(role, Candidate):
            if role.ballot.is_won:
                self._leading.lead(now)
                return now.monotonic_ms
            return self._elections.act_candidate(role, now)
        if isinstance(role, Prospective):
            return self._elections.act_prospective(role, now)
        assert isinstance(role, Resigned)
        return self._elections.act_resigned(role, now)

    def _on_flushed(self, now: Now) -> None:
        self._leading.on_flushed(now)
        self._settle(now)

    def _on_role_left(self, role: AnyRole, now: Now) -> None:
        if isinstance(role, Leader):
            self._changes.on_role_left(role)
            self._serving.answer_parked()
        elif isinstance(role, Follower):
            self._fetching.abandon_download(role)

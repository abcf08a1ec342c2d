"""What a member of the quorum, and its log, are told by the configuration."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from reference_broker.raft.voters import ReplicaKey, Voter, VoterEndpoint
from reference_broker.settings.broker_config import BrokerConfig

FETCH_BYTES_BEFORE: Final = 8 << 20
"""What a member of the quorum fetched at once before 4.3."""
BATCH_BYTES_BEFORE: Final = 8 << 20
"""The largest batch of the metadata log in 4.0."""


class QuorumSettings(Struct, frozen=True, kw_only=True):
    """The settings controller.quorum.*; times in ms, sizes in bytes, defaults as Kafka's.

    `append_linger_ms` is how long appended records wait for others before they are flushed and handed to followers.
    `may_become_voter` is true for a node with the controller role.
    """

    election_timeout_ms: int = 1000
    fetch_timeout_ms: int = 2000
    election_backoff_max_ms: int = 1000
    append_linger_ms: int = 25
    request_timeout_ms: int = 2000
    retry_backoff_ms: int = 20
    fetch_max_wait_ms: int = 500
    fetch_max_bytes: int = 1 << 20
    fetch_snapshot_max_bytes: int = 1 << 20
    snapshot_max_new_bytes: int = 20 << 20
    snapshot_max_interval_ms: int = 3_600_000
    auto_join: bool = False
    may_become_voter: bool = True

    @classmethod
    def of(cls, config: BrokerConfig) -> QuorumSettings:
        """From a node's configuration."""
        return cls(
            election_timeout_ms=config.number("controller.quorum.election.timeout.ms"),
            fetch_timeout_ms=config.number("controller.quorum.fetch.timeout.ms"),
            election_backoff_max_ms=config.number("controller.quorum.election.backoff.max.ms"),
            append_linger_ms=config.number("controller.quorum.append.linger.ms"),
            request_timeout_ms=config.number("controller.quorum.request.timeout.ms"),
            retry_backoff_ms=config.number("controller.quorum.retry.backoff.ms"),
            fetch_max_bytes=config.number("controller.quorum.fetch.max.bytes", before=FETCH_BYTES_BEFORE),
            fetch_snapshot_max_bytes=config.number(
                "controller.quorum.fetch.snapshot.max.bytes", before=FETCH_BYTES_BEFORE
            ),
            snapshot_max_new_bytes=config.number("metadata.log.max.record.bytes.between.snapshots"),
            snapshot_max_interval_ms=config.number("metadata.log.max.snapshot.interval.ms"),
            auto_join=config.flag("controller.quorum.auto.join.enable", before=False),
            may_become_voter="controller" in config.roles,
        )


class StoreSettings(Struct, frozen=True, kw_only=True):
    """The metadata log's settings. Times in ms, sizes in bytes; a retention of -1 has no limit."""

    segment_bytes: int = 1 << 30
    segment_ms: int = 604_800_000
    max_batch_bytes: int = 8 * 1024 * 1024
    retention_bytes: int = 100 * 1024 * 1024
    retention_ms: int = 604_800_000

    @classmethod
    def of(cls, config: BrokerConfig) -> StoreSettings:
        """From a node's configuration."""
        return cls(
            segment_bytes=config.number("metadata.log.segment.bytes"),
            segment_ms=config.number("metadata.log.segment.ms"),
            max_batch_bytes=config.number("internal.metadata.max.batch.size.in.bytes", before=BATCH_BYTES_BEFORE),
            retention_bytes=config.number("metadata.max.retention.bytes"),
            retention_ms=config.number("metadata.max.retention.ms"),
        )


class Identity(Struct, frozen=True, kw_only=True):
    """Who a member is. `listener` is the name of the listener on which members of the quorum talk."""

    key: ReplicaKey
    cluster_id: str
    listener: str
    endpoints: tuple[VoterEndpoint, ...] = ()

    @property
    def node_id(self) -> int:
        """The node id."""
        return self.key.node_id

    @property
    def voter(self) -> Voter:
        """This member as a voter set would name it."""
        return Voter(key=self.key, endpoints=self.endpoints)

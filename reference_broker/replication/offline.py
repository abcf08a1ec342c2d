"""A partition that cannot be served: its log folder has failed (KIP-112), or it is no longer hosted."""

from __future__ import annotations

from typing import Final

from reference_broker.wire.errors import ErrorCode


class Loaded:
    """The log is open; metadata has not said yet who leads."""

    code: Final = ErrorCode.NOT_LEADER_OR_FOLLOWER


class Offline:
    """The log folder has failed."""

    code: Final = ErrorCode.KAFKA_STORAGE_ERROR


class Dropped:
    """The topic was deleted, or the replica moved to another broker."""

    code: Final = ErrorCode.NOT_LEADER_OR_FOLLOWER

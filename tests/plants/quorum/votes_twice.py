"""Votes for everybody who asks.

**Bug** A vote that was given in this epoch is not thought of.

**Rejected by**
`python -m harness simulate`: leads the quorum in epoch
"""

from __future__ import annotations

from reference_broker.raft.prospective import Prospective
from reference_broker.raft.unattached import Unattached
from reference_broker.raft.voters import ReplicaKey


def plant() -> None:
    """Plants it."""

    def may_grant(self: object, candidate: ReplicaKey, *, is_log_up_to_date: bool, is_pre_vote: bool) -> bool:
        return is_log_up_to_date

    Unattached.may_grant = may_grant  # type: ignore[method-assign]
    Prospective.may_grant = may_grant  # type: ignore[method-assign]

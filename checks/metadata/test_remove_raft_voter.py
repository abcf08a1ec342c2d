"""RemoveRaftVoter (key 81) takes a controller's vote in the metadata quorum.

**Claim** A voter is removed only if the voters can change at all (kraft.version 1) and it is one by its id and its
directory id. Any other request is refused, and the voters stay as they are.
**Why it matters** A controller that got a new disk has a new directory id; a late request to remove what it was before
must not remove it.
**Kafka says** Protocol guide, RemoveRaftVoter; KIP-853.
**Cannot see** A voter that is removed: metadata/voters_change. A node that does not lead the quorum.
**Rejects** tests/plants/removes_voters_that_are_not_there.py
"""

from __future__ import annotations

from typing import Any

import pytest

from checks.metadata.quorum_requests import ANOTHER_DIRECTORY, STRANGER, own_voter, quorum, require_fixed, voters
from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import variants
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.remove_raft_voter_request import RemoveRaftVoterRequest
from reference_broker.wire.primitives import ZERO_UUID, Uuid

pytestmark = [
    pytest.mark.feature("RemoveRaftVoter"),
    pytest.mark.kip(853),
    pytest.mark.document("Protocol guide, RemoveRaftVoter", "https://kafka.apache.org/protocol.html"),
]
dynamic = pytest.mark.cluster(has_dynamic_voters=True)


def request(voter: int, directory: Uuid, *, cluster_id: str | None = None) -> RemoveRaftVoterRequest:
    return RemoveRaftVoterRequest(cluster_id=cluster_id, voter_id=voter, voter_directory_id=directory)


def require_refused(exchange: Exchange, words: str, asked: RemoveRaftVoterRequest, code: ErrorCode) -> None:
    before = voters(exchange)
    answer = exchange.ask(words, asked, 0)

    assert answer.error_code == code
    require(voters(exchange), before, "the quorum's voters")


def test_fixed_voters_stay(exchange: Exchange) -> None:
    """Where controller.quorum.voters lists the voters, none can be removed."""
    require_fixed(exchange)
    asked = request(own_voter(quorum(exchange)).replica_id, ANOTHER_DIRECTORY)
    require_refused(exchange, "a voter", asked, ErrorCode.UNSUPPORTED_VERSION)


@variants("cluster_id", another="another", empty="")
def test_another_clusters_request_is_refused(exchange: Exchange, cluster_id: str) -> None:
    """A request that names another cluster has come to the wrong place."""
    asked = request(own_voter(quorum(exchange)).replica_id, ANOTHER_DIRECTORY, cluster_id=cluster_id)
    require_refused(exchange, f"cluster {cluster_id!r}", asked, ErrorCode.INCONSISTENT_CLUSTER_ID)


@variants("asked", no_directory=lambda: request(1, ZERO_UUID), negative_id=lambda: request(-2, ANOTHER_DIRECTORY))
def test_a_voter_that_cannot_be_is_refused(exchange: Exchange, asked: Any) -> None:
    """A voter has an id and a directory id; that is looked at first."""
    require_refused(exchange, "a voter that cannot be", asked(), ErrorCode.INVALID_REQUEST)


@dynamic
@variants("directory", another=False, own=True)
def test_what_is_no_voter_is_not_removed(exchange: Exchange, directory: bool) -> None:
    """An id that no voter has, also with a voter's directory."""
    own = own_voter(quorum(exchange))
    asked = request(STRANGER, own.replica_directory_id if directory else ANOTHER_DIRECTORY)
    require_refused(exchange, "no voter", asked, ErrorCode.VOTER_NOT_FOUND)


@dynamic
def test_another_directory_is_another_voter(exchange: Exchange) -> None:
    """A voter's id with another directory is a voter that has gone."""
    asked = request(own_voter(quorum(exchange)).replica_id, ANOTHER_DIRECTORY)
    require_refused(exchange, "a voter's id with another directory", asked, ErrorCode.VOTER_NOT_FOUND)

"""AddRaftVoter (key 80) makes a controller that follows the metadata log a voter of its quorum.

**Claim** A controller becomes a voter only if the voters can change at all (kraft.version 1), no voter has its id, it
answers at the address that the request gives, and it has caught up with the metadata log. Any other request is refused,
and the voters stay as they are.
**Why it matters** A voter that does not answer or that lags behind costs the quorum a vote: with it, a majority may be
out of reach.
**Kafka says** Protocol guide, AddRaftVoter; KIP-853.
**Cannot see** A controller that is added: metadata/voters_change. A node that does not lead the quorum.
**Rejects** tests/plants/adds_voters_that_lag.py
"""

from __future__ import annotations

from typing import Any

import pytest

from checks.metadata.quorum_requests import ANOTHER_DIRECTORY, STRANGER, own_voter, quorum, require_fixed, voters
from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, variants
from harness.judging.outcome import require
from harness.targets.ports import free_ports
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.add_raft_voter_request import AddRaftVoterRequest, Listener
from reference_broker.wire.primitives import ZERO_UUID, Uuid

pytestmark = [
    pytest.mark.feature("AddRaftVoter"),
    pytest.mark.kip(853),
    pytest.mark.document("Protocol guide, AddRaftVoter", "https://kafka.apache.org/protocol.html"),
]
dynamic = pytest.mark.cluster(has_dynamic_voters=True)
TIMEOUT_MS = 5_000


def request(
    voter: int,
    directory: Uuid,
    *,
    cluster_id: str | None = None,
    port: int = 9,
    listener: str = "CONTROLLER",
    listeners: tuple[Listener, ...] | None = None,
) -> AddRaftVoterRequest:
    at = (Listener(name=listener, host="localhost", port=port),) if listeners is None else listeners
    return AddRaftVoterRequest(
        cluster_id=cluster_id, timeout_ms=TIMEOUT_MS, voter_id=voter, voter_directory_id=directory, listeners=at
    )


def require_refused(exchange: Exchange, words: str, asked: AddRaftVoterRequest, version: int, code: ErrorCode) -> None:
    before = voters(exchange)
    answer = exchange.ask(words, asked, version, waits_ms=TIMEOUT_MS)

    assert answer.error_code == code
    require(voters(exchange), before, "the quorum's voters")


@all_versions(0, 1)
def test_fixed_voters_stay(exchange: Exchange, version: int) -> None:
    """Where controller.quorum.voters lists the voters, none can be added."""
    require_fixed(exchange)
    asked = request(STRANGER, ANOTHER_DIRECTORY)
    require_refused(exchange, "a controller", asked, version, ErrorCode.UNSUPPORTED_VERSION)


@variants("cluster_id", another="another", empty="")
@all_versions(0, 1)
def test_another_clusters_request_is_refused(exchange: Exchange, version: int, cluster_id: str) -> None:
    """A request that names another cluster has come to the wrong place."""
    asked = request(STRANGER, ANOTHER_DIRECTORY, cluster_id=cluster_id)
    require_refused(exchange, f"cluster {cluster_id!r}", asked, version, ErrorCode.INCONSISTENT_CLUSTER_ID)


@variants(
    "asked",
    no_directory=lambda: request(STRANGER, ZERO_UUID),
    negative_id=lambda: request(-2, ANOTHER_DIRECTORY),
    no_listeners=lambda: request(STRANGER, ANOTHER_DIRECTORY, listeners=()),
    another_listener=lambda: request(STRANGER, ANOTHER_DIRECTORY, listener="ANOTHER"),
)
@all_versions(0, 1)
def test_a_voter_that_cannot_be_is_refused(exchange: Exchange, version: int, asked: Any) -> None:
    """A voter has an id, a directory id, and an endpoint on the listener of controllers; that is looked at first."""
    require_refused(exchange, "a voter that cannot be", asked(), version, ErrorCode.INVALID_REQUEST)


@dynamic
@variants("directory", own=True, another=False)
@all_versions(0, 1)
def test_nobody_votes_twice(exchange: Exchange, version: int, directory: bool) -> None:
    """The id of a voter is taken, whatever the directory."""
    own = own_voter(quorum(exchange))
    asked = request(own.replica_id, own.replica_directory_id if directory else ANOTHER_DIRECTORY)
    require_refused(exchange, "a voter", asked, version, ErrorCode.DUPLICATE_VOTER)


@dynamic
@all_versions(0, 1)
def test_a_controller_that_does_not_answer_is_not_added(exchange: Exchange, version: int) -> None:
    """The quorum's leader asks the new voter what it supports, and adds it only when it has answered."""
    (port,) = free_ports(1)
    asked = request(STRANGER, ANOTHER_DIRECTORY, port=port)
    require_refused(exchange, "a controller that is not there", asked, version, ErrorCode.REQUEST_TIMED_OUT)


@dynamic
@all_versions(0, 1)
def test_a_controller_that_has_not_caught_up_is_not_added(exchange: Exchange, version: int) -> None:
    """A controller that has never fetched the metadata log is not added, although one answers at its address."""
    answer = quorum(exchange)
    (leader,) = [node for node in answer.nodes if node.node_id == answer.topics[0].partitions[0].leader_id]
    asked = request(STRANGER, ANOTHER_DIRECTORY, port=leader.listeners[0].port)
    require_refused(exchange, "a controller that does not fetch", asked, version, ErrorCode.REQUEST_TIMED_OUT)

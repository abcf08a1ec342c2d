"""Admin requests by which faults change leaders, replicas and voters; any broker forwards them to the controller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from harness.clients.connection import RawConnection
from harness.history.admin_calls import admin_call
from harness.hosts import cluster_time as time
from harness.hosts.host import HostTrouble
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_reassignments_request import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
)
from reference_broker.wire.messages.elect_leaders_request import ElectLeadersRequest, TopicPartitions
from reference_broker.wire.messages.list_partition_reassignments_request import (
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsTopics,
)
from reference_broker.wire.primitives import BrokerId, MalformedRequest, TopicName

PREFERRED, UNCLEAN = 0, 1
"""Types of elections."""
_ANSWER_S = 10.0
_TIMEOUT_MS = 8_000
_EVERY_S = 0.25
AGAIN = (ErrorCode.NOT_CONTROLLER, ErrorCode.REQUEST_TIMED_OUT, ErrorCode.BROKER_NOT_AVAILABLE)
"""Error codes after which the request is sent again."""
T = TypeVar("T")


class NotYet(Exception):
    """A temporary answer, so ask again: no controller, no broker, or a change that has not taken effect yet."""


def persistently(work: Callable[[], T], timeout_s: float, complaint: str) -> T:
    """The result of a function, called again while it says NotYet. HostTrouble when that lasts too long."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return work()
        except NotYet as trouble:
            if time.monotonic() > deadline:
                raise HostTrouble(f"{complaint} within {timeout_s:g} s: {trouble}") from trouble
        time.sleep(_EVERY_S)


def ask(bootstrap: str, key: int, at_most: int, message: Any) -> Any:
    """The answer of the first broker that gives one; NotYet when none does."""
    trouble: Exception = ConnectionError("no address")
    for address in bootstrap.split(","):
        try:
            with RawConnection.to(address, client_id="nemesis", timeout_s=_ANSWER_S) as connection:
                return connection.request(key, connection.highest(key, at_most), message)
        except (OSError, MalformedRequest) as error:
            trouble = error
    raise NotYet(f"no broker of {bootstrap} answers: {trouble}")


def elect(bootstrap: str, topic: str, partition: int, election: int) -> None:
    """Elects a leader; does nothing if it leads already. HostTrouble when it is refused."""
    wanted = TopicPartitions(topic=TopicName(topic), partitions=(partition,))
    request = ElectLeadersRequest(election_type=election, topic_partitions=(wanted,), timeout_ms=_TIMEOUT_MS)
    asked = {"topic": topic, "partition": f"{partition}", "election": "unclean" if election == UNCLEAN else "preferred"}
    with admin_call("ElectLeaders", asked) as said:
        answer = ask(bootstrap, ApiKey.ELECT_LEADERS, 2, request)
        results = [result for one in answer.replica_election_results for result in one.partition_result]
        codes = [answer.error_code, *(result.error_code for result in results)]
        said.came(codes, (ErrorCode.ELECTION_NOT_NEEDED,))
    not_yet = (*AGAIN, ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE, ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE)
    require_done(codes, f"ElectLeaders of {topic}-{partition}", not_yet, (ErrorCode.ELECTION_NOT_NEEDED,))


def reassign(bootstrap: str, topic: str, partition: int, replicas: Sequence[int]) -> None:
    """Assigns replicas to a partition, the preferred leader first. HostTrouble when that is refused."""
    wanted = ReassignablePartition(partition_index=partition, replicas=tuple(BrokerId(node) for node in replicas))
    request = AlterPartitionReassignmentsRequest(
        timeout_ms=_TIMEOUT_MS, topics=(ReassignableTopic(name=TopicName(topic), partitions=(wanted,)),)
    )
    asked = {"topic": topic, "partition": f"{partition}", "replicas": ",".join(map(str, replicas))}
    with admin_call("AlterPartitionReassignments", asked) as said:
        answer = ask(bootstrap, ApiKey.ALTER_PARTITION_REASSIGNMENTS, 0, request)
        results = [result for one in answer.responses for result in one.partitions]
        codes = [answer.error_code, *(result.error_code for result in results)]
        said.came(codes)
    require_done(codes, f"AlterPartitionReassignments of {topic}-{partition} to {list(replicas)}", AGAIN)


def is_being_reassigned(bootstrap: str, topic: str, partition: int) -> bool:
    """Whether replicas of the partition are still added or removed."""
    wanted = ListPartitionReassignmentsTopics(name=TopicName(topic), partition_indexes=(partition,))
    request = ListPartitionReassignmentsRequest(timeout_ms=_TIMEOUT_MS, topics=(wanted,))
    answer = ask(bootstrap, ApiKey.LIST_PARTITION_REASSIGNMENTS, 0, request)
    require_done([answer.error_code], f"ListPartitionReassignments of {topic}-{partition}", AGAIN)
    return any(one.partitions for one in answer.topics)


def require_done(codes: Sequence[int], what: str, not_yet: Sequence[int], also_good: Sequence[int] = ()) -> None:
    """NotYet for a temporary error, HostTrouble for any other error that does not count as success."""
    for code in codes:
        if code in not_yet:
            raise NotYet(f"{what}: {ErrorCode(code).name}")
        if code and code not in also_good:
            raise HostTrouble(f"{what}: {ErrorCode(code).name}")

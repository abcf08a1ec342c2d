"""The members of a group share a topic's partitions; groups are independent of each other.

**Claim** If three consumers of a group read three partitions, each has one; a fourth consumer has none; and when one
leaves, another takes over its partition. Together they get every record. A record that is sent while the assignment is
stable is delivered once, to the member that has its partition. Another group gets every record, too.

**Why it matters** A group can do more work with more consumers, and a new application can read a topic without
affecting others.

**Kafka says** documentation, "Consumers"; consumer configuration group.id.

**Cannot see** which member gets which partition: the assignor decides. Records that are delivered twice when the
assignment changes, which Kafka allows.

**Rejects** tests/plants/finds_no_committed_offset.py, tests/plants/two_members_own_a_partition.py
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.clients.client import Library
from harness.clients.group_members import GroupMembers
from harness.clients.operators.operator import Operator
from harness.clients.transfer import Outgoing, produce
from harness.hosts import cluster_time as time
from harness.judging.outcome import BrokenPromise, require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("JoinGroup"),
    pytest.mark.claim("G1", "G5"),
    pytest.mark.document(
        "consumer configuration group.id", "https://kafka.apache.org/documentation/#consumerconfigs_group.id"
    ),
    pytest.mark.document("Kafka documentation, Consumers", "https://kafka.apache.org/documentation/"),
]
PARTITIONS = 3
QUIET_S = 0.5
"""How long the check waits after the last order for one that is delivered twice."""
ORDERS = [Outgoing(value=b"order %d" % number, partition=number % PARTITIONS) for number in range(90)]


@pytest.fixture
def topic(cluster: Cluster, client: Library, operator: Operator, names: Names) -> str:
    """A topic of three partitions with ninety orders."""
    name = names.topic("orders")
    operator.create_topic(name, PARTITIONS)
    produce(client, cluster.bootstrap, name, ORDERS)
    return name


def test_three_consumers_have_one_partition_each_and_a_fourth_is_idle(
    cluster: Cluster, client: Library, operator: Operator, names: Names, topic: str
) -> None:
    """Three consumers have one partition each and a fourth has none; after one leaves, the other three have one
    each."""
    with GroupMembers(client, cluster.bootstrap, topic, names.group("workers")) as members:
        members.join("a", "b", "c")
        _settle(operator, members, [1, 1, 1], "three members and three partitions")
        everything = {order.value for order in ORDERS}
        assert members.wait_until(lambda: _given(members) == everything), "some orders were never given to the group"
        _require_given_once(members, more("second"), lambda orders: produce(client, cluster.bootstrap, topic, orders))
        members.join("d")
        _settle(operator, members, [0, 1, 1, 1], "four members and three partitions")
        busy = next(name for name, partitions in members.assignments.items() if partitions)
        members.commit()
        members.leave(busy)
        _settle(operator, members, [1, 1, 1], "the three members that are left")
        owned = sorted(partition for partitions in members.assignments.values() for partition in partitions)
        require(owned, [0, 1, 2], "the partitions that the members own, taken together,")
        _require_given_once(members, more("third"), lambda orders: produce(client, cluster.bootstrap, topic, orders))


def more(which: str) -> list[Outgoing]:
    """Thirty more orders, ten for each partition."""
    return [Outgoing(value=f"{which} {number}".encode(), partition=number % PARTITIONS) for number in range(30)]


def _require_given_once(
    members: GroupMembers, orders: list[Outgoing], send: Callable[[list[Outgoing]], object]
) -> None:
    """Sends orders while the assignment is stable; each must be delivered once, to the member that has its
    partition."""
    owners = {partition: name for name, partitions in members.assignments.items() for partition in partitions}
    values = {order.value for order in orders}
    send(orders)
    assert members.wait_until(lambda: values <= _given(members)), "some orders were never given to the group"
    time.sleep(QUIET_S)
    given = sorted((r.value, name) for name, records in members.received.items() for r in records if r.value in values)
    expected = sorted((order.value, owners[order.partition or 0]) for order in orders)
    require(given, expected, "which orders were given to whom while the shares were settled")


def _given(members: GroupMembers) -> set[bytes | None]:
    return {record.value for records in members.received.values() for record in records}


def _settle(operator: Operator, members: GroupMembers, shares: list[int], who: str) -> None:
    """Waits until the members have these numbers of partitions; raises BrokenPromise if they do not in time."""
    if not members.wait_until(lambda: _is_settled(operator, members, shares)):
        raise BrokenPromise(
            f"{who.capitalize()} did not settle on {shares} partitions each within 30 s.",
            witness=[f"member {name} has {list(own)}" for name, own in members.assignments.items()]
            + [f"the cluster says {operator.group(members.group)}"],
        )


def _is_settled(operator: Operator, members: GroupMembers, shares: list[int]) -> bool:
    """Whether the members have these numbers of partitions, and the cluster describes the group in the same way."""
    if members.shares() != shares:
        return False
    state, described = operator.group(members.group)
    told = {member.client_id: tuple(partition for _, partition in member.partitions) for member in described}
    return state == "STABLE" and told == {f"{members.group}-{name}": own for name, own in members.assignments.items()}


def test_each_group_is_given_every_record(
    cluster: Cluster, client: Library, operator: Operator, names: Names, topic: str
) -> None:
    """Two groups each read every order, and each has its own committed offsets."""
    groups = [names.group("shipping"), names.group("analytics")]
    for group in groups:
        with GroupMembers(client, cluster.bootstrap, topic, group) as members:
            members.join("only")
            members.wait_until(lambda: len(members.received["only"]) >= len(ORDERS))
            values = sorted(record.value or b"" for record in members.received["only"])
            members.commit()
        require(values, sorted(order.value or b"" for order in ORDERS), f"what {group} was given")

    for group in groups:
        bookmarks = {(topic, partition): 30 for partition in range(PARTITIONS)}
        require(operator.group_offsets(group), bookmarks, f"the bookmarks of {group}")

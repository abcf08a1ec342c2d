"""A group shares a topic; groups are independent.

**Claim** Three consumers of a group have one of three partitions each, a fourth is idle, and when one leaves another
takes its partition over; together they are given every record. Another group is given every record too.

**Why it matters** Work grows by adding consumers, and a new team reads without asking the others.

**Kafka says** documentation, "Consumers"; consumer configuration group.id.

**Cannot see** who gets which partition: that is the assignor's business.

**Rejects** tests/unit/harness/checkers/test_queue_checkers.py::test_a_checker_rejects_its_anomaly
"""

from __future__ import annotations

import pytest

from harness.clients.client import Library
from harness.clients.group_members import GroupMembers
from harness.clients.operator import Operator
from harness.clients.transfer import Outgoing, produce
from harness.plugin_names import Names
from harness.targets.target import Cluster

pytestmark = [pytest.mark.feature("JoinGroup"), pytest.mark.claim("G1", "G5")]
PARTITIONS = 3
ORDERS = [Outgoing(value=b"order %d" % number, partition=number % PARTITIONS) for number in range(90)]


@pytest.fixture
def topic(cluster: Cluster, client: Library, operator: Operator, names: Names) -> str:
    """A topic of three partitions with ninety orders."""
    if client.name == "raw":
        pytest.skip("the raw client joins no group")
    name = names.topic("orders")
    operator.create_topic(name, PARTITIONS)
    produce(client, cluster.bootstrap, name, ORDERS)
    return name


def test_three_consumers_have_one_partition_each_and_a_fourth_is_idle(
    cluster: Cluster, client: Library, operator: Operator, names: Names, topic: str
) -> None:
    """Three consumers have a partition each and a fourth none, until one leaves: then the fourth takes over."""
    with GroupMembers(client, cluster.bootstrap, topic, names.group("workers")) as members:
        members.join("a", "b", "c")
        assert members.poll_until(lambda: _is_settled(operator, members, [1, 1, 1])), members.assignments
        members.join("d")
        assert members.poll_until(lambda: _is_settled(operator, members, [0, 1, 1, 1])), members.assignments
        busy = next(name for name, partitions in members.assignments.items() if partitions)
        members.commit()
        members.leave(busy)
        assert members.poll_until(lambda: _is_settled(operator, members, [1, 1, 1])), members.assignments
        everything = {order.value for order in ORDERS}
        assert members.poll_until(lambda: _given(members) == everything), "some orders were never given to the group"
        owned = sorted(partition for partitions in members.assignments.values() for partition in partitions)

    assert owned == [0, 1, 2]


def _given(members: GroupMembers) -> set[bytes | None]:
    return {record.value for records in members.received.values() for record in records}


def _is_settled(operator: Operator, members: GroupMembers, shares: list[int]) -> bool:
    """Whether the members have so many partitions, and the cluster's description of the group says the same."""
    if members.shares() != shares:
        return False
    state, described = operator.group(members.group)
    told = {member.client_id: tuple(partition for _, partition in member.partitions) for member in described}
    return state == "STABLE" and told == {f"{members.group}-{name}": own for name, own in members.assignments.items()}


def test_each_group_is_given_every_record(
    cluster: Cluster, client: Library, operator: Operator, names: Names, topic: str
) -> None:
    """Shipping and analytics each read every order, and each has a bookmark of its own."""
    groups = [names.group("shipping"), names.group("analytics")]
    for group in groups:
        with GroupMembers(client, cluster.bootstrap, topic, group) as members:
            members.join("only")
            assert members.poll_until(lambda: len(members.received["only"]) >= len(ORDERS))
            values = sorted(record.value or b"" for record in members.received["only"])
            members.commit()
        assert values == sorted(order.value or b"" for order in ORDERS)

    for group in groups:
        assert operator.group_offsets(group) == {(topic, partition): 30 for partition in range(PARTITIONS)}

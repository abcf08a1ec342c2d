"""Our own consumers as members of a classic group, on a simulated cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.clients.client import ClientTrouble, library
from harness.clients.group_members import GroupMembers
from harness.clients.leader_connections import RawAdmin
from harness.clients.operators.raw import RawOperator
from harness.clients.raw import RawConsumer
from harness.clients.stepped.assignor import assigned, assignment, shares, subscribed, subscription
from harness.clients.transfer import Outgoing, produce, read
from harness.history.operations import Assigned, AssignmentChange, Lost, Revoked
from harness.hosts import cluster_time as time
from harness.hosts.executor import using
from harness.judging.guarantees import ClientSettings
from harness.targets.target import Cluster, ClusterSpec, resolve

TOPIC, GROUP = "orders", "workers"
PARTITIONS = 4
SETTINGS = ClientSettings(consumers="subscribe", commit="sync")
RAW = library("raw")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    opened = resolve("simulated").open(ClusterSpec(nodes=1, seed="groups"))
    with using(opened.executor):
        RawAdmin(opened.bootstrap).create_topic(TOPIC, PARTITIONS)
        yield opened
    opened.close()


def member(
    cluster: Cluster, name: str, settings: ClientSettings = SETTINGS
) -> tuple[RawConsumer, list[AssignmentChange]]:
    """A consumer that subscribes, and what it is told of its partitions."""
    changes: list[AssignmentChange] = []
    consumer = RawConsumer(cluster.bootstrap, settings, name, GROUP)
    consumer.subscribe([TOPIC], changes.append)
    return consumer, changes


def values(count: int) -> list[Outgoing]:
    return [Outgoing(value=b"%d" % number, partition=number % PARTITIONS) for number in range(count)]


def poll_until_given(consumer: RawConsumer, changes: list[AssignmentChange]) -> None:
    """Polls until it was given partitions."""
    for _ in range(100):
        consumer.poll(0.1)
        if any(isinstance(change, Assigned) for change in changes):
            return
    raise AssertionError(f"it was given nothing: {changes}")


def test_members_share_the_partitions_and_take_over_those_of_one_that_leaves(cluster: Cluster) -> None:
    with GroupMembers(RAW, cluster.bootstrap, TOPIC, GROUP) as members:
        members.join("a", "b")
        assert members.wait_until(lambda: members.shares() == [2, 2])

        members.leave("a")

        assert members.wait_until(lambda: members.shares() == [PARTITIONS])
        state, described = RawOperator(cluster.bootstrap).group(GROUP)
    assert (state, [len(one.partitions) for one in described]) == ("STABLE", [PARTITIONS])


def test_a_member_goes_on_where_its_group_has_committed(cluster: Cluster) -> None:
    produce(RAW, cluster.bootstrap, TOPIC, values(8))
    first, _ = member(cluster, "first")
    assert len(read(first, 8)) == 8
    first.commit()
    first.close()
    produce(RAW, cluster.bootstrap, TOPIC, values(4))

    second, _ = member(cluster, "second")
    found = read(second, 4)
    second.close()

    assert sorted((record.partition, record.offset) for record in found) == [(number, 2) for number in range(4)]
    assert second.committed(TOPIC, 0) == 2


def test_a_consumer_that_commits_by_itself_does_so_when_it_is_closed(cluster: Cluster) -> None:
    produce(RAW, cluster.bootstrap, TOPIC, values(8))
    consumer, _ = member(cluster, "automatic", ClientSettings(consumers="subscribe", commit="auto"))
    read(consumer, 8)

    consumer.close()

    offsets = RawOperator(cluster.bootstrap).group_offsets(GROUP)
    assert offsets == {(TOPIC, partition): 2 for partition in range(PARTITIONS)}


def test_a_member_that_its_group_has_removed_is_told_that_it_lost_its_partitions_and_joins_again(
    cluster: Cluster,
) -> None:
    consumer, changes = member(cluster, "away")
    poll_until_given(consumer, changes)
    cluster.links.cut([(cluster.nodes[0].id, None), (None, cluster.nodes[0].id)], None)
    time.sleep(2 * SETTINGS.session_timeout_ms / 1000)
    cluster.links.heal([(cluster.nodes[0].id, None), (None, cluster.nodes[0].id)], None)
    time.sleep(2 * SETTINGS.session_timeout_ms / 1000)

    with pytest.raises(ClientTrouble, match="no member of group workers"):
        consumer.commit({(TOPIC, 0): 1})
    changes.clear()
    poll_until_given(consumer, changes)
    consumer.close()

    assert [type(change) for change in changes] == [Lost, Assigned, Revoked]


def test_a_consumer_without_a_group_cannot_subscribe(cluster: Cluster) -> None:
    consumer = RawConsumer(cluster.bootstrap, SETTINGS, "alone")

    with pytest.raises(ClientTrouble, match="has no group"):
        consumer.subscribe([TOPIC], lambda change: None)


@pytest.mark.parametrize(
    ("members", "counts", "wanted"),
    [
        (2, {"a": 4}, [["a0", "a1"], ["a2", "a3"]]),
        (2, {"a": 3, "b": 3}, [["a0", "a1", "b0", "b1"], ["a2", "b2"]]),
        (3, {"a": 2}, [["a0"], ["a1"], []]),
    ],
    ids=["even", "the first ones have more, of each topic", "one has none"],
)
def test_partitions_are_shared_out_in_ranges(members: int, counts: dict[str, int], wanted: list[list[str]]) -> None:
    found = shares({f"m{number}": list(counts) for number in reversed(range(members))}, counts)

    assert [[f"{topic}{index}" for topic, index in found[f"m{number}"]] for number in range(members)] == wanted


def test_subscriptions_and_assignments_are_read_as_they_were_written() -> None:
    partitions = (("a", 0), ("a", 2), ("b", 1))

    assert subscribed(subscription(["a", "b"])) == ("a", "b")
    assert assigned(assignment(partitions)) == partitions
    assert assigned(b"") == ()

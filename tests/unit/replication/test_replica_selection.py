"""Which replica a consumer is sent to (KIP-392)."""

from __future__ import annotations

from reference_broker.replication.replica_selection import ReadableReplica, select_by_rack

LEADER = ReadableReplica(1, "a", 10, 0)


def test_a_consumer_in_the_leaders_rack_stays() -> None:
    assert select_by_rack("a", LEADER, [ReadableReplica(2, "a", 10, 0)]) is None


def test_a_consumer_in_a_followers_rack_is_sent_there() -> None:
    assert select_by_rack("b", LEADER, [ReadableReplica(2, "b", 9, 5), ReadableReplica(3, "c", 10, 0)]) == 2


def test_a_consumer_in_a_rack_without_a_replica_stays() -> None:
    assert select_by_rack("z", LEADER, [ReadableReplica(2, "b", 10, 0), ReadableReplica(3, None, 10, 0)]) is None


def test_of_several_the_one_with_most_of_the_log_is_chosen_then_the_one_caught_up_last() -> None:
    near = [ReadableReplica(2, "b", 10, 5), ReadableReplica(3, "b", 10, 0), ReadableReplica(4, "b", 9, 0)]
    assert select_by_rack("b", LEADER, near) == 3

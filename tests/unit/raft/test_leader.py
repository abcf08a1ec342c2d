"""What a leader makes of the fetches of others: the high watermark, check-quorum, successors, observers."""

from __future__ import annotations

from world_node import voter_of

from reference_broker.environment import Now
from reference_broker.raft.leader import OBSERVER_SESSION_MS, Leader
from reference_broker.raft.voters import VoterSet

TIMEOUT_MS = 3000


def leader_of(*ids: int, start: int = 10) -> Leader:
    """1 leads an epoch that began at offset 10, at time 0."""
    leader = Leader(
        own=voter_of(1),
        epoch=3,
        epoch_start_offset=start,
        granting=(1,),
        check_quorum_timeout_ms=TIMEOUT_MS,
        check_quorum_deadline_ms=TIMEOUT_MS,
        begin_epoch_due_ms=0,
    )
    leader.follow_voters(VoterSet.of(voter_of(node_id) for node_id in ids))
    return leader


def at(monotonic_ms: int) -> Now:
    return Now(1_000_000 + monotonic_ms, monotonic_ms)


def fetched(leader: Leader, node_id: int, offset: int, monotonic_ms: int = 0) -> None:
    leader.note_fetch(voter_of(node_id).key, offset, 20, at(monotonic_ms))


def test_nothing_is_committed_before_a_record_of_the_own_epoch_is() -> None:
    leader = leader_of(1, 2, 3)
    leader.note_flushed(10)
    fetched(leader, 2, 10)
    assert leader.majority_offset() == -1


def test_what_a_majority_holds_is_committed() -> None:
    leader = leader_of(1, 2, 3, 4, 5)
    leader.note_flushed(15)
    fetched(leader, 2, 13)
    fetched(leader, 4, 12)
    assert leader.majority_offset() == 12


def test_what_only_the_leader_and_a_minority_hold_is_not() -> None:
    leader = leader_of(1, 2, 3, 4)
    leader.note_flushed(15)
    fetched(leader, 2, 15)
    assert leader.majority_offset() == -1


def test_a_leader_that_was_removed_does_not_count_itself() -> None:
    leader = leader_of(1, 2, 3)
    leader.note_flushed(15)
    leader.follow_voters(VoterSet.of([voter_of(2), voter_of(3)]))
    fetched(leader, 2, 15)
    assert leader.majority_offset() == -1


def test_an_observer_that_becomes_a_voter_keeps_its_progress() -> None:
    leader = leader_of(1, 2)
    leader.note_flushed(15)
    fetched(leader, 3, 14)
    leader.follow_voters(VoterSet.of([voter_of(1), voter_of(2), voter_of(3)]))
    assert (leader.majority_offset(), list(leader.observers)) == (14, [])


def test_a_voter_with_another_folder_is_an_observer() -> None:
    leader = leader_of(1, 2, 3)
    leader.note_fetch(voter_of(2, directory=1).key, 15, 20, at(0))
    assert list(leader.observers) == [voter_of(2, directory=1).key]


def test_the_quorum_is_lost_without_fetches_of_a_majority() -> None:
    leader = leader_of(1, 2, 3, 4, 5)
    fetched(leader, 2, 10, 1000)
    assert leader.has_lost_quorum(at(TIMEOUT_MS))


def test_fetches_of_a_majority_keep_the_quorum() -> None:
    leader = leader_of(1, 2, 3, 4, 5)
    fetched(leader, 2, 10, 1000)
    fetched(leader, 3, 10, 2000)
    assert not leader.has_lost_quorum(at(2000 + TIMEOUT_MS - 1))


def test_an_observer_keeps_no_quorum() -> None:
    leader = leader_of(1, 2, 3)
    fetched(leader, 9, 10, 1000)
    assert leader.has_lost_quorum(at(TIMEOUT_MS))


def test_an_observer_keeps_the_quorum_of_a_lone_voter_until_it_votes() -> None:
    leader = leader_of(1)
    fetched(leader, 2, 10, 9 * TIMEOUT_MS)
    leader.follow_voters(VoterSet.of([voter_of(1), voter_of(2)]))
    assert not leader.has_lost_quorum(at(10 * TIMEOUT_MS - 1))
    assert leader.has_lost_quorum(at(10 * TIMEOUT_MS))


def test_the_longest_log_succeeds_first() -> None:
    leader = leader_of(1, 2, 3, 4)
    fetched(leader, 3, 12)
    fetched(leader, 4, 14)
    assert [key.node_id for key in leader.successors()] == [4, 3, 2]


def test_a_new_voter_must_have_caught_up() -> None:
    leader = leader_of(1, 2)
    fetched(leader, 3, 19)
    fetched(leader, 4, 20)
    assert [leader.is_caught_up(voter_of(node_id).key, at(1)) for node_id in (3, 4, 5)] == [False, True, False]


def test_an_observer_that_is_silent_is_forgotten() -> None:
    leader = leader_of(1, 2)
    fetched(leader, 3, 19)
    leader.forget_silent_observers(at(OBSERVER_SESSION_MS))
    assert list(leader.observers) == []

"""Voter sets and their history by offset."""

from __future__ import annotations

import pytest

from reference_broker.raft.voters import ReplicaKey, Voter, VoterEndpoint, VoterHistory, VoterSet
from reference_broker.wire.primitives import Uuid


def key(node_id: int, folder: str = "a") -> ReplicaKey:
    return ReplicaKey(node_id, Uuid(folder.encode() * 16))


def voter(node_id: int, folder: str = "a", port: int = 9093, **options: int) -> Voter:
    endpoint = VoterEndpoint("CONTROLLER", f"host{node_id}", port)
    return Voter(key=key(node_id, folder), endpoints=(endpoint,), **options)


def voters(*node_ids: int) -> VoterSet:
    return VoterSet.of(voter(node_id) for node_id in node_ids)


STATIC = VoterSet.static("CONTROLLER", [(2, "h2", 9093), (1, "h1", 9093)])


def test_voters_stand_in_the_order_of_their_ids() -> None:
    assert VoterSet.of([voter(3), voter(1)]).ids == (1, 3)


def test_a_node_cannot_vote_twice() -> None:
    with pytest.raises(ValueError, match="node 1 is in the voter set twice"):
        VoterSet.of([voter(1), voter(1, "b")])


def test_a_voter_set_survives_its_record() -> None:
    assert VoterSet.from_record(voters(1, 2, 3).to_record()) == voters(1, 2, 3)


@pytest.mark.parametrize(("count", "majority"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_a_majority_is_more_than_half(count: int, majority: int) -> None:
    assert voters(*range(count)).majority == majority


def test_another_folder_of_a_voters_node_does_not_vote() -> None:
    assert not voters(1, 2).is_voter(key(1, "b"))


def test_a_static_voter_votes_from_any_folder() -> None:
    assert STATIC.is_voter(key(1, "b"))


def test_static_voters_support_no_dynamic_quorum() -> None:
    assert (STATIC.supports(0), STATIC.supports(1)) == (True, False)


def test_sets_that_differ_by_one_voter_overlap() -> None:
    assert voters(1, 2, 3).overlaps(voters(1, 2, 3, 4))


def test_sets_that_exchange_one_voter_overlap() -> None:
    assert voters(1, 2, 3).overlaps(voters(1, 2, 4))


def test_sets_that_differ_by_two_voters_do_not_overlap() -> None:
    assert not voters(1).overlaps(voters(1, 2, 3))


def test_a_voter_is_added_once() -> None:
    assert voters(1, 2).with_added(voter(2, "b")) is None


def test_a_removed_voter_is_named_with_its_folder() -> None:
    assert voters(1, 2).with_removed(key(2, "b")) is None


def test_the_last_voter_stays() -> None:
    assert voters(1).with_removed(key(1)) is None


def test_the_others_stay_when_a_voter_is_removed() -> None:
    assert voters(1, 2, 3).with_removed(key(2)) == voters(1, 3)


def test_a_voter_gets_other_endpoints() -> None:
    updated = voters(1, 2).with_updated(voter(2, port=9999))
    assert updated == VoterSet.of([voter(1), voter(2, port=9999)])


def test_an_update_from_another_folder_is_no_update() -> None:
    assert voters(1, 2).with_updated(voter(2, "b")) is None


def test_a_static_voter_comes_to_its_folder() -> None:
    updated = STATIC.with_updated_node(voter(2, "b"))
    assert updated == VoterSet.of([STATIC.voters[0], voter(2, "b")])


def test_static_voters_count_until_the_log_names_others() -> None:
    history = VoterHistory(STATIC)
    history.add(5, voters(1))
    assert (history.at(4), history.at(5), history.latest) == (STATIC, voters(1), voters(1))


def test_the_set_before_counts_again_when_the_log_is_truncated() -> None:
    history = VoterHistory(STATIC)
    history.add(5, voters(1, 2))
    history.add(9, voters(1, 2, 3))
    history.truncate_to(9)
    assert (history.latest, history.latest_offset) == (voters(1, 2), 5)


def test_the_set_that_holds_at_the_logs_new_start_stays() -> None:
    history = VoterHistory()
    history.add(5, voters(1))
    history.add(9, voters(1, 2))
    history.trim_to(7)
    assert history.at(7) == voters(1)


def test_the_kraft_version_goes_back_with_the_log() -> None:
    history = VoterHistory(STATIC)
    history.add_kraft_version(5, 1)
    history.truncate_to(5)
    assert history.kraft_version == 0


def test_history_goes_forward_only() -> None:
    history = VoterHistory()
    history.add(5, voters(1))
    with pytest.raises(ValueError, match="an entry at offset 4 cannot follow that at offset 5"):
        history.add(4, voters(1, 2))

"""One builder makes every change of a partition: leader, ISR, eligible replicas, epochs, reassignment, folders."""

from __future__ import annotations

from typing import Any

import pytest
from cluster_in_memory import directory, partition

from reference_broker.controller.partition_change import Election, Rules, Target, change
from reference_broker.metadata.topics import PartitionImage
from reference_broker.wire.primitives import Uuid

TOPIC_ID = Uuid(b"t" * 16)


def changed(
    one: PartitionImage,
    target: Target,
    *,
    alive: tuple[int, ...] = (1, 2, 3, 4, 5),
    min_isr: int = 1,
    has_elr: bool = True,
    is_old: bool = False,
) -> dict[str, Any]:
    """The fields that the record sets; {} where there is no record."""
    rules = Rules(
        min_isr=min_isr,
        has_elr=has_elr,
        has_directories=True,
        is_epoch_raised_by_shrinking=is_old,
        is_acceptable=alive.__contains__,
        default_directory=directory,
    )
    record = change(TOPIC_ID, one, target, rules)
    if record is None:
        return {}
    unset = {"leader": -2, "leader_recovery_state": -1, "unknown_tagged_fields": ()}
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    return {
        name: value
        for name, value in fields.items()
        if name not in ("topic_id", "partition_id") and value is not None and unset.get(name) != value
    }


def test_a_change_that_changes_nothing_makes_no_record() -> None:
    assert changed(partition(1, 2, 3), Target(isr=(1, 2, 3))) == {}


def test_a_smaller_isr_keeps_the_leader_and_its_epoch() -> None:
    assert changed(partition(1, 2, 3), Target(isr=(1, 2))) == {"isr": (1, 2)}


def test_before_metadata_version_12_a_smaller_isr_begins_a_leader_epoch() -> None:
    assert changed(partition(1, 2), Target(isr=(1,)), is_old=True, has_elr=False) == {"isr": (1,), "leader": 1}


@pytest.mark.parametrize(
    ("one", "target", "alive", "leader"),
    [
        (partition(1, 2, 3), Target(isr=(2, 3)), (2, 3), 2),
        (partition(1, 2, 3), Target(isr=(2, 3)), (3,), 3),
        (partition(1, 2, 3, leader=2), Target(election=Election.PREFERRED), (1, 2, 3), 1),
        (partition(1, 2, 3, leader=3), Target(election=Election.PREFERRED), (2, 3), None),
        (partition(1, 2, 3, leader=2, isr=(2, 3)), Target(election=Election.PREFERRED), (1, 2, 3), None),
        (partition(1, 2, 3, leader=3, isr=(2, 3)), Target(election=Election.PREFERRED), (1, 2), 2),
        (partition(1, 2, 3, leader=-1, isr=(1, 2)), Target(), (2,), 2),
        (partition(1, 2, 3, leader=-1, isr=(1,)), Target(), (2, 3), None),
    ],
    ids=str,
)
def test_the_leader_is_the_first_replica_in_sync_that_is_alive_unless_the_old_one_may_stay(
    one: PartitionImage, target: Target, alive: tuple[int, ...], leader: int | None
) -> None:
    assert changed(one, target, alive=alive).get("leader") == leader


def test_without_anybody_in_sync_there_is_no_leader_and_the_last_one_is_kept_in_mind() -> None:
    assert changed(partition(1, 2, isr=(1,)), Target(isr=()), alive=(2,)) == {
        "isr": (),
        "leader": -1,
        "eligible_leader_replicas": (1,),
        "last_known_elr": (1,),
    }


def test_without_elr_the_last_replica_in_sync_stays_in_the_isr() -> None:
    assert changed(partition(1, 2, isr=(1,)), Target(isr=()), alive=(2,), has_elr=False) == {"leader": -1}


def test_a_replica_that_leaves_an_isr_below_the_least_stays_eligible() -> None:
    found = changed(partition(1, 2, 3, isr=(1, 2)), Target(isr=(1,)), min_isr=2)
    assert found == {"isr": (1,), "eligible_leader_replicas": (2,)}


def test_an_isr_that_is_large_enough_needs_no_eligible_replicas() -> None:
    found = changed(partition(1, 2, 3, isr=(1,), elr=(2,)), Target(isr=(1, 3)), min_isr=2)
    assert found == {"isr": (1, 3), "eligible_leader_replicas": ()}


def test_an_eligible_replica_leads_where_nobody_is_in_sync() -> None:
    one = partition(1, 2, 3, isr=(), elr=(2, 3), last_known_elr=(1,))
    assert changed(one, Target(), alive=(3,), min_isr=2) == {
        "isr": (3,),
        "leader": 3,
        "eligible_leader_replicas": (2,),
        "last_known_elr": (),
    }


def test_a_replica_that_has_lost_its_trust_is_eligible_no_longer() -> None:
    found = changed(partition(1, 2, isr=(), elr=(1, 2)), Target(isr=(), without_trust=1), alive=(), min_isr=2)
    assert found == {"eligible_leader_replicas": (2,)}


def test_the_last_known_leader_leads_again_after_all_have_lost_their_trust_and_recovers() -> None:
    one = partition(1, 2, isr=(), last_known_elr=(1,))
    assert changed(one, Target(), alive=(1, 2)) == {
        "isr": (1,),
        "leader": 1,
        "last_known_elr": (),
        "leader_recovery_state": 1,
    }


def test_an_unclean_election_takes_the_first_replica_alive_alone_into_the_isr() -> None:
    one = partition(1, 2, 3, isr=(1,), elr=())
    found = changed(one, Target(isr=(), election=Election.UNCLEAN), alive=(3,), has_elr=False)
    assert found == {"isr": (3,), "leader": 3, "leader_recovery_state": 1}


def test_an_unclean_election_forgets_who_was_eligible() -> None:
    one = partition(1, 2, 3, isr=(), elr=(1, 2))
    found = changed(one, Target(election=Election.UNCLEAN), alive=(3,), min_isr=2)
    assert (found["leader"], found["isr"], found["eligible_leader_replicas"]) == (3, (3,), ())


def test_a_clean_candidate_comes_before_an_unclean_one() -> None:
    found = changed(partition(1, 2, 3, isr=(1, 3)), Target(isr=(3,), election=Election.UNCLEAN), alive=(2, 3))
    assert found == {"isr": (3,), "leader": 3}


def test_recovery_is_told_once() -> None:
    one = partition(1, 2, isr=(), last_known_elr=(1,), leader_recovery_state=1)
    assert "leader_recovery_state" not in changed(one, Target(), alive=(1,))


# -- reassignments ---------------------------------------------------------------------------------------------------


def test_new_replicas_are_added_before_old_ones_go() -> None:
    target = Target(replicas=(3, 1, 2), adding=(3,), removing=(1,))
    assert changed(partition(1, 2), target) == {
        "replicas": (3, 1, 2),
        "adding_replicas": (3,),
        "removing_replicas": (1,),
        "directories": (directory(3), directory(1), directory(2)),
    }


def test_a_reassignment_ends_once_all_new_replicas_are_in_sync() -> None:
    one = partition(3, 1, 2, isr=(1, 2), adding_replicas=(3,), removing_replicas=(1,))
    assert changed(one, Target(isr=(1, 2, 3))) == {
        "isr": (2, 3),
        "leader": 3,
        "replicas": (3, 2),
        "adding_replicas": (),
        "removing_replicas": (),
        "directories": (directory(3), directory(2)),
    }


def test_a_leader_that_stays_begins_an_epoch_when_replicas_go() -> None:
    one = partition(2, 1, isr=(1, 2), leader=2, removing_replicas=(1,))
    assert changed(one, Target())["leader"] == 2


def test_a_smaller_partition_waits_for_all_who_stay() -> None:
    one = partition(2, 3, 4, 0, 1, isr=(0, 1), leader=0, removing_replicas=(0, 1))
    assert changed(one, Target(isr=(0, 1, 2)), alive=(0, 1, 2, 3, 4)) == {"isr": (0, 1, 2)}


def test_a_replica_that_was_removed_is_not_eligible() -> None:
    one = partition(4, 2, 3, isr=(2, 3), adding_replicas=(4,), removing_replicas=(3,))
    assert "eligible_leader_replicas" not in changed(one, Target(isr=(2, 3, 4)), min_isr=3)


# -- folders ---------------------------------------------------------------------------------------------------------


def test_a_replica_moves_to_another_folder() -> None:
    target = Target(directories={2: directory(2, 1)})
    assert changed(partition(1, 2), target) == {"directories": (directory(1), directory(2, 1))}


def test_a_partition_that_names_no_folders_keeps_naming_none() -> None:
    assert changed(partition(1, 2, directories=()), Target(isr=(1,))) == {"isr": (1,)}

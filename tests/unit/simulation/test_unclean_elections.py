"""What the invariants of decisions and of unclean elections excuse: the ISR that a cancelled reassignment leaves."""

from __future__ import annotations

import dataclasses

import pytest

from reference_broker.metadata.topics import NO_LEADER, PartitionImage
from reference_broker.simulation.invariants.unclean_elections import is_reverted

MOVING = PartitionImage(
    index=0,
    replicas=(3, 1, 2),
    isr=(3,),
    leader=3,
    leader_epoch=4,
    partition_epoch=9,
    removing_replicas=(1, 2),
    adding_replicas=(3,),
)
"""From 1 and 2 to 3, which alone is in sync."""
CANCELLED = dataclasses.replace(
    MOVING, replicas=(1, 2), isr=(1,), leader=NO_LEADER, removing_replicas=(), adding_replicas=()
)


def test_the_first_replica_from_before_is_the_isr_where_nobody_else_is_in_sync() -> None:
    assert is_reverted(MOVING, CANCELLED)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"isr": (3, 2)}, {}),
        ({}, {"isr": (2,)}),
        ({}, {"removing_replicas": (1,), "replicas": (1, 2)}),
        ({"removing_replicas": (), "adding_replicas": ()}, {}),
    ],
    ids=["one from before is in sync", "another one is the ISR", "it still moves", "it did not move"],
)
def test_no_other_change_is_excused(before: dict[str, tuple[int, ...]], after: dict[str, tuple[int, ...]]) -> None:
    assert not is_reverted(dataclasses.replace(MOVING, **before), dataclasses.replace(CANCELLED, **after))  # type: ignore[arg-type]

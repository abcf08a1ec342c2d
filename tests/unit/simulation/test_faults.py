"""Schedules of faults: the same for a seed, carried out and undone, shrunk to the least."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from worlds import world_of

from reference_broker.simulation.faults import (
    OF_DISKS,
    SLOW_DISK_US,
    USUAL,
    Act,
    Fault,
    plan,
    random_faults,
    shrink,
    undo_all,
)
from reference_broker.simulation.world import World

NODES = (1, 2, 3)


@pytest.fixture
def world() -> World:
    return world_of()


def state(world: World) -> list[tuple[bool, bool]]:
    return [(world.nodes[node].process is not None, world.nodes[node].is_paused) for node in NODES]


def test_a_seed_gives_one_schedule() -> None:
    schedules = [random_faults(Random(3), NODES, duration_ms=10_000, gap_ms=100) for _ in range(2)]
    assert schedules[0] == schedules[1]


def test_a_schedule_has_every_act() -> None:
    faults = random_faults(Random(3), NODES, duration_ms=100_000, gap_ms=100, acts=(*USUAL, *OF_DISKS))
    assert {fault.act for fault in faults} == set(Act)


def test_faults_come_at_their_times(world: World) -> None:
    plan(world, [Fault(10, Act.KILL, (1,)), Fault(20, Act.PAUSE, (2,)), Fault(30, Act.START, (1,))])
    world.run_for(15)
    assert state(world) == [(False, False), (True, False), (True, False)]
    world.run_for(20)
    assert state(world) == [(True, False), (True, True), (True, False)]


def test_an_isolated_node_is_cut_off_in_both_directions(world: World) -> None:
    plan(world, [Fault(1, Act.ISOLATE, (2,))])
    world.run_for(2)
    assert sorted(world.network.cuts) == [(1, 2), (2, 1), (2, 3), (3, 2)]


def test_an_isolated_client_reaches_no_node(world: World) -> None:
    client = world.new_client()
    plan(world, [Fault(1, Act.ISOLATE, (client,))])
    world.run_for(2)
    assert sorted(world.network.cuts) == [(-1, 1), (-1, 2), (-1, 3), (1, -1), (2, -1), (3, -1)]


def test_a_cut_goes_one_way(world: World) -> None:
    plan(world, [Fault(1, Act.CUT, (2, 3))])
    world.run_for(2)
    assert world.network.cuts == ((2, 3),)


@pytest.mark.parametrize("seed", range(20))
def test_any_part_of_a_schedule_is_a_schedule_and_all_is_undone(world: World, seed: int) -> None:
    chance = Random(seed)
    faults = random_faults(chance, NODES, duration_ms=5000, gap_ms=50)
    plan(world, [fault for fault in faults if chance.random() < 0.5])
    world.run_for(6000)
    undo_all(world, NODES)
    assert (state(world), world.network.cuts) == ([(True, False)] * 3, ())


def test_a_slow_disk_is_quick_again_in_the_end(world: World) -> None:
    plan(world, [Fault(1, Act.SLOW_DISK, (1,))])
    world.run_for(2)
    assert world.nodes[1].disk.flush_limits_us == SLOW_DISK_US
    undo_all(world, NODES)
    assert world.nodes[1].disk.flush_limits_us != SLOW_DISK_US


def test_a_folder_is_broken_until_the_disk_is_mended(world: World) -> None:
    disk = world.nodes[1].disk
    plan(world, [Fault(1, Act.BREAK_FOLDER, (1,)), Fault(5, Act.MEND_DISK, (1,))])
    world.run_for(2)
    with pytest.raises(OSError, match="the disk is broken"):
        disk.list("/data")
    world.run_for(5)
    assert disk.list("/data")


def test_a_process_that_has_seen_its_disk_fail_is_another_one_after_it_was_mended(world: World) -> None:
    before = world.nodes[1].process
    plan(world, [Fault(1, Act.FILL_DISK, (1,)), Fault(2000, Act.MEND_DISK, (1,))])
    world.run_for(2001)
    assert world.nodes[1].process is not before
    assert world.nodes[1].process is not None


def test_a_schedule_is_shrunk_to_what_makes_it_fail() -> None:
    faults = random_faults(Random(5), NODES, duration_ms=20_000, gap_ms=100)
    needed = (faults[17], faults[90], faults[91])

    def is_failing(part: Sequence[Fault]) -> bool:
        return all(fault in part for fault in needed)

    assert shrink(faults, is_failing) == needed


def test_a_fault_reads_as_a_line() -> None:
    assert str(Fault(1500, Act.DRIFT, (2,), 1000)) == "1500 ms drift 2 by 1000"

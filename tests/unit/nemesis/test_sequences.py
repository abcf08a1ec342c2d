"""Directed sequences: in which order, and that each step speaks of whom the steps before have chosen."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.history.operations import FaultAct
from harness.targets.cluster_view import ClusterView
from nemesis.sequences import SEQUENCES, FaultSequence, last_in_sync, part_kill, pause_kill, sequence_named

seeds = st.integers(0, 2**32)
VIEW = ClusterView(
    nodes=(1, 2, 3, 4, 5),
    brokers=(1, 2, 3, 4, 5),
    controllers=(1, 2, 3, 4, 5),
    active_controller=5,
    leaders={("orders", 0): 2},
    replicas={("orders", 0): (2, 1, 3)},
    isr={("orders", 0): (1, 2, 3)},
)


def acts(sequence: FaultSequence, seed: int, steps: int) -> list[FaultAct]:
    """What the first steps plan, in the order in which they begin."""
    spells = sorted(sequence.spells(), key=lambda spell: spell.begin_s)
    return [fault.plan(VIEW, Random(f"{seed}/{n}")) for n, spell in enumerate(spells[:steps]) for fault in spell.faults]


@pytest.mark.parametrize("sequence", [pause_kill, part_kill], ids=str)
@given(seed=seeds)
def test_the_killed_node_is_none_of_those_that_are_away(sequence: FaultSequence, seed: int) -> None:
    away, killed, _ = acts(sequence, seed, 3)
    assert len(killed.nodes) == 1
    assert not set(away.nodes) & set(killed.nodes)


@pytest.mark.parametrize("sequence", [pause_kill, part_kill], ids=str)
@given(seed=seeds)
def test_those_that_come_back_are_cut_off_from_the_rest_together(sequence: FaultSequence, seed: int) -> None:
    away, killed, cut = acts(sequence, seed, 3)
    assert set(cut.nodes) == {*away.nodes, *killed.nodes}


@pytest.mark.parametrize("sequence", [pause_kill, part_kill], ids=str)
def test_the_rest_is_cut_off_before_anybody_comes_back(sequence: FaultSequence) -> None:
    away, killed, cut = sequence.spells()
    assert away.begin_s < killed.begin_s < cut.begin_s < min(away.end_s, killed.end_s) < cut.end_s


def test_the_leader_that_was_alone_in_sync_is_the_one_that_is_killed() -> None:
    cut, killed = acts(last_in_sync, 1, 2)
    assert (cut.nodes, killed.nodes, cut.parameters["listener"]) == ((2,), (2,), "INTERNAL")


@pytest.mark.parametrize("sequence", SEQUENCES, ids=str)
def test_every_fault_of_a_sequence_ends_after_it_began(sequence: FaultSequence) -> None:
    assert all(spell.faults and 0 < spell.begin_s <= spell.end_s for spell in sequence.spells())


@pytest.mark.parametrize("sequence", SEQUENCES, ids=str)
def test_a_sequence_has_new_faults_each_time(sequence: FaultSequence) -> None:
    first, second = sequence.spells(), sequence.spells()
    assert not {id(fault) for spell in first for fault in spell.faults} & {
        id(fault) for spell in second for fault in spell.faults
    }


def test_an_unknown_sequence_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown sequence 'swizzle' \(known: pause-kill, part-kill"):
        sequence_named("swizzle")

"""Clocks: how far they are moved is drawn from the seed; what stands in the way is told; heals set them right."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.hosts.host import CommandResult
from harness.hosts.lack import Means
from harness.targets.cluster_view import ClusterView
from nemesis.clock import LARGEST_S, Clock, Motion
from nemesis.fault_names import fault_named

VIEW = ClusterView(nodes=(1, 2, 3, 101), brokers=(1, 2, 3), controllers=(101,), active_controller=101)
seeds = st.integers(0, 2**32)


def offset_of(fault: Clock, seed: int) -> float:
    return float(fault.plan(VIEW, Random(seed)).parameters["offset"].removesuffix(" s"))


@given(seeds)
def test_an_offset_is_drawn_between_a_second_and_an_hour_either_way(seed: int) -> None:
    assert 1 <= abs(offset_of(Clock(), seed)) <= LARGEST_S


@given(seeds)
def test_an_offset_that_was_given_is_used(seed: int) -> None:
    assert offset_of(Clock(Motion.JUMP, -30), seed) == -30


@given(seeds)
def test_the_clock_of_a_controller_only_is_left_alone(seed: int) -> None:
    assert Clock().plan(VIEW, Random(seed)).nodes[0] in VIEW.brokers


@pytest.mark.parametrize("offset_s", [0.5, -0.5, 3601.0])
def test_an_offset_that_could_not_be_measured_or_is_too_large_is_refused(offset_s: float) -> None:
    with pytest.raises(ValueError, match="the offset must be 1 to 3600 s"):
        Clock(Motion.JUMP, offset_s)


def test_a_clock_that_stops_has_no_offset() -> None:
    with pytest.raises(ValueError, match="a clock that stops has no offset"):
        fault_named("clock:stop:30")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("clock", "clock jump"),
        ("clock:stop", "clock stop"),
        ("clock:strobe:20", "clock strobe"),
        ("clock:drift leader", "clock drift leader"),
    ],
)
def test_a_clock_fault_is_named_with_its_motion(text: str, name: str) -> None:
    assert str(fault_named(text)) == name


@pytest.mark.parametrize("text", ["clock:back", "clock:jump:far"])
def test_another_motion_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unknown motion '.*' \(known: jump, drift, strobe, stop; then seconds"):
        fault_named(text)


@dataclass
class FakeHost:
    """A machine with or without libfaketime."""

    library: str
    name: str = "machine"

    def run(self, command: Any, timeout_s: float = 30.0) -> CommandResult:
        return CommandResult(0, self.library, "")


@dataclass
class FakeNode:
    id: int
    host: FakeHost
    environment: dict[str, str] | None = field(default_factory=dict)
    data_dir: Path | None = None
    machine: None = None


@dataclass
class FakeCluster:
    nodes: tuple[FakeNode, ...]
    bootstrap: str = "nowhere:1"

    def lack_for_fault(self, kind: str) -> None: ...


def test_a_machine_without_libfaketime_is_told() -> None:
    cluster: Any = FakeCluster((FakeNode(1, FakeHost("")),))
    lack = Clock().lack(cluster)
    assert lack is not None
    assert (lack.means, "where node 1 runs" in str(lack)) == (Means.TOOL, True)


def test_a_node_whose_environment_is_not_ours_is_told() -> None:
    cluster: Any = FakeCluster((FakeNode(1, FakeHost("/usr/lib/x/faketime/libfaketime.so.1"), environment=None),))
    lack = Clock().lack(cluster)
    assert lack is not None
    assert lack.means is Means.FAULTS


def test_a_machine_with_libfaketime_lacks_nothing() -> None:
    cluster: Any = FakeCluster((FakeNode(1, FakeHost("/usr/lib/x/faketime/libfaketime.so.1")),))
    assert Clock().lack(cluster) is None

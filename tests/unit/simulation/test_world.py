"""A world of small machines: messages, time, crashes, splits, and the same events for the same seed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from greeter import FILE, Greeter

from reference_broker.effects import Halt, PeerLost
from reference_broker.simulation.clock import NodeClock
from reference_broker.simulation.world import InvariantBroken, World


def two_nodes(seed: int = 1, **options: Any) -> World:
    world = World(seed, **options)
    for node_id in (1, 2):
        world.add(node_id, Greeter, (f"host{node_id}", 9093))
        world.start(node_id)
    return world


def machine(world: World, node_id: int) -> Greeter:
    found = world.nodes[node_id].machine
    assert isinstance(found, Greeter)
    return found


def ask(world: World, text: str, timeout_ms: int = 500) -> None:
    machine(world, 1).ask(2, text, timeout_ms)
    world.carry_out(world.nodes[1])


def test_a_request_gets_its_response() -> None:
    world = two_nodes()
    ask(world, "a")
    world.run_for(50)
    assert machine(world, 1).outcomes == ["a from 2"]


def test_requests_of_a_connection_arrive_in_order() -> None:
    world = two_nodes(latency_us=(1, 100_000))
    for index in range(20):
        ask(world, str(index), 10_000)
    world.run_for(1000)
    assert machine(world, 2).heard == [str(index) for index in range(20)]


def test_a_peer_that_keeps_silent_is_lost_in_time() -> None:
    world = two_nodes()
    machine(world, 2).keeps_silent = True
    ask(world, "a")
    world.run_for(499)
    assert machine(world, 1).outcomes == []
    world.run_for(2)
    assert machine(world, 1).outcomes == [PeerLost("no response in time")]


def test_a_peer_that_is_off_refuses_the_connection() -> None:
    world = two_nodes()
    world.kill(2)
    ask(world, "a")
    world.run_for(50)
    assert machine(world, 1).outcomes == [PeerLost("the connection was closed")]


def test_a_peer_without_power_is_silent() -> None:
    world = two_nodes()
    world.crash(2)
    ask(world, "a")
    world.run_for(50)
    assert machine(world, 1).outcomes == []


def test_a_killed_peer_ends_its_connections() -> None:
    world = two_nodes()
    machine(world, 2).keeps_silent = True
    ask(world, "a")
    world.run_for(50)
    world.kill(2)
    world.run_for(50)
    assert machine(world, 1).outcomes == [PeerLost("the connection was closed")]


def test_a_broken_connection_loses_all_that_is_open_on_it() -> None:
    world = two_nodes()
    machine(world, 2).keeps_silent = True
    ask(world, "a")
    ask(world, "b")
    world.run_for(50)
    world.break_connections(1, 2)
    assert machine(world, 1).outcomes == [PeerLost("the connection was broken")] * 2


def test_nothing_gets_over_a_cut_link() -> None:
    world = two_nodes()
    world.network.cut([(1, 2)])
    ask(world, "a")
    world.run_for(5000)
    assert (machine(world, 2).heard, machine(world, 1).outcomes) == ([], [PeerLost("no response in time")])


def test_a_link_may_be_cut_one_way() -> None:
    world = two_nodes()
    world.network.cut([(2, 1)])
    ask(world, "a")
    world.run_for(5000)
    assert (machine(world, 2).heard, machine(world, 1).outcomes) == (["a"], [PeerLost("no response in time")])


def test_what_a_cut_link_held_arrives_after_it_healed() -> None:
    world = two_nodes()
    world.network.split([1], [2])
    ask(world, "a")
    world.run_for(100)
    world.network.heal()
    world.run_for(50)
    assert machine(world, 1).outcomes == ["a from 2"]


def test_a_paused_node_hears_it_all_when_it_goes_on() -> None:
    world = two_nodes()
    world.pause(2)
    ask(world, "a")
    world.run_for(100)
    assert machine(world, 2).heard == []
    world.resume(2)
    world.run_for(50)
    assert machine(world, 2).heard == ["a"]


def test_a_deadline_comes_on_the_nodes_own_clock() -> None:
    world = World(1)
    world.add(1, Greeter, clock=NodeClock(drift_ppm=100_000))
    world.start(1)
    machine(world, 1).due_ms = 1100
    world.carry_out(world.nodes[1])
    world.run_for(1001)
    assert machine(world, 1).called_at == [1100]


def test_a_flush_takes_its_time_and_is_durable_then() -> None:
    world = two_nodes()
    world.nodes[1].disk.flush_limits_us = (30_000, 30_000)
    world.nodes[1].disk.flush_directory("/")
    world.nodes[1].disk.flush_directory("/data")
    machine(world, 1).journal(b"x")
    world.carry_out(world.nodes[1])
    world.run_for(29)
    assert machine(world, 1).outcomes == []
    world.run_for(2)
    assert machine(world, 1).outcomes == ["flushed"]
    world.crash(1)
    assert world.nodes[1].disk.read(FILE) == b"x"


def test_a_failing_disk_is_told_of() -> None:
    world = two_nodes()
    machine(world, 1).journal(b"x")
    world.carry_out(world.nodes[1])
    world.nodes[1].disk.is_broken = True
    world.run_for(50)
    (outcome,) = machine(world, 1).outcomes
    assert isinstance(outcome, OSError)


def test_an_earlier_run_of_a_node_gets_no_answer() -> None:
    world = two_nodes()
    ask(world, "a")
    world.kill(1)
    world.start(1)
    world.run_for(1000)
    assert machine(world, 1).outcomes == []


def test_a_node_that_asks_for_it_is_stopped() -> None:
    world = two_nodes()
    machine(world, 1).outbox.put(Halt("the disk is broken"))
    world.carry_out(world.nodes[1])
    assert (world.nodes[1].machine, world.nodes[1].halted) == (None, "the disk is broken")


def test_a_broken_invariant_tells_the_seed_and_the_time() -> None:
    world = two_nodes(seed=7)
    world.invariants.append(lambda: "two heard it" if machine(world, 2).heard else None)
    ask(world, "a")
    with pytest.raises(InvariantBroken, match=r"seed 7, at \d+\.\d{3} ms: two heard it"):
        world.run_for(50)


def test_a_wait_ends_with_what_was_waited_for() -> None:
    world = two_nodes()
    ask(world, "a")
    assert world.run_until(lambda: bool(machine(world, 1).outcomes), 1000)
    assert world.now_us < 10_000


def history(seed: int) -> str:
    """A run with everything in it, as text."""
    world = two_nodes(seed, is_recorded=True)
    for index in range(10):
        ask(world, str(index))
        machine(world, 1).journal(b"0123456789")
        world.carry_out(world.nodes[1])
        world.run_for(3)
    world.crash(1)
    world.start(1)
    world.network.split([1], [2])
    ask(world, "after")
    world.run_for(100)
    world.network.heal()
    world.run_for(1000)
    world.reporter.note(world.now_us, 1, repr(world.nodes[1].disk.read(FILE)))
    return "\n".join(world.reporter.lines)


def test_the_same_seed_gives_the_same_events_in_any_process() -> None:
    code = (
        "import sys, runpy; sys.path.insert(0, sys.argv[2])\nprint(runpy.run_path(sys.argv[1])['history'](5), end='')"
    )
    command = [sys.executable, "-c", code, __file__, str(Path(__file__).parent)]
    other = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, cwd=Path(__file__).parents[3]
    )
    assert other.stdout == history(5)


def test_another_seed_gives_other_events() -> None:
    assert history(5) != history(6)

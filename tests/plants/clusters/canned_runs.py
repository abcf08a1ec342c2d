"""Runs that are replaced by their histories: what clients would have seen of a cluster that is broken in some way.

All else is the check's own: its settings, its needs, and the judgement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from harness.catalogue import Header
from harness.clients.client import library
from harness.history.history import History
from harness.history.operations import FaultAct, OpType, PartitionState, PartitionStates
from harness.judging.activity import Needs
from harness.judging.guarantees import TopicSettings
from harness.pytest_plugin import drive as driving
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.record import CheckRecord
from harness.runs.run import Finished
from harness.workloads.synthetic import Script


def three_records(
    acts: Sequence[tuple[str, tuple[int, ...]]], at_the_end: Mapping[int, str], leaders: tuple[int, int] = (1, 2)
) -> History:
    """Records acknowledged at 0, 1, 2, before, under and after the faults; who led before and after; and what is read
    in the end. Another partition has as many records as a run needs, and is right."""
    script = Script()
    others = {offset: f"1.{offset}" for offset in range(Needs().acknowledged)}
    for offset, value in others.items():
        script.send(value, offset, partition=1)
    _note_leader(script, leaders[0], 0)
    script.send("a", 0)
    begun = [FaultAct(kind=kind, nodes=nodes) for kind, nodes in acts]
    sent = None
    for act in begun:
        script.fault(act)
        sent = sent or script.invoke("b")
    assert sent is not None
    for act in begun:
        script.heal(act)
    script.ok(sent, 1)
    script.send("c", 2)
    _note_leader(script, leaders[1], int(leaders[0] != leaders[1]))
    script.final_read(dict(at_the_end))
    script.final_read(others, partition=1)
    return script.history()


def _note_leader(script: Script, leader: int, epoch: int) -> None:
    state = PartitionState(script.topic, 0, leader, epoch, (1, 2, 3), (1, 2, 3))
    script.add("run", OpType.OK, "partition_states", value=PartitionStates((state,)))


def drive_that_sees(
    monkeypatch: pytest.MonkeyPatch, cluster: Any, seen: History, effect: Callable[[Any], None] = lambda fault: None
) -> Drive:
    """A drive whose run is the history; `effect` is what the run does to each fault object of the check."""

    def run(*given: object, faults: Sequence[Any] = (), **more: object) -> Finished:
        for fault in faults:
            effect(fault)
        topic = TopicSettings(replicas=3, min_insync=2)
        return Finished(history=seen, operations=len(seen.operations), phases=(), topic=topic)  # type: ignore[arg-type]

    monkeypatch.setattr(driving, "run_workload", run)
    target: Any = SimpleNamespace(name="memory", lack_for_fault=lambda kind: None)
    folder: Any = lambda: SimpleNamespace(history_writer=lambda **more: None)  # noqa: E731
    return Drive(
        cluster=lambda: cluster,
        target=target,
        library=library("confluent"),
        record=CheckRecord(check="canned", target="memory", header=Header(), sentence=""),
        folder=folder,
        seed=1,
        duration_s=1,
        show=lambda progress: None,
    )

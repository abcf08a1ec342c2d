"""Faults begin under load: once something was acknowledged, or when that takes longer than a delivery may."""

from __future__ import annotations

from harness.runs.run import await_load
from harness.workloads.queue import Queue
from tests.unit.harness.runs.conftest import Stage

QUEUE = Queue(topic="t")


def test_it_ends_with_the_first_acknowledgement(stage: Stage) -> None:
    context = stage.set_up(QUEUE)
    context.counts.acknowledged = 1

    await_load(context)

    assert stage.executor.now_s == 0


def test_it_waits_no_longer_than_a_delivery_may_take(stage: Stage) -> None:
    await_load(stage.set_up(QUEUE))

    assert 10 <= stage.executor.now_s < 11


def test_trouble_ends_it(stage: Stage) -> None:
    context = stage.set_up(QUEUE)
    context.trouble("the cluster is gone")

    await_load(context)

    assert stage.executor.now_s == 0

"""Records the state of the partitions under check in the history: leader, leader epoch, and in-sync replicas."""

from __future__ import annotations

from harness.clients.client import ClientTrouble
from harness.clients.topic_settings import read_partition_states
from harness.history.operations import OpType
from harness.runs.context import RUN, RunContext


def look_at_partitions(context: RunContext) -> None:
    """Notes what Metadata tells, or that nobody told it."""
    invoked = context.writer.append(RUN, OpType.INVOKE, "partition_states")
    try:
        states = read_partition_states(context.cluster.bootstrap, context.queue.topic)
    except ClientTrouble as trouble:
        context.writer.append(RUN, OpType.INFO, "partition_states", error=f"{trouble}", of=invoked)
        return
    context.writer.append(RUN, OpType.OK, "partition_states", states, of=invoked)

"""Fails on purpose: its own fault removes a batch from the log, and `kafka_drive` must say what is lost."""

from __future__ import annotations

from harness import Cluster, FaultAct, KafkaDrive, Queue

BATCH_HEADER = 12
"""Bytes of a batch that its length does not count: the base offset, and the length itself."""


class RemovesTheFirstBatch:
    """Kills the broker, takes the first batch of one partition away, and starts it again."""

    kind = "kill"
    name = "remove the first batch"

    def lack(self, cluster: Cluster) -> None:
        return None

    def plan(self, view: object, random: object) -> FaultAct:
        return FaultAct(kind=self.kind, nodes=(1,))

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        (node,) = cluster.nodes
        node.kill()
        assert node.data_dir is not None
        (partition,) = node.data_dir.glob("doomed-*")
        for index in partition.glob("*index"):
            index.unlink()  # the broker makes it anew
        (log,) = partition.glob("*.log")
        data = log.read_bytes()
        length = BATCH_HEADER + int.from_bytes(data[8:BATCH_HEADER], "big")
        log.write_bytes(data[length:])
        return f"removed {length} bytes"

    def heal(self, cluster: Cluster) -> str:
        cluster.nodes[0].start()
        return "started node 1"

    def verify_healed(self, cluster: Cluster) -> None:
        cluster.nodes[0].wait_ready()


def test_a_lost_batch_is_noticed(kafka_drive: KafkaDrive) -> None:
    queue = Queue(topic="doomed", partitions=1, producers=1, consumers=1, rate=100)

    kafka_drive(queue, at_end=[RemovesTheFirstBatch()], duration_s=2)

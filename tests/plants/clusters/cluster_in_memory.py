"""A cluster of three brokers in memory, small enough to be seen right, and bugs that checks of clusters must reject.

Replication as Kafka documents it, at once and without a network: what is written goes to every in-sync replica, a dead
node leaves the ISR, a replica that comes back copies from the leader. Time passes only where somebody sleeps.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.targets.cluster_view import ClusterView
from reference_broker.wire.records import Record, encode_batch

BROKERS = (1, 2, 3)
NOW = 1_700_000_000_000
_METADATA = "__cluster_metadata"
LOOKS_OF_A_MOVE = 4
"""After so many looks a move ends."""

BUGS = {
    "acknowledges with too few replicas": "min.insync.replicas counts for nothing",
    "keeps what it refuses": "a record that was refused is written",
    "has a dead leader": "metadata goes on to name a leader that is dead",
    "elects any replica": "a replica that was not in sync leads although unclean elections are off",
    "does not truncate": "a former leader keeps what the new leader never had",
    "loses the last record at a failover": "the new leader forgets the newest record",
    "writes acks=1 nowhere": "a record with acks=1 is acknowledged and not written",
    "moves without copying": "a moved replica begins empty",
    "loses what is written during a move": "a moved replica has what stood before the move alone",
    "ends a move to a dead broker": "a replica that is dead takes the place of one that is not",
    "elects nobody": "the election of the preferred leader is answered, and changes nothing",
    "keeps the old replica": "a move leaves the replicas as they were",
    "keeps the new replica when cancelled": "a cancelled move leaves its half-made replica in the assignment",
    "never fences": "a broker that is not heard of stays listed and leads",
    "never lets it follow again": "a broker that is back stays out of the ISR",
    "takes no record after a failover": "a new leader refuses what is sent to it",
    "leads after its end": "a broker that was stopped cleanly still leads",
    "has no other controller": "nobody takes over when the active controller is dead",
    "has two leaders of an epoch": "the new controller leads in the epoch of the old one",
    "goes back in epochs": "the new controller leads in an epoch before that of the old one",
    "makes no topic after a failover": "controllers answer nothing once one of them has failed",
    "forgets topics with its controller": "topics that the dead controller made are gone",
    "gives topics new ids": "the new controller gives every topic another id",
    "has different metadata": "one controller's metadata log differs",
    "serves what is not committed": "a follower serves a record that the leader does not have",
    "sends nobody to followers": "the leader never names a follower",
    "takes back what a follower served": "a follower's high watermark goes back",
}


@dataclass
class Partition:
    """What each node holds of a partition, and who leads."""

    replicas: tuple[int, ...]
    isr: tuple[int, ...]
    leader: int
    topic_id: int
    count: int = 1
    """Of the topic's partitions: all are like this one."""
    min_insync: int = 1
    is_unclean: bool = False
    logs: dict[int, list[str]] = field(default_factory=dict)
    moving: tuple[int, ...] | None = None
    is_new: bool = False
    """Whether its leader came to lead after another one was lost."""


class MemoryNode:
    """A node that may be stopped, killed and paused."""

    small_disk = None
    faulty_disk = None
    link_filter = None
    environment = None
    host = None

    def __init__(self, cluster: MemoryCluster, node_id: int) -> None:
        self._cluster = cluster
        self.id = node_id
        self.address = (f"10.0.0.{node_id}", 9092)
        self.internal_address = self.address[0]
        self.ports = {"PLAINTEXT": 9092, "CONTROLLER": 9093}
        self.rack = "abc"[node_id - 1]
        self.is_up = True
        self.is_stopped = False

    @property
    def data_dir(self) -> Path:
        """Its log folder, written when somebody looks."""
        folder = self._cluster.folder / f"node-{self.id}"
        self._cluster.write(self.id, folder)
        return folder

    def fetch_log_dirs(self, into: Path) -> tuple[Path, ...]:
        """They are on this machine."""
        return (self.data_dir,)

    def start(self) -> None:
        self.is_up = True
        self._cluster.comes_back(self.id)

    def stop(self) -> None:
        if self.is_up:
            self.is_up = False
            self._cluster.leaves(self.id, is_clean=True)

    def kill(self) -> None:
        if self.is_up:
            self.is_up = False
            self._cluster.leaves(self.id, is_clean=False)

    def pause(self) -> None:
        self.is_stopped = True
        if not self._cluster.has("never fences"):
            self._cluster.leaves(self.id, is_clean=False)

    def resume(self) -> None:
        self.is_stopped = False
        self._cluster.comes_back(self.id)

    def is_alive(self) -> bool:
        return self.is_up

    def is_paused(self) -> bool:
        return self.is_up and self.is_stopped

    def wait_ready(self, timeout_s: float = 1.0) -> None:
        assert self.is_up


class MemoryCluster:
    """Three brokers that are controllers too."""

    def __init__(self, folder: Path, bugs: Collection[str] = ()) -> None:
        self.folder = folder
        self._bugs = set(bugs)
        self.topics: dict[str, Partition] = {}
        self.made_topics = 0
        self.controller, self.epoch = 1, 5
        self.has_failed_over = False
        self.looks = 0
        self.nodes = tuple(MemoryNode(self, number) for number in BROKERS)
        self.bootstrap = ",".join("{}:{}".format(*node.address) for node in self.nodes)

    def has(self, bug: str) -> bool:
        """Whether it has a bug."""
        assert bug in BUGS
        return bug in self._bugs

    def lack_for_fault(self, kind: str) -> None:
        """Nothing stands in the way of any."""

    def wait_healthy(self, timeout_s: float = 1.0) -> None:
        """It is well at once."""

    def usable(self) -> list[int]:
        """Nodes that take part: up, and not paused unless nobody notices."""
        return [node.id for node in self.nodes if node.is_up and (not node.is_stopped or self.has("never fences"))]

    def view(self, topics: Sequence[str] | None = None, groups: Sequence[str] = ()) -> ClusterView:
        self.looks += 1
        for partition in self.topics.values():
            self._end_move(partition)
        shown = {
            (name, number): found
            for name, found in self.topics.items()
            for number in range(found.count)
            if topics is None or name in topics
        }
        return ClusterView(
            nodes=BROKERS,
            brokers=tuple(self.usable()),
            controllers=BROKERS,
            active_controller=self.controller,
            leaders={where: found.leader for where, found in shown.items() if found.leader > 0},
            replicas={where: _all_replicas(found) for where, found in shown.items()},
            isr={where: found.isr for where, found in shown.items()},
        )

    def leaves(self, node: int, *, is_clean: bool) -> None:
        """A node is away: it leaves every ISR in which others stay, and others lead."""
        if node == self.controller and not self.has("has no other controller"):
            self.controller = next(one for one in self.usable() if one != node)
            self.epoch += -1 if self.has("goes back in epochs") else not self.has("has two leaders of an epoch")
            self.has_failed_over = True
            if self.has("forgets topics with its controller"):
                self.topics.clear()
            if self.has("gives topics new ids"):
                for partition in self.topics.values():
                    partition.topic_id += 1_000
        for partition in self.topics.values():
            if node in partition.isr and len(partition.isr) > 1:
                partition.isr = tuple(one for one in partition.isr if one != node)
            if partition.leader == node and not (is_clean and self.has("leads after its end")):
                self._elect(partition)

    def _elect(self, partition: Partition) -> None:
        usable = self.usable()
        if self.has("has a dead leader") and len(partition.isr) < 2:
            return
        candidates = [one for one in partition.isr if one in usable]
        partition.is_new = True
        if not candidates and (partition.is_unclean or self.has("elects any replica")):
            candidates = [one for one in partition.replicas if one in usable]
        partition.leader = candidates[0] if candidates else -1
        if candidates:
            partition.isr = tuple(one for one in partition.isr if one in usable) or (candidates[0],)
            if self.has("loses the last record at a failover"):
                for log in partition.logs.values():
                    del log[-1:]

    def comes_back(self, node: int) -> None:
        """A node is back: it leads where it is the one that can, and follows, as do those that waited for a leader."""
        for partition in self.topics.values():
            if partition.leader < 0:
                self._elect(partition)
            for follower in (one for one in partition.replicas if one in self.usable()):
                self._follow(partition, follower, is_back=follower == node)

    def _follow(self, partition: Partition, node: int, *, is_back: bool) -> None:
        if partition.leader < 0 or node in partition.isr or (is_back and self.has("never lets it follow again")):
            return
        leads, own = partition.logs[partition.leader], partition.logs.get(node, [])
        partition.logs[node] = own + leads[len(own) :] if self.has("does not truncate") else list(leads)
        partition.isr = (*partition.isr, node)

    def move(self, partition: Partition, replicas: tuple[int, ...] | None) -> None:
        """Begins a move, or cancels it."""
        if replicas is None:
            if self.has("keeps the new replica when cancelled"):
                partition.replicas = partition.moving or partition.replicas
                partition.logs |= {node: [] for node in partition.replicas if node not in partition.logs}
            partition.moving = None
        elif set(replicas) == set(partition.replicas):
            partition.replicas = replicas
        elif not self.has("keeps the old replica"):
            partition.moving = replicas
            self._moves_at, self._before_move = self.looks + LOOKS_OF_A_MOVE, len(partition.logs[partition.leader])

    def _end_move(self, partition: Partition) -> None:
        """A move takes a few looks, and does not end while one of the new replicas is dead."""
        wanted = partition.moving
        if wanted is None or self.looks < self._moves_at:
            return
        if all(node in self.usable() for node in wanted) or self.has("ends a move to a dead broker"):
            leads = partition.logs[partition.leader]
            copied = 0 if self.has("moves without copying") else None
            copied = self._before_move if self.has("loses what is written during a move") else copied
            partition.logs = {node: list(leads) if node in partition.logs else list(leads)[:copied] for node in wanted}
            partition.replicas = partition.isr = wanted
            partition.leader, partition.moving = wanted[0], None

    def write(self, node: int, log_dir: Path) -> None:
        """What a node holds, as log folders."""
        for name, partition in self.topics.items():
            if node in partition.replicas:
                _write(log_dir, name, partition.logs[node])
        _write(log_dir, _METADATA, ["different" if self.has("has different metadata") and node == 2 else "metadata"])


def _all_replicas(partition: Partition) -> tuple[int, ...]:
    """Those that it has, and those that a move adds."""
    added = [node for node in partition.moving or () if node not in partition.replicas]
    return (*partition.replicas, *added)


def _write(log_dir: Path, topic: str, values: Sequence[str]) -> None:
    folder = log_dir / f"{topic}-0"
    folder.mkdir(parents=True, exist_ok=True)
    batches = [
        encode_batch([Record(number, NOW, None, value.encode())], base_offset=number, leader_epoch=0)
        for number, value in enumerate(values)
    ]
    (folder / "00000000000000000000.log").write_bytes(b"".join(batches))

"""Brokers' replicas of one topic on virtual time: a network by hand, a small controller, disks that forget.

Everything that happens is in one queue by time, so that a seed gives the same history every time.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from memory_disk import MemoryDisk
from msgspec.structs import replace as with_fields
from replica_node import Node
from small_controller import SmallController

from reference_broker.effects import PeerLost, Send
from reference_broker.environment import Now
from reference_broker.log.config import LogConfig
from reference_broker.metadata.brokers import BrokerImage
from reference_broker.metadata.topics import PartitionImage
from reference_broker.replication.leader import ALL_IN_SYNC
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.records import Record, encode_batch, iter_batches
from reference_broker.wire.refusal import KafkaError

WALL = 1_700_000_000_000
SESSION_MS = 300


class World:
    """`replicas` brokers, all in sync, the first leading. `min_isr` is min.insync.replicas."""

    def __init__(self, replicas: int = 3, *, min_isr: int = 1, seed: int | None = None, **settings: Any) -> None:
        self.chance = random.Random(seed) if seed is not None else None
        self.fetch_bytes = 1 << 20 if self.chance is None else self.chance.choice([1, 200, 1 << 20])
        self.config = LogConfig(min_insync_replicas=min_isr, **settings)
        self.now_ms, self._count = 0, 0
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self.events: list[str] = []
        self.links_cut: set[tuple[int, int]] = set()
        self.cut_off: set[int] = set()
        self.nodes: dict[int, Node] = {}
        self.disks = {node_id: MemoryDisk() for node_id in range(1, replicas + 1)}
        self.controller = SmallController(self)
        ids = tuple(self.disks)
        self.controller.image = PartitionImage(
            index=0, replicas=ids, isr=ids, leader=-1, leader_epoch=-1, partition_epoch=0
        )
        self.acknowledged: dict[int, bytes] = {}
        for node_id in ids:
            epoch = self.controller.register(node_id)
            self.controller.image = replace(self.controller.image, isr=ids)
            self.nodes[node_id] = Node(self, node_id, self.disks[node_id], epoch)
            known = self.controller.brokers[node_id].registration
            self.controller.brokers[node_id] = BrokerImage(with_fields(known, fenced=False))
        self.controller.elect()
        self.controller.publish()

    # -- time ---------------------------------------------------------------------------------------------------

    def now(self) -> Now:
        return Now(WALL + self.now_ms, self.now_ms)

    def latency(self) -> int:
        return 1 if self.chance is None else self.chance.choice([1, 1, 2, 5, 30])

    def after(self, delay_ms: int, act: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (self.now_ms + delay_ms, self._count, act))

    def run(self, duration_ms: int) -> None:
        """Let time pass."""
        end = self.now_ms + duration_ms
        while True:
            deadlines = [node.next_deadline_ms() for node in self.nodes.values()]
            following = min([*deadlines, self._queue[0][0] if self._queue else end + 1])
            if following > end:
                break
            self.now_ms = max(self.now_ms, following)
            while self._queue and self._queue[0][0] <= self.now_ms:
                heapq.heappop(self._queue)[2]()
            for node in list(self.nodes.values()):
                if node.next_deadline_ms() <= self.now_ms:
                    self.on_node(node, node.on_time)
        self.now_ms = end

    def on_node(self, node: Node, act: Callable[[], None]) -> None:
        """Something happens at a node, if it is still the same one; what it asks for is carried out."""
        if self.nodes.get(node.id) is not node:
            return
        act()
        node.look_at_parked()
        for effect in node.outbox.take():
            assert isinstance(effect, Send)
            self._carry(node, effect)

    def _carry(self, node: Node, send: Send) -> None:
        to = send.peer.node_id

        def settle(outcome: Any) -> None:
            self.on_node(node, lambda: node.outbox.settle(send.token, outcome, self.now()))

        is_settled: list[bool] = []

        def give_up() -> None:
            if not is_settled:
                is_settled.append(True)
                settle(PeerLost("no answer"))

        def back(answer: Any) -> None:
            if (to, node.id) in self.links_cut:
                return

            def arrive() -> None:
                if not is_settled:
                    is_settled.append(True)
                    settle(answer)

            self.after(self.latency(), arrive)

        def there() -> None:
            peer = self.nodes.get(to)
            if peer is not None and (node.id, to) not in self.links_cut:
                self.on_node(peer, lambda: peer.serve(send.request, back))

        self.after(send.timeout_ms, give_up)
        self.after(self.latency(), there)

    # -- what happens to brokers --------------------------------------------------------------------------------

    def kill(self, node_id: int, *, loses_unflushed: bool = False) -> None:
        """A process ends without a word; with `loses_unflushed` its machine does."""
        del self.nodes[node_id]
        if loses_unflushed:
            self.disks[node_id].crash(self.chance or random.Random(0))
        epoch = self.controller.brokers[node_id].epoch

        def expire() -> None:
            if node_id not in self.nodes and self.controller.brokers[node_id].epoch == epoch:
                self.controller.fence(node_id)

        self.after(SESSION_MS, expire)

    def start(self, node_id: int) -> None:
        """It comes again, registers, is told the metadata, and is unfenced."""
        epoch = self.controller.register(node_id)
        node = self.nodes[node_id] = Node(self, node_id, self.disks[node_id], epoch)
        self.controller.publish()

        def unfence() -> None:
            if self.nodes.get(node_id) is node and node_id not in self.cut_off:
                self.controller.fence(node_id, is_fenced=False)

        self.after(100, unfence)

    def isolate(self, node_id: int) -> None:
        """No other broker, nor the controller, is reached from it, and it from nobody."""
        self.links_cut |= {(node_id, one) for one in self.disks} | {(one, node_id) for one in self.disks}
        self.cut_off.add(node_id)

        def expire() -> None:
            if node_id in self.cut_off:
                self.controller.fence(node_id)

        self.after(SESSION_MS, expire)

    def heal(self) -> None:
        """Every link works again; brokers that run are unfenced."""
        self.links_cut.clear()
        self.cut_off.clear()
        for node_id in sorted(self.nodes):
            self.controller.tell(node_id, self.controller.image, dict(self.controller.brokers))
            if not self.controller.is_active(node_id):
                self.controller.fence(node_id, is_fenced=False)

    # -- clients ------------------------------------------------------------------------------------------------

    def leader(self) -> Node | None:
        """The node that the controller names, where it runs."""
        return self.nodes.get(self.controller.image.leader)

    def append(self, node_id: int, value: bytes, on_answer: Callable[[str], None] = lambda text: None) -> None:
        """A producer with acks=all writes one record to a node."""
        node = self.nodes[node_id]

        def write() -> None:
            (batch,) = iter_batches(encode_batch([Record(0, WALL + self.now_ms, b"k", value)]))
            try:
                appended = node.partition.append_from_client(batch, ALL_IN_SYNC, WALL + self.now_ms)
            except KafkaError as error:
                on_answer(error.code.name)
                return
            offset = appended.last_offset

            def on_replicated(code: ErrorCode) -> None:
                if code == ErrorCode.NONE:
                    self.acknowledged[offset] = value
                on_answer(f"acknowledged at {offset}" if code == ErrorCode.NONE else code.name)

            node.partition.when_replicated(offset + 1, on_replicated)

        self.on_node(node, write)

    # -- what is there ------------------------------------------------------------------------------------------

    def stored(self, node_id: int, up_to: int = 1 << 62) -> list[bytes]:
        """The bytes of a node's batches below an offset."""
        log = self.nodes[node_id].partition.log
        batches = log.batches_from(log.log_start_offset)
        return [bytes(one.data) for one in batches if one.header.last_offset < up_to]

    def values(self, node_id: int) -> dict[int, bytes]:
        """The records of a node, by offset."""
        log = self.nodes[node_id].partition.log
        batches = log.batches_from(log.log_start_offset)
        return {record.offset: record.value or b"" for one in batches for record in one.records()}

    def check_equal(self) -> None:
        """Below both high watermarks two replicas hold the same bytes."""
        ids = sorted(self.nodes)
        for one in ids:
            for other in ids:
                if one < other:
                    logs = [self.nodes[node_id].partition.log for node_id in (one, other)]
                    bound = min(log.high_watermark for log in logs)
                    assert self.stored(one, bound) == self.stored(other, bound), (one, other, bound, self.events)

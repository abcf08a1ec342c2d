"""Histories built by hand or from a seed, without a cluster, for tests and benchmarks of checkers."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import msgspec

from harness.history.history import History
from harness.history.operations import (
    EARLIEST,
    NEMESIS,
    Acknowledged,
    Assign,
    Assigned,
    Commit,
    FaultAct,
    FinalEnd,
    Operation,
    OpType,
    PartitionRecords,
    Polled,
    ProducerIdentity,
    Record,
    Revoked,
    Send,
    Subscribe,
)


class Script:
    """Builds a history operation by operation; each is 1 ms after the one before it."""

    def __init__(self, topic: str = "t") -> None:
        self.topic = topic
        self.operations: list[Operation] = []
        self.sent: dict[str, Send] = {}
        self.now_ns = 0
        self._drained = 0

    def add(self, process: str, kind: OpType, f: str, **fields: object) -> int:
        """Appends an operation; returns its index."""
        index = self._drained + len(self.operations)
        operation = Operation(index=index, time_ns=self.now_ns, process=process, kind=kind, f=f)
        self.operations.append(msgspec.structs.replace(operation, **fields))
        self.now_ns += 1_000_000
        return index

    def wait(self, seconds: float) -> None:
        """Advances the clock."""
        self.now_ns += int(seconds * 1e9)

    def invoke(self, value: str, *, partition: int = 0, process: str = "producer 1", key: str | None = None) -> int:
        """Adds the invoke of a send; returns its index."""
        send = Send(self.topic, partition, value, key, timestamp=self.now_ns // 1_000, checksum=len(value))
        self.sent[value] = send
        return self.add(process, OpType.INVOKE, "send", value=send)

    def ok(self, invoked: int, offset: int) -> None:
        """Adds the acknowledgement of a send."""
        start = self.operations[invoked - self._drained]
        assert isinstance(start.value, Send)
        acknowledged = Acknowledged(start.value.partition, offset)
        self.add(start.process, OpType.OK, "send", value=acknowledged, of=invoked)

    def fail(self, invoked: int, error: str = "MESSAGE_TOO_LARGE") -> None:
        """Completes an operation with FAIL: it certainly had no effect."""
        start = self.operations[invoked - self._drained]
        self.add(start.process, OpType.FAIL, start.f, error=error, of=invoked)

    def info(self, invoked: int, error: str = "timed out") -> None:
        """Completes an operation with INFO: whether it had an effect is unknown."""
        start = self.operations[invoked - self._drained]
        self.add(start.process, OpType.INFO, start.f, error=error, of=invoked)

    def send(self, value: str, offset: int, *, partition: int = 0, process: str = "producer 1") -> None:
        """Adds a send and its acknowledgement."""
        self.ok(self.invoke(value, partition=partition, process=process), offset)

    def identity(
        self, producer_id: int, epoch: int = 0, *, process: str = "producer 1", is_prompt: bool = True
    ) -> None:
        """Adds the producer id and epoch that a process got."""
        value = ProducerIdentity(producer_id, epoch, is_prompt=is_prompt)
        self.add(process, OpType.OK, "producer_id", value=value)

    def record(self, value: str, offset: int, leader_epoch: int = -1) -> Record:
        """The record that a correct broker returns for a sent value."""
        send = self.sent.get(value)
        if send is None:
            return Record(offset, value, leader_epoch=leader_epoch)
        return Record(offset, value, send.key, send.headers, send.timestamp, send.checksum, leader_epoch)

    def poll(self, log: dict[int, str], *, partition: int = 0, process: str = "consumer 1", f: str = "poll") -> None:
        """Adds a poll that returns the values of `log` (offset → value) in this order."""
        records = tuple(self.record(value, offset) for offset, value in log.items())
        self.polled(records, partition=partition, process=process, f=f)

    def polled(
        self, records: tuple[Record, ...], *, partition: int = 0, process: str = "consumer 1", f: str = "poll"
    ) -> None:
        """Adds a poll that returns these records."""
        invoked = self.add(process, OpType.INVOKE, f)
        parts = (PartitionRecords(self.topic, partition, records),) if records else ()
        self.add(process, OpType.OK, f, value=Polled(parts), of=invoked)

    def assign(self, process: str = "consumer 1", partition: int = 0, offset: int = EARLIEST) -> None:
        """Adds an assignment of a partition to a consumer, which replaces the earlier one."""
        self._call(process, "assign", Assign(((self.topic, partition, offset),)))

    def subscribe(self, group: str = "g", *, process: str = "consumer 1") -> None:
        """Adds a subscription: the consumer joins a group."""
        self._call(process, "subscribe", Subscribe(group, (self.topic,)))

    def assigned(self, *partitions: int, group: str = "g", process: str = "consumer 1") -> None:
        """Adds an assignment of partitions by a group."""
        value = Assigned(group, tuple((self.topic, number) for number in partitions))
        self.add(process, OpType.OK, "assigned", value=value)

    def revoked(self, *partitions: int, group: str = "g", process: str = "consumer 1") -> None:
        """Adds a revocation of partitions by a group."""
        value = Revoked(group, tuple((self.topic, number) for number in partitions))
        self.add(process, OpType.OK, "revoked", value=value)

    def commit(self, offset: int, *, partition: int = 0, group: str = "g", process: str = "consumer 1") -> int:
        """Adds the invoke of a commit; returns its index."""
        return self.add(process, OpType.INVOKE, "commit", value=Commit(group, ((self.topic, partition, offset),)))

    def committed(self, offset: int, *, partition: int = 0, group: str = "g", process: str = "consumer 1") -> None:
        """Adds a successful commit."""
        invoked = self.commit(offset, partition=partition, group=group, process=process)
        self.add(process, OpType.OK, "commit", of=invoked)

    def _call(self, process: str, f: str, value: Assign | Subscribe) -> None:
        invoked = self.add(process, OpType.INVOKE, f, value=value)
        self.add(process, OpType.OK, f, of=invoked)

    def fault(self, act: FaultAct, proof: str = "it took effect") -> None:
        """Adds an injected fault."""
        invoked = self.add(NEMESIS, OpType.INVOKE, act.kind, value=act)
        self.add(NEMESIS, OpType.INFO, act.kind, value=msgspec.structs.replace(act, proof=proof), of=invoked)

    def heal(self, act: FaultAct) -> None:
        """Adds the heal of a fault."""
        invoked = self.add(NEMESIS, OpType.INVOKE, "heal", value=act)
        self.add(NEMESIS, OpType.INFO, "heal", value=msgspec.structs.replace(act, proof="it is well"), of=invoked)

    def final_read(
        self,
        log: dict[int, str],
        *,
        start: int = 0,
        end: int | None = None,
        reached: int | None = None,
        partition: int = 0,
    ) -> None:
        """Adds the final read of a partition, up to its end or up to `reached`."""
        process = f"final {partition}"
        self.assign(process, partition)
        if log:
            self.poll(log, partition=partition, process=process, f="final_read")
        last = max(log, default=-1) + 1
        end = last if end is None else end
        reached = end if reached is None else reached
        self.add(process, OpType.OK, "final_end", value=FinalEnd(self.topic, partition, start, end, reached))

    def drained(self) -> list[Operation]:
        """Returns the operations since the last call, and removes them."""
        self._drained += len(self.operations)
        drained, self.operations = self.operations, []
        return drained

    def history(self, *, is_complete: bool = True) -> History:
        """The history so far."""
        return History(self.operations, is_complete=is_complete)


def legal_history(sends: int, seed: int = 0, *, partitions: int = 2, producers: int = 3) -> History:
    """A history that a correct broker could produce: some sends refused or unanswered, two readers, a final read."""
    return History(legal_operations(sends, seed, partitions=partitions, producers=producers))


def legal_operations(sends: int, seed: int = 0, *, partitions: int = 2, producers: int = 3) -> Iterator[Operation]:
    """The operations of `legal_history`, generated one by one, so that a long history need not fit in memory."""
    chance = Random(seed)
    script = Script()
    logs: list[list[Record]] = [[] for _ in range(partitions)]
    ends = [0] * partitions
    followed = [[0] * partitions for _ in range(2)]
    counts = [0] * producers
    for follower in range(2):
        for partition in range(partitions):
            script.assign(f"consumer {follower}.{partition}", partition)
    for number in range(sends):
        partition, producer = chance.randrange(partitions), chance.randrange(producers)
        counts[producer] += 1
        value = f"{producer}.{counts[producer]}"
        invoked = script.invoke(value, partition=partition, process=f"producer {producer}")
        fate = chance.random()
        if fate < 0.01:
            script.fail(invoked)
        elif fate > 0.015:
            script.ok(invoked, ends[partition])
        else:
            script.info(invoked)
        if fate > 0.0125:
            logs[partition].append(script.record(value, ends[partition]))
            ends[partition] += 1 + (chance.random() < 0.01)
        script.sent.clear()
        if number % 50 == 49:
            follower, partition = chance.randrange(2), chance.randrange(partitions)
            records = tuple(logs[partition][followed[follower][partition] :])
            script.polled(records, partition=partition, process=f"consumer {follower}.{partition}")
            followed[follower][partition] = len(logs[partition])
        yield from script.drained()
    for partition, log in enumerate(logs):
        script.assign(f"final {partition}", partition)
        for first in range(0, len(log), 500):
            process = f"final {partition}"
            script.polled(tuple(log[first : first + 500]), partition=partition, process=process, f="final_read")
            yield from script.drained()
        end = FinalEnd(script.topic, partition, 0, ends[partition], ends[partition])
        script.add(f"final {partition}", OpType.OK, "final_end", value=end)
    yield from script.drained()

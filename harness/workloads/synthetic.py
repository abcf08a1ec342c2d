"""Histories made by hand or by a seed, without a cluster: for tests of checkers and for measuring them."""

from __future__ import annotations

from random import Random

import msgspec

from harness.history.operations import (
    NEMESIS,
    Acknowledged,
    FinalEnd,
    History,
    Operation,
    OpType,
    Polled,
    Position,
    Record,
    Send,
)


class Script:
    """Writes a history operation by operation; a millisecond passes between them."""

    def __init__(self, topic: str = "t") -> None:
        self.topic = topic
        self.operations: list[Operation] = []
        self.sent: dict[str, Send] = {}

    def add(self, process: str, kind: OpType, f: str, **fields: object) -> int:
        """Appends an operation; its index."""
        index = len(self.operations)
        operation = Operation(index=index, time_ns=index * 1_000_000, process=process, kind=kind, f=f)
        self.operations.append(msgspec.structs.replace(operation, **fields))
        return index

    def invoke(self, value: str, *, partition: int = 0, process: str = "producer 1", key: str | None = None) -> int:
        """A send that starts; its index."""
        send = Send(self.topic, partition, value, key, timestamp=1_000 + len(self.sent), checksum=len(value))
        self.sent[value] = send
        return self.add(process, OpType.INVOKE, "send", value=send)

    def ok(self, invoked: int, offset: int) -> None:
        """The acknowledgement of a send."""
        start = self.operations[invoked]
        assert isinstance(start.value, Send)
        acknowledged = Acknowledged(start.value.partition, offset)
        self.add(start.process, OpType.OK, "send", value=acknowledged, of=invoked)

    def fail(self, invoked: int, error: str = "MESSAGE_TOO_LARGE") -> None:
        """A certain refusal of a send."""
        self.add(self.operations[invoked].process, OpType.FAIL, "send", error=error, of=invoked)

    def info(self, invoked: int, error: str = "timed out") -> None:
        """A send of which nothing is known."""
        self.add(self.operations[invoked].process, OpType.INFO, "send", error=error, of=invoked)

    def send(self, value: str, offset: int, *, partition: int = 0, process: str = "producer 1") -> None:
        """A send and its acknowledgement."""
        self.ok(self.invoke(value, partition=partition, process=process), offset)

    def record(self, value: str, offset: int) -> Record:
        """What a faithful broker returns of a value that was sent."""
        send = self.sent.get(value)
        if send is None:
            return Record(offset, value)
        return Record(offset, value, send.key, send.headers, send.timestamp, send.checksum)

    def poll(self, log: dict[int, str], *, partition: int = 0, process: str = "consumer 1", f: str = "poll") -> None:
        """A poll that returns these records in this order."""
        records = tuple(self.record(value, offset) for offset, value in log.items())
        self.add(process, OpType.OK, f, value=Polled(self.topic, partition, records))

    def position(self, process: str = "consumer 1", partition: int = 0) -> None:
        """A consumer that starts to read a partition, or starts again."""
        self.add(process, OpType.OK, "position", value=Position(((self.topic, partition),)))

    def fault(self, f: str, what: str) -> None:
        """Something that the nemesis did."""
        self.add(NEMESIS, OpType.INFO, f, value=what)

    def final_read(
        self, log: dict[int, str], *, end: int | None = None, reached: int | None = None, partition: int = 0
    ) -> None:
        """The final read of a partition; to its end unless `reached` says otherwise."""
        process = f"final {partition}"
        if log:
            self.poll(log, partition=partition, process=process, f="final_read")
        last = max(log, default=-1) + 1
        end = last if end is None else end
        reached = end if reached is None else reached
        self.add(process, OpType.OK, "final_end", value=FinalEnd(self.topic, partition, 0, end, reached))

    def history(self, *, is_complete: bool = True) -> History:
        """The history so far."""
        return History(self.operations, is_complete=is_complete)


def legal_history(sends: int, seed: int = 0, *, partitions: int = 2, producers: int = 3) -> History:
    """A history that a faithful broker could give: some sends refused, some unanswered, two followers, a final read."""
    chance = Random(seed)
    script = Script()
    logs: list[dict[int, str]] = [{} for _ in range(partitions)]
    ends = [0] * partitions
    followed = [[0] * partitions for _ in range(2)]
    for number in range(sends):
        partition = chance.randrange(partitions)
        producer = chance.randrange(producers)
        value = f"{producer}.{number}"
        invoked = script.invoke(value, partition=partition, process=f"producer {producer}")
        fate = chance.random()
        if fate < 0.01:
            script.fail(invoked)
            continue
        if fate > 0.005 + 0.01:
            script.ok(invoked, ends[partition])
        else:
            script.info(invoked)
        if fate > 0.0125:
            logs[partition][ends[partition]] = value
            ends[partition] += 1 + (chance.random() < 0.01)
        if number % 50 == 49:
            follower = chance.randrange(2)
            _follow(script, logs, followed[follower], follower, chance.randrange(partitions))
    for partition, log in enumerate(logs):
        script.final_read(log, end=ends[partition], partition=partition)
    return script.history()


def _follow(script: Script, logs: list[dict[int, str]], followed: list[int], follower: int, partition: int) -> None:
    """One poll of a follower: the records that it had not seen."""
    log = logs[partition]
    fresh = dict(list(log.items())[followed[partition] :]) if len(log) < 1_000 else _tail(log, followed[partition])
    if fresh:
        script.poll(fresh, partition=partition, process=f"consumer {follower}")
        followed[partition] = len(log)


def _tail(log: dict[int, str], skip: int) -> dict[int, str]:
    """The entries after the first `skip`, from the end, so that long logs stay cheap."""
    wanted = len(log) - skip
    pairs: list[tuple[int, str]] = []
    for offset in reversed(log):
        if len(pairs) == wanted:
            break
        pairs.append((offset, log[offset]))
    return dict(reversed(pairs))

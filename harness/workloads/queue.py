"""The queue workload: unique values into few partitions, read while they are written, and read whole at the end.

Everything here is pure: what to send comes from a seed, and the judging from a finished history.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from crc32c import crc32c

from harness.history.operations import History, Send
from harness.judging.checkers.acknowledged_offset import acknowledged_offset
from harness.judging.checkers.duplicate import duplicate
from harness.judging.checkers.evidence import Evidence
from harness.judging.checkers.inconsistent_offsets import inconsistent_offsets
from harness.judging.checkers.lost_write import lost_write, unseen
from harness.judging.checkers.poll_order import nonmonotonic_poll, poll_skip
from harness.judging.checkers.record_integrity import aborted_read, record_integrity
from harness.judging.checkers.ruling import Checker
from harness.judging.checkers.send_order import nonmonotonic_send, realtime_order
from harness.judging.checkers.vanished_read import vanished_read
from harness.judging.guarantees import ClientSettings, Guarantees
from harness.judging.verdicts import Validity, Verdict

CHECKERS: tuple[Checker, ...] = (
    lost_write,
    unseen,
    vanished_read,
    inconsistent_offsets,
    acknowledged_offset,
    duplicate,
    nonmonotonic_send,
    realtime_order,
    nonmonotonic_poll,
    poll_skip,
    record_integrity,
    aborted_read,
)
_KEYS = ("", "a", "b", "customer-7", "고객-12", "ключ", "\x00\x01", "long-" + "k" * 40)
_HEADERS = ((), (("trace", "1"),), (("trace", "2"), ("trace", "3")), (("empty", ""), ("이름", "주문")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue workload: who does what to which topic."""

    topic: str
    partitions: int = 2
    producers: int = 2
    consumers: int = 2
    """That follow the partitions while they are written."""
    groups: int = 1
    """Consumer groups that `consumers` form, when they subscribe."""
    rate: int = 300
    """Records a second, of each producer."""
    value_bytes: int = 100
    """Of most values; a few are ten times as long."""
    client: ClientSettings = field(default_factory=ClientSettings)

    def consumer_names(self) -> tuple[str, ...]:
        """The processes that poll."""
        return tuple(f"consumer {number}" for number in range(1, self.consumers + 1))

    def producer_names(self) -> tuple[str, ...]:
        """The processes that send."""
        return tuple(f"producer {number}" for number in range(1, self.producers + 1))


@dataclass(frozen=True, slots=True)
class Message:
    """A send as the history holds it, and the bytes that go to the client."""

    send: Send
    value: bytes


def messages(queue: Queue, producer: int, chance: Random, first_timestamp: int) -> Iterator[Message]:
    """What a producer sends, without end. Timestamps grow by up to 3 ms a record, from `first_timestamp` (ms)."""
    timestamp = first_timestamp
    number = 0
    while True:
        number += 1
        name = f"{producer}.{number}"
        size = queue.value_bytes * (10 if chance.random() < 0.02 else 1)
        value = payload(name, size)
        timestamp += chance.randrange(4)
        key = None if chance.random() < 0.2 else chance.choice(_KEYS)
        send = Send(
            topic=queue.topic,
            partition=chance.randrange(queue.partitions),
            value=name,
            key=key,
            headers=chance.choice(_HEADERS),
            timestamp=timestamp,
            checksum=crc32c(value),
        )
        yield Message(send, value)


def payload(name: str, size: int) -> bytes:
    """A value of about `size` bytes that starts with its unique name."""
    head = name.encode() + b"|"
    filler = (name.encode() + b"*") * (size // (len(name) + 1) + 1)
    return head + filler[: max(0, size - len(head))]


def name_of(value: bytes | None) -> str:
    """The unique name at the start of a value; for other bytes their start, escaped."""
    if value is None:
        return "(null)"
    head, bar, _ = value[:48].partition(b"|")
    if bar and head.replace(b".", b"").isdigit():
        return head.decode()
    return "not ours: " + value[:48].decode("utf-8", "backslashreplace")


def judge(history: History, rules: Guarantees, checkers: Sequence[Checker] = CHECKERS) -> tuple[Verdict, ...]:
    """Every checker's verdict. A history in which nothing was acknowledged proves nothing: unknown."""
    verdicts = tuple(checker(history, rules) for checker in checkers)
    if any(verdict.validity is Validity.INVALID for verdict in verdicts):
        return verdicts
    attempts = Evidence.of(history).attempts
    if not any(attempt.outcome == "ok" for attempt in attempts):
        reason = f"none of {len(attempts):,} sends was acknowledged; was the cluster up, and is the topic writable?"
        return (Verdict(checker="activity", validity=Validity.UNKNOWN, reason=reason), *verdicts)
    return verdicts

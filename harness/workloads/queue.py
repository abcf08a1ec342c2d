"""The queue workload: producers send unique values to a few partitions; consumers read meanwhile, and a final read at
the end reads everything.

All of it is pure: the operations follow from a seed, and the verdicts from a finished history.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from crc32c import crc32c

from harness.history.history import AnyHistory
from harness.history.operations import Send
from harness.judging.activity import ANYTHING, Needs, activity
from harness.judging.checkers.acknowledged_offset import acknowledged_offset, offset_acknowledged_twice
from harness.judging.checkers.duplicate import duplicate
from harness.judging.checkers.inconsistent_offsets import inconsistent_offsets
from harness.judging.checkers.leader_epoch_order import leader_epoch_order
from harness.judging.checkers.lost_before_kept import lost_before_kept
from harness.judging.checkers.lost_write import lost_write, unseen
from harness.judging.checkers.no_recovery import no_recovery
from harness.judging.checkers.poll_order import nonmonotonic_poll, poll_skip, wrong_start
from harness.judging.checkers.record_integrity import aborted_read, record_integrity
from harness.judging.checkers.ruling import Checker
from harness.judging.checkers.send_order import nonmonotonic_send, realtime_order
from harness.judging.checkers.undelivered import undelivered
from harness.judging.checkers.vanished_read import vanished_read
from harness.judging.evidence.evidence import Evidence
from harness.judging.guarantees import ClientSettings, Guarantees
from harness.judging.verdicts import Verdict

CHECKERS: tuple[Checker, ...] = (
    lost_write,
    unseen,
    lost_before_kept,
    vanished_read,
    inconsistent_offsets,
    acknowledged_offset,
    offset_acknowledged_twice,
    duplicate,
    nonmonotonic_send,
    realtime_order,
    nonmonotonic_poll,
    poll_skip,
    wrong_start,
    undelivered,
    leader_epoch_order,
    record_integrity,
    aborted_read,
    no_recovery,
)
_KEYS = ("", "a", "b", "customer-7", "고객-12", "ключ", "\x00\x01", "long-" + "k" * 40)
_HEADERS = ((), (("trace", "1"),), (("trace", "2"), ("trace", "3")), (("empty", ""), ("이름", "주문")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The parameters of a queue workload."""

    topic: str
    partitions: int = 2
    producers: int = 2
    consumers: int = 2
    """Number of consumers that read while producers write."""
    groups: int = 1
    """Number of consumer groups into which `consumers` are divided, if they subscribe."""
    rate: int = 300
    """Records per second and producer."""
    value_bytes: int = 100
    """Size of most values in bytes; 2% are ten times as large."""
    client: ClientSettings = field(default_factory=ClientSettings)
    rejoin_s: float = 0.0
    """Mean time after which a subscribed consumer leaves its group and rejoins it as a new member; 0 for never."""
    seek_s: float = 0.0
    """Mean time between seeks of an assigned consumer to an offset that it has already read; 0 for never."""
    needs: Needs = field(default_factory=Needs)
    """The minimum activity that the verdicts require."""

    def consumer_names(self) -> tuple[str, ...]:
        """The process names of the consumers."""
        return tuple(f"consumer {number}" for number in range(1, self.consumers + 1))

    def group_names(self) -> tuple[str, ...]:
        """The group ids; empty if the consumers assign instead of subscribing."""
        if self.client.consumers != "subscribe":
            return ()
        return tuple(f"{self.topic}-group-{number}" for number in range(self.groups))

    def group_of(self, consumer: int) -> str | None:
        """The group id of the consumer with this number; None if the consumers assign instead of subscribing."""
        names = self.group_names()
        return names[consumer % len(names)] if names else None


@dataclass(frozen=True, slots=True)
class Message:
    """A send as recorded in the history, and the value's bytes."""

    send: Send
    value: bytes


@dataclass(frozen=True, slots=True)
class DueSend:
    """A message, and when to send it, in seconds since the producer's start."""

    at_s: float
    message: Message


def due_sends(queue: Queue, producer: int, chance: Random, first_timestamp: int) -> Iterator[DueSend]:
    """The endless schedule of a producer: its messages, evenly spaced at the queue's rate."""
    for number, message in enumerate(messages(queue, producer, chance, first_timestamp)):
        yield DueSend(number / queue.rate, message)


def rejoin_times(queue: Queue, chance: Random) -> Iterator[float]:
    """When a subscribed consumer leaves its group and rejoins, in seconds since its start; empty for never."""
    if queue.group_names():
        yield from _now_and_then(queue.rejoin_s, chance)


def seek_times(queue: Queue, chance: Random) -> Iterator[float]:
    """When an assigned consumer seeks back, in seconds since its start; empty for never."""
    if not queue.group_names():
        yield from _now_and_then(queue.seek_s, chance)


def _now_and_then(mean_s: float, chance: Random) -> Iterator[float]:
    """Endless times in seconds with exponentially distributed distances; empty if the mean is 0."""
    at_s = 0.0
    while mean_s > 0:
        at_s += chance.expovariate(1 / mean_s)
        yield at_s


def messages(queue: Queue, producer: int, chance: Random, first_timestamp: int) -> Iterator[Message]:
    """The endless messages of a producer. Timestamps grow by 0 to 3 ms per record, from `first_timestamp` (ms)."""
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
    """The unique name at the start of a value; for a value of another origin "not ours: " and its first 48 bytes."""
    if value is None:
        return "(null)"
    head, bar, _ = value[:48].partition(b"|")
    if bar and head.replace(b".", b"").isdigit():
        return head.decode()
    return "not ours: " + value[:48].decode("utf-8", "backslashreplace")


def judge(
    history: AnyHistory, rules: Guarantees, needs: Needs | None = None, checkers: Sequence[Checker] = CHECKERS
) -> tuple[Verdict, ...]:
    """The verdict on whether there was enough activity, followed by each checker's verdict."""
    did = activity(Evidence.of(history), needs or ANYTHING)
    return (did, *(checker(history, rules) for checker in checkers))

"""The queue workload: unique values into few partitions, read while they are written, and read whole at the end.

Everything here is pure: what to send comes from a seed, and the judging from a finished history.
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
    rejoin_s: float = 0.0
    """Mean time after which a subscribed consumer leaves its group and comes back as a new member; 0 for never."""
    seek_s: float = 0.0
    """Mean time after which an assigned consumer reads again from an offset that it has read; 0 for never."""
    needs: Needs = field(default_factory=Needs)
    """What must have happened for the verdicts to mean something."""

    def consumer_names(self) -> tuple[str, ...]:
        """The processes that poll."""
        return tuple(f"consumer {number}" for number in range(1, self.consumers + 1))

    def group_names(self) -> tuple[str, ...]:
        """The groups of the consumers; none when they are assigned."""
        if self.client.consumers != "subscribe":
            return ()
        return tuple(f"{self.topic}-group-{number}" for number in range(self.groups))

    def group_of(self, consumer: int) -> str | None:
        """The group of a consumer, by its number; None when they are assigned."""
        names = self.group_names()
        return names[consumer % len(names)] if names else None


@dataclass(frozen=True, slots=True)
class Message:
    """A send as the history holds it, and the bytes that go to the client."""

    send: Send
    value: bytes


@dataclass(frozen=True, slots=True)
class DueSend:
    """A message, and when it is to be sent, in seconds since its producer began."""

    at_s: float
    message: Message


def due_sends(queue: Queue, producer: int, chance: Random, first_timestamp: int) -> Iterator[DueSend]:
    """What a producer does, without end: evenly spread at the queue's rate."""
    for number, message in enumerate(messages(queue, producer, chance, first_timestamp)):
        yield DueSend(number / queue.rate, message)


def rejoin_times(queue: Queue, chance: Random) -> Iterator[float]:
    """When a subscribed consumer leaves its group and comes back, in seconds since it began; none for never."""
    if queue.group_names():
        yield from _now_and_then(queue.rejoin_s, chance)


def seek_times(queue: Queue, chance: Random) -> Iterator[float]:
    """When an assigned consumer goes back, in seconds since it began; none for never."""
    if not queue.group_names():
        yield from _now_and_then(queue.seek_s, chance)


def _now_and_then(mean_s: float, chance: Random) -> Iterator[float]:
    """Moments, without end, in seconds; none for a mean of 0."""
    at_s = 0.0
    while mean_s > 0:
        at_s += chance.expovariate(1 / mean_s)
        yield at_s


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


def judge(
    history: AnyHistory, rules: Guarantees, needs: Needs | None = None, checkers: Sequence[Checker] = CHECKERS
) -> tuple[Verdict, ...]:
    """Whether the run did enough, and every checker's verdict."""
    did = activity(Evidence.of(history), needs or ANYTHING)
    return (did, *(checker(history, rules) for checker in checkers))

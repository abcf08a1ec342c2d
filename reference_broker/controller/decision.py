"""What a decider gives back: the records to append, and the answer once they are committed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from reference_broker.environment import Random
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.voters_record import VotersRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import Uuid, uuid_text
from reference_broker.wire.refusal import KafkaError

LONGEST_TEXT: Final = 32_767 // 4

STANDARD_TEXTS: Final = {
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: "This server does not host this topic-partition.",
    ErrorCode.UNKNOWN_TOPIC_ID: "This server does not host this topic ID.",
}
"""What Kafka says of a code where it has nothing particular to say."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Records and the response that goes with them; without records nothing is appended."""

    records: tuple[VersionedRecord, ...]
    response: Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """One item's error inside a response that carries many. `text` is None where Kafka gives no message."""

    code: ErrorCode
    text: str | None

    @classmethod
    def of(cls, error: KafkaError) -> Refusal:
        """From a refusal that was raised."""
        # A text may quote a value that just fitted into the request; the answer has the same limit.
        return cls(error.code, error.detail and error.detail[:LONGEST_TEXT])

    @classmethod
    def plain(cls, code: ErrorCode) -> Refusal:
        """An error with its standard message."""
        return cls(code, STANDARD_TEXTS.get(code))


class Committed(Protocol):
    """A batch read back from the metadata log."""

    @property
    def last_offset(self) -> int:
        """The offset of its last record."""

    @property
    def epoch(self) -> int:
        """The leader epoch it was written in."""

    @property
    def records(self) -> tuple[VersionedRecord, ...]:
        """Its records; none for a control batch."""


class MetadataLog(Protocol):
    """The metadata log as the controller needs it: read at the start, led, appended to. Each may raise OSError."""

    @property
    def leader_epoch(self) -> int:
        """The epoch of this node's leadership."""

    @property
    def high_watermark(self) -> int:
        """The offset behind the last committed record."""

    @property
    def voters(self) -> VotersRecord | None:
        """The voter set that the log tells; None for a static quorum."""

    def load(self) -> Iterator[Committed]:
        """All that was committed, in order; once, before anything else."""

    def bootstrap_records(self) -> tuple[VersionedRecord, ...]:
        """What the storage tool left for the first leader."""

    def lead(self, now_ms: int) -> None:
        """Become the leader of a new epoch."""

    def append(self, records: Sequence[VersionedRecord], now_ms: int, *, must_last: bool = True) -> int:
        """Append and commit as one batch; the offset of the last record. `must_last`: not lost with the power."""

    def is_snapshot_due(self, now_ms: int) -> bool:
        """Whether a snapshot should be written."""

    def write_snapshot(self, records: Sequence[VersionedRecord], now_ms: int) -> object:
        """Write the state at the log's end."""

    def sweep(self, now_ms: int) -> None:
        """Remove what is no longer needed."""

    def close(self, now_ms: int) -> None:
        """Flush and release."""


def random_uuid(chance: Random) -> Uuid:
    """A version 4 UUID; never one whose text begins with a dash, which command lines would take for an option."""
    while True:
        raw = bytearray(chance.randbytes(16))
        raw[6] = raw[6] & 0x0F | 0x40
        raw[8] = raw[8] & 0x3F | 0x80
        uuid = Uuid(bytes(raw))
        if not uuid_text(uuid).startswith("-"):
            return uuid

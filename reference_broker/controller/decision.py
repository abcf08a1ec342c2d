"""What a decider gives back: the records to append, and the answer once they are committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from reference_broker.environment import Now, Random
from reference_broker.state_machine import decision as state_machine
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import Uuid, uuid_text
from reference_broker.wire.refusal import KafkaError

LONGEST_TEXT: Final = 32_767 // 4
MAX_RECORDS_OF_A_CLIENT: Final = 10_000
"""What a request of a client may append at most; brokers' own requests have no such limit (QuorumController)."""

STANDARD_TEXTS: Final = {
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: "This server does not host this topic-partition.",
    ErrorCode.UNKNOWN_TOPIC_ID: "This server does not host this topic ID.",
}
"""What Kafka says of a code where it has nothing particular to say."""


@dataclass(frozen=True, slots=True)
class Decision(state_machine.Decision[VersionedRecord]):
    """Records of metadata, and the answer once they are committed."""

    @classmethod
    def of_a_client(cls, records: Sequence[VersionedRecord], response: Any, *, validate_only: bool = False) -> Decision:
        """What a client's request comes to; nothing is appended where it is only validated.

        KafkaError (POLICY_VIOLATION) where it would take more than 10,000 records, also where it is only validated.
        """
        if len(records) > MAX_RECORDS_OF_A_CLIENT:
            text = "Unable to perform excessively large batch operation."
            raise KafkaError(ErrorCode.POLICY_VIOLATION, text)
        return cls(() if validate_only else tuple(records), response)


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


class MetadataLog(Protocol):
    """The metadata quorum as the active controller needs it."""

    @property
    def end_offset(self) -> int:
        """The offset that the next record gets."""

    @property
    def kraft_version(self) -> int:
        """The finalized level of kraft.version: 1 where voters are records of the log (KIP-853)."""

    @property
    def voter_ids(self) -> Sequence[int]:
        """The voters' node ids."""

    def append(self, records: Sequence[VersionedRecord], epoch: int, now: Now, *, must_last: bool = True) -> int:
        """Append as one batch; the offset of the last record. Listeners hear when it is committed.

        KafkaError (NOT_CONTROLLER) where this node does not lead `epoch`. `must_last` False: the records may be lost
        with the power.
        """


def random_uuid(chance: Random) -> Uuid:
    """A version 4 UUID; never one whose text begins with a dash, which command lines would take for an option."""
    while True:
        raw = bytearray(chance.randbytes(16))
        raw[6] = raw[6] & 0x0F | 0x40
        raw[8] = raw[8] & 0x3F | 0x80
        uuid = Uuid(bytes(raw))
        if not uuid_text(uuid).startswith("-"):
            return uuid

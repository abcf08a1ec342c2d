"""What Kafka's releases do differently beside what they advertise: each behaviour with the releases that have it.

A part of the broker asks `release.does(Behaviour.X)`; here stands since when, until when, and by which KIP, KAFKA
number or pull request. Found by comparing the profiles with the releases (checks on `reference@R` and `kafka@R`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Behaviour(StrEnum):
    """A way to behave that not every release has."""

    ANSWERS_NO_GROUPS = "a request for the offsets of no group is answered, not left without an answer"
    BOOTSTRAPS_BY_SNAPSHOT = "the storage tool leaves the features in the metadata log's first snapshot, not beside it"
    CHECKS_EPOCHS_FIRST = "a transaction's batch of an older epoch is refused before its coordinator is asked"
    CORDONS_FOLDERS = "a placement that fails may be for cordoned folders, says the refusal"
    DEMANDS_A_FIRST_SEQUENCE = (
        "a producer with an epoch for each transaction begins with sequence 0 once it was refused"
    )
    DELETES_WITHOUT_POLICY = "records may be deleted from a topic whose cleanup.policy is empty"
    GROUP_SETTINGS_ARE_THE_BROKERS = "a group's setting is told with the broker's setting that it begins as"
    GROUP_LIMITS_AS_NUMBERS = "a group's setting out of range is refused with the range, only what is set is checked"
    KEEPS_LISTS_SHORT = "what stands twice in a list counts once; a null or empty element is refused"
    LIMITS_NEW_PARTITIONS = "too many new partitions are a POLICY_VIOLATION of the whole request, not an accident"
    LISTS_METADATA_VERSIONS = "the storage tool refuses an unknown release with all those that are known"
    NAMES_UNKNOWN_LISTS = "adding to a broker's setting that nobody knows is refused by its name, not an accident"
    OPENS_NAMELESS_SESSIONS = "a fetch session may begin with a topic of the zero id, which is no accident"
    REFUSES_DUPLICATES = "what stands twice in a list of a broker's settings is refused, not ignored"
    REFUSES_LONG_VALUES = "a setting that has grown too long is INVALID_CONFIG, not an accident"
    TELLS_BOOTSTRAP_RECORDS = "the storage tool prints the records that a new cluster begins with"
    TELLS_METRICS_DEFAULTS = (
        "settings of client metrics are told with defaults, types and sources, and only the wished ones"
    )
    TELLS_WHY_NOT_UNREGISTERED = "a refusal to unregister a broker comes with its reason"
    WRITES_SETS_AS_JAVA = "a refusal to change settings of a broker lists them as Java prints a set, not Scala"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The releases that have a behaviour, (major, minor), both ends included; None is open."""

    source: str
    first: tuple[int, int] | None = None
    last: tuple[int, int] | None = None


SPANS: Final[Mapping[Behaviour, Span]] = {
    Behaviour.ANSWERS_NO_GROUPS: Span(first=(4, 1), source="seen with 4.0.2 and 4.1.2"),
    Behaviour.BOOTSTRAPS_BY_SNAPSHOT: Span(first=(4, 4), source="KIP-1170"),
    Behaviour.CHECKS_EPOCHS_FIRST: Span(first=(4, 1), source="seen with 4.0.2 and 4.1.2"),
    Behaviour.CORDONS_FOLDERS: Span(first=(4, 3), source="KIP-1066"),
    Behaviour.DEMANDS_A_FIRST_SEQUENCE: Span(first=(4, 1), source="seen with 4.0.2 and 4.1.2"),
    Behaviour.DELETES_WITHOUT_POLICY: Span(first=(4, 2), source="KIP-1161"),
    Behaviour.GROUP_SETTINGS_ARE_THE_BROKERS: Span(first=(4, 3), source="KAFKA-20289"),
    Behaviour.GROUP_LIMITS_AS_NUMBERS: Span(first=(4, 4), source="KAFKA-20337, apache/kafka#22185"),
    Behaviour.KEEPS_LISTS_SHORT: Span(first=(4, 2), source="KIP-1161"),
    Behaviour.LIMITS_NEW_PARTITIONS: Span(first=(4, 4), source="KAFKA-19673"),
    Behaviour.LISTS_METADATA_VERSIONS: Span(first=(4, 2), source="KAFKA-19509"),
    Behaviour.NAMES_UNKNOWN_LISTS: Span(first=(4, 3), source="seen with 4.2.1 and 4.3.1"),
    Behaviour.OPENS_NAMELESS_SESSIONS: Span(first=(4, 3), source="seen with 4.2.1 and 4.3.1"),
    Behaviour.REFUSES_DUPLICATES: Span(first=(4, 4), source="KAFKA-19875: ignored until then"),
    Behaviour.REFUSES_LONG_VALUES: Span(first=(4, 1), source="KAFKA-18907"),
    Behaviour.TELLS_BOOTSTRAP_RECORDS: Span(first=(4, 2), source="apache/kafka#20303"),
    Behaviour.TELLS_METRICS_DEFAULTS: Span(first=(4, 1), source="KAFKA-17516"),
    Behaviour.TELLS_WHY_NOT_UNREGISTERED: Span(first=(4, 1), source="KAFKA-18859"),
    Behaviour.WRITES_SETS_AS_JAVA: Span(first=(4, 3), source="KAFKA-18854"),
}

"""What Kafka's releases do differently beside what they advertise, by the KIP, KAFKA number or pull request that
changed it.

A part of the broker asks `release.does(Behaviour.X)`. Found by comparing the profiles with the releases (checks on
`reference@R` and `kafka@R`). What a release does by accident is not here but in checks/known_differences.toml.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Since:
    """The releases from (major, minor) on, and what they do."""

    first: tuple[int, int]
    meaning: str


class Behaviour(Enum):
    """A way to behave that not every release has. The value says which releases have it."""

    KAFKA_16538_KRAFT_VERSION_RAISED = Since(
        (4, 1), "kraft.version is raised by UpdateFeatures; 4.0 says so, too, and leaves the voters fixed"
    )
    KAFKA_17516_METRICS_DEFAULTS = Since(
        (4, 1), "settings of client metrics are described with defaults, types and sources, only those asked for"
    )
    KAFKA_18042_OLD_EPOCH = Since(
        (4, 1), "a transaction's batch of an older epoch is refused before its coordinator is asked"
    )
    KAFKA_18202_FIRST_SEQUENCE = Since(
        (4, 1), "a producer of transactions of version 2 begins with sequence 0 where the log has no state of it"
    )
    KAFKA_18859_REASON_NOT_UNREGISTERED = Since((4, 1), "a refusal to unregister a broker comes with its reason")
    KAFKA_19509_METADATA_VERSIONS_LISTED = Since(
        (4, 2), "the storage tool refuses an unknown release with all those that it knows"
    )
    KAFKA_19875_DUPLICATES_REFUSED = Since(
        (4, 4), "what stands twice in a list of a broker's settings is refused, not ignored"
    )
    KAFKA_20289_GROUP_SYNONYMS = Since(
        (4, 3), "a group's setting is described with the broker's setting that gives its default"
    )
    KAFKA_20337_GROUP_LIMITS = Since(
        (4, 4), "a group's setting out of range is refused with the range; only what is set is checked"
    )
    KIP_1066_CORDONED_FOLDERS = Since((4, 3), "the refusal of a placement says that log folders may be cordoned")
    KIP_1161_NO_CLEANUP_POLICY = Since((4, 2), "records may be deleted from a topic whose cleanup.policy is empty")
    KIP_1161_SHORT_LISTS = Since((4, 2), "what stands twice in a list counts once; a null or empty element is refused")
    KIP_1170_FEATURES_IN_SNAPSHOT = Since(
        (4, 4), "the storage tool writes the features to the metadata log's first snapshot, not beside it"
    )
    PR_20303_BOOTSTRAP_RECORDS_PRINTED = Since(
        (4, 2), "the storage tool prints the records that a new cluster begins with"
    )
    PR_20705_DOWNGRADE_TOLD = Since(
        (4, 2), "the refusal of a lower metadata.version says from which to which, not that the version is invalid"
    )

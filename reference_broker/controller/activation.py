"""What a controller does when it becomes the active one: the checks, and the records of a new cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reference_broker.metadata.image import BROKER, MetadataImage
from reference_broker.releases import METADATA_VERSION, Release, metadata_version_name
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.begin_transaction_record import BeginTransactionRecord
from reference_broker.wire.messages.config_record import ConfigRecord
from reference_broker.wire.messages.end_transaction_record import EndTransactionRecord
from reference_broker.wire.messages.feature_level_record import FeatureLevelRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.refusal import KafkaError

TRANSACTION_SINCE: Final = 13
"""The metadata version (3.6-IV1) from which bootstrap records stand in a metadata transaction."""


def check_metadata_version(image: MetadataImage, release: Release) -> None:
    """UNSUPPORTED_VERSION for a cluster that is ahead of the release: its records may be unknown here."""
    level, most = image.metadata_version, release.metadata_version
    if level > most:
        raise KafkaError(
            ErrorCode.UNSUPPORTED_VERSION,
            f"the cluster's metadata.version is {metadata_version_name(level)}, and {release.name} knows none "
            f"after {metadata_version_name(most)}: start it with the profile of a newer release",
        )


def bootstrap_records(left: Sequence[VersionedRecord], config: BrokerConfig) -> tuple[VersionedRecord, ...]:
    """What the storage tool left, or a new cluster's defaults; with ELR the cluster's min.insync.replicas."""
    records = list(left)
    if not records:
        level = config.release.metadata_version
        levels = {METADATA_VERSION: level, **config.release.default_features(level)}
        records = [(FeatureLevelRecord(name=name, feature_level=one), 0) for name, one in levels.items()]
    features = {
        message.name: message.feature_level for message, _ in records if isinstance(message, FeatureLevelRecord)
    }
    if features.get("eligible.leader.replicas.version"):
        value = str(config.number("min.insync.replicas"))
        record = ConfigRecord(resource_type=BROKER, resource_name="", name="min.insync.replicas", value=value)
        records.append((record, 0))
    if features.get(METADATA_VERSION, 0) >= TRANSACTION_SINCE:
        return (
            (BeginTransactionRecord(name="Bootstrap records"), 0),
            *records,
            (EndTransactionRecord(), 0),
        )
    return tuple(records)

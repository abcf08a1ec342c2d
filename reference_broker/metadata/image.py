"""The cluster's metadata as of one offset of the metadata log. An image never changes: a delta makes the next one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from reference_broker.metadata import features
from reference_broker.metadata.brokers import BrokerImage, BrokersImage
from reference_broker.metadata.configs import BROKER, CLIENT_METRICS, GROUP, TOPIC, ConfigResource, ConfigsImage
from reference_broker.metadata.kept_records import KeptRecords
from reference_broker.metadata.topics import PartitionImage, TopicsImage
from reference_broker.releases import METADATA_VERSION
from reference_broker.wire.messages.producer_ids_record import ProducerIdsRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import BrokerId

__all__ = ["BROKER", "CLIENT_METRICS", "GROUP", "TOPIC", "ConfigResource", "MetadataImage", "registration_version"]

ELR_VERSION: Final = "eligible.leader.replicas.version"


CONTROLLERS_SINCE: Final = 15
"""The metadata version (3.7-IV0) from which controllers register (KIP-919)."""
DIRECTORIES_SINCE: Final = 17
"""The metadata version from which replicas name their folders (KIP-858)."""
ELIGIBLE_LEADERS_SINCE: Final = 23
"""The metadata version from which partitions have eligible leader replicas (KIP-966)."""
CORDONED_SINCE: Final = 30
"""The metadata version (4.3-IV0) from which brokers tell their cordoned folders (KIP-1066)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataImage:
    """All metadata: topics, brokers, configurations, features, producer ids, and what is kept for later steps.

    `offset` is the last record's that made it, `epoch` that record's leader epoch; -1 and 0 before the first.
    """

    cluster_id: str
    topics: TopicsImage = field(default_factory=TopicsImage)
    cluster: BrokersImage = field(default_factory=BrokersImage)
    configs: ConfigsImage = field(default_factory=ConfigsImage)
    features: Mapping[str, int] = field(default_factory=dict)
    next_producer_id: int = 0
    kept: KeptRecords = field(default_factory=KeptRecords)
    offset: int = -1
    epoch: int = 0

    @property
    def brokers(self) -> Mapping[int, BrokerImage]:
        """Registered brokers by node id."""
        return self.cluster.brokers

    @property
    def metadata_version(self) -> int:
        """The finalized level of metadata.version."""
        return self.features.get(METADATA_VERSION, 0)

    @property
    def has_elr(self) -> bool:
        """Whether eligible leader replicas are tracked (KIP-966)."""
        return self.features.get(ELR_VERSION, 0) > 0

    @property
    def partition_version(self) -> int:
        """The version of a partition's records: 1 names folders (KIP-858), 2 eligible leader replicas (KIP-966)."""
        return (self.metadata_version >= DIRECTORIES_SINCE) + (self.metadata_version >= ELIGIBLE_LEADERS_SINCE)

    def config(self, resource_type: int, name: str) -> Mapping[str, str]:
        """The dynamic configurations of a resource, or an empty mapping."""
        return self.configs.settings(resource_type, name)

    def partition(self, topic: str, index: int) -> PartitionImage | None:
        """A partition by its topic's name and its index."""
        found = self.topics.get(topic)
        return None if found is None else found.partitions.get(index)

    def records(self) -> Iterator[VersionedRecord]:
        """The records that make this image, for a snapshot; equal images give equal records in equal order."""
        yield from features.records(self.features)
        yield from self.cluster.records(version=registration_version(self.metadata_version))
        yield from self.topics.records(version=self.partition_version)
        yield from self.configs.records()
        if self.next_producer_id:
            no_broker = BrokerId(-1)
            yield ProducerIdsRecord(broker_id=no_broker, next_producer_id=self.next_producer_id), 0
        yield from self.kept.records()


def registration_version(metadata_version: int) -> int:
    """The version of RegisterBrokerRecord that a metadata version writes."""
    for least, version in ((CORDONED_SINCE, 4), (DIRECTORIES_SINCE, 3), (8, 2)):
        if metadata_version >= least:
            return version
    return 1

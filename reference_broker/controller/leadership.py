"""Who leads, and who is in sync: the changes to partitions when brokers and their folders come and go.

Source: KIP-631, KIP-841 (controlled shutdown), KIP-858 (folders), KIP-966 (unclean shutdowns).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from reference_broker.controller.partition_change import Election, Rules, Target, change
from reference_broker.controller.placement import directory_of
from reference_broker.metadata.image import DIRECTORIES_SINCE, TOPIC, MetadataImage
from reference_broker.metadata.topics import NO_LEADER, PartitionImage, TopicImage
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import Uuid

KEEPS_EPOCH_WHEN_SHRUNK_SINCE = 12
"""The metadata version from which a smaller ISR begins no leader epoch (KAFKA-15021)."""

Located = tuple[TopicImage, PartitionImage]


class PartitionChanges:
    """Changes partitions of one image, by the topics' configuration. `config` is the controller's, dynamic included.

    Nobody is elected in a folder of `offline`: they have just failed, and the image does not say so yet.
    """

    def __init__(self, image: MetadataImage, config: BrokerConfig, *, offline: Sequence[Uuid] = ()) -> None:
        self.image = image
        self._config, self._offline = config, offline

    @cached_property
    def _defaults(self) -> Mapping[str, str]:
        return self._config.topic_settings()

    def setting(self, topic: TopicImage, name: str) -> str:
        """A topic's configuration: its own, else the cluster's or the default."""
        return self.image.config(TOPIC, topic.name).get(name, self._defaults[name])

    def min_isr(self, topic: TopicImage) -> int:
        """min.insync.replicas, at most the replication factor."""
        return min(int(self.setting(topic, "min.insync.replicas")), len(topic.partitions[0].replicas))

    def allows_unclean_elections(self, topic: TopicImage) -> bool:
        """unclean.leader.election.enable."""
        return self.setting(topic, "unclean.leader.election.enable").lower() == "true"

    def election(self, topic: TopicImage) -> Election:
        """How a leader is elected when nobody asked for an election."""
        return Election.UNCLEAN if self.allows_unclean_elections(topic) else Election.ONLINE

    def change(
        self,
        topic: TopicImage,
        partition: PartitionImage,
        target: Target,
        *,
        arriving: int = NO_LEADER,
        departing: int = NO_LEADER,
    ) -> VersionedRecord | None:
        """The record of a change, or None. `arriving` may lead though it is still fenced, `departing` may not."""
        rules = Rules(
            min_isr=self.min_isr(topic),
            has_elr=self.image.has_elr,
            has_directories=self.image.metadata_version >= DIRECTORIES_SINCE,
            is_epoch_raised_by_shrinking=self.image.metadata_version < KEEPS_EPOCH_WHEN_SHRUNK_SINCE,
            is_acceptable=self._acceptance(partition, arriving, departing),
            default_directory=lambda broker_id: directory_of(self.image.cluster, broker_id),
        )
        record = change(topic.id, partition, target, rules)
        return None if record is None else (record, self.image.partition_version)

    def _acceptance(self, partition: PartitionImage, arriving: int, departing: int) -> Callable[[int], bool]:
        def is_acceptable(replica: int) -> bool:
            broker = self.image.cluster.get(replica)
            if broker is None or replica == departing or replica not in partition.replicas:
                return False
            directory_id = partition.directory_of(replica)
            is_ready = replica == arriving or broker.is_active
            return is_ready and directory_id not in self._offline and broker.has_online(directory_id)

        return is_acceptable

    # -- brokers and folders that come and go -----------------------------------------------------------------------

    def located(self, topic_id: Uuid, index: int) -> Located | None:
        """A partition with its topic; None where there is none."""
        topic = self.image.topics.by_id.get(topic_id)
        partition = None if topic is None else topic.partitions.get(index)
        return None if topic is None or partition is None else (topic, partition)

    def partitions(self) -> Iterator[Located]:
        """Every partition with its topic."""
        for topic in self.image.topics:
            for partition in topic.partitions.values():
                yield topic, partition

    def is_leader(self, broker_id: int) -> bool:
        """Whether a broker leads any partition."""
        return any(partition.leader == broker_id for _, partition in self.partitions())

    def without(self, broker_id: int, places: Iterable[Located] | None = None) -> list[VersionedRecord]:
        """A broker leaves every ISR (or those of `places`), and others lead what it led."""
        chosen = self.in_sync(broker_id) if places is None else places
        return self._changes(chosen, departing=broker_id, leaving_isr=broker_id)

    def without_eligible(self, broker_id: int) -> list[VersionedRecord]:
        """Partitions for which a broker is only eligible: it may lead them no longer, and stays eligible."""
        return self._changes(self._eligible(broker_id), departing=broker_id, leaving_isr=broker_id)

    def without_trust(self, broker_id: int) -> list[VersionedRecord]:
        """A broker that stopped uncleanly leaves every ISR, and is eligible no longer: it may have lost records."""
        places = [*self.in_sync(broker_id), *self._eligible(broker_id)]
        return self._changes(places, departing=broker_id, leaving_isr=broker_id, without_trust=broker_id)

    def with_arrived(self, broker_id: int) -> list[VersionedRecord]:
        """A broker is back: it leads what has no leader and what it may lead."""
        places = [(topic, one) for topic, one in self.partitions() if one.leader == NO_LEADER]
        return self._changes(places, arriving=broker_id)

    def in_directory(self, broker_id: int, directory_id: Uuid) -> list[Located]:
        """The partitions whose replica on a broker is in a folder."""
        return [
            (topic, one)
            for topic, one in self.partitions()
            if broker_id in one.replicas and one.directory_of(broker_id) == directory_id
        ]

    def in_sync(self, broker_id: int) -> list[Located]:
        """The partitions in whose ISR a broker is."""
        return [(topic, one) for topic, one in self.partitions() if broker_id in one.isr]

    def _eligible(self, broker_id: int) -> list[Located]:
        return [(topic, one) for topic, one in self.partitions() if broker_id in one.elr]

    def _changes(
        self,
        places: Iterable[Located],
        *,
        arriving: int = NO_LEADER,
        departing: int = NO_LEADER,
        leaving_isr: int = NO_LEADER,
        without_trust: int | None = None,
    ) -> list[VersionedRecord]:
        records = []
        for topic, partition in places:
            target = Target(
                isr=tuple(one for one in partition.isr if one != leaving_isr),
                election=self.election(topic),
                without_trust=without_trust,
            )
            record = self.change(topic, partition, target, arriving=arriving, departing=departing)
            if record is not None:
                records.append(record)
        return records

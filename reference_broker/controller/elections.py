"""Leaders elected because somebody asked (ElectLeaders), or because it is time: preferred and unclean elections.

Source: KIP-183, KIP-460, KIP-966.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reference_broker.controller.decision import Decision, Refusal
from reference_broker.controller.leadership import Located, PartitionChanges
from reference_broker.controller.partition_change import Election, Target
from reference_broker.metadata.image import MetadataImage
from reference_broker.metadata.topics import NO_LEADER, PartitionImage
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.elect_leaders_request import ElectLeadersRequest
from reference_broker.wire.messages.elect_leaders_response import (
    ElectLeadersResponse,
    PartitionResult,
    ReplicaElectionResult,
)
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.refusal import KafkaError

ELECTIONS: Final = {0: Election.PREFERRED, 1: Election.UNCLEAN}
"""Election type in a request -> which replicas may be elected."""
MOST_ELECTIONS: Final = 1_000
"""How many partitions one periodic decision changes at most."""
TEXTS: Final = {
    ErrorCode.ELECTION_NOT_NEEDED: "Leader election not needed for topic partition.",
    ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE: "The preferred leader was not available.",
    ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE: "Eligible topic partition leaders are not available.",
}


def decide_elections(image: MetadataImage, config: BrokerConfig, request: ElectLeadersRequest) -> Decision:
    """ElectLeaders: elect for the named partitions, or for all (null), and say of each how that went.

    With null, partitions that need no election are left out. INVALID_REQUEST for an unknown election type.
    """
    if request.topic_partitions is not None and not request.topic_partitions:
        return Decision((), ElectLeadersResponse())
    election = ELECTIONS.get(request.election_type)
    if election is None:
        raise KafkaError(ErrorCode.INVALID_REQUEST, f"Unknown election type {request.election_type}")
    changes = PartitionChanges(image, config)
    records: list[VersionedRecord] = []
    results = []
    is_for_all = request.topic_partitions is None
    for name, indexes in _asked(image, request):
        outcomes = [(index, _elect(changes, name, index, election, records)) for index in indexes]
        results.append(
            ReplicaElectionResult(
                topic=TopicName(name),
                partition_result=tuple(
                    _result(index, refusal)
                    for index, refusal in outcomes
                    if not (is_for_all and refusal is not None and refusal.code is ErrorCode.ELECTION_NOT_NEEDED)
                ),
            )
        )
    return Decision.of_a_client(records, ElectLeadersResponse(replica_election_results=tuple(results)))


def _asked(image: MetadataImage, request: ElectLeadersRequest) -> list[tuple[str, tuple[int, ...]]]:
    if request.topic_partitions is None:
        return [(topic.name, tuple(topic.partitions)) for topic in image.topics]
    return [(one.topic, one.partitions) for one in request.topic_partitions]


def _result(index: int, refusal: Refusal | None) -> PartitionResult:
    if refusal is None:
        return PartitionResult(partition_id=index, error_message=None)
    return PartitionResult(partition_id=index, error_code=refusal.code, error_message=refusal.text)


def _elect(
    changes: PartitionChanges, name: str, index: int, election: Election, records: list[VersionedRecord]
) -> Refusal | None:
    topic = changes.image.topics.get(name)
    if topic is None:
        return Refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"No such topic as {name}")
    partition = topic.partitions.get(index)
    if partition is None:
        return Refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"No such partition as {name}-{index}")
    is_preferred = election is Election.PREFERRED
    if not (_is_led_by_another(partition) if is_preferred else partition.leader == NO_LEADER):
        return _refusal(ErrorCode.ELECTION_NOT_NEEDED)
    record = changes.change(topic, partition, Target(election=election))
    if record is not None:
        records.append(record)
        return None
    return _refusal(
        ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE if is_preferred else ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE
    )


def _refusal(code: ErrorCode) -> Refusal:
    return Refusal(code, TEXTS[code])


def decide_balance(image: MetadataImage, config: BrokerConfig) -> Decision:
    """Preferred replicas in sync lead again (auto.leader.rebalance.enable). The response: whether more may be left."""
    changes = PartitionChanges(image, config)
    places = [(topic, one) for topic, one in changes.partitions() if _is_led_by_another(one)]
    return _elected(changes, places, Election.PREFERRED)


def decide_unclean_elections(image: MetadataImage, config: BrokerConfig) -> Decision:
    """Leaders where there are none and the topic allows unclean elections. The response: whether more may be left."""
    changes = PartitionChanges(image, config)
    places = [
        (topic, one)
        for topic, one in changes.partitions()
        if one.leader == NO_LEADER and changes.allows_unclean_elections(topic)
    ]
    return _elected(changes, places, Election.UNCLEAN)


def _elected(changes: PartitionChanges, places: Sequence[Located], election: Election) -> Decision:
    records: list[VersionedRecord] = []
    for topic, partition in places:
        record = changes.change(topic, partition, Target(election=election))
        if record is not None:
            records.append(record)
        if len(records) == MOST_ELECTIONS:
            return Decision(tuple(records), True)
    return Decision(tuple(records), False)


def _is_led_by_another(partition: PartitionImage) -> bool:
    return partition.leader != partition.replicas[0]

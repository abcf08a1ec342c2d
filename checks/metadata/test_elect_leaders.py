"""ElectLeaders (key 43) has partitions elect a leader.

**Claim** A partition that is led as wished is answered as one that needs no election, one that is not there is refused,
and every partition that was led is led afterwards.
**Why it matters** Operators run it after a broker is back, for all partitions at once; it must not take a leader away.
**Kafka says** Protocol guide, ElectLeaders; KIP-183, KIP-460.
**Cannot see** An election that moves a leader: one broker has nobody to move it to.
**Rejects** tests/plants/elects_where_no_election_is_needed.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, variants, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.elect_leaders_request import ElectLeadersRequest, TopicPartitions
from reference_broker.wire.messages.elect_leaders_response import ElectLeadersResponse
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import TopicName

pytestmark = [
    pytest.mark.feature("ElectLeaders"),
    pytest.mark.kip(183, 460),
    pytest.mark.document(
        "Protocol guide, ElectLeaders", "https://kafka.apache.org/protocol.html#The_Messages_ElectLeaders"
    ),
]

PREFERRED, UNCLEAN = 0, 1


def request(*topics: tuple[str, tuple[int, ...]], election: int = PREFERRED) -> ElectLeadersRequest:
    named = tuple(TopicPartitions(topic=TopicName(name), partitions=indexes) for name, indexes in topics)
    return ElectLeadersRequest(election_type=election, topic_partitions=named, timeout_ms=10_000)


def codes(answer: ElectLeadersResponse) -> list[int]:
    return [one.error_code for topic in answer.replica_election_results for one in topic.partition_result]


def has_leader(exchange: Exchange, name: str) -> bool:
    about = MetadataRequest(topics=(MetadataRequestTopic(name=TopicName(name)),), allow_auto_topic_creation=False)
    return all(one.leader_id >= 0 for one in exchange.quietly(about).topics[0].partitions)


@all_versions(0, 2)
def test_a_preferred_leader_needs_no_election(exchange: Exchange, version: int) -> None:
    """Partitions that their first replica leads need no election, and are led afterwards."""
    topic = exchange.topic(partitions=2)
    answer = exchange.ask("partitions 0 and 1", request((topic, (0, 1))), version)

    assert codes(answer) == [ErrorCode.ELECTION_NOT_NEEDED, ErrorCode.ELECTION_NOT_NEEDED]
    assert has_leader(exchange, topic)


@versions(1, 2)
def test_a_led_partition_needs_no_unclean_election(exchange: Exchange, version: int) -> None:
    """An unclean election is for partitions without a leader only."""
    topic = exchange.topic()
    answer = exchange.ask("an unclean election", request((topic, (0,)), election=UNCLEAN), version)

    assert codes(answer) == [ErrorCode.ELECTION_NOT_NEEDED]
    assert has_leader(exchange, topic)


@versions(0, 2)
def test_what_is_not_there_is_refused(exchange: Exchange, version: int) -> None:
    """A topic or a partition that does not exist is refused, each for itself."""
    topic = exchange.topic()
    asked = request((exchange.name("nowhere"), (0,)), (topic, (0, 7)))
    answer = exchange.ask("an unknown topic, a partition and an unknown one", asked, version)

    unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    assert codes(answer) == [unknown, ErrorCode.ELECTION_NOT_NEEDED, unknown]


@versions(0, 2)
def test_no_topics_have_no_elections(exchange: Exchange, version: int) -> None:
    """An empty list asks for nothing."""
    assert codes(exchange.ask("no topics", request(), version)) == []


@versions(0, 2)
def test_all_partitions_may_be_asked_for(exchange: Exchange, version: int) -> None:
    """A null list asks for all partitions; those that need no election are left out of the answer."""
    topic = exchange.topic(partitions=2)
    answer = exchange.quietly(ElectLeadersRequest(topic_partitions=None, timeout_ms=10_000), version)

    assert (answer.error_code, codes(answer)) == (ErrorCode.NONE, [])
    assert has_leader(exchange, topic)


@variants("election", next=2, largest=127, negative=-1)
@versions(1, 2)
def test_an_unknown_election_is_refused(exchange: Exchange, version: int, election: int) -> None:
    """There are preferred and unclean elections only."""
    topic = exchange.topic()
    answer = exchange.ask(f"election type {election}", request((topic, (0,)), election=election), version)

    assert answer.error_code == ErrorCode.INVALID_REQUEST
    assert has_leader(exchange, topic)

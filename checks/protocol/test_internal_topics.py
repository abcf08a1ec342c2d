"""The topic of committed offsets is marked as internal, and clients cannot write to it.

**Claim** `__consumer_offsets` is marked as internal in every answer that describes it, and is compacted. Clients can
neither write to it nor delete its records. A group may commit offsets for it, as for any topic.
**Why it matters** A client that takes it for an ordinary topic may subscribe to it, or destroy the offsets of all
groups.
**Kafka says** Protocol guide, Metadata (is_internal), INVALID_TOPIC_EXCEPTION; KIP-966 (DescribeTopicPartitions).
**Cannot see** The internal topics of transactions and share groups.
**Rejects** tests/plants/lets_clients_write_to_internal_topics.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import batch, commit, coordinated, delete_records, produce, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.describe_topic_partitions_request import (
    DescribeTopicPartitionsRequest,
    TopicRequest,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import TopicName

pytestmark = [
    # A cluster that no other check restarts, so that its leader epochs do not change.
    pytest.mark.cluster(config={"transaction.max.timeout.ms": "600000"}),
    pytest.mark.feature("Metadata"),
    pytest.mark.kip(966),
    pytest.mark.document("Protocol guide, Metadata", "https://kafka.apache.org/protocol.html#The_Messages_Metadata"),
]

OFFSETS = TopicName("__consumer_offsets")
TOPIC = 2


@pytest.fixture(autouse=True)
def _is_there(exchange: Exchange) -> None:
    """The topic is created at the first request for a group's coordinator."""
    coordinated(exchange)


@versions(1, 4, 7, 8, 9, 12, 13)
def test_metadata_tells_that_it_is_internal(exchange: Exchange, version: int) -> None:
    """Metadata marks the topic as internal in every version that has the field."""
    asked = MetadataRequest(topics=(MetadataRequestTopic(name=OFFSETS),))
    (found,) = exchange.ask("the topic of the offsets", asked, version).topics

    assert (found.error_code, found.is_internal) == (ErrorCode.NONE, True)


@pytest.mark.parametrize("limit", [2000, 3])
def test_pages_tell_that_it_is_internal(exchange: Exchange, limit: int) -> None:
    """DescribeTopicPartitions marks the topic as internal, also on the first of several pages."""
    asked = DescribeTopicPartitionsRequest(topics=(TopicRequest(name=OFFSETS),), response_partition_limit=limit)
    (found,) = exchange.ask(f"at most {limit:,} partitions", asked, 0).topics

    assert found.is_internal
    assert 0 < len(found.partitions) <= limit


def test_its_settings(exchange: Exchange) -> None:
    """The topic is compacted, with segments of 100 MiB."""
    keys = ("cleanup.policy", "compression.type", "segment.bytes", "min.insync.replicas")
    resource = DescribeConfigsResource(resource_type=TOPIC, resource_name=OFFSETS, configuration_keys=keys)
    asked = DescribeConfigsRequest(resources=(resource,), include_synonyms=True)
    (found,) = exchange.ask("settings of the topic of the offsets", asked, 4).results
    values = {one.name: one.value for one in found.configs}

    assert (values["cleanup.policy"], values["segment.bytes"]) == ("compact", "104857600")


@versions(3, 9, 12)
def test_nobody_writes_to_it(exchange: Exchange, version: int) -> None:
    """A Produce request for the topic is refused."""
    answer = exchange.ask("a record", produce(OFFSETS, batch("a", key="k")), version)

    assert answer.responses[0].partition_responses[0].error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


@versions(0, 1, 2)
def test_nobody_deletes_its_records(exchange: Exchange, version: int) -> None:
    """A DeleteRecords request for the topic is refused."""
    answer = exchange.ask("records below offset 0", delete_records(OFFSETS, 0), version)

    assert answer.topics[0].partitions[0].error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


@versions(2, 8, 9)
def test_offsets_of_it_are_kept_as_any(exchange: Exchange, version: int) -> None:
    """A group may commit an offset for the topic."""
    answer = exchange.ask("an offset of it", commit(exchange.name("readers"), OFFSETS, 5), version)

    assert answer.topics[0].partitions[0].error_code == ErrorCode.NONE

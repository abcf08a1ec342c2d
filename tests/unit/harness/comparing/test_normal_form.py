"""Messages as data in which two clusters can be compared."""

from __future__ import annotations

import pytest

from harness.comparing.normal_form import RULES, NormalForm
from reference_broker.wire.api_keys import APIS
from reference_broker.wire.messages.fetch_response import FetchableTopicResponse, FetchResponse, PartitionData
from reference_broker.wire.messages.init_producer_id_response import InitProducerIdResponse
from reference_broker.wire.messages.join_group_response import JoinGroupResponse
from reference_broker.wire.messages.metadata_response import (
    MetadataResponse,
    MetadataResponseBroker,
    MetadataResponseTopic,
)
from reference_broker.wire.primitives import BrokerId, ProducerId, TopicName, Uuid
from reference_broker.wire.records import Record, encode_batch

NOW = 1_800_000_000_000
FIRST, SECOND = Uuid(bytes([1] * 16)), Uuid(bytes([2] * 16))


def test_ids_are_named_as_they_appear() -> None:
    form = NormalForm()
    topics = tuple(MetadataResponseTopic(name=TopicName(name), topic_id=topic_id) for name, topic_id in (("a", FIRST),))
    form.of("Metadata", MetadataResponse(topics=topics), 12, NOW)
    again = form.of("Metadata", MetadataResponse(topics=(*topics, MetadataResponseTopic(topic_id=SECOND))), 12, NOW)

    assert sorted(one["topic_id"] for one in again["topics"]) == ["topic id 1", "topic id 2"]


def test_the_zero_id_stays() -> None:
    message = MetadataResponse(topics=(MetadataResponseTopic(name=TopicName("a")),))

    assert NormalForm().of("Metadata", message, 12, NOW)["topics"][0]["topic_id"] == "zero"


def test_fields_that_a_version_has_not_are_left_out() -> None:
    assert "cluster_id" not in NormalForm().of("Metadata", MetadataResponse(cluster_id="x"), 1, NOW)


def test_nodes_hosts_and_ports_are_named() -> None:
    broker = MetadataResponseBroker(node_id=BrokerId(7), host="h.example", port=1234)
    found = NormalForm().of("Metadata", MetadataResponse(brokers=(broker,), controller_id=BrokerId(7)), 12, NOW)

    assert found["brokers"] == [{"node_id": "node 1", "host": "host 1", "port": "port 1", "rack": None}]
    assert found["controller_id"] == "node 1"


def test_no_node_stays_no_node() -> None:
    assert NormalForm().of("Metadata", MetadataResponse(controller_id=BrokerId(-1)), 12, NOW)["controller_id"] == -1


def test_names_of_a_check_become_its_labels_in_texts_too() -> None:
    form = NormalForm()
    form.label("x1-orders", "orders")

    assert form.text("Topic 'x1-orders' already exists.") == "Topic 'orders' already exists."


def test_the_longer_of_two_names_is_replaced_first() -> None:
    form = NormalForm()
    form.label("x1-a", "a")
    form.label("x1-a-b", "b")

    assert form.text("x1-a-b and x1-a") == "b and a"


def test_member_ids_keep_all_but_their_random_part() -> None:
    form = NormalForm()
    member = "client-123e4567-e89b-12d3-a456-426614174000"
    found = form.of("JoinGroup", JoinGroupResponse(member_id=member, leader=member), 5, NOW)

    assert (found["member_id"], found["leader"]) == ("client-<uuid 1>", "client-<uuid 1>")


def test_producers_are_named() -> None:
    found = NormalForm().of("InitProducerId", InitProducerIdResponse(producer_id=ProducerId(4711)), 4, NOW)

    assert found["producer_id"] == "producer 1"


def test_times_near_the_present_are_now_and_others_stay() -> None:
    form = NormalForm()
    form.of("Metadata", MetadataResponse(), 1, NOW)

    assert form.text(f"{NOW - 5} is not within {1_700_000_000_000}") == "<now> is not within 1700000000000"


def test_records_are_told_by_their_content() -> None:
    batch = encode_batch([Record(0, 1_700_000_000_000, b"k", b"v", (("h", None),))])
    data = PartitionData(records=memoryview(batch))
    message = FetchResponse(responses=(FetchableTopicResponse(topic=TopicName("a"), partitions=(data,)),))
    (told,) = NormalForm().of("Fetch", message, 4, NOW)["responses"][0]["partitions"][0]["records"]

    assert told["crc"] == "valid"
    assert told["records"] == [
        {"offset": 0, "timestamp": 1_700_000_000_000, "key": "k", "value": "v", "headers": [["h", None]]}
    ]


def test_a_batch_that_is_cut_short_says_so() -> None:
    batch = encode_batch([Record(0, 1_700_000_000_000, None, b"v")])
    data = PartitionData(records=memoryview(batch[:-1]))
    message = FetchResponse(responses=(FetchableTopicResponse(partitions=(data,)),))

    assert NormalForm().of("Fetch", message, 4, NOW)["responses"][0]["partitions"][0]["records"] == [
        f"{len(batch) - 1} bytes of a batch cut short"
    ]


def test_where_order_is_not_promised_elements_are_sorted() -> None:
    topics = tuple(MetadataResponseTopic(name=TopicName(name)) for name in "ba")
    found = NormalForm().of("Metadata", MetadataResponse(topics=topics), 12, NOW)

    assert [one["name"] for one in found["topics"]] == ["a", "b"]


def test_of_all_topics_a_checks_own_are_kept() -> None:
    form = NormalForm()
    form.label("x1-orders", "orders")
    topics = tuple(MetadataResponseTopic(name=TopicName(name)) for name in ("x1-orders", "another"))
    found = form.of("Metadata", MetadataResponse(topics=topics), 12, NOW, everything=True)

    assert [one["name"] for one in found["topics"]] == ["orders"]


def test_of_topics_that_were_asked_for_all_are_kept() -> None:
    topics = (MetadataResponseTopic(name=TopicName("another")),)

    assert len(NormalForm().of("Metadata", MetadataResponse(topics=topics), 12, NOW)["topics"]) == 1


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.api}-{rule.field}")
def test_each_rule_has_a_reason_and_a_field_that_exists(rule) -> None:  # type: ignore[no-untyped-def]
    names = {api.name for api in APIS.values()}

    assert rule.reason
    assert rule.api == "*" or rule.api in names
    if rule.api != "*" and not rule.field.startswith("*"):
        fields = next(api for api in APIS.values() if api.name == rule.api).response.FIELDS
        for part in rule.field.split("."):
            field = next(one for one in fields if one.name == part.removesuffix("[]"))
            fields = field.of.FIELDS if field.of is not None else ()

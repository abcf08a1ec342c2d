"""Messages as data in which two clusters can be compared."""

from __future__ import annotations

from typing import Any

import pytest

from harness.comparing.normal_form import NormalForm
from harness.comparing.rules import RULES, TOLERANCES
from harness.comparing.times import Window
from reference_broker.wire.api_keys import APIS
from reference_broker.wire.messages.add_raft_voter_response import AddRaftVoterResponse
from reference_broker.wire.messages.describe_quorum_response import DescribeQuorumResponse, TopicData
from reference_broker.wire.messages.describe_quorum_response import PartitionData as QuorumPartition
from reference_broker.wire.messages.fetch_response import FetchableTopicResponse, FetchResponse, PartitionData
from reference_broker.wire.messages.init_producer_id_response import InitProducerIdResponse
from reference_broker.wire.messages.join_group_response import JoinGroupResponse
from reference_broker.wire.messages.metadata_response import (
    MetadataResponse,
    MetadataResponseBroker,
    MetadataResponseTopic,
)
from reference_broker.wire.messages.produce_response import (
    PartitionProduceResponse,
    ProduceResponse,
    TopicProduceResponse,
)
from reference_broker.wire.primitives import BrokerId, ProducerId, TopicName, Uuid
from reference_broker.wire.records import Record, encode_batch

NOW = 1_800_000_000_000
STARTED = NOW - 500
"""When the check began."""
FIRST, SECOND = Uuid(bytes([1] * 16)), Uuid(bytes([2] * 16))


def new_form() -> NormalForm:
    return NormalForm(Window(STARTED))


def test_ids_are_named_as_they_appear() -> None:
    form = new_form()
    topics = tuple(MetadataResponseTopic(name=TopicName(name), topic_id=topic_id) for name, topic_id in (("a", FIRST),))
    form.of("Metadata", MetadataResponse(topics=topics), 12, NOW)
    again = form.of("Metadata", MetadataResponse(topics=(*topics, MetadataResponseTopic(topic_id=SECOND))), 12, NOW)

    assert sorted(one["topic_id"] for one in again["topics"]) == ["topic id 1", "topic id 2"]


def test_the_zero_id_stays() -> None:
    message = MetadataResponse(topics=(MetadataResponseTopic(name=TopicName("a")),))

    assert new_form().of("Metadata", message, 12, NOW)["topics"][0]["topic_id"] == "zero"


def test_fields_that_a_version_has_not_are_left_out() -> None:
    assert "cluster_id" not in new_form().of("Metadata", MetadataResponse(cluster_id="x"), 1, NOW)


def test_nodes_hosts_and_ports_are_named() -> None:
    broker = MetadataResponseBroker(node_id=BrokerId(7), host="h.example", port=1234)
    found = new_form().of("Metadata", MetadataResponse(brokers=(broker,), controller_id=BrokerId(7)), 12, NOW)

    assert found["brokers"] == [{"node_id": "node 1", "host": "host 1", "port": "port 1", "rack": None}]
    assert found["controller_id"] == "some"


def test_words_about_voters_are_words() -> None:
    form = new_form()
    told = [form.of("AddRaftVoter", AddRaftVoterResponse(error_message=text), 1, NOW) for text in ("id 7", None)]
    assert [one["error_message"] for one in told] == ["some words", None]


def test_no_node_stays_no_node() -> None:
    assert new_form().of("Metadata", MetadataResponse(controller_id=BrokerId(-1)), 12, NOW)["controller_id"] == -1


def test_names_of_a_check_become_its_labels_in_texts_too() -> None:
    form = new_form()
    form.label("x1-orders", "orders")

    assert form.text("Topic 'x1-orders' already exists.") == "Topic 'orders' already exists."


def test_the_longer_of_two_names_is_replaced_first() -> None:
    form = new_form()
    form.label("x1-a", "a")
    form.label("x1-a-b", "b")

    assert form.text("x1-a-b and x1-a") == "b and a"


def test_member_ids_keep_all_but_their_random_part() -> None:
    form = new_form()
    member = "client-123e4567-e89b-12d3-a456-426614174000"
    found = form.of("JoinGroup", JoinGroupResponse(member_id=member, leader=member), 5, NOW)

    assert (found["member_id"], found["leader"]) == ("client-<uuid 1>", "client-<uuid 1>")


def test_producers_are_named() -> None:
    found = new_form().of("InitProducerId", InitProducerIdResponse(producer_id=ProducerId(4711)), 4, NOW)

    assert found["producer_id"] == "producer 1"


def fetched(*records: Record, **more: Any) -> dict[str, Any]:
    """The only batch of a Fetch answer, in normal form."""
    data = PartitionData(records=memoryview(encode_batch(list(records), **more)))
    message = FetchResponse(responses=(FetchableTopicResponse(topic=TopicName("a"), partitions=(data,)),))
    (told,) = new_form().of("Fetch", message, 4, NOW)["responses"][0]["partitions"][0]["records"]  # type: ignore[index,call-overload]
    return told  # type: ignore[no-any-return]


def test_a_time_of_the_checks_own_present_is_now_in_texts_and_another_stays() -> None:
    form = new_form()
    form.of("Metadata", MetadataResponse(), 1, NOW)

    assert form.text(f"{NOW - 5} is not within {NOW - 7_200_000}") == f"<now> is not within {NOW - 7_200_000}"


def test_a_timestamp_two_hours_off_is_not_now() -> None:
    assert fetched(Record(0, NOW - 7_200_000, None, b"v"))["max_timestamp"] == NOW - 7_200_000


def test_a_log_append_time_five_seconds_off_is_not_now() -> None:
    stamped = fetched(Record(0, 1, None, b"v"), log_append_time_ms=NOW + 5_000)

    assert stamped["records"][0]["timestamp"] == NOW + 5_000


def test_a_log_append_time_of_this_check_is_now() -> None:
    assert fetched(Record(0, 1, None, b"v"), log_append_time_ms=NOW - 300)["records"][0]["timestamp"] == "now"


def test_an_append_time_before_its_own_request_is_not_now() -> None:
    early = STARTED - 60_000
    form = NormalForm(Window(early))
    partition = PartitionProduceResponse(index=0, log_append_time_ms=NOW - 5_000)
    message = ProduceResponse(responses=(TopicProduceResponse(partition_responses=(partition,)),))
    told = form.of("Produce", message, 9, NOW, asked_ms=NOW - 20)

    assert told["responses"][0]["partition_responses"][0]["log_append_time_ms"] == NOW - 5_000  # type: ignore[index,call-overload]


def test_a_number_that_grows_is_told_by_its_sign_alone() -> None:
    of_two = [
        DescribeQuorumResponse(topics=(TopicData(partitions=(QuorumPartition(high_watermark=mark),)),))
        for mark in (71, -1)
    ]
    told = [new_form().of("DescribeQuorum", one, 2, NOW)["topics"][0]["partitions"][0] for one in of_two]  # type: ignore[index,call-overload]

    assert [one["high_watermark"] for one in told] == ["some", -1]


def test_two_long_values_of_equal_length_differ() -> None:
    one, other = (fetched(Record(0, 1, None, letter * 100))["records"][0]["value"] for letter in (b"a", b"b"))

    assert one.startswith("100 bytes, SHA-256 ")
    assert one != other


def test_two_keys_that_are_no_text_differ() -> None:
    one, other = (fetched(Record(0, 1, bytes([0xFF, last]), b""))["records"][0]["key"] for last in (1, 2))

    assert one != other


def test_records_are_told_by_their_content() -> None:
    told = fetched(Record(0, 1_700_000_000_000, b"k", b"v", (("h", None),)))

    assert told["crc"] == "valid"
    assert told["records"] == [
        {"offset": 0, "timestamp": 1_700_000_000_000, "key": "k", "value": "v", "headers": [["h", None]]}
    ]


def test_a_batch_that_is_cut_short_says_so() -> None:
    batch = encode_batch([Record(0, 1_700_000_000_000, None, b"v")])
    data = PartitionData(records=memoryview(batch[:-1]))
    message = FetchResponse(responses=(FetchableTopicResponse(partitions=(data,)),))

    assert new_form().of("Fetch", message, 4, NOW)["responses"][0]["partitions"][0]["records"] == [
        f"{len(batch) - 1} bytes of a batch cut short"
    ]


def test_where_order_is_not_promised_elements_are_sorted() -> None:
    topics = tuple(MetadataResponseTopic(name=TopicName(name)) for name in "ba")
    found = new_form().of("Metadata", MetadataResponse(topics=topics), 12, NOW)

    assert [one["name"] for one in found["topics"]] == ["a", "b"]


def test_of_all_topics_a_checks_own_are_kept() -> None:
    form = new_form()
    form.label("x1-orders", "orders")
    topics = tuple(MetadataResponseTopic(name=TopicName(name)) for name in ("x1-orders", "another"))
    found = form.of("Metadata", MetadataResponse(topics=topics), 12, NOW, everything=True)

    assert [one["name"] for one in found["topics"]] == ["orders"]


def test_of_topics_that_were_asked_for_all_are_kept() -> None:
    topics = (MetadataResponseTopic(name=TopicName("another")),)

    assert len(new_form().of("Metadata", MetadataResponse(topics=topics), 12, NOW)["topics"]) == 1


def _has(fields: Any, path: str) -> bool:
    """Whether a message has the field at this path."""
    for part in path.split("."):
        field = next((one for one in fields if one.name == part.removesuffix("[]")), None)
        if field is None:
            return False
        fields = field.of.FIELDS if field.of is not None else ()
    return True


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.api}-{rule.field}")
def test_each_rule_has_a_reason_and_a_field_that_exists(rule) -> None:  # type: ignore[no-untyped-def]
    names = {api.name for api in APIS.values()}

    assert rule.reason
    assert rule.api == "*" or rule.api in names
    if rule.api != "*" and not rule.field.startswith("*"):
        api = next(api for api in APIS.values() if api.name == rule.api)
        assert any(_has(message.FIELDS, rule.field) for message in (api.response, api.request))


def test_each_tolerance_of_all_fields_says_its_reason() -> None:
    assert all(one.what and one.reason for one in TOLERANCES)

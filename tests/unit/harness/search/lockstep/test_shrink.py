"""Failing sequences made short and plain."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from harness.search.lockstep.actions import Action, Request, WrittenBatch
from harness.search.lockstep.shrink import shrunk
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import TopicName


def creating(*names: str, timeout_ms: int = 5) -> Request:
    topics = tuple(CreatableTopic(name=TopicName(name), num_partitions=3) for name in names)
    return Request(message=CreateTopicsRequest(topics=topics, timeout_ms=timeout_ms), version=7)


def names_in(actions: Sequence[Action]) -> list[str]:
    return [topic.name for action in actions if isinstance(action, Request) for topic in action.message.topics]


def test_actions_that_do_not_matter_are_left_out() -> None:
    actions = [creating(name) for name in "abcdefgh"]

    smallest = shrunk(actions, lambda tried: "c" in names_in(tried) and names_in(tried)[-1:] == ["h"])

    assert names_in(smallest) == ["c", "h"]


def test_elements_that_do_not_matter_are_left_out() -> None:
    smallest = shrunk([creating("a", "b", "c")], lambda tried: "b" in names_in(tried))

    assert names_in(smallest) == ["b"]


def test_values_that_do_not_matter_become_their_defaults() -> None:
    (smallest,) = shrunk([creating("a")], lambda tried: "a" in names_in(tried))

    assert isinstance(smallest, Request)
    assert smallest.message == CreateTopicsRequest(topics=(CreatableTopic(name=TopicName("a")),))


def test_batches_become_plain() -> None:
    batch = WrittenBatch(values=("a", "b", "c"), key="k", damage="checksum", base_sequence=7)
    part = PartitionProduceData(index=0, records=batch)
    request = Request(message=ProduceRequest(topic_data=(TopicProduceData(partition_data=(part,)),)), version=3)

    def is_damaged(tried: Sequence[Action]) -> bool:
        topics = tried[0].message.topic_data if isinstance(tried[0], Request) else ()
        return any(getattr(one.records, "damage", "") == "checksum" for topic in topics for one in topic.partition_data)

    (smallest,) = shrunk([request], is_damaged)

    assert isinstance(smallest, Request)
    found = smallest.message.topic_data[0].partition_data[0].records
    assert (len(found.values), found.key, found.base_sequence) == (1, None, -1)


def test_the_tries_are_bounded() -> None:
    tried: list[Sequence[Action]] = []

    def fails(actions: Sequence[Action]) -> bool:
        tried.append(actions)
        return False

    shrunk([creating(str(number)) for number in range(50)], fails, tries=20)

    assert len(tried) == 20


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=12), st.sampled_from("abcdef"))
def test_what_is_left_still_fails(names: list[str], wanted: str) -> None:
    actions = [creating(name) for name in [*names, wanted]]

    assert wanted in names_in(shrunk(actions, lambda tried: wanted in names_in(tried)))

"""Fetch in a session: only what is new is answered, and a session is refused where it does not fit."""

from __future__ import annotations

from typing import Any

import pytest
from broker_in_memory import BrokerInMemory, codes
from fetch_requests import by_id, fetched, only, part, parts_of, request

from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_request import FetchPartition, ForgottenTopic
from reference_broker.wire.messages.fetch_response import FetchResponse
from reference_broker.wire.primitives import TopicName


@pytest.fixture
def broker() -> BrokerInMemory:
    broker = BrokerInMemory()
    broker.create("t", partitions=3)
    return broker


def begin(broker: BrokerInMemory, *parts: FetchPartition) -> FetchResponse:
    response: FetchResponse = fetched(broker, request(*parts, session_epoch=0))
    assert response.session_id > 0
    return response


def go_on(broker: BrokerInMemory, session: int, epoch: int, *parts: FetchPartition, **fields: Any) -> FetchResponse:
    response: FetchResponse = fetched(broker, request(*parts, session_id=session, session_epoch=epoch, **fields))
    return response


def test_a_session_answers_only_what_is_new(broker: BrokerInMemory) -> None:
    session = begin(broker, part(0), part(1)).session_id
    broker.append(b"a", index=1)
    response = go_on(broker, session, 1)
    assert (response.session_id, list(parts_of(response))) == (session, [1])


def test_a_session_that_has_nothing_new_answers_nothing(broker: BrokerInMemory) -> None:
    session = begin(broker, part(0)).session_id
    assert go_on(broker, session, 1).responses == ()


def test_a_session_tells_a_new_log_start(broker: BrokerInMemory) -> None:
    broker.append(b"a")
    session = begin(broker, part(0, offset=1)).session_id
    broker.partition().delete_records(1)
    assert only(go_on(broker, session, 1)).log_start_offset == 1


def test_a_partition_that_got_records_goes_to_the_back(broker: BrokerInMemory) -> None:
    session = begin(broker, part(0), part(1)).session_id
    broker.append(b"a")
    go_on(broker, session, 1)
    for index in (0, 1):
        broker.append(b"b", index=index)
    assert list(parts_of(go_on(broker, session, 2))) == [1, 0]


def test_a_session_takes_new_offsets_and_forgets_partitions(broker: BrokerInMemory) -> None:
    broker.append(b"a")
    session = begin(broker, part(0), part(1)).session_id
    forgotten = (ForgottenTopic(topic=TopicName("t"), partitions=(1,)),)
    go_on(broker, session, 1, part(0, offset=1), forgotten_topics_data=forgotten)
    for index in (0, 1):
        broker.append(b"b", index=index)
    answer = only(go_on(broker, session, 2))
    assert [one.header.base_offset for one in broker.stored(answer.records)] == [1]


def test_a_session_without_partitions_is_closed(broker: BrokerInMemory) -> None:
    session = begin(broker, part(0)).session_id
    forgotten = (ForgottenTopic(topic=TopicName("t"), partitions=(0,)),)
    assert go_on(broker, session, 1, forgotten_topics_data=forgotten).session_id == 0
    assert go_on(broker, session, 2).error_code == ErrorCode.FETCH_SESSION_ID_NOT_FOUND


def test_a_session_that_is_not_known_is_refused(broker: BrokerInMemory) -> None:
    assert go_on(broker, 4711, 1).error_code == ErrorCode.FETCH_SESSION_ID_NOT_FOUND


def test_another_epoch_than_the_next_is_refused(broker: BrokerInMemory) -> None:
    session = begin(broker, part(0)).session_id
    assert go_on(broker, session, 2).error_code == ErrorCode.INVALID_FETCH_SESSION_EPOCH


def test_a_session_by_names_does_not_go_on_by_ids(broker: BrokerInMemory) -> None:
    session = begin(broker, part(0)).session_id
    topic_id = broker.controller.image.topics.by_name["t"].id
    response = fetched(broker, by_id(topic_id, session_id=session, session_epoch=1), 13)
    assert response.error_code == ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR


def test_the_final_epoch_closes_a_session(broker: BrokerInMemory) -> None:
    session = begin(broker, part(0)).session_id
    assert go_on(broker, session, -1, part(0)).session_id == 0
    assert go_on(broker, session, 1).error_code == ErrorCode.FETCH_SESSION_ID_NOT_FOUND


def test_a_partition_is_told_again_when_its_error_has_gone(broker: BrokerInMemory) -> None:
    broker.append(b"a")
    session = begin(broker, part(0, offset=1)).session_id
    assert codes(go_on(broker, session, 1, part(0, offset=9))) == [ErrorCode.OFFSET_OUT_OF_RANGE]
    assert codes(go_on(broker, session, 2, part(0, offset=1))) == [ErrorCode.NONE]


def test_a_topic_that_was_made_again_is_inconsistent_with_its_session(broker: BrokerInMemory) -> None:
    topic_id = broker.controller.image.topics.by_name["t"].id
    session = fetched(broker, by_id(topic_id, part(0), session_epoch=0), 13).session_id
    broker.delete("t")
    broker.create("t", partitions=3)
    response = fetched(broker, by_id(topic_id, session_id=session, session_epoch=1), 13)
    assert codes(response) == [ErrorCode.INCONSISTENT_TOPIC_ID]


def test_a_fetch_that_waited_in_a_session_is_overtaken_by_a_later_one(broker: BrokerInMemory) -> None:
    session = begin(broker, part(0)).session_id
    park = fetched(broker, request(session_id=session, session_epoch=1, max_wait_ms=500))
    go_on(broker, session, 2)
    broker.append(b"a")
    assert broker.wake(park).error_code == ErrorCode.INVALID_FETCH_SESSION_EPOCH

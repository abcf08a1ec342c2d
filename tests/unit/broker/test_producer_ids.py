"""Producer ids come from the controller's blocks, each once; the next block is asked for before the last one ends."""

from __future__ import annotations

import pytest
from scripted_controller import ScriptedController

from reference_broker.broker.producer_ids import ProducerIds
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.allocate_producer_ids_response import AllocateProducerIdsResponse
from reference_broker.wire.primitives import BrokerId, ProducerId
from reference_broker.wire.refusal import KafkaError


def block(start: int, size: int = 10) -> AllocateProducerIdsResponse:
    return AllocateProducerIdsResponse(producer_id_start=ProducerId(start), producer_id_len=size)


class Producers(ScriptedController):
    def __init__(self) -> None:
        super().__init__()
        self.ids = ProducerIds(
            broker_id=BrokerId(1), broker_epoch=lambda: 42, channel=self.channel, log=lambda level, text: None
        )

    def take(self, count: int = 1) -> list[int]:
        return [self.ids.take(self.now) for _ in range(count)]

    def with_block(self) -> Producers:
        self.ids.ask_ahead(self.now)
        self.answer(block(0))
        return self


def test_there_is_no_id_until_the_controller_has_given_a_block() -> None:
    producers = Producers()
    with pytest.raises(KafkaError) as refusal:
        producers.take()

    assert refusal.value.code == ErrorCode.COORDINATOR_LOAD_IN_PROGRESS


def test_the_first_client_makes_the_broker_ask_for_a_block_once() -> None:
    producers = Producers()
    for _ in range(3):
        with pytest.raises(KafkaError):
            producers.take()

    assert [(one.api_key, one.request.broker_epoch) for one in producers.taken()] == [
        (ApiKey.ALLOCATE_PRODUCER_IDS, 42)
    ]


def test_ids_are_given_out_in_order() -> None:
    assert Producers().with_block().take(10) == list(range(10))


def test_the_next_block_is_asked_for_when_nine_tenths_are_used() -> None:
    producers = Producers().with_block()
    producers.take(9)
    assert producers.taken() == []

    producers.take()

    assert [one.api_key for one in producers.taken()] == [ApiKey.ALLOCATE_PRODUCER_IDS]


def test_the_next_block_follows_the_last_without_a_gap() -> None:
    producers = Producers().with_block()
    producers.take(10)
    producers.answer(block(1000))

    assert producers.take(2) == [1000, 1001]


def test_an_empty_store_is_waited_for() -> None:
    producers = Producers().with_block()
    producers.take(10)

    with pytest.raises(KafkaError):
        producers.take()


@pytest.mark.parametrize(
    "answer",
    [
        AllocateProducerIdsResponse(error_code=ErrorCode.STALE_BROKER_EPOCH),
        AllocateProducerIdsResponse(error_code=ErrorCode.BROKER_ID_NOT_REGISTERED),
        block(-1),
        block(0, 0),
        block((1 << 63) - 5),
    ],
    ids=repr,
)
def test_a_block_that_is_none_is_asked_for_again_after_a_pause(answer: AllocateProducerIdsResponse) -> None:
    producers = Producers()
    producers.ids.ask_ahead(producers.now)
    producers.answer(answer)
    producers.ids.ask_ahead(producers.now)
    assert producers.taken() == []
    producers.sleep(50)

    producers.ids.ask_ahead(producers.now)

    assert len(producers.taken()) == 1


def test_a_block_that_was_given_out_before_is_not_given_out_again() -> None:
    producers = Producers().with_block()
    producers.take(10)
    producers.answer(block(5))

    with pytest.raises(KafkaError):
        producers.take()

"""InitProducerId: ids that are never given twice, and each refusal of the header."""

from __future__ import annotations

from typing import Any

import pytest
from broker_in_memory import BrokerInMemory

from reference_broker.apis import init_producer_id
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest
from reference_broker.wire.messages.init_producer_id_response import InitProducerIdResponse
from reference_broker.wire.primitives import ProducerId, TransactionalId


@pytest.fixture
def broker() -> BrokerInMemory:
    return BrokerInMemory()


def given(broker: BrokerInMemory, **fields: Any) -> InitProducerIdResponse:
    request = InitProducerIdRequest(**({"transactional_id": None, "transaction_timeout_ms": 60_000} | fields))
    response: InitProducerIdResponse = broker.call(init_producer_id, request)
    return response


def test_an_idempotent_producer_gets_an_id_with_epoch_zero(broker: BrokerInMemory) -> None:
    first, second = given(broker), given(broker)
    assert (first.error_code, first.producer_epoch, second.producer_id) == (0, 0, first.producer_id + 1)


def test_an_id_is_not_given_again_after_a_restart(broker: BrokerInMemory) -> None:
    first = given(broker).producer_id
    assert given(broker.restarted()).producer_id > first


def test_an_idempotent_producer_may_tell_the_id_it_had(broker: BrokerInMemory) -> None:
    assert given(broker, producer_id=ProducerId(5), producer_epoch=3).producer_epoch == 0


@pytest.mark.parametrize("fields", [{"producer_id": ProducerId(5)}, {"producer_epoch": 3}])
def test_an_id_without_its_epoch_is_refused(broker: BrokerInMemory, fields: dict[str, Any]) -> None:
    answer = given(broker, **fields)
    assert (answer.error_code, answer.producer_id, answer.producer_epoch) == (ErrorCode.INVALID_REQUEST, -1, -1)


def test_an_empty_transactional_id_is_refused(broker: BrokerInMemory) -> None:
    assert given(broker, transactional_id=TransactionalId("")).error_code == ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize("timeout_ms", [0, -1, 900_001])
def test_a_transaction_timeout_out_of_range_is_refused(broker: BrokerInMemory, timeout_ms: int) -> None:
    answer = given(broker, transactional_id=TransactionalId("x"), transaction_timeout_ms=timeout_ms)
    assert answer.error_code == ErrorCode.INVALID_TRANSACTION_TIMEOUT


def test_a_transactional_id_finds_no_coordinator(broker: BrokerInMemory) -> None:
    assert given(broker, transactional_id=TransactionalId("x")).error_code == ErrorCode.NOT_COORDINATOR

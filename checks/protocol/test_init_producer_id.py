"""InitProducerId (key 22) gives producers their ids.

**Claim** Each idempotent producer gets its own id, with epoch 0; an id without an epoch, an epoch without an id, and an
empty transactional id are refused.
**Why it matters** If two producers have the same id, the broker takes one's records for repeats of the other's.
**Kafka says** Protocol guide, InitProducerId; KIP-98, KIP-360.
**Cannot see** Transactional producers.
**Rejects** tests/plants/gives_a_producer_id_twice.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, new_producer, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest
from reference_broker.wire.primitives import ProducerId, TransactionalId

pytestmark = [
    pytest.mark.feature("InitProducerId"),
    pytest.mark.kip(98, 360),
    pytest.mark.document(
        "Protocol guide, InitProducerId", "https://kafka.apache.org/protocol.html#The_Messages_InitProducerId"
    ),
]


def request(
    producer: int = -1, epoch: int = -1, *, transactional_id: str | None = None, timeout_ms: int = 60_000
) -> InitProducerIdRequest:
    return InitProducerIdRequest(
        transactional_id=None if transactional_id is None else TransactionalId(transactional_id),
        transaction_timeout_ms=timeout_ms,
        producer_id=ProducerId(producer),
        producer_epoch=epoch,
    )


@pytest.fixture(autouse=True)
def _ids_are_there(exchange: Exchange) -> None:
    """Waits until the broker can give producer ids, which it cannot at once after its start."""
    new_producer(exchange)


@all_versions(0, 5)
def test_each_producer_has_an_id_of_its_own(exchange: Exchange, version: int) -> None:
    """Two producers get two ids, both at epoch 0."""
    answers = [exchange.ask(f"the {turn} producer", request(), version) for turn in ("first", "second")]

    assert [(one.error_code, one.producer_epoch) for one in answers] == [(ErrorCode.NONE, 0)] * 2
    assert answers[0].producer_id != answers[1].producer_id


@pytest.mark.parametrize("timeout_ms", [-1, 0, 2147483647])
def test_the_timeout_of_transactions_has_no_meaning_here(exchange: Exchange, timeout_ms: int) -> None:
    """A producer without a transactional id may send any transaction timeout."""
    answer = exchange.ask(f"a timeout of {timeout_ms}", request(timeout_ms=timeout_ms), 4)

    assert answer.error_code == ErrorCode.NONE


@versions(3, 4, 5)
def test_an_id_and_epoch_that_are_known(exchange: Exchange, version: int) -> None:
    """A producer without a transactional id that sends its id and epoch gets a new id."""
    own = exchange.ask("a producer", request(), version)
    again = exchange.ask("the same with its id and epoch", request(own.producer_id, own.producer_epoch), version)

    assert (again.error_code, again.producer_epoch) == (ErrorCode.NONE, 0)
    assert again.producer_id != own.producer_id


@pytest.mark.parametrize(("producer", "epoch"), [(5, -1), (-1, 5)])
@versions(3, 5)
def test_an_id_without_an_epoch_is_refused(exchange: Exchange, version: int, producer: int, epoch: int) -> None:
    """An id without an epoch, or an epoch without an id, is refused."""
    answer = exchange.ask(f"id {producer}, epoch {epoch}", request(producer, epoch), version)

    assert answer.error_code == ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize(("producer", "epoch"), [(-2, -2), (5, -2), (-2, 0), (5, 32767)])
def test_odd_ids_and_epochs(exchange: Exchange, producer: int, epoch: int) -> None:
    """Without a transactional id, an id and epoch in the request are ignored, whatever they are."""
    answer = exchange.ask(f"id {producer}, epoch {epoch}", request(producer, epoch), 4)

    assert (answer.error_code, answer.producer_epoch) == (ErrorCode.NONE, 0)


@versions(0, 2, 4)
def test_an_empty_transactional_id_is_refused(exchange: Exchange, version: int) -> None:
    """An empty transactional id is refused."""
    answer = exchange.ask("an empty transactional id", request(transactional_id=""), version)

    assert answer.error_code == ErrorCode.INVALID_REQUEST

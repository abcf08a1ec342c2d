"""Transactional producers are refused with the right error if they are invalid or have no coordinator.

**Claim** An InitProducerId request with a transaction timeout that is too long, or not positive, is refused, and so is
one to a broker that does not coordinate the transactional id (NOT_COORDINATOR). Transactional records are refused if
the request has no transactional id, if they are from several producers, or if no coordinator can verify them; after a
refusal the producer must send the refused records again before later ones.
**Why it matters** A transaction without a coordinator would never end, and would block all read_committed consumers.
**Kafka says** Protocol guide, InitProducerId and Produce; KIP-98, KIP-890 (the coordinator verifies transactions).
**Cannot see** Transactions that have a coordinator.
**Rejects** tests/plants/takes_transactional_records_of_nobody.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, batch, is_since, new_producer, produce, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest
from reference_broker.wire.messages.produce_response import ProduceResponse
from reference_broker.wire.primitives import TransactionalId, Uuid

LONGEST_MS = 600_000
pytestmark = [
    # A separate cluster: transaction coordinators exist once any client has requested one.
    pytest.mark.cluster(config={"transaction.max.timeout.ms": str(LONGEST_MS)}),
    pytest.mark.feature("Produce"),
    pytest.mark.kip(98, 890),
    pytest.mark.document(
        "Protocol guide, InitProducerId", "https://kafka.apache.org/protocol.html#The_Messages_InitProducerId"
    ),
    pytest.mark.document("Protocol guide, Produce", "https://kafka.apache.org/protocol.html#The_Messages_Produce"),
]


def at(exchange: Exchange, topic: str, version: int) -> str | Uuid:
    """The topic's name, or from version 13 on its id."""
    return exchange.topic_id(topic) if version >= 13 else topic


def transactional(value: str, producer_id: int) -> bytes:
    """A batch with one transactional record."""
    return batch(value, producer_id=producer_id, producer_epoch=0, base_sequence=0, is_transactional=True)


def codes(answer: ProduceResponse) -> list[int]:
    return [one.error_code for topic in answer.responses for one in topic.partition_responses]


@pytest.mark.parametrize("timeout_ms", [-1, 0, LONGEST_MS + 1, 2147483647])
@all_versions(0, 5)
def test_a_timeout_that_cannot_be_is_refused(exchange: Exchange, version: int, timeout_ms: int) -> None:
    """A transaction timeout below 1 or above transaction.max.timeout.ms is refused."""
    own = TransactionalId(exchange.name("payments"))
    asked = InitProducerIdRequest(transactional_id=own, transaction_timeout_ms=timeout_ms)
    answer = exchange.ask(f"a timeout of {timeout_ms}", asked, version)

    assert answer.error_code == ErrorCode.INVALID_TRANSACTION_TIMEOUT


@pytest.mark.parametrize("timeout_ms", [1, LONGEST_MS])
@all_versions(0, 5)
def test_who_does_not_coordinate_a_transaction_says_so(exchange: Exchange, version: int, timeout_ms: int) -> None:
    """A broker answers with NOT_COORDINATOR for a transactional id that it does not coordinate."""
    own = TransactionalId(exchange.name("payments"))
    asked = InitProducerIdRequest(transactional_id=own, transaction_timeout_ms=timeout_ms)
    answer = exchange.ask(f"a timeout of {timeout_ms}", asked, version)

    assert answer.error_code == ErrorCode.NOT_COORDINATOR


@versions(3, 8, 9, 12, 13)
def test_transactional_records_of_no_transaction_are_refused(exchange: Exchange, version: int) -> None:
    """Transactional records in a request without a transactional id are refused."""
    where = at(exchange, exchange.topic(), version)
    asked = produce(where, transactional("a", new_producer(exchange)))
    answer = exchange.ask("transactional records, no transaction", asked, version)

    assert codes(answer) == [ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED]


@versions(3, 9, 12, 13)
def test_records_of_two_producers_are_refused(exchange: Exchange, version: int) -> None:
    """Transactional records from two producers in one request are refused."""
    where = at(exchange, exchange.topic(partitions=2), version)
    records = {index: transactional("a", new_producer(exchange)) for index in (0, 1)}
    asked = produce(where, records, transactional_id=exchange.name("payments"))
    answer = exchange.ask("transactional records of two producers", asked, version)

    assert codes(answer) == [ErrorCode.INVALID_PRODUCER_ID_MAPPING] * 2


@versions(3, 8, 9, 11, 12, 13)
def test_records_that_no_coordinator_agrees_to_are_refused(exchange: Exchange, version: int) -> None:
    """Transactional records that no coordinator can verify are refused with an error that clients retry."""
    where = at(exchange, exchange.topic(), version)
    asked = produce(where, transactional("a", new_producer(exchange)), transactional_id=exchange.name("payments"))
    answer = exchange.ask("transactional records without a coordinator", asked, version)

    assert codes(answer) == [ErrorCode.NOT_ENOUGH_REPLICAS]


# (version of the refused transactional batch, its sequence, the sequence of the next batch, the first release that
# refuses the next batch)
AFTER_A_REFUSAL = [
    pytest.param(version, refused, then, since, id=f"v{version}-{refused}-{then}")
    for version, refused, then, since in (
        (11, 2, 0, None),
        (11, 2, 2, None),
        (11, 2, 4, "4.0"),
        (12, 0, 0, None),
        (12, 2, 2, "4.1"),
        (12, 2, 4, "4.0"),
    )
]


@pytest.mark.parametrize(("version", "refused", "then", "since"), AFTER_A_REFUSAL)
def test_what_was_not_agreed_to_bars_what_follows(
    exchange: Exchange, version: int, refused: int, then: int, since: str | None
) -> None:
    """After a refused batch its producer may not continue with a later sequence: a retry would then always be out of
    order."""
    topic, own = exchange.topic(), new_producer(exchange)
    first = batch("a", producer_id=own, producer_epoch=0, base_sequence=refused, is_transactional=True)
    answer = exchange.ask(
        f"sequence {refused} of a transaction",
        produce(topic, first, transactional_id=exchange.name("payments")),
        version,
    )
    assert codes(answer) == [ErrorCode.NOT_ENOUGH_REPLICAS]
    second = batch("b", producer_id=own, producer_epoch=0, base_sequence=then)
    answer = exchange.ask(f"then sequence {then} of none", produce(topic, second), version)

    is_refused = since is not None and is_since(exchange, since)
    assert codes(answer) == [ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER if is_refused else ErrorCode.NONE]


@versions(11, 12)
def test_an_older_epoch_is_refused_before_a_coordinator_is_asked(exchange: Exchange, version: int) -> None:
    """Since 4.1 transactional records with an older producer epoch are refused even without a coordinator."""
    topic, own = exchange.topic(), new_producer(exchange)
    newer = batch("a", producer_id=own, producer_epoch=1, base_sequence=0)
    assert codes(exchange.ask("epoch 1 of no transaction", produce(topic, newer), version)) == [ErrorCode.NONE]
    asked = produce(topic, transactional("b", own), transactional_id=exchange.name("payments"))
    answer = exchange.ask("epoch 0 of a transaction", asked, version)

    is_checked = is_since(exchange, "4.1")
    assert codes(answer) == [ErrorCode.INVALID_PRODUCER_EPOCH if is_checked else ErrorCode.NOT_ENOUGH_REPLICAS]


@versions(3, 9, 12)
def test_a_transaction_is_refused_before_the_acks_are_looked_at(exchange: Exchange, version: int) -> None:
    """Transactional records without a coordinator are refused with that error even if the request has an invalid acks
    value."""
    asked = produce(
        exchange.topic(), transactional("a", new_producer(exchange)), transactional_id=exchange.name("payments"), acks=2
    )
    answer = exchange.ask("two acks for a transaction", asked, version)

    assert codes(answer) == [ErrorCode.NOT_ENOUGH_REPLICAS]

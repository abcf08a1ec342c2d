"""A retried batch is appended once.

**Claim** A batch that an idempotent producer sends again is in the log exactly once. A repeat of one of the last five
batches is answered with the offset at which the batch was appended, and a repeat of an older one is refused. If the
broker is killed or restarted in between, a repeat of the last batch is still answered with its offset; repeats of the
four before it are either answered with theirs or refused. With enable.idempotence=true every record that Kafka's
clients send is in the log exactly once and in order, even if the clients retry because the broker was killed, and
paused for longer than the request timeout, while requests were in flight.

**Why it matters** A payment that is sent again because its answer was lost must not be made twice.

**Kafka says** producer configuration enable.idempotence; KIP-98, KIP-360. After a restart a broker loads the producer
state from a snapshot, which holds only the last batch of each producer: Kafka 4.3.1 then refuses the four before it.

**Cannot see** producer state across a change of leader: there is only one replica.

**Rejects** tests/plants/duplicates_a_retried_batch.py, tests/plants/forgets_producers_on_restart.py,
tests/plants/remembers_only_the_last_batch.py
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from harness.clients.client import ClientTrouble
from harness.clients.leader_connections import TROUBLE, LeaderConnections, RawAdmin
from harness.clients.stored_batches import stored_batches
from harness.comparing.request_forms import batch, produce
from harness.hosts import cluster_time as time
from harness.judging.activity import Needs
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import require
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.strike import Strike
from harness.targets.target import Cluster
from harness.workloads.queue import Queue
from reference_broker.wire.errors import ErrorCode, is_retriable
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest

pytestmark = [
    pytest.mark.feature("InitProducerId"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(98, 360),
    pytest.mark.document(
        "producer configuration enable.idempotence",
        "https://kafka.apache.org/documentation/#producerconfigs_enable.idempotence",
    ),
]
NUMBERS = range(5)
"""A broker recognises repeats of a producer's last five batches (KIP-98)."""
REFUSED = ("OUT_OF_ORDER_SEQUENCE_NUMBER", -1)
PATIENCE_S = 30.0


@pytest.mark.claim("O5")
def test_each_of_the_last_five_batches_is_known_again(cluster: Cluster, admin: RawAdmin, names: Names) -> None:
    """Five batches that are all sent again, the newest first, are answered as before, and nothing is appended."""
    topic = names.topic("payments")
    admin.create_topic(topic)
    batches = some_batches(new_producer(cluster, topic))

    first = sent(cluster, topic, batches)
    again = sent(cluster, topic, batches[::-1])

    require(first, [("NONE", number) for number in NUMBERS], "the answers to five batches (error, offset)")
    require(again[::-1], first, "the answers to the same five batches again (error, offset)")
    require(held(cluster, topic), [(number, number) for number in NUMBERS], "the batches in the log (offset, sequence)")


@pytest.mark.claim("O5")
def test_a_batch_older_than_the_last_five_is_refused(cluster: Cluster, admin: RawAdmin, names: Names) -> None:
    """If six batches are all sent again, the first is no longer known: it is refused, and nothing is appended.

    Kafka 4.3.1 does not answer DUPLICATE_SEQUENCE_NUMBER, which clients take for a success without an offset.
    """
    topic = names.topic("payments")
    admin.create_topic(topic)
    batches = some_batches(new_producer(cluster, topic), range(6))

    sent(cluster, topic, batches)
    again = sent(cluster, topic, batches)

    require(again[0], REFUSED, "the answer to the first of six batches again (error, offset)")
    require(again[1:], [("NONE", number) for number in range(1, 6)], "the answers to the five after it (error, offset)")
    there = [(number, number) for number in range(6)]
    require(held(cluster, topic), there, "the batches in the log (offset, sequence)")


@pytest.mark.claim("O5")
@pytest.mark.parametrize("fault", ["kill", "restart"])
def test_batches_from_before_a_restart_are_not_appended_again(
    cluster: Cluster, admin: RawAdmin, names: Names, strike: Strike, fault: str
) -> None:
    """If five batches are sent again after a restart, the last one is answered as before, and none is appended."""
    topic = names.topic("payments")
    admin.create_topic(topic)
    batches = some_batches(new_producer(cluster, topic))
    first = sent(cluster, topic, batches)
    require(first, [("NONE", number) for number in NUMBERS], "the answers to five batches (error, offset)")

    strike(fault, topic=topic)
    again = sent(cluster, topic, batches)

    require(again[-1], first[-1], f"the answer to the last batch again, after the {fault} (error, offset)")
    odd = [answer for answer, before in zip(again, first, strict=True) if answer not in (before, REFUSED)]
    require(odd, [], f"the answers after the {fault} that are neither as before nor refusals (error, offset)")
    require(held(cluster, topic), [(number, number) for number in NUMBERS], "the batches in the log (offset, sequence)")


@pytest.mark.claim("O4", "O5", "D1")
def test_retried_batches_are_appended_once(drive: Drive, names: Names) -> None:
    """If clients retry after a pause and a kill, each record is in the log once, in order."""
    # With this delivery timeout no record is given up unsent: the number of retries is sends minus records handed over.
    settings = ClientSettings(acks="all", is_idempotent=True, in_flight=5, delivery_timeout_ms=60_000)
    queue = Queue(
        topic=names.topic("payments"), partitions=1, producers=3, rate=600, client=settings, needs=Needs(retries=1)
    )

    # The request timeout is 3 s: during a longer pause clients send batches again that the broker already has.
    # librdkafka looks once a second for requests that have timed out.
    drive(queue, "pause leader", "kill leader", hold_s=5.0)


def some_batches(producer_id: int, numbers: range = NUMBERS) -> list[bytes]:
    """Batches of one record each, as an idempotent producer sends them."""
    now_ms = time.time_ns() // 1_000_000  # retention would delete old records and, with them, the producer's state
    more = {"timestamps": [now_ms], "producer_id": producer_id, "producer_epoch": 0}
    return [batch(f"payment {number}", base_sequence=number, **more) for number in numbers]


def held(cluster: Cluster, topic: str) -> list[tuple[int, int]]:
    """(offset, sequence) of each batch in the log."""
    headers = [one.header for one in stored_batches(cluster.bootstrap, topic, 0)]
    return [(header.base_offset, header.base_sequence) for header in headers]


def new_producer(cluster: Cluster, topic: str) -> int:
    """A new producer id. A broker that has just started may need a moment before it can give one."""
    request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
    answer = asked(cluster, topic, request, 4, lambda answer: answer.error_code)
    return int(answer.producer_id)


def sent(cluster: Cluster, topic: str, batches: Sequence[bytes]) -> list[tuple[str, int]]:
    """Sends the batches one after the other, and returns (error, base offset) of each answer."""
    answers = [asked(cluster, topic, produce(topic, one), 9, lambda answer: only(answer).error_code) for one in batches]
    return [(ErrorCode(only(answer).error_code).name, only(answer).base_offset) for answer in answers]


def only(answer: Any) -> Any:
    """The answer for the only partition."""
    return answer.responses[0].partition_responses[0]


def asked(cluster: Cluster, topic: str, message: Any, version: int, error_of: Callable[[Any], int]) -> Any:
    """The answer of the topic's leader, asked again for up to PATIENCE_S; raises ClientTrouble if there is none."""
    view = LeaderConnections(cluster.bootstrap, "payments")
    deadline = time.monotonic() + PATIENCE_S
    try:
        while True:
            try:
                answer = view.leader(topic, 0).request(message.API_KEY, version, message)
                if not is_retriable(error_of(answer)):
                    return answer
                trouble = ErrorCode(error_of(answer)).name
            except TROUBLE as error:
                trouble = f"{type(error).__name__}: {error}"
            view.forget()
            if time.monotonic() > deadline:
                raise ClientTrouble(f"{type(message).__name__} to {topic}: {trouble}")
            time.sleep(0.1)
    finally:
        view.forget()

"""Who leads when brokers come and go: only who has all that was acknowledged.

**Claim** When a leader is fenced, a replica in sync leads; where there is none, a replica that left the ISR before does
not lead unless the topic allows it, and an eligible one (KIP-966) does. A broker that registers anew without having
stopped in order is eligible no longer. A preferred election elects nobody who is not in sync
(PREFERRED_LEADER_NOT_AVAILABLE), an unclean one nobody who is fenced (ELIGIBLE_LEADERS_NOT_AVAILABLE). A broker that
wants to stop is told to only when it leads nothing. A change of the ISR is refused for another broker epoch, leader
epoch or partition epoch, from a follower, without the leader, and with a replica that is fenced, has another broker
epoch, or is none. A reassignment ends when the new replicas are in sync, and not before. A second broker of an id that
is alive is refused, and so is a heartbeat of an earlier registration.
**Why it matters** A leader that lacks acknowledged records loses them for everybody.
**Kafka says** KIP-455 (reassignments), KIP-497 (ISR), KIP-631 (registration, fencing), KIP-841 (fenced replicas),
KIP-903 (broker epochs), KIP-966 (eligible leader replicas).
**Cannot see** Brokers that are silent: here they say that they want to be fenced.
**Rejects** tests/plants/brokers/changes_the_isr_for_a_broker_of_before.py,
tests/plants/brokers/changes_the_isr_for_a_deposed_leader.py, tests/plants/brokers/changes_the_isr_for_a_follower.py,
tests/plants/brokers/changes_the_isr_of_an_old_state.py, tests/plants/brokers/elects_fenced_brokers.py,
tests/plants/brokers/elects_uncleanly_everywhere.py, tests/plants/brokers/elects_who_was_not_in_sync.py,
tests/plants/brokers/ends_reassignments_at_once.py, tests/plants/brokers/forgets_eligible_replicas.py,
tests/plants/brokers/hears_brokers_of_before.py, tests/plants/brokers/leaves_the_leader_out_of_the_isr.py,
tests/plants/brokers/registers_a_second_broker_of_an_id.py, tests/plants/brokers/stops_brokers_that_lead.py,
tests/plants/brokers/takes_replicas_of_before_into_the_isr.py, tests/plants/brokers/takes_strangers_into_the_isr.py,
tests/plants/brokers/trusts_who_did_not_stop_in_order.py
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.clients.guest_broker import GUEST, GuestBroker
from harness.comparing.exchange import Exchange
from harness.comparing.pair import Pair, election, result_of
from harness.comparing.request_forms import batch, has_feature, produce
from harness.judging.outcome import require
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_request import (
    AlterPartitionRequest,
    BrokerState,
    PartitionData,
    TopicData,
)
from reference_broker.wire.messages.describe_topic_partitions_request import (
    DescribeTopicPartitionsRequest,
    TopicRequest,
)
from reference_broker.wire.messages.list_partition_reassignments_request import ListPartitionReassignmentsRequest
from reference_broker.wire.primitives import BrokerId, TopicName

pytestmark = [
    # A separate cluster: the guest would get replicas of other checks' topics, and its session must not end.
    pytest.mark.cluster(config={"broker.session.timeout.ms": "120000", "replica.fetch.backoff.ms": "100"}),
    pytest.mark.feature("Leader election"),
    pytest.mark.severity("blocker"),
    pytest.mark.kip(455, 497, 631, 841, 903, 966),
]
UNCLEAN = 1
STRANGER = 99


def alter(
    pair: Pair,
    topic: str,
    *isr: int,
    sender: int = GUEST,
    broker_epoch: int = 0,
    leader_epoch: int = 0,
    partition_epoch: int = 0,
    member_epoch: int = 0,
    base: tuple[int, int] = (0, 0),
) -> str:
    """The guest's request for an ISR; the epochs are differences from the current ones, `base` is (leader epoch,
    partition epoch). Returns the name of the error."""
    members = tuple(
        BrokerState(broker_id=BrokerId(one), broker_epoch=pair.guest.epoch + member_epoch if one == GUEST else -1)
        for one in isr
    )
    part = PartitionData(
        partition_index=0,
        leader_epoch=base[0] + leader_epoch,
        partition_epoch=base[1] + partition_epoch,
        new_isr_with_epochs=members,
    )
    request = AlterPartitionRequest(
        broker_id=BrokerId(sender),
        broker_epoch=pair.guest.epoch + broker_epoch,
        topics=(TopicData(topic_id=pair.topic_id(topic), partitions=(part,)),),
    )
    answer = pair.guest.ask_controller(ApiKey.ALTER_PARTITION, 3, request)
    return ErrorCode(answer.error_code or answer.topics[0].partitions[0].error_code).name


def described(exchange: Exchange, topic: str) -> Any:
    """Partition 0 as DescribeTopicPartitions tells it, with its eligible replicas."""
    (found,) = exchange.quietly(DescribeTopicPartitionsRequest(topics=(TopicRequest(name=TopicName(topic)),)), 0).topics
    return found.partitions[0]


def skip_without_elr(exchange: Exchange) -> None:
    """Skips on a release or cluster without eligible leader replicas."""
    if not has_feature(exchange, "eligible.leader.replicas.version"):
        pytest.skip("eligible.leader.replicas.version is 0 in this cluster")


def is_registered(guest: GuestBroker, previous_epoch: int) -> bool:
    """Whether the controller takes the guest as a new process."""
    return guest.register(previous_epoch=previous_epoch) == ErrorCode.NONE


def elected(exchange: Exchange, words: str, topic: str, kind: int) -> str:
    """The name of the error of an election."""
    return ErrorCode(result_of(exchange.ask(words, election(topic, kind), 2))).name


@pytest.mark.claim("D5", "M5")
def test_who_is_in_sync_leads_when_the_leader_is_fenced(exchange: Exchange, pair: Pair) -> None:
    """And the one that came back does not lead, or count as in sync, before it has followed."""
    topic = pair.topic(GUEST, pair.node)
    pair.await_leader(topic, GUEST)
    pair.guest.fence()
    pair.await_leader(topic, pair.node)
    pair.await_isr(topic, pair.node)
    answer = exchange.quietly(produce(topic, batch("while it was away")), 9)
    require(answer.responses[0].partition_responses[0].error_code, 0, "the answer of the new leader to acks=all")
    pair.guest.unfence()
    code = elected(exchange, "the preferred leader, which is not in sync", topic, 0)
    require(code, "PREFERRED_LEADER_NOT_AVAILABLE", "the answer to an election of a replica that is not in sync")
    require(pair.partition(topic).leader_id, pair.node, "the leader after a preferred election that was refused")
    pair.join_isr(topic, end=1)
    require(elected(exchange, "the preferred leader, in sync", topic, 0), "NONE", "the answer when it is in sync")
    pair.await_leader(topic, GUEST)
    require(elected(exchange, "once more", topic, 0), "ELECTION_NOT_NEEDED", "the answer when it leads")


@pytest.mark.claim("D5", "D1")
def test_who_was_not_in_sync_does_not_lead(exchange: Exchange, pair: Pair) -> None:
    """Where the last replica in sync is fenced, another that is alive leads only by an unclean election."""
    topic = pair.topic(GUEST, pair.node, unclean_leader_election_enable="false", min_insync_replicas="1")
    pair.await_leader(topic, GUEST)
    require(alter(pair, topic, GUEST), "NONE", "the answer to an ISR of the leader alone")
    pair.await_isr(topic, GUEST)
    pair.guest.fence()
    pair.until(lambda: pair.partition(topic).leader_id != GUEST, "the fenced leader leads no more")
    require(pair.partition(topic).leader_id, -1, "the leader when nobody in sync is alive")
    code = elected(exchange, "an unclean election", topic, UNCLEAN)
    require(code, "NONE", "the answer to an unclean election of a replica that is alive")
    pair.await_leader(topic, pair.node)
    require(elected(exchange, "once more", topic, UNCLEAN), "ELECTION_NOT_NEEDED", "the answer when one leads")


@pytest.mark.claim("M5")
def test_who_is_fenced_is_not_elected(exchange: Exchange, pair: Pair) -> None:
    """Not even by an unclean election, and no replica is placed there."""
    topic = pair.topic(GUEST)
    pair.await_leader(topic, GUEST)
    pair.guest.fence()
    pair.until(lambda: pair.partition(topic).leader_id == -1, "a partition whose only broker is fenced has no leader")
    code = elected(exchange, "an unclean election", topic, UNCLEAN)
    require(code, "ELIGIBLE_LEADERS_NOT_AVAILABLE", "the answer to an election when no replica is alive")
    pair.guest.unfence()
    pair.await_leader(topic, GUEST)


@pytest.mark.claim("D5", "M5")
def test_an_eligible_replica_leads(exchange: Exchange, pair: Pair) -> None:
    """Who left the ISR when it had no more than min.insync.replicas members has all that was acknowledged."""
    skip_without_elr(exchange)
    topic = pair.topic(GUEST, pair.node, min_insync_replicas="2")
    pair.await_leader(topic, GUEST)
    require(alter(pair, topic, GUEST), "NONE", "the answer to an ISR of the leader alone")
    pair.until(
        lambda: tuple(described(exchange, topic).eligible_leader_replicas or ()) == (pair.node,),
        "the follower that left the ISR is told to be eligible",
    )
    pair.guest.fence()
    pair.await_leader(topic, pair.node)


@pytest.mark.long
@pytest.mark.cluster(config={"broker.session.timeout.ms": "6000", "replica.fetch.backoff.ms": "100"})
@pytest.mark.claim("D5", "M5")
def test_who_did_not_stop_in_order_is_not_eligible(exchange: Exchange, pair: Pair) -> None:
    """It may have lost records. Who stopped in order says under which epoch, and stays eligible."""
    skip_without_elr(exchange)
    topic = pair.topic(pair.node, GUEST, min_insync_replicas="2")
    pair.await_leader(topic, pair.node)
    for is_in_order, wanted in ((True, (GUEST,)), (False, ())):
        pair.guest.fence()
        pair.until(
            lambda: tuple(described(exchange, topic).eligible_leader_replicas or ()) == (GUEST,),
            "the fenced follower is told to be eligible",
        )
        before = pair.guest.epoch
        pair.guest.beat(want_fence=True, want_shut_down=True)
        pair.until(
            lambda before=before if is_in_order else -1: is_registered(pair.guest, before),
            "the controller takes a broker anew whose session is over",
        )
        pair.until(
            lambda wanted=wanted: tuple(described(exchange, topic).eligible_leader_replicas or ()) == wanted,
            f"the eligible replicas are {wanted} after a stop {'in order' if is_in_order else 'out of order'}",
        )
        pair.guest.unfence()
        pair.join_isr(topic, end=0)


@pytest.mark.claim("M5")
def test_a_broker_stops_when_it_leads_nothing(exchange: Exchange, pair: Pair) -> None:
    """Its partitions have other leaders when it is told to stop (KIP-841)."""
    topic = pair.topic(GUEST, pair.node)
    pair.await_leader(topic, GUEST)
    answer = pair.guest.beat(want_shut_down=True)
    require(answer.should_shut_down, False, "that a broker is told to stop while it leads a partition")
    pair.await_leader(topic, pair.node)
    pair.until(lambda: pair.guest.beat(want_shut_down=True).should_shut_down, "a broker that leads nothing may stop")
    require(pair.partition(topic).leader_id, pair.node, "the leader when the other broker may stop")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an old broker epoch": ({"broker_epoch": -1}, "STALE_BROKER_EPOCH"),
    "an old leader epoch": ({"leader_epoch": -1}, "FENCED_LEADER_EPOCH"),
    "a coming leader epoch": ({"leader_epoch": 1}, "NOT_CONTROLLER"),
    "an old partition epoch": ({"partition_epoch": -1}, "INVALID_UPDATE_VERSION"),
    "a coming partition epoch": ({"partition_epoch": 1}, "NOT_CONTROLLER"),
    "an old broker epoch of a replica": ({"member_epoch": -1}, "INELIGIBLE_REPLICA"),
}


@pytest.mark.claim("M4", "D5")
def test_an_isr_is_changed_for_the_present_state_only(exchange: Exchange, pair: Pair) -> None:
    """Each request that knows another state is refused, and the same one that knows the present one is accepted."""
    topic = pair.topic(GUEST, pair.node)
    pair.await_leader(topic, GUEST)
    pair.move_leadership(topic, pair.node, GUEST)
    epoch = pair.move_leadership(topic, GUEST, pair.node)
    # Two reassignments and two elections since the creation: each is one change.
    base = (epoch, 4)
    for what, (differing, wanted) in REFUSED.items():
        require(alter(pair, topic, GUEST, base=base, **differing), wanted, f"the answer to an ISR with {what}")
    for what, isr in (("without the leader", (pair.node,)), ("with a stranger", (GUEST, STRANGER))):
        require(alter(pair, topic, *isr, base=base), "INVALID_REQUEST", f"the answer to an ISR {what}")
    require(set(pair.partition(topic).isr_nodes), {GUEST, pair.node}, "the ISR after requests that were refused")
    require(alter(pair, topic, GUEST, base=base), "NONE", "the answer to an ISR for the present state")


@pytest.mark.claim("M4", "D5")
def test_an_isr_is_changed_by_the_leader_only(exchange: Exchange, pair: Pair) -> None:
    """A follower's request is refused."""
    topic = pair.topic(pair.node, GUEST)
    pair.await_leader(topic, pair.node)
    require(alter(pair, topic, pair.node, GUEST), "INVALID_REQUEST", "the answer to a follower that asks for an ISR")
    require(set(pair.partition(topic).isr_nodes), {GUEST, pair.node}, "the ISR after a follower's request")


@pytest.mark.claim("M12", "D13")
def test_a_reassignment_ends_when_the_new_replica_is_in_sync(exchange: Exchange, pair: Pair) -> None:
    """Until then the old replicas serve, and it can be cancelled."""
    topic = pair.topic(pair.node)
    pair.await_leader(topic, pair.node)
    exchange.quietly(produce(topic, batch("a"), acks=1), 9)
    require(pair.reassign(topic, GUEST), 0, "the answer to a reassignment")
    pair.until(lambda: len(pair.partition(topic).replica_nodes) == 2, "the new replica is added")
    listed = exchange.quietly(ListPartitionReassignmentsRequest(topics=None), 0).topics
    moves = [(one.adding_replicas, one.removing_replicas) for found in listed for one in found.partitions]
    require(moves, [((GUEST,), (pair.node,))], "the (added, removed) replicas of the reassignment in progress")
    require(pair.partition(topic).leader_id, pair.node, "the leader while the new replica lags")
    pair.guest.fetch(pair.topic_id(topic), 0, leader_epoch=pair.partition(topic).leader_epoch)
    answer = exchange.quietly(produce(topic, batch("b"), timeout_ms=10_000), 9)
    require(answer.responses[0].partition_responses[0].error_code, 0, "the answer to acks=all while the replica lags")
    require(set(pair.partition(topic).replica_nodes), {pair.node, GUEST}, "the replicas while the new one lags")
    pair.guest.fetch(pair.topic_id(topic), 2, leader_epoch=pair.partition(topic).leader_epoch)
    pair.await_leader(topic, GUEST)
    require(tuple(pair.partition(topic).replica_nodes), (GUEST,), "the replicas when the new one is in sync")


@pytest.mark.claim("M13", "M5")
def test_a_broker_that_lives_is_not_replaced(exchange: Exchange, pair: Pair) -> None:
    """Another process with its id is refused while its session lives; a heartbeat of an earlier epoch is refused."""
    code = pair.guest.register()
    require(ErrorCode(code).name, "DUPLICATE_BROKER_REGISTRATION", "the answer to a second broker of an id")
    code = ErrorCode(pair.guest.beat(epoch=pair.guest.epoch - 1).error_code).name
    require(code, "STALE_BROKER_EPOCH", "the answer to a heartbeat of an earlier registration")

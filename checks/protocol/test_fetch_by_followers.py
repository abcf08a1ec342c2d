"""Fetch (key 1) with a replica id: only a replica of the partition is served as a follower.

**Claim** A fetch with the id of a broker that is not a follower of the partition is refused, in every version,
whichever field has the id. A consumer may send fields that are meant for followers, and is served like any consumer.
**Why it matters** A follower's fetch raises the high watermark: a false follower would make records count as replicated
although they are not.
**Kafka says** Protocol guide, Fetch; KIP-392 (log start offset), KIP-903 (the replica's state), KIP-853 (its folder),
KIP-1166 (its high watermark).
**Cannot see** Followers that have a replica.
**Rejects** tests/plants/serves_whoever_passes_for_a_follower.py, tests/plants/answers_readers_at_once.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.observation import Pace
from harness.comparing.request_forms import fetch, produce_quietly, variants, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_request import ReplicaState
from reference_broker.wire.messages.fetch_response import FetchResponse, PartitionData
from reference_broker.wire.primitives import BrokerId, TopicName, Uuid
from reference_broker.wire.records import iter_batches

pytestmark = [
    # A separate cluster: on a cluster in use, a false follower does harm.
    pytest.mark.cluster(config={"transaction.max.timeout.ms": "600000"}),
    pytest.mark.feature("Fetch"),
    pytest.mark.kip(392, 903, 853, 1166),
    pytest.mark.document("Protocol guide, Fetch", "https://kafka.apache.org/protocol.html#The_Messages_Fetch"),
]

A_FOLDER = Uuid(bytes(range(16)))


def filled(exchange: Exchange) -> TopicName:
    """A topic with three batches of one record each."""
    topic = exchange.topic()
    for value in "abc":
        produce_quietly(exchange, topic, value)
    return topic


def at(exchange: Exchange, topic: str, version: int) -> str | Uuid:
    """The topic's name, or from version 13 on its id."""
    return exchange.topic_id(topic) if version >= 13 else topic


def only(answer: FetchResponse) -> PartitionData:
    ((found,),) = (one.partitions for one in answer.responses)
    return found


def offsets(found: PartitionData) -> list[int]:
    """Base offsets of the batches of an answer."""
    return [one.header.base_offset for one in iter_batches(found.records if found.records is not None else b"")]


@variants("replica", the_leader_itself=1, nobody=77)
@variants("epoch", unknown=-1, zero=0, large=1_000_000)
@versions(15, 16, 17, 18)
def test_who_holds_no_replica_is_refused(exchange: Exchange, version: int, epoch: int, replica: int) -> None:
    """A fetch as an unknown broker, or as the leader itself, is refused, whatever the replica epoch."""
    topic = filled(exchange)
    state = ReplicaState(replica_id=BrokerId(replica), replica_epoch=epoch)
    words = f"as {'the leader' if replica == 1 else 'broker 77'} of epoch {epoch}"
    answer = exchange.ask(words, fetch(exchange.topic_id(topic), replica_state=state), version)

    assert answer.error_code == ErrorCode.NONE
    assert only(answer).error_code == ErrorCode.NOT_LEADER_OR_FOLLOWER, "served as a follower"
    assert offsets(only(answer)) == []


@variants("replica", the_leader_itself=1, nobody=77, debugging=-2, out_of_range=-3)
@versions(4, 7, 12, 13, 14)
def test_the_older_form_of_a_followers_name(exchange: Exchange, version: int, replica: int) -> None:
    """Before version 15 the replica id is a separate field: a broker that is not a follower is refused, a negative id
    is served."""
    topic = filled(exchange)
    where = at(exchange, topic, version)
    answer = exchange.ask(f"as replica {replica}", fetch(where, replica_id=BrokerId(replica)), version)

    served = (ErrorCode.NONE, [0, 1, 2]) if replica < 0 else (ErrorCode.NOT_LEADER_OR_FOLLOWER, [])
    assert (only(answer).error_code, offsets(only(answer))) == served


@versions(12, 16, 18)
def test_a_readers_cluster_has_no_meaning(exchange: Exchange, version: int) -> None:
    """A consumer that sends another cluster id is served: only replication of the metadata log checks it."""
    where = at(exchange, filled(exchange), version)
    answer = exchange.ask(
        "the cluster of somebody else", fetch(where, cluster_id="another-cluster-altogether"), version
    )

    assert (only(answer).error_code, offsets(only(answer))) == (ErrorCode.NONE, [0, 1, 2])


@variants("start", before=-1, within=2, beyond=1_000, below_all=-7)
@versions(5, 11, 12, 18)
def test_a_readers_log_start_has_no_meaning(exchange: Exchange, version: int, start: int) -> None:
    """A consumer that sends a log start offset is served: it has no effect."""
    where = at(exchange, filled(exchange), version)
    answer = exchange.ask(f"a log that starts at {start}", fetch(where, log_start_offset=start), version)

    assert offsets(only(answer)) == [0, 1, 2]


@versions(17, 18)
def test_a_readers_folder_has_no_meaning(exchange: Exchange, version: int) -> None:
    """A consumer that sends a replica directory id is served."""
    where = at(exchange, filled(exchange), version)
    answer = exchange.ask("a replica in some folder", fetch(where, replica_directory_id=A_FOLDER), version)

    assert offsets(only(answer)) == [0, 1, 2]


@variants("mark", the_same=3, older=1, later=100, none=-1)
def test_a_readers_high_watermark_has_no_meaning(exchange: Exchange, mark: int) -> None:
    """A consumer that sends a high watermark gets available records, and waits if there are none."""
    where = at(exchange, filled(exchange), 18)
    answer = exchange.ask(f"a high watermark of {mark}", fetch(where, high_watermark=mark), 18)
    assert offsets(only(answer)) == [0, 1, 2]
    end = fetch(where, 3, high_watermark=mark, max_wait_ms=300)
    answer = exchange.ask(f"at the end, a high watermark of {mark}", end, 18, waits_ms=300, pace=Pace.WAITED)

    assert (only(answer).error_code, offsets(only(answer))) == (ErrorCode.NONE, [])

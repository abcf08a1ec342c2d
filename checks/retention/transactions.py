"""A transactional producer, request by request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from checks.durability.test_retried_batches_are_appended_once import asked, only
from harness.clients.leader_connections import LeaderConnections
from harness.comparing.request_forms import batch, produce
from harness.hosts.lack import Lack, Means
from harness.judging.outcome import require
from harness.targets.target import Cluster
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.add_partitions_to_txn_request import (
    AddPartitionsToTxnRequest,
    AddPartitionsToTxnTopic,
)
from reference_broker.wire.messages.end_txn_request import EndTxnRequest
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest
from reference_broker.wire.primitives import ProducerId, TopicName, TransactionalId

NO_TRANSACTIONS: Final = Lack(Means.SOFTWARE, "this target serves no transactions yet (it does not list EndTxn)")
_OF_TRANSACTIONS: Final = 1
"""The key type of transactional ids (FindCoordinator)."""


def serves_transactions(cluster: Cluster, topic: str) -> bool:
    """Whether the topic's leader lists EndTxn."""
    view = LeaderConnections(cluster.bootstrap, "transactions")
    try:
        return view.leader(topic, 0).listed(ApiKey.END_TXN) != (0, -1)
    finally:
        view.forget()


@dataclass(slots=True)
class TransactionalProducer:
    """Writes to partition 0 of one topic of a cluster of one node."""

    cluster: Cluster
    topic: str
    transactional_id: str
    _producer_id: int = -1
    _sequence: int = 0

    def begin(self) -> None:
        """Finds its coordinator and gets its id."""
        find = FindCoordinatorRequest(key=self.transactional_id, key_type=_OF_TRANSACTIONS)
        asked(self.cluster, self.topic, find, 2, lambda answer: int(answer.error_code))
        init = InitProducerIdRequest(
            transactional_id=TransactionalId(self.transactional_id), transaction_timeout_ms=60_000
        )
        answer = asked(self.cluster, self.topic, init, 4, lambda answer: int(answer.error_code))
        require(answer.error_code, ErrorCode.NONE, "the answer to InitProducerId of a transactional id")
        self._producer_id = int(answer.producer_id)

    def write(self, key: str, value: str, timestamp: int, *, commits: bool) -> int:
        """A transaction of one record, which is committed or aborted; the record's offset."""
        own, producer = TransactionalId(self.transactional_id), ProducerId(self._producer_id)
        added = AddPartitionsToTxnRequest(
            v3_and_below_transactional_id=own,
            v3_and_below_producer_id=producer,
            v3_and_below_topics=(AddPartitionsToTxnTopic(name=TopicName(self.topic), partitions=(0,)),),
        )
        asked(
            self.cluster,
            self.topic,
            added,
            3,
            lambda answer: int(answer.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code),
        )
        data = batch(
            value,
            key=key,
            timestamps=[timestamp],
            producer_id=self._producer_id,
            producer_epoch=0,
            base_sequence=self._sequence,
            is_transactional=True,
        )
        self._sequence += 1
        sent = produce(self.topic, data, transactional_id=self.transactional_id)
        answer = only(asked(self.cluster, self.topic, sent, 9, lambda answer: int(only(answer).error_code)))
        require(answer.error_code, ErrorCode.NONE, "the answer to a transactional batch")
        ended = EndTxnRequest(transactional_id=own, producer_id=producer, committed=commits)
        end = asked(self.cluster, self.topic, ended, 3, lambda answer: int(answer.error_code))
        require(end.error_code, ErrorCode.NONE, "the answer to EndTxn")
        return int(answer.base_offset)

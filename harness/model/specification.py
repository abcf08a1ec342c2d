"""The model of a one-node cluster: takes each request and its answer, and says what in the answer is not allowed.

APIs and fields that are not modelled are not judged. Where several answers are allowed, the model continues with the
one that came.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from harness.model import group_answers
from harness.model.allowed import ANY, Complaints, expect, expect_code
from harness.model.batch import UNKNOWN_TIME, written
from harness.model.groups import Groups
from harness.model.log import PartitionLog
from harness.model.offsets import Offsets
from harness.model.reading import fetched
from harness.model.sessions import Place, Sessions
from harness.model.topics import Topic, Topics
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import ZERO_UUID

Judge = Callable[[Any, int, Any], Complaints]
LONGEST_NAME: Final = 249
ACKS: Final = (-1, 0, 1)
IDS_OF_PRODUCE: Final = 13
"""First version of Produce (and of Fetch) that names topics by id."""


class Specification:
    """The expected state of the cluster in one sequence. `judge` is called once per request, in order of answers."""

    def __init__(self) -> None:
        self.topics = Topics()
        self.groups = Groups()
        self.offsets = Offsets(self.topics, self.groups)
        self.sessions = Sessions()
        self.producer_ids: list[int] = []
        self._now_ms = 0
        self._judges: dict[int, Judge] = {
            ApiKey.PRODUCE: self._produced,
            ApiKey.FETCH: self._fetched,
            ApiKey.LIST_OFFSETS: self._offsets_listed,
            ApiKey.DELETE_RECORDS: self._records_deleted,
            ApiKey.OFFSET_FOR_LEADER_EPOCH: self._epochs_ended,
            ApiKey.DESCRIBE_PRODUCERS: self._producers_described,
            ApiKey.INIT_PRODUCER_ID: self._producer_made,
            ApiKey.CREATE_TOPICS: self.topics.created,
            ApiKey.DELETE_TOPICS: self.topics.deleted,
            ApiKey.CREATE_PARTITIONS: self.topics.widened,
            ApiKey.ALTER_CONFIGS: self.topics.altered,
            ApiKey.INCREMENTAL_ALTER_CONFIGS: self.topics.altered,
            ApiKey.DESCRIBE_CONFIGS: self.topics.described,
            ApiKey.METADATA: self.topics.told,
            ApiKey.HEARTBEAT: partial(group_answers.beaten, self.groups),
            ApiKey.LEAVE_GROUP: partial(group_answers.left, self.groups),
            ApiKey.DESCRIBE_GROUPS: partial(group_answers.described, self.groups),
            ApiKey.LIST_GROUPS: partial(group_answers.listed, self.groups),
            ApiKey.OFFSET_COMMIT: self.offsets.committed,
            ApiKey.OFFSET_FETCH: self.offsets.fetched,
            ApiKey.OFFSET_DELETE: self.offsets.deleted,
            ApiKey.DELETE_GROUPS: self.offsets.groups_deleted,
        }

    def knows(self, api_key: int) -> bool:
        """Whether the model judges the answers of this API."""
        return api_key in self._judges or api_key in (ApiKey.JOIN_GROUP, ApiKey.SYNC_GROUP)

    def sent(self, client: int, message: Any, version: int) -> None:
        """Must be called when a request is sent. Applies JoinGroup and SyncGroup, whose answers may come much later."""
        if not _is_shared(message):
            self.groups.sent(client, message, version)

    def must_wait(self, client: int) -> bool:
        """Whether the answer to a client's last request waits for another client."""
        return self.groups.must_wait(client)

    def judge(self, client: int, message: Any, version: int, response: Any, now_ms: int) -> list[str]:
        """What is not allowed in an answer. `response` is None if none came; `now_ms` is about when it was made."""
        self._now_ms = now_ms
        key = message.API_KEY
        if response is None or _is_shared(message):
            return []
        if key in (ApiKey.JOIN_GROUP, ApiKey.SYNC_GROUP):
            return list(self.groups.heard(client, message, version, response))
        judge = self._judges.get(key)
        return [] if judge is None else list(judge(message, version, response))

    def unanswered(self, message: Any, version: int, is_closed: bool, now_ms: int) -> list[str]:
        """Judges a request without a response. Only a Produce with acks=0 has none; an error of it closes the
        connection (protocol guide)."""
        if message.API_KEY != ApiKey.PRODUCE or message.acks != 0:
            return [] if is_closed and message.API_KEY == ApiKey.PRODUCE else [f"no answer to {type(message).__name__}"]
        sent = [
            (topic, part.index, written(part.records, version))
            for topic in message.topic_data
            for part in topic.partition_data
        ]
        if is_closed and any(batch.faults or batch.is_doubtful or batch.is_transactional for _, _, batch in sent):
            return []  # the request as a whole may have been refused
        for topic, index, batch in sent:
            log = self._log(self._topic(topic.topic_id if version >= IDS_OF_PRODUCE else topic.name), index)
            if log is None:
                continue
            allowed, earlier = log.known(batch)
            refused = log.refusals(batch, now_ms)
            must_close = 0 not in allowed or (refused and not batch.is_transactional)
            if must_close and not is_closed:
                return [f"Produce with acks=0 to {topic.name}: the connection should be closed, and is open"]
            if not must_close and earlier is None and not batch.is_transactional:
                log.append(batch, UNKNOWN_TIME)
        return []

    def restarted(self, now_ms: int) -> None:
        """Applies a clean restart of the node."""
        self.sessions.open.clear()
        self.groups.restarted()
        for topic in self.topics.by_name.values():
            for log in topic.logs:
                log.restart(now_ms)

    # -- lookups ------------------------------------------------------------------------------------------------

    def _topic(self, name: Any) -> Topic | None:
        """The topic with this name or id; None if there is none."""
        return self.topics.by_id(name) if isinstance(name, bytes) else self.topics.by_name.get(name)

    @staticmethod
    def _log(topic: Topic | None, partition: int) -> PartitionLog | None:
        return topic.logs[partition] if topic is not None and 0 <= partition < len(topic.logs) else None

    def _at(self, place: Place) -> PartitionLog | None:
        return self._log(self._topic(place[0]), place[1])

    # -- the log's requests -------------------------------------------------------------------------------------

    def _produced(self, request: Any, version: int, response: Any) -> Complaints:
        answers = {
            (one.topic_id if version >= IDS_OF_PRODUCE else one.name, part.index): part
            for one in response.responses
            for part in one.partition_responses
        }
        parts = [part for topic in request.topic_data for part in topic.partition_data]
        # Transactions are not modelled, and their errors apply to the whole request.
        more = ANY if any(written(part.records, version).is_transactional for part in parts) else frozenset()
        for wanted in request.topic_data:
            name = wanted.topic_id if version >= IDS_OF_PRODUCE else wanted.name
            topic = self._topic(name)
            for part in wanted.partition_data:
                where = f"Produce to {topic.name if topic else name!r}-{part.index}"
                answer = answers.get((name, part.index))
                log = self._log(topic, part.index)
                if answer is None:
                    yield f"{where}: no answer for it"
                elif log is None:
                    codes = self._missing(name, version, IDS_OF_PRODUCE) | written(part.records, version).faults
                    yield from expect_code(where, answer.error_code, codes | more)
                elif request.acks not in ACKS:
                    faults = written(part.records, version).faults
                    yield from expect_code(
                        where, answer.error_code, faults | more | {int(ErrorCode.INVALID_REQUIRED_ACKS)}
                    )
                else:
                    yield from log.produce(where, written(part.records, version), answer, self._now_ms)

    @staticmethod
    def _missing(name: Any, version: int, ids_from: int) -> frozenset[int]:
        """The error codes allowed for a partition that does not exist."""
        codes = {ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.INVALID_TOPIC_EXCEPTION}
        if version >= ids_from:
            codes = {ErrorCode.UNKNOWN_TOPIC_ID} if name == ZERO_UUID else codes | {ErrorCode.UNKNOWN_TOPIC_ID}
        elif isinstance(name, str) and name.startswith("__"):
            return ANY
        return frozenset(map(int, codes))

    def _fetched(self, request: Any, version: int, response: Any) -> Complaints:
        return fetched(self.sessions, self._at, request, version, response)

    def _offsets_listed(self, request: Any, version: int, response: Any) -> Complaints:
        if request.isolation_level not in (0, 1):
            return
        yield from self._each(
            "ListOffsets", request.topics, response.topics, "name", "partition_index",
            lambda log, where, asked, answer: log.offset_at(where, asked, answer, version),
        )  # fmt: skip

    def _records_deleted(self, request: Any, version: int, response: Any) -> Complaints:
        yield from self._each(
            "DeleteRecords", request.topics, response.topics, "name", "partition_index",
            lambda log, where, asked, answer: log.delete(where, asked.offset, answer),
        )  # fmt: skip

    def _epochs_ended(self, request: Any, version: int, response: Any) -> Complaints:
        yield from self._each(
            "OffsetForLeaderEpoch", request.topics, response.topics, "topic", "partition",
            lambda log, where, asked, answer: log.end_of_epoch(where, asked, answer),
        )  # fmt: skip

    def _each(
        self, api: str, asked: Any, answered: Any, name: str, index: str,
        judge: Callable[[PartitionLog, str, Any, Any], Complaints],
    ) -> Complaints:  # fmt: skip
        """Judges an answer with partitions grouped by topic name, partition by partition. `name` and `index` are the
        names of the fields with the topic name and the partition."""
        answers = {(getattr(one, name), getattr(part, index)): part for one in answered for part in one.partitions}
        places = [(getattr(one, name), getattr(part, index)) for one in asked for part in one.partitions]
        for topic in asked:
            for part in topic.partitions:
                place = (getattr(topic, name), getattr(part, index))
                where, answer, log = f"{api} of {place[0]}-{place[1]}", answers.get(place), self._at(place)
                if places.count(place) > 1:
                    continue
                if answer is None:
                    yield f"{where}: no answer for it"
                elif log is None:
                    allowed = self._missing(place[0], 0, 1)
                    if api == "ListOffsets" and part.timestamp < 0:  # Kafka checks first if the version supports it
                        allowed |= {int(ErrorCode.UNSUPPORTED_VERSION)}
                    yield from expect_code(where, answer.error_code, allowed)
                else:
                    yield from judge(log, where, part, answer)

    def _producers_described(self, request: Any, version: int, response: Any) -> Complaints:
        answers = {(one.name, part.partition_index): part for one in response.topics for part in one.partitions}
        for topic in request.topics:
            for partition in topic.partition_indexes:
                where = f"DescribeProducers of {topic.name}-{partition}"
                log, answer = self._at((topic.name, partition)), answers.get((topic.name, partition))
                if answer is None:
                    yield f"{where}: no answer for it"
                elif log is None:
                    codes = self._missing(topic.name, 0, 1) | {int(ErrorCode.NOT_LEADER_OR_FOLLOWER)}
                    yield from expect_code(where, answer.error_code, codes)
                else:
                    yield from expect_code(where, answer.error_code, {0})
                    found = sorted(
                        (one.producer_id, one.producer_epoch, one.last_sequence) for one in answer.active_producers
                    )
                    doubtful = [id_ for id_, entry in log.producers.items() if entry.is_doubtful]
                    found = [one for one in found if one[0] not in doubtful]
                    known = sorted(
                        (id_, entry.epoch, entry.batches[-1][1])
                        for id_, entry in log.producers.items()
                        if id_ not in doubtful
                    )
                    yield from expect(f"{where}: (id, epoch, last sequence) of producers", found, known)

    def _producer_made(self, request: Any, version: int, response: Any) -> Complaints:
        if request.transactional_id is not None or (request.producer_id, request.producer_epoch) != (-1, -1):
            return
        yield from expect_code("InitProducerId", response.error_code, {0})
        if not response.error_code:
            yield from expect("InitProducerId: producer epoch", response.producer_epoch, 0)
            if response.producer_id in self.producer_ids:
                yield f"InitProducerId: {response.producer_id} was given out before"
            self.producer_ids.append(response.producer_id)


def _is_shared(message: Any) -> bool:
    """Whether a request names a group id too long for a unique prefix, so that all sequences share the group."""
    named = [getattr(message, "group_id", ""), *getattr(message, "groups_names", ())]
    named += [one if isinstance(one, str) else one.group_id for one in getattr(message, "groups", ())]
    return any(len(name) > LONGEST_NAME for name in named)

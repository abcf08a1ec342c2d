"""Requests to all coordinators, for two Apache Kafka clusters: transactions, and groups of every protocol. Pure.

Requests are generated from their schemas as in any_request. The fields that relate requests to each other (members,
epochs, producers, instances, subscriptions) mostly get matching values, so that groups form and transactions begin.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from harness.search.lockstep.actions import Action, Kind, Ref, Request, WrittenBatch
from harness.search.sequences.any_request import message_of
from harness.search.sequences.exclusions import tamed
from harness.search.sequences.families import FAMILIES
from harness.search.sequences.subscriptions import subscription
from harness.search.sequences.writing import Listed, Write, chosen, created, fitted, version_of
from reference_broker.wire.api_keys import APIS, ApiKey
from reference_broker.wire.messages.join_group_request import JoinGroupRequestProtocol
from reference_broker.wire.messages.produce_request import PartitionProduceData, TopicProduceData
from reference_broker.wire.primitives import TopicName

TOPICS: Final = ("orders", "events")
GROUPS: Final = ("workers", "others", "a:b")
MEMBERS: Final = ("m0", "m1", "m2")
INSTANCES: Final = {"m1": "i0"}
"""Member → group.instance.id, for static members."""
PRODUCERS: Final = ("t0", "t1")
CLIENTS: Final = 3
WAITS: Final = (ApiKey.JOIN_GROUP, ApiKey.SYNC_GROUP)


@dataclass(slots=True, kw_only=True)
class _State:
    """The state of a sequence while it is generated."""

    family: str
    groups: tuple[str, ...]
    joined: set[tuple[str, str]] = field(default_factory=set)
    """(group, member) pairs that have sent a joining heartbeat."""
    epochs: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(group, member) → next epoch of the member's share session."""


def write(random: Random, listed: Listed) -> list[Action]:
    """Creates two topics, then 8 to 30 requests of one random family."""
    return list(_actions(random, listed, random.choice([name for name in FAMILIES if _is_of(name, listed)])))


def writer_of(family: str) -> Write:
    """A writer of one family alone."""
    return lambda random, listed: list(_actions(random, listed, family))


def _actions(random: Random, listed: Listed, family: str) -> Iterator[Action]:
    keys = [key for key in FAMILIES[family] if key in listed]
    state = _State(family=family, groups=random.choice((GROUPS[:1], GROUPS[:1], GROUPS[:2], GROUPS[2:])))
    yield created(TOPICS, listed, {"retention.ms": "-1"})
    for _ in range(random.randint(8, 30)):
        key = random.choice(keys)
        yield _request(random, state, key, version_of(random, listed, key))


def _is_of(family: str, listed: Listed) -> bool:
    """Whether the targets support the main API of a family."""
    needed = {
        "share": ApiKey.SHARE_GROUP_HEARTBEAT,
        "share_state": ApiKey.SHARE_GROUP_HEARTBEAT,
        "streams": ApiKey.STREAMS_GROUP_HEARTBEAT,
        "telemetry": ApiKey.PUSH_TELEMETRY,
    }
    return needed.get(family, ApiKey.API_VERSIONS) in listed


def _request(random: Random, state: _State, key: int, version: int) -> Request:
    message = _tied(random, state, key, tamed(random, key, message_of(random, APIS[key].request, version)))
    # A share session belongs to its connection, so each member has one of its own.
    member = getattr(message, "member_id", None)
    action = Request(
        client=MEMBERS.index(member) if member in MEMBERS else random.randrange(CLIENTS),
        message=message,
        version=version,
        may_wait=key in WAITS,
        learns=_learned(key, message),
    )
    found = fitted(action)
    assert isinstance(found, Request)
    return found


def _learned(key: int, message: Any) -> tuple[tuple[str, Ref], ...]:
    if key == ApiKey.INIT_PRODUCER_ID and message.transactional_id:
        return (("producer_id", Ref(Kind.PRODUCER_ID, message.transactional_id)),)
    if key in (ApiKey.CONSUMER_GROUP_HEARTBEAT, ApiKey.SHARE_GROUP_HEARTBEAT, ApiKey.STREAMS_GROUP_HEARTBEAT):
        epoch = ("member_epoch", Ref(Kind.GENERATION, f"{message.group_id}/{message.member_id}"))
        return (epoch, ("member_id", Ref(Kind.MEMBER_ID, message.group_id)))
    if key == ApiKey.JOIN_GROUP:
        return (
            ("generation_id", Ref(Kind.GENERATION, f"{message.group_id}/classic")),
            ("member_id", Ref(Kind.MEMBER_ID, f"{message.group_id}/classic")),
        )
    return ()


def _tied(random: Random, state: _State, key: int, message: Any) -> Any:
    """The message with fields such as group, member and producer set to match other requests of the sequence."""
    own = {name: getattr(message, name) for name in message.__struct_fields__}
    if "group_id" in own and random.random() < 0.97:
        own["group_id"] = random.choice(state.groups)
    if "group_ids" in own and random.random() < 0.9:
        own["group_ids"] = tuple(random.sample((*state.groups, *state.groups, "", "nobody's"), random.randint(1, 3)))
    if own.get("groups"):
        own["groups"] = tuple(
            random.choice(state.groups) if isinstance(one, str) else replace(one, group_id=random.choice(state.groups))
            for one in own["groups"]
        )
    if "groups_names" in own:
        own["groups_names"] = tuple(random.sample(state.groups, 1))
    _member(random, state, key, own)
    _producer(random, key, own)
    if key in TIES:
        TIES[key](random, own)
    if key == ApiKey.PRODUCE:
        _produce(random, state, own)
    if "share_session_epoch" in own:
        own["share_session_epoch"] = _session_epoch(random, state, own)
    return type(message)(**own)


def _member(random: Random, state: _State, key: int, own: dict[str, Any]) -> None:
    """Sets member id and epoch: one of MEMBERS, with the last epoch it was answered. For the classic protocol, the
    member id and generation that the coordinator assigned."""
    if "member_id" not in own:
        return
    group = own.get("group_id")
    if key in (ApiKey.JOIN_GROUP, ApiKey.SYNC_GROUP, ApiKey.HEARTBEAT):
        told = Ref(Kind.MEMBER_ID, f"{group}/classic")
        own["member_id"] = chosen(random, (6, told), (6 if key == ApiKey.JOIN_GROUP else 0.3, ""), (1, "m0"))
        if "generation_id" in own:
            own["generation_id"] = chosen(random, (8, Ref(Kind.GENERATION, f"{group}/classic")), (1, 1), (1, -1))
        return
    member = random.choice(MEMBERS)
    epoch = Ref(Kind.GENERATION, f"{group}/{member}")
    own["member_id"] = member
    for name in ("member_epoch", "generation_id_or_member_epoch"):
        if name in own:
            own[name] = chosen(random, (8, epoch), (2, 0), (1, -1), (1, -2), (0.5, 1), (0.5, 2))
    if "member_epoch" in own and (str(group), member) not in state.joined and random.random() < 0.9:
        state.joined.add((str(group), member))
        own["member_epoch"] = 0


def _producer(random: Random, key: int, own: dict[str, Any]) -> None:
    """Sets the transactional id of one of two producers, the producer id it was assigned, and an epoch of 0 to 2."""
    if "producer_id" in own and "transactional_id" in own:
        name = random.choice(PRODUCERS)
        own["transactional_id"] = name if random.random() < 0.9 else own["transactional_id"]
        known = (4, Ref(Kind.PRODUCER_ID, name))
        own["producer_id"] = chosen(random, known, (12 if key == ApiKey.INIT_PRODUCER_ID else 0.2, -1))
        fresh = key == ApiKey.INIT_PRODUCER_ID and own["producer_id"] == -1
        own["producer_epoch"] = -1 if fresh else chosen(random, (8, 0), (4, 1), (2, 2), (0.5, -1))
    if "transaction_timeout_ms" in own:
        own["transaction_timeout_ms"] = chosen(random, (12, 60_000), (1, 0), (1, 900_001), (1, -1))


def _consumer_heartbeat(random: Random, own: dict[str, Any]) -> None:
    first = own["member_epoch"] == 0
    instance = INSTANCES.get(own["member_id"])
    own["instance_id"] = instance if random.random() < 0.9 else chosen(random, (3, None), (3, "i0"), (1, ""))
    own["rebalance_timeout_ms"] = 60_000 if first else chosen(random, (3, -1), (1, 60_000), (0.3, 0))
    names = chosen(random, (4, ("orders",)), (3, TOPICS), (1, ("nowhere",)), (0.5, ()), (0.1, ("orders", "orders")))
    own["subscribed_topic_names"] = names if first or random.random() < 0.3 else None
    regex = chosen(random, (5, None), (2, ".*orders"), (2, ""), (0.2, "["), (0.3, ".*"))
    own["subscribed_topic_regex"] = regex
    own["server_assignor"] = chosen(random, (8, None), (2, "range"), (2, "uniform"), (0.5, "other"), (0.2, ""))
    owned = own["topic_partitions"]
    own["topic_partitions"] = () if first else chosen(random, (4, None), (2, owned), (1, ()))
    own["rack_id"] = chosen(random, (8, None), (1, "r"), (0.2, ""))


def _share_heartbeat(random: Random, own: dict[str, Any]) -> None:
    names = chosen(random, (4, ("orders",)), (3, TOPICS), (1, ("nowhere",)), (0.5, ()))
    own["subscribed_topic_names"] = names if own["member_epoch"] == 0 or random.random() < 0.3 else None
    own["rack_id"] = chosen(random, (8, None), (1, "r"))


def _share_session(random: Random, own: dict[str, Any]) -> None:
    """ShareFetch or ShareAcknowledge of the topics of the sequence, without waiting."""
    if "max_wait_ms" in own:
        own.update(max_wait_ms=0, min_bytes=0, max_bytes=1_000_000, max_records=random.choice((1, 10, 500)))
        own["batch_size"] = random.choice((1, 10, 500))
    own["is_renew_ack"] = random.random() < 0.1
    own["topics"] = tuple(
        replace(topic, topic_id=Ref(Kind.TOPIC_ID, name), partitions=_share_partitions(random, topic.partitions))
        for topic, name in zip(own["topics"] or (), TOPICS, strict=False)
    )


def _share_state(random: Random, own: dict[str, Any]) -> None:
    """A request about the share group state of partition 0 of one topic, with state and leader epochs near 0."""
    state_epoch, leader_epoch = (chosen(random, (6, 0), (4, 1), (2, 2), (3, -1), (1, -2)) for _ in range(2))
    changes = {"partition": 0, "state_epoch": state_epoch, "leader_epoch": leader_epoch}
    own["topics"] = tuple(
        replace(
            topic,
            topic_id=Ref(Kind.TOPIC_ID, TOPICS[0]),
            partitions=tuple(
                replace(one, **{name: value for name, value in changes.items() if name in one.__struct_fields__})
                for one in topic.partitions[:1]
            ),
        )
        for topic in own["topics"][:1]
    )


def _find_coordinator(random: Random, own: dict[str, Any]) -> None:
    """FindCoordinator with a share key: group, topic id and partition."""
    topic_id = chosen(random, (8, "A" * 22), (1, "A"), (1, ""))
    own["coordinator_keys"] = (f"{random.choice((*GROUPS, ''))}:{topic_id}:{random.choice((0, 0, 1, 'x'))}",)
    own["key_type"] = 2


def _share_partitions(random: Random, partitions: Any) -> Any:
    """The partitions, each with no acknowledgements or with one batch, of one or two of the first offsets and of any
    type, valid or not."""
    found = {one.partition_index: one for one in partitions or ()}
    return tuple(
        replace(one, acknowledgement_batches=tuple(_acknowledged(random, batch) for batch in _some(random, one)))
        for one in found.values()
    )


def _some(random: Random, partition: Any) -> Any:
    return partition.acknowledgement_batches[:1] if random.random() < 0.5 else ()


def _acknowledged(random: Random, batch: Any) -> Any:
    first = chosen(random, (6, 0), (2, 1), (1, 2))
    kinds = (chosen(random, (4, 1), (2, 2), (2, 3), (1, 4), (1, 0), (1, 5), (0.5, -1)),)
    return replace(batch, first_offset=first, last_offset=first + random.choice((0, 0, 0, 1)), acknowledge_types=kinds)


def _session_epoch(random: Random, state: _State, own: dict[str, Any]) -> int:
    """A share session epoch, mostly the next one of the session."""
    name = (str(own.get("group_id")), str(own.get("member_id")))
    due = state.epochs[name]
    epoch: int = chosen(random, (12, due), (1, 0), (1, -1), (0.5, due + 1))
    state.epochs[name] = 0 if epoch == -1 else epoch + 1
    return epoch


def _streams_heartbeat(random: Random, own: dict[str, Any]) -> None:
    first = own["member_epoch"] == 0
    own["instance_id"] = chosen(random, (8, None), (1, "i0"))
    own["rack_id"] = chosen(random, (8, None), (1, "r"))
    own["rebalance_timeout_ms"] = 60_000 if first else -1
    own["process_id"] = "p0" if first else chosen(random, (4, None), (1, "p1"))
    own["endpoint_information_epoch"] = random.choice((0, 0, 1, -1))
    own["shutdown_application"] = random.random() < 0.05
    if own["topology"] is not None:
        parts = {one.subtopology_id: _topology_part(random, one) for one in own["topology"].subtopologies or ()}
        own["topology"] = replace(
            own["topology"],
            epoch=random.choice((0, 0, 0, 1)),
            subtopologies=tuple(parts[name] for name in sorted(parts)),
        )
    if not first and random.random() < 0.8:
        own["topology"] = None
    for name in ("active_tasks", "standby_tasks", "warmup_tasks"):
        own[name] = () if first else chosen(random, (4, None), (1, own[name]), (1, ()))


def _topology_part(random: Random, part: Any) -> Any:
    return replace(
        part,
        source_topics=random.choice((("orders",), TOPICS, ("nowhere",))),
        source_topic_regex=(),
        state_changelog_topics=part.state_changelog_topics if random.random() < 0.2 else (),
        repartition_source_topics=part.repartition_source_topics if random.random() < 0.2 else (),
        repartition_sink_topics=(),
        copartition_groups=part.copartition_groups if random.random() < 0.1 else (),
    )


def _join(random: Random, own: dict[str, Any]) -> None:
    """JoinGroup with a valid subscription, as a static or dynamic member."""
    own.update(protocol_type="consumer", session_timeout_ms=45_000, rebalance_timeout_ms=60_000)
    own["group_instance_id"] = chosen(random, (4, None), (4, "i0"), (1, "i1"))
    if own["group_instance_id"] is not None and random.random() < 0.7:
        own["member_id"] = ""
    topics = chosen(random, (4, ("orders",)), (2, TOPICS), (1, ("events",)))
    own["protocols"] = (JoinGroupRequestProtocol(name="range", metadata=subscription(topics)),)


def _produce(random: Random, state: _State, own: dict[str, Any]) -> None:
    """Produce of plain records or, in the family of transactions, mostly of a producer's transaction."""
    name, topic = random.choice(PRODUCERS), random.choice(TOPICS)
    batch = WrittenBatch(values=("a",) * random.randint(1, 3))
    own["transactional_id"] = None
    if state.family == "transactions" and random.random() < 0.8:
        own["transactional_id"] = name
        batch = WrittenBatch(
            producer_id=Ref(Kind.PRODUCER_ID, name),
            producer_epoch=chosen(random, (6, 0), (4, 1), (2, 2)),
            base_sequence=chosen(random, (8, 0), (2, 1)),
            is_transactional=random.random() < 0.9,
        )
    own["acks"] = -1
    data = PartitionProduceData(index=chosen(random, (3, 0), (1, 1)), records=batch)
    topic_id: Any = Ref(Kind.TOPIC_ID, topic)
    own["topic_data"] = (TopicProduceData(name=TopicName(topic), topic_id=topic_id, partition_data=(data,)),)


def _offset_fetch(random: Random, own: dict[str, Any]) -> None:
    """OffsetFetch of up to two groups, without a member, with or without require_stable."""
    own["require_stable"] = random.random() < 0.5
    own["groups"] = tuple(replace(one, member_id=None, member_epoch=-1) for one in own["groups"][:2])


def _list_transactions(random: Random, own: dict[str, Any]) -> None:
    """ListTransactions with filters that match nothing or are refused: other answers include transactions of earlier
    sequences."""
    own["state_filters"] = (random.choice(("Ongoing ", "x", "Dead")),)
    own["duration_filter"] = -1
    own["transactional_id_pattern"] = chosen(random, (5, None), (2, "x+"), (2, "["), (1, ""))


def _push(random: Random, own: dict[str, Any]) -> None:
    own["compression_type"] = chosen(random, (5, 0), (1, 1), (1, 4), (1, 9))


def _reassign(random: Random, own: dict[str, Any]) -> None:
    """AlterPartitionReassignments to the only node, to unknown nodes, or invalid."""
    own["topics"] = tuple(
        replace(topic, partitions=tuple(replace(one, replicas=_replicas(random)) for one in topic.partitions))
        for topic in own["topics"]
    )


def _replicas(random: Random) -> Any:
    return chosen(random, (4, (1,)), (2, None), (1, ()), (1, (2,)), (1, (1, 1)), (1, (-1,)))


TIES: Final[Mapping[int, Callable[[Random, dict[str, Any]], None]]] = {
    ApiKey.CONSUMER_GROUP_HEARTBEAT: _consumer_heartbeat,
    ApiKey.SHARE_GROUP_HEARTBEAT: _share_heartbeat,
    ApiKey.SHARE_FETCH: _share_session,
    ApiKey.SHARE_ACKNOWLEDGE: _share_session,
    ApiKey.FIND_COORDINATOR: _find_coordinator,
    ApiKey.INITIALIZE_SHARE_GROUP_STATE: _share_state,
    ApiKey.READ_SHARE_GROUP_STATE: _share_state,
    ApiKey.WRITE_SHARE_GROUP_STATE: _share_state,
    ApiKey.READ_SHARE_GROUP_STATE_SUMMARY: _share_state,
    ApiKey.DELETE_SHARE_GROUP_STATE: _share_state,
    ApiKey.STREAMS_GROUP_HEARTBEAT: _streams_heartbeat,
    ApiKey.JOIN_GROUP: _join,
    ApiKey.OFFSET_FETCH: _offset_fetch,
    ApiKey.LIST_TRANSACTIONS: _list_transactions,
    ApiKey.PUSH_TELEMETRY: _push,
    ApiKey.ALTER_PARTITION_REASSIGNMENTS: _reassign,
}

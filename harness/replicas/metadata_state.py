"""Replays metadata records into the cluster's metadata, and checks that no record breaks an invariant. Pure.

Written from KIP-631 (records), KIP-841 and KIP-966 (which replicas may be in sync, which may lead). It does not use the
reference broker's metadata images, because it is used to check them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from msgspec import structs

from harness.replicas.metadata_log import MetadataRecord
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.messages.partition_record import PartitionRecord
from reference_broker.wire.messages.register_broker_record import RegisterBrokerRecord

NO_LEADER = -1
_LEADER_STAYS = -2
_RECOVERY_STAYS = -1
_RECOVERING = 1
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionRegistration:
    """The metadata of one partition; `leader` is -1 for none."""

    replicas: tuple[int, ...]
    isr: tuple[int, ...]
    leader: int
    leader_epoch: int
    partition_epoch: int
    removing: tuple[int, ...] = ()
    adding: tuple[int, ...] = ()
    is_recovering: bool = False
    """Whether its leader was elected uncleanly and has not finished recovery."""
    directories: tuple[bytes, ...] = ()
    """The log dir ids of its replicas, in the order of `replicas`."""
    eligible: tuple[int, ...] = ()
    """The eligible leader replicas (ELR): those that left the ISR while it was at or below min.insync.replicas."""
    last_known_eligible: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerRegistration:
    """The metadata of one broker."""

    epoch: int
    incarnation: bytes
    rack: str | None
    end_points: tuple[tuple[str, str, int], ...]
    is_fenced: bool
    is_in_controlled_shutdown: bool
    log_dirs: tuple[bytes, ...]
    cordoned_log_dirs: tuple[bytes, ...]


@dataclass(slots=True)
class MetadataState:
    """All metadata of a cluster."""

    topics: dict[bytes, str] = field(default_factory=dict)
    """Topic id → name."""
    partitions: dict[tuple[bytes, int], PartitionRegistration] = field(default_factory=dict)
    """(topic id, partition index) → the partition."""
    brokers: dict[int, BrokerRegistration] = field(default_factory=dict)
    others: dict[Key, Any] = field(default_factory=dict)
    """(kind, …) → value, for configs, features, quotas and other records."""
    pending: list[Any] | None = None
    """Records of the metadata transaction in progress (KIP-868); None outside of one."""

    def facts(self) -> dict[Key, Any]:
        """All metadata in one mapping, for comparison."""
        return {
            **{("topic", topic_id): name for topic_id, name in self.topics.items()},
            **{("partition", *where): one for where, one in self.partitions.items()},
            **{("broker", number): one for number, one in self.brokers.items()},
            **self.others,
        }

    def apply(self, message: Any) -> None:
        """Applies one record; those of a metadata transaction when it ends. ValueError if it does not fit the state."""
        match type(message).__name__:
            case "BeginTransactionRecord":
                self.pending = []
            case "AbortTransactionRecord":
                self.pending = None
            case "EndTransactionRecord":
                held, self.pending = self.pending or [], None
                for one in held:
                    self.apply(one)
            case _ if self.pending is not None:
                self.pending.append(message)
            case kind:
                self._apply(kind, message)

    def _apply(self, kind: str, message: Any) -> None:
        try:
            match kind:
                case "TopicRecord":
                    self.topics[bytes(message.topic_id)] = str(message.name)
                case "RemoveTopicRecord":
                    self._remove_topic(bytes(message.topic_id))
                case "PartitionRecord":
                    self.partitions[_where(message)] = _registered(message)
                case "PartitionChangeRecord":
                    self.partitions[_where(message)] = _changed(self.partitions[_where(message)], message)
                case "ClearElrRecord":
                    self._clear_elr(str(message.topic_name))
                case "RegisterBrokerRecord":
                    self.brokers[message.broker_id] = _broker(message)
                case "BrokerRegistrationChangeRecord":
                    self._change_broker(message)
                case "FenceBrokerRecord" | "UnfenceBrokerRecord":
                    known = self.brokers[message.id]
                    self.brokers[message.id] = replace(known, is_fenced=kind == "FenceBrokerRecord")
                case "UnregisterBrokerRecord":
                    del self.brokers[message.broker_id]
                case _:
                    self._apply_other(kind, message)
        except KeyError as missing:
            raise ValueError(f"{kind} of {missing}, which is not there: {message}") from missing

    def _apply_other(self, kind: str, message: Any) -> None:
        known = self.others
        key: Key
        match kind:
            case "ConfigRecord":
                key = ("config", message.resource_type, message.resource_name, message.name)
                _put(known, key, message.value, is_removal=message.value is None)
            case "FeatureLevelRecord":
                _put(known, ("feature", message.name), message.feature_level, is_removal=message.feature_level == 0)
            case "RegisterControllerRecord":
                features = tuple(sorted(message.features, key=lambda one: str(one.name)))  # a hash map at Kafka
                known["controller", message.controller_id] = structs.replace(message, features=features)
            case "UnregisterControllerRecord":
                known.pop(("controller", message.controller_id), None)
            case "ProducerIdsRecord":
                known["next producer id",] = message.next_producer_id
            case "ClientQuotaRecord":
                entity = tuple(sorted((one.entity_type, one.entity_name or "") for one in message.entity))
                _put(known, ("quota", entity, message.key), message.value, is_removal=message.remove)
            case "AccessControlEntryRecord":
                known["acl", bytes(message.id)] = message
            case "RemoveAccessControlEntryRecord":
                del known["acl", bytes(message.id)]
            case "UserScramCredentialRecord" | "RemoveUserScramCredentialRecord":
                key = ("scram", message.name, message.mechanism)
                _put(known, key, message, is_removal=kind.startswith("Remove"))
            case "DelegationTokenRecord" | "RemoveDelegationTokenRecord":
                _put(known, ("token", message.token_id), message, is_removal=kind.startswith("Remove"))

    def _remove_topic(self, topic_id: bytes) -> None:
        name = self.topics.pop(topic_id)
        for where in [where for where in self.partitions if where[0] == topic_id]:
            del self.partitions[where]
        for key in [key for key in self.others if key[:3] == ("config", 2, name)]:
            del self.others[key]

    def _clear_elr(self, name: str) -> None:
        for where, one in self.partitions.items():
            if not name or self.topics[where[0]] == name:
                self.partitions[where] = replace(one, eligible=(), last_known_eligible=())

    def _change_broker(self, message: Any) -> None:
        known = self.brokers[message.broker_id]
        shutdown, cordoned = message.in_controlled_shutdown, message.cordoned_log_dirs
        self.brokers[message.broker_id] = replace(
            known,
            is_fenced=message.fenced > 0 if message.fenced else known.is_fenced,
            is_in_controlled_shutdown=shutdown > 0 if shutdown else known.is_in_controlled_shutdown,
            log_dirs=_ids(message.log_dirs) or known.log_dirs,
            cordoned_log_dirs=known.cordoned_log_dirs if cordoned is None else _ids(cordoned),
        )


def replayed(records: Iterable[MetadataRecord], onto: MetadataState | None = None) -> MetadataState:
    """The state after these records, starting empty or from `onto`, which is modified. ValueError as in `apply`."""
    state = onto or MetadataState()
    for record in records:
        state.apply(record.message)
    return state


def wrongs(records: Sequence[MetadataRecord], *, topic: str | None = None) -> Iterator[str]:
    """Violations of invariants in a metadata log, a sentence each; with `topic`, only those of its partitions.

    Kafka applies a batch as a whole, so a broker that joins the ISR may be fenced at that record if it was unfenced
    before the batch. O(records).
    """
    state = MetadataState()
    for _, batch in groupby(records, key=lambda record: record.batch):
        kept = list(batch)
        fenced_before = {number for number, broker in state.brokers.items() if broker.is_fenced}
        for record in kept:
            was = state.partitions.get(_where(record.message)) if _is_of_partition(record.message) else None
            if topic is None and isinstance(record.message, RegisterBrokerRecord):
                yield from _wrong_registration(state.brokers.get(record.message.broker_id), record)
            state.apply(record.message)
            if _is_of_partition(record.message) and state.pending is None:
                where = _where(record.message)
                if topic not in (None, state.topics[where[0]]):
                    continue
                name = f"{state.topics[where[0]]}-{where[1]}"
                found = _wrong_partition(was, state.partitions[where], state.brokers, fenced_before)
                yield from (f"offset {record.offset}, partition {name}: {what}" for what in found)


def differences(one: Mapping[Key, Any], other: Mapping[Key, Any]) -> list[str]:
    """The differences between two states (see `facts`), a line each."""
    return [
        f"{_shown(key)}: {one.get(key, 'nothing')} and {other.get(key, 'nothing')}"
        for key in sorted({*one, *other}, key=repr)
        if one.get(key) != other.get(key)
    ]


def _wrong_registration(was: BrokerRegistration | None, record: MetadataRecord) -> Iterator[str]:
    """A restarted broker must get a higher epoch; one that registers again with its incarnation id may keep its
    epoch."""
    message = record.message
    is_same_life = was is not None and bytes(message.incarnation_id) == was.incarnation
    if was is not None and message.broker_epoch < was.epoch + (not is_same_life):
        yield (
            f"offset {record.offset}: broker {message.broker_id} is registered with epoch {message.broker_epoch}, "
            f"after {was.epoch}"
        )


def _wrong_partition(
    was: PartitionRegistration | None,
    now: PartitionRegistration,
    brokers: Mapping[int, BrokerRegistration],
    fenced_before: set[int],
) -> Iterator[str]:
    if now.leader != NO_LEADER and now.leader not in now.isr:
        yield f"the leader {now.leader} is not in the ISR {now.isr}"
    if strangers := sorted(set(now.isr) - set(now.replicas)):
        yield f"the ISR {now.isr} has {strangers}, of which none is a replica"
    if was is None:
        return
    if now.partition_epoch <= was.partition_epoch:
        yield f"the partition epoch goes from {was.partition_epoch} to {now.partition_epoch}"
    if now.leader_epoch < was.leader_epoch:
        yield f"the leader epoch goes from {was.leader_epoch} to {now.leader_epoch}"
    if now.leader not in (was.leader, NO_LEADER) and now.leader_epoch == was.leader_epoch:
        yield f"the leader goes from {was.leader} to {now.leader} within leader epoch {now.leader_epoch}"
    is_clean = now.leader in (*was.isr, *was.eligible)
    if now.leader not in (was.leader, NO_LEADER) and not is_clean and not now.is_recovering:
        yield f"the leader {now.leader} was neither in the ISR {was.isr} nor eligible {was.eligible}"
    for joined in sorted(set(now.isr) - set(was.isr) - {now.leader}):
        broker = brokers.get(joined)
        if broker is None or (broker.is_fenced and joined in fenced_before):
            yield f"broker {joined} joins the ISR while it is {'fenced' if broker else 'not registered'}"


def _is_of_partition(message: Any) -> bool:
    return isinstance(message, (PartitionRecord, PartitionChangeRecord))


def _where(message: Any) -> tuple[bytes, int]:
    return bytes(message.topic_id), int(message.partition_id)


def _registered(message: PartitionRecord) -> PartitionRegistration:
    return PartitionRegistration(
        replicas=tuple(map(int, message.replicas)),
        isr=tuple(map(int, message.isr)),
        leader=int(message.leader),
        leader_epoch=message.leader_epoch,
        partition_epoch=message.partition_epoch,
        removing=tuple(map(int, message.removing_replicas)),
        adding=tuple(map(int, message.adding_replicas)),
        is_recovering=message.leader_recovery_state == _RECOVERING,
        directories=_ids(message.directories),
        eligible=tuple(map(int, message.eligible_leader_replicas or ())),
        last_known_eligible=tuple(map(int, message.last_known_elr or ())),
    )


def _changed(was: PartitionRegistration, message: PartitionChangeRecord) -> PartitionRegistration:
    """The partition after a change. Each change raises the partition epoch; one with a leader also the leader epoch."""

    def told(value: Sequence[int] | None, known: tuple[int, ...]) -> tuple[int, ...]:
        return known if value is None else tuple(map(int, value))

    is_led_anew = message.leader != _LEADER_STAYS
    recovery = message.leader_recovery_state
    return PartitionRegistration(
        replicas=told(message.replicas, was.replicas),
        isr=told(message.isr, was.isr),
        leader=int(message.leader) if is_led_anew else was.leader,
        leader_epoch=was.leader_epoch + is_led_anew,
        partition_epoch=was.partition_epoch + 1,
        removing=told(message.removing_replicas, was.removing),
        adding=told(message.adding_replicas, was.adding),
        is_recovering=was.is_recovering if recovery == _RECOVERY_STAYS else recovery == _RECOVERING,
        directories=was.directories if message.directories is None else _ids(message.directories),
        eligible=told(message.eligible_leader_replicas, was.eligible),
        last_known_eligible=told(message.last_known_elr, was.last_known_eligible),
    )


def _broker(message: RegisterBrokerRecord) -> BrokerRegistration:
    return BrokerRegistration(
        epoch=message.broker_epoch,
        incarnation=bytes(message.incarnation_id),
        rack=message.rack,
        # By name: Kafka keeps them in a hash map, so that a snapshot may name them in another order than the request.
        end_points=tuple(sorted((one.name, one.host, one.port) for one in message.end_points)),
        is_fenced=message.fenced,
        is_in_controlled_shutdown=message.in_controlled_shutdown,
        log_dirs=_ids(message.log_dirs),
        cordoned_log_dirs=_ids(message.cordoned_log_dirs or ()),
    )


def _ids(ids: Iterable[Any]) -> tuple[bytes, ...]:
    return tuple(bytes(one) for one in ids)


def _put(known: dict[Key, Any], key: Key, value: Any, *, is_removal: bool) -> None:
    if is_removal:
        known.pop(key, None)
    else:
        known[key] = value


def _shown(key: Key) -> str:
    return " ".join(one.hex() if isinstance(one, bytes) else str(one) for one in key)

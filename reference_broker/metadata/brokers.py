"""Brokers and controllers that registered with the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from reference_broker.wire.messages.broker_registration_change_record import BrokerRegistrationChangeRecord
from reference_broker.wire.messages.register_broker_record import RegisterBrokerRecord
from reference_broker.wire.messages.register_controller_record import RegisterControllerRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import ZERO_UUID, Uuid

UNASSIGNED: Final = Uuid(bytes(15) + b"\x01")
"""In the place of a folder's id: the broker has not said yet into which of its folders it put the replica (KIP-858)."""
LOST: Final = Uuid(bytes(15) + b"\x02")
"""In the place of a folder's id: a folder that is no more."""


@dataclass(frozen=True, slots=True)
class BrokerImage:
    """A registered broker: the last record that registered it, and what changed since."""

    registration: RegisterBrokerRecord

    @property
    def id(self) -> int:
        """Its node id."""
        return self.registration.broker_id

    @property
    def epoch(self) -> int:
        """The offset of its registration."""
        return self.registration.broker_epoch

    @property
    def is_fenced(self) -> bool:
        """Whether it may lead nothing and is not shown to clients."""
        return self.registration.fenced

    @property
    def is_active(self) -> bool:
        """Whether it may lead partitions: neither fenced nor about to stop."""
        return not self.registration.fenced and not self.registration.in_controlled_shutdown

    @property
    def rack(self) -> str | None:
        """broker.rack."""
        return self.registration.rack

    @property
    def log_dirs(self) -> tuple[Uuid, ...]:
        """Ids of its online log folders."""
        return self.registration.log_dirs

    def has_online(self, directory_id: Uuid) -> bool:
        """Whether a replica's folder works, as far as is known; a broker of an old release tells of no folders."""
        is_named = directory_id not in (UNASSIGNED, ZERO_UUID)
        return not is_named or (directory_id != LOST and (not self.log_dirs or directory_id in self.log_dirs))

    def endpoint(self, listener: str) -> tuple[str, int] | None:
        """(host, port) for a listener; None where it has none of that name."""
        for one in self.registration.end_points:
            if one.name == listener:
                return one.host, one.port
        return None


@dataclass(slots=True)
class BrokersImage:
    """All registered brokers and controllers, by node id."""

    brokers: dict[int, BrokerImage] = field(default_factory=dict)
    controllers: dict[int, RegisterControllerRecord] = field(default_factory=dict)

    def get(self, broker_id: int) -> BrokerImage | None:
        """A broker by node id."""
        return self.brokers.get(broker_id)

    def active(self) -> list[BrokerImage]:
        """The brokers that may lead partitions, by id."""
        return [broker for _, broker in sorted(self.brokers.items()) if broker.is_active]

    def alive(self) -> list[BrokerImage]:
        """The brokers that are not fenced, by id."""
        return [broker for _, broker in sorted(self.brokers.items()) if not broker.is_fenced]

    def replay_registration(self, record: RegisterBrokerRecord) -> None:
        """A broker came (again)."""
        self.brokers[record.broker_id] = BrokerImage(record)

    def replay_change(self, record: BrokerRegistrationChangeRecord) -> None:
        """Fencing (1) or its end (-1), the begin (1) of a controlled shutdown, folders."""
        known = self.brokers[record.broker_id].registration
        changes: dict[str, Any] = {}
        if record.fenced:
            changes["fenced"] = record.fenced > 0
        if record.in_controlled_shutdown:
            changes["in_controlled_shutdown"] = record.in_controlled_shutdown > 0
        if record.log_dirs:
            changes["log_dirs"] = record.log_dirs
        if record.cordoned_log_dirs is not None:
            changes["cordoned_log_dirs"] = record.cordoned_log_dirs
        self.brokers[record.broker_id] = BrokerImage(with_fields(known, changes))

    def replay_fencing(self, broker_id: int, *, is_fenced: bool) -> None:
        """The records of 3.x that fenced and unfenced."""
        known = self.brokers[broker_id]
        self.brokers[broker_id] = replace(known, registration=with_fields(known.registration, {"fenced": is_fenced}))

    def records(self, *, version: int) -> Iterator[VersionedRecord]:
        """The records that make this, for a snapshot."""
        for _, broker in sorted(self.brokers.items()):
            yield broker.registration, version
        for _, controller in sorted(self.controllers.items()):
            yield controller, 0


def with_fields(record: RegisterBrokerRecord, changes: dict[str, Any]) -> RegisterBrokerRecord:
    """A registration with some fields replaced."""
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    return RegisterBrokerRecord(**(fields | changes))

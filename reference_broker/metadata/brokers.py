"""Brokers and controllers that registered with the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

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


@dataclass(frozen=True, slots=True)
class BrokersImage:
    """All registered brokers and controllers, by node id, ascending. Whoever gets an image does not change it."""

    brokers: Mapping[int, BrokerImage] = field(default_factory=dict)
    controllers: Mapping[int, RegisterControllerRecord] = field(default_factory=dict)

    def get(self, broker_id: int) -> BrokerImage | None:
        """A broker by node id."""
        return self.brokers.get(broker_id)

    def active(self) -> list[BrokerImage]:
        """The brokers that may lead partitions, by id."""
        return [broker for broker in self.brokers.values() if broker.is_active]

    def alive(self) -> list[BrokerImage]:
        """The brokers that are not fenced, by id."""
        return [broker for broker in self.brokers.values() if not broker.is_fenced]

    def records(self, *, version: int) -> Iterator[VersionedRecord]:
        """The records that make this, for a snapshot."""
        for broker in self.brokers.values():
            yield broker.registration, version
        for controller in self.controllers.values():
            yield controller, 0


class BrokerChange(NamedTuple):
    """A broker before and after; None where it was not registered, or no longer is."""

    before: BrokerImage | None
    after: BrokerImage | None


class BrokersDelta:
    """Changes to brokers and controllers."""

    def __init__(self, before: BrokersImage) -> None:
        self.before = before
        self._brokers: dict[int, BrokerImage | None] = {}
        self._controllers: dict[int, RegisterControllerRecord | None] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not self._brokers and not self._controllers

    def changes(self) -> dict[int, BrokerChange]:
        """Changed brokers by node id, in the order in which they changed first."""
        return {one: BrokerChange(self.before.get(one), after) for one, after in self._brokers.items()}

    def after(self) -> BrokersImage:
        """The brokers and controllers with all changes made."""
        if self.is_empty:
            return self.before
        brokers = {**self.before.brokers, **self._brokers}
        controllers = {**self.before.controllers, **self._controllers}
        return BrokersImage(
            {one: broker for one in sorted(brokers) if (broker := brokers[one]) is not None},
            {one: record for one in sorted(controllers) if (record := controllers[one]) is not None},
        )

    def _registration(self, broker_id: int) -> RegisterBrokerRecord:
        """A broker's registration as changed so far; KeyError where it is not registered."""
        known = self._brokers[broker_id] if broker_id in self._brokers else self.before.brokers[broker_id]
        if known is None:
            raise KeyError(broker_id)
        return known.registration

    # -- records ------------------------------------------------------------------------------------------------

    def replay_registration(self, record: RegisterBrokerRecord) -> None:
        """A broker came (again)."""
        self._brokers[record.broker_id] = BrokerImage(record)

    def replay_change(self, record: BrokerRegistrationChangeRecord) -> None:
        """Fencing (1) or its end (-1), the begin (1) of a controlled shutdown, folders."""
        changes: dict[str, Any] = {}
        if record.fenced:
            changes["fenced"] = record.fenced > 0
        if record.in_controlled_shutdown:
            changes["in_controlled_shutdown"] = record.in_controlled_shutdown > 0
        if record.log_dirs:
            changes["log_dirs"] = record.log_dirs
        if record.cordoned_log_dirs is not None:
            changes["cordoned_log_dirs"] = record.cordoned_log_dirs
        self._brokers[record.broker_id] = BrokerImage(with_fields(self._registration(record.broker_id), changes))

    def replay_fencing(self, broker_id: int, *, is_fenced: bool) -> None:
        """The records of 3.x that fenced and unfenced."""
        self._brokers[broker_id] = BrokerImage(with_fields(self._registration(broker_id), {"fenced": is_fenced}))

    def replay_unregistration(self, broker_id: int) -> None:
        """A broker was taken out."""
        self._brokers[broker_id] = None

    def replay_controller(self, record: RegisterControllerRecord) -> None:
        """A controller came (again)."""
        self._controllers[record.controller_id] = record

    def replay_controller_removal(self, controller_id: int) -> None:
        """A controller was taken out."""
        self._controllers[controller_id] = None

    def become(self, target: BrokersImage) -> None:
        """All that differs from a whole other image."""
        before = self.before
        for one in sorted({**before.brokers, **target.brokers}):
            if before.brokers.get(one) != target.brokers.get(one):
                self._brokers[one] = target.brokers.get(one)
        for one in sorted({**before.controllers, **target.controllers}):
            if before.controllers.get(one) != target.controllers.get(one):
                self._controllers[one] = target.controllers.get(one)


def with_fields(record: RegisterBrokerRecord, changes: dict[str, Any]) -> RegisterBrokerRecord:
    """A registration with some fields replaced."""
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    return RegisterBrokerRecord(**(fields | changes))

"""Record families that a later step gives a meaning: credentials, ACLs, quotas, tokens. Kept, and put in snapshots."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from immutables import Map

from reference_broker.wire.messages.access_control_entry_record import AccessControlEntryRecord
from reference_broker.wire.messages.client_quota_record import ClientQuotaRecord
from reference_broker.wire.messages.delegation_token_record import DelegationTokenRecord
from reference_broker.wire.messages.remove_access_control_entry_record import RemoveAccessControlEntryRecord
from reference_broker.wire.messages.remove_delegation_token_record import RemoveDelegationTokenRecord
from reference_broker.wire.messages.remove_user_scram_credential_record import RemoveUserScramCredentialRecord
from reference_broker.wire.messages.user_scram_credential_record import UserScramCredentialRecord
from reference_broker.wire.messages.zk_migration_state_record import ZkMigrationStateRecord
from reference_broker.wire.metadata_records import VersionedRecord

FAMILIES: Final = (
    AccessControlEntryRecord,
    ClientQuotaRecord,
    DelegationTokenRecord,
    UserScramCredentialRecord,
    ZkMigrationStateRecord,
    RemoveAccessControlEntryRecord,
    RemoveDelegationTokenRecord,
    RemoveUserScramCredentialRecord,
)


@dataclass(frozen=True, slots=True)
class KeptRecords:
    """The last record for each key of a family."""

    by_key: Map[Hashable, VersionedRecord] = field(default_factory=Map)

    def records(self) -> Iterator[VersionedRecord]:
        """All that is kept, in an order that depends on the keys alone, for a snapshot."""
        for key in sorted(self.by_key, key=repr):
            yield self.by_key[key]


class KeptRecordsDelta:
    """Changes to what is kept."""

    def __init__(self, before: KeptRecords) -> None:
        self.before = before
        self._records: dict[Hashable, VersionedRecord | None] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not self._records

    def after(self) -> KeptRecords:
        """What is kept with all changes made."""
        if not self._records:
            return self.before
        by_key = self.before.by_key.mutate()
        for key, record in self._records.items():
            if record is None:
                by_key.pop(key, None)
            else:
                by_key[key] = record
        return KeptRecords(by_key.finish())

    def replay(self, message: Any, version: int) -> None:
        """Keep a record, or drop the one that it removes."""
        is_removal = type(message).__name__.startswith("Remove") or (
            isinstance(message, ClientQuotaRecord) and message.remove
        )
        self._records[_key(message)] = None if is_removal else (message, version)

    def become(self, target: KeptRecords) -> None:
        """All that differs from what another image keeps."""
        keys = sorted({**self.before.by_key, **target.by_key}, key=repr)
        wanted = {key: target.by_key.get(key) for key in keys}
        self._records = {key: record for key, record in wanted.items() if record != self.before.by_key.get(key)}


def _key(message: Any) -> Hashable:
    match message:
        case AccessControlEntryRecord() | RemoveAccessControlEntryRecord():
            return "acl", message.id
        case ClientQuotaRecord():
            entity = tuple((part.entity_type, part.entity_name) for part in message.entity)
            return "quota", entity, message.key
        case DelegationTokenRecord() | RemoveDelegationTokenRecord():
            return "token", message.token_id
        case UserScramCredentialRecord() | RemoveUserScramCredentialRecord():
            return "scram", message.name, message.mechanism
        case _:
            return type(message).__name__

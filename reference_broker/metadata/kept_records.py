"""Record families that a later step gives a meaning: credentials, ACLs, quotas, tokens. Kept, and put in snapshots."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, Final

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


class KeptRecords:
    """The last record for each key of a family."""

    def __init__(self) -> None:
        self._records: dict[Hashable, VersionedRecord] = {}

    def replay(self, message: Any, version: int) -> None:
        """Keep a record, or drop the one that it removes."""
        key = self._key(message)
        is_removal = type(message).__name__.startswith("Remove") or (
            isinstance(message, ClientQuotaRecord) and message.remove
        )
        if is_removal:
            self._records.pop(key, None)
        else:
            self._records[key] = (message, version)

    @staticmethod
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

    def records(self) -> Iterator[VersionedRecord]:
        """All that is kept, for a snapshot."""
        yield from self._records.values()

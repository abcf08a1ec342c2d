"""Deciders for configurations: IncrementalAlterConfigs (KIP-339) and AlterConfigs, and the checks of both.

A broker's own configurations are checked first by that broker, which gets the request (`config_preprocessing`): it
knows its settings. The controller checks the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from reference_broker.controller.decision import Refusal
from reference_broker.controller.group_settings import check_group
from reference_broker.metadata.image import BROKER, CLIENT_METRICS, CORDONED_SINCE, GROUP, TOPIC, MetadataImage
from reference_broker.metadata.topic_names import reason_invalid
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.settings.config_key import ConfigKey, ConfigType
from reference_broker.settings.config_keys import ConfigKeys
from reference_broker.settings.cordoned_folders import CORDONED
from reference_broker.settings.validators import ConfigInvalid
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.clear_elr_record import ClearElrRecord
from reference_broker.wire.messages.config_record import ConfigRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.refusal import KafkaError

BROKER_LOGGER: Final = 8
MAX_VALUE_LENGTH: Final = 32767
MIN_ISR: Final = "min.insync.replicas"
CLIENT_MATCHES: Final = (
    *("client_instance_id", "client_id", "client_software_name", "client_software_version"),
    *("client_source_address", "client_source_port"),
)


class Operation(IntEnum):
    """What an incremental change does to a key."""

    SET = 0
    DELETE = 1
    APPEND = 2
    SUBTRACT = 3


Change = tuple[str, int, str | None]
"""(key, operation, value)."""

Outcome = tuple[tuple[VersionedRecord, ...], Refusal | None]


def invalid(text: str) -> KafkaError:
    """A value or key that does not fit."""
    return KafkaError(ErrorCode.INVALID_CONFIG, text)


def bad_request(text: str) -> KafkaError:
    """A request that makes no sense."""
    return KafkaError(ErrorCode.INVALID_REQUEST, text)


@dataclass(frozen=True, slots=True)
class ConfigAdmin:
    """Decides over an image what changes of configuration write; `config` are this node's settings."""

    image: MetadataImage
    config: BrokerConfig

    @property
    def _keys(self) -> ConfigKeys:
        return self.config.keys

    def _keys_of(self, resource_type: int) -> Mapping[str, ConfigKey] | None:
        """What a type of resource may have; None for a type that has no settings here."""
        keys = self._keys
        return {TOPIC: keys.topic, BROKER: keys.broker, GROUP: keys.group, CLIENT_METRICS: keys.client_metrics}.get(
            resource_type
        )

    # -- one resource -------------------------------------------------------------------------------------------

    def change(
        self,
        resource_type: int,
        name: str,
        changes: Iterable[Change],
        *,
        is_replacement: bool = False,
        is_forwarded: bool = True,
    ) -> Outcome:
        """The records of one resource's changes, or the refusal of them all.

        With `is_replacement`, as AlterConfigs has it, what is not named goes back to its default. Unless it
        `is_forwarded`, no broker has looked at it.
        """
        kept = list(changes)
        try:
            self.check_shape(resource_type, kept)
            wanted = (self.replaced if is_replacement else self.changed)(resource_type, name, kept)
            if resource_type == BROKER and CORDONED in wanted:
                self._check_cordoned(name, wanted[CORDONED], is_forwarded=is_forwarded)
            return self._decide(resource_type, name, wanted), None
        except KafkaError as error:
            return (), Refusal.of(error)

    def changed(self, resource_type: int, name: str, changes: list[Change]) -> dict[str, str | None]:
        """Key -> its value once the changes are made, None for its default. KafkaError where a change cannot be."""
        current = self.image.config(resource_type, name)
        return {
            key: self._changed(resource_type, key, current.get(key), operation, value)
            for key, operation, value in changes
        }

    def replaced(self, resource_type: int, name: str, changes: list[Change]) -> dict[str, str | None]:
        """The same where the changes are all that is to be set."""
        wanted = {key: value for key, _, value in changes}
        for key in self.image.config(resource_type, name):
            wanted.setdefault(key, None)
        return wanted

    def check_shape(self, resource_type: int, changes: list[Change]) -> None:
        """INVALID_REQUEST where the changes of a resource make no sense, whatever its settings are."""
        if any(count > 1 for count in Counter(key for key, _, _ in changes).values()):
            raise bad_request("Error due to duplicate config keys")
        nulls = [key for key, operation, value in changes if operation != Operation.DELETE and value is None]
        if nulls:
            raise bad_request(f"Null value not supported for : {', '.join(nulls)}")
        if self._keys_of(resource_type) is None:
            raise bad_request(f"Unknown resource type {resource_type}")
        for _, operation, _ in changes:
            if operation not in list(Operation):
                raise bad_request(f"Unknown operations type {operation}")

    def _changed(
        self, resource_type: int, key: str, current: str | None, operation: int, value: str | None
    ) -> str | None:
        """A key's text after an operation."""
        if operation == Operation.SET:
            return value
        if operation == Operation.DELETE:
            return None
        keys = self._keys_of(resource_type) or {}
        known = keys.get(self._keys.plain_name(key) if resource_type == BROKER else key)
        # Kafka's controller knows the types of topics' and nodes' settings alone.
        if known is None or known.type is not ConfigType.LIST or resource_type not in (TOPIC, BROKER):
            word = "APPEND" if operation == Operation.APPEND else "SUBTRACT"
            if resource_type == BROKER:
                if known is None:
                    raise invalid(f"Unknown config name: {key}")
                raise invalid(f"Config value {word.lower()} is not allowed for config key: {key}")
            raise invalid(f"Can't {word} to key {key} because its type is not LIST.")
        if current is None and known.is_required:
            raise KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR)  # Kafka reads a default that there is not
        default = self.config.topic_default(known) if resource_type == TOPIC else known.default or ""
        parts = [part for part in (default if current is None else current).split(",") if part]
        were = tuple(parts)
        for part in (value or "").split(","):
            # Twice what is appended twice to a node's list: Kafka looks only at what was there.
            if operation == Operation.APPEND and part not in (were if resource_type == BROKER else parts):
                parts.append(part)
            elif operation == Operation.SUBTRACT and part in parts:
                parts.remove(part)
        return ",".join(parts)

    def _decide(self, resource_type: int, name: str, wanted: dict[str, str | None]) -> tuple[VersionedRecord, ...]:
        """Check the settings as they would be, and write what differs; a broker's are always written again."""
        image = self.image
        current = image.config(resource_type, name)
        settings = {key: value for key, value in {**current, **wanted}.items() if value is not None}
        records: list[VersionedRecord] = []
        cleared: list[VersionedRecord] = []
        for key, value in wanted.items():
            if value == current.get(key) and resource_type != BROKER:
                continue
            self._check_min_isr(resource_type, name, key, value)
            if value is not None and len(value) > MAX_VALUE_LENGTH:
                raise invalid(
                    "The configuration value cannot be added because it exceeds the maximum value size of "
                    f"{MAX_VALUE_LENGTH} bytes."
                )
            record = ConfigRecord(resource_type=resource_type, resource_name=name, name=key, value=value)
            records.append((record, 0))
            if key == MIN_ISR and image.has_elr and resource_type in (TOPIC, BROKER):
                topic = TopicName(name if resource_type == TOPIC else "")
                cleared.append((ClearElrRecord(topic_name=topic), 0))
        self._check_resource(resource_type, name, settings)
        return (*records, *cleared)

    def _check_min_isr(self, resource_type: int, name: str, key: str, value: str | None) -> None:
        if key != MIN_ISR or resource_type != BROKER or not self.image.has_elr:
            return
        if name:
            raise invalid(f"Broker-level {MIN_ISR} cannot be altered while ELR is enabled.")
        if value is None:
            raise invalid(f"Cluster-level {MIN_ISR} cannot be removed while ELR is enabled.")

    def _check_cordoned(self, name: str, value: str | None, *, is_forwarded: bool) -> None:
        """Only a node itself knows the paths of its folders: asked directly, a controller lets fewer be cordoned."""
        if self.image.metadata_version < CORDONED_SINCE:
            raise invalid(
                f"The {CORDONED} configuration value cannot be set because it requires metadata.version >= 4.3-IV0"
            )
        if is_forwarded or not (value or "").strip():
            return
        known = (self.image.config(BROKER, name).get(CORDONED) or "").split(",")
        if not {one.strip() for one in (value or "").split(",")} <= {one.strip() for one in known}:
            raise invalid(
                f"When updating {CORDONED} via controllers,  the new value must be a subset of the current "
                "configuration value."
            )

    # -- checks of whole resources ------------------------------------------------------------------------------

    def _check_resource(self, resource_type: int, name: str, settings: Mapping[str, str]) -> None:
        image = self.image
        if resource_type == TOPIC:
            if not name:
                raise bad_request("Default topic resources are not allowed.")
            if reason := reason_invalid(name):
                raise KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, reason)
            self.check_topic(settings)
            if name not in image.topics:
                raise KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"The topic '{name}' does not exist.")
        elif resource_type == BROKER and name:
            self._check_node(name)
        elif resource_type == GROUP:
            if not name:
                raise bad_request("Default group resources are not allowed.")
            check_known(self._keys.group, settings, "Unknown group config name: ")
            check_group(settings, self.config)
        elif resource_type == CLIENT_METRICS:
            if not name:
                raise bad_request("Subscription name can't be empty")
            check_known(self._keys.client_metrics, settings, "Unknown client metrics configuration: ", bad_request)
            check_subscription(settings)

    def _check_node(self, name: str) -> None:
        """INVALID_REQUEST where a name is no node id, BROKER_ID_NOT_REGISTERED where no node has it."""
        cluster = self.image.cluster
        try:
            node_id = int(name)
        except ValueError:
            raise bad_request(f"Invalid broker name {name}") from None
        if node_id not in cluster.brokers and node_id not in cluster.controllers:
            raise KafkaError(ErrorCode.BROKER_ID_NOT_REGISTERED, f"No node with id {node_id} found.")

    def check_topic(self, overrides: Mapping[str, str]) -> None:
        """INVALID_CONFIG where a topic cannot have these settings."""
        check_known(self._keys.topic, overrides, "Unknown topic config name: ")
        merged = self.config.topic_settings(overrides)
        least, most = int(merged["min.compaction.lag.ms"]), int(merged["max.compaction.lag.ms"])
        if least > most:
            raise invalid(
                f"conflict topic config setting min.compaction.lag.ms ({least}) > max.compaction.lag.ms ({most})"
            )
        if merged["remote.storage.enable"].strip().lower() == "true":
            raise invalid(
                "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log "
                "storage."
            )


def check_subscription(settings: Mapping[str, str]) -> None:
    """INVALID_REQUEST for an interval, INVALID_CONFIG for a client pattern that cannot be (KIP-714)."""
    interval = settings.get("interval.ms")
    if interval is not None and not 100 <= int(interval) <= 3_600_000:
        raise bad_request(
            f"Invalid value {int(interval)} for interval.ms, interval must be between 100 and 3600000 (1 hour)"
        )
    for pattern in filter(None, settings.get("match", "").strip().split(",")):
        name, separator, regex = (part.strip() for part in pattern.partition("="))
        try:
            re.compile(regex)
        except re.error:
            separator = ""
        if not separator or name not in CLIENT_MATCHES:
            raise invalid(f"Illegal client matching pattern: {pattern}")


def check_known(
    keys: Mapping[str, ConfigKey],
    settings: Mapping[str, str],
    unknown: str,
    refuse: Callable[[str], KafkaError] = invalid,
) -> None:
    """INVALID_CONFIG for the first key that is not known, or value that does not fit."""
    for name in settings:
        if name not in keys:
            raise refuse(unknown + name)
    for name in settings:
        try:
            keys[name].parse(settings[name])
        except ConfigInvalid as error:
            raise invalid(str(error)) from error

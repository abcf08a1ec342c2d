"""UpdateFeatures: the levels of the cluster's features go up, and down where nothing is lost (KIP-584, KIP-778).

Source: KIP-1022 (dependencies), KIP-853 (kraft.version), KIP-966 (min.insync.replicas while ELR is on).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reference_broker.controller.decision import Decision
from reference_broker.metadata.image import BROKER, CONTROLLERS_SINCE, ELR_VERSION, MetadataImage
from reference_broker.releases import KRAFT_VERSION, METADATA_VERSION
from reference_broker.releases.behaviours import Behaviour
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.config_record import ConfigRecord
from reference_broker.wire.messages.feature_level_record import FeatureLevelRecord
from reference_broker.wire.messages.no_op_record import NoOpRecord
from reference_broker.wire.messages.update_features_request import FeatureUpdateKey, UpdateFeaturesRequest
from reference_broker.wire.messages.update_features_response import UpdatableFeatureResult, UpdateFeaturesResponse
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.refusal import KafkaError

UPGRADE: Final = 1
SAFE_DOWNGRADE: Final = 2
UNSAFE_DOWNGRADE: Final = 3
"""Upgrade types in a request."""

CHANGES_RECORDS: Final = (7, 8, 11, 13, 14, 15, 17, 23, 30, 32, 33)
"""The metadata versions that brought records or fields: below one of them, what it brought would be lost."""
DEPENDENCIES: Final[Mapping[tuple[str, int], Mapping[str, int]]] = {(ELR_VERSION, 1): {METADATA_VERSION: 23}}
"""(feature, level) -> the least levels of other features that it needs."""
MIN_ISR: Final = "min.insync.replicas"
TYPE_SINCE: Final = 1
"""The request version that tells an upgrade type; before it there is a flag that allows a downgrade."""

Range = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """What the controllers support. `local` are this node's ranges; `raise_kraft_version(level, is_dry_run)` writes the
    upgrade of the quorum's own protocol, and refuses it with a KafkaError where some voter does not support it."""

    node_id: int
    voter_ids: Sequence[int]
    local: Mapping[str, Range]
    kraft_version: int
    raise_kraft_version: Callable[[int, bool], None]


def decide_features(
    image: MetadataImage, config: BrokerConfig, request: UpdateFeaturesRequest, *, version: int, quorum: Quorum
) -> Decision:
    """All updates or none. INVALID_UPDATE_VERSION for the whole, with the reason, where one of them cannot be."""
    wished = {one.feature: one.max_version_level for one in request.feature_updates}
    proposed = dict(image.features) | wished
    records: list[VersionedRecord] = []
    for update in request.feature_updates:
        reason = _update(image, config, update, _upgrade_type(update, version), proposed, quorum, records)
        if reason is not None:
            text = f"The update failed for all features since the following feature had an error: {reason}"
            raise KafkaError(ErrorCode.INVALID_UPDATE_VERSION, text)
    if wished.get(KRAFT_VERSION, 0) > quorum.kraft_version and not request.validate_only:
        quorum.raise_kraft_version(wished[KRAFT_VERSION], False)
    if wished.get(ELR_VERSION, 0) > 0:
        records = [*_min_isr_records(image, config), *records]
    results = tuple(UpdatableFeatureResult(feature=one.feature, error_message=None) for one in request.feature_updates)
    response = UpdateFeaturesResponse(error_message=None, results=results if version <= TYPE_SINCE else ())
    return Decision(() if request.validate_only else tuple(records), response)


def _upgrade_type(update: FeatureUpdateKey, version: int) -> int:
    if version >= TYPE_SINCE:
        return update.upgrade_type
    return SAFE_DOWNGRADE if update.allow_downgrade else UPGRADE


def _update(
    image: MetadataImage,
    config: BrokerConfig,
    update: FeatureUpdateKey,
    upgrade_type: int,
    proposed: Mapping[str, int],
    quorum: Quorum,
    records: list[VersionedRecord],
) -> str | None:
    """Add the record of one update; the reason where it cannot be."""
    name, level = update.feature, update.max_version_level
    current = quorum.kraft_version if name == KRAFT_VERSION else image.features.get(name, 0)
    reason = _reason_refused(image, name, level, current, upgrade_type, quorum)
    if reason is None and name == KRAFT_VERSION:
        reason = _kraft_reason(level, current, upgrade_type)
    if reason is None and name not in (KRAFT_VERSION, METADATA_VERSION):
        reason = _dependency_missing(name, level, proposed)
    if reason is not None:
        return f"Invalid update version {level} for feature {name}. {reason}"
    if name == METADATA_VERSION and (reason := _downgrade_refused(level, current, upgrade_type)):
        if config.release.does(Behaviour.PR_20705_DOWNGRADE_TOLD):
            return f"Unsupported metadata.version downgrade from {current} to {level}. {reason}"
        return f"Invalid metadata.version {level}. {reason}"
    if name != KRAFT_VERSION:
        records.append((FeatureLevelRecord(name=name, feature_level=level), 0))
    elif upgrade_type == UPGRADE:
        try:
            if level > current:
                quorum.raise_kraft_version(level, True)
        except KafkaError as error:
            if error.code is not ErrorCode.INVALID_UPDATE_VERSION:
                raise
            return error.detail
        records.append((NoOpRecord(), 0))  # the response waits for the commit of some record
    return None


def _reason_refused(
    image: MetadataImage, name: str, level: int, current: int, upgrade_type: int, quorum: Quorum
) -> str | None:
    if upgrade_type not in (UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE):
        return "The controller does not support the given upgrade type."
    if level < 0:
        return "A feature version cannot be less than 0."
    if reason := _unsupported_by(image, name, level, quorum):
        return reason
    if level < current and upgrade_type == UPGRADE:
        return (
            "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe "
            "downgrade."
        )
    if level > current and upgrade_type != UPGRADE:
        return "Can't downgrade to a newer version."
    return None


def _unsupported_by(image: MetadataImage, name: str, level: int, quorum: Quorum) -> str | None:
    """The first node that does not support a level: this controller, a broker, another controller."""
    ranges = [(f"Local controller {quorum.node_id}", quorum.local.get(name, (0, 0)))]
    for broker_id, broker in sorted(image.cluster.brokers.items()):
        ranges.append((f"Broker {broker_id}", _range_of(broker.registration.features, name)))
    has_controllers = image.metadata_version >= CONTROLLERS_SINCE
    registered = sorted(image.cluster.controllers.items()) if has_controllers else []
    for controller_id, controller in registered:
        if controller_id != quorum.node_id:
            ranges.append((f"Controller {controller_id}", _range_of(controller.features, name)))
    for who, (least, most) in ranges:
        if not least <= level <= most:
            if most == 0:
                return f"{who} does not support this feature."
            return f"{who} only supports versions {least if least == most else f'{least}-{most}'}"
    if has_controllers:
        for voter_id in quorum.voter_ids:
            if voter_id != quorum.node_id and voter_id not in image.cluster.controllers:
                return f"controller {voter_id} has not registered, and may not support this feature"
    return None


def _range_of(features: Sequence[Any], name: str) -> Range:
    found = [(one.min_supported_version, one.max_supported_version) for one in features if one.name == name]
    return found[0] if found else (0, 0)


def _kraft_reason(level: int, current: int, upgrade_type: int) -> str | None:
    is_lower = upgrade_type != UPGRADE and level != current
    return "Can't downgrade the version of this feature." if is_lower else None


def _dependency_missing(name: str, level: int, proposed: Mapping[str, int]) -> str | None:
    for other, least in DEPENDENCIES.get((name, level), {}).items():
        if proposed.get(other, 0) < least:
            return f"{name} could not be set to {level} because it depends on {other} level {least}"
    return None


def _downgrade_refused(level: int, current: int, upgrade_type: int) -> str | None:
    if not any(level < one <= current for one in CHANGES_RECORDS):
        return None
    if upgrade_type == UNSAFE_DOWNGRADE:
        return "Unsafe metadata downgrade is not supported in this version."
    return "Refusing to perform the requested downgrade because it might delete metadata information."


def _min_isr_records(image: MetadataImage, config: BrokerConfig) -> list[VersionedRecord]:
    """While ELR is on, min.insync.replicas is the cluster's: set there, and taken from single brokers."""
    records: list[VersionedRecord] = []
    if MIN_ISR not in image.config(BROKER, ""):
        value = str(config.number(MIN_ISR))
        records.append((ConfigRecord(resource_type=BROKER, resource_name="", name=MIN_ISR, value=value), 0))
    for broker in [name for kind, name in image.configs if kind == BROKER and name]:
        if MIN_ISR in image.config(BROKER, broker):
            records.append((ConfigRecord(resource_type=BROKER, resource_name=broker, name=MIN_ISR, value=None), 0))
    return records

"""UpdateFeatures: raise the levels of the cluster's features, or lower them where nothing is lost (KIP-584, KIP-778).

**Promises** All updates are made or none; validate_only makes none. Enabling eligible leader replicas sets
min.insync.replicas for the cluster and takes it from single brokers (KIP-966).
**Refuses** INVALID_UPDATE_VERSION: a node does not support the level, a lower level without the upgrade type for it,
metadata that would be lost, a missing dependency, or an unknown upgrade type.
**Versions** 1 upgrade types and validate_only; 2 no results per feature. In release 4.0 kraft.version is not raised,
although the answer says so (KAFKA-16538).
**Departs from Kafka** Version 0 with allow_downgrade may lower a level; Kafka refuses that.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.controller.features import Quorum, decide_features
from reference_broker.releases.behaviours import Behaviour
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.update_features_request import UpdateFeaturesRequest

API: Final = ApiKey.UPDATE_FEATURES
VERSIONS: Final = range(3)
LISTENERS: Final = ("broker", "controller")


def handle(request: UpdateFeaturesRequest, ctx: ControllerContext) -> Any:
    """Decide and commit."""

    can_raise = ctx.release.does(Behaviour.KAFKA_16538_KRAFT_VERSION_RAISED)

    def raise_kraft_version(level: int, is_dry_run: bool) -> None:
        if can_raise:
            ctx.quorum.upgrade_kraft_version(ctx.controller.epoch, level, ctx.now, is_dry_run=is_dry_run)

    quorum = Quorum(
        node_id=ctx.node_id,
        voter_ids=ctx.controller.log.voter_ids,
        local=ctx.release.supported_features(),
        kraft_version=ctx.controller.log.kraft_version if can_raise else 0,
        raise_kraft_version=raise_kraft_version,
    )
    return ctx.controller.submit(
        lambda image: decide_features(image, ctx.config, request, version=ctx.api_version, quorum=quorum), ctx.now
    )

"""UpdateFeatures (key 57) raises and lowers the levels of a cluster's features.

**Claim** A level that a node does not support, or that would lose metadata, is refused for the whole request; what is
only to be validated changes nothing.
**Why it matters** A level is raised once, for the whole cluster; a wrong one could lock out every node.
**Kafka says** Protocol guide, UpdateFeatures; KIP-584, KIP-778.
**Cannot see** A level that is really raised: the checks' clusters begin with the highest. Nodes of several releases.
**Rejects** tests/plants/raises_a_level_that_nobody_supports.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import variants, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.update_features_request import FeatureUpdateKey, UpdateFeaturesRequest

pytestmark = [
    pytest.mark.feature("UpdateFeatures"),
    pytest.mark.kip(584, 778),
    pytest.mark.document(
        "Protocol guide, UpdateFeatures", "https://kafka.apache.org/protocol.html#The_Messages_UpdateFeatures"
    ),
]

UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE = 1, 2, 3
GROUPS = "group.version"
METADATA = "metadata.version"


def update(*wished: tuple[str, int, int], is_validated_only: bool = True) -> UpdateFeaturesRequest:
    keys = tuple(
        FeatureUpdateKey(feature=name, max_version_level=level, upgrade_type=kind) for name, level, kind in wished
    )
    return UpdateFeaturesRequest(timeout_ms=10_000, feature_updates=keys, validate_only=is_validated_only)


def levels(exchange: Exchange) -> dict[str, int]:
    found = exchange.quietly(ApiVersionsRequest(client_software_name="c", client_software_version="1"), 3)
    return {one.name: one.max_version_level for one in found.finalized_features}


@versions(1, 2)
def test_a_level_that_is_there_is_valid(exchange: Exchange, version: int) -> None:
    """The present level may be asked for."""
    before = levels(exchange)
    answer = exchange.ask("the present group.version", update((GROUPS, before[GROUPS], UPGRADE)), version)

    assert answer.error_code == ErrorCode.NONE
    assert levels(exchange) == before


@versions(1, 2)
def test_what_is_only_validated_is_not_changed(exchange: Exchange, version: int) -> None:
    """A feature may be turned off with a safe downgrade; to validate that does not do it."""
    before = levels(exchange)
    answer = exchange.ask("group.version 0, to validate only", update((GROUPS, 0, SAFE_DOWNGRADE)), version)

    assert answer.error_code == ErrorCode.NONE
    assert levels(exchange) == before


@variants("level", high=99, largest=32767, negative=-1)
@versions(1, 2)
def test_a_level_that_nobody_supports_is_refused(exchange: Exchange, version: int, level: int) -> None:
    """A level out of the range of some node is refused."""
    before = levels(exchange)
    answer = exchange.ask(f"group.version {level}", update((GROUPS, level, UPGRADE), is_validated_only=False), version)

    assert answer.error_code == ErrorCode.INVALID_UPDATE_VERSION
    assert levels(exchange) == before


@versions(0, 1, 2)
def test_an_unknown_feature_is_refused(exchange: Exchange, version: int) -> None:
    """A feature that no node knows is refused."""
    asked = update(("no.such.feature", 1, UPGRADE), is_validated_only=version > 0)
    answer = exchange.ask("a feature that is not there", asked, version)

    assert answer.error_code == ErrorCode.INVALID_UPDATE_VERSION


@versions(1, 2)
def test_a_lower_level_needs_an_upgrade_type_for_it(exchange: Exchange, version: int) -> None:
    """A level does not go down by an upgrade."""
    answer = exchange.ask("group.version 0 as an upgrade", update((GROUPS, 0, UPGRADE)), version)

    assert answer.error_code == ErrorCode.INVALID_UPDATE_VERSION


@versions(1, 2)
def test_an_unknown_upgrade_type_is_refused(exchange: Exchange, version: int) -> None:
    """There are upgrades, safe downgrades and unsafe ones."""
    answer = exchange.ask("upgrade type 9", update((GROUPS, 1, 9)), version)

    assert answer.error_code == ErrorCode.INVALID_UPDATE_VERSION


@variants("kind", safe=SAFE_DOWNGRADE, unsafe=UNSAFE_DOWNGRADE)
@versions(1, 2)
def test_metadata_that_would_be_lost_is_kept(exchange: Exchange, version: int, kind: int) -> None:
    """metadata.version does not go below one that brought records, not even with an unsafe downgrade."""
    before = levels(exchange)
    answer = exchange.ask(f"metadata.version 7, upgrade type {kind}", update((METADATA, 7, kind)), version)

    assert answer.error_code == ErrorCode.INVALID_UPDATE_VERSION
    assert levels(exchange) == before


@versions(1, 2)
def test_one_update_that_cannot_be_refuses_all(exchange: Exchange, version: int) -> None:
    """A request is made whole or not at all."""
    before = levels(exchange)
    asked = update((GROUPS, 0, SAFE_DOWNGRADE), ("no.such.feature", 1, UPGRADE), is_validated_only=False)
    answer = exchange.ask("one that can be and one that cannot", asked, version)

    assert answer.error_code == ErrorCode.INVALID_UPDATE_VERSION
    assert levels(exchange) == before

"""Feature levels: up where every node supports it, down where nothing is lost, all or none."""

from __future__ import annotations

from typing import Any

import pytest
from cluster_in_memory import CONFIG, Cluster, partition

from reference_broker.controller.features import Quorum, decide_features
from reference_broker.metadata.image import BROKER
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.update_features_request import FeatureUpdateKey, UpdateFeaturesRequest
from reference_broker.wire.refusal import KafkaError

ELR = "eligible.leader.replicas.version"
UP, SAFE, UNSAFE = 1, 2, 3


def update(
    cluster: Cluster,
    *wished: tuple[str, int, int],
    version: int = 2,
    voter_ids: tuple[int, ...] = (1,),
    kraft_version: int = 1,
    raised: list[tuple[int, bool]] | None = None,
    **changes: Any,
) -> Any:
    """`raised` gets (level, whether it was only tried) of each call that raises kraft.version."""
    calls = [] if raised is None else raised
    keys = tuple(
        FeatureUpdateKey(feature=name, max_version_level=level, upgrade_type=kind) for name, level, kind in wished
    )
    quorum = Quorum(
        node_id=1,
        voter_ids=voter_ids,
        local={"metadata.version": (7, 30), ELR: (0, 1), "kraft.version": (0, 1), "group.version": (0, 1)},
        kraft_version=kraft_version,
        raise_kraft_version=lambda level, is_dry_run: calls.append((level, is_dry_run)),
    )
    request = UpdateFeaturesRequest(feature_updates=keys, **changes)
    return cluster.apply(decide_features(cluster.image, CONFIG, request, version=version, quorum=quorum))


def test_a_level_goes_up() -> None:
    cluster = Cluster.of(1, metadata_version=20, has_elr=False)
    update(cluster, ("metadata.version", 30, UP))
    assert cluster.image.metadata_version == 30


def test_a_level_goes_down_where_no_record_is_lost() -> None:
    cluster = Cluster.of(1, metadata_version=29)
    update(cluster, ("metadata.version", 23, SAFE))
    assert cluster.image.metadata_version == 23


def test_a_feature_is_turned_off() -> None:
    cluster = Cluster.of(1)
    update(cluster, (ELR, 0, SAFE))
    assert not cluster.image.has_elr


def test_what_is_only_validated_is_not_written() -> None:
    cluster = Cluster.of(1, metadata_version=29)
    update(cluster, ("metadata.version", 30, UP), validate_only=True)
    assert cluster.image.metadata_version == 29


@pytest.mark.parametrize(
    ("wished", "text"),
    [
        (("metadata.version", 31, UP), "Local controller 1 only supports versions 7-30"),
        (("nonsense", 1, UP), "Local controller 1 does not support this feature."),
        (("group.version", 1, UP), "Broker 1 does not support this feature."),
        (("metadata.version", 29, UP), "without setting the upgrade type to either safe or unsafe downgrade."),
        (("metadata.version", 29, SAFE), "Unsupported metadata.version downgrade from 30 to 29. Refusing to perform"),
        (("metadata.version", 29, UNSAFE), "Unsafe metadata downgrade is not supported in this version."),
        (("metadata.version", 30, 0), "does not support the given upgrade type"),
        (("metadata.version", -1, SAFE), "A feature version cannot be less than 0."),
        (("kraft.version", 0, SAFE), "Can't downgrade the version of this feature."),
    ],
    ids=str,
)
def test_an_update_that_cannot_be_is_refused_with_its_reason(wished: tuple[str, int, int], text: str) -> None:
    with pytest.raises(KafkaError) as refused:
        update(Cluster.of(1), wished)
    assert (refused.value.code, text in (refused.value.detail or "")) == (ErrorCode.INVALID_UPDATE_VERSION, True)


def test_a_feature_comes_with_what_it_depends_on_or_not_at_all() -> None:
    with pytest.raises(KafkaError, match=r"it depends on metadata\.version level 23"):
        update(Cluster.of(1, metadata_version=22, has_elr=False), (ELR, 1, UP))


def test_a_level_may_go_up_together_with_what_it_depends_on() -> None:
    cluster = Cluster.of(1, metadata_version=22, has_elr=False)
    update(cluster, (ELR, 1, UP), ("metadata.version", 23, UP))
    assert cluster.image.has_elr


def test_one_update_that_cannot_be_keeps_all_others_back() -> None:
    cluster = Cluster.of(1, metadata_version=29)
    with pytest.raises(KafkaError):
        update(cluster, ("metadata.version", 30, UP), ("nonsense", 1, UP))
    assert cluster.image.metadata_version == 29


def test_a_voter_that_has_not_registered_may_lack_the_feature() -> None:
    with pytest.raises(KafkaError, match="controller 2 has not registered"):
        update(Cluster.of(1), ("metadata.version", 30, UP), voter_ids=(1, 2))


def test_eligible_replicas_bring_the_clusters_own_least_isr() -> None:
    cluster = Cluster.of(1, has_elr=False)
    cluster.add_topic(partition(1))
    cluster.configure_brokers("min.insync.replicas", "2", broker="1")
    update(cluster, (ELR, 1, UP))
    image = cluster.image
    assert (image.config(BROKER, ""), dict(image.config(BROKER, "1"))) == ({"min.insync.replicas": "1"}, {})


def test_kraft_version_is_raised_once_all_updates_are_known_to_be_valid() -> None:
    raised: list[tuple[int, bool]] = []
    update(Cluster.of(1), ("kraft.version", 1, UP), kraft_version=0, raised=raised)
    assert raised == [(1, True), (1, False)]


def test_kraft_version_stays_where_another_update_cannot_be() -> None:
    raised: list[tuple[int, bool]] = []
    with pytest.raises(KafkaError):
        update(Cluster.of(1), ("kraft.version", 1, UP), ("nonsense", 1, UP), kraft_version=0, raised=raised)
    assert raised == [(1, True)]


def test_to_validate_kraft_version_does_not_raise_it() -> None:
    raised: list[tuple[int, bool]] = []
    update(Cluster.of(1), ("kraft.version", 1, UP), kraft_version=0, raised=raised, validate_only=True)
    assert raised == [(1, True)]


def test_version_1_answers_for_each_feature() -> None:
    response = update(Cluster.of(1), ("metadata.version", 30, UP), version=1)
    assert [one.feature for one in response.results] == ["metadata.version"]

"""Brokers register: who may, under which epoch, and what a stop that was not clean costs."""

from __future__ import annotations

from typing import Any

import pytest
from cluster_in_memory import CONFIG, Cluster, at, directory, incarnation, partition

from reference_broker.controller.decision import Decision
from reference_broker.controller.registration import (
    decide_controller_registration,
    decide_registration,
    decide_unregistration,
)
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.broker_registration_request import BrokerRegistrationRequest, Feature, Listener
from reference_broker.wire.messages.controller_registration_request import ControllerRegistrationRequest
from reference_broker.wire.primitives import BrokerId, Uuid
from reference_broker.wire.refusal import KafkaError

FEATURES = (
    Feature(name="metadata.version", min_supported_version=7, max_supported_version=30),
    Feature(name="eligible.leader.replicas.version", min_supported_version=0, max_supported_version=1),
    Feature(name="kraft.version", min_supported_version=0, max_supported_version=1),
)


def request(broker_id: int = 1, **changes: Any) -> BrokerRegistrationRequest:
    fields = {
        "broker_id": BrokerId(broker_id),
        "cluster_id": "C",
        "incarnation_id": incarnation(2),
        "listeners": (Listener(name="PLAINTEXT", host="h", port=9, security_protocol=0),),
        "features": FEATURES,
        "rack": None,
        "log_dirs": (directory(broker_id),),
    }
    return BrokerRegistrationRequest(**(fields | changes))


def decide(cluster: Cluster, asked: BrokerRegistrationRequest, *, version: int = 4, now_ms: int = 0) -> Decision:
    return decide_registration(
        cluster.image,
        CONFIG,
        asked,
        version=version,
        kraft_version=1,
        sessions=cluster.sessions,
        next_offset=cluster.next_offset,
        now=at(now_ms),
    )


def test_a_new_broker_is_registered_fenced_under_the_next_offset_as_its_epoch() -> None:
    cluster = Cluster.of()
    epoch = cluster.next_offset
    response = cluster.apply(decide(cluster, request()))
    broker = cluster.image.brokers[1]
    assert (response.broker_epoch, broker.epoch, broker.is_fenced) == (epoch, epoch, True)


def test_the_same_incarnation_keeps_its_epoch_and_its_state() -> None:
    cluster = Cluster.of(1)
    epoch = cluster.epoch(1)
    cluster.apply(decide(cluster, request(incarnation_id=incarnation(1), rack="r")))
    broker = cluster.image.brokers[1]
    assert (broker.epoch, broker.is_fenced, broker.rack) == (epoch, False, "r")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cluster_id": "D"}, ErrorCode.INCONSISTENT_CLUSTER_ID),
        ({"is_migrating_zk_broker": True}, ErrorCode.BROKER_ID_NOT_REGISTERED),
        ({"log_dirs": ()}, ErrorCode.INVALID_REGISTRATION),
        ({"log_dirs": (Uuid(bytes(15) + b"\x63"),)}, ErrorCode.INVALID_REGISTRATION),
        ({"log_dirs": (directory(3), directory(3))}, ErrorCode.INVALID_REGISTRATION),
        ({"log_dirs": (directory(2),)}, ErrorCode.INVALID_REGISTRATION),
        ({"features": FEATURES[1:]}, ErrorCode.INVALID_REGISTRATION),
        ({"features": FEATURES[:1]}, ErrorCode.UNSUPPORTED_VERSION),
        (
            {"features": (Feature(name="metadata.version", min_supported_version=7, max_supported_version=29),)},
            ErrorCode.UNSUPPORTED_VERSION,
        ),
    ],
    ids=str,
)
def test_a_registration_that_cannot_be_is_refused(changes: dict[str, Any], code: ErrorCode) -> None:
    cluster = Cluster.of(2)
    with pytest.raises(KafkaError) as refused:
        decide(cluster, request(**changes))
    assert refused.value.code is code


def test_another_incarnation_is_refused_while_the_session_lives() -> None:
    cluster = Cluster.of(1)
    cluster.sessions.touch(1, cluster.epoch(1), at(1_000))
    with pytest.raises(KafkaError) as refused:
        decide(cluster, request(), now_ms=10_000)
    assert refused.value.code is ErrorCode.DUPLICATE_BROKER_REGISTRATION


def test_another_incarnation_is_registered_once_the_session_is_over() -> None:
    cluster = Cluster.of(1)
    cluster.sessions.touch(1, cluster.epoch(1), at(1_000))
    epoch = cluster.next_offset
    assert decide(cluster, request(), now_ms=10_001).response.broker_epoch == epoch


def test_a_broker_that_was_never_heard_has_no_session_to_wait_for() -> None:
    cluster = Cluster.of(1)
    assert decide(cluster, request()).response.broker_epoch == cluster.next_offset


def test_after_a_clean_stop_a_replica_stays_eligible() -> None:
    cluster = Cluster.of(1, 2)
    cluster.add_topic(partition(1, 2, isr=(), elr=(1, 2)), min_insync_replicas="2")
    cluster.apply(decide(cluster, request(previous_broker_epoch=cluster.epoch(1))))
    assert cluster.partition().elr == (1, 2)


@pytest.mark.parametrize("version", [2, 4])
def test_after_a_stop_that_was_not_clean_a_replica_is_eligible_no_longer(version: int) -> None:
    cluster = Cluster.of(1)
    cluster.add_broker(2, is_fenced=True)
    cluster.add_topic(partition(1, 2, isr=(), elr=(1, 2)), min_insync_replicas="2")
    previous = -1 if version == 4 else cluster.epoch(1)
    cluster.apply(decide(cluster, request(previous_broker_epoch=previous), version=version))
    assert cluster.partition().elr == (2,)


def test_a_leader_that_comes_back_by_itself_leads_nothing_any_more() -> None:
    cluster = Cluster.of(1, 2)
    cluster.add_topic(partition(1, 2))
    cluster.apply(decide(cluster, request(previous_broker_epoch=cluster.epoch(1))))
    assert (cluster.partition().leader, cluster.partition().isr) == (2, (2,))


def test_an_unregistered_broker_leaves_the_isr_and_stays_a_replica() -> None:
    cluster = Cluster.of(1, 2)
    cluster.add_topic(partition(1, 2))
    cluster.apply(decide_unregistration(cluster.image, CONFIG, 1))
    one = cluster.partition()
    assert (one.replicas, one.isr, one.leader, list(cluster.image.brokers)) == ((1, 2), (2,), 2, [2])


def test_an_unknown_broker_cannot_be_unregistered() -> None:
    with pytest.raises(KafkaError) as refused:
        decide_unregistration(Cluster.of(1).image, CONFIG, 2)
    assert refused.value.code is ErrorCode.BROKER_ID_NOT_REGISTERED


def test_a_controller_is_registered_with_its_incarnation() -> None:
    cluster = Cluster.of()
    asked = ControllerRegistrationRequest(controller_id=3, incarnation_id=incarnation(9))
    cluster.apply(decide_controller_registration(cluster.image, asked))
    assert cluster.image.cluster.controllers[3].incarnation_id == incarnation(9)


def test_before_metadata_version_15_controllers_do_not_register() -> None:
    with pytest.raises(KafkaError) as refused:
        decide_controller_registration(Cluster.of(metadata_version=14).image, ControllerRegistrationRequest())
    assert refused.value.code is ErrorCode.UNSUPPORTED_VERSION

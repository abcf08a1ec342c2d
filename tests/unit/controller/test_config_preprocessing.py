"""What a broker refuses of a change of configurations before the controller is asked."""

from __future__ import annotations

import pytest
from cluster_in_memory import CONFIG, Cluster

from reference_broker.controller.config_preprocessing import ConfigPreprocessing
from reference_broker.metadata.image import BROKER, TOPIC
from reference_broker.wire.errors import ErrorCode

BROKER_LOGGER = 8
SET, APPEND = 0, 2


def here(cluster: Cluster | None = None) -> ConfigPreprocessing:
    """Broker 1 of a cluster of two."""
    return ConfigPreprocessing((cluster or Cluster.of(1, 2)).image, CONFIG)


@pytest.mark.parametrize(
    ("resource", "change", "text"),
    [
        ((BROKER, "2"), ("log.retention.ms", SET, "5"), "Unexpected broker id, expected 1, but received 2"),
        ((BROKER, "one"), ("log.retention.ms", SET, "5"), "must be an integer"),
        ((BROKER, "1"), ("node.id", SET, "2"), "Cannot update these configs dynamically"),
        ((BROKER, "1"), ("log.retention.ms", SET, "x"), "log.retention.ms"),
        ((BROKER, "1"), ("num.io.threads", SET, "99"), "num.io.threads"),
        ((BROKER, "1"), ("log.retention.ms", SET, None), "Null value"),
        ((BROKER, ""), ("listener.name.plaintext.ssl.keystore.type", SET, "PEM"), "broker id must be specified"),
        ((BROKER_LOGGER, "2"), ("kafka", SET, "INFO"), "Unexpected node id"),
        ((BROKER_LOGGER, "one"), ("kafka", SET, "INFO"), "must be an integer"),
        ((BROKER_LOGGER, "1"), ("kafka", APPEND, "INFO"), "not for loggers"),
        ((TOPIC, "t"), ("retention.ms", SET, None), "Null value"),
        ((3, "x"), ("a", SET, "b"), "Unknown resource type 3"),
    ],
)
def test_a_change_that_cannot_be_is_refused_here(
    resource: tuple[int, str], change: tuple[str, int, str | None], text: str
) -> None:
    refusal = here().refusal_of(*resource, [change])
    assert refusal is not None
    assert refusal.code == ErrorCode.INVALID_REQUEST
    assert text in (refusal.text or "")


@pytest.mark.parametrize(
    ("resource", "change"),
    [
        ((BROKER, "1"), ("log.retention.ms", SET, "5")),
        ((BROKER, ""), ("log.retention.ms", SET, "5")),
        ((TOPIC, "none"), ("no.such.setting", APPEND, "5")),
    ],
)
def test_the_controller_decides_about_all_the_rest(
    resource: tuple[int, str], change: tuple[str, int, str | None]
) -> None:
    assert here().refusal_of(*resource, [change]) is None


def test_settings_of_another_broker_are_not_replaced_here() -> None:
    refusal = here().refusal_of(BROKER, "2", [("log.retention.ms", SET, "5")], is_replacement=True)
    assert refusal is not None
    assert refusal.code == ErrorCode.INVALID_REQUEST


def test_what_a_replacement_leaves_out_is_not_checked() -> None:
    cluster = Cluster.of(1, 2)
    cluster.configure_brokers("log.retention.ms", "not a number", broker="1")
    assert here(cluster).refusal_of(BROKER, "1", [("num.io.threads", SET, "9")], is_replacement=True) is None


def test_a_logger_is_this_brokers_own_and_does_not_exist() -> None:
    refusal = here().refusal_of(BROKER_LOGGER, "1", [("kafka", SET, "INFO")])
    assert refusal is not None
    assert refusal.code == ErrorCode.INVALID_CONFIG

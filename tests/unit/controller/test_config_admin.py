"""Configurations are changed, and count at once; what cannot be is refused."""

from __future__ import annotations

import pytest
from controller_in_memory import at, create, start, topic
from metadata_log_in_memory import MetadataLogInMemory

from reference_broker.broker.topic_creation import wanted_topic
from reference_broker.controller.config_admin import Operation
from reference_broker.controller.controller import Controller
from reference_broker.controller.decision import Refusal
from reference_broker.metadata.image import BROKER, TOPIC
from reference_broker.wire.errors import ErrorCode


def test_the_internal_topic_of_offsets_is_compacted(controller: Controller) -> None:
    create(controller, wanted_topic("__consumer_offsets", controller.config))
    assert controller.settings.log_settings("__consumer_offsets")["cleanup.policy"] == "compact"


def test_dynamic_settings_of_all_brokers_reach_topics_without_their_own(controller: Controller) -> None:
    create(controller, topic())
    records, _ = controller.configs(controller.pending).change(BROKER, "", [("log.retention.ms", 0, "77")])
    controller.commit(records, at(3_000))
    assert controller.settings.log_settings("t")["retention.ms"] == "77"


@pytest.mark.parametrize(
    ("resource", "change", "code"),
    [
        ((TOPIC, "t"), ("retention.ms", 0, "x"), ErrorCode.INVALID_CONFIG),
        ((TOPIC, "t"), ("retention.ms", 2, "1"), ErrorCode.INVALID_CONFIG),
        ((TOPIC, "t"), ("retention.ms", 0, None), ErrorCode.INVALID_REQUEST),
        ((TOPIC, "none"), ("retention.ms", 0, "1"), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ((TOPIC, ""), ("retention.ms", 0, "1"), ErrorCode.INVALID_REQUEST),
        ((BROKER, "2"), ("log.retention.ms", 0, "2"), ErrorCode.BROKER_ID_NOT_REGISTERED),
        ((BROKER, "two"), ("log.retention.ms", 0, "2"), ErrorCode.INVALID_REQUEST),
        ((BROKER, "1"), ("min.insync.replicas", 0, "1"), ErrorCode.INVALID_CONFIG),
        ((3, "x"), ("a", 0, "b"), ErrorCode.INVALID_REQUEST),
    ],
)
def test_a_change_of_configuration_that_cannot_be_is_refused(
    controller: Controller, resource: tuple[int, str], change: tuple[str, int, str | None], code: ErrorCode
) -> None:
    create(controller, topic())
    records, refusal = controller.configs(controller.pending).change(*resource, [change])
    assert (records, refusal.code if refusal else None) == ((), code)


def test_folders_are_cordoned_by_the_broker_that_has_them_or_fewer_by_a_controller(controller: Controller) -> None:
    def refusal_of(value: str, *, is_forwarded: bool) -> Refusal | None:
        change = ("cordoned.log.dirs", Operation.SET, value)
        records, refusal = controller.configs(controller.pending).change(
            BROKER, "1", [change], is_forwarded=is_forwarded
        )
        controller.commit(records, at(3_000))
        return refusal

    refused = refusal_of("/a", is_forwarded=False)
    assert refused is not None
    assert refused.code == ErrorCode.INVALID_CONFIG
    assert refusal_of("/a,/b", is_forwarded=True) is None
    assert refusal_of("/b", is_forwarded=False) is None
    assert refusal_of("", is_forwarded=False) is None


def test_append_begins_from_the_default(controller: Controller) -> None:
    create(controller, topic())
    records, _ = controller.configs(controller.pending).change(TOPIC, "t", [("cleanup.policy", 2, "compact")])
    controller.commit(records, at(3_000))
    assert controller.image.config(TOPIC, "t")["cleanup.policy"] == "delete,compact"


def test_a_topics_setting_tells_its_synonyms_in_the_order_in_which_they_count(log: MetadataLogInMemory) -> None:
    controller = start(log, log_retention_hours="5")
    entries = {one.name: one for one in controller.descriptions.topic_entries({"retention.ms": "9"})}
    assert [(one.name, one.value) for one in entries["retention.ms"].synonyms] == [("retention.ms", "9")]

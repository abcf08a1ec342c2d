"""A release advertises, serves and knows what Kafka of that release does."""

from __future__ import annotations

import pytest

from reference_broker.apis.registry import BROKER, CONTROLLER, served
from reference_broker.controller.group_settings import check_group
from reference_broker.releases import (
    BASELINE,
    METADATA_VERSION,
    RELEASES,
    Release,
    find_release,
    metadata_version_name,
    release_table,
)
from reference_broker.releases.behaviours import Behaviour
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.settings.config_key import ConfigType
from reference_broker.settings.config_keys import config_keys
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.refusal import KafkaError

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listeners": "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093",
    "controller.listener.names": "CONTROLLER",
    "controller.quorum.bootstrap.servers": "127.0.0.1:9093",
    "log.dirs": "/one,/two",
}


@pytest.fixture(params=RELEASES.values(), ids=RELEASES)
def release(request: pytest.FixtureRequest) -> Release:
    found: Release = request.param
    return found


def config(release: Release, **settings: str) -> BrokerConfig:
    named = {name.replace("_", "."): value for name, value in settings.items()}
    return BrokerConfig.of(SETTINGS | named, release=release)


def refusal(release: Release, **settings: str) -> str:
    with pytest.raises(KafkaError) as caught:
        check_group({name.replace("_", "."): value for name, value in settings.items()}, config(release))
    return caught.value.detail or ""


def test_a_new_cluster_has_the_features_that_kafka_formats_one_with(release: Release) -> None:
    level = release.metadata_version
    features = {METADATA_VERSION: level, **release.default_features(level)}
    text = " ".join(f"{name}:{number}" for name, number in sorted(features.items()))
    assert text == release_table.FINALIZED_FEATURES[release.profile]


def test_a_release_begins_with_its_own_metadata_version(release: Release) -> None:
    assert metadata_version_name(release.metadata_version).startswith(f"{release.profile}-IV")


@pytest.mark.parametrize("kind", [BROKER, CONTROLLER])
def test_nothing_is_served_that_the_release_does_not_advertise(release: Release, kind: str) -> None:
    advertised = release.advertised(kind)
    assert {key: one.versions for key, one in served(kind, release).items()}.items() <= advertised.items()


def test_what_a_later_release_brought_is_not_served_by_an_earlier_one() -> None:
    old, new = (served(BROKER, RELEASES[profile]) for profile in ("4.0", "4.4"))
    assert (max(old[ApiKey.FETCH].versions), max(new[ApiKey.FETCH].versions)) == (17, 18)


@pytest.mark.parametrize("text", ["4.1", "4.1.2"])
def test_a_release_is_found_by_its_line_and_by_its_number(text: str) -> None:
    assert find_release(text) is RELEASES["4.1"]


@pytest.mark.parametrize("text", ["", "4", "4.9", "3.9", "4.1.0"])
def test_a_release_whose_answers_are_not_known_is_not_found(text: str) -> None:
    assert find_release(text) is None


def test_the_baseline_is_served_where_nothing_is_asked_for() -> None:
    assert (BASELINE.profile, BrokerConfig.of(SETTINGS).release) == ("4.3", BASELINE)


def test_a_release_knows_only_its_own_settings() -> None:
    names = {profile: set(config_keys(one).broker) for profile, one in RELEASES.items()}
    assert [profile for profile, found in names.items() if "cordoned.log.dirs" in found] == ["4.3", "4.4"]


def test_a_setting_that_is_gone_is_warned_of() -> None:
    name = "metadata.log.segment.min.bytes"
    warnings = {
        profile: " ".join(config(RELEASES[profile], **{name: "8388608"}).warnings) for profile in ("4.0", "4.1")
    }
    assert {profile: name in text for profile, text in warnings.items()} == {"4.0": False, "4.1": True}


def test_the_folders_are_a_list_though_old_releases_call_it_a_text() -> None:
    old = config(RELEASES["4.0"])
    assert (old.keys.broker["log.dirs"].type, old.log_dirs) == (ConfigType.STRING, ("/one", "/two"))


def test_what_stands_twice_in_a_list_counts_once_from_4_2_on() -> None:
    keys = [config_keys(RELEASES[profile]).topic["cleanup.policy"] for profile in ("4.1", "4.2")]
    assert [key.parse("delete,delete") for key in keys] == [("delete", "delete"), ("delete",)]


def test_a_behaviour_belongs_to_some_releases_and_not_to_others() -> None:
    for behaviour in Behaviour:
        assert {one.does(behaviour) for one in RELEASES.values()} == {True, False}, behaviour


def test_a_group_setting_out_of_range_is_refused_by_the_brokers_limit() -> None:
    text = refusal(RELEASES["4.3"], consumer_session_timeout_ms="1")
    assert text == "consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms"


def test_a_group_setting_out_of_range_is_refused_with_the_range_from_4_4_on() -> None:
    text = refusal(RELEASES["4.4"], consumer_session_timeout_ms="1")
    assert text == "consumer.session.timeout.ms must be in the range 45000 to 60000 inclusive."


def test_a_session_is_longer_than_its_heartbeats(release: Release) -> None:
    limits = {
        f"group_consumer_{end}_heartbeat_interval_ms": value for end, value in (("min", "5000"), ("max", "99999"))
    }
    with pytest.raises(KafkaError, match=r"consumer\.session\.timeout\.ms must be greater than consumer\.heartbeat"):
        check_group({"consumer.heartbeat.interval.ms": "45000"}, config(release, **limits))

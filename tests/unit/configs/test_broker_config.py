"""server.properties means to us what it means to Kafka."""

from __future__ import annotations

import pytest

from reference_broker.releases import BASELINE, RELEASES
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.settings.config_keys import config_keys
from reference_broker.settings.properties import format_properties, parse_properties
from reference_broker.settings.validators import ConfigInvalid

TEXT = """
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:9093
"""


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("a=b", {"a": "b"}),
        ("a : b ", {"a": "b "}),
        ("a b", {"a": "b"}),
        ("# x\n! y\na=1\na=2", {"a": "2"}),
        ("a=1,\\\n   2", {"a": "1,2"}),
        ("a\\ b=c\\=d\\u0041\\t", {"a b": "c=dA\t"}),
        ("a", {"a": ""}),
        ("a=c:\\\\x", {"a": "c:\\x"}),
    ],
)
def test_properties_are_read_as_java_reads_them(text: str, settings: dict[str, str]) -> None:
    assert parse_properties(text) == settings


def test_properties_survive_being_written() -> None:
    settings = {"a b": " c=d:#\n\\", "x": "y"}
    assert parse_properties(format_properties(settings, "note")) == settings


def test_an_override_wins_over_the_file() -> None:
    assert BrokerConfig.load(TEXT, ["num.partitions=7"]).number("num.partitions") == 7


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("num.partitions=x", "Invalid value x for configuration num.partitions: Not a number of type INT"),
        ("num.partitions=0", "Invalid value 0 for configuration num.partitions: Value must be at least 1"),
        ("process.roles=fox", "String must be one of: broker, controller"),
        ("listeners=PLAINTEXT://127.0.0.1:1", "controller.listener.names must contain at least one value"),
        ("advertised.listeners=PLAINTEXT://0.0.0.0:1", "nonroutable meta-address 0.0.0.0"),
        ("inter.broker.listener.name=FOX", "inter.broker.listener.name must be a listener name"),
        ("controller.quorum.voters=2@h:1", "the node id 1 must be included in the set of voters"),
        ("listeners=FOX://h:1,CONTROLLER://h:2", "No security protocol defined for listener FOX"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name_and_value(override: str, words: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        BrokerConfig.load(TEXT, [override])
    assert words in str(refused.value)


def test_a_required_setting_that_is_missing_is_named() -> None:
    with pytest.raises(ConfigInvalid, match=r'"node\.id" which has no default'):
        BrokerConfig.load(TEXT.replace("node.id=1", ""))


def test_an_unknown_setting_is_a_warning() -> None:
    assert "fox" in BrokerConfig.load(TEXT, ["fox=1"]).warnings[0]


def test_a_system_chosen_port_is_advertised() -> None:
    config = BrokerConfig.load(TEXT, ["listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0"])
    assert [one.port for one in config.advertised({"PLAINTEXT": 5, "CONTROLLER": 6})] == [5, 6]


@pytest.mark.parametrize(
    ("overrides", "retention_ms"),
    [
        ([], "604800000"),
        (["log.retention.hours=1"], "3600000"),
        (["log.retention.hours=1", "log.retention.minutes=1"], "60000"),
        (["log.retention.hours=1", "log.retention.ms=9"], "9"),
        (["log.retention.hours=-1"], "-1"),
    ],
)
def test_the_finest_unit_of_retention_counts(overrides: list[str], retention_ms: str) -> None:
    assert BrokerConfig.load(TEXT, overrides).topic_settings()["retention.ms"] == retention_ms


def test_every_default_is_valid() -> None:
    keys = config_keys(BASELINE).topic.values()
    assert [key.name for key in keys if key.default is not None and key.parse(key.default) is None] == []


@pytest.mark.parametrize(("release", "policy"), [("4.1", ("compact", "compact")), ("4.3", ("compact",))])
def test_what_stands_twice_in_a_list_counts_as_the_release_has_it(release: str, policy: tuple[str, ...]) -> None:
    assert config_keys(RELEASES[release]).broker["log.cleanup.policy"].parse("compact,compact") == policy


def test_since_4_4_nothing_stands_twice_in_a_nodes_list() -> None:
    keys = config_keys(RELEASES["4.4"])
    with pytest.raises(ConfigInvalid, match="values must not be duplicated"):
        keys.broker["log.cleanup.policy"].parse("compact,compact")
    assert keys.topic["cleanup.policy"].parse("compact,compact") == ("compact",)


def test_a_class_that_is_not_there_is_refused_as_it_was_written() -> None:
    key = config_keys(BASELINE).broker["principal.builder.class"]
    with pytest.raises(ConfigInvalid, match=r"Invalid value  com\.Mine .*: Class  com\.Mine  could not be found"):
        key.parse(" com.Mine ")
    assert key.parse(f" {key.default} ") == key.default


def test_the_quorums_servers_are_hosts_and_ports() -> None:
    config = BrokerConfig.load(TEXT, ["controller.quorum.bootstrap.servers=a:1,[::1]:2"])
    assert config.bootstrap_controllers == (("a", 1), ("::1", 2))


def test_a_server_of_the_quorum_without_a_port_is_refused_by_its_setting() -> None:
    with pytest.raises(ConfigInvalid, match=r"Invalid value nonsense for .*bootstrap\.servers: .*\{host\}:\{port\}"):
        BrokerConfig.load(TEXT, ["controller.quorum.bootstrap.servers=nonsense"])

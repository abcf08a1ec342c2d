"""DescribeConfigs (key 32) describes the settings of a resource, and where each comes from.

**Claim** Every setting is described with its value and source, from version 3 on with its type, and on request with its
synonyms in their order of precedence. Secrets are null. A resource that does not exist, or that belongs to another
broker, is refused.
**Why it matters** People and programs read these values to know what a topic keeps, and for how long.
**Kafka says** Protocol guide, DescribeConfigs; KIP-133, KIP-226 (synonyms), KIP-569 (types and documentation).
**Cannot see** Settings of other brokers. Whether the documentation of a setting is right: it is compared, not judged.
**Rejects** tests/plants/tells_secrets.py, tests/plants/tells_synonyms_in_the_wrong_order.py,
tests/plants/leaves_out_settings_that_are_the_brokers.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, is_since, variants, versions
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.describe_configs_response import (
    DescribeConfigsResourceResult,
    DescribeConfigsResponse,
    DescribeConfigsResult,
)

pytestmark = [
    pytest.mark.feature("DescribeConfigs"),
    pytest.mark.kip(133, 226, 569),
    pytest.mark.document(
        "Protocol guide, DescribeConfigs", "https://kafka.apache.org/protocol.html#The_Messages_DescribeConfigs"
    ),
]

TOPIC, BROKER, LOGGER, CLIENT_METRICS, GROUP = 2, 4, 8, 16, 32
OF_ONE_MACHINE = (
    "advertised.listeners",
    "broker.id",
    "controller.quorum.voters",
    "listeners",
    "log.dir",
    "log.dirs",
    "metadata.log.dir",
    "node.id",
)
"""Settings of a broker that depend on its machine, and so differ between brokers."""
OF_A_TOPIC = {
    *("cleanup.policy", "compression.type", "delete.retention.ms", "file.delete.delay.ms", "flush.messages"),
    *("flush.ms", "index.interval.bytes", "max.compaction.lag.ms", "max.message.bytes"),
    *("message.timestamp.after.max.ms", "message.timestamp.before.max.ms", "message.timestamp.type"),
    *("min.cleanable.dirty.ratio", "min.compaction.lag.ms", "min.insync.replicas", "preallocate"),
    *("remote.storage.enable", "retention.bytes", "retention.ms", "segment.bytes", "segment.index.bytes"),
    *("segment.jitter.ms", "segment.ms", "unclean.leader.election.enable"),
}
"""Settings that Kafka's documentation has for topics of every release since 4.0."""
OF_A_BROKER = {
    *("auto.create.topics.enable", "default.replication.factor", "delete.topic.enable", "log.retention.bytes"),
    *("log.retention.check.interval.ms", "log.retention.hours", "log.segment.bytes", "message.max.bytes"),
    *("min.insync.replicas", "num.io.threads", "num.network.threads", "num.partitions", "offsets.retention.minutes"),
    *("process.roles", "transaction.max.timeout.ms", "unclean.leader.election.enable"),
}
"""Some of the settings that Kafka's documentation has for brokers of every release since 4.0."""
DEFAULTS = {"log.retention.hours": "168", "log.retention.check.interval.ms": "300000", "num.io.threads": "8"}
"""According to Kafka's documentation."""
OWN_OF_TOPIC, OF_ALL_BROKERS, STATIC, DEFAULT = 1, 3, 4, 5
"""Sources of a value; a smaller number has precedence over a larger one."""
TYPES_SINCE = 3
LONG, LIST = 5, 7
NO_TYPE = 0
SECRET = "not-to-be-told"


def request(*resources: tuple[int, str], keys: tuple[str, ...] | None = None, **more: bool) -> DescribeConfigsRequest:
    return DescribeConfigsRequest(
        resources=tuple(
            DescribeConfigsResource(resource_type=kind, resource_name=name, configuration_keys=keys)
            for kind, name in resources
        ),
        **more,
    )


def only(answer: DescribeConfigsResponse) -> DescribeConfigsResult:
    (found,) = answer.results
    return found


def by_name(result: DescribeConfigsResult) -> dict[str, DescribeConfigsResourceResult]:
    return {one.name: one for one in result.configs}


@all_versions(1, 4)
def test_all_settings_of_a_topic_are_told(exchange: Exchange, version: int) -> None:
    """Every setting of a topic is described, whether its own or the broker's; synonyms and documentation only on
    request."""
    topic = exchange.topic(retention_ms="123456", cleanup_policy="compact")
    answer = exchange.ask("all settings of a topic with two of its own", request((TOPIC, topic)), version)

    found = by_name(only(answer))
    require(sorted(OF_A_TOPIC - set(found)), [], "the list of settings that are not told")
    own = [(one.name, one.value) for one in found.values() if one.config_source == OWN_OF_TOPIC]
    assert sorted(own) == [("cleanup.policy", "compact"), ("retention.ms", "123456")]
    types = (found["retention.ms"].config_type, found["cleanup.policy"].config_type)
    assert types == ((LONG, LIST) if version >= TYPES_SINCE else (NO_TYPE, NO_TYPE))
    assert not [one.name for one in found.values() if one.synonyms or one.documentation], "told without being asked for"


@all_versions(1, 4)
def test_synonyms_are_told_when_asked(exchange: Exchange, version: int) -> None:
    """Synonyms, which are listed on request, are in their order of precedence; the first gives the value."""
    topic = exchange.topic(retention_ms="123456")
    wanted = request((TOPIC, topic), keys=("retention.ms", "segment.bytes"), include_synonyms=True)
    answer = exchange.ask("two settings of a topic, with synonyms", wanted, version)

    found = by_name(only(answer))
    first = found["retention.ms"].synonyms[0]
    assert (first.name, first.value, first.source) == ("retention.ms", "123456", OWN_OF_TOPIC)
    for one in found.values():
        in_order(one)


def in_order(one: DescribeConfigsResourceResult) -> None:
    """Raises BrokenPromise unless synonyms are in their order of precedence, and the value is that of the first."""
    sources = [synonym.source for synonym in one.synonyms]
    require(sources, sorted(sources), f"the order of the sources of {one.name}")
    require((one.config_source, one.value), (sources[0], one.synonyms[0].value), f"source and value of {one.name}")


@versions(1, 4)
def test_settings_may_be_chosen(exchange: Exchange, version: int) -> None:
    """If the request names settings, only these are described; unknown ones are left out."""
    wanted = request((TOPIC, exchange.topic()), keys=("retention.ms", "no.such.key"))
    answer = exchange.ask("a setting that is known and one that is not", wanted, version)

    assert list(by_name(only(answer))) == ["retention.ms"]


@versions(1, 4)
def test_no_names_mean_all_settings(exchange: Exchange, version: int) -> None:
    """An empty list of names means all settings, like a null list."""
    topic = exchange.topic()
    answer = exchange.ask("an empty list of settings", request((TOPIC, topic), keys=()), version)

    assert set(by_name(only(answer))) == set(by_name(only(exchange.quietly(request((TOPIC, topic)), version))))


def test_documentation_may_be_asked_for(exchange: Exchange) -> None:
    """A setting can be requested together with its documentation; its value is described as well."""
    wanted = request((TOPIC, exchange.topic()), keys=("retention.ms",), include_documentation=True)
    answer = exchange.ask("a setting with its documentation", wanted, 4)

    assert [(one.name, one.value) for one in only(answer).configs] == [("retention.ms", "-1")]


@all_versions(1, 4)
def test_settings_of_a_broker_are_told(exchange: Exchange, version: int) -> None:
    """A broker describes its own settings."""
    broker = str(exchange.broker())
    names = [one.name for one in only(exchange.quietly(request((BROKER, broker)), 4)).configs]
    wanted = request((BROKER, broker), keys=tuple(name for name in names if name not in OF_ONE_MACHINE))
    exchange.form.label(broker, "the broker's id")
    answer = exchange.ask("all settings of the broker but those of its machine", wanted, version)

    found = by_name(only(answer))
    require(sorted(OF_A_BROKER - set(found)), [], "the list of settings that are not told")


def test_a_broker_knows_the_settings_of_its_machine(exchange: Exchange) -> None:
    """A broker describes the settings that depend on its machine; node.id and the log folders are read-only."""
    answer = exchange.quietly(request((BROKER, str(exchange.broker())), keys=OF_ONE_MACHINE), 4)
    told = sorted((one.name, one.read_only, one.config_source) for one in only(answer).configs)

    exchange.note("settings of the machine, whether read-only, and their sources", [list(one) for one in told])
    require([name for name, _, _ in told], sorted(OF_ONE_MACHINE), "the list of settings of the machine")
    fixed = {name: is_read_only for name, is_read_only, _ in told if name in ("node.id", "log.dirs", "log.dir")}
    assert fixed == {"node.id": True, "log.dirs": True, "log.dir": True}
    assert by_name(only(answer))["node.id"].value == str(exchange.broker())


def test_synonyms_of_a_broker(exchange: Exchange) -> None:
    """A broker's setting has synonyms in their order of precedence; the last one is the documented default."""
    keys = ("log.retention.ms", "log.retention.hours", "log.retention.check.interval.ms", "num.io.threads")
    answer = exchange.ask(
        "settings of the broker with synonyms",
        request((BROKER, str(exchange.broker())), keys=keys, include_synonyms=True),
        4,
    )

    found = by_name(only(answer))
    for name in ("log.retention.hours", "log.retention.check.interval.ms", "num.io.threads"):
        in_order(found[name])
        default = found[name].synonyms[-1]
        assert (default.name, default.source, default.value) == (name, DEFAULT, DEFAULTS[name])


@pytest.mark.cluster(config={"ssl.truststore.password": SECRET})
@all_versions(1, 4)
def test_secrets_are_not_told(exchange: Exchange, version: int) -> None:
    """A broker's password is described as sensitive, with null as its value, also in its synonyms."""
    keys = ("ssl.truststore.password",)
    answer = exchange.ask(
        "a password", request((BROKER, str(exchange.broker())), keys=keys, include_synonyms=True), version
    )

    (found,) = only(answer).configs
    assert (found.name, found.is_sensitive, found.config_source) == ("ssl.truststore.password", True, STATIC)
    require([found.value, *(one.value for one in found.synonyms)], [None] * (1 + len(found.synonyms)), "the password")


@versions(1, 4)
def test_defaults_of_all_brokers_are_told(exchange: Exchange, version: int) -> None:
    """An empty broker name gets the dynamic settings of all brokers."""
    answer = exchange.ask("settings of all brokers", request((BROKER, "")), version)

    assert only(answer).error_code == ErrorCode.NONE
    assert {one.config_source for one in only(answer).configs} <= {OF_ALL_BROKERS}


@versions(1, 4)
def test_an_unknown_topic_is_refused(exchange: Exchange, version: int) -> None:
    """A topic that does not exist is refused."""
    answer = exchange.ask("a topic that is not there", request((TOPIC, exchange.name("nowhere"))), version)

    assert only(answer).error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@variants("name", empty="", dot=".", blank_inside="my topic", too_long="n" * 250)
def test_a_topic_that_cannot_be_is_refused(exchange: Exchange, name: str) -> None:
    """A name that no topic can have is refused."""
    answer = exchange.ask(f"a topic named {name[:10]!r}", request((TOPIC, name)), 4)

    assert only(answer).error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


@variants("name", another="987654", word="first", negative="-7")
@versions(1, 4)
def test_another_broker_is_refused(exchange: Exchange, version: int, name: str) -> None:
    """A broker describes only its own settings."""
    answer = exchange.ask(f"broker {name}", request((BROKER, name)), version)

    assert only(answer).error_code == ErrorCode.INVALID_REQUEST


@variants("resource", unknown_type=(0, "x"), any_type=(1, "x"), cluster=(7, "x"), type_64=(64, "x"), negative=(-1, "x"))
def test_a_type_that_has_no_settings_is_refused(exchange: Exchange, resource: tuple[int, str]) -> None:
    """A resource type that has no settings is refused."""
    answer = exchange.ask(f"a resource of type {resource[0]}", request(resource), 4)

    assert (only(answer).error_code, only(answer).configs) == (ErrorCode.INVALID_REQUEST, ())


@variants("kind", logger=LOGGER, client_metrics=CLIENT_METRICS, group=GROUP)
def test_a_resource_without_a_name_is_refused(exchange: Exchange, kind: int) -> None:
    """Loggers, client metrics and groups without a name are refused."""
    answer = exchange.ask("a resource without a name", request((kind, "")), 4)

    assert only(answer).error_code == ErrorCode.INVALID_REQUEST


def test_settings_of_a_group_are_told(exchange: Exchange) -> None:
    """A group that does not exist has settings, too."""
    answer = exchange.ask("a group that is not there", request((GROUP, exchange.name("readers"))), 4)

    assert only(answer).error_code == ErrorCode.NONE
    found = by_name(only(answer))["consumer.session.timeout.ms"]
    assert found.value == "45000" or found.config_source != DEFAULT


def test_settings_of_client_metrics_are_told(exchange: Exchange) -> None:
    """A subscription to client metrics that does not exist has the default settings; before 4.1 none were described."""
    answer = exchange.ask("a subscription that is not there", request((CLIENT_METRICS, exchange.name("metrics"))), 4)

    assert only(answer).error_code == ErrorCode.NONE
    told = {one.name: one.value for one in only(answer).configs}
    assert told == ({"interval.ms": "300000", "match": "", "metrics": ""} if is_since(exchange, "4.1") else {})


@versions(1, 4)
def test_each_resource_has_an_answer_of_its_own(exchange: Exchange, version: int) -> None:
    """In one request an existing topic is described and an unknown one refused."""
    topic, other = exchange.topic("known"), exchange.name("unknown")
    answer = exchange.ask("a topic that is there and one that is not", request((TOPIC, topic), (TOPIC, other)), version)

    codes = {found.resource_name: found.error_code for found in answer.results}
    assert codes == {topic: ErrorCode.NONE, other: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION}


@versions(4)
def test_a_resource_named_twice(exchange: Exchange, version: int) -> None:
    """A resource that is named twice in a request is described at least once, each time the same."""
    topic = exchange.topic()
    twice = request((TOPIC, topic), (TOPIC, topic), keys=("retention.ms",))
    answer = exchange.ask("one topic twice", twice, version)

    told = [(found.resource_name, [(one.name, one.value) for one in found.configs]) for found in answer.results]
    assert told
    assert all(one == (topic, [("retention.ms", "-1")]) for one in told)


@versions(1, 4)
def test_no_resources_get_an_empty_answer(exchange: Exchange, version: int) -> None:
    """A request without resources is answered without resources."""
    assert exchange.ask("no resources", request(), version).results == ()

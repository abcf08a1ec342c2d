"""CreateTopics (key 19) with settings of the new topics.

**Claim** A topic whose creation succeeded has the given settings, and from version 5 on the answer contains its numbers
of partitions and replicas and all its settings. Settings that are invalid, or that contradict each other, are refused,
and no topic is created.
**Why it matters** A topic with wrong settings keeps records for too long, or not long enough.
**Kafka says** Protocol guide, CreateTopics; KIP-525 (size and settings in the answer); topic configuration.
**Cannot see** The effects of settings (see other checks); settings in a broker's own file.
**Rejects** tests/plants/makes_topics_without_their_settings.py, tests/plants/takes_any_value_of_a_setting.py
"""

from __future__ import annotations

import pytest

from harness.comparing.created_topics import (
    create,
    is_there,
    new_topic,
    only_topic,
    settings_of,
    size_of,
)
from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import versions
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode

pytestmark = [pytest.mark.feature("CreateTopics"), pytest.mark.kip(525)]


@versions(5, 7)
def test_the_answer_tells_what_was_made(exchange: Exchange, version: int) -> None:
    """From version 5 on the answer contains the topic's size and all its settings, given ones and defaults."""
    config, name = {"retention.ms": "123456", "cleanup.policy": "compact"}, exchange.name("orders")
    answer = exchange.ask("a topic with two settings", create(new_topic(name, 3, config=config)), version)

    found = only_topic(answer)
    assert (found.num_partitions, found.replication_factor) == size_of(exchange, name) == (3, 1)
    told = {one.name: one.value for one in found.configs or ()}
    assert {key: told[key] for key in config} == config
    require(settings_of(exchange, name), told, "the settings of the topic")


@versions(2, 5, 7)
def test_a_topic_has_the_settings_that_were_given(exchange: Exchange, version: int) -> None:
    """In every version a topic has the settings in the request."""
    config, name = {"retention.ms": "123456", "cleanup.policy": "compact"}, exchange.name("orders")
    answer = exchange.ask("a topic with two settings", create(new_topic(name, config=config)), version)

    assert only_topic(answer).error_code == ErrorCode.NONE
    assert size_of(exchange, name) == (1, 1)
    found = settings_of(exchange, name)
    require({key: found[key] for key in config}, config, "the settings of the topic")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("no.such.key", "1"),
        ("retention.ms", "soon"),
        ("retention.ms", "-2"),
        ("retention.ms", ""),
        ("cleanup.policy", "shred"),
        ("cleanup.policy", "compact,shred"),
        ("min.cleanable.dirty.ratio", "1.5"),
        ("min.insync.replicas", "0"),
        ("max.message.bytes", "-1"),
        ("segment.bytes", "13"),
        ("segment.bytes", "99999999999"),
        ("compression.type", "rar"),
        ("message.timestamp.type", "Lunch"),
        ("unclean.leader.election.enable", "perhaps"),
        ("message.downconversion.enable", "true"),
        ("remote.storage.enable", "true"),
        ("leader.replication.throttled.replicas", "all"),
        ("flush.messages", "0"),
        ("delete.retention.ms", "-1"),
    ],
    ids=lambda word: word or "nothing",
)
def test_a_setting_that_cannot_be_is_refused(exchange: Exchange, key: str, value: str) -> None:
    """An unknown setting, or a value outside its range, is refused."""
    name = exchange.name("orders")
    answer = exchange.ask(f"{key}={value}", create(new_topic(name, config={key: value})), 7)

    assert only_topic(answer).error_code == ErrorCode.INVALID_CONFIG
    assert not is_there(exchange, name)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cleanup.policy", ""),
        ("cleanup.policy", "compact,delete"),
        ("cleanup.policy", " delete "),
        ("retention.ms", "-1"),
        ("retention.ms", " 7 "),
        ("retention.bytes", "-1"),
        ("compression.type", "zstd"),
        ("message.timestamp.type", "LogAppendTime"),
        ("min.cleanable.dirty.ratio", "1"),
        ("preallocate", "TRUE"),
        ("leader.replication.throttled.replicas", "*"),
        ("leader.replication.throttled.replicas", "0:1,1:1"),
        ("compression.zstd.level", "-5"),
    ],
    ids=lambda word: word.strip() or "nothing",
)
def test_a_setting_that_can_be_is_taken(exchange: Exchange, key: str, value: str) -> None:
    """Values may have spaces around them, some lists may be empty, and booleans may be in capitals."""
    name = exchange.name("orders")
    answer = exchange.ask(f"{key}={value!r}", create(new_topic(name, config={key: value})), 7)

    assert only_topic(answer).error_code == ErrorCode.NONE
    assert size_of(exchange, name) == (1, 1)
    told, wanted = (settings_of(exchange, name)[key] or "").lower(), value.strip().lower()
    assert told == wanted or float(told) == float(wanted)


@versions(2, 7)
def test_a_null_setting_is_refused(exchange: Exchange, version: int) -> None:
    """A setting with the value null is refused."""
    name = exchange.name("orders")
    topic = new_topic(name, config={"retention.ms": None, "cleanup.policy": None})
    answer = exchange.ask("two settings that are null", create(topic), version)

    assert only_topic(answer).error_code == ErrorCode.INVALID_CONFIG
    assert not is_there(exchange, name)


def test_settings_that_contradict_each_other_are_refused(exchange: Exchange) -> None:
    """A min.compaction.lag.ms above max.compaction.lag.ms is refused."""
    config, name = {"min.compaction.lag.ms": "2000", "max.compaction.lag.ms": "1000"}, exchange.name("orders")
    answer = exchange.ask("a least lag above the greatest", create(new_topic(name, config=config)), 7)

    assert only_topic(answer).error_code == ErrorCode.INVALID_CONFIG
    assert not is_there(exchange, name)

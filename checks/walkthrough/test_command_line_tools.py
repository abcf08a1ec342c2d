"""Kafka's own command-line tools work.

**Claim** The command-line tools that come with Kafka work on this cluster: they create, list, describe and alter a
topic, send lines and print them, set retention, and show a group's lag.

**Why it matters** Operators use them in emergencies, and every tutorial starts with them.

**Kafka says** documentation, "Quickstart" and "Basic Kafka Operations".

**Cannot see** the shell scripts of the tools: their Java classes are run as the scripts run them.

**Rejects** tests/plants/adds_no_partitions.py, tests/plants/commits_one_too_far.py,
tests/plants/ignores_altered_settings.py, tests/plants/turns_batches_round.py
"""

from __future__ import annotations

import re

import pytest

from harness.clients.client import library
from harness.clients.operators.operator import Operator
from harness.clients.transfer import Outgoing, produce, read_all
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.targets.kafka_tools import Java, succeed
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("Tools"),
    pytest.mark.needs("java"),
    pytest.mark.document("Kafka documentation, Quickstart", "https://kafka.apache.org/documentation/"),
    pytest.mark.document("Kafka documentation, Basic Kafka Operations", "https://kafka.apache.org/documentation/"),
]
LINES = ("안녕 Kafka!", "첫 번째 메시지예요", "실시간으로 전달될까요?")
GROUPS = "consumer.group.ConsumerGroupCommand"


@pytest.mark.claim("M7")
def test_topics_are_made_described_and_altered(cluster: Cluster, names: Names, java: Java) -> None:
    """kafka-topics creates a topic with three partitions, lists and describes it, and gives it ten partitions."""
    topic, server = names.topic("hello-kafka"), ("--bootstrap-server", cluster.bootstrap)
    made = java.tool(
        "TopicCommand", *server, "--create", "--topic", topic, "--partitions", "3", "--replication-factor", "1"
    )
    assert f"Created topic {topic}." in succeed(made, "kafka-topics --create")

    listed = succeed(java.tool("TopicCommand", *server, "--list"), "kafka-topics --list").split()
    assert topic in listed, f"{topic} was made, and kafka-topics --list does not print it"
    for count in (3, 10):
        if count == 10:
            succeed(java.tool("TopicCommand", *server, "--alter", "--topic", topic, "--partitions", "10"), "--alter")
        described = succeed(java.tool("TopicCommand", *server, "--describe", "--topic", topic), "--describe")
        assert f"PartitionCount: {count}" in described, f"kafka-topics --describe: not {count} partitions:\n{described}"
        leaders = re.findall(r"Leader: (\d+)", described)
        require(len(leaders), count, "the number of leaders that kafka-topics --describe printed")


@pytest.mark.claim("O7", "O3")
def test_lines_are_sent_and_printed_again(cluster: Cluster, operator: Operator, names: Names, java: Java) -> None:
    """kafka-console-producer sends three lines in Korean; kafka-console-consumer prints them from the beginning."""
    topic, server = names.topic("hello-kafka"), ("--bootstrap-server", cluster.bootstrap)
    operator.create_topic(topic, partitions=1)

    succeed(
        java.tool("ConsoleProducer", *server, "--topic", topic, stdin="\n".join(LINES) + "\n"), "the console producer"
    )
    read_back = java.tool(
        "consumer.ConsoleConsumer", *server, "--topic", topic, "--from-beginning", "--max-messages", "3"
    )

    printed = succeed(read_back, "the console consumer").splitlines()
    require(printed, list(LINES), "what the console consumer printed")


@pytest.mark.claim("M7")
def test_retention_is_set(cluster: Cluster, operator: Operator, names: Names, java: Java) -> None:
    """kafka-configs sets a topic's retention to seven days, and describes it."""
    topic = names.topic("my-topic")
    operator.create_topic(topic)
    entity = ("--bootstrap-server", cluster.bootstrap, "--entity-type", "topics", "--entity-name", topic)

    succeed(
        java.tool(java.config_command, *entity, "--alter", "--add-config", "retention.ms=604800000"),
        "kafka-configs --alter",
    )

    described = succeed(java.tool(java.config_command, *entity, "--describe"), "kafka-configs --describe")
    assert "retention.ms=604800000" in described, f"kafka-configs --describe printed no retention.ms:\n{described}"
    require(operator.topic_config(topic)["retention.ms"], "604800000", "retention.ms, described by another client,")


@pytest.mark.claim("G3")
def test_lag_is_shown(cluster: Cluster, operator: Operator, names: Names, java: Java) -> None:
    """kafka-consumer-groups shows that a group that committed 70 of 100 records lags by 30."""
    topic, group, confluent = names.topic("orders"), names.group("my-group"), library("confluent")
    operator.create_topic(topic)
    produce(confluent, cluster.bootstrap, topic, [Outgoing(value=b"%d" % n, partition=0) for n in range(70)])
    settings = ClientSettings(consumers="subscribe", commit="sync")
    consumer = confluent.consumer(cluster.bootstrap, settings, "kitchen", group)
    consumer.subscribe([topic], lambda partitions: None)
    read_all(consumer, 70, "the group")
    consumer.commit()
    consumer.close()
    produce(confluent, cluster.bootstrap, topic, [Outgoing(value=b"%d" % n, partition=0) for n in range(30)])

    shown = java.tool(GROUPS, "--bootstrap-server", cluster.bootstrap, "--describe", "--group", group)

    (row,) = [line.split() for line in succeed(shown, "kafka-consumer-groups").splitlines() if topic in line]
    wanted = [group, topic, "0", "70", "100", "30"]
    require(row[:6], wanted, "the row that kafka-consumer-groups printed (group, topic, partition, offset, end, lag)")

"""Orders survive a killed broker."""

from __future__ import annotations

from orders import read_orders, send_orders

from harness import KafkaCluster, KafkaDrive, KafkaNemesis, Queue


def test_orders_survive_a_killed_broker(kafka_broker: KafkaCluster, kafka_nemesis: KafkaNemesis) -> None:
    topic = kafka_broker.new_topic("orders")
    send_orders(kafka_broker.bootstrap, topic, ["espresso"])

    with kafka_nemesis("kill") as killed:
        assert "no process" in killed.proof

    assert read_orders(kafka_broker.bootstrap, topic, kafka_broker.new_name("group"), 1) == ["espresso"]


def test_what_a_test_leaves_killed_is_healed_at_its_end(
    kafka_broker: KafkaCluster, kafka_nemesis: KafkaNemesis
) -> None:
    kafka_nemesis("kill")


def test_the_broker_of_the_next_test_runs(kafka_broker: KafkaCluster) -> None:
    send_orders(kafka_broker.bootstrap, kafka_broker.new_topic("orders"), ["cortado"])


def test_promises_hold_while_a_broker_is_killed(kafka_broker: KafkaCluster, kafka_drive: KafkaDrive) -> None:
    queue = Queue(topic=kafka_broker.new_name("orders"), rate=100)

    driven = kafka_drive(queue, "kill", duration_s=8)

    assert driven.verdicts

"""What this project is about: orders, sent to a topic and read from it."""

from __future__ import annotations

from confluent_kafka import Consumer, Producer


def send_orders(bootstrap: str, topic: str, orders: list[str]) -> None:
    """Sends orders and waits until all are acknowledged."""
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    for order in orders:
        producer.produce(topic, order.encode())
    left = producer.flush(20)
    assert left == 0, f"{left} orders are not acknowledged"


def read_orders(bootstrap: str, topic: str, group: str, count: int) -> list[str]:
    """The first orders of a topic, as a new group gets them."""
    settings = {"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest"}
    consumer = Consumer(settings)
    consumer.subscribe([topic])
    try:
        return [(message.value() or b"").decode() for message in consumer.consume(count, timeout=20)]
    finally:
        consumer.close()

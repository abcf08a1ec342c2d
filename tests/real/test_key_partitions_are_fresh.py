"""The partitions of keys that checks compare with are those that Kafka's own partitioner chooses."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_key_partitions_are_those_of_kafka(kafka: Any, root: Path) -> None:
    printed = kafka.say(str(root / "tests" / "vectors" / "KeyPartitions.java"))

    assert printed == (root / "checks" / "ordering" / "key_partitions.json").read_text("utf-8")

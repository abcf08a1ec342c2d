"""The hash that decides where a group lives is Java's. What is expected was printed by Java 17."""

from __future__ import annotations

import pytest

from reference_broker.java_hash import java_hash, partition_for


@pytest.mark.parametrize(
    ("text", "value"),
    [("", 0), ("a", 97), ("hello", 99162322), ("polygenelubricants", -(1 << 31)), ("한국어", 53916739), ("𝄞", 1772394)],
)
def test_a_strings_hash_is_that_of_java(text: str, value: int) -> None:
    assert java_hash(text) == value


@pytest.mark.parametrize(("group", "partition"), [("hello", 22), ("polygenelubricants", 0), ("console-consumer", 40)])
def test_a_group_lives_in_the_partition_that_kafka_puts_it_in(group: str, partition: int) -> None:
    assert partition_for(group, 50) == partition

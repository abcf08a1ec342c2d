"""The settings that sequences try: of every kind in Kafka's table, without those that would spoil the target."""

from __future__ import annotations

from random import Random

import pytest

from harness.search.sequences.settings import BROKER_VALUES, UNTRIED, setting
from harness.search.strategies.setting_values import BROKER, CLIENT_METRICS, GROUP, TOPIC, rows, values_of

MANY = 20_000


def tried(resource_type: int) -> set[tuple[str, str | None]]:
    random = Random(1)
    return {setting(random, resource_type) for _ in range(MANY)}


@pytest.mark.parametrize("resource_type", [TOPIC, GROUP, CLIENT_METRICS])
def test_every_setting_of_the_table_is_tried(resource_type: int) -> None:
    listed = {name for name, row in rows(resource_type).items() if not row.is_internal}

    assert listed <= {name for name, _ in tried(resource_type)}


def test_of_a_node_only_what_its_cluster_takes_at_once_is_tried() -> None:
    changeable = {name for name, row in rows(BROKER).items() if row.is_changeable}

    assert {name for name, _ in tried(BROKER)} <= changeable | set(BROKER_VALUES)


def test_what_breaks_a_log_is_not_tried() -> None:
    assert not {(name, value) for name, values in UNTRIED.items() for value in values} & tried(TOPIC)


def test_a_group_s_numbers_have_no_blanks_around_them() -> None:
    assert all(value is None or value == value.strip() for _, value in tried(GROUP))


def test_values_lie_on_both_sides_of_each_border() -> None:
    assert {"-2", "-1", "0", "9223372036854775807", "9223372036854775808"} <= set(
        values_of(rows(TOPIC)["retention.ms"])
    )
    assert {"8", "9", "10"} - set(values_of(rows(TOPIC)["compression.gzip.level"])) == {"8"}

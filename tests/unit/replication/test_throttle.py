"""Throttles of replication (KIP-73)."""

from __future__ import annotations

import pytest

from reference_broker.replication.throttle import ByteRate, Throttle, Throttles, is_throttled


def test_a_rate_is_over_the_windows_of_the_last_seconds() -> None:
    rate = ByteRate(count=3, window_ms=1000)
    for second in range(3):
        rate.record(600, second * 1000)
    assert rate.at(3000 - 1) == pytest.approx(1800 * 1000 / 2999)
    assert rate.at(3000) == pytest.approx(1200 * 1000 / 2000)


def test_a_rate_is_over_one_window_at_least() -> None:
    rate = ByteRate()
    rate.record(500, 10)
    assert rate.at(10) == 500


def test_nothing_has_passed_after_all_windows() -> None:
    rate = ByteRate(count=2)
    rate.record(500, 0)
    assert rate.at(2000) == 0


def test_a_throttle_without_a_limit_is_never_exceeded() -> None:
    throttle = Throttle()
    throttle.record(1 << 40, 0)
    assert not throttle.is_exceeded(0)


def test_a_brokers_own_limit_overrules_the_clusters() -> None:
    throttles = Throttles()
    throttles.configure({"leader.replication.throttled.rate": "5"}, {"leader.replication.throttled.rate": "7"})
    assert (throttles.leader.limit, throttles.follower.limit) == (7, None)
    throttles.configure({}, {})
    assert throttles.leader.limit is None


@pytest.mark.parametrize(("listed", "is_named"), [("", False), ("*", True), ("0:1,2:1", True), ("0:2,2:2,1:1", False)])
def test_a_topic_names_its_throttled_replicas(listed: str, is_named: bool) -> None:
    assert is_throttled(listed, 2, 1) is is_named

"""Which wrong setting is named, and how far the numbers of a node's threads may go."""

from __future__ import annotations

import pytest

from reference_broker.config_values import ConfigInvalid, ConfigType, parse_value
from reference_broker.controller.setting_order import in_order
from reference_broker.controller.thread_counts import reason_refused


def refused(name: str, wanted: str, now: int = 8) -> str | None:
    return reason_refused({name: wanted}, lambda key: now)


def test_settings_are_looked_at_in_kafka_s_order() -> None:
    assert in_order(["cleanup.policy", "unknown", "segment.bytes"]) == ["segment.bytes", "cleanup.policy", "unknown"]


@pytest.mark.parametrize("wanted", ["4", "8", "16"])
def test_threads_may_be_halved_and_doubled(wanted: str) -> None:
    assert refused("num.io.threads", wanted) is None


@pytest.mark.parametrize("wanted", ["0", "3", "17"])
def test_threads_go_no_further(wanted: str) -> None:
    assert f"num.io.threads={wanted}" in str(refused("num.io.threads", wanted))


def test_a_cleaner_without_threads_is_refused_as_kafka_does() -> None:
    assert refused("log.cleaner.threads", "0", 1) == "/ by zero"
    assert reason_refused({"num.io.threads": "1", "log.cleaner.threads": "0"}, lambda key: 8) == "/ by zero"


def test_other_numbers_are_not_threads() -> None:
    assert refused("message.max.bytes", "1") is None


@pytest.mark.parametrize(("text", "value"), [("0.5f", 0.5), (".5", 0.5), ("1e-1", 0.1), ("1D", 1.0), ("+2.", 2.0)])
def test_decimal_numbers_are_read_as_java_reads_them(text: str, value: float) -> None:
    assert parse_value("x", ConfigType.DOUBLE, text) == value


@pytest.mark.parametrize("text", ["1_0", "nan", "inf", "1e", "", "0.5ff", "-"])
def test_what_java_does_not_read_is_no_decimal_number(text: str) -> None:
    with pytest.raises(ConfigInvalid):
        parse_value("x", ConfigType.DOUBLE, text)

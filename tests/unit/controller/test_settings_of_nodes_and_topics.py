"""Which wrong setting is named, and how far the numbers of a node's threads may go."""

from __future__ import annotations

import pytest

from reference_broker.controller.node_settings import reason_refused
from reference_broker.settings.config_key import ConfigType, parse_value
from reference_broker.settings.validators import ConfigInvalid

NOW = {
    "log.cleaner.dedupe.buffer.size": 128 << 20,
    "log.retention.ms": 1000,
    "log.retention.bytes": -1,
    "log.local.retention.ms": -2,
    "log.local.retention.bytes": -2,
}


def refused(name: str, wanted: str, now: int = 8) -> str | None:
    return reason_refused({name: wanted}, lambda key: NOW.get(key, now))


@pytest.mark.parametrize("wanted", ["4", "8", "16"])
def test_threads_may_be_halved_and_doubled(wanted: str) -> None:
    assert refused("num.io.threads", wanted) is None


@pytest.mark.parametrize("wanted", ["0", "3", "17"])
def test_threads_go_no_further(wanted: str) -> None:
    assert f"num.io.threads={wanted}" in str(refused("num.io.threads", wanted))


def test_a_cleaner_without_threads_is_refused_before_other_threads() -> None:
    said = "requirement failed: log.cleaner.threads must be greater than or equal to 1"
    assert refused("log.cleaner.threads", "0", 1) == said
    assert reason_refused({"num.io.threads": "1", "log.cleaner.threads": "0"}, lambda key: NOW.get(key, 8)) == said


@pytest.mark.parametrize(
    ("name", "wanted", "said"),
    [
        ("log.roll.ms", "0", "requirement failed: log.roll.ms must be"),
        ("log.roll.jitter.ms", "-1", "requirement failed: log.roll.jitter.ms must be"),
        ("log.retention.ms", "0", "requirement failed: log.retention.ms must be"),
        ("log.cleaner.dedupe.buffer.size", str(8 << 20), "at least 1MB per cleaner thread"),
        ("max.connections", "0", "Invalid max.connections 0"),
        ("remote.log.reader.threads", "17", "not be greater than double the current value 8"),
        ("group.share.assignment.interval.ms", "7", "must be greater than or equal to group.share.min.assignment"),
        ("group.streams.assignment.interval.ms", "9", "must be less than or equal to group.streams.max.assignment"),
        ("log.local.retention.ms", "-1", "must not be -1 as log.retention.ms value is set as 1000"),
        ("log.local.retention.ms", "1001", "must not be more than log.retention.ms property value: 1000"),
    ],
)
def test_settings_of_a_node_fit_each_other(name: str, wanted: str, said: str) -> None:
    assert said in str(refused(name, wanted))


@pytest.mark.parametrize(("name", "wanted"), [("log.local.retention.ms", "1000"), ("log.local.retention.bytes", "-1")])
def test_what_fits_is_taken(name: str, wanted: str) -> None:
    assert refused(name, wanted) is None


@pytest.mark.parametrize("name", ["log.roll.ms", "log.roll.jitter.ms"])
def test_a_number_that_was_not_set_may_be_set(name: str) -> None:
    def current(key: str) -> int:
        assert key != name, f"{name} has no value"
        return NOW.get(key, 8)

    assert reason_refused({name: "1"}, current) is None


def test_other_numbers_are_not_threads() -> None:
    assert refused("message.max.bytes", "1") is None


@pytest.mark.parametrize(("text", "value"), [("0.5f", 0.5), (".5", 0.5), ("1e-1", 0.1), ("1D", 1.0), ("+2.", 2.0)])
def test_decimal_numbers_are_read_as_java_reads_them(text: str, value: float) -> None:
    assert parse_value("x", ConfigType.DOUBLE, text) == value


@pytest.mark.parametrize("text", ["1_0", "nan", "inf", "1e", "", "0.5ff", "-"])
def test_what_java_does_not_read_is_no_decimal_number(text: str) -> None:
    with pytest.raises(ConfigInvalid):
        parse_value("x", ConfigType.DOUBLE, text)

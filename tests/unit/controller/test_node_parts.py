"""Folders, addresses and classes that a running node's settings name."""

from __future__ import annotations

import pytest

from reference_broker.controller.node_parts import part_refused, reporters_refused

JMX = "org.apache.kafka.common.metrics.JmxReporter"


@pytest.mark.parametrize("wanted", ["", "*", "*,*", "/a", "/a, /b"])
def test_folders_of_the_node_may_be_cordoned(wanted: str) -> None:
    assert part_refused({"cordoned.log.dirs": wanted}, ("/a", "/b")) is None


@pytest.mark.parametrize(
    ("wanted", "said"), [("/a,/c,/d,/c", "Missing entries : /c, /d"), ("*,/a", "it must not contain other values")]
)
def test_other_folders_may_not(wanted: str, said: str) -> None:
    assert str(part_refused({"cordoned.log.dirs": wanted}, ("/a", "/b"))).endswith(said)


@pytest.mark.parametrize("wanted", ["", " ", "a:1", "a:1,", "::1:5", "a: +1 , b:-1"])
def test_addresses_have_numbers_of_connections(wanted: str) -> None:
    assert part_refused({"max.connections.per.ip.overrides": wanted}, ()) is None


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("a", "begin 0, end -1, length 1"),
        ("a:1,bcd", "begin 0, end -1, length 3"),
        ("a:b", 'For input string: "b"'),
        ("a:+-1", 'For input string: "+-1"'),
        ("a:2147483648", 'For input string: "2147483648"'),
    ],
)
def test_an_address_without_a_number_is_refused(wanted: str, said: str) -> None:
    assert str(part_refused({"max.connections.per.ip.overrides": wanted}, ())).endswith(said)


def test_no_connections_at_all_need_an_exception() -> None:
    none = {"max.connections.per.ip": "0"}
    assert "can be set to zero only if" in str(part_refused(none, ()))
    assert part_refused({**none, "max.connections.per.ip.overrides": "a:1"}, ()) is None


@pytest.mark.parametrize(("wanted", "is_refused"), [("", False), (JMX, False), (f"{JMX},x", True), (f"{JMX},", True)])
def test_reporters_of_metrics_are_classes_that_there_are(wanted: str, is_refused: bool) -> None:
    assert (reporters_refused({"metric.reporters": wanted}) is not None) is is_refused

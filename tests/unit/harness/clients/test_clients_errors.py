"""Which errors of a send are certain."""

from __future__ import annotations

import pytest
from kafka import errors

from harness.clients.client import classified, library
from harness.clients.kafka_python import error_name
from harness.history.operations import OpType


@pytest.mark.parametrize("name", ["MESSAGE_TOO_LARGE", "INVALID_RECORD", "INVALID_TIMESTAMP", "MSG_SIZE_TOO_LARGE"])
def test_a_record_that_no_attempt_can_have_written_is_a_fail(name: str) -> None:
    assert classified(name) is OpType.FAIL


@pytest.mark.parametrize(
    "name",
    ["REQUEST_TIMED_OUT", "MSG_TIMED_OUT", "NOT_LEADER_OR_FOLLOWER", "UNKNOWN_TOPIC_OR_PARTITION", "NEVER_HEARD"],
)
def test_everything_else_is_an_info(name: str) -> None:
    assert classified(name) is OpType.INFO


def test_kafka_python_s_class_for_a_large_message_has_kafka_s_name() -> None:
    assert error_name(errors.MessageSizeTooLargeError()) == "MESSAGE_TOO_LARGE"


def test_an_unknown_client_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="confluent, kafka_python, aiokafka, raw"):
        library("none")

"""JoinGroup as a client meets it, in every version."""

from __future__ import annotations

import pytest
from broker_with_groups import BrokerWithGroups

from reference_broker.wire.errors import ErrorCode


@pytest.fixture
def broker() -> BrokerWithGroups:
    broker = BrokerWithGroups()
    broker.create_offsets_topic()
    return broker


@pytest.mark.parametrize("version", range(10))
def test_an_empty_group_id_is_refused(broker: BrokerWithGroups, version: int) -> None:
    response = broker.join("m", version, group_id="")

    assert (response.error_code, response.member_id) == (ErrorCode.INVALID_GROUP_ID, "m")


@pytest.mark.parametrize("version", range(10))
def test_an_unknown_member_is_refused(broker: BrokerWithGroups, version: int) -> None:
    assert broker.join("m", version).error_code == ErrorCode.UNKNOWN_MEMBER_ID


@pytest.mark.parametrize("version", range(4, 10))
def test_a_member_id_is_required(broker: BrokerWithGroups, version: int) -> None:
    assert broker.join(version=version).error_code == ErrorCode.MEMBER_ID_REQUIRED


@pytest.mark.parametrize("version", range(4))
def test_a_member_id_is_not_required(broker: BrokerWithGroups, version: int) -> None:
    assert broker.join(version=version) is None
    broker.wait(3_000)
    assert broker.answer().error_code == ErrorCode.NONE


def test_version_zero_has_the_session_timeout_for_rebalances(broker: BrokerWithGroups) -> None:
    broker.join(version=0, session_timeout_ms=7_000)
    broker.wait(3_000)
    broker.answer()
    broker.join(version=0, session_timeout_ms=7_000)
    broker.wait(7_001)

    assert broker.answer().error_code == ErrorCode.NONE


def test_without_the_internal_topic_nobody_coordinates() -> None:
    assert BrokerWithGroups().join().error_code == ErrorCode.NOT_COORDINATOR


def test_a_session_timeout_out_of_bounds_is_refused(broker: BrokerWithGroups) -> None:
    assert broker.join(session_timeout_ms=1).error_code == ErrorCode.INVALID_SESSION_TIMEOUT


def test_a_group_survives_a_restart(broker: BrokerWithGroups) -> None:
    member_id = broker.member()
    later = broker.restarted(is_clean=False)

    assert later.sync(member_id).assignment == b"all"

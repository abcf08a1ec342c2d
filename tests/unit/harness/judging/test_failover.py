"""What a member may hear while its coordinator fails over, and what it may not."""

from __future__ import annotations

import pytest

from harness.clients.group_client import Step
from harness.judging.failover import offsets_gone_back, refused_wrongly
from reference_broker.wire.errors import ErrorCode

OLD, NEW = 1, 2


def commit(offset: int, error: ErrorCode | None = ErrorCode.NONE, node: int = OLD) -> Step:
    return Step(1.0, "commit", node, error, offset)


def told(offset: int, node: int = NEW) -> Step:
    return Step(2.0, "fetch", node, ErrorCode.NONE, offset)


def heard(request: str, error: ErrorCode | None) -> Step:
    return Step(2.0, request, NEW, error)


FINE = [
    commit(0),
    commit(1),
    commit(2, None),
    heard("find", ErrorCode.COORDINATOR_NOT_AVAILABLE),
    heard("heartbeat", ErrorCode.NOT_COORDINATOR),
    heard("commit", ErrorCode.COORDINATOR_NOT_AVAILABLE),
    heard("fetch", ErrorCode.COORDINATOR_LOAD_IN_PROGRESS),
    told(1),
    commit(3, node=NEW),
    told(3),
]


def test_a_failover_in_which_all_is_kept_holds() -> None:
    assert (refused_wrongly(FINE), offsets_gone_back(FINE)) == ([], [])


def test_a_commit_without_an_answer_may_have_been_made() -> None:
    assert offsets_gone_back([commit(0), commit(1, None), told(1)]) == []


@pytest.mark.parametrize(
    ("request_name", "error"),
    [
        ("heartbeat", ErrorCode.UNKNOWN_MEMBER_ID),
        ("commit", ErrorCode.ILLEGAL_GENERATION),
        ("commit", ErrorCode.UNKNOWN_SERVER_ERROR),
        ("fetch", ErrorCode.GROUP_ID_NOT_FOUND),
        ("find", ErrorCode.NOT_COORDINATOR),
    ],
)
def test_an_answer_that_makes_a_member_give_up_is_rejected(request_name: str, error: ErrorCode) -> None:
    assert refused_wrongly([*FINE, heard(request_name, error)]) == [
        f"{request_name} was answered {error.name} by node 2 after 2.0 s"
    ]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([commit(0), commit(1), told(0)], "node 2 told offset 0 after 2.0 s, and 1 was acknowledged"),
        ([commit(0), told(-1)], "node 2 told offset -1 after 2.0 s, and 0 was acknowledged"),
        ([commit(0), commit(1, None), told(1), told(0)], "node 2 told offset 0 after 2.0 s, and 1 was acknowledged"),
        ([commit(0), told(7)], "node 2 told offset 7 after 2.0 s, and nobody committed it"),
    ],
)
def test_a_failover_is_rejected(steps: list[Step], said: str) -> None:
    assert offsets_gone_back(steps) == [said]

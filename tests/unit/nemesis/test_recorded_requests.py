"""What faults ask a cluster for stands in the history, also when it is refused or nobody answers."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.history.admin_calls import recording
from harness.history.files import HistoryWriter, read_history
from harness.history.operations import AdminCall, OpType
from harness.hosts.host import HostTrouble
from nemesis.quorum import QuorumVoter, add_voter, remove_voter
from nemesis.requests import PREFERRED, NotYet, elect, reassign
from reference_broker.wire.errors import ErrorCode

VOTER = QuorumVoter(101, b"d" * 16, ())
REQUESTS: dict[str, Callable[[], None]] = {
    "ElectLeaders": lambda: elect("nowhere:1", "orders", 0, PREFERRED),
    "AlterPartitionReassignments": lambda: reassign("nowhere:1", "orders", 0, (1, 2)),
    "RemoveRaftVoter": lambda: remove_voter("nowhere:1", VOTER),
    "AddRaftVoter": lambda: add_voter("nowhere:1", VOTER),
}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """Has every request answered with an error code; None for no answer."""

    def set_answer(code: int | None) -> None:
        def ask(*_: Any) -> Any:
            if code is None:
                raise NotYet("no broker answers")
            return SimpleNamespace(error_code=code, replica_election_results=(), responses=())

        for module in ("nemesis.requests", "nemesis.quorum"):
            monkeypatch.setattr(import_module(module), "ask", ask)

    return set_answer


@pytest.mark.parametrize("api", REQUESTS)
@pytest.mark.parametrize(
    ("code", "kind", "raised"),
    [
        (ErrorCode.NONE, OpType.OK, None),
        (ErrorCode.CLUSTER_AUTHORIZATION_FAILED, OpType.FAIL, HostTrouble),
        (ErrorCode.REQUEST_TIMED_OUT, OpType.INFO, NotYet),
        (None, OpType.INFO, NotYet),
    ],
)
def test_a_request_is_written_with_its_answer(
    answers: Callable[[int | None], None],
    tmp_path: Path,
    api: str,
    code: ErrorCode | None,
    kind: OpType,
    raised: type[Exception] | None,
) -> None:
    answers(code)
    with HistoryWriter(tmp_path / "history.jsonl") as writer, recording(writer):
        if raised is None:
            REQUESTS[api]()
        else:
            with pytest.raises(raised):
                REQUESTS[api]()

    begun, done = read_history(tmp_path / "history.jsonl").operations
    assert (begun.kind, done.kind, done.of) == (OpType.INVOKE, kind, begun.index)
    assert isinstance(begun.value, AdminCall)
    assert begun.value.api == api
    assert done.error == (None if kind is OpType.OK else code.name if code else "no broker answers")

"""Answers that leaders were elected where nobody had to be elected.

**Bug** ElectLeaders does not look whether the preferred replica leads already: an operator who asks for all partitions
cannot see which ones have moved.

**Rejected by**
`checks/metadata/test_elect_leaders.py::test_a_preferred_leader_needs_no_election[v2]`: ELECTION_NOT_NEEDED
"""

from __future__ import annotations

from typing import Any

from reference_broker.controller import elections
from reference_broker.controller.decision import Refusal
from reference_broker.wire.errors import ErrorCode


def plant() -> None:
    """Puts it in."""
    usual = elections._elect

    def pretend(*arguments: Any) -> Refusal | None:
        refusal = usual(*arguments)
        return None if refusal is not None and refusal.code is ErrorCode.ELECTION_NOT_NEEDED else refusal

    elections._elect = pretend

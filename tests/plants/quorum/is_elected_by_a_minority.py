"""Takes itself for elected by its own vote.

**Bug** The votes of an election are not counted.

**Rejected by**
`python -m harness simulate`: below what is committed
"""

from __future__ import annotations

from reference_broker.raft.ballot import Ballot


def plant() -> None:
    """Plants it."""
    Ballot.is_won = property(lambda self: True)  # type: ignore[assignment,method-assign]

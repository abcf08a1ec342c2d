"""Says that a voter was removed where no voter has that id and that directory.

**Bug** RemoveRaftVoter does not look for the voter: an operator who mistypes a directory id believes that the old
controller has no vote any more.

**Rejected by**
`checks/metadata/test_remove_raft_voter.py::test_another_directory_is_another_voter`: VOTER_NOT_FOUND
"""

from __future__ import annotations

from typing import Any

from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.remove_raft_voter_response import RemoveRaftVoterResponse
from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""

    def content(request: Any, ctx: Any, usual: Any) -> Any:
        answer = usual(request, ctx)
        if getattr(answer, "error_code", 0) == ErrorCode.VOTER_NOT_FOUND:
            return RemoveRaftVoterResponse(error_message=None)
        return answer

    handle_otherwise("remove_raft_voter", content)

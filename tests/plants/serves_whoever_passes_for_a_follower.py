"""Serves whoever fetches in the name of a broker.

**Bug** Fetch does not look whether the follower holds a replica: whoever passes for one makes records count as safe
that are not.

**Rejected by**
`checks/protocol/test_fetch_by_followers.py::test_who_holds_no_replica_is_refused[v18-zero-nobody]`:
served as a follower
`checks/protocol/test_fetch_by_followers.py::test_the_older_form_of_a_followers_name[v12-nobody]`:
NOT_LEADER_OR_FOLLOWER
"""

from __future__ import annotations

from reference_broker.apis import fetch


def plant() -> None:
    """Puts it in."""
    fetch._refuse_follower = lambda partition, ask: None

"""Takes the protocol that the leader prefers.

**Bug** The votes of the other members are not counted.

**Rejected by**
`checks/groups/test_join_group.py::test_the_protocol_with_most_votes_is_chosen`: 'a' == 'b'
"""

from __future__ import annotations

from reference_broker.groups.classic_group import ClassicGroup


def plant() -> None:
    """Puts it in."""

    def leaders_choice(group: ClassicGroup) -> str:
        shared = [name for name, count in group._speakers.items() if count == len(group.members)]
        return group.members[group.leader or next(iter(group.members))].vote(shared)

    ClassicGroup.choose_protocol = leaders_choice

"""The table of roles: every pair of a role and an event, and that the machine goes no other way."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from quorum_world import World

from reference_broker.raft.transitions import TRANSITIONS, Event, IllegalTransition, Role, diagram, next_role

README = Path(__file__).parents[3] / "reference_broker" / "raft" / "README.md"
PAIRS = list(product(Role, Event))
IDS = [f"{role.name}-{event.name}" for role, event in PAIRS]


@pytest.mark.parametrize(("role", "event"), PAIRS, ids=IDS)
def test_only_listed_transitions_exist(role: Role, event: Event) -> None:
    if (role, event) in TRANSITIONS:
        assert next_role(role, event) is TRANSITIONS[role, event]
    else:
        with pytest.raises(IllegalTransition):
            next_role(role, event)


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.name)
def test_every_role_can_be_reached_and_left(role: Role) -> None:
    ways_in = {before for (before, _), after in TRANSITIONS.items() if after is role and before is not role}
    ways_out = {after for (before, _), after in TRANSITIONS.items() if before is role and after is not role}
    assert ways_in
    assert ways_out


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.name)
def test_a_higher_epoch_ends_every_role(role: Role) -> None:
    assert next_role(role, Event.HIGHER_EPOCH) is Role.UNATTACHED


def test_a_member_refuses_a_transition_that_is_not_listed() -> None:
    world = World(3)
    world.start()
    node = world.nodes[1]
    assert node.quorum is not None
    with pytest.raises(IllegalTransition):
        node.quorum._member.become_leader(node.now())


def test_the_picture_in_the_readme_is_drawn_from_the_table() -> None:
    assert f"```mermaid\n{diagram()}\n```" in README.read_text(encoding="utf-8")

"""A group's states follow one table, and its README tells the same."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from reference_broker.groups import classic_group
from reference_broker.groups.classic_group import TRANSITIONS, ClassicGroup, State

README = Path(classic_group.__file__).with_name("README.md")


def in_state(state: State) -> ClassicGroup:
    group = ClassicGroup("g", 0)
    group.state = state
    return group


@pytest.mark.parametrize(("before", "after"), list(product(State, State)), ids=lambda state: state.value)
def test_a_group_changes_its_state_only_as_the_table_says(before: State, after: State) -> None:
    group = in_state(before)
    if before in TRANSITIONS[after]:
        group.move_to(after, 7)
        assert (group.state, group.previous_state, group.state_since_ms) == (after, before, 7)
    else:
        with pytest.raises(RuntimeError):
            group.move_to(after, 7)


def test_the_readme_shows_the_transitions_of_the_table() -> None:
    shown: set[tuple[str, str]] = set()
    for line in README.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[2] in {state.value for state in State}:
            sources = [state.value for state in State] if cells[0] == "any" else cells[0].split(", ")
            shown |= {(source, cells[2]) for source in sources}

    assert shown == {(source.value, to.value) for to, sources in TRANSITIONS.items() for source in sources}

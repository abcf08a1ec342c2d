"""What the script of a difference between releases calls: plays to the end, and tells all that differs on the way.

Between releases a sequence may differ in more than what it was kept for; so it does not end at the first difference.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from harness.clients.client import ClientTrouble
from harness.comparing.diff import Difference
from harness.hosts.host import HostTrouble
from harness.search.lockstep.actions import Action
from harness.search.lockstep.clusters import opened
from harness.search.lockstep.lockstep import Lockstep
from harness.search.lockstep.player import Player
from harness.search.lockstep.replay import lines_of_differences
from harness.search.lockstep.source_text import lines_of
from harness.search.neighbours.readiness import await_coordinators
from harness.targets.target import UnknownTarget
from reference_broker.command_line import WRONG_INPUT, Parser, complain, run

PATIENCE_S: Final = 2.5
"""Much is never answered by either (members that wait for others), and answers that come are quick."""
SETTLE_S: Final = 0.012
"""Coordinators tell each other in much less."""
TRIES: Final = 20
"""How often to play under new names: some differences show only where the names of two groups have different hashes."""
REPLAY: Final = ("harness.search.neighbours.replay", "replay_all")


def all_differences(lockstep: Lockstep, actions: Sequence[Action]) -> list[Difference]:
    """Every difference of a sequence, in order. ClientTrouble, HostTrouble when a target is away."""
    before, lockstep.accepts = lockstep.accepts, lambda difference: True
    try:
        played = lockstep.play(actions)
    finally:
        lockstep.accepts = before
    return [*played.accepted, *(played.divergence.differences if played.divergence is not None else ())]


def replay_all(
    actions: Sequence[Action], targets: Sequence[str], settings: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Plays on targets whose nodes have these settings too. Ends the program.

    Its status is 0 when nothing differs, 1 when something does, 2 for wrong input or a target in trouble.
    """
    sys.exit(run("replay", lambda: _replay_all(actions, targets, settings)))


def _replay_all(actions: Sequence[Action], targets: Sequence[str], settings: Mapping[str, str]) -> int:
    parser = Parser(description="Plays a sequence on two releases and tells all that differs.")
    parser.add_argument("--target", action="append", help=f"twice; else {' and '.join(targets)}")
    chosen = parser.parse_args().target or list(targets)
    try:
        with opened(chosen, settings) as sides:
            for one in sides:
                await_coordinators(one.cluster.bootstrap)
            first, second = (Player(one, PATIENCE_S, SETTLE_S) for one in sides)
            found: list[Difference] = []
            for _ in range(TRIES):
                found = found or all_differences(Lockstep((first, second)), actions)
            first.close()
            second.close()
    except (HostTrouble, ClientTrouble, UnknownTarget, ValueError) as trouble:
        complain("replay", str(trouble))
        return WRONG_INPUT
    print("\n".join([*lines_of(actions), *(lines_of_differences(found) if found else ["no difference"])]))
    return 1 if found else 0

"""Called by scripts of differences between releases: plays a sequence to its end, and prints all differences.

It does not stop at the first difference, because a sequence may show more differences than the one it was stored for.
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
"""Short, because many requests are never answered by either release (members that wait for others)."""
SETTLE_S: Final = 0.012
"""Pause after requests whose effects spread to other coordinators, which takes much less than this."""
TRIES: Final = 20
"""How often to play with new names: some differences occur only if the ids of two groups have different hashes."""
REPLAY: Final = ("harness.search.neighbours.replay", "replay_all")


def all_differences(lockstep: Lockstep, actions: Sequence[Action]) -> list[Difference]:
    """All differences in a sequence, in order. ClientTrouble or HostTrouble if a target fails."""
    before, lockstep.accepts = lockstep.accepts, lambda difference: True
    try:
        played = lockstep.play(actions)
    finally:
        lockstep.accepts = before
    return [*played.accepted, *(played.divergence.differences if played.divergence is not None else ())]


def replay_all(
    actions: Sequence[Action], targets: Sequence[str], settings: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Plays on targets whose nodes have these additional broker configs, prints the differences, then exits.

    Exit status: 0 if nothing differs, 1 if something does, 2 for wrong input or a failing target.
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

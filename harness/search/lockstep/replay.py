"""Called by generated scripts: plays a sequence on two targets, and prints the actions and how the answers differ.

`--target` on the script's command line replaces the targets for which the script was made; a single one is opened
twice.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from harness.comparing.diff import Difference
from harness.hosts.host import HostTrouble
from harness.search.lockstep.actions import Action, NodeFault, Request
from harness.search.lockstep.clusters import opened
from harness.search.lockstep.lockstep import Lockstep
from harness.search.lockstep.player import Player
from harness.search.lockstep.source_text import lines_of
from harness.targets.target import UnknownTarget
from reference_broker.command_line import WRONG_INPUT, Parser, complain, run


def replay(actions: Sequence[Action], targets: Sequence[str]) -> None:
    """Plays and compares, then exits: 0 if nothing differs, 1 if something does, 2 for wrong input or a failure."""
    sys.exit(run("replay", lambda: _replay(actions, targets)))


def _replay(actions: Sequence[Action], targets: Sequence[str]) -> int:
    parser = Parser(
        description="Plays a sequence on two targets.", epilog="example: --target reference --target kafka@4.3.1"
    )
    parser.add_argument("--target", action="append", help=f"twice; else {' and '.join(targets)}")
    chosen = parser.parse_args().target or list(targets)
    if len(chosen) == 1:
        chosen *= 2
    try:
        with opened(chosen, nodes=nodes_of(actions)) as sides:
            first, second = map(Player, sides)
            divergence = Lockstep((first, second)).play(actions).divergence
            first.close()
            second.close()
    except (HostTrouble, UnknownTarget) as trouble:
        complain("replay", str(trouble))
        return WRONG_INPUT
    for line in lines_of(actions):
        print(line)
    print("\n".join(lines_of_differences(divergence.differences)) if divergence else "no difference")
    return 1 if divergence else 0


def nodes_of(actions: Sequence[Action]) -> int:
    """How many nodes a sequence needs: three if it names nodes."""
    has_nodes = any(isinstance(one, NodeFault) or (isinstance(one, Request) and one.node) for one in actions)
    return 3 if has_nodes else 1


def lines_of_differences(differences: Sequence[Difference]) -> list[str]:
    """Lines for each difference: API, version and field, then both values, a line each."""
    lines = []
    for difference in differences:
        width = max(map(len, difference.values))
        lines.append(f"{difference.api} v{difference.version}, field {difference.field}")
        lines += [f"  {target:<{width}}  {value}" for target, value in difference.values.items()]
    return lines

"""What a script of a broken promise calls: plays its sequence on a target and has it judged by the model."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator, Sequence

from harness.clients.client import ClientTrouble
from harness.hosts.host import HostTrouble
from harness.search.lockstep.clusters import opened
from harness.search.lockstep.modelled import Disagreement, Modelled, Step
from harness.search.lockstep.source_text import lines_of, script_of
from harness.targets.target import UnknownTarget
from reference_broker.command_line import WRONG_INPUT, Parser, complain, run

CALL = ("harness.search.lockstep.judging", "judge")
"""What a script calls."""


def run_name() -> str:
    """A prefix of names that no other run has."""
    return f"m{uuid.uuid4().hex[:8]}"


def judge(steps: Sequence[Step], targets: Sequence[str]) -> None:
    """Ends the program: 0 when all is allowed, 1 when something is not, 2 for wrong input or a target in trouble."""
    sys.exit(run("judge", lambda: _judge(steps, targets)))


def _judge(steps: Sequence[Step], targets: Sequence[str]) -> int:
    parser = Parser(
        description="Plays a sequence on one target, judged by the model.", epilog="example: --target kafka@4.3.1"
    )
    parser.add_argument("--target", help=f"else {targets[0]}")
    chosen = parser.parse_args().target or targets[0]
    try:
        with opened([chosen]) as (one,):
            modelled = Modelled(one, run_name())
            modelled.player.prepare()
            disagreement = modelled.play(steps)
            modelled.close()
    except (HostTrouble, ClientTrouble, UnknownTarget) as trouble:
        complain("judge", str(trouble))
        return WRONG_INPUT
    for line in lines_of(steps):
        print(line)
    print("\n".join(disagreement.complaints) if disagreement else "every answer is allowed")
    return 1 if disagreement else 0


def script(steps: Sequence[Step], disagreement: Disagreement, target: str) -> str:
    """A program that shows a broken promise."""
    about = [f"Not allowed on {target}:", *disagreement.complaints]
    return script_of(steps, about, [target], CALL)


def shown(steps: Sequence[Step], disagreement: Disagreement) -> Iterator[str]:
    """A broken promise for a person: each step in a line, then what was not allowed."""
    yield from (f"{number}  {line}" for number, line in enumerate(lines_of(steps), 1))
    yield from (f"→ {complaint}" for complaint in disagreement.complaints)

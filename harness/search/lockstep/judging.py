"""Called by generated scripts: plays a sequence on a target, and the model judges each answer."""

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
"""(module, function) that a script calls."""


def run_name() -> str:
    """A random prefix for names, unique to a run."""
    return f"m{uuid.uuid4().hex[:8]}"


def judge(steps: Sequence[Step], targets: Sequence[str]) -> None:
    """Plays and judges, then exits: 0 if all answers are allowed, 1 if not, 2 for wrong input or a failing target."""
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
    """The source of a program that repeats a disagreement with the model."""
    about = [f"Not allowed on {target}:", *disagreement.complaints]
    return script_of(steps, about, [target], CALL)


def shown(steps: Sequence[Step], disagreement: Disagreement) -> Iterator[str]:
    """The report of a disagreement: a line for each step, then the complaints."""
    yield from (f"{number}  {line}" for number, line in enumerate(lines_of(steps), 1))
    yield from (f"→ {complaint}" for complaint in disagreement.complaints)

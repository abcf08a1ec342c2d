"""Judges what one member of a group heard while its coordinator failed over. Pure: steps in, sentences out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from reference_broker.wire.errors import ErrorCode

WHILE_NOT_READY: Final = frozenset(
    {ErrorCode.COORDINATOR_NOT_AVAILABLE, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.NOT_COORDINATOR}
)
PERMITTED: Final = {
    "find": frozenset({ErrorCode.NONE, ErrorCode.COORDINATOR_NOT_AVAILABLE}),
    "commit": frozenset({ErrorCode.NONE}) | WHILE_NOT_READY,
    "fetch": frozenset({ErrorCode.NONE, ErrorCode.UNSTABLE_OFFSET_COMMIT}) | WHILE_NOT_READY,
    "heartbeat": frozenset({ErrorCode.NONE}) | WHILE_NOT_READY,
    "join": frozenset({ErrorCode.NONE}) | WHILE_NOT_READY,
    "sync": frozenset({ErrorCode.NONE}) | WHILE_NOT_READY,
}
"""What a member may hear: each of the others makes a client give up its place, or its work."""


class Step(Protocol):
    """One request and its answer: see `harness.clients.group_client.Step`."""

    @property
    def at_s(self) -> float:
        """Since the client was made."""

    @property
    def request(self) -> str:
        """What was asked."""

    @property
    def node(self) -> int:
        """Who was asked."""

    @property
    def error(self) -> ErrorCode | None:
        """None where no answer came."""

    @property
    def offset(self) -> int:
        """That was committed, or told."""


def refused_wrongly(steps: Iterable[Step]) -> list[str]:
    """The answers that a coordinator which fails over must not give."""
    return [
        f"{step.request} was answered {step.error.name} by node {step.node} after {step.at_s:.1f} s"
        for step in steps
        if step.error is not None and step.error not in PERMITTED[step.request]
    ]


def offsets_gone_back(steps: Sequence[Step]) -> list[str]:
    """What was told of committed offsets that cannot be: below one that was acknowledged or told before, or one that
    nobody committed."""
    least, sent, wrong = -1, {-1}, []
    for step in steps:
        if step.request == "commit":
            sent.add(step.offset)
        if step.error is not ErrorCode.NONE or step.request not in ("commit", "fetch"):
            continue
        if step.request == "fetch" and (step.offset < least or step.offset not in sent):
            why = f"{least} was acknowledged" if step.offset < least else "nobody committed it"
            wrong.append(f"node {step.node} told offset {step.offset} after {step.at_s:.1f} s, and {why}")
        least = max(least, step.offset)
    return wrong

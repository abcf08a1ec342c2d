"""Requests of an administrator, written into the history of the run that they belong to.

Whoever asks a cluster to change wraps the request in `admin_call`: its invoke is written before it is sent, and its
completion when it was answered, or when nobody answered it. Outside `recording` nothing is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from harness.history.files import HistoryWriter
from harness.history.operations import ADMIN, AdminCall, OpType
from reference_broker.wire.errors import ErrorCode

_UNCERTAIN = frozenset({ErrorCode.UNKNOWN_SERVER_ERROR, ErrorCode.REQUEST_TIMED_OUT, ErrorCode.NETWORK_EXCEPTION})
"""Refusals after which the change may come about all the same."""


_writer: ContextVar[HistoryWriter | None] = ContextVar("writer of admin calls", default=None)


@contextmanager
def recording(writer: HistoryWriter) -> Iterator[None]:
    """Calls of the block, made by this thread, are written there."""
    token = _writer.set(writer)
    try:
        yield
    finally:
        _writer.reset(token)


class Answer:
    """What became of a request: nothing is known until `came` is told."""

    def __init__(self) -> None:
        self.kind = OpType.INFO
        self.said: str | None = None

    def came(self, codes: Sequence[int], also_good: Sequence[int] = ()) -> None:
        """Its error codes; those of `also_good` mean that there was nothing to do."""
        told = [ErrorCode(code) for code in codes if code]
        bad = [code for code in told if code not in also_good]
        self.said = (bad or told or [ErrorCode.NONE])[0].name
        self.kind = OpType.OK if not bad else OpType.INFO if _UNCERTAIN & {*bad} else OpType.FAIL


@contextmanager
def admin_call(api: str, parameters: Mapping[str, str]) -> Iterator[Answer]:
    """The request of an administrator, by its schema's name: "CreateTopics"; the block sends it and tells the answer.

    Its completion is ok, with what was answered; fail where it was refused for certain; info where it may have been
    done, or still be.
    """
    writer, answer = _writer.get(), Answer()
    if writer is None:
        yield answer
        return
    call, f = AdminCall(api, dict(parameters)), snake_case(api)
    invoked = writer.append(ADMIN, OpType.INVOKE, f, call)
    error: str | None = "no answer"
    try:
        yield answer
        error = answer.said if answer.kind is not OpType.OK else None
    except Exception as trouble:
        error = answer.said or f"{trouble}"
        raise
    finally:
        done = AdminCall(api, {**call.parameters, "answer": answer.said}) if answer.said else call
        writer.append(ADMIN, answer.kind, f, done, error=error if answer.kind is not OpType.OK else None, of=invoked)


def snake_case(name: str) -> str:
    """ "CreateTopics" as "create_topics"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()

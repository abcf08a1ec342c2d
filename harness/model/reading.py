"""Judges Fetch, with and without a session: which partitions the response must contain, and the answer for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from harness.model.allowed import ANY, Complaints, expect, expect_code
from harness.model.log import PartitionLog
from harness.model.sessions import OPENS, Place, Session, Sessions, forgotten
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import ZERO_UUID

READ_COMMITTED: Final = 1
PLENTY: Final = 1_000_000
"""A size in bytes that is never reached: sequences write less than this."""

LogAt = Callable[[Place], PartitionLog | None]


def fetched(sessions: Sessions, log_at: LogAt, request: Any, version: int, response: Any) -> Complaints:
    """Judges the answer to a Fetch, and updates its session."""
    if request.session_id in sessions.doubtful:
        return
    session, allowed, wanted = sessions.asked(request, version)
    is_judged = request.isolation_level in (0, READ_COMMITTED)
    yield from expect_code("Fetch", response.error_code, allowed if is_judged else ANY)
    if response.error_code:
        if session is not None and (not is_judged or response.error_code == ErrorCode.UNKNOWN_SERVER_ERROR):
            sessions.doubtful.append(request.session_id)
        return
    answers = {
        (topic.topic_id if version >= 13 else topic.topic, part.partition_index): part
        for topic in response.responses
        for part in topic.partitions
    }
    if session is None:
        for place in wanted:
            if place not in answers:
                yield f"Fetch of {place!r}: no answer for it"
        if is_judged:
            yield from _judged(log_at, request, version, wanted, answers)
        if request.session_epoch == OPENS and response.session_id:
            opened = Session(by_id=version >= 13, asked=dict(wanted))
            sessions.open[response.session_id] = opened
            for place, answer in answers.items():
                _remember(opened, place, answer)
        elif response.session_id and request.session_epoch != OPENS:
            yield f"Fetch: session {response.session_id} for a request that wanted none"
        return
    for place, part in wanted.items():
        session.asked[place] = part
    for place in forgotten(request, version):  # also partitions that the same request adds
        session.asked.pop(place, None)
        session.told.pop(place, None)
    if not session.asked:
        sessions.forget(request.session_id)
        # The last request of the session is still answered, as one without a session.
        yield from expect("Fetch: session id once the session is empty", response.session_id, 0)
        if is_judged:
            yield from _judged(log_at, request, version, wanted, answers)
        return
    session.epoch = 1 if session.epoch == 2**31 - 1 else session.epoch + 1
    yield from expect("Fetch: session id", response.session_id, request.session_id)
    if is_judged:
        yield from _news(session, log_at, request, answers)
        yield from _judged(log_at, request, version, session.asked, answers)
    for place, answer in answers.items():
        _remember(session, place, answer)


def _remember(session: Session, place: Place, answer: Any) -> None:
    if answer.error_code:
        session.told.pop(place, None)
    else:
        session.told[place] = (answer.high_watermark, answer.log_start_offset)


def _news(session: Session, log_at: LogAt, request: Any, answers: Mapping[Place, Any]) -> Complaints:
    """Judges whether a session's response contains exactly the partitions that have changed."""
    is_limited = request.max_bytes < PLENTY
    for place, part in session.asked.items():
        log = log_at(place)
        is_readable = log is not None and part.fetch_offset in range(log.start, log.end)
        bounds = None if log is None else (log.end, log.start)
        is_new = is_readable or log is None or session.told.get(place) != bounds or log.has_restarted
        is_new = is_new or part.current_leader_epoch != -1 or part.partition_max_bytes <= 0
        if is_new and place not in answers and not is_limited and (log is None or not log.has_restarted):
            is_sure = part.current_leader_epoch == -1 and part.partition_max_bytes > 0
            if is_sure:
                yield f"Fetch of {place!r} in a session: there is news, and it is not told"
        elif not is_new and place in answers and not answers[place].error_code:
            yield f"Fetch of {place!r} in a session: told, although there is no news"


def _judged(
    log_at: LogAt, request: Any, version: int, asked: Mapping[Place, Any], answers: Mapping[Place, Any]
) -> Complaints:
    """Judges the answer for each partition in the response against its log."""
    came = 0
    for place, answer in answers.items():
        part = asked.get(place)
        where = f"Fetch of {_shown(place)}"
        if part is None:
            yield f"{where}: nobody asked for it"
            continue
        log = log_at(place)
        if log is None:
            unknown = ErrorCode.UNKNOWN_TOPIC_ID if version >= 13 else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            codes = {int(unknown)}
            if version >= 13 and place[0] != ZERO_UUID:
                codes.add(int(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION))
            yield from expect_code(where, answer.error_code, codes)
            continue
        if part.partition_max_bytes < 0 or request.max_bytes < 0 or part.last_fetched_epoch != -1:
            allowed = ANY
        else:
            epochs, offsets = log.epoch_codes(part.current_leader_epoch), log.offset_codes(part.fetch_offset)
            allowed = (epochs - {0}) | (offsets if 0 in epochs else frozenset())
        yield from expect_code(where, answer.error_code, allowed)
        if answer.error_code or part.last_fetched_epoch != -1:
            continue
        yield from expect(f"{where}: high watermark", answer.high_watermark, log.end)
        yield from expect(f"{where}: last stable offset", answer.last_stable_offset, log.end, -1)
        if version >= 5:
            yield from expect(f"{where}: log start offset", answer.log_start_offset, log.start)
        size = 0 if answer.records is None else len(answer.records)
        limit = min(part.partition_max_bytes, max(0, request.max_bytes - came))
        must_come = not came and part.fetch_offset < log.end
        yield from log.fetched(where, part.fetch_offset, answer.records, limit, must_come)
        came += size


def _shown(place: Place) -> str:
    name = place[0].hex() if isinstance(place[0], bytes) else place[0]
    return f"{name}-{place[1]}"

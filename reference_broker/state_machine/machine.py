"""The state of a log that this node leads in one epoch.

A decision is replayed and appended before it is committed, so that the next one builds on it. Whoever asked is answered
when the log has committed it. What is refused, or cannot be appended, leaves nothing behind; a leader that resigns goes
back to what was committed. Source: KIP-631 (controller), KIP-848 (coordinators).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from reference_broker.environment import Now
from reference_broker.waiting import NEVER_MS, Later
from reference_broker.wire.refusal import KafkaError


class Entry(Protocol):
    """What is appended at once: records, with all that their log and their replay need to know."""

    @property
    def records(self) -> Sequence[Any]:
        """One or more records, in order."""

    @property
    def is_awaited(self) -> bool:
        """Whether answers wait for it. Nothing rests on an entry that may be lost with the power."""


EntryT = TypeVar("EntryT", bound=Entry)
EntryT_contra = TypeVar("EntryT_contra", bound=Entry, contravariant=True)


class State(Protocol[EntryT_contra]):
    """What the records make."""

    def replay(self, entry: EntryT_contra, first_offset: int, epoch: int) -> None:
        """Apply an entry: the only way in which the state changes, at load and at run time."""

    def mark(self) -> Any:
        """The present state, for `restore`; it must not cost more where there is more."""

    def restore(self, mark: Any) -> None:
        """Be as at a mark."""


class Log(Protocol[EntryT_contra]):
    """Where entries go."""

    @property
    def end_offset(self) -> int:
        """The offset that the next record gets."""

    def append(self, entry: EntryT_contra, epoch: int, now: Now) -> int:
        """Append at once; the offset of the last record. KafkaError where this node does not lead the epoch."""


StateT = TypeVar("StateT", bound=State[Any])
Outcome = Callable[[KafkaError | None, Now], None]
"""Told None once something is committed, or why that will not be known here."""


class StateMachine(Generic[StateT, EntryT]):
    """Ends with `resign`. `committed_offset` is the last that is committed, `awaited_offset` the last that counts."""

    def __init__(self, state: StateT, log: Log[EntryT], *, epoch: int, committed_offset: int) -> None:
        self.state, self._log, self.epoch = state, log, epoch
        self.committed_offset = self.awaited_offset = committed_offset
        self._uncommitted: deque[tuple[int, Any]] = deque()
        """(offset of the last record, the state before it) of each entry that is not committed, in order."""
        self._waiting: deque[tuple[int, Outcome]] = deque()
        """By the offset whose commit they wait for, in order."""

    # -- changes ------------------------------------------------------------------------------------------------

    def load(self, entry: EntryT, first_offset: int, last_offset: int) -> None:
        """Replay an entry that stands in the log already."""
        before = self.state.mark()
        self.state.replay(entry, first_offset, self.epoch)
        self._note(entry, last_offset, before)

    def append(self, entry: EntryT, now: Now) -> int:
        """Replay and append; the offset of the last record. Whatever is raised, nothing has changed."""
        before = self.state.mark()
        try:
            self.state.replay(entry, self._log.end_offset, self.epoch)
            last_offset = self._log.append(entry, self.epoch, now)
        except BaseException:
            self.state.restore(before)
            raise
        self._note(entry, last_offset, before)
        return last_offset

    def _note(self, entry: EntryT, last_offset: int, before: Any) -> None:
        if entry.is_awaited:
            self.awaited_offset = last_offset
        if last_offset > self.committed_offset:
            self._uncommitted.append((last_offset, before))

    # -- the commit ---------------------------------------------------------------------------------------------

    @property
    def is_committed(self) -> bool:
        """Whether all that counts is committed."""
        return self.awaited_offset <= self.committed_offset

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody waits for a commit."""
        return bool(self._waiting)

    def read(self, look: Callable[[StateT], Any]) -> Any:
        """What `look` finds in the state as it is committed. It must not change anything."""
        if not self._uncommitted:
            return look(self.state)
        present = self.state.mark()
        self.state.restore(self._uncommitted[0][1])
        try:
            return look(self.state)
        finally:
            self.state.restore(present)

    def when_committed(self, then: Outcome, now: Now) -> None:
        """Have somebody told when all that was appended so far is committed; at once where it is."""
        if self.is_committed:
            then(None, now)
        else:
            self._waiting.append((self.awaited_offset, then))

    def answer(self, response: Any, now: Now, *, deadline_ms: int = NEVER_MS, late: KafkaError | None = None) -> Any:
        """The response once all that it rests on is committed, until then a Later; after the deadline it is `late`."""
        if self.is_committed:
            return response
        later = Later(deadline_ms, lambda _: late)
        self.when_committed(lambda why, now: later.complete(why or response), now)
        return later

    def on_committed(self, offset: int, now: Now) -> None:
        """The log is committed up to an offset, with it: tell those who waited."""
        self.committed_offset = max(self.committed_offset, offset)
        while self._uncommitted and self._uncommitted[0][0] <= offset:
            self._uncommitted.popleft()
        while self._waiting and self._waiting[0][0] <= offset:
            _, then = self._waiting.popleft()
            then(None, now)

    def resign(self, why: KafkaError, now: Now) -> None:
        """Go back to what was committed: the next leader may have dropped the rest. Those who wait are told why."""
        if self._uncommitted:
            self.state.restore(self._uncommitted[0][1])
            self._uncommitted.clear()
        waiting, self._waiting = self._waiting, deque()
        for _, then in waiting:
            then(why, now)

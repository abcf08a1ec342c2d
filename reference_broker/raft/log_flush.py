"""Bringing the metadata log to stable storage: one flush at a time, each for all that was written before it."""

from __future__ import annotations

from collections.abc import Callable

from reference_broker.effects import Halt, Outbox
from reference_broker.environment import Now
from reference_broker.raft.store import MetadataStore


class LogFlush:
    """`after` is called when a flush is done: more of the log counts."""

    def __init__(self, store: MetadataStore, outbox: Outbox) -> None:
        self._store, self._outbox = store, outbox
        self._is_running = self._is_wanted = False
        self.after: Callable[[Now], None] = lambda now: None

    @property
    def is_done(self) -> bool:
        """Whether all of the log is on stable storage."""
        return self._store.flushed_offset >= self._store.end_offset

    def start(self) -> None:
        """Flush what is not yet; where a flush runs, another one follows it."""
        self._is_wanted = self._is_running
        if self._is_running or self.is_done:
            return
        self._is_running = True
        end_offset = self._store.end_offset

        def finish(error: OSError | None, now: Now) -> None:
            self._is_running = False
            if error is not None:
                self._outbox.put(Halt(f"cannot flush the metadata log: {error}"))
                return
            self._store.note_flushed(end_offset)
            if self._is_wanted:
                self.start()
            self.after(now)

        self._outbox.flush(self._store.flush_targets(), finish)

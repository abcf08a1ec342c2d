"""The file by which a node of ours drops what goes to other nodes and comes from them, so that no root is needed.

The node reads it at its start and on SIGUSR1, and copies what holds to a file beside it, with `.applied` behind its
name. Several faults may have rules in it; each has lines of its own.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.hosts.host import HostTrouble, ProcessState, wait_until

_HOLDS_WITHIN_S = 30.0


class LinkFilterFile:
    """The rules of one node (Node.link_filter)."""

    def __init__(
        self, path: Path, *, state: Callable[[], ProcessState], send_signal: Callable[[signal.Signals], None]
    ) -> None:
        """`state` and `send_signal` are of the node's process."""
        self.path = path
        self._state, self._send_signal = state, send_signal
        self._rules: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    @property
    def owners(self) -> tuple[str, ...]:
        """Whose rules stand in it."""
        return tuple(self._rules)

    def set(self, owner: str, rules: Sequence[str]) -> None:
        """Sets the rules of one fault in place of those that it had, and waits until they hold.

        A node that is dead reads them at its start, and a paused one before anything else when it is resumed: there is
        nothing to wait for. HostTrouble when they do not hold in time.
        """
        with self._lock:
            self._rules.pop(owner, None)
            if rules:
                self._rules[owner] = tuple(rules)
            self._write()

    def clear(self) -> tuple[str, ...]:
        """Removes all rules, and waits until nothing is dropped; whose they were."""
        with self._lock:
            had = self.owners
            self._rules.clear()
            if had:
                self._write()
            return had

    def holds(self) -> bool:
        """Whether the node says that what stands in the file is in force. False for one that is dead."""
        return self._state() is not ProcessState.GONE and self._applied() == self._text()

    def forget(self) -> None:
        """Before a start: what an earlier process said counts no more."""
        self._applied_path.unlink(missing_ok=True)

    @property
    def _applied_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.applied")

    def _applied(self) -> str | None:
        try:
            return self._applied_path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def _text(self) -> str:
        lines = [line for owner, rules in self._rules.items() for line in (f"# {owner}", *rules)]
        return "".join(f"{line}\n" for line in lines)

    def _write(self) -> None:
        coming = self.path.with_name(f"{self.path.name}.coming")
        coming.write_text(self._text(), encoding="utf-8")
        os.replace(coming, self.path)
        deadline = time.monotonic() + _HOLDS_WITHIN_S
        while self._state() is ProcessState.RUNNING and not self.holds():
            # Until it has read the file once, a signal would end it.
            if self._applied() is not None:
                self._send_signal(signal.SIGUSR1)
            wait_s = min(1.0, max(0.0, deadline - time.monotonic()))
            try:
                wait_until(lambda: self.holds() or self._state() is not ProcessState.RUNNING, wait_s, "")
            except HostTrouble:
                if time.monotonic() >= deadline:
                    raise HostTrouble(
                        f"{self.path.name}: the node did not read its rules in {_HOLDS_WITHIN_S:g} s"
                    ) from None
        if self._state() is ProcessState.STOPPED and self._applied() is not None:
            self._send_signal(signal.SIGUSR1)

"""What a call can do to the machine of a simulated node: its process, its power, its clock, its disk."""

from __future__ import annotations

from typing import Protocol


class VirtualMachine(Protocol):
    """The machine on which a node's process runs."""

    def ask_to_stop(self) -> None:
        """Asks its process to stop in order (SIGTERM), without waiting until it has."""
        ...

    def cut_power(self) -> None:
        """Ends all on it at once: of what was not flushed nothing is left, or a part, torn at any byte."""
        ...

    def set_clock(self, ahead_s: float) -> None:
        """Sets its wall clock ahead of the right time, or back; the monotonic one goes on as it did."""
        ...

    def slow_disk(self, flush_s: tuple[float, float] | None) -> None:
        """Has each flush take a time between these, in seconds; None for a quick disk again."""
        ...

    @property
    def flush_s(self) -> tuple[float, float]:
        """How long a flush takes now, at least and at most."""
        ...

    def replace_disk(self) -> int:
        """Empties its log folders, down to what formatting writes there, with a new directory id. Its process must be
        off. Returns how many files and folders went."""
        ...

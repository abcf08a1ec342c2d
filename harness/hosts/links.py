"""Links of a cluster that are cut by a call: those of a simulated network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Place = int | None
"""A node by its id; None for our clients."""
Link = tuple[Place, Place]
"""(who, whom): `who` no longer hears `whom`."""


class Links(Protocol):
    """All links of a cluster. Several faults may cut the same one; it is open when all of them have healed it."""

    def cut(self, links: Sequence[Link], listener: str | None) -> None:
        """Cuts links, on all ports or on those of one listener."""
        ...

    def heal(self, links: Sequence[Link], listener: str | None) -> None:
        """Takes such a cut back."""
        ...

    def is_cut(self, link: Link, listener: str | None) -> bool:
        """Whether a link is cut, on that listener or as a whole."""
        ...

    def held(self) -> int:
        """How many messages have not got through cut links so far."""
        ...

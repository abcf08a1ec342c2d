"""What members of groups were told: partitions are owned by one member in a generation, committed offsets stay.

Source: the classic group protocol (KIP-62, KIP-394): a commit that was answered without an error is in the log of all
replicas in sync, and a coordinator has loaded all that was written before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reference_broker.simulation.scenario.ledger import Place
from reference_broker.simulation.scenario.register import Register, Write

NONE_COMMITTED = -1


class GroupLedger:
    """Commits, fetched offsets and assignments of all groups; `tell` gets what is wrong.

    A coordinator that was deposed and does not know it may still say what it knew: so what a node answers is measured
    by the commits and assignments that this node itself has answered before, and only the answers in the end by all.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._registers: dict[tuple[str, Place], Register] = {}
        self._floors: dict[tuple[str, int, Place], int] = {}
        """By group, node and partition: all that was done before this time is overwritten at that node."""
        self._owners: dict[tuple[str, int, Place], str] = {}
        """By group, generation and partition."""
        self.committed_us: dict[tuple[str, Place], int] = {}
        """When a group's last commit for a partition was acknowledged."""

    def register(self, group: str, place: Place) -> Register:
        """What a group has committed for a partition."""
        found = self._registers.get((group, place))
        if found is None:
            found = self._registers[group, place] = Register(NONE_COMMITTED)
        return found

    def note_assigned(
        self, group: str, generation: int, member: str, places: Sequence[Place], *, node: int, sent_us: int
    ) -> None:
        """A member was given partitions by a coordinator, which has written the generation to its log for that."""
        for place in places:
            owner = self._owners.setdefault((group, generation, place), member)
            if owner != member:
                self._tell(
                    f"group {group}: {place[0]}-{place[1]} is owned by {owner} and {member} in generation {generation}"
                )
            self._raise_floor(group, node, place, self.register(group, place).floor_us(sent_us))

    def note_committed(self, group: str, place: Place, write: Write, *, node: int, now_us: int) -> None:
        """A commit was acknowledged by a coordinator."""
        self.register(group, place).finish(write, now_us)
        self.committed_us[group, place] = now_us
        self._raise_floor(group, node, place, write.sent_us)

    def _raise_floor(self, group: str, node: int, place: Place, floor_us: int) -> None:
        key = (group, node, place)
        self._floors[key] = max(floor_us, self._floors.get(key, -1))

    def floor_us(self, group: str, node: int, place: Place) -> int:
        """What must be overwritten in what a node answers from now on."""
        return self._floors.get((group, node, place), -1)

    def note_fetched(self, group: str, place: Place, offset: int, *, floor_us: int, node: int) -> None:
        """A coordinator said what is committed; `floor_us` as it was when it was asked."""
        if not self.register(group, place).may_be(offset, floor_us):
            self._tell(
                f"group {group}: node {node} says that {offset} is committed for {place[0]}-{place[1]}, which a later "
                f"commit has overwritten, or nobody ever committed"
            )

    def judge(self, group: str, place: Place, offset: int, *, node: int, now_us: int) -> None:
        """The same of an answer in the end: it must know all that was ever acknowledged before `now_us`."""
        self.note_fetched(group, place, offset, floor_us=self.register(group, place).floor_us(now_us), node=node)

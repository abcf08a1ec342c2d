"""The consumer groups of a scenario: members come and go; in the end every group must work, and know its commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from reference_broker.simulation.scenario.caller import Caller, Waits
from reference_broker.simulation.scenario.group_ledger import GroupLedger
from reference_broker.simulation.scenario.ledger import Place
from reference_broker.simulation.scenario.member import Member, Membership, Offsets, final_offset
from reference_broker.wire.primitives import Uuid


class Groups:
    """All members, and what they were told."""

    def __init__(self, caller: Callable[[], Caller], tell: Callable[[str], None], places: Sequence[Place]) -> None:
        """`caller` makes a client for a member; the groups read `places`, which are of one topic."""
        self._caller, self._places = caller, tuple(places)
        self.ledger = GroupLedger(tell)
        self._offsets = Offsets()
        self._members: list[Member] = []
        self._staying: dict[str, None] = {}

    def join(self, membership: Membership, topic_id: Uuid) -> Member:
        """A member that has yet to run."""
        name = f"group-{membership.group}"
        member = Member(self._caller(), self.ledger, self._offsets, name, topic_id, self._places)
        self._members.append(member)
        if not membership.until_ms:
            self._staying[name] = None
        return member

    def stop(self) -> None:
        """All members stop, without a word to anybody."""
        for member in self._members:
            member.is_stopping = True

    def have_committed(self, since_us: int) -> bool:
        """Whether every group that has members who stay has committed for every partition since then."""
        committed = self.ledger.committed_us
        return all(committed.get((name, place), -1) > since_us for name in self._staying for place in self._places)

    def final_offsets(self, caller: Caller, topic_id: Uuid) -> Iterator[tuple[str, Waits]]:
        """For each group and partition: what it is, and what asks for the committed offset and judges it."""
        for name in dict.fromkeys(member.group for member in self._members):
            for place in self._places:
                asking: Any = final_offset(caller, self.ledger, name, topic_id, place)
                yield f"{name} says what it has committed for {place[0]}-{place[1]}", asking

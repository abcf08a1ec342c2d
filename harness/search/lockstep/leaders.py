"""Tolerates different leaders of a classic group after its leader has left: Kafka takes the first member in a hash map
with random ids as keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from harness.comparing.observation import Observation

API: Final = "JoinGroup"


class Leaders:
    """The leader of each group of a sequence on which both targets last agreed."""

    def __init__(self) -> None:
        self._agreed: dict[str, str] = {}
        """Group → the leader on which both targets last agreed."""

    def differ_by_chance(self, one: Observation, other: Observation) -> bool:
        """Whether two JoinGroup answers name different leaders, neither of which is the last agreed one. Both are
        correct then.

        Also stores a leader on which both answers agree.
        """
        if one.api != API:
            return False
        group, named = str(_field(one.sent, "group_id")), [str(_field(each.answer, "leader")) for each in (one, other)]
        if not all(named):
            return False
        if named[0] == named[1]:
            self._agreed[group] = named[0]
            return False
        last = self._agreed.get(group)
        return last is not None and last not in named


def _field(plain: object, name: str) -> object:
    return plain.get(name) or "" if isinstance(plain, Mapping) else ""

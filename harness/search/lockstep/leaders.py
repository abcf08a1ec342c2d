"""When the leader of a classic group has left, Kafka chooses the next by chance: the first in a hash map of random
ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from harness.comparing.observation import Observation

API: Final = "JoinGroup"


class Leaders:
    """The leaders of a sequence's groups, as far as both targets have named the same."""

    def __init__(self) -> None:
        self._agreed: dict[str, str] = {}
        """Group → the member that both named last."""

    def differ_by_chance(self, one: Observation, other: Observation) -> bool:
        """Whether two answers name different leaders, neither of them the last one: then nothing is wrong with either.

        Takes note of a leader that both name.
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

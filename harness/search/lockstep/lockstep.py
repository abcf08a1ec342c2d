"""The same actions given to two targets step by step: where their answers, or what is visible at the end, differ."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.comparing.diff import Difference, differing, readable
from harness.comparing.observation import Observation
from harness.search.lockstep.actions import Action, Actions, Request, Restart
from harness.search.lockstep.leaders import Leaders
from harness.search.lockstep.player import QUIET_S, Heard, Player
from reference_broker.wire.api_keys import ApiKey

CHECK: Final = "lockstep"
"""The name under which known_differences.toml accepts what is found here."""
GRACE_S: Final = 2.0
"""How long the slower of two targets is waited for before their pace is said to differ."""
SHOWS_GROUPS: Final = frozenset({ApiKey.DESCRIBE_GROUPS, ApiKey.LIST_GROUPS})
"""Their answers may be of an instant: where members are waited for 0 ms, only a timer of Kafka ends the rebalance."""

Accepts = Callable[[Difference], bool]
"""Whether a difference is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """The first differences of a sequence, all at the same action."""

    at: int
    """Index of the action."""
    differences: tuple[Difference, ...]
    observations: tuple[Observation, Observation]

    @property
    def kind(self) -> str:
        """What divergences of one cause have in common: API and field, and the codes where they are error codes."""
        first = self.differences[0]
        return kind_of(first)


def kind_of(difference: Difference) -> str:
    """API, field without indexes, and both values where these are error codes or outcomes."""
    field_path = "".join(_without_indexes(difference.field))
    is_code = field_path.endswith("error_code") or field_path.startswith("(")
    values = " | ".join(difference.values.values()) if is_code else ""
    return f"{difference.api} {field_path} {values}".strip()


def _without_indexes(path: str) -> Iterator[str]:
    depth = 0
    for letter in path:
        depth += letter == "["
        if not depth or letter == "[":
            yield letter
        depth -= letter == "]"
        if letter == "]" and not depth:
            yield letter


@dataclass(slots=True, kw_only=True)
class Played:
    """How a sequence went."""

    steps: int = 0
    divergence: Divergence | None = None
    accepted: list[Difference] = field(default_factory=list)
    observations: list[tuple[Observation, Observation]] = field(default_factory=list)
    """Of each exchange, in order: first and second target's."""
    leaders: Leaders = field(default_factory=Leaders)
    """The group leaders that both targets named."""
    is_over: bool = False
    """Whether it ended early, because a target's chance decides what would follow."""


class Lockstep:
    """Two players. A sequence ends at its first difference that is not accepted."""

    def __init__(self, players: tuple[Player, Player], accepts: Accepts = lambda difference: False) -> None:
        self.players = players
        self.accepts = accepts
        self._played = 0
        self._run = f"l{uuid.uuid4().hex[:6]}"

    def play(self, actions: Actions) -> Played:
        """Plays a sequence from its start, under names of its own. ClientTrouble, HostTrouble when a target is away."""
        self._played += 1
        for player in self.players:
            player.begin(f"{self._run}-{self._played}")
            player.tidy()
        played = Played()
        for index, action in enumerate(actions):
            played.divergence = self._step(index, action, played)
            if played.divergence is not None or played.is_over:
                return played
        for client in self.players[0].waiting():
            played.divergence = self._settle(client, len(actions) - 1, played)
            if played.divergence is not None or played.is_over:
                break
        return played

    def _step(self, index: int, action: Action, played: Played) -> Divergence | None:
        if isinstance(action, Restart):
            for player in self.players:
                player.restart(action)
            return None
        if any(player.is_waiting(action.client) for player in self.players):
            divergence = self._settle(action.client, index, played)
            is_ended = divergence is not None or played.is_over
            if is_ended or any(player.is_waiting(action.client) for player in self.players):
                return divergence  # both wait on: the client has no turn
        played.steps += 1
        self._send(action)
        if action.may_wait:
            return self._settle(action.client, index, played)
        if action.waits_ms is not None:
            self._here(action.client, GRACE_S)
        heard = self._heard(action.client)
        if action.message.API_KEY in SHOWS_GROUPS and heard[0].observation != heard[1].observation:
            time.sleep(QUIET_S)
            self._send(action)
            heard = self._heard(action.client)
        return self._compare(index, heard, played)

    def _send(self, request: Request) -> None:
        for player in self.players:
            player.send(request)

    def _settle(self, client: int, index: int, played: Played) -> Divergence | None:
        """Compares a client's answers if they are here; a difference when only one target has answered."""
        here = self._here(client, QUIET_S)
        if not any(here):
            return None
        if not all(here):
            slower = self.players[here.index(False)]
            if not slower.has_heard(client, GRACE_S):
                return self._one_waits(client, index, here)
        return self._compare(index, self._heard(client), played)

    def _here(self, client: int, within_s: float) -> list[bool]:
        """Which answers come in this time, waited for together: the pace of one does not count for the other."""
        deadline = time.monotonic() + within_s
        here = [player.has_heard(client, 0) for player in self.players]
        while not all(here) and time.monotonic() < deadline:
            here = [player.has_heard(client, 0.001) for player in self.players]
        return here

    def _heard(self, client: int) -> tuple[Heard, Heard]:
        first, second = self.players
        return first.hear(client), second.hear(client)

    def _one_waits(self, client: int, index: int, here: Sequence[bool]) -> Divergence:
        """One target has answered and the other has not."""
        answered = self.players[here.index(True)].hear(client).observation
        for player in self.players:
            player.drop(client)
        names = [player.target for player in self.players]
        words = ["answers" if one else f"waits longer than {GRACE_S + QUIET_S:.1f} s" for one in here]
        difference = self._difference(answered, "(pace)", dict(zip(names, words, strict=True)))
        return Divergence(at=index, differences=(difference,), observations=(answered, answered))

    def _compare(self, index: int, heard: tuple[Heard, Heard], played: Played) -> Divergence | None:
        one, other = heard[0].observation, heard[1].observation
        played.observations.append((one, other))
        if played.leaders.differ_by_chance(one, other):
            played.is_over = True
            return None
        if one == other and heard[0].encoding == heard[1].encoding:
            return None
        first, second = (player.target for player in self.players)
        found = [
            self._difference(one, path, {first: readable(path, left), second: readable(path, right)})
            for path, left, right in differing(one, other)
        ]
        if heard[0].encoding != heard[1].encoding:
            found.append(self._difference(one, "(encoding)", {first: heard[0].encoding, second: heard[1].encoding}))
        new: list[Difference] = []
        for difference in found:
            (played.accepted if self.accepts(difference) else new).append(difference)
        return Divergence(at=index, differences=tuple(new), observations=(one, other)) if new else None

    @staticmethod
    def _difference(observation: Observation, path: str, values: Mapping[str, str]) -> Difference:
        return Difference(
            check=CHECK,
            api=observation.api,
            version=observation.version,
            field=path,
            values=values,
            request=observation.request,
        )


def level_of(difference: Difference) -> str:
    """Which of the five levels of comparison it belongs to."""
    if difference.field == "(pace)" or difference.field == "(outcome)":
        return "time class"
    if difference.field == "(encoding)":
        return "encoding"
    if difference.api == "ApiVersions" and difference.field.startswith(("api_keys", "supported", "finalized")):
        return "advertised versions and features"
    return "error codes" if difference.field.endswith("error_code") else "fields"

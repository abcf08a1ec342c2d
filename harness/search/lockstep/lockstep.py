"""Plays the same actions on two targets step by step, and finds the first answers that differ."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from harness.comparing.diff import Difference, differing, readable
from harness.comparing.observation import Observation
from harness.search.lockstep.actions import Action, Actions, NodeFault, Request, Restart
from harness.search.lockstep.leaders import Leaders
from harness.search.lockstep.player import QUIET_S, Heard, Player
from reference_broker.wire.api_keys import ApiKey

CHECK: Final = "lockstep"
"""The check name of differences found here, for entries in known_differences.toml."""
OF_THREE: Final = "lockstep of three"
"""The same on clusters of three nodes."""
GRACE_S: Final = 2.0
"""How long to wait for the slower target before reporting a difference in pace."""
SHOWS_GROUPS: Final = frozenset({ApiKey.DESCRIBE_GROUPS, ApiKey.LIST_GROUPS})
"""APIs whose answers may show a transient state: with a rebalance timeout of 0 ms, a timer in Kafka ends the rebalance.
If they differ, they are asked once more."""

Accepts = Callable[[Difference], bool]
"""Whether a difference is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """The first differences in a sequence, all in the answers to one action."""

    at: int
    """Index of the action."""
    differences: tuple[Difference, ...]
    observations: tuple[Observation, Observation]

    @property
    def kind(self) -> str:
        """API, field and any error codes of the first difference; the same for divergences of one cause."""
        first = self.differences[0]
        return kind_of(first)


def kind_of(difference: Difference) -> str:
    """API, field without indexes and, for error codes, outcome and pace, both values."""
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
    """The result of playing a sequence."""

    steps: int = 0
    divergence: Divergence | None = None
    accepted: list[Difference] = field(default_factory=list)
    observations: list[tuple[Observation, Observation]] = field(default_factory=list)
    """(first target's, second target's) observation of each exchange, in order."""
    leaders: Leaders = field(default_factory=Leaders)
    """The group leaders on which both targets agreed."""
    is_over: bool = False
    """Whether it ended early because of a random choice of a target, after which the answers cannot be compared."""


class Lockstep:
    """Plays sequences on two players, each up to the first difference that is not accepted."""

    def __init__(
        self, players: tuple[Player, Player], accepts: Accepts = lambda difference: False, check: str = CHECK
    ) -> None:
        """`check` is the check name of the differences."""
        self.players = players
        self.accepts = accepts
        self.check = check
        self._played = 0
        self._run = f"l{uuid.uuid4().hex[:6]}"

    def play(self, actions: Actions) -> Played:
        """Plays a sequence from its start, with new names. ClientTrouble or HostTrouble if a target fails."""
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
        if isinstance(action, NodeFault):
            played.steps += 1
            with ThreadPoolExecutor(len(self.players)) as pool:  # both wait for a session to end, and for a node
                list(pool.map(lambda player: player.strike(action), self.players))
            return None
        if any(player.is_waiting(action.client) for player in self.players):
            divergence = self._settle(action.client, index, played)
            is_ended = divergence is not None or played.is_over
            if is_ended or any(player.is_waiting(action.client) for player in self.players):
                return divergence  # still waiting on a target: skip this action
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
        """Compares a client's answers if they have arrived. It is a difference if only one target answers."""
        here = self._here(client, QUIET_S)
        if not any(here):
            return None
        if not all(here):
            slower = self.players[here.index(False)]
            if not slower.has_heard(client, GRACE_S):
                return self._one_waits(client, index, here)
        return self._compare(index, self._heard(client), played)

    def _here(self, client: int, within_s: float) -> list[bool]:
        """Which of the two answers arrive within this time, polling both in turn."""
        deadline = time.monotonic() + within_s
        here = [player.has_heard(client, 0) for player in self.players]
        while not all(here) and time.monotonic() < deadline:
            here = [player.has_heard(client, 0.001) for player in self.players]
        return here

    def _heard(self, client: int) -> tuple[Heard, Heard]:
        first, second = self.players
        return first.hear(client), second.hear(client)

    def _one_waits(self, client: int, index: int, here: Sequence[bool]) -> Divergence:
        """The difference in pace when only one target has answered."""
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

    def _difference(self, observation: Observation, path: str, values: Mapping[str, str]) -> Difference:
        return Difference(
            check=self.check,
            api=observation.api,
            version=observation.version,
            field=path,
            values=values,
            request=observation.request,
        )


def level_of(difference: Difference) -> str:
    """The level of comparison to which a difference belongs, in words."""
    if difference.field == "(pace)" or difference.field == "(outcome)":
        return "time class"
    if difference.field == "(encoding)":
        return "encoding"
    if difference.api == "ApiVersions" and difference.field.startswith(("api_keys", "supported", "finalized")):
        return "advertised versions and features"
    return "error codes" if difference.field.endswith("error_code") else "fields"

"""Players without a target: they answer what they are told to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.comparing.observation import Observation, Pace, RequestOutcome
from harness.search.lockstep.actions import Request, Restart
from harness.search.lockstep.player import Heard
from reference_broker.wire.api_keys import APIS

Answer = Callable[[Request], Any]
"""The answer's fields; None where the request waits."""


class FakePlayer:
    """One side, answered by a function."""

    def __init__(self, target: str, answer: Answer = lambda request: {"error_code": 0}) -> None:
        self.target = target
        self.answer = answer
        self.runs: list[str] = []
        self.restarts = 0
        self.pace = Pace.AT_ONCE
        self.outcome = RequestOutcome.ANSWERED
        self.encoding = "canonical"
        self._open: dict[int, Request] = {}

    def begin(self, run: str) -> None:
        self.runs.append(run)
        self._open.clear()

    def is_waiting(self, client: int) -> bool:
        return client in self._open

    def waiting(self) -> list[int]:
        return sorted(self._open)

    def restart(self, action: Restart) -> None:
        self.restarts += 1

    def tidy(self) -> None:
        """Nothing is left here."""

    def send(self, request: Request) -> None:
        self._open[request.client] = request

    def has_heard(self, client: int, within_s: float) -> bool:
        return self.answer(self._open[client]) is not None

    def hear(self, client: int) -> Heard:
        request = self._open.pop(client)
        answer = self.answer(request)
        observation = Observation(
            api=APIS[request.message.API_KEY].name,
            version=request.version,
            request="asked",
            answer=answer,
            outcome=self.outcome,
            pace=self.pace,
        )
        return Heard(observation=observation, response=answer, encoding=self.encoding)

    def drop(self, client: int) -> None:
        self._open.pop(client, None)

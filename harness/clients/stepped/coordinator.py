"""Requests to the coordinator of a group, as coroutines: it is looked for, asked, and looked for again if it moved."""

from __future__ import annotations

from typing import Any, Final

from harness.clients.client import ClientTrouble
from harness.clients.stepped.connection import Connection
from harness.clients.stepped.leaders import TROUBLE, asking, first_answer
from harness.hosts.executor import Executor
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest

MOVED: Final = frozenset({ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_NOT_AVAILABLE})
_FIND_VERSION: Final = 3


class CoordinatorTrouble(ClientTrouble):
    """A request did not get through, or was refused with `error`; whoever asked may ask again after a while."""

    def __init__(self, what: str, error: ErrorCode | None = None) -> None:
        super().__init__(what if error is None else f"{what}: {error.name}")
        self.error = error


class Coordinator:
    """A connection to the coordinator of one group, made when something is asked. For one task at a time."""

    def __init__(self, executor: Executor, bootstrap: str, client_id: str, group: str, timeout_s: float) -> None:
        self._executor, self._bootstrap = executor, bootstrap
        self._client_id, self._group, self._timeout_s = client_id, group, timeout_s
        self._connection: Connection | None = None

    async def ask(self, api_key: ApiKey, version: int, message: Any, timeout_s: float | None = None) -> Any:
        """The response, whatever error it holds. CoordinatorTrouble when none comes, or no coordinator is known.

        It is asked in this version, or in the highest below it that it supports.
        """
        try:
            connection = self._connection
            if connection is None:
                connection = self._connection = await self._found()
            return await connection.request(api_key, await connection.highest(api_key, version), message, timeout_s)
        except TROUBLE as trouble:
            self.forget()
            raise CoordinatorTrouble(f"{api_key.name} of group {self._group}: {trouble}") from trouble

    def check(self, what: str, code: int) -> None:
        """CoordinatorTrouble when a response has an error; one that says that it moved is heeded."""
        if code:
            error = ErrorCode(code)
            if error in MOVED:
                self.forget()
            raise CoordinatorTrouble(f"{what} of group {self._group}", error)

    async def _found(self) -> Connection:
        ask = asking(ApiKey.FIND_COORDINATOR, _FIND_VERSION, FindCoordinatorRequest(key=self._group))
        answer = await first_answer(
            self._executor, self._bootstrap, ask, client_id=self._client_id, timeout_s=self._timeout_s
        )
        if answer.error_code:
            raise CoordinatorTrouble(f"the coordinator of group {self._group}", ErrorCode(answer.error_code))
        return await Connection.open(
            self._executor, answer.host, answer.port, client_id=self._client_id, timeout_s=self._timeout_s
        )

    def forget(self) -> None:
        """Closes the connection; the next request looks for the coordinator again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

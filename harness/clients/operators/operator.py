"""An operator's actions on topics and groups: create, describe, alter, delete."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.clients import group_view
from harness.clients.group_view import Member
from harness.hosts import cluster_time as time

TIMEOUT_S = 15.0
_VISIBLE_S = 10.0
SET_ON_THE_TOPIC = 1
"""The config_source of a config that is set on the topic itself (DescribeConfigs, DYNAMIC_TOPIC_CONFIG)."""


class Refused(AssertionError):
    """The broker refused a request; `name` is Kafka's name of the error."""

    def __init__(self, what: str, name: str, detail: str) -> None:
        super().__init__(f"{what} was refused: {name}: {detail}")
        self.name = name


def refusal_of(call: Callable[[], None]) -> str:
    """Kafka's name of the error with which the broker refuses a call; "NONE" when the call succeeds."""
    try:
        call()
    except Refused as refusal:
        return refusal.name
    return "NONE"


@dataclass(frozen=True, slots=True)
class Config:
    """One config of a topic."""

    value: str
    is_own: bool
    """Whether it is set on the topic itself."""


class Operator(ABC):
    """An admin client. Every call waits at most 15 s for the response; Refused or ClientTrouble when it fails.

    The response to a change comes when the controller has committed it; brokers apply it a moment later. Therefore
    calls that create, alter or delete topics also wait, with `waits`, until the change is visible; AssertionError when
    it is not after 10 s.
    """

    def __init__(self, bootstrap: str, *, waits: bool = True) -> None:
        self._bootstrap, self._waits = bootstrap, waits

    def hasty(self) -> Operator:
        """Another one of its kind, which does not wait until changes are visible."""
        return type(self)(self._bootstrap, waits=False)

    # -- topics -------------------------------------------------------------------------------------------------

    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        """Creates a topic with one replica per partition."""
        self._create(name, partitions, config or {})
        if self._waits:
            self.wait_for_partitions(name, partitions)

    def add_partitions(self, name: str, total: int) -> None:
        """Increases a topic's number of partitions to `total`."""
        self._grow(name, total)
        if self._waits:
            self.wait_for_partitions(name, total)

    def wait_for_partitions(self, name: str, count: int) -> None:
        """Waits until a topic has exactly `count` partitions, each with a leader."""

        def has_all() -> bool:
            leaders = self.leaders(name)
            return sorted(leaders) == list(range(count)) and min(leaders.values()) >= 0

        _wait(
            has_all, lambda: f"topic {name} should have {count} partitions with leaders, and has {self.leaders(name)}"
        )

    def delete_topic(self, name: str) -> None:
        """Deletes a topic."""
        self._delete(name)
        if self._waits:
            _wait(lambda: name not in self.topics(), lambda: f"topic {name} was deleted, and is still listed")

    def topics(self) -> tuple[str, ...]:
        """The names of all topics, sorted."""
        return tuple(sorted(self._described()))

    def leaders(self, name: str) -> dict[int, int]:
        """Partition → leader of a topic; empty if the topic does not exist."""
        return dict(sorted(self._described().get(name, {}).items()))

    def topic_config(self, name: str) -> dict[str, str]:
        """All configs of a topic, including defaults."""
        return {key: found.value for key, found in self._config(name).items()}

    def alter_topic(self, name: str, settings: Mapping[str, str] | None = None, *, unset: Sequence[str] = ()) -> None:
        """Sets some configs of a topic and resets others to their defaults; the rest do not change."""
        wanted = settings or {}
        self._alter(name, wanted, unset)
        if self._waits:

            def is_so() -> bool:
                found = self._config(name)
                return all(found[key].value == value for key, value in wanted.items()) and not any(
                    found[key].is_own for key in unset
                )

            _wait(is_so, lambda: f"{name} should have {dict(wanted)} and nothing of its own for {list(unset)}")

    @abstractmethod
    def delete_records(self, name: str, partition: int, before: int) -> int:
        """Deletes the records below an offset; returns the low watermark in the response."""

    # -- groups -------------------------------------------------------------------------------------------------

    def group_offsets(self, group: str) -> dict[tuple[str, int], int]:
        """(topic, partition) → a group's committed offset."""
        return group_view.committed_offsets(self._bootstrap, group)

    def group(self, group: str) -> tuple[str, tuple[Member, ...]]:
        """(state, members) of a group, members sorted by client id."""
        return group_view.described(self._bootstrap, group)

    # -- requests -----------------------------------------------------------------------------------------------

    @abstractmethod
    def _create(self, name: str, partitions: int, config: Mapping[str, str]) -> None: ...

    @abstractmethod
    def _grow(self, name: str, total: int) -> None: ...

    @abstractmethod
    def _delete(self, name: str) -> None: ...

    @abstractmethod
    def _alter(self, name: str, settings: Mapping[str, str], unset: Sequence[str]) -> None: ...

    @abstractmethod
    def _config(self, name: str) -> dict[str, Config]: ...

    @abstractmethod
    def _described(self) -> dict[str, dict[int, int]]:
        """Topic → partition → leader, of all topics; none of one that has an error."""


def _wait(is_so: Callable[[], bool], complaint: Callable[[], str]) -> None:
    """Waits until `is_so` returns true. AssertionError with the complaint when it does not within 10 s."""
    deadline = time.monotonic() + _VISIBLE_S
    while not is_so():
        assert time.monotonic() < deadline, f"{complaint()} ({_VISIBLE_S:.0f} s after it was acknowledged)"
        time.sleep(0.02)

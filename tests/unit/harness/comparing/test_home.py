"""The broker that an exchange asks, where a cluster has several; brokers that are made up."""

from __future__ import annotations

from typing import Any, cast

import pytest

from harness.clients.client import ClientTrouble
from harness.comparing import home as module
from harness.comparing.connections import Connections
from harness.comparing.home import Home, home_of
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import CreatableTopic
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.find_coordinator_response import Coordinator, FindCoordinatorResponse
from reference_broker.wire.messages.metadata_response import MetadataResponse, MetadataResponseBroker
from reference_broker.wire.primitives import BrokerId, TopicName

BOOTSTRAP = "lake:9091"


class FakeCluster:
    """Connections to brokers 1, 2, …; groups go to `coordinators` in turn."""

    def __init__(self, brokers: int, coordinators: tuple[int, ...]) -> None:
        self._brokers, self._coordinators = brokers, coordinators
        self.errors = 0
        """So many answers of FindCoordinator come before each key has a coordinator."""

    def to(self, bootstrap: str) -> FakeCluster:
        return self

    def drop(self, bootstrap: str) -> None:
        pass

    def highest(self, api_key: int) -> int:
        return 4

    def request(self, api_key: int, version: int, message: Any) -> Any:
        if not isinstance(message, FindCoordinatorRequest):
            listed = [
                MetadataResponseBroker(node_id=BrokerId(one), host="lake", port=9090 + one)
                for one in range(1, self._brokers + 1)
            ]
            return MetadataResponse(brokers=tuple(listed))
        error = ErrorCode.COORDINATOR_NOT_AVAILABLE if self.errors else ErrorCode.NONE
        self.errors = max(0, self.errors - 1)
        return FindCoordinatorResponse(
            coordinators=tuple(
                Coordinator(
                    key=key, node_id=BrokerId(self._coordinators[number % len(self._coordinators)]), error_code=error
                )
                for number, key in enumerate(message.coordinator_keys)
            )
        )


def connections(cluster: FakeCluster) -> Connections:
    return cast(Connections, cluster)


def found(cluster: FakeCluster) -> Home:
    home = home_of(BOOTSTRAP, connections(cluster))
    assert home is not None
    return home


def test_the_only_broker_needs_no_choice() -> None:
    assert home_of(BOOTSTRAP, connections(FakeCluster(1, ()))) is None


def test_a_broker_is_chosen_that_coordinates_groups() -> None:
    home = found(FakeCluster(3, (3, 2, 3)))

    assert (home.broker, home.address) == (2, "lake:9092")


def test_coordinators_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    cluster = FakeCluster(3, (1,))
    cluster.errors = 2

    assert found(cluster).broker == 1


def test_a_name_is_chosen_of_which_the_broker_is_the_coordinator() -> None:
    home = found(FakeCluster(3, (2, 3, 1)))

    assert home.name("orders") == "orders-2"  # the first is coordinated by 2, the second by 3


def test_a_broker_that_coordinates_nothing_any_more_is_trouble() -> None:
    cluster = FakeCluster(3, (2,))

    with pytest.raises(ClientTrouble, match="no longer the coordinator"):
        Home(1, BOOTSTRAP, connections(cluster)).name("orders")


def test_each_partition_of_a_topic_is_assigned_to_the_broker() -> None:
    topic = found(FakeCluster(2, (2,))).led(CreatableTopic(name=TopicName("orders"), num_partitions=2))

    assert (topic.num_partitions, topic.replication_factor) == (-1, -1)
    assert [(one.partition_index, one.broker_ids) for one in topic.assignments] == [(0, (2,)), (1, (2,))]


def test_the_coordinator_of_a_name_that_cannot_be_chosen_is_asked() -> None:
    home = Home(1, BOOTSTRAP, connections(FakeCluster(3, (3,)))).coordinator_of("")

    assert (home.broker, home.address) == (3, "lake:9093")

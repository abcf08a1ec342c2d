"""Waits until the broker has applied all acknowledged metadata changes.

Kafka's controller answers once a change is committed; the broker publishes it a moment later, one change after another,
and DescribeConfigs shows a change already when its publication starts. Therefore the barrier changes a config of a
marker topic twice: when the second change is visible, the first one and all changes before it are published completely.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from harness.clients.client import ClientTrouble
from harness.clients.connection import RawConnection
from harness.hosts import cluster_time as time
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.delete_groups_request import DeleteGroupsRequest
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.describe_groups_request import DescribeGroupsRequest
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from reference_broker.wire.messages.list_groups_request import ListGroupsRequest
from reference_broker.wire.primitives import TopicName

MARKER: Final = TopicName("lockstep-marker")
KEY: Final = "retention.ms"
TOPIC: Final = 2
PATIENCE_S: Final = 60.0
"""Kafka loads all group records when it starts, which takes long after a long search."""
READY: Final = (ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS)


class Barrier:
    """A connection to one cluster, for waiting and cleaning up."""

    def __init__(self, target: str, bootstrap: str) -> None:
        self._target, self._bootstrap = target, bootstrap
        self._connection: RawConnection | None = None
        self._values = itertools.count(1_000_000)

    def prepare(self) -> None:
        """Creates the marker topic, and waits until producer ids and group coordinators are available. ClientTrouble
        after 60 s."""
        marker = CreatableTopic(name=MARKER, num_partitions=1, replication_factor=1)
        self._until("the marker topic", lambda: self._refusal_of(marker))
        producer = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
        self._until("producer ids", lambda: _said(self._ask(producer, 4).error_code))
        coordinator = FindCoordinatorRequest(key_type=0, coordinator_keys=("any",))
        self._until("group coordinators", lambda: _said(self._ask(coordinator, 4).coordinators[0].error_code))
        self._until("groups that are loaded", lambda: _said(self._ask(ListGroupsRequest(), 4).error_code))
        self.wait()

    def wait(self) -> None:
        """Returns once all acknowledged changes are applied. ClientTrouble after 60 s."""
        for _ in range(2):
            value = str(next(self._values))
            entry = AlterableConfig(name=KEY, config_operation=0, value=value)
            change = AlterConfigsResource(resource_type=TOPIC, resource_name=MARKER, configs=(entry,))
            self._ask(IncrementalAlterConfigsRequest(resources=(change,)), 1)
            self._until("a change of the marker", partial(self._other_than, value))

    def delete(self, topics: Sequence[str]) -> None:
        """Requests the deletion of topics; they need not exist. ClientTrouble if no answer comes."""
        named = tuple(map(TopicName, topics))
        self._ask(DeleteTopicsRequest(topic_names=named, timeout_ms=5_000), 5)

    def delete_groups(self, keep: str) -> None:
        """Removes the members of all classic groups whose ids do not begin with `keep`, and deletes these groups.
        ClientTrouble if no answer comes."""
        listed = self._ask(ListGroupsRequest(), 5).groups
        named = tuple(
            one.group_id for one in listed if one.group_type == "classic" and not one.group_id.startswith(keep)
        )
        for group in self._ask(DescribeGroupsRequest(groups=named), 5).groups:
            leaving = tuple(
                MemberIdentity(member_id=one.member_id, group_instance_id=one.group_instance_id)
                for one in group.members
            )
            if leaving:
                self._ask(LeaveGroupRequest(group_id=group.group_id, members=leaving), 5)
        self._ask(DeleteGroupsRequest(groups_names=named), 2)

    def close(self) -> None:
        """Closes the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _refusal_of(self, marker: CreatableTopic) -> str:
        code = self._ask(CreateTopicsRequest(topics=(marker,), timeout_ms=5_000), 7).topics[0].error_code
        return "" if code in READY else _said(code)

    def _other_than(self, value: str) -> str:
        wanted = DescribeConfigsResource(resource_type=TOPIC, resource_name=MARKER, configuration_keys=(KEY,))
        found = self._ask(DescribeConfigsRequest(resources=(wanted,)), 4).results[0].configs
        if not found:
            return "no such topic"
        return "" if found[0].value == value else f"{found[0].value}, not {value}"

    def _until(self, what: str, lacking: Callable[[], str]) -> None:
        """Returns once `lacking` returns an empty string. ClientTrouble with the last string after 60 s."""
        deadline = time.monotonic() + PATIENCE_S
        while why := lacking():
            if time.monotonic() > deadline:
                raise ClientTrouble(f"{self._target}: still waiting for {what} after {PATIENCE_S:.0f} s: {why}")
            time.sleep(0.0005)

    def _ask(self, message: Any, version: int) -> Any:
        try:
            if self._connection is None:
                self._connection = RawConnection.to(self._bootstrap, client_id="barrier")
            return self._connection.request(message.API_KEY, version, message, PATIENCE_S)
        except OSError as trouble:
            self.close()
            asked, why = type(message).__name__, f"{type(trouble).__name__}: {trouble}"
            raise ClientTrouble(f"{self._target}: no answer to the barrier's {asked}: {why}") from trouble


def _said(code: int) -> str:
    """The name of an error code; empty for NONE."""
    return ErrorCode(code).name if code else ""

"""Waits until a cluster shows everywhere what it has acknowledged.

Kafka's controller answers once a change is committed; the broker applies it a moment later, in order, one publication
after the other, and only the start of a publication shows in DescribeConfigs. So two changes of a marker are made, one
after the other: when the second shows, the publication of the first, and of all that came before, is complete.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from harness.clients.client import ClientTrouble
from harness.clients.connection import RawConnection
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
"""Kafka reads all that its groups ever wrote when it starts: after a long search that takes a while."""
READY: Final = (ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS)


class Barrier:
    """A connection of its own to one cluster."""

    def __init__(self, target: str, bootstrap: str) -> None:
        self._target, self._bootstrap = target, bootstrap
        self._connection: RawConnection | None = None
        self._values = itertools.count(1_000_000)

    def prepare(self) -> None:
        """Creates the marker; waits until groups have coordinators and producers get ids. ClientTrouble."""
        marker = CreatableTopic(name=MARKER, num_partitions=1, replication_factor=1)
        self._until("the marker topic", lambda: self._refusal_of(marker))
        producer = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
        self._until("producer ids", lambda: _said(self._ask(producer, 4).error_code))
        coordinator = FindCoordinatorRequest(key_type=0, coordinator_keys=("any",))
        self._until("group coordinators", lambda: _said(self._ask(coordinator, 4).coordinators[0].error_code))
        self._until("groups that are loaded", lambda: _said(self._ask(ListGroupsRequest(), 4).error_code))
        self.wait()

    def wait(self) -> None:
        """Returns once all that was acknowledged is in force. ClientTrouble when that takes too long."""
        for _ in range(2):
            value = str(next(self._values))
            entry = AlterableConfig(name=KEY, config_operation=0, value=value)
            change = AlterConfigsResource(resource_type=TOPIC, resource_name=MARKER, configs=(entry,))
            self._ask(IncrementalAlterConfigsRequest(resources=(change,)), 1)
            self._until("a change of the marker", partial(self._other_than, value))

    def delete(self, topics: Sequence[str]) -> None:
        """Has topics deleted, as far as they are there. ClientTrouble."""
        named = tuple(map(TopicName, topics))
        self._ask(DeleteTopicsRequest(topic_names=named, timeout_ms=5_000), 5)

    def delete_groups(self, keep: str) -> None:
        """Has all classic groups deleted whose names do not begin with `keep`, their members put out. ClientTrouble."""
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
        """Returns once nothing is lacking. ClientTrouble that tells what still is."""
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
    """An error's name; nothing for none."""
    return ErrorCode(code).name if code else ""

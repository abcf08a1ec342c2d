"""Sends single requests to a cluster over a raw connection, and keeps each request and answer as an observation.

A check gets an Exchange as a fixture (harness/comparing/differences.py). The names that it creates are unique to the
run, so that checks can share a cluster. Requests sent `quietly` are preparation, and not observed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from harness.clients.client import ClientTrouble
from harness.clients.connection import RawConnection
from harness.clients.leader_connections import LATEST
from harness.comparing.connections import ANSWER_TIMEOUT_S, CLIENT_ID, Connections, connected
from harness.comparing.diff import Difference
from harness.comparing.expectations import require_answer, require_outcome
from harness.comparing.gaps import Gap
from harness.comparing.home import Home
from harness.comparing.normal_form import NormalForm
from harness.comparing.observation import Observation, Pace, Plain, RequestOutcome, remark
from harness.comparing.pending import Pending
from harness.comparing.promised import NONE, Promised, Versions
from harness.comparing.times import LOCAL_SLACK_MS, Window
from harness.hosts import cluster_time as time
from harness.judging.judgements import note_judgement
from reference_broker.wire.api_keys import APIS, ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import decode_response
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.create_topics_request import (
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.delete_groups_request import DeleteGroupsRequest
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.messages.describe_groups_request import DescribeGroupsRequest
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import BrokerId, GroupId, MalformedRequest, TopicName, Uuid

WAITED_SHARE = 0.7
"""If an answer took at least this share of the time for which it may wait, its pace is "waited"."""
PATIENCE_S = 10.0
PROBE = ApiVersionsRequest(client_software_name="exchange", client_software_version="1")


Missing = tuple[Difference, Gap | None]
"""(difference for an API or version that is not listed, gap that accepts it or None)."""


class Exchange:
    """The requests of one check to one cluster."""

    def __init__(
        self,
        *,
        bootstrap: str,
        run: str,
        connections: Connections,
        keep: Callable[[Observation], None],
        promised: Promised,
        report: Callable[[Sequence[Missing]], None],
        slack_ms: int = LOCAL_SLACK_MS,
        home: Home | None = None,
    ) -> None:
        """`run` is a prefix that makes names unique. `keep` receives each observation. `promised` is what the cluster's
        release lists; `report` receives what the cluster does not list of it, and fails the check if no gap accepts it.
        `slack_ms` is the tolerated difference between the cluster's clock and this machine's. `home` is the broker at
        `bootstrap` if the cluster has several brokers, else None.
        """
        self.bootstrap = bootstrap
        self.form = NormalForm(Window(_now_ms(), slack_ms))
        self.promised = promised
        self.home = home
        self._report = report
        self._run = run
        self.connections = connections
        self._keep = keep
        self._own: list[RawConnection] = []
        self._made: list[str] = []

    def distances(self, *distances_ms: int) -> None:
        """Shows times at these distances (ms) from the present as distances, so that they are equal in every run."""
        self.form.window.add_distances(*distances_ms)

    # -- names and topics ---------------------------------------------------------------------------------------

    def name(self, label: str) -> str:
        """A unique name for a topic or group. Observations show the label instead."""
        real = f"{self._run}-{label}"
        return self._named(label, real if self.home is None else self.home.name(real))

    def _named(self, label: str, real: str) -> str:
        self.form.label(real, label)
        self._made.append(real)
        return real

    def topic(self, label: str = "orders", partitions: int = 1, **config: str) -> TopicName:
        """Creates a topic with retention.ms=-1, and waits for it. Config names have _ instead of dots."""
        name = TopicName(self._named(label, f"{self._run}-{label}"))
        settings = {"retention_ms": "-1", **config}
        topic = CreatableTopic(
            name=name,
            num_partitions=partitions,
            replication_factor=-1,
            configs=tuple(
                CreatableTopicConfig(name=key.replace("_", "."), value=value) for key, value in settings.items()
            ),
        )
        found = self.quietly(CreateTopicsRequest(topics=(self.led(topic),), timeout_ms=15_000)).topics[0]
        if found.error_code not in (ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS):
            raise ClientTrouble(f"topic {name}: {ErrorCode(found.error_code).name} {found.error_message or ''}")
        self.await_topic(name, partitions)
        return name

    def led(self, topic: CreatableTopic) -> CreatableTopic:
        """The topic, changed such that the broker of this exchange will lead its partitions."""
        return topic if self.home is None else self.home.led(topic)

    def broker(self) -> int:
        """The id of the broker that gets the requests."""
        if self.home is not None:
            return self.home.broker
        about = MetadataRequest(topics=(), allow_auto_topic_creation=False)
        return int(self.quietly(about).brokers[0].node_id)

    def await_topic(self, topic: TopicName, partitions: int = 1) -> None:
        """Waits until the broker leads each partition, e.g. after a creation or restart. ClientTrouble after 10 s."""
        for _ in self.patience():
            if self._is_hosted(topic, partitions):
                return
        raise ClientTrouble(f"topic {topic}: its partitions have no leader after {PATIENCE_S} s")

    @staticmethod
    def patience(seconds: float = PATIENCE_S) -> Iterator[None]:
        """Iterates every 20 ms until the time is over, for polling in a loop."""
        deadline = time.monotonic() + seconds
        while True:
            yield
            if time.monotonic() > deadline:
                return
            time.sleep(0.02)

    def topic_id(self, topic: str) -> Uuid:
        """The id of an existing topic."""
        found = self.quietly(_about(topic))
        topic_id: Uuid = found.topics[0].topic_id
        return topic_id

    def _is_hosted(self, topic: TopicName, partitions: int) -> bool:
        """Whether the broker answers ListOffsets for each partition; Metadata may show partitions a little earlier."""
        asked = tuple(ListOffsetsPartition(partition_index=index, timestamp=LATEST) for index in range(partitions))
        request = ListOffsetsRequest(
            replica_id=BrokerId(-1), topics=(ListOffsetsTopic(name=topic, partitions=asked),), timeout_ms=1_000
        )
        found = self.quietly(request).topics[0].partitions
        return all(one.error_code == ErrorCode.NONE for one in found)

    # -- requests -----------------------------------------------------------------------------------------------

    def quietly(self, message: Any, version: int | None = None) -> Any:
        """Sends a request that is not observed; returns the response. By default in the highest version that both sides
        support. ClientTrouble if no response comes."""
        connection = self.connections.to(self.bootstrap)
        try:
            spoken = connection.highest(message.API_KEY) if version is None else version
            return connection.request(message.API_KEY, spoken, message)
        except (OSError, MalformedRequest) as trouble:
            self.connections.drop(self.bootstrap)
            name = APIS[message.API_KEY].name
            raise ClientTrouble(f"{name} to {self.bootstrap}: {type(trouble).__name__}: {trouble}") from trouble

    def ask(
        self, words: str, message: Any, version: int, *, waits_ms: int | None = None, pace: Pace | None = None
    ) -> Any:
        """Sends a request and observes the answer; returns the response. `waits_ms`: how long the broker may hold the
        answer back; `pace`: whether it should do so, None for either.

        AssertionError if the broker closes the connection, does not answer, or answers at another pace.
        """
        response, seen = self._asked(words, message, version, waits_ms)
        require_answer(seen, words, pace)
        return response

    def ask_at(self, address: tuple[str, int], words: str, message: Any, version: int) -> Any:
        """As `ask`, at another listener, e.g. a controller's: (host, port). ClientTrouble if it cannot be reached."""
        connection = connected("{}:{}".format(*address))
        self._own.append(connection)
        response, seen = self._asked(words, message, version, None, connection=connection)
        require_answer(seen, words, None)
        return response

    def expect_closed(self, words: str, message: Any, version: int) -> None:
        """Sends a request that must make the broker close the connection. AssertionError if it does not."""
        _, seen = self._asked(words, message, version, None, connection=self.connection())
        require_outcome(seen, RequestOutcome.CLOSED, words)

    def expect_silence(self, words: str, message: Any, version: int) -> None:
        """Sends a request that must get no answer while the connection stays usable; else AssertionError."""
        self.require_listed(message.API_KEY, version)
        connection = self.connection()
        started = time.monotonic()
        connection.send_only(message.API_KEY, version, message)
        outcome = RequestOutcome.SILENT
        try:
            connection.request(ApiKey.API_VERSIONS, 3, PROBE)
        except TimeoutError:
            outcome = RequestOutcome.CLOSED
        except MalformedRequest:
            outcome = RequestOutcome.ANSWERED  # the response is not the one to the probe
        except ConnectionError as trouble:
            outcome = RequestOutcome.ANSWERED if "out of order" in str(trouble) else RequestOutcome.CLOSED
        seen = self.observe(words, message, version, outcome, None, 1000 * (time.monotonic() - started), None)
        require_outcome(seen, RequestOutcome.SILENT, words)

    def expect_closed_on(self, words: str, frame: bytes, *, api: str = "(bytes)", version: int = -1) -> None:
        """Sends raw bytes that must make the broker close the connection. AssertionError if it does not."""
        connection = self.connection()
        connection.send_bytes(frame)
        outcome = RequestOutcome.SILENT
        if connection.has_answer(ANSWER_TIMEOUT_S):
            outcome = RequestOutcome.CLOSED if connection.is_closed_by_peer() else RequestOutcome.ANSWERED
        seen = Observation(api=api, version=version, request=self.form.text(words), outcome=outcome)
        self._keep(seen)
        require_outcome(seen, RequestOutcome.CLOSED, words)

    def note(self, what: str, value: Plain) -> None:
        """Adds an observation that is not an exchange: a name and a value."""
        self._keep(remark(what, value))

    def ask_frame(self, words: str, frame: bytes, api_key: int, answer_version: int) -> Any:
        """Sends raw bytes; observes and returns the answer, decoded in `answer_version`. AssertionError if none
        comes."""
        connection = self.connection()
        connection.send_bytes(frame)
        outcome, response, api = RequestOutcome.ANSWERED, None, APIS[api_key]
        try:
            _, response = decode_response(api_key, answer_version, connection.receive_frame())
        except TimeoutError:
            outcome = RequestOutcome.SILENT
        except OSError:
            outcome = RequestOutcome.CLOSED
        answer: Plain = None
        if response is not None:
            answer = self.form.of(api.name, response, answer_version, _now_ms())
        seen = Observation(
            api=api.name, version=answer_version, request=self.form.text(words), outcome=outcome, answer=answer
        )
        self._keep(seen)
        require_answer(seen, words, None)
        return response

    def start(
        self, words: str, message: Any, version: int, *, waits_ms: int | None = None, client_id: str | None = CLIENT_ID
    ) -> Pending:
        """Sends a request on a new connection, without waiting for the answer, which the Pending returns later."""
        self.require_listed(message.API_KEY, version)
        connection = self.connection(client_id)
        connection.send_only(message.API_KEY, version, message)
        return Pending(self, connection, words, message, version, time.monotonic(), waits_ms)

    def connection(self, client_id: str | None = CLIENT_ID) -> RawConnection:
        """Opens a connection for this check alone, which is closed at the check's end."""
        connection = connected(self.bootstrap, client_id)
        self._own.append(connection)
        return connection

    def turn_to_coordinator(self, group: str) -> None:
        """Sends all further requests to the coordinator of a group; for ids that `name` cannot choose, like ""."""
        if self.home is not None:
            self.home = self.home.coordinator_of(group)
            self.bootstrap = self.home.address

    def clear_away(self) -> None:
        """Deletes the topics and groups that this check has created, for clusters that exist beyond the run."""
        names = tuple(dict.fromkeys(self._made))
        if names:
            self.quietly(DeleteTopicsRequest(topic_names=tuple(map(TopicName, names)), timeout_ms=10_000), 5)
            groups = tuple(map(GroupId, names))
            for group in self.quietly(DescribeGroupsRequest(groups=groups), 5).groups:
                if group.members:  # a group with members is not deleted
                    leaving = tuple(MemberIdentity(member_id=member.member_id) for member in group.members)
                    self.quietly(LeaveGroupRequest(group_id=group.group_id, members=leaving), 3)
            self.quietly(DeleteGroupsRequest(groups_names=groups), 2)

    def close(self) -> None:
        """Closes the connections of this check alone."""
        for connection in self._own:
            connection.close()

    def _asked(
        self, words: str, message: Any, version: int, waits_ms: int | None, connection: RawConnection | None = None
    ) -> tuple[Any, Observation]:
        self.require_listed(message.API_KEY, version)
        response, outcome = None, RequestOutcome.ANSWERED
        used = self.connections.to(self.bootstrap) if connection is None else connection
        started = time.monotonic()
        try:
            response = used.request(message.API_KEY, version, message)
        except TimeoutError:
            outcome = RequestOutcome.SILENT
        except OSError:
            outcome = RequestOutcome.CLOSED
        if outcome is not RequestOutcome.ANSWERED and connection is None:
            self.connections.drop(self.bootstrap)
        elapsed_ms = 1000 * (time.monotonic() - started)
        return response, self.observe(words, message, version, outcome, response, elapsed_ms, waits_ms)

    def require_listed(self, api_key: int, version: int) -> None:
        """Requires that the cluster lists an API version.

        If not, the check is skipped, with the reason, if the cluster's release does not have it or a gap is known; else
        it differs.
        """
        found = self._listed().get(api_key, NONE)
        if found[0] <= version <= found[1]:
            return
        if (lack := self.promised.lack(api_key, version, found)) is not None:
            pytest.skip(lack.reason)
        self._report([(self.promised.difference(api_key, found), None)])

    def require_all_listed(self) -> None:
        """Requires that the cluster lists all API versions of its release, except known gaps; skips if its release is
        not known."""
        if not self.promised.listed:
            pytest.skip(f"{self.promised.target} does not say which release it is")
        self._report(self.promised.missing(self._listed()))
        note_judgement()

    def _listed(self) -> Mapping[int, Versions]:
        try:
            return self.connections.to(self.bootstrap).all_listed()
        except (OSError, MalformedRequest) as trouble:
            self.connections.drop(self.bootstrap)
            raise ClientTrouble(f"ApiVersions to {self.bootstrap}: {type(trouble).__name__}: {trouble}") from trouble

    def observe(
        self,
        words: str,
        message: Any,
        version: int,
        outcome: RequestOutcome,
        response: Any,
        elapsed_ms: float,
        waits_ms: int | None,
    ) -> Observation:
        """Makes an observation in normal form, keeps it, and returns it."""
        name = APIS[message.API_KEY].name
        now_ms = _now_ms()
        asked_ms = now_ms - int(elapsed_ms) - 1
        sent = self.form.of(name, message, version, now_ms)
        answer: Plain = None
        if response is not None:
            is_for_all = not (getattr(message, "topics", None) or getattr(message, "topic_partitions", None))
            answer = self.form.of(name, response, version, now_ms, everything=is_for_all, asked_ms=asked_ms)
        has_waited = waits_ms is not None and elapsed_ms >= WAITED_SHARE * waits_ms
        seen = Observation(
            api=name,
            version=version,
            request=self.form.text(words),
            sent=sent,
            outcome=outcome,
            answer=answer,
            pace=Pace.WAITED if has_waited else Pace.AT_ONCE,
        )
        self._keep(seen)
        return seen


def _now_ms() -> int:
    return int(time.time() * 1000)


def _about(topic: str) -> MetadataRequest:
    return MetadataRequest(topics=(MetadataRequestTopic(name=TopicName(topic)),), allow_auto_topic_creation=False)

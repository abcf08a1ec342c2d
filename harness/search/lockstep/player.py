"""Plays actions on one target: replaces labels and Refs by real values, and puts answers in normal form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from harness.clients.client import ClientTrouble
from harness.clients.connection import RawConnection
from harness.comparing.normal_form import NormalForm
from harness.comparing.observation import Observation, Pace, Plain, RequestOutcome
from harness.comparing.times import Window
from harness.hosts import cluster_time as time
from harness.search.lockstep.actions import Fault, Kind, NodeFault, Ref, Request, Restart, WrittenBatch
from harness.search.lockstep.barrier import Barrier
from harness.search.lockstep.bytes import bytes_of
from harness.search.lockstep.clusters import MANY_DELETED, Opened, can_clear, restart
from harness.search.lockstep.settling import settle
from harness.search.lockstep.source_text import text_of
from reference_broker.wire.api_keys import APIS, ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import decode_response, encode_response
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.primitives import MalformedRequest

ANSWER_TIMEOUT_S: Final = 8.0
QUIET_S: Final = 0.02
"""If an answer that may wait for another client has not arrived after this time, it is considered to be waiting."""
WAITED_SHARE: Final = 0.7
PROBE: Final = ApiVersionsRequest(client_software_name="lockstep", client_software_version="1")
UNLEARNED: Final[dict[Kind, Any]] = {
    Kind.TOPIC_ID: b"\x77" * 16,
    Kind.PRODUCER_ID: 4_000_000,
    Kind.MEMBER_ID: "nobody",
    Kind.GENERATION: 1,
    Kind.SESSION_ID: 77,
}
"""Values of Refs that no answer has set, e.g. because the request failed."""
LABELLED: Final = frozenset({"topicName", "groupId", "transactionalId"})
"""Entity types of the schema whose string fields are labels."""
LONGEST_NAME: Final = 249
CHANGES_METADATA: Final = frozenset(
    {
        ApiKey.CREATE_TOPICS,
        ApiKey.DELETE_TOPICS,
        ApiKey.CREATE_PARTITIONS,
        ApiKey.ALTER_CONFIGS,
        ApiKey.INCREMENTAL_ALTER_CONFIGS,
    }
)
"""APIs that change metadata. After them, the player waits until the change is applied."""
MOVES_REPLICAS: Final = frozenset({ApiKey.ELECT_LEADERS, ApiKey.ALTER_PARTITION_REASSIGNMENTS})
"""Further APIs that change metadata; a cluster of several nodes then settles."""
GOES_ON: Final = frozenset(
    {
        *(ApiKey.END_TXN, ApiKey.INIT_PRODUCER_ID, ApiKey.ADD_PARTITIONS_TO_TXN),
        *(ApiKey.SHARE_GROUP_HEARTBEAT, ApiKey.STREAMS_GROUP_HEARTBEAT, ApiKey.CONSUMER_GROUP_HEARTBEAT),
        *(ApiKey.SHARE_FETCH, ApiKey.SHARE_ACKNOWLEDGE),
        *(ApiKey.ALTER_SHARE_GROUP_OFFSETS, ApiKey.DELETE_SHARE_GROUP_OFFSETS, ApiKey.DELETE_GROUPS),
    }
)
"""APIs that answer before the coordinator's work is complete; the player waits `settle_s` after them."""
MANY_SEQUENCES: Final = 50
"""Sequences after which their groups are deleted, because every ListGroups would list them all."""
BOUNDS_MS: Final = (3_600_000, -1_000)
"""Distances from the current time of the timestamp limits of topics: Kafka's default, and the one that writers set."""
RESULTS: Final = ("topics", "results", "responses")
"""Names of the array of results in the answers of CHANGES_METADATA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The answer to a request on one target, or how it ended without one."""

    observation: Observation
    response: Any
    """The decoded response; None without one."""
    encoding: str = "canonical"
    """ "canonical" if encoding the decoded response gives the same bytes; else what is wrong, in words."""


@dataclass(slots=True)
class _Open:
    """A request without an answer so far."""

    request: Request
    message: Any
    """The message as sent, with real values."""
    sent_at: float
    heard_at: float | None = None
    """When the answer was first seen to arrive, if `has_heard` was called."""


class Player:
    """Plays sequences on one target. `begin` starts a new sequence; connections are kept."""

    def __init__(self, opened: Opened, patience_s: float = ANSWER_TIMEOUT_S, settle_s: float = 0.0) -> None:
        """`patience_s`: after this time without an answer, a request counts as not answered.

        `settle_s`: pause after the requests in GOES_ON.
        """
        self.target = opened.name
        self.kind = opened.target.kind
        self._patience_s = patience_s
        self._settle_s = settle_s
        self.cluster = opened.cluster
        self.form = self._new_form()
        self._run = ""
        self._known: dict[Ref, Any] = {}
        self._labels: dict[str, str] = {}
        self._connections: dict[int, RawConnection] = {}
        self._nodes: dict[int, int] = {}
        """Client → the node that its connection was opened to."""
        self._open: dict[int, _Open] = {}
        self._made: set[str] = set()
        """Names of topics that the sequence may have created."""
        self.deleted = 0
        """Number of topics deleted since the node's last start."""
        self._tidied = 0
        """Number of sequences since groups were last deleted."""
        self._barrier = Barrier(self.target, self.cluster.bootstrap)

    def begin(self, run: str) -> None:
        """Starts a new sequence: requests the deletion of the last one's topics, and clears its labels and Refs. `run`
        is the prefix of all names."""
        for client in list(self._open):
            self.drop(client)
        for node in self.cluster.nodes:
            self.strike(NodeFault(Fault.START, node.id))
        if self._made:
            # Thousands of topics would slow the node down. Does not wait until they are deleted.
            self._barrier.delete(sorted(self._made))
            self.deleted += len(self._made)
            self._made.clear()
        self.form = self._new_form()
        self._run = run
        self._known.clear()
        self._labels.clear()

    @staticmethod
    def _new_form() -> NormalForm:
        window = Window(int(time.time() * 1000))
        window.add_distances(*BOUNDS_MS)
        return NormalForm(window)

    def close(self) -> None:
        """Closes all connections."""
        self._barrier.close()
        for client in list(self._connections):
            self.drop(client)

    def drop(self, client: int) -> None:
        """Closes a client's connection, and discards its pending request."""
        self._open.pop(client, None)
        if (connection := self._connections.pop(client, None)) is not None:
            connection.close()

    # -- actions ------------------------------------------------------------------------------------------------

    def is_waiting(self, client: int) -> bool:
        """Whether the answer to a client's last request has not been read yet."""
        return client in self._open

    def sent(self, client: int) -> Any:
        """A client's pending request, as it was sent."""
        return self._open[client].message

    def waiting(self) -> list[int]:
        """The clients with a pending request, sorted."""
        return sorted(self._open)

    def restart(self, action: Restart) -> None:
        """Stops and starts the node, and removes the files of topics that earlier sequences deleted. HostTrouble if
        that fails."""
        self.close()
        restart(self.cluster, keep=f"{self._run}-")
        self.deleted = 0
        self._barrier.prepare()

    def strike(self, action: NodeFault) -> None:
        """Kills, stops or starts a node, and waits until the cluster has settled. HostTrouble or ClientTrouble if that
        fails."""
        node = next(one for one in self.cluster.nodes if one.id == action.node)
        if node.is_alive() is (action.fault is Fault.START):
            return
        for client in list(self._connections):
            self.drop(client)
        self._barrier.close()
        match action.fault:
            case Fault.KILL:
                node.kill()
            case Fault.STOP:
                node.stop()
            case Fault.START:
                node.start()
                node.wait_ready()
        self.settle()

    def settle(self) -> None:
        """Waits until a cluster of several nodes stands still. ClientTrouble if that takes too long."""
        settle(self.target, self.cluster, f"{self._run}-")

    def tidy(self) -> None:
        """Called before a sequence's first step: deletes old groups, and the files of deleted topics, when there are
        many. ClientTrouble or HostTrouble if that fails."""
        self._tidied = (self._tidied + 1) % MANY_SEQUENCES
        if not self._tidied:
            self._barrier.delete_groups(keep=f"{self._run}-")
        if self.deleted > MANY_DELETED:
            self.deleted = 0
            if can_clear(self.cluster):
                self.restart(Restart())

    def send(self, request: Request) -> None:
        """Sends a request. ClientTrouble if no connection can be opened."""
        message = self._filled(request.message)
        if message.API_KEY == ApiKey.CREATE_TOPICS:
            self._made.update(topic.name for topic in message.topics if topic.name.startswith(self._run))
        for attempt in (1, 2):
            try:
                self._connection(request.client, request.node).send_only(
                    request.message.API_KEY, request.version, message
                )
                break
            except OSError as trouble:
                # A broker may close an idle connection at any time; it has read nothing of the request then.
                self.drop(request.client)
                if attempt == 2:
                    raise ClientTrouble(f"{self.target}: {trouble}") from trouble
        self._open[request.client] = _Open(request, message, time.monotonic())

    def has_heard(self, client: int, within_s: float) -> bool:
        """Whether a client's answer starts to arrive within this time."""
        has_come = self._connections[client].has_answer(within_s)
        if has_come and self._open[client].heard_at is None:
            self._open[client].heard_at = time.monotonic()
        return has_come

    def hear(self, client: int) -> Heard:
        """Waits for the answer to a client's last request; returns it, or that it did not come or the connection
        closed."""
        pending = self._open.pop(client)
        request, connection = pending.request, self._connections[client]
        if getattr(request.message, "acks", None) == 0:
            return self._heard_nothing(pending)
        key, version = request.message.API_KEY, request.version
        response, outcome, encoding = None, RequestOutcome.ANSWERED, "canonical"
        try:
            frame = connection.receive_frame(self._patience_s)
            correlation_id, response = decode_response(key, version, frame)
            if b"".join(map(bytes, encode_response(key, version, correlation_id, response)))[4:] != frame:  # type: ignore[arg-type]
                encoding = "other bytes than its fields have in Kafka's encoding"
        except TimeoutError:
            outcome = RequestOutcome.SILENT
        except MalformedRequest as trouble:
            encoding = f"cannot be read: {trouble}"
        except OSError:
            outcome = RequestOutcome.CLOSED
        if outcome is not RequestOutcome.ANSWERED:
            self.drop(client)
        waited_ms = 1000 * ((pending.heard_at or time.monotonic()) - pending.sent_at)
        if len(self.cluster.nodes) > 1:
            if key in CHANGES_METADATA or key in MOVES_REPLICAS:
                self.settle()
        elif key in CHANGES_METADATA and not self.kind.applies_at_once and _has_changed(request.message, response):
            self._barrier.wait()
        if key in GOES_ON and self._settle_s:
            time.sleep(self._settle_s)
        return Heard(
            observation=self._observed(request, outcome, response, waited_ms), response=response, encoding=encoding
        )

    def _heard_nothing(self, pending: _Open) -> Heard:
        """For a Produce with acks=0, which has no answer: sends another request to find out whether an error has closed
        the connection."""
        outcome = RequestOutcome.SILENT
        try:
            self._connections[pending.request.client].request(ApiKey.API_VERSIONS, 3, PROBE, self._patience_s)
        except OSError:
            outcome = RequestOutcome.CLOSED
            self.drop(pending.request.client)
        return Heard(observation=self._observed(pending.request, outcome, None, 0.0), response=None)

    def play(self, request: Request) -> Heard:
        """Sends a request and waits for its answer."""
        self.send(request)
        return self.hear(request.client)

    def _observed(self, request: Request, outcome: RequestOutcome, response: Any, waited_ms: float) -> Observation:
        api = APIS[request.message.API_KEY].name
        answer: Plain = None
        if response is not None:
            for path, ref in request.learns:
                self._learn(ref, response, path)
            asked_for_all = not getattr(request.message, "topics", None)
            answer = self.form.of(api, response, request.version, int(time.time() * 1000), everything=asked_for_all)
        has_waited = request.waits_ms is not None and waited_ms >= WAITED_SHARE * request.waits_ms
        return Observation(
            api=api,
            version=request.version,
            request=text_of(request.message),
            outcome=outcome,
            answer=answer,
            pace=Pace.WAITED if has_waited else Pace.AT_ONCE,
        )

    # -- labels and Refs ----------------------------------------------------------------------------------------

    def real(self, label: str) -> str:
        """The real name of a label in this run. Invalid and internal names (empty, ".", "..", "__…", too long) are not
        changed."""
        if not label or label.startswith("__") or label in (".", "..") or len(label) > LONGEST_NAME:
            return label
        known = self._labels.get(label)
        if known is None:
            known = self._labels[label] = f"{self._run}-{label}"[: max(LONGEST_NAME, len(label))]
            self.form.label(known, label)
        return known

    def _learn(self, ref: Ref, response: Any, path: str) -> None:
        value = response
        for part in path.split("."):
            if isinstance(value, tuple):
                value = self._element(value, part)
                if value is None:
                    return
            else:
                value = getattr(value, part)
        if value not in (None, "", b"\0" * 16, -1):
            self._known[ref] = value

    def _element(self, elements: tuple[Any, ...], part: str) -> Any:
        """The element at an index, or with a label as its name ("=orders"); None if there is none."""
        if part.startswith("="):
            return next((one for one in elements if one.name == self.real(part[1:])), None)
        return elements[int(part)] if int(part) < len(elements) else None

    def _resolved(self, ref: Ref) -> Any:
        if ref.kind is Kind.NAME:
            return self.real(ref.label)
        return self._known.get(ref, UNLEARNED[ref.kind])

    def _filled(self, message: Any) -> Any:
        """The message with labels, Refs and WrittenBatches replaced by real values."""
        changed = {}
        for field in message.FIELDS:
            value = getattr(message, field.name)
            found = self._value(value, field.entity in LABELLED)
            if found is not value:
                changed[field.name] = found
        if not changed:
            return message
        kept = {name: getattr(message, name) for name in message.__struct_fields__ if name not in changed}
        return type(message)(**kept, **changed)

    def _value(self, value: Any, is_label: bool) -> Any:
        if isinstance(value, tuple):
            found = tuple(self._value(one, is_label) for one in value)
            return found if any(new is not old for new, old in zip(found, value, strict=True)) else value
        if isinstance(value, Ref):
            return self._resolved(value)
        if isinstance(value, str):
            return self.real(value) if is_label else value
        if isinstance(value, WrittenBatch):
            producer = value.producer_id
            return memoryview(bytes_of(value, self._resolved(producer) if isinstance(producer, Ref) else producer))
        return self._filled(value) if hasattr(value, "FIELDS") else value

    def _connection(self, client: int, node: int = 0) -> RawConnection:
        """The client's connection, opened where there is none; one that goes to another node is closed first."""
        if self._nodes.get(client, node) != node:
            self.drop(client)
        if client not in self._connections:
            addresses = {one.id: one.address for one in self.cluster.nodes}
            place = "{}:{}".format(*addresses[node]) if node else self.cluster.bootstrap
            self._connections[client] = RawConnection.to(
                place, client_id=f"client-{client}", timeout_s=ANSWER_TIMEOUT_S
            )
            self._nodes[client] = node
        return self._connections[client]


def _has_changed(message: Any, response: Any) -> bool:
    """Whether a request has changed metadata: it was not validate_only, and at least one result has no error."""
    if getattr(message, "validate_only", False) or response is None:
        return False
    results = next((value for name in RESULTS if (value := getattr(response, name, None)) is not None), ())
    return any(one.error_code == ErrorCode.NONE for one in results)

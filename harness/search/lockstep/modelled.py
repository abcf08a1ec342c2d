"""Plays sequences on one target; the model judges each answer. The first answer that is not allowed ends a sequence."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from harness.clients.client import ClientTrouble
from harness.clients.connection import RawConnection
from harness.comparing.observation import RequestOutcome
from harness.hosts import cluster_time as time
from harness.model.batch import Written
from harness.model.specification import Specification
from harness.search.lockstep.actions import Action, NodeFault, Request, Restart
from harness.search.lockstep.clusters import Opened
from harness.search.lockstep.confluent_clients import ConfluentClients
from harness.search.lockstep.library_steps import (
    LibraryClients,
    LibraryCommit,
    LibraryProduce,
    LibraryRead,
    LibraryStep,
)
from harness.search.lockstep.played import Played
from harness.search.lockstep.player import ANSWER_TIMEOUT_S, CHANGES_METADATA, PROBE, QUIET_S, Player
from harness.search.lockstep.raw_clients import RawClients
from reference_broker.wire.api_keys import APIS, ApiKey
from reference_broker.wire.framing import decode_response
from reference_broker.wire.messages.describe_groups_request import DescribeGroupsRequest
from reference_broker.wire.primitives import GroupId, MalformedRequest
from reference_broker.wire.records import Record

Step = Action | LibraryStep
NAMES: Final = re.compile(r" of \S+| to \S+|\d")
"""Parts of a complaint that differ between runs of the same sequence: names and digits."""
MANY_GROUPS: Final = tuple(GroupId(f"any-{number}") for number in range(64))
"""Enough group ids to have one on every partition of __consumer_offsets."""
PATIENCE_S: Final = 1.0
"""How long a group may take to reach the expected state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """The first answer of a sequence that the model does not allow."""

    at: int
    """Index of the step."""
    complaints: tuple[str, ...]

    @property
    def kind(self) -> str:
        """The first complaint without names and numbers; the same for disagreements of one cause."""
        return NAMES.sub("", self.complaints[0].partition(" should be ")[0])


@dataclass(slots=True)
class Heard:
    """The answer to a request, with the request message as sent."""

    request: Request
    message: Any
    outcome: RequestOutcome
    response: Any = None
    trouble: str = ""


class JudgedPlayer(Player):
    """A player that returns decoded answers as they are, without normal form and without comparing encodings."""

    _turn: ClassVar[threading.Lock] = threading.Lock()
    """Held while waiting at the barrier, because the players of a cluster share its marker topic."""

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._onlooker: RawConnection | None = None

    def answer(self, client: int) -> Heard:
        """Waits for the answer to a client's last request; returns it, or that it did not come or the connection
        closed."""
        pending = self._open.pop(client)
        heard = Heard(pending.request, pending.message, RequestOutcome.ANSWERED)
        connection = self._connections[client]
        key = pending.message.API_KEY
        try:
            if key == ApiKey.PRODUCE and pending.message.acks == 0:
                heard.outcome = RequestOutcome.SILENT
                connection.request(ApiKey.API_VERSIONS, 3, PROBE, ANSWER_TIMEOUT_S)
                return heard
            frame = connection.receive_frame(ANSWER_TIMEOUT_S)
            _, heard.response = decode_response(key, pending.request.version, frame)
        except TimeoutError:
            heard.outcome = RequestOutcome.SILENT
        except MalformedRequest as trouble:
            heard.trouble = f"the answer cannot be read: {trouble}"
        except OSError:
            heard.outcome = RequestOutcome.CLOSED
        if heard.response is None:
            self.drop(client)
            return heard
        for path, ref in pending.request.learns:
            self._learn(ref, heard.response, path)
        if key in CHANGES_METADATA and not self.kind.applies_at_once:
            with self._turn:
                self._barrier.wait()
        return heard

    def prepare(self) -> None:
        """Waits until the controller, producer ids and the coordinators of all groups are available. ClientTrouble if
        they are not in time."""
        self._barrier.prepare()
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while any(one.error_code for one in self._described(MANY_GROUPS)):
            if time.monotonic() > deadline:
                raise ClientTrouble(f"{self.target}: not all groups have a coordinator")
            time.sleep(0.01)

    def _described(self, groups: tuple[GroupId, ...]) -> Any:
        if self._onlooker is None:
            self._onlooker = RawConnection.to(self.cluster.bootstrap, client_id="onlooker")
        return self._onlooker.request(ApiKey.DESCRIBE_GROUPS, 5, DescribeGroupsRequest(groups=groups)).groups

    def await_group(self, group_id: str, state: str, members: int) -> None:
        """Returns once a group has this state and number of members; after 1 s in any case."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            (found,) = self._described((GroupId(group_id),))
            if (found.group_state, len(found.members)) == (state, members):
                break
            time.sleep(0.002)

    def close(self) -> None:
        """Closes all connections."""
        super().close()
        if self._onlooker is not None:
            self._onlooker.close()
            self._onlooker = None

    def restart(self, action: Restart) -> None:
        """Stops and starts the node, and waits until its coordinators are loaded."""
        super().restart(action)
        self.prepare()


MOVES_GROUPS: Final = (ApiKey.JOIN_GROUP, ApiKey.SYNC_GROUP, ApiKey.LEAVE_GROUP)
"""APIs after which requests of other members that wait in the group may be answered."""


class Modelled:
    """Plays sequences on one target, and has the model judge each answer."""

    def __init__(self, opened: Opened, run: str) -> None:
        """`run` is a prefix that makes names unique to this object."""
        self.player = JudgedPlayer(opened)
        own = opened.cluster.executor.is_virtual
        self.library: LibraryClients = (RawClients if own else ConfluentClients)(opened.cluster.bootstrap)
        self.steps = 0
        self.played = Played()
        self.run = run
        self._begun = 0
        self.made: list[str] = []
        """Names of topics that earlier sequences created and did not delete."""
        self.model = Specification()

    def begin(self) -> None:
        """Starts a new sequence, with new names and an empty model."""
        self._begun += 1
        self.made += self.model.topics.by_name
        self.player.begin(f"{self.run}-{self._begun}")
        self.library.begin()
        self.model = Specification()

    def close(self) -> None:
        """Closes all connections."""
        self.player.close()
        self.library.close()

    def play(self, steps: Sequence[Step]) -> Disagreement | None:
        """Plays a sequence up to the first answer that is not allowed; None if all are. ClientTrouble or HostTrouble if
        the target fails."""
        self.begin()
        for index, step in enumerate(steps):
            if complaints := self.step(step):
                return Disagreement(at=index, complaints=tuple(complaints))
        return None

    def step(self, step: Step) -> list[str]:
        """Plays one step; returns the complaints about its answer, and about answers that it set free."""
        self.steps += 1
        self.played.steps += 1
        if isinstance(step, Request):
            return self._request(step)
        if isinstance(step, Restart):
            self.player.restart(step)
            self.played.restarts += 1
            self.model.restarted(int(time.time() * 1000))
            return []
        if isinstance(step, NodeFault):
            return []  # the model is of one node, which has no such steps
        return self._library(step)

    # -- raw requests -------------------------------------------------------------------------------------------

    def _request(self, request: Request) -> list[str]:
        client, player = request.client, self.player
        if player.is_waiting(client):
            return []  # the client still waits for an answer: skip this request
        player.send(request)
        self.model.sent(client, player.sent(client), request.version)
        if not request.may_wait and len(player.waiting()) == 1:
            return self._judged(client)
        if self.model.must_wait(client):
            self._await_effect(player.sent(client))
        complaints = []
        is_about_groups = request.message.API_KEY in MOVES_GROUPS
        # The sender's own answer first: it may be the reason for the other answers.
        for waiting in sorted(player.waiting(), key=lambda other: (other != client, other)):
            is_unsure = self.model.groups.is_unsure(waiting)
            self.played.waits += self.model.must_wait(waiting)
            if self.model.must_wait(waiting) or (is_unsure and waiting != client and not is_about_groups):
                patience_s = 0.0
            else:
                patience_s = QUIET_S if is_unsure else ANSWER_TIMEOUT_S
            if not patience_s < ANSWER_TIMEOUT_S or player.has_heard(waiting, patience_s):
                complaints += self._judged(waiting)
        return complaints

    def _await_effect(self, message: Any) -> None:
        """Waits until the broker has handled a JoinGroup that gets no answer yet, as DescribeGroups shows."""
        group = self.model.groups.by_id[message.group_id]
        if message.API_KEY == ApiKey.JOIN_GROUP:
            self.player.await_group(group.id, group.state, len(group.members))

    def _judged(self, client: int) -> list[str]:
        heard = self.player.answer(client)
        message, version, now_ms = heard.message, heard.request.version, int(time.time() * 1000)
        if heard.trouble:
            return [f"{type(message).__name__} v{version}: {heard.trouble}"]
        if heard.outcome is not RequestOutcome.ANSWERED:
            return self.model.unanswered(message, version, heard.outcome is RequestOutcome.CLOSED, now_ms)
        self.played.count_answer(APIS[message.API_KEY].name, heard.response)
        return self.model.judge(client, message, version, heard.response, now_ms)

    # -- confluent-kafka ----------------------------------------------------------------------------------------

    def _library(self, step: LibraryStep) -> list[str]:
        topic = self.player.real(step.topic)
        known = self.model.topics.by_name.get(topic)
        if known is None or not 0 <= step.partition < len(known.logs):
            return []  # skipped: librdkafka waits for partitions that do not exist
        log, where = known.logs[step.partition], f"confluent-kafka, {step.topic}-{step.partition}"
        if isinstance(step, LibraryProduce):
            wanted = log.end
            for value in step.values:
                record = Record(0, int(time.time() * 1000), None, value.encode())
                refused = log.refusals(Written(records=(record,), size=0), record.timestamp)
                if refused:
                    return []
            self.played.library += 1
            found = self.library.produce(topic, step.partition, step.values)
            if isinstance(found, str):
                return [f"{where}: a sound record is refused: {found}"]
            for value in step.values:
                log.append_unseen(value.encode())
            expected = list(range(wanted, log.end))
            return [] if found == expected else [f"{where}: offsets {found}, where {expected} should be"]
        if isinstance(step, LibraryRead):
            if not log.start <= step.offset < log.end:
                return []
            self.played.library += 1
            wanted_records = log.readable(step.offset)
            came = [(one.offset, one.value) for one in self.library.read(topic, step.partition, step.offset, log.end)]
            return [] if came == wanted_records else [f"{where}: read {came}, where {wanted_records} should be"]
        return self._commit(step, topic)

    def _commit(self, step: LibraryCommit, topic: str) -> list[str]:
        group = self.player.real(step.group)
        known = self.model.groups.by_id.get(group)
        if known is not None and (known.state != "Empty" or not known.is_clear):
            return []
        self.played.library += 1
        code = self.library.commit(group, topic, step.partition, step.offset)
        if code:
            return [f"confluent-kafka: a commit of {step.offset} for group {step.group} is refused: error {code}"]
        self.model.offsets.keep(group, topic, step.partition, step.offset)
        return []

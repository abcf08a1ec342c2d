"""Runs a transcript: blocks of commands, `----`, and what they print. In the style of etcd raft's tests.

    members 1 2 3 [static] [leader 1]   a world of these voters; each message and each flush takes 1 ms
    observe 4                     one more member without a vote
    timeout 1                     the election or fetch timeout of a member is over now
    run 500                       let 500 ms go by
    elect 1                       timeout 1, then run until its listener knows that it leads
    append 1 a b                  append values where that member's listener believes that it leads (or: append leader)
    cut 1 | 2 3    cut 1 > 2      no messages between groups, or from one to another
    heal                          all links work
    crash 1    start 1    replace 1   without what was not flushed; with another, empty folder
    slow disk 1 500               its flushes take 500 ms
    snapshot 1    resign 1    shut down 1
    add 4    remove 1    upgrade  ask the leader to change the voters, or kraft.version to 1
    ask add 4                     the same, but do not wait for the answer
    status                        a line for each member

Printed are the changes of roles, truncations and the like as the members log them, and then answers.
"""

from __future__ import annotations

from collections.abc import Callable

from quorum_world import World, addition_of
from world_node import Follows, WorldNode

from reference_broker.environment import Now
from reference_broker.raft.frames import CommittedBatch
from reference_broker.raft.machine import Quorum
from reference_broker.waiting import Later
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.remove_raft_voter_request import RemoveRaftVoterRequest
from reference_broker.wire.refusal import KafkaError

RULE = "----"


class TranscriptWorld(World):
    """A world that says who leads and what is committed first."""

    def note_leader(self, node: WorldNode, leader_id: int | None, epoch: int) -> None:
        if leader_id == node.node_id:
            self.lines.append(f"{node.node_id}: its listener leads epoch {epoch}")

    def note_committed(self, node: WorldNode, batch: CommittedBatch, values: list[str]) -> None:
        if values and batch.base_offset not in self.committed:
            self.lines.append(f"{node.node_id}: {' '.join(values)} committed at {batch.base_offset}")
        super().note_committed(node, batch, values)


class Transcript:
    """The state of one transcript."""

    def __init__(self) -> None:
        self.world = TranscriptWorld(0)
        self._is_patient = True

    def run(self, text: str) -> str:
        """The text with the results as they are now."""
        blocks = []
        for block in text.strip("\n").split("\n\n"):
            commands = block.split(f"\n{RULE}")[0].splitlines()
            if all(line.startswith("#") for line in commands):
                blocks.append(block)
                continue
            printed = [line for command in commands for line in self._printed(command)]
            blocks.append("\n".join((*commands, RULE, *printed)))
        return "\n\n".join(blocks) + "\n"

    def _printed(self, command: str) -> list[str]:
        if command.startswith("#"):
            return []
        name, *words = command.split()
        if f"do_{name}_{words[0] if words else ''}" in dir(self):
            name = f"{name}_{words.pop(0)}"
        answer = getattr(self, f"do_{name}")(*words)
        lines, self.world.lines = self.world.lines, []
        return lines + (answer or [])

    def _node(self, word: str) -> WorldNode:
        if word != "leader":
            return self.world.nodes[int(word)]
        leader = self.world.leader()
        assert leader is not None
        return leader

    def _ask(self, word: str, then: Callable[[Quorum, Now], object]) -> object:
        return self._node(word).run(then)

    # -- commands -----------------------------------------------------------------------------------------------

    def do_members(self, *words: str) -> None:
        leader = words[words.index("leader") + 1] if "leader" in words else ""
        ids = words[: words.index("leader")] if leader else words
        self.world = TranscriptWorld(sum(word.isdigit() for word in ids), is_static="static" in words)
        self.world.start()
        if leader:
            self.do_elect(leader)
            self.world.lines.clear()

    def do_observe(self, word: str) -> None:
        node = self.world.nodes[int(word)] = WorldNode(self.world, int(word))
        node.start()

    def do_timeout(self, word: str) -> None:
        node = self._node(word)
        assert node.quorum is not None
        role = node.quorum._member.role
        name = "fetch_deadline_ms" if hasattr(role, "fetch_deadline_ms") else "election_deadline_ms"
        setattr(role, name, node.now().monotonic_ms)
        node.run(lambda quorum, now: quorum.on_time(now))

    def do_run(self, duration_ms: str) -> None:
        self.world.run_for(int(duration_ms))

    def do_elect(self, word: str) -> None:
        self.do_timeout(word)
        node = self._node(word)
        self.world.run_until(self.world.now_ms + 500, lambda: node.listener.leader_id == node.node_id)
        self.world.run_for(20)

    def do_append(self, word: str, *values: str) -> list[str] | None:
        node = self._node(word)
        offset = self.world.append(node, *values)
        if offset is None:
            return [f"{node.node_id}: NOT_CONTROLLER"]
        self.world.lines.append(f"{node.node_id}: appended at {offset}")
        self.world.run_for(20)
        return None

    def do_cut(self, *words: str) -> None:
        line = " ".join(words)
        if ">" in line:
            source, target = (int(word) for word in line.split(" > "))
            self.world.cut[source, target] = None
        else:
            self.world.split(*([int(word) for word in group.split()] for group in line.split("|")))

    def do_heal(self) -> None:
        self.world.heal()

    def do_crash(self, word: str) -> None:
        self._node(word).crash()

    def do_start(self, word: str) -> list[str]:
        node = self._node(word)
        node.start()
        assert node.quorum is not None
        return [
            f"{word}: {node.quorum.role.value} in epoch {node.quorum.leader_epoch}, log end {node.quorum.end_offset}"
        ]

    def do_replace(self, word: str) -> None:
        before = self._node(word)
        node = WorldNode(self.world, before.node_id, directory=before.directory + 1, settings=before.settings)
        self.world.nodes[node.node_id] = node
        node.start()

    def do_slow_disk(self, word: str, duration_ms: str) -> None:
        self._node(word).flush_ms = int(duration_ms)

    def do_snapshot(self, word: str) -> list[str]:
        found = self.world.snapshot(self._node(word))
        assert found is not None
        return [f"{word}: snapshot {found.end_offset}-{found.epoch}"]

    def do_resign(self, word: str) -> None:
        self._ask(word, lambda quorum, now: quorum.resign(quorum.leader_epoch, now))

    def do_shut_down(self, word: str) -> None:
        self._ask(word, lambda quorum, now: quorum.shut_down(now))

    def do_add(self, word: str) -> list[str]:
        request = addition_of(self._node(word).key)
        return self._change(lambda quorum, now: quorum.on_add_raft_voter(request, now))

    def do_remove(self, word: str) -> list[str]:
        key = self._node(word).key
        request = RemoveRaftVoterRequest(cluster_id=None, voter_id=key.node_id, voter_directory_id=key.directory_id)
        return self._change(lambda quorum, now: quorum.on_remove_raft_voter(request, now))

    def _change(self, then: Callable[[Quorum, Now], object]) -> list[str]:
        leader = self.world.leader()
        assert leader is not None
        answers: list[str] = []

        def note(response: object) -> None:
            code, message = ErrorCode(response.error_code), response.error_message  # type: ignore[attr-defined]
            answers.append(f"{leader.node_id}: answers {code.name}" + (f", {message}" if message else ""))
            self.world.lines.append(answers[-1])

        result = leader.run(then)
        result.then(note) if isinstance(result, Later) else note(result)
        if self._is_patient:
            self.world.run_until(self.world.now_ms + 3000, lambda: bool(answers))
        return []

    def do_ask(self, name: str, word: str) -> None:
        self._is_patient = False
        getattr(self, f"do_{name}")(word)
        self._is_patient = True

    def do_upgrade(self) -> list[str]:
        leader = self.world.leader()
        assert leader is not None
        try:
            leader.run(lambda quorum, now: quorum.upgrade_kraft_version(quorum.leader_epoch, 1, now))
        except KafkaError as refused:
            return [f"{leader.node_id}: {refused}"]
        self.world.run_for(20)
        return []

    def do_status(self) -> list[str]:
        return [status(node) for node in self.world.nodes.values()]


def status(node: WorldNode) -> str:
    """A member in a line."""
    quorum, listener = node.quorum, node.listener
    if quorum is None:
        return f"{node.node_id}: down"
    assert isinstance(listener, Follows)
    leads = "" if quorum.leader_id in (None, node.node_id) else f" of {quorum.leader_id}"
    kind = "" if quorum.is_voter else "observer, "
    voters = " ".join(str(one) for one in quorum.voters.ids)
    values = " ".join(listener.values) or "nothing"
    return (
        f"{node.node_id}: {kind}{quorum.role.value}{leads} in epoch {quorum.leader_epoch}, "
        f"log end {quorum.end_offset}, high watermark {quorum.high_watermark}, voters {voters}, told {values}"
    )

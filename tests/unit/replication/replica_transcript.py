"""Runs a transcript over brokers' replicas: commands, a line of dashes, and what is printed then.

brokers N [min_isr=M]       all in sync, broker 1 leads
append ID VALUE…            a producer with acks=all writes a record each to a broker
run MS                      time passes
kill ID · lose ID · start ID   a process ends · and its disk forgets what was not flushed · it comes again
isolate ID · heal           nobody reaches a broker, nor it the controller · all links work again
cut ID ID · elect ID        one direction of a link · the controller prefers a leader of the ISR
unclean                     the controller may elect a replica that is not in sync
delete ID OFFSET            records below an offset are deleted at the leader
status                      every broker's role and log
"""

from __future__ import annotations

from collections.abc import Callable

from replica_node import Node
from replica_world import World

from reference_broker.replication.leader import Leader


class Transcript:
    """One world, from its first command on."""

    def __init__(self) -> None:
        self._world = World(1)
        self._printed: list[str] = []

    def run(self, text: str) -> str:
        """The transcript with what is printed now."""
        return "\n".join(self._block(block) for block in text.rstrip("\n").split("\n\n")) + "\n"

    def _block(self, block: str) -> str:
        commands = block.split("\n----")[0].splitlines()
        self._printed = []
        for command in commands:
            if not command.startswith("#"):
                self._do(*command.split())
        return "\n".join([*commands, "----", *self._printed, ""])

    def _do(self, command: str, *words: str) -> None:
        world = self._world
        match command:
            case "brokers":
                options = dict(word.split("=") for word in words[1:])
                world = self._world = World(int(words[0]), min_isr=int(options.get("min_isr", 1)))
                world.run(10)
            case "append":
                node_id = int(words[0])
                for value in words[1:]:
                    world.append(node_id, value.encode(), self._teller(node_id, value))
            case "run":
                world.run(int(words[0]))
            case "kill" | "lose":
                world.kill(int(words[0]), loses_unflushed=command == "lose")
            case "start":
                world.start(int(words[0]))
            case "isolate":
                world.isolate(int(words[0]))
            case "cut":
                world.links_cut.add((int(words[0]), int(words[1])))
            case "heal":
                world.heal()
            case "elect":
                world.controller.elect(int(words[0]))
                world.controller.publish()
            case "unclean":
                world.controller.allows_unclean = True
            case "delete":
                world.nodes[int(words[0])].partition.delete_records(int(words[1]))
            case "status":
                self._take_events()
                world.check_equal()
                self._printed += [self._status(node) for _, node in sorted(world.nodes.items())]
            case _:
                raise ValueError(f"{command} is no command of a transcript")
        self._take_events()

    def _teller(self, node_id: int, value: str) -> Callable[[str], None]:
        return lambda text: self._world.events.append(f"{node_id}: {value} {text}")

    def _take_events(self) -> None:
        self._printed += [line.replace("t-0: ", "") for line in self._world.events]
        self._world.events.clear()

    @staticmethod
    def _status(node: Node) -> str:
        partition, role = node.partition, node.partition.role
        log = partition.log
        records = [record for batch in log.batches_from(log.log_start_offset) for record in batch.records()]
        values = b" ".join(record.value or b"" for record in records)
        what = f"follows {partition.leader}" if partition.leader >= 0 else "follows nobody"
        if isinstance(role, Leader):
            what = f"leads, ISR {' '.join(map(str, role.isr.committed))}"
        return (
            f"{node.id}: {what} in epoch {partition.leader_epoch}, log {log.log_start_offset}..{log.log_end_offset}, "
            f"high watermark {log.high_watermark}: {values.decode()}"
        )

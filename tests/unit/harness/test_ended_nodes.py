"""A node that ended by itself is named, with the line of its log that tells why and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.hosts.host import HostTrouble
from harness.targets.ended_nodes import ended_nodes


@dataclass
class FakeNode:
    id: int
    is_running: bool = True
    log: str = ""
    is_out_of_reach: bool = False

    def is_alive(self) -> bool:
        if self.is_out_of_reach:
            raise HostTrouble("no answer")
        return self.is_running

    def log_text(self) -> str:
        return self.log


def told(*nodes: FakeNode) -> tuple[str, ...]:
    given: Any = nodes
    return ended_nodes(given)


def test_a_node_that_runs_is_not_told_of() -> None:
    assert told(FakeNode(1), FakeNode(2)) == ()


def test_the_last_error_of_its_log_is_told_with_its_time() -> None:
    log = "[2026-11-30 15:00:00,001] ERROR first\n[2026-11-30 15:00:01,001] ERROR halting: disk\nINFO closed\n\n"
    assert told(FakeNode(2, False, log)) == (
        "node 2 does not run; its log ends: [2026-11-30 15:00:01,001] ERROR halting: disk",
    )


def test_without_an_error_the_last_line_is_told() -> None:
    assert told(FakeNode(2, False, "INFO a\nINFO b\n"))[0].endswith("its log ends: INFO b")
    assert told(FakeNode(2, False, ""))[0].endswith("its log ends: (nothing)")


def test_a_node_out_of_reach_is_left_out() -> None:
    assert told(FakeNode(1, is_out_of_reach=True), FakeNode(2, False, "INFO b"))[0].startswith("node 2 ")

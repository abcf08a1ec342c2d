"""The file of a node's link filter: each fault has lines of its own, and the node's word is waited for."""

from __future__ import annotations

import signal
from pathlib import Path

from harness.hosts.host import ProcessState
from harness.hosts.link_filter import LinkFilterFile


class FakeNode:
    """Copies the rules when it is signalled, as a node does; while it is paused, it does nothing."""

    def __init__(self, path: Path, state: ProcessState) -> None:
        self.path, self.state = path, state
        self.signals = 0
        self.file = LinkFilterFile(path, state=lambda: self.state, send_signal=self.send_signal)

    def send_signal(self, number: signal.Signals) -> None:
        assert number is signal.SIGUSR1
        self.signals += 1
        if self.state is ProcessState.RUNNING:
            self.apply()

    def apply(self) -> None:
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        self.path.with_name("links.applied").write_text(text, encoding="utf-8")


def node(folder: Path, state: ProcessState = ProcessState.RUNNING) -> FakeNode:
    made = FakeNode(folder / "links", state)
    made.apply()
    return made


def test_rules_hold_when_the_node_says_so(tmp_path: Path) -> None:
    one = node(tmp_path)
    one.file.set("cut 1", ["drop to 2"])
    assert one.file.holds()
    assert one.path.read_text(encoding="utf-8") == "# cut 1\ndrop to 2\n"


def test_the_heal_of_one_fault_leaves_the_rules_of_another(tmp_path: Path) -> None:
    one = node(tmp_path)
    one.file.set("cut 1", ["drop to 2"])
    one.file.set("cut 2", ["drop to 3"])
    one.file.set("cut 1", ())
    assert (one.file.owners, one.path.read_text(encoding="utf-8")) == (("cut 2",), "# cut 2\ndrop to 3\n")


def test_a_paused_node_is_signalled_and_not_waited_for(tmp_path: Path) -> None:
    one = node(tmp_path, ProcessState.STOPPED)
    one.file.set("cut 1", ["drop to 2"])
    assert (one.signals, one.file.holds()) == (1, False)
    one.apply()
    assert one.file.holds()


def test_a_dead_node_reads_its_rules_at_its_start(tmp_path: Path) -> None:
    one = node(tmp_path, ProcessState.GONE)
    one.file.set("cut 1", ["drop to 2"])
    assert (one.signals, one.file.holds()) == (0, False)


def test_what_an_earlier_process_said_does_not_count(tmp_path: Path) -> None:
    one = node(tmp_path)
    one.file.set("cut 1", ["drop to 2"])
    one.file.forget()
    assert not one.file.holds()


def test_all_rules_can_be_cleared(tmp_path: Path) -> None:
    one = node(tmp_path)
    one.file.set("cut 1", ["drop to 2"])
    assert (one.file.clear(), one.file.clear(), one.file.holds()) == (("cut 1",), (), True)

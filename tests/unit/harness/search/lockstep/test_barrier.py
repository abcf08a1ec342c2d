"""The barrier in front of a target that is slow, or silent."""

from __future__ import annotations

import socket

import pytest

from harness.clients.client import ClientTrouble
from harness.search.lockstep import barrier
from harness.search.lockstep.barrier import Barrier


def test_a_target_that_does_not_answer_is_named_with_what_it_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(barrier, "PATIENCE_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asking = Barrier("kafka@9.9", f"127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(ClientTrouble, match=r"^kafka@9\.9: no answer to the barrier's DeleteTopicsRequest: "):
            asking.delete(["any"])
        asking.close()

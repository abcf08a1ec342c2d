"""The check of changes of the ISR holds on a controller that is right, and rejects each of its bugs."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from checks.metadata import test_isr_changes as check
from harness.replicas.metadata_log import MetadataLog
from harness.replicas.metadata_state import replayed
from reference_broker.wire.errors import ErrorCode
from tests.plants.clusters import canned_fixtures
from tests.plants.clusters.metadata_records import MESSAGES, ORDERS, change, recorded
from tests.plants.clusters.rejecting import acceptances, rejections, right, wrong
from tests.plants.clusters.virtual_clock import Clock

TOPIC = "orders"
ALL_BACK = (change(isr=(2, 3, 1)),)
BUGS = {
    "takes an old partition epoch": ("an old partition epoch", "should be"),
    "takes a coming partition epoch": ("a coming partition epoch", "should be"),
    "takes an old leader epoch": ("an old leader epoch", "should be"),
    "takes a coming leader epoch": ("a coming leader epoch", "should be"),
    "takes an old broker epoch": ("an old broker epoch", "should be"),
    "takes a follower's request": ("a follower's request", "should be"),
    "takes an ISR without the leader": ("an ISR without the leader", "should be"),
    "takes an ISR with a stranger": ("an ISR with a stranger", "should be"),
    "takes a follower's old broker epoch": ("a follower's old broker epoch", "should be"),
    "refuses and changes": ("an old partition epoch", "The partition after a refused change should be"),
    "refuses what fits": ("", "The answer to a change of the ISR by the leader should be"),
    "keeps the partition epoch": ("", "The partition epoch that is answered should be"),
    "answers and changes nothing": ("", "has the ISR that was asked for should be True"),
    "never takes the follower back": ("", "is in the ISR of orders-0 again, and that was not so within"),
    "goes back to an old ISR": ("", "The metadata log says what must not be: offset"),
}
"""Bug → (the variant that rejects it, or none for the change that fits; what that says)."""


class Controller:
    """Takes changes of the ISR of orders-0, and writes them down."""

    def __init__(self, bug: str) -> None:
        self.bug = bug
        self.messages: list[Any] = [*MESSAGES, *ALL_BACK]

    def __enter__(self) -> Controller:
        return self

    def __exit__(self, *ended: object) -> None:
        """Nothing is open."""

    def log(self) -> MetadataLog:
        """What it has written."""
        return MetadataLog(101, recorded(self.messages), 0, len(self.messages), ())

    def ask(self, api_key: int, version: int, request: Any) -> Any:
        state = replayed(self.log().records)
        now, wanted = state.partitions[ORDERS, 0], request.topics[0].partitions[0]
        epochs = {number: broker.epoch for number, broker in state.brokers.items()}
        isr = [int(one.broker_id) for one in wanted.new_isr_with_epochs]
        if request.broker_epoch < epochs[request.broker_id] and self.bug != "takes an old broker epoch":
            return SimpleNamespace(error_code=ErrorCode.STALE_BROKER_EPOCH)
        rules = [
            ("takes an old leader epoch", wanted.leader_epoch < now.leader_epoch, "FENCED_LEADER_EPOCH"),
            ("takes a coming leader epoch", wanted.leader_epoch > now.leader_epoch, "NOT_CONTROLLER"),
            ("takes a follower's request", request.broker_id != now.leader, "INVALID_REQUEST"),
            ("takes an old partition epoch", wanted.partition_epoch < now.partition_epoch, "INVALID_UPDATE_VERSION"),
            ("takes a coming partition epoch", wanted.partition_epoch > now.partition_epoch, "NOT_CONTROLLER"),
            ("takes an ISR without the leader", now.leader not in isr, "INVALID_REQUEST"),
            ("takes an ISR with a stranger", not set(isr) <= set(now.replicas), "INVALID_REQUEST"),
            (
                "takes a follower's old broker epoch",
                any(one.broker_epoch < epochs.get(one.broker_id, 0) for one in wanted.new_isr_with_epochs),
                "INELIGIBLE_REPLICA",
            ),
        ]
        error = next((error for bug, is_wrong, error in rules if is_wrong and bug != self.bug), "NONE")
        if self.bug == "refuses what fits":
            error = "INVALID_REQUEST"
        if (error == "NONE" and self.bug != "answers and changes nothing") or self.bug == "refuses and changes":
            self.messages.append(change(isr=tuple(isr)))
        epoch = now.partition_epoch + (error == "NONE" and self.bug != "keeps the partition epoch")
        found = SimpleNamespace(error_code=ErrorCode[error], partition_epoch=epoch)
        return SimpleNamespace(error_code=0, topics=[SimpleNamespace(partitions=[found])])

    def view(self, topics: Any = None) -> Any:
        """Its leader takes a follower back as soon as somebody looks."""
        now = replayed(self.log().records).partitions[ORDERS, 0]
        if len(now.isr) < 3 and self.bug != "never takes the follower back":
            self.messages += [change(isr=(1, 3))] if self.bug == "goes back to an old ISR" else []
            self.messages += ALL_BACK
        return SimpleNamespace(isr={(TOPIC, 0): replayed(self.log().records).partitions[ORDERS, 0].isr})


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs a variant of the check on a controller that has a bug, or none."""

    def playing(variant: str, bug: str = "") -> None:
        controller: Any = Controller(bug)
        monkeypatch.setattr(check, "NodeClient", lambda address: controller)
        monkeypatch.setattr(check, "active_controller", lambda cluster: 101)
        monkeypatch.setattr(check, "controllers_of", lambda cluster: {101: ("10.0.0.101", 9093)})
        monkeypatch.setattr(check, "metadata_logs_of", lambda cluster, nodes: [controller.log()])
        monkeypatch.setattr("harness.clients.node_client.time", Clock())
        admin = canned_fixtures.admin()
        names = canned_fixtures.names(TOPIC)
        if variant:
            check.test_a_change_that_does_not_fit_is_refused(controller, admin, names, variant)
        else:
            check.test_a_change_that_fits_is_taken(controller, admin, names)

    return playing


test_a_check_rejects_the_bug = rejections(
    {
        bug: wrong(f"{variant} … {says}" if says == "should be" else says, variant, bug)
        for bug, (variant, says) in BUGS.items()
    }
)
test_a_check_holds_on_a_controller_that_is_right = acceptances(
    {variant or "a change that fits": right(variant) for variant in (*check.REFUSED, "")}
)
